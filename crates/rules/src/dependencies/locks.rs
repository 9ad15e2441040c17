//! What a change does to the lines by which a lockfile can be trusted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use review::{Hunk, Line, LineKind, Severity};

use super::kind::Ecosystem;

/// Something about a lockfile that a change of versions does not explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Oddity {
    /// Which rule it belongs to.
    pub(super) kind: OddityKind,
    /// How bad.
    pub(super) severity: Severity,
    /// The line of the new file; none where only lines were removed.
    pub(super) line: Option<u32>,
    /// What it is.
    pub(super) told: String,
}

/// What kind of oddity it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OddityKind {
    /// The content under a version changed, or is no longer checked.
    Digest,
    /// A package comes from a host that the lockfile did not name before.
    Host,
}

static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"\b(https?|git|ssh|git\+\w+|registry\+https?|sparse\+https?)://(?:[^@/\s"']*@)?([A-Za-z0-9.-]+)"#,
    )
    .expect("a test compiles it")
});

/// Lines on which an address says where a package is. The pages where authors ask for money have addresses too.
static IS_SOURCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?xi)^\s*(?:"?resolved"?[:\s] | "?tarball"?: | source\s*= | url\s*= | resolution:\s | remote:\s | \{\s*url\s*= | (?:sdist|registry)\s*= )
        | "url"\s*:\s*"[^"]*(?:\.git|/zipball/[^"]*|\.zip|\.tar\.gz|\.tgz|/archive/[^"]*)" | \[\s*"[^"]+@[^"]*"\s*,\s*"https?://[^"]+\.tgz"
        | \{\s*url\s*=\s*"https?://"#,
    )
    .expect("a test compiles it")
});

/// Hosts that each ecosystem's own registry uses.
fn own_hosts(ecosystem: Ecosystem) -> &'static [&'static str] {
    match ecosystem {
        Ecosystem::Npm => &["registry.npmjs.org", "registry.yarnpkg.com", "npm.jsr.io", "npm.pkg.github.com"],
        Ecosystem::Cargo => &["github.com", "index.crates.io", "static.crates.io"],
        Ecosystem::Python => &[
            "pypi.org",
            "files.pythonhosted.org",
            "download.pytorch.org",
            "pypi.python.org",
            "download-r2.pytorch.org",
        ],
        Ecosystem::Ruby => &["rubygems.org"],
        Ecosystem::Composer => &["api.github.com", "github.com", "repo.packagist.org", "gitlab.com"],
        Ecosystem::Go | Ecosystem::Maven => &[],
    }
}

/// Looks for hosts that a lockfile names anew.
pub(super) fn new_hosts(ecosystem: Ecosystem, hunks: &[Hunk], base: Option<&str>) -> Vec<Oddity> {
    let mut known: BTreeSet<String> = own_hosts(ecosystem).iter().map(|host| (*host).to_owned()).collect();
    let hosts = |line: &str| -> Vec<(bool, String)> {
        let found = ADDRESS.captures_iter(line);
        found.map(|found| (found[1].ends_with("http"), found[2].to_ascii_lowercase())).collect()
    };
    let old =
        hunks.iter().flat_map(Hunk::lines).filter(|line| line.kind != LineKind::Added).map(|line| line.text);
    let sources = old.chain(base.unwrap_or_default().lines()).filter(|line| IS_SOURCE.is_match(line));
    known.extend(sources.flat_map(hosts).map(|(_, host)| host));
    let mut found = Vec::new();
    for line in hunks.iter().flat_map(Hunk::lines) {
        if line.kind != LineKind::Added || !IS_SOURCE.is_match(line.text) {
            continue;
        }
        for (unencrypted, host) in hosts(line.text) {
            let told = match unencrypted {
                true => format!("A package is fetched from `{host}` without TLS."),
                false => format!("A package is fetched from `{host}`, which this file did not name before."),
            };
            if known.insert(host) {
                // What is taken from a repository stands in the manifest as well.
                let from_git = line.text.contains(".git") || line.text.contains("git+");
                let severity = match (unencrypted, from_git) {
                    (true, _) => Severity::High,
                    (false, true) => Severity::Low,
                    (false, false) => Severity::Medium,
                };
                found.push(Oddity { kind: OddityKind::Host, severity, line: line.new, told });
            }
        }
    }
    found
}

/// What the lines of one package say.
#[derive(Default)]
struct Package<'a> {
    /// Whether its version is shown and stays.
    kept: bool,
    /// Whether nothing but its digest changed up to its end, which is shown.
    closed: bool,
    /// Whether another of its lines changed.
    edited: bool,
    /// Whether the package itself is new, gone, or of another version.
    moved: bool,
    removed: Option<(Line<'a>, String)>,
    added: Option<(Line<'a>, String)>,
}

static STARTS_PACKAGE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^\s*\[\[package\]\]|^\s{2,4}"(?:node_modules/)?[^"]+":\s*\{|^"?@?[\w./-]+@[^:]*:\s*$|^  ['/@\w][^\s:]*:\s*$"#).expect("a test compiles it")
});

static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^\s*(?:"?version"?[\s:=]|"?resolved"?[\s:]|name\s*=|source\s*=)"#)
        .expect("a test compiles it")
});

static DIGEST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^\s*(?:"?integrity"?:?\s|resolution:\s*\{\s*integrity:|checksum\s*[=:])\s*"?([A-Za-z0-9+/=:-]{8,})"#).expect("a test compiles it")
});

static GO_SUM: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(\S+ v\S+) (h1:\S+)").expect("a test compiles it"));

/// Looks for digests that changed or went while the version stayed.
pub(super) fn changed_digests(ecosystem: Ecosystem, hunks: &[Hunk]) -> Vec<Oddity> {
    match ecosystem {
        Ecosystem::Npm | Ecosystem::Cargo => hunks.iter().flat_map(digests_of_hunk).collect(),
        Ecosystem::Go => go_sums(hunks),
        // Their files list several digests a package, which come and go with platforms.
        Ecosystem::Python | Ecosystem::Ruby | Ecosystem::Composer | Ecosystem::Maven => Vec::new(),
    }
}

fn digests_of_hunk(hunk: &Hunk) -> Vec<Oddity> {
    let mut found = Vec::new();
    // Whether the first lines of a hunk belong to a moved package is not shown.
    let mut package = Package { moved: true, ..Package::default() };
    for line in hunk.lines() {
        let changed = line.kind != LineKind::Context;
        if STARTS_PACKAGE.is_match(line.text) {
            package.closed = !package.edited && !changed;
            found.extend(package.oddity());
            package = Package { moved: changed, ..Package::default() };
        } else if VERSION.is_match(line.text) {
            package.moved |= changed;
            package.kept |= !changed;
        } else if let Some(digest) = DIGEST.captures(line.text) {
            let entry = Some((line, digest[1].to_owned()));
            match line.kind {
                LineKind::Removed => package.removed = entry,
                LineKind::Added => package.added = entry,
                LineKind::Context => {}
            }
        } else {
            package.edited |= changed;
        }
    }
    package.closed = !package.edited;
    found.extend(package.oddity());
    found
}

impl Package<'_> {
    fn oddity(&self) -> Option<Oddity> {
        let (_, old) = self.removed.as_ref().filter(|_| self.kept && !self.moved)?;
        let algorithm = |digest: &str| digest.split(['-', ':']).next().unwrap_or_default().len().min(8);
        match &self.added {
            // Another algorithm for the same content is no change of the content.
            Some((_, new)) if algorithm(new) != algorithm(old) || old.len() != new.len() || old == new => {
                None
            }
            Some((line, _)) => Some(Oddity {
                kind: OddityKind::Digest,
                severity: Severity::High,
                line: line.new,
                told: "The digest changes and the version does not.".to_owned(),
            }),
            None => self.closed.then(|| Oddity {
                kind: OddityKind::Digest,
                severity: Severity::Medium,
                line: None,
                told: "A package of an unchanged version loses its digest.".to_owned(),
            }),
        }
    }
}

fn go_sums(hunks: &[Hunk]) -> Vec<Oddity> {
    let mut removed = BTreeMap::new();
    let lines = || hunks.iter().flat_map(Hunk::lines);
    for line in lines().filter(|line| line.kind == LineKind::Removed) {
        if let Some(sum) = GO_SUM.captures(line.text) {
            removed.insert(sum[1].to_owned(), sum[2].to_owned());
        }
    }
    let added = lines().filter(|line| line.kind == LineKind::Added);
    let changed = added.filter_map(|line| {
        let sum = GO_SUM.captures(line.text)?;
        let old = removed.get(&sum[1])?;
        (*old != sum[2]).then(|| Oddity {
            kind: OddityKind::Digest,
            severity: Severity::High,
            line: line.new,
            told: "The digest changes and the version does not.".to_owned(),
        })
    });
    changed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hunk(body: &str) -> Vec<Hunk> {
        vec![Hunk::new(1, 1, String::new(), body.to_owned(), false)]
    }

    fn digests(ecosystem: Ecosystem, body: &str) -> Vec<(Severity, Option<u32>)> {
        changed_digests(ecosystem, &hunk(body))
            .into_iter()
            .map(|oddity| (oddity.severity, oddity.line))
            .collect()
    }

    #[test]
    fn content_that_changes_under_a_version_is_told_from_a_new_version() {
        let package = "     \"node_modules/a\": {\n       \"version\": \"1.0.0\",\n";
        let swap = "-      \"integrity\": \"sha512-aaaaaaaaaaaa\"\n+      \"integrity\": \"sha512-bbbbbbbbbbbb\"\n     }\n";
        assert_eq!(digests(Ecosystem::Npm, &format!("{package}{swap}")), [(Severity::High, Some(3))]);
        let bumped =
            "     \"node_modules/a\": {\n-      \"version\": \"1.0.0\",\n+      \"version\": \"1.0.1\",\n";
        assert_eq!(digests(Ecosystem::Npm, &format!("{bumped}{swap}")), []);
        let stronger = "-      \"integrity\": \"sha1-aaaaaaaaaaaa\"\n+      \"integrity\": \"sha512-bbbbbbbbbbbbbbbbbbbb\"\n";
        assert_eq!(digests(Ecosystem::Npm, &format!("{package}{stronger}")), []);
        let gone = "-      \"integrity\": \"sha512-aaaaaaaaaaaa\"\n     }\n";
        assert_eq!(digests(Ecosystem::Npm, &format!("{package}{gone}")), [(Severity::Medium, None)]);
        let cargo = " [[package]]\n name = \"a\"\n version = \"1.0.0\"\n source = \"registry+https://github.com/x\"\n-checksum = \
                     \"aaaaaaaaaaaa\"\n+checksum = \"bbbbbbbbbbbb\"\n";
        assert_eq!(digests(Ecosystem::Cargo, cargo), [(Severity::High, Some(5))]);
        let sum =
            "-a.example/b v1.0.0 h1:aaaa=\n+a.example/b v1.0.0 h1:bbbb=\n+a.example/c v1.0.0 h1:cccc=\n";
        assert_eq!(digests(Ecosystem::Go, sum), [(Severity::High, Some(1))]);
    }

    #[test]
    fn a_host_is_new_where_neither_the_file_nor_the_ecosystem_names_it() {
        let line = |host: &str| format!("+      \"resolved\": \"https://{host}/a/-/a-1.0.0.tgz\",\n");
        let told = |body: &str, base: Option<&str>| new_hosts(Ecosystem::Npm, &hunk(body), base).len();
        assert_eq!(told(&line("registry.npmjs.org"), None), 0);
        assert_eq!(told(&line("evil.example"), None), 1);
        assert_eq!(told(&(line("npm.corp") + &line("npm.corp")), None), 1);
        assert_eq!(told(&line("npm.corp"), Some("  \"resolved\": \"https://npm.corp/b\",\n")), 0);
        assert_eq!(told("+        \"url\": \"https://opencollective.com/eslint\"\n", None), 0);
        assert_eq!(told("+    \"a\": [\"a@1.0.0\", \"https://proxy.corp/a-1.0.0.tgz\", {}],\n", None), 1);
        let unencrypted = new_hosts(Ecosystem::Npm, &hunk("+  resolved \"http://x.example/a\"\n"), None);
        assert_eq!(unencrypted[0].severity, Severity::High);
    }
}
