//! Where dependencies come from, when that is not the registry that everybody uses.

use std::sync::LazyLock;

use regex::Regex;
use review::Severity;

use super::kind::{Ecosystem, Kind};
use super::scan::Dependency;

/// A commit named in full.
static COMMIT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[^0-9a-fA-F])[0-9a-fA-F]{40}(?:$|[^0-9a-fA-F])").expect("a test compiles it")
});

static REPOSITORY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)^(?:git\+|git://|git@|github:|gitlab:|bitbucket:|ssh://) | ^https?://[^\s"']+\.git\b | \bgit\s*[=:]\s*["'] | \bgithub\s*[=:]\s*["']
        | ^[A-Za-z][\w-]*/[\w.-]+(?:\#\S+)?$ | \bgit\+(?:https?|ssh)://"#,
    )
    .expect("a test compiles it")
});

static ARCHIVE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"^["'{\s]*(?:url\s*=\s*["'])?https?://"#).expect("a test compiles it"));

/// What is unusual about where a dependency comes from.
pub(super) fn unusual(ecosystem: Ecosystem, dependency: &Dependency) -> Option<(Severity, &'static str)> {
    let wanted = dependency.wanted.trim();
    if wanted.contains("http://")
        && !wanted.contains("http://localhost")
        && !wanted.contains("http://127.0.0.1")
    {
        return Some((Severity::High, "The address has no TLS, so anybody on the way can answer."));
    }
    if ecosystem == Ecosystem::Go {
        let other = wanted.strip_prefix("=> ")?;
        let local = other.starts_with('.') || other.starts_with('/');
        return (!local).then_some((Severity::Low, "Another module takes its place."));
    }
    // `symfony/console` is a name there, not an address.
    let names_repository = REPOSITORY.is_match(wanted) && ecosystem != Ecosystem::Composer;
    if names_repository {
        let pinned = COMMIT.is_match(wanted);
        let told = match pinned {
            true => (Severity::Low, "It is a commit of a repository, which no registry has looked at."),
            false => (Severity::Medium, "It is whatever a branch or a tag of a repository is at the time."),
        };
        return Some(told);
    }
    if ARCHIVE.is_match(wanted) && matches!(ecosystem, Ecosystem::Npm | Ecosystem::Python | Ecosystem::Ruby) {
        let checked = wanted.contains("#sha256=") || wanted.contains("--hash");
        return Some(match checked {
            true => (Severity::Low, "It is an archive at an address, with its digest."),
            false => (Severity::Medium, "It is whatever an address answers at the time."),
        });
    }
    None
}

/// Whether two dependencies come from the same place, at whatever commit.
pub(super) fn is_same(old: &str, new: &str) -> bool {
    let without_commit = |wanted: &str| COMMIT.replace_all(wanted, "").into_owned();
    old == new || (COMMIT.is_match(new) && without_commit(old) == without_commit(new))
}

/// Whether a dependency is a part of the same repository.
pub(super) fn is_local(wanted: &str) -> bool {
    ["workspace:", "link:", "file:", "portal:", "=> ."].iter().any(|mark| wanted.starts_with(mark))
        || (wanted.contains("path =") && !wanted.contains("git ="))
        || wanted.contains("workspace = true")
        || wanted == "true"
        || wanted.contains("path:")
}

struct Setting {
    ecosystem: Ecosystem,
    severity: Severity,
    pattern: LazyLock<Regex>,
    told: &'static str,
}

macro_rules! setting {
    ($ecosystem:ident, $severity:ident, $pattern:literal, $told:literal) => {
        Setting {
            ecosystem: Ecosystem::$ecosystem,
            severity: Severity::$severity,
            pattern: LazyLock::new(|| Regex::new($pattern).expect("a test compiles it")),
            told: $told,
        }
    };
}

/// Lines of manifests and settings that change where packages come from, or what is checked of them.
static SETTINGS: [Setting; 14] = [
    setting!(
        Npm,
        High,
        r"^\s*(?:@[\w-]+:)?registry\s*[=:]\s*.?http://",
        "The registry has no TLS, so anybody on the way can answer."
    ),
    setting!(
        Npm,
        Low,
        r"^\s*registry\s*[=:]\s*.?https://(?:[^r]|r[^e])\S*",
        "Every package comes from this registry."
    ),
    setting!(
        Npm,
        Medium,
        r"^\s*(?:strict-ssl|enableStrictSsl|npmRegistryServer.*ssl)\s*[=:]\s*.?false\b",
        "Certificates are not checked."
    ),
    setting!(
        Npm,
        Medium,
        r"^\s*(?:ignore-scripts\s*=\s*false|enableScripts:\s*true|dangerouslyAllowAllBuilds:\s*true)\b",
        "Packages may run scripts while they are installed."
    ),
    setting!(
        Npm,
        Medium,
        r"^\s*checksumBehavior:\s*.?(?:ignore|update|reset)\b",
        "A package whose content changed is taken all the same."
    ),
    setting!(
        Python,
        High,
        r"(?:^|\s)(?:--(?:extra-)?index-url|-i|--find-links|(?:extra-)?index-url|index|url)\s*[= ]\s*.?http://",
        "The index has no TLS, so anybody on the way can answer."
    ),
    setting!(
        Python,
        Low,
        r"(?:^|\s)--extra-index-url[= ]https://(?:download\.pytorch\.org|pypi\.nvidia\.com|wheels\.vllm\.ai|data\.pyg\.org|flashinfer\.ai)/",
        "A second index is asked as well, one that a project publishes at."
    ),
    setting!(
        Python,
        Medium,
        r"(?:^|\s)(?:--extra-index-url|extra-index-url\s*=|extra_index_url\s*=)",
        "With a second index the higher version wins, wherever it is: anybody can publish a higher one under a private name."
    ),
    setting!(
        Python,
        Medium,
        r"(?:^|\s)(?:--trusted-host|trusted-host\s*=)",
        "Certificates of this host are not checked."
    ),
    setting!(
        Ruby,
        High,
        r#"^\s*source\s*\(?\s*["']http://"#,
        "The source has no TLS, so anybody on the way can answer."
    ),
    setting!(
        Maven,
        High,
        r"<url>\s*http://(?:[^/<]*repo|[^<]*(?:maven|nexus|artifactory|repository|/m2))",
        "The repository has no TLS, so anybody on the way can answer."
    ),
    setting!(
        Composer,
        Medium,
        r#""secure-http"\s*:\s*false|"disable-tls"\s*:\s*true"#,
        "Packages may come without TLS."
    ),
    setting!(Cargo, Low, r#"^\s*replace-with\s*="#, "Every crate comes from another source."),
    setting!(
        Cargo,
        High,
        r#"^\s*(?:registry|index)\s*=\s*["'](?:sparse\+)?http://"#,
        "The registry has no TLS, so anybody on the way can answer."
    ),
];

/// What a line changes about where packages come from.
pub(super) fn setting(kind: Kind, line: &str) -> Option<(Severity, &'static str)> {
    if line.trim_start().starts_with('#')
        || line.contains("http://localhost")
        || line.contains("http://127.0.0.1")
    {
        return None;
    }
    let about = SETTINGS.iter().filter(|setting| setting.ecosystem == kind.ecosystem());
    let mut matching = about.filter(|setting| setting.pattern.is_match(line));
    matching.next().map(|setting| (setting.severity, setting.told))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_from_the_registry_is_told_by_how_it_is_pinned() {
        let severity = |ecosystem, wanted: &str| {
            let dependency = Dependency { name: "a".to_owned(), wanted: wanted.to_owned(), line: 1 };
            unusual(ecosystem, &dependency).map(|(severity, _)| severity)
        };
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let cases = [
            (Ecosystem::Npm, "^1.2.3".to_owned(), None),
            (Ecosystem::Npm, "workspace:*".to_owned(), None),
            (Ecosystem::Npm, "npm:other@^1".to_owned(), None),
            (Ecosystem::Npm, "github:a/b".to_owned(), Some(Severity::Medium)),
            (Ecosystem::Npm, "a/b#main".to_owned(), Some(Severity::Medium)),
            (Ecosystem::Npm, format!("git+https://x.example/a.git#{commit}"), Some(Severity::Low)),
            (Ecosystem::Npm, "https://x.example/a.tgz".to_owned(), Some(Severity::Medium)),
            (Ecosystem::Npm, "http://x.example/a.tgz".to_owned(), Some(Severity::High)),
            (
                Ecosystem::Cargo,
                "{ git = \"https://x\", branch = \"main\" }".to_owned(),
                Some(Severity::Medium),
            ),
            (Ecosystem::Cargo, format!("{{ git = \"https://x\", rev = \"{commit}\" }}"), Some(Severity::Low)),
            (Ecosystem::Cargo, "{ path = \"../a\" }".to_owned(), None),
            (Ecosystem::Python, "git+https://x/y@v1".to_owned(), Some(Severity::Medium)),
            (Ecosystem::Python, "https://x/y.whl#sha256=00".to_owned(), Some(Severity::Low)),
            (Ecosystem::Go, "=> ../b".to_owned(), None),
            (Ecosystem::Go, "=> github.com/x/b".to_owned(), Some(Severity::Low)),
            (Ecosystem::Ruby, "git: 'https://y', branch: 'main'".to_owned(), Some(Severity::Medium)),
            (Ecosystem::Composer, "dev-feat/gitlab".to_owned(), None),
        ];
        for (ecosystem, wanted, expected) in cases {
            assert_eq!(severity(ecosystem, &wanted), expected, "{wanted}");
        }
    }

    #[test]
    fn settings_that_weaken_what_is_checked_are_told() {
        let cases = [
            (Ecosystem::Npm, "registry=http://npm.corp", Some(Severity::High)),
            (Ecosystem::Npm, "registry=https://registry.npmjs.org/", None),
            (Ecosystem::Npm, "registry=https://npm.corp/", Some(Severity::Low)),
            (Ecosystem::Npm, "strict-ssl=false", Some(Severity::Medium)),
            (Ecosystem::Python, "--extra-index-url https://pypi.corp", Some(Severity::Medium)),
            (Ecosystem::Python, "--index-url http://pypi.corp", Some(Severity::High)),
            (Ecosystem::Python, "requests==2", None),
            (Ecosystem::Ruby, "source 'http://rubygems.org'", Some(Severity::High)),
            (Ecosystem::Maven, "<url>http://repo.corp/maven</url>", Some(Severity::High)),
            (Ecosystem::Maven, "<url>http://www.example.org</url>", None),
        ];
        for (ecosystem, line, expected) in cases {
            let told = setting(Kind::Sources(ecosystem), line).map(|(severity, _)| severity);
            assert_eq!(told, expected, "{line}");
        }
    }
}
