//! Parts of documents that a test writes and keeps equal to what it finds.

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

/// Compares a whole file with what was found. With `RECUSE_UPDATE_DOCS` set it is written anew.
#[track_caller]
pub(crate) fn check_file(file: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("RECUSE_UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        std::fs::write(&path, found).expect("written");
    } else {
        let written = std::fs::read_to_string(&path).expect("the file is there");
        assert_eq!(written, found, "{file} is behind: run the tests with RECUSE_UPDATE_DOCS=1");
    }
}
