//! Names the commit and its date in `recuse --version`, where they are known: by `RECUSE_COMMIT` and `RECUSE_COMMIT_DATE`,
//! or in a release build from this repository's own git. Development builds ask nobody, so that a commit rebuilds nothing.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=RECUSE_COMMIT");
    println!("cargo:rerun-if-env-changed=RECUSE_COMMIT_DATE");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let version = variable("CARGO_PKG_VERSION");
    let named = Some((variable("RECUSE_COMMIT"), variable("RECUSE_COMMIT_DATE")));
    let commit = named.filter(|(commit, _)| !commit.is_empty()).or_else(|| {
        let is_release = variable("PROFILE") == "release";
        if is_release { of_this_repository(Path::new(&variable("CARGO_MANIFEST_DIR"))) } else { None }
    });
    let words = match commit {
        Some((commit, date)) => format!("{version} ({})", format!("{commit} {date}").trim()),
        None => version,
    };
    println!("cargo:rustc-env=RECUSE_VERSION={words}");
}

/// The commit and its date; nothing where this is no repository of its own, or git is not there.
fn of_this_repository(folder: &Path) -> Option<(String, String)> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    // A copy inside another repository is not of that one's commits.
    if Path::new(&git(&["rev-parse", "--show-toplevel"])?).canonicalize().ok()?
        != folder.canonicalize().ok()?
    {
        return None;
    }
    let log = git(&["rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"])?;
    if Path::new(&log).exists() {
        println!("cargo:rerun-if-changed={log}");
    }
    let shown = git(&["log", "-1", "--format=%h %cs"])?;
    let (commit, date) = shown.split_once(' ')?;
    Some((commit.to_owned(), date.to_owned()))
}
