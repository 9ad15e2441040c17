//! Files whose path a stranger chooses.

use code::Language;
use review::Severity;

use super::cleaner;
use super::danger::{Act, Danger, Given, Site};
use super::value::{Clean, Origin};
use crate::catalogue::{Example, Needs, Rule};

pub(super) static TRAVERSAL: Rule = Rule {
    id: "calls/path-traversal",
    category: "security/path-traversal",
    severity: Severity::High,
    summary: "the path of a file comes from a request",
    reason: "A name such as ../../etc/passwd leaves the folder that was meant, and an absolute path ignores it \
             altogether: files are read or written that nobody offered. Take the last part of the name only, or compare \
             the resolved path with the folder.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "web/files.py",
        beside: &[],
        before: Some("import os\nfrom flask import request\n"),
        after: "import os\nfrom flask import request\n\ndef download():\n    name = request.args['name']\n    return \
                open(os.path.join('/srv/files', name)).read()\n",
    },
    good: Example {
        path: "web/files.py",
        beside: &[],
        before: Some("import os\nfrom flask import request\n"),
        after: "import os\nfrom flask import request\n\ndef download():\n    name = os.path.basename(request.args['name'])\n    \
                return open(os.path.join('/srv/files', name)).read()\n",
    },
};

pub(super) fn look(site: &Site<'_>, dangers: &mut Vec<Danger>) {
    let Act::Call { path, name, arguments, creates, .. } = &site.act else { return };
    if !opens_file(site.language, path, name, *creates) {
        return;
    }
    // A root that is given is one that is not left.
    let has_root = |given: &Given<'_>| given.value.field("root").is_some();
    if arguments.iter().any(has_root) {
        return;
    }
    for given in arguments.iter().take(2) {
        let Some(hole) = given.value.worst(Clean::PATH) else { continue };
        if hole.origin != Origin::Request || is_address(&given.value.prefix()) {
            continue;
        }
        let harm = "A name with ../ in it leaves the folder that was meant. Take its last part only, or compare the \
                    resolved path with the folder.";
        dangers.push(site.danger_of(&TRAVERSAL, Severity::High, hole, &given.value, harm));
        return;
    }
}

fn is_address(prefix: &str) -> bool {
    prefix.contains("://")
}

fn opens_file(language: Language, path: &str, name: &str, creates: bool) -> bool {
    match language {
        Language::Python => {
            matches!(
                path,
                "open"
                    | "io.open"
                    | "codecs.open"
                    | "os.remove"
                    | "os.unlink"
                    | "os.rename"
                    | "os.listdir"
                    | "os.makedirs"
                    | "os.mkdir"
                    | "os.rmdir"
                    | "shutil.rmtree"
                    | "shutil.copy"
                    | "shutil.copyfile"
                    | "shutil.move"
                    | "send_file"
                    | "flask.send_file"
                    | "FileResponse"
                    | "os.open"
                    | "zipfile.ZipFile"
                    | "tarfile.open"
                    | "aiofiles.open"
                    | "FileResponse.FileResponse"
                    | "os.scandir"
            ) || matches!(name, "read_text" | "write_text" | "read_bytes" | "write_bytes" | "FileResponse")
        }
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            let is_fs = path.starts_with("fs.")
                || path.starts_with("fsp.")
                || path.starts_with("fsPromises.")
                || path.contains("fs/promises")
                || path.contains("fs.promises");
            is_fs && !matches!(name, "existsSync" | "exists" | "close" | "watch")
                || matches!(
                    name,
                    "sendFile"
                        | "sendfile"
                        | "readFileSync"
                        | "writeFileSync"
                        | "createReadStream"
                        | "createWriteStream"
                        | "unlinkSync"
                )
                || (name == "download" && path.starts_with("res"))
        }
        Language::Java | Language::Kotlin => {
            creates
                && matches!(
                    cleaner::last(path),
                    "FileInputStream"
                        | "FileOutputStream"
                        | "FileReader"
                        | "FileWriter"
                        | "RandomAccessFile"
                        | "PrintWriter"
                        | "File"
                )
                || path.contains("Files.")
                    && matches!(
                        name,
                        "newInputStream"
                            | "newOutputStream"
                            | "readAllBytes"
                            | "readString"
                            | "readAllLines"
                            | "lines"
                            | "write"
                            | "writeString"
                            | "delete"
                            | "copy"
                            | "move"
                            | "newBufferedReader"
                            | "newBufferedWriter"
                    )
        }
        Language::Go => matches!(
            path,
            "os.Open"
                | "os.OpenFile"
                | "os.Create"
                | "os.ReadFile"
                | "os.WriteFile"
                | "os.Remove"
                | "os.RemoveAll"
                | "os.Mkdir"
                | "os.MkdirAll"
                | "os.Rename"
                | "ioutil.ReadFile"
                | "ioutil.WriteFile"
                | "ioutil.ReadDir"
                | "http.ServeFile"
                | "os.ReadDir"
                | "c.File"
                | "ctx.File"
                | "c.SendFile"
        ),
        Language::Ruby => matches!(
            path,
            "File.open"
                | "File.read"
                | "File.new"
                | "File.write"
                | "File.delete"
                | "File.readlines"
                | "IO.read"
                | "IO.readlines"
                | "FileUtils.rm"
                | "FileUtils.rm_rf"
                | "FileUtils.cp"
                | "FileUtils.mv"
                | "send_file"
                | "Dir.glob"
                | "Dir.entries"
                | "File.binread"
                | "render_file"
        ),
        Language::Php => matches!(
            path,
            "include"
                | "require"
                | "fopen"
                | "file_get_contents"
                | "file_put_contents"
                | "readfile"
                | "file"
                | "unlink"
                | "rename"
                | "copy"
                | "move_uploaded_file"
                | "mkdir"
                | "rmdir"
                | "opendir"
                | "scandir"
                | "parse_ini_file"
                | "simplexml_load_file"
                | "show_source"
                | "highlight_file"
        ),
        Language::C | Language::Cpp => {
            matches!(
                path,
                "fopen" | "open" | "unlink" | "remove" | "rename" | "mkdir" | "rmdir" | "opendir" | "freopen"
            )
        }
        Language::Rust => matches!(
            path.trim_start_matches("std."),
            "fs.read"
                | "fs.read_to_string"
                | "fs.write"
                | "fs.remove_file"
                | "fs.remove_dir_all"
                | "fs.File.open"
                | "File.open"
                | "File.create"
                | "fs.File.create"
                | "fs.copy"
                | "fs.rename"
                | "fs.create_dir_all"
                | "tokio.fs.read"
                | "tokio.fs.read_to_string"
                | "tokio.fs.write"
                | "tokio.fs.File.open"
                | "NamedFile.open"
        ),
        Language::Bash | Language::CSharp => false,
    }
}
