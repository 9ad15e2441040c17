//! The rules about dependencies, with what each says and shows.

use review::Severity;

use crate::catalogue::{Example, Needs, Neighbour, Rule};

/// All of them.
pub(super) const RULES: [&Rule; 9] = [
    &LOOKALIKE_NAME,
    &UNUSUAL_SOURCE,
    &WEAKENED_CHECKS,
    &RUNS_ON_INSTALL,
    &CHANGED_DIGEST,
    &NEW_HOST,
    &NEW_DEPENDENCY,
    &LOCK_WITHOUT_MANIFEST,
    &MANIFEST_WITHOUT_LOCK,
];

const CATEGORY: &str = "security/supply-chain";

const PACKAGE: &str = "{\n  \"dependencies\": {\n    \"left\": \"^1.0.0\"\n  }\n}\n";

const fn package(after: &'static str) -> Example {
    Example { path: "package.json", beside: &[], before: Some(PACKAGE), after }
}

const ORDINARY: Example = package("{\n  \"dependencies\": {\n    \"left\": \"^1.0.1\"\n  }\n}\n");

pub(super) const LOOKALIKE_NAME: Rule = Rule {
    id: "dependencies/lookalike-name",
    category: CATEGORY,
    severity: Severity::Medium,
    summary: "a dependency whose name is one letter away from a well-known one",
    reason: "Malicious packages are published under such names and wait for a slip of the keyboard, or of a model that \
             makes names up. Whoever meant the other package gets this one's code.",
    needs: Needs::FileOrHunk,
    bad: package("{\n  \"dependencies\": {\n    \"left\": \"^1.0.0\",\n    \"lodahs\": \"^4.0.0\"\n  }\n}\n"),
    good: package(
        "{\n  \"dependencies\": {\n    \"left\": \"^1.0.0\",\n    \"lodash\": \"^4.0.0\"\n  }\n}\n",
    ),
};

pub(super) const UNUSUAL_SOURCE: Rule = Rule {
    id: "dependencies/unusual-source",
    category: CATEGORY,
    severity: Severity::High,
    summary: "a dependency that does not come from the registry",
    reason: "A registry keeps what was published; a branch, a tag or an address can hold something else tomorrow, and \
             the next installation takes it.",
    needs: Needs::FileOrHunk,
    bad: package("{\n  \"dependencies\": {\n    \"left\": \"github:someone/left\"\n  }\n}\n"),
    good: ORDINARY,
};

pub(super) const WEAKENED_CHECKS: Rule = Rule {
    id: "dependencies/registry-settings",
    category: CATEGORY,
    severity: Severity::High,
    summary: "packages come from elsewhere, or less is checked of them",
    reason: "These settings decide for every package at once whose code is installed and whether it is the code that \
             was published.",
    needs: Needs::Diff,
    bad: Example { path: ".npmrc", beside: &[], before: None, after: "strict-ssl=false\n" },
    good: Example { path: ".npmrc", beside: &[], before: None, after: "save-exact=true\n" },
};

pub(super) const RUNS_ON_INSTALL: Rule = Rule {
    id: "dependencies/runs-on-install",
    category: CATEGORY,
    severity: Severity::High,
    summary: "a command that runs while this is installed or built",
    reason: "It runs with the rights of whoever installs, on machines of developers and of pipelines with their \
             credentials, before anybody has called anything. That is how most malicious packages start.",
    needs: Needs::Diff,
    bad: Example {
        path: "package.json",
        beside: &[],
        before: Some("{\n  \"scripts\": {\n  }\n}\n"),
        after: "{\n  \"scripts\": {\n    \"postinstall\": \"node scripts/setup.js\"\n  }\n}\n",
    },
    good: Example {
        path: "package.json",
        beside: &[],
        before: Some("{\n  \"scripts\": {\n  }\n}\n"),
        after: "{\n  \"scripts\": {\n    \"setup\": \"node scripts/setup.js\"\n  }\n}\n",
    },
};

const LOCK: &str = "{\n  \"packages\": {\n    \"node_modules/left\": {\n      \"version\": \"1.0.0\",\n      \"resolved\": \
                    \"https://registry.npmjs.org/left/-/left-1.0.0.tgz\",\n      \"integrity\": \"sha512-aaaaaaaaaaaa\"\n    }\n  }\n}\n";

pub(super) const CHANGED_DIGEST: Rule = Rule {
    id: "dependencies/changed-digest",
    category: CATEGORY,
    severity: Severity::High,
    summary: "the digest of a locked package changes or goes while its version stays",
    reason: "What was published under a version does not change. Either somebody put other content in its place, or \
             nothing will notice when somebody does.",
    needs: Needs::Diff,
    bad: Example {
        path: "package-lock.json",
        beside: &[],
        before: Some(LOCK),
        after: "{\n  \"packages\": {\n    \"node_modules/left\": {\n      \"version\": \"1.0.0\",\n      \"resolved\": \
                \"https://registry.npmjs.org/left/-/left-1.0.0.tgz\",\n      \"integrity\": \"sha512-bbbbbbbbbbbb\"\n    }\n  }\n}\n",
    },
    good: Example {
        path: "package-lock.json",
        beside: &[],
        before: Some(LOCK),
        after: "{\n  \"packages\": {\n    \"node_modules/left\": {\n      \"version\": \"1.0.1\",\n      \"resolved\": \
                \"https://registry.npmjs.org/left/-/left-1.0.1.tgz\",\n      \"integrity\": \"sha512-bbbbbbbbbbbb\"\n    }\n  }\n}\n",
    },
};

pub(super) const NEW_HOST: Rule = Rule {
    id: "dependencies/new-host",
    category: CATEGORY,
    severity: Severity::High,
    summary: "a locked package is fetched from a new host",
    reason: "The manifest names a package and the lockfile says where it is fetched: a line here sends one package \
             elsewhere, in a file that nobody reads to the end.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "package-lock.json",
        beside: &[],
        before: Some(LOCK),
        after: "{\n  \"packages\": {\n    \"node_modules/left\": {\n      \"version\": \"1.0.1\",\n      \"resolved\": \
                \"https://packages.example/left-1.0.1.tgz\",\n      \"integrity\": \"sha512-bbbbbbbbbbbb\"\n    }\n  }\n}\n",
    },
    good: Example {
        path: "package-lock.json",
        beside: &[],
        before: Some(LOCK),
        after: "{\n  \"packages\": {\n    \"node_modules/left\": {\n      \"version\": \"1.0.1\",\n      \"resolved\": \
                \"https://registry.npmjs.org/left/-/left-1.0.1.tgz\",\n      \"integrity\": \"sha512-bbbbbbbbbbbb\"\n    }\n  }\n}\n",
    },
};

pub(super) const NEW_DEPENDENCY: Rule = Rule {
    id: "dependencies/new-dependency",
    category: CATEGORY,
    severity: Severity::Low,
    summary: "new dependencies",
    reason: "Their code runs with the rights of this project from now on, and so does what their maintainers publish \
             next. That is a decision of its own, and it is listed so that somebody makes it.",
    needs: Needs::FileOrHunk,
    bad: package("{\n  \"dependencies\": {\n    \"left\": \"^1.0.0\",\n    \"right\": \"^1.0.0\"\n  }\n}\n"),
    good: ORDINARY,
};

pub(super) const LOCK_WITHOUT_MANIFEST: Rule = Rule {
    id: "dependencies/lock-without-manifest",
    category: CATEGORY,
    severity: Severity::Low,
    summary: "the lockfile gains packages and no manifest changes",
    reason: "What another package began to need looks like that, and so does a line that somebody put there by hand: \
             nobody asked for it in a file that people read.",
    needs: Needs::Change,
    bad: Example {
        path: "Cargo.lock",
        beside: &[],
        before: Some("version = 3\n"),
        after: "version = 3\n\n[[package]]\nname = \"left\"\n",
    },
    good: Example {
        path: "Cargo.lock",
        beside: &[Neighbour {
            path: "Cargo.toml",
            before: "[dependencies]\n",
            after: "[dependencies]\nleft = \"1\"\n",
        }],
        before: Some("version = 3\n"),
        after: "version = 3\n\n[[package]]\nname = \"left\"\n",
    },
};

pub(super) const MANIFEST_WITHOUT_LOCK: Rule = Rule {
    id: "dependencies/manifest-without-lock",
    category: CATEGORY,
    severity: Severity::Low,
    summary: "dependencies change and the lockfile beside them does not",
    reason: "The next installation resolves anew, on somebody else's machine and at another time: what is built is not \
             what was reviewed, or it fails where a frozen lockfile is asked for.",
    needs: Needs::Change,
    bad: Example {
        beside: &[Neighbour { path: "package-lock.json", before: LOCKED, after: LOCKED }],
        ..package("{\n  \"dependencies\": {\n    \"left\": \"^2.0.0\"\n  }\n}\n")
    },
    good: Example {
        beside: &[Neighbour { path: "package-lock.json", before: LOCKED, after: LOCKED_ANEW }],
        ..package("{\n  \"dependencies\": {\n    \"left\": \"^2.0.0\"\n  }\n}\n")
    },
};

const LOCKED: &str =
    "{\n  \"packages\": {\n    \"node_modules/left\": {\n      \"version\": \"1.0.0\"\n    }\n  }\n}\n";

const LOCKED_ANEW: &str =
    "{\n  \"packages\": {\n    \"node_modules/left\": {\n      \"version\": \"2.0.0\"\n    }\n  }\n}\n";
