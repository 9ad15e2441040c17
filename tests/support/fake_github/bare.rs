//! Real bare repositories: what GitHub says of commits and diffs, git says here.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// When everything was committed, so that ids are the same in every run.
const TIME: u64 = 1_793_534_400;

/// A bare repository; its folder is removed in the end.
pub(crate) struct Bare {
    folder: TempDir,
}

/// Who commits.
#[derive(Clone, Copy)]
pub(crate) struct Committer<'a> {
    pub(crate) name: &'a str,
    pub(crate) email: &'a str,
}

/// Who commits where a test does not care.
pub(crate) const ADA: Committer<'static> = Committer { name: "Ada", email: "ada@example.org" };

/// A changed file as `git diff` has it.
pub(crate) struct DiffFile {
    pub(crate) path: String,
    pub(crate) previous_path: Option<String>,
    pub(crate) status: &'static str,
    pub(crate) patch: Option<String>,
    /// The blob: the new one, and of a removed file the old one.
    pub(crate) blob: String,
    pub(crate) additions: u64,
    pub(crate) deletions: u64,
}

/// An entry of a tree.
pub(crate) enum Entry {
    File(Vec<u8>),
    Symlink(String),
    Folder,
    Submodule,
}

impl Bare {
    pub(crate) fn new() -> Self {
        let bare = Self { folder: TempDir::new().expect("a folder") };
        bare.git(&["init", "-q", "--bare", "-b", "main"]);
        // GitHub serves every commit of a repository and its forks.
        bare.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        bare.git(&["config", "http.receivepack", "false"]);
        bare
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Commits files onto a branch (`None` removes one) and gives the commit. A new branch begins at `from`.
    pub(crate) fn commit(
        &self,
        branch: &str,
        from: Option<&str>,
        committer: Committer<'_>,
        message: &str,
        files: &[(&str, Option<&[u8]>)],
    ) -> String {
        let reference = format!("refs/heads/{branch}");
        let parent = self.resolve(&reference).or_else(|| from.and_then(|from| self.resolve(from)));
        let mut stream = Vec::new();
        let Committer { name, email } = committer;
        write!(stream, "commit {reference}\ncommitter {name} <{email}> {TIME} +0000\n").expect("memory");
        write!(stream, "data {}\n{message}\n", message.len()).expect("memory");
        if let Some(parent) = parent {
            writeln!(stream, "from {parent}").expect("memory");
        }
        for (path, content) in files {
            let path = path.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            match content {
                Some(content) => {
                    write!(stream, "M 100644 inline \"{path}\"\ndata {}\n", content.len()).expect("memory");
                    stream.extend_from_slice(content);
                    stream.push(b'\n');
                }
                None => writeln!(stream, "D \"{path}\"").expect("memory"),
            }
        }
        let mut child = self
            .command(&["fast-import", "--quiet", "--force"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("git runs");
        child.stdin.take().expect("it is piped").write_all(&stream).expect("git reads");
        assert!(child.wait().expect("git ends").success(), "git fast-import failed");
        self.resolve(&reference).expect("it was just made")
    }

    /// Points a reference at a commit.
    pub(crate) fn point(&self, reference: &str, commit: &str) {
        self.git(&["update-ref", reference, commit]);
    }

    pub(crate) fn resolve(&self, name: &str) -> Option<String> {
        let output = self.run(&["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")]);
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    pub(crate) fn merge_base(&self, base: &str, head: &str) -> Option<String> {
        let output = self.run(&["merge-base", base, head]);
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    pub(crate) fn diff(&self, base: &str, head: &str) -> Vec<u8> {
        let range = format!("{base}...{head}");
        self.run(&["diff", "--no-color", "--no-ext-diff", "-M", &range]).stdout
    }

    /// The commits that the head has and the base has not, oldest first.
    pub(crate) fn commits(&self, base: &str, head: &str) -> Vec<serde_json::Value> {
        self.log(&["--reverse", "--topo-order", &format!("{base}..{head}")])
    }

    /// Single commits, in the order in which they are asked for.
    pub(crate) fn described(&self, commits: &[&str]) -> Vec<serde_json::Value> {
        commits.iter().flat_map(|commit| self.log(&["--no-walk", commit])).collect()
    }

    fn log(&self, which: &[&str]) -> Vec<serde_json::Value> {
        let format = "--format=tformat:%H%x00%T%x00%P%x00%aI%x00%an%x00%ae%x00%cn%x00%ce%x00%B%x01";
        let log = self.git(&[&["log", format], which].concat());
        let commits = log.split('\u{1}').map(str::trim_start).filter(|commit| !commit.is_empty());
        let read = |commit: &str| {
            let fields: Vec<_> = commit.split('\0').collect();
            let &[id, tree, parents, date, author, author_email, committer, committer_email, message] =
                &fields[..]
            else {
                panic!("git log gave {commit:?}")
            };
            let parents: Vec<_> = parents.split_whitespace().collect();
            serde_json::json!({"sha": id, "tree": tree, "parents": parents, "message": message.trim_end(),
                "author": {"name": author, "email": author_email, "date": date},
                "committer": {"name": committer, "email": committer_email, "date": date}})
        };
        commits.map(read).collect()
    }

    /// The changed files, with their patches as GitHub cuts them out of the diff.
    pub(crate) fn files(&self, base: &str, head: &str) -> Vec<DiffFile> {
        let range = format!("{base}...{head}");
        let raw = self.git(&["diff", "--raw", "-z", "-M", "--no-abbrev", &range]);
        let diff = self.diff(base, head);
        let diff = String::from_utf8_lossy(&diff);
        let mut patches = patches(&diff).into_iter();
        let mut fields = raw.split('\0').filter(|field| !field.is_empty());
        let mut files = Vec::new();
        while let Some(head) = fields.next() {
            let [_, _, old, new, letter] = head.split(' ').collect::<Vec<_>>()[..] else {
                panic!("git diff --raw gave {head:?}")
            };
            let letter = letter.chars().next();
            let first = fields.next().expect("a raw line has a path").to_owned();
            let (status, previous_path, path) = match letter {
                Some('A') => ("added", None, first),
                Some('D') => ("removed", None, first),
                Some('R') => ("renamed", Some(first), fields.next().expect("a rename has two").to_owned()),
                _ => ("modified", None, first),
            };
            let blob = if status == "removed" { old } else { new }.to_owned();
            let patch = patches.next().flatten();
            let count = |marker: char| {
                let lines = patch.iter().flat_map(|patch| patch.lines());
                lines.filter(|line| line.starts_with(marker)).count() as u64
            };
            let (additions, deletions) = (count('+'), count('-'));
            files.push(DiffFile { path, previous_path, status, patch, blob, additions, deletions });
        }
        files
    }

    /// What stands at a path of a commit, and its id.
    pub(crate) fn entry(&self, commit: &str, path: &str) -> Option<(String, Entry)> {
        let listed = self.git(&["ls-tree", "-z", commit, "--", path]);
        let listed = listed.trim_end_matches('\0');
        let mode = listed.split(' ').next().filter(|mode| !mode.is_empty())?;
        let id = listed.split(['\t', ' ']).nth(2).expect("ls-tree gives an id");
        let bytes = || self.run(&["cat-file", "blob", id]).stdout;
        let entry = match mode {
            "040000" => Entry::Folder,
            "160000" => Entry::Submodule,
            "120000" => Entry::Symlink(String::from_utf8_lossy(&bytes()).into_owned()),
            _ => Entry::File(bytes()),
        };
        Some((id.to_owned(), entry))
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("git runs")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.current_dir(self.path()).args(["-c", "core.quotePath=false"]).args(arguments);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }
}

/// The hunks of each file of a diff; none for a file without lines.
fn patches(diff: &str) -> Vec<Option<String>> {
    let mut patches: Vec<Option<String>> = Vec::new();
    let mut in_hunks = false;
    for line in diff.split_inclusive('\n') {
        // Lines of hunks begin with a marker, so that this one is git's.
        if line.starts_with("diff --git ") {
            patches.push(None);
            in_hunks = false;
        } else if in_hunks || line.starts_with("@@ ") {
            in_hunks = true;
            let patch = patches.last_mut().expect("a hunk belongs to a file");
            patch.get_or_insert_default().push_str(line);
        }
    }
    patches.into_iter().map(|patch| patch.map(|patch| patch.trim_end_matches('\n').to_owned())).collect()
}
