//! A repository whose configuration, attributes, hooks and objects do all they can to run something, or to hide
//! what changed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use git::{FileAt, RangeRequest, Repository};
use review::{Change, RepoPath};

use crate::support::{Fixture, base_head, summary};

/// Every hook of git that could run on a read.
const HOOKS: [&str; 8] = [
    "post-checkout",
    "post-index-change",
    "pre-auto-gc",
    "fsmonitor-watchman",
    "reference-transaction",
    "post-rewrite",
    "pre-commit",
    "post-merge",
];

/// A work tree with one honest change on `topic`, and everything that could get in its way.
struct Hostile {
    fixture: Fixture,
    sentinel: PathBuf,
}

impl Hostile {
    fn new() -> Self {
        let fixture = Fixture::new();
        let sentinel = fixture.outside("sentinel");
        let script = fixture.outside("evil.sh");
        let text = format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\ncat\n", sentinel.display());
        fs::write(&script, text).expect("a script can be written");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it is ours");
        fixture.write("code.rs", "one\ntwo\n");
        fixture.write("data.evil", "one\n");
        fixture.commit("first");
        fixture.git(["checkout", "--quiet", "-b", "topic"]);
        fixture.write("code.rs", "one\nBACKDOOR\n");
        fixture.write("data.evil", "BACKDOOR\n");
        fixture.write(".gitattributes", "* diff=evil filter=evil -text\n*.rs -diff\n* export-ignore\n");
        fixture
            .write(".gitmodules", "[submodule \"lib\"]\n\tpath = lib\n\turl = ext::evil\n\tupdate = !evil\n");
        symlink("/etc/passwd", fixture.path().join("link")).expect("a link can be made");
        fixture.git(["update-index", "--add", "--cacheinfo", &format!("160000,{},lib", fixture.id("main"))]);
        fixture.git(["add", ".gitattributes", ".gitmodules", "code.rs", "data.evil", "link"]);
        fixture.commit_staged("second");
        fixture.write("code.rs", "one\nSTAGED\n");
        fixture.git(["add", "code.rs"]);

        let git_dir = fixture.path().join(".git");
        let exclude = git_dir.join("info");
        fs::create_dir_all(&exclude).expect("it is ours");
        fs::write(exclude.join("attributes"), "* -diff\n*.evil diff=evil filter=evil\n").expect("it is ours");
        let hooks = fixture.outside("hooks");
        for directory in [&hooks, &git_dir.join("hooks")] {
            fs::create_dir_all(directory).expect("it is ours");
            for hook in HOOKS {
                fs::copy(&script, directory.join(hook)).expect("a script can be copied");
            }
        }
        let script = script.display();
        let (hooks, outside) = (hooks.display(), fixture.outside("included").display().to_string());
        let config = format!(
            "[include]\n\tpath = {outside}\n[core]\n\tfsmonitor = {script}\n\thooksPath = {hooks}\n\tpager = {script}\n\
             \teditor = {script}\n\tsshCommand = {script}\n\taskPass = {script}\n\tattributesFile = {outside}.attributes\n\
             \tgitProxy = {script}\n\talternateRefsCommand = {script}\n\tquotePath = false\n\tabbrev = 4\n\tpreloadIndex = true\n\
             [diff]\n\texternal = {script}\n\tnoprefix = true\n\trenames = false\n\tcontext = 0\n\tsubmodule = log\n\
             \torderFile = {outside}\n\tignoreSubmodules = all\n\talgorithm = patience\n\tinterHunkContext = 99\n\
             [diff \"evil\"]\n\tcommand = {script}\n\ttextconv = {script}\n\tbinary = true\n\tcachetextconv = true\n\
             [filter \"evil\"]\n\tclean = {script}\n\tsmudge = {script}\n\tprocess = {script}\n\trequired = true\n\
             [alias]\n\trev-parse = !{script}\n\tdiff-tree = !{script}\n\tcat-file = !{script}\n\tlog = !{script}\n\
             [color]\n\tui = always\n[log]\n\tshowSignature = true\n\tdecorate = full\n\tmailmap = true\n\tdiffMerges = off\n\
             [gpg]\n\tprogram = {script}\n[i18n]\n\tlogOutputEncoding = UTF-16\n[notes]\n\tdisplayRef = refs/*\n\
             [credential]\n\thelper = {script}\n[remote \"origin\"]\n\turl = ext::{script}\n\tuploadpack = {script}\n\
             \tpromisor = true\n\tpartialclonefilter = blob:none\n[uploadpack]\n\tpackObjectsHook = {script}\n\
             [protocol]\n\tallow = always\n[protocol \"ext\"]\n\tallow = always\n[pager]\n\tlog = {script}\n\
             [maintenance]\n\tauto = true\n[gc]\n\tauto = 1\n"
        );
        fs::write(fixture.outside("included"), format!("[core]\n\tsshCommand = {script}\n"))
            .expect("it is ours");
        fs::write(fixture.outside("included.attributes"), "* -diff\n").expect("it is ours");
        // The user's configuration is only hostile in the sense that it must not change a diff.
        let file = git_dir.join("config");
        let old = fs::read_to_string(&file).expect("git wrote it");
        fs::write(file, old + &config + "[extensions]\n\tpartialClone = origin\n").expect("it is ours");
        Self { fixture, sentinel }
    }

    fn assert_nothing_ran(&self) {
        let said = fs::read_to_string(&self.sentinel).unwrap_or_default();
        assert_eq!(said, "", "something of the repository was executed");
    }
}

const RANGE: [&str; 7] = [
    ".gitattributes +3 -0",
    ".gitmodules +4 -0",
    "code.rs +1 -1",
    "data.evil +1 -1",
    "lib +0 -0",
    "link +1 -0",
    "gap Submodule lib",
];

fn gather(repository: &Repository, request: &RangeRequest) -> Change {
    repository.range(request).and_then(|range| repository.gather(&range)).expect("all objects are here")
}

#[test]
fn the_repository_of_this_test_does_run_things_when_it_is_used_as_usual() {
    let hostile = Hostile::new();
    hostile.fixture.try_git(["diff", "main", "topic"]);
    assert_ne!(fs::read_to_string(&hostile.sentinel).unwrap_or_default(), "");
}

#[test]
fn nothing_is_executed_and_nothing_is_hidden() {
    let hostile = Hostile::new();
    let repository = hostile.fixture.open();
    for request in [
        RangeRequest::Default,
        base_head("main", "topic"),
        RangeRequest::Commit("HEAD".to_owned()),
        RangeRequest::BaseHead { base: None, head: Some("HEAD@{0}".to_owned()) },
    ] {
        let change = gather(&repository, &request);
        assert_eq!(summary(&change), RANGE);
        let hunk = &change.file(&RepoPath::from("code.rs")).expect("it changed").hunks()[0];
        assert_eq!(hunk.body(), " one\n-two\n+BACKDOOR\n");
        let [commit] = change.commits.as_slice() else { panic!("one commit is in the range") };
        assert_eq!((commit.message.as_str(), commit.author.name.as_str()), ("second", "Ann"));
        let mut blobs = repository.blobs(&change).expect("git runs");
        for file in &change.files {
            let at = blobs.after(file).expect("readable");
            let is_link = matches!(file.path.as_str(), "link" | "lib");
            assert_eq!(at == FileAt::NotAFile, is_link, "{}", file.path);
        }
    }
    let staged = repository.gather_staged().expect("all objects are here");
    assert_eq!(summary(&staged), ["code.rs +1 -1"]);
    let file = repository.blobs(&staged).and_then(|mut blobs| blobs.after(&staged.files[0]));
    assert_eq!(file.expect("readable"), FileAt::Bytes(b"one\nSTAGED\n".to_vec()));
    assert_eq!(repository.ai_notes(&[]).expect("there are none"), []);
    hostile.assert_nothing_ran();
}

#[test]
fn an_object_that_is_missing_is_never_fetched() {
    let hostile = Hostile::new();
    let blob =
        hostile.fixture.git(["--no-pager", "-c", "core.fsmonitor=false", "rev-parse", "topic:code.rs"]);
    let (front, back) = blob.split_at(2);
    fs::remove_file(hostile.fixture.path().join(".git/objects").join(front).join(back)).expect("it is loose");
    let _ = fs::remove_file(&hostile.sentinel);
    let repository = hostile.fixture.open();
    let range = repository.range(&RangeRequest::Default).expect("the commits are here");
    let error = repository.gather(&range).expect_err("a blob is missing").to_string();
    assert!(error.contains("git fetch --refetch --no-filter"), "{error}");
    assert!(repository.range(&RangeRequest::Commit("ab".repeat(20))).is_err());
    hostile.assert_nothing_ran();
}

#[test]
fn replacements_and_grafts_do_not_count() {
    let fixture = Fixture::new();
    let first = fixture.commit_file("a", "1", "first");
    let honest = fixture.commit_file("a", "BACKDOOR", "honest");
    fixture.git(["checkout", "--quiet", "--detach", first.as_str()]);
    let harmless = fixture.commit_file("a", "2", "harmless");
    fixture.git(["checkout", "--quiet", "main"]);
    fixture.git(["replace", honest.as_str(), harmless.as_str()]);
    for (tag, commit) in [("v1", &first), ("v2", &honest)] {
        fixture.git(["tag", "-a", "-m", tag, tag, commit.as_str()]);
    }
    fixture.git(["replace", "v1", "v2"]);
    let git_dir = fixture.path().join(".git");
    fs::create_dir_all(git_dir.join("info")).expect("it is ours");
    fs::write(git_dir.join("info/grafts"), format!("{honest}\n")).expect("it is ours");
    let change = fixture.gather(&RangeRequest::Default);
    assert_eq!((change.subject.base.as_ref(), change.title.as_str()), (Some(&first), "honest"));
    assert_eq!(change.files[0].hunks()[0].body(), "-1\n+BACKDOOR\n");
    let range = fixture.open().range(&base_head("v1", "HEAD")).expect("both exist");
    assert_eq!(range.base.as_ref(), Some(&first));
    let text = fixture.open().read_at(&honest, &RepoPath::from("a")).expect("readable");
    assert_eq!(text, FileAt::Bytes(b"BACKDOOR\n".to_vec()));
}

#[test]
fn a_staged_attribute_hides_nothing() {
    let fixture = Fixture::new();
    fixture.commit_file("a", "1", "first");
    fixture.write(".gitattributes", "* -diff\n");
    fixture.write("a", "2\n");
    fixture.git(["add", "--all"]);
    let change = fixture.open().gather_staged().expect("all objects are here");
    assert_eq!(summary(&change), [".gitattributes +1 -0", "a +1 -1"]);
}

#[test]
fn names_of_branches_and_files_are_only_names() {
    let fixture = Fixture::new();
    fixture.commit_file("a", "1", "first");
    let names = [
        "$(touch${IFS}sentinel)",
        "a;touch sentinel",
        "--upload-pack=touch",
        "`touch sentinel`",
        "-rf",
        "a|b",
    ];
    fixture.git(["checkout", "--quiet", "-b", "$(touch${IFS}sentinel)"]);
    for name in names {
        fixture.write(name, "x\n");
    }
    fixture.commit("$(touch sentinel)");
    let change = fixture.gather(&RangeRequest::Default);
    let mut found: Vec<_> = change.files.iter().map(|file| file.path.as_str()).collect();
    let mut expected = names;
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!((found, change.branch.as_deref()), (expected.to_vec(), Some("$(touch${IFS}sentinel)")));
    let repository = fixture.open();
    let mut blobs = repository.blobs(&change).expect("git runs");
    for file in &change.files {
        assert_eq!(blobs.after(file).expect("readable"), FileAt::Bytes(b"x\n".to_vec()));
    }
    assert!(!fixture.path().join("sentinel").exists());
}
