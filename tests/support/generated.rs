//! Documents, and parts of them, that a test writes and keeps equal to what it finds.

use std::path::Path;

/// Compares the part of a document between `<!-- NAME -->` and `<!-- end of NAME -->` with what was found. With
/// `RECUSE_UPDATE_DOCS` set it is written anew.
#[track_caller]
pub(crate) fn check(document: &str, name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = std::fs::read_to_string(&path).expect("a document");
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n"));
    let (before, rest) = text.split_once(&begin).expect("the part's beginning");
    let (written, after) = rest.split_once(&end).expect("the part's end");
    if written != found && std::env::var_os("RECUSE_UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{found}{end}{after}")).expect("written");
    } else {
        assert_eq!(written, found, "{document} is behind: run the tests with RECUSE_UPDATE_DOCS=1");
    }
}

/// Compares a generated text with the file in the repository, or writes it where `RECUSE_UPDATE_DOCS` is set.
#[track_caller]
pub(crate) fn same_as_file(path: &str, generated: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("RECUSE_UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(file.parent().expect("it is in a folder")).expect("the folder can be made");
        std::fs::write(&file, generated).expect("the file can be written");
        return;
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = || kept.lines().zip(generated.lines()).find(|(kept, now)| kept != now);
    assert!(
        kept == generated,
        "{path} is stale: run this test with RECUSE_UPDATE_DOCS=1; first {:?}",
        differs().unwrap_or(("the end", "is not the same"))
    );
}
