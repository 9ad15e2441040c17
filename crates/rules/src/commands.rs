//! What shell commands do, where a pattern can tell: scripts that are fetched and run in one go.

use std::sync::LazyLock;

use regex::Regex;

/// A script that is fetched and run without a look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RemoteScript {
    /// Where in the text, in bytes.
    pub(crate) offset: usize,
    /// What stands between the script and whoever would change it.
    pub(crate) origin: Origin,
}

/// Where a script comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The address that a well-known project names for its installer.
    Installer,
    /// Some address.
    Other,
    /// An address without TLS.
    Unencrypted,
}

/// Addresses that well-known projects name in their documentation for installing them in this way.
const INSTALLERS: [&str; 16] = [
    "https://sh.rustup.rs",
    "https://static.rust-lang.org/",
    "https://astral.sh/",
    "https://get.docker.com",
    "https://deno.land/",
    "https://bun.sh/",
    "https://install.python-poetry.org",
    "https://get.pnpm.io/",
    "https://raw.githubusercontent.com/nvm-sh/nvm/",
    "https://raw.githubusercontent.com/helm/helm/",
    "https://raw.githubusercontent.com/Homebrew/install/",
    "https://cli.codecov.io/",
    "https://get.k3s.io",
    "https://get.helm.sh/",
    "https://deb.nodesource.com/",
    "https://just.systems/",
];

/// Anything but the end of the command; a backslash continues it on the next line.
static REMOTE_SCRIPT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?xi)
        \b(?:curl|wget|irm|iwr|invoke-webrequest|invoke-restmethod)\b (?:\\\r?\n|[^\n|;&]){0,400}
            \|\s* (?:sudo\s+(?:-\w+\s+)*)? (?:env\s+)? (?:\w+=\S*\s+)*
            (?:/(?:usr/)?bin/)? (?:bash|zsh|dash|sh|python[\d.]*|node|perl|ruby|iex|invoke-expression)\b
        | \b(?:bash|zsh|sh|source|eval|python[\d.]*)\s+ (?:-\w+\s+)* ["']?[<$]\(\s*(?:curl|wget)\b [^\n)]{0,400}
        | \b(?:iex|invoke-expression)\s*\(+\s*(?:irm|iwr|invoke-webrequest|invoke-restmethod|\(?new-object\s+[\w.]*webclient) [^\n]{0,400}
        "#,
    )
    .expect("a test compiles it")
});

/// Finds the scripts that commands fetch and run.
pub(crate) fn remote_scripts(commands: &str) -> Vec<RemoteScript> {
    REMOTE_SCRIPT
        .find_iter(commands)
        .map(|found| {
            let text = found.as_str();
            let origin = if text.contains("http://") {
                Origin::Unencrypted
            } else if INSTALLERS.iter().any(|address| text.contains(address)) {
                Origin::Installer
            } else {
                Origin::Other
            };
            RemoteScript { offset: found.start(), origin }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_is_fetched_and_run_is_found_however_it_is_written() {
        let cases = [
            ("curl -sSL https://example.org/install.sh | bash", Some(Origin::Other)),
            ("curl -sSL https://example.org/install.sh \\\n  | sudo -E bash -", Some(Origin::Other)),
            ("wget -qO- http://example.org/x | sh", Some(Origin::Unencrypted)),
            ("bash <(curl -s https://example.org/x)", Some(Origin::Other)),
            ("sh -c \"$(curl -fsSL https://example.org/x)\"", Some(Origin::Other)),
            ("iex (irm https://example.org/x.ps1)", Some(Origin::Other)),
            ("irm https://example.org/x.ps1 | iex", Some(Origin::Other)),
            ("curl https://sh.rustup.rs -sSf | sh -s -- -y", Some(Origin::Installer)),
            ("curl https://example.org/data.json | jq .name", None),
            ("curl -o x.sh https://example.org/x.sh; ls | sh", None),
            ("wget https://example.org/shell.tar.gz | tar xz", None),
        ];
        for (command, origin) in cases {
            assert_eq!(remote_scripts(command).first().map(|script| script.origin), origin, "{command}");
        }
    }
}
