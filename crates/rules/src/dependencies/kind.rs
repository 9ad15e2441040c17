//! Which files name dependencies, and which pin them.

/// Where packages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ecosystem {
    Npm,
    Cargo,
    Python,
    Go,
    Ruby,
    Maven,
    Composer,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It names what a project depends on.
    Manifest(Ecosystem),
    /// It pins that.
    Lock(Ecosystem),
    /// It says where packages are fetched from.
    Sources(Ecosystem),
    /// It runs while a package is built or installed.
    BuildScript(Ecosystem),
}

impl Kind {
    /// The kind of a path, if it is about dependencies. Copies of other projects are those projects' own.
    pub(super) fn of(path: &str) -> Option<Self> {
        use Ecosystem::{Cargo, Composer, Go, Maven, Npm, Python, Ruby};
        let vendored = ["node_modules/", "vendor/", "third_party/", "third-party/"];
        if vendored.iter().any(|folder| path.starts_with(folder) || path.contains(&format!("/{folder}"))) {
            return None;
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        let kind = match name {
            "package.json" => Self::Manifest(Npm),
            "package-lock.json" | "npm-shrinkwrap.json" | "yarn.lock" | "pnpm-lock.yaml" | "bun.lock" => {
                Self::Lock(Npm)
            }
            ".npmrc" | ".yarnrc" | ".yarnrc.yml" | "pnpm-workspace.yaml" | "bunfig.toml" => {
                Self::Sources(Npm)
            }
            "Cargo.toml" => Self::Manifest(Cargo),
            "Cargo.lock" => Self::Lock(Cargo),
            "build.rs" => Self::BuildScript(Cargo),
            "config.toml" if path.ends_with(".cargo/config.toml") => Self::Sources(Cargo),
            "pyproject.toml" | "Pipfile" => Self::Manifest(Python),
            "poetry.lock" | "uv.lock" | "pdm.lock" | "Pipfile.lock" => Self::Lock(Python),
            "setup.py" => Self::BuildScript(Python),
            "pip.conf" | "pip.ini" | "uv.toml" => Self::Sources(Python),
            "go.mod" => Self::Manifest(Go),
            "go.sum" => Self::Lock(Go),
            "Gemfile" | "gems.rb" => Self::Manifest(Ruby),
            "Gemfile.lock" | "gems.locked" => Self::Lock(Ruby),
            "pom.xml" => Self::Manifest(Maven),
            "composer.json" => Self::Manifest(Composer),
            "composer.lock" => Self::Lock(Composer),
            _ if name.ends_with(".gemspec") => Self::Manifest(Ruby),
            _ if is_requirements(path, name) => Self::Manifest(Python),
            _ => return None,
        };
        Some(kind)
    }

    /// Where its packages come from.
    pub(super) fn ecosystem(self) -> Ecosystem {
        match self {
            Self::Manifest(ecosystem)
            | Self::Lock(ecosystem)
            | Self::Sources(ecosystem)
            | Self::BuildScript(ecosystem) => ecosystem,
        }
    }
}

fn is_requirements(path: &str, name: &str) -> bool {
    let listed = name.ends_with(".txt") || name.ends_with(".in");
    listed
        && (name.contains("requirements") || name.contains("constraints") || path.contains("requirements/"))
}

impl Ecosystem {
    /// The names of the files that pin its packages, as they stand beside a manifest.
    pub(super) fn lock_names(self) -> &'static [&'static str] {
        match self {
            Self::Npm => {
                &["package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "npm-shrinkwrap.json"]
            }
            Self::Cargo => &["Cargo.lock"],
            Self::Python => &["uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock"],
            Self::Go => &["go.sum"],
            Self::Ruby => &["Gemfile.lock"],
            Self::Maven => &[],
            Self::Composer => &["composer.lock"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_names() {
        let cases = [
            ("package.json", Some(Kind::Manifest(Ecosystem::Npm))),
            ("web/yarn.lock", Some(Kind::Lock(Ecosystem::Npm))),
            ("requirements-dev.txt", Some(Kind::Manifest(Ecosystem::Python))),
            ("requirements/base.in", Some(Kind::Manifest(Ecosystem::Python))),
            ("x.gemspec", Some(Kind::Manifest(Ecosystem::Ruby))),
            (".cargo/config.toml", Some(Kind::Sources(Ecosystem::Cargo))),
            ("config.toml", None),
            ("web/node_modules/a/package.json", None),
            ("vendor/a/go.mod", None),
        ];
        for (path, kind) in cases {
            assert_eq!(Kind::of(path), kind, "{path}");
        }
    }
}
