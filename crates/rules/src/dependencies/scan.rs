//! Reads the dependencies that a manifest names, line by line, so that a hunk can be read like a whole file.

use std::sync::LazyLock;

use regex::Regex;

use super::kind::Ecosystem;

/// A dependency that a line names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dependency {
    /// Its name.
    pub(super) name: String,
    /// What stands for its version: a range, an address, or the attributes.
    pub(super) wanted: String,
    /// The line.
    pub(super) line: u32,
}

/// Where in a manifest a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    /// Not known: the hunk does not show it.
    Unknown,
    /// Among dependencies.
    Dependencies,
    /// Elsewhere.
    Other,
}

/// Reads the dependencies of some lines of a manifest. `starts_file` says that what comes before them is nothing,
/// rather than not shown.
pub(super) fn dependencies<'a>(
    ecosystem: Ecosystem,
    path: &str,
    lines: impl Iterator<Item = (u32, &'a str)>,
    starts_file: bool,
) -> Vec<Dependency> {
    let start = if starts_file { Section::Other } else { Section::Unknown };
    let is_toml = path.ends_with(".toml") || path.ends_with("Pipfile");
    match ecosystem {
        Ecosystem::Npm | Ecosystem::Composer => json(lines, start),
        Ecosystem::Cargo => cargo(lines, start),
        Ecosystem::Python if is_toml => pyproject(lines, start),
        Ecosystem::Python => requirements(lines),
        Ecosystem::Go => go(lines, start),
        Ecosystem::Ruby => ruby(lines),
        // What a pom names is spread over lines; only its addresses are read.
        Ecosystem::Maven => Vec::new(),
    }
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a test compiles it")
}

static JSON_SECTION: LazyLock<Regex> = LazyLock::new(|| regex(r#"^\s*"([\w-]+)"\s*:\s*\{\s*(\})?"#));
static JSON_ENTRY: LazyLock<Regex> =
    LazyLock::new(|| regex(r#"^\s*"(@?[\w./-]+)"\s*:\s*"([^"]*)"\s*,?\s*$"#));
/// What a range of versions, or an address in its place, looks like.
static RANGE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^(?:[\^~<>=*]|[vx]\d|x$|\d+\.|\d+$|latest$|next$|(?:npm|git|git\+\w+|https?|file|link|workspace|github|gitlab|bitbucket|catalog|portal|patch|dev-\w+):|dev-|[\w.-]+/[\w.-]+(?:#|$))",
    )
});

fn json<'a>(lines: impl Iterator<Item = (u32, &'a str)>, start: Section) -> Vec<Dependency> {
    const SECTIONS: [&str; 9] = [
        "dependencies",
        "devDependencies",
        "peerDependencies",
        "optionalDependencies",
        "resolutions",
        "overrides",
        "catalog",
        "require",
        "require-dev",
    ];
    const FIELDS: [&str; 9] =
        ["version", "main", "module", "types", "name", "node", "npm", "license", "packageManager"];
    let mut section = start;
    let mut found = Vec::new();
    for (line, text) in lines {
        if let Some(opened) = JSON_SECTION.captures(text) {
            let closed = opened.get(2).is_some();
            let listed = SECTIONS.contains(&&opened[1]) && !closed;
            section = if listed { Section::Dependencies } else { Section::Other };
        } else if text.trim_start().starts_with('}') {
            section = Section::Other;
        } else if let (Some(entry), true) = (JSON_ENTRY.captures(text), section != Section::Other) {
            let (name, wanted) = (&entry[1], &entry[2]);
            if section == Section::Dependencies || (RANGE.is_match(wanted) && !FIELDS.contains(&name)) {
                found.push(Dependency { name: name.to_owned(), wanted: wanted.to_owned(), line });
            }
        }
    }
    found
}

static TOML_SECTION: LazyLock<Regex> = LazyLock::new(|| regex(r"^\s*\[+([^\]]+)\]+"));
static TOML_ENTRY: LazyLock<Regex> = LazyLock::new(|| regex(r#"^\s*["']?([\w.-]+)["']?\s*=\s*(.+?)\s*$"#));
static TOML_VERSION: LazyLock<Regex> =
    LazyLock::new(|| regex(r#"^["'][\^~<>=*]?\s*\d+(?:\.[\dx*]+)*|\b(?:version|git|registry)\s*="#));

fn cargo<'a>(lines: impl Iterator<Item = (u32, &'a str)>, start: Section) -> Vec<Dependency> {
    let mut section = start;
    // `[dependencies.name]`: the attributes follow, one a line.
    let mut named: Option<String> = None;
    let mut found = Vec::new();
    for (line, text) in lines {
        if let Some(header) =
            TOML_SECTION.captures(text).filter(|_| !text.contains('=') || text.trim_start().starts_with('['))
        {
            let name = header[1].trim().trim_matches('"').to_owned();
            let (table, last) = name.rsplit_once('.').unwrap_or(("", &name));
            let is_list = |table: &str| table.ends_with("dependencies");
            named = is_list(table).then(|| last.trim_matches(['"', '\'']).to_owned());
            section = if is_list(last) { Section::Dependencies } else { Section::Other };
            if let Some(name) = &named {
                found.push(Dependency { name: name.clone(), wanted: String::new(), line });
            }
            continue;
        }
        let Some(entry) = TOML_ENTRY.captures(text) else { continue };
        let (key, value) = (&entry[1], entry[2].to_owned());
        if let Some(name) = &named {
            if matches!(key, "git" | "registry" | "rev" | "tag" | "branch") {
                found.push(Dependency { name: name.clone(), wanted: format!("{{ {key} = {value} }}"), line });
            }
        } else if section == Section::Dependencies
            || (section == Section::Unknown && looks_like_crate(key, &value))
        {
            let name = key.strip_suffix(".workspace").unwrap_or(key).to_owned();
            found.push(Dependency { name, wanted: value, line });
        }
    }
    found
}

fn looks_like_crate(key: &str, value: &str) -> bool {
    let field = matches!(
        key,
        "version" | "edition" | "rust-version" | "resolver" | "name" | "opt-level" | "branch" | "rev" | "tag"
    );
    !field && TOML_VERSION.is_match(value)
}

static REQUIREMENT: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"^\s*([A-Za-z][\w.-]*)\s*(?:\[[^\]]*\])?\s*((?:[=<>!~]=?|@)[^#]*|;.*)?(?:\s+#.*)?\s*$")
});

fn requirements<'a>(lines: impl Iterator<Item = (u32, &'a str)>) -> Vec<Dependency> {
    lines
        .filter_map(|(line, text)| {
            let text = text.split(" --hash").next().unwrap_or(text).trim_end_matches('\\').trim_end();
            let address =
                text.trim_start().trim_start_matches("-e ").trim_start_matches("--editable ").trim();
            if address.starts_with("git+") || address.starts_with("http") {
                return Some(Dependency { name: String::new(), wanted: address.to_owned(), line });
            }
            requirement(text, line)
        })
        .collect()
}

/// `name[extra]>=1`, `name @ address`.
fn requirement(text: &str, line: u32) -> Option<Dependency> {
    let found = REQUIREMENT.captures(text)?;
    let wanted = found.get(2).map_or("", |wanted| wanted.as_str()).trim().trim_start_matches('@').trim();
    Some(Dependency { name: found[1].to_owned(), wanted: wanted.to_owned(), line })
}

static QUOTED: LazyLock<Regex> = LazyLock::new(|| regex(r#"["']([^"']+)["']"#));

fn pyproject<'a>(lines: impl Iterator<Item = (u32, &'a str)>, start: Section) -> Vec<Dependency> {
    let mut table = match start {
        Section::Unknown => None,
        Section::Dependencies | Section::Other => Some(String::new()),
    };
    let mut in_list = false;
    let mut found = Vec::new();
    for (line, text) in lines {
        if let Some(header) = TOML_SECTION.captures(text).filter(|_| text.starts_with('[')) {
            table = Some(header[1].trim().to_owned());
            in_list = false;
            continue;
        }
        let name = table.as_deref().unwrap_or_default();
        let entry = TOML_ENTRY.captures(text).filter(|_| !text.trim_start().starts_with(['"', '\'']));
        // Poetry and Pipenv have a table of names.
        let names = name.starts_with("tool.poetry.") && name.ends_with("dependencies")
            || matches!(name, "packages" | "dev-packages");
        if let (true, Some(entry)) = (names, &entry) {
            if &entry[1] != "python" {
                found.push(Dependency { name: entry[1].to_owned(), wanted: entry[2].to_owned(), line });
            }
            continue;
        }
        if let Some(entry) = &entry {
            let groups = matches!(name, "project.optional-dependencies" | "dependency-groups");
            let key = &entry[1];
            let listed = groups || matches!(key, "dependencies" | "requires" | "dev-dependencies");
            in_list = listed && entry[2].starts_with('[');
        }
        let alone = table.is_none() && text.trim_start().starts_with(['"', '\'']);
        if in_list || alone {
            let values = text.split_once('=').filter(|_| entry.is_some()).map_or(text, |(_, values)| values);
            let quoted = QUOTED.captures_iter(values).filter_map(|quoted| requirement(&quoted[1], line));
            found.extend(quoted.filter(|dependency| in_list || !dependency.wanted.is_empty()));
        }
        if in_list && text.trim_end().trim_end_matches(',').ends_with(']') && !text.trim_end().ends_with("],")
        {
            in_list = false;
        }
    }
    found
}

static GO_REQUIRE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^\s*(?:require\s+)?([\w.-]+\.[\w.-]+/\S+)\s+(v\S+)"));
static GO_REPLACE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^\s*(?:replace\s+)?(\S+)(?:\s+v\S+)?\s+=>\s+(\S+)(?:\s+(v\S+))?"));

fn go<'a>(lines: impl Iterator<Item = (u32, &'a str)>, _start: Section) -> Vec<Dependency> {
    lines
        .filter_map(|(line, text)| {
            if let Some(found) = GO_REPLACE.captures(text) {
                return Some(Dependency {
                    name: found[1].to_owned(),
                    wanted: format!("=> {}", &found[2]),
                    line,
                });
            }
            let indirect = text.contains("// indirect");
            let found = GO_REQUIRE.captures(text).filter(|_| !indirect)?;
            Some(Dependency { name: found[1].to_owned(), wanted: found[2].to_owned(), line })
        })
        .collect()
}

static GEM: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#"^\s*(?:gem|\w+\.add_(?:runtime_|development_)?dependency)[\s(]+["']([\w.-]+)["'](.*)$"#)
});

fn ruby<'a>(lines: impl Iterator<Item = (u32, &'a str)>) -> Vec<Dependency> {
    let gem = |(line, text): (u32, &str)| {
        let found = GEM.captures(text)?;
        let wanted = found[2].trim_start_matches([',', ' ']).to_owned();
        Some(Dependency { name: found[1].to_owned(), wanted, line })
    };
    lines.filter_map(gem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(ecosystem: Ecosystem, path: &str, text: &str, starts_file: bool) -> Vec<String> {
        let lines = (1..).zip(text.lines());
        let found = dependencies(ecosystem, path, lines, starts_file);
        found.into_iter().map(|one| format!("{} {}@{}", one.name, one.wanted, one.line)).collect()
    }

    #[test]
    fn manifests_are_read_as_a_whole() {
        let npm = "{\n  \"version\": \"1.0.0\",\n  \"scripts\": {\n    \"a\": \"b\"\n  },\n  \"dependencies\": {\n    \
                   \"x\": \"^1\"\n  },\n  \"main\": \"x.js\"\n}\n";
        assert_eq!(names(Ecosystem::Npm, "package.json", npm, true), ["x ^1@7"]);
        let cargo = "[package]\nversion = \"1.0\"\n[dependencies]\na = \"1\"\nb = { git = \"https://x\" }\n[dev-dependencies.c]\nversion \
                     = \"1\"\ngit = \"https://y\"\n[features]\nd = []\n";
        assert_eq!(
            names(Ecosystem::Cargo, "Cargo.toml", cargo, true),
            ["a \"1\"@4", "b { git = \"https://x\" }@5", "c @6", "c { git = \"https://y\" }@8"]
        );
        let python = "[project]\nname = \"x\"\ndependencies = [\n  \"a>=1\",\n  \"b[c]\",\n]\n[dependency-groups]\ndev = [\"d==2\"]\n[tool.ruff]\n\
                      select = [\"E\"]\n";
        assert_eq!(names(Ecosystem::Python, "pyproject.toml", python, true), ["a >=1@4", "b @5", "d ==2@8"]);
        let poetry = "[tool.poetry.dependencies]\npython = \"^3\"\na = \"^1\"\n";
        assert_eq!(names(Ecosystem::Python, "pyproject.toml", poetry, true), ["a \"^1\"@3"]);
    }

    #[test]
    fn a_hunk_is_read_without_its_section() {
        let npm = "    \"x\": \"^1\",\n    \"build\": \"tsc\",\n    \"y\": \"github:a/b\",\n  \"version\": \"1.0.0\",\n";
        assert_eq!(names(Ecosystem::Npm, "package.json", npm, false), ["x ^1@1", "y github:a/b@3"]);
        let cargo = "a = \"1.2\"\nversion = \"1.0\"\nb = { version = \"1\" }\ndescription = \"text\"\n";
        assert_eq!(
            names(Ecosystem::Cargo, "Cargo.toml", cargo, false),
            ["a \"1.2\"@1", "b { version = \"1\" }@3"]
        );
        let python = "  \"a>=1\",\n  \"E501\",\n";
        assert_eq!(names(Ecosystem::Python, "pyproject.toml", python, false), ["a >=1@1"]);
    }

    #[test]
    fn lists_of_lines_are_read() {
        let text = "# comment\na==1 # why\nb>=2 ; python_version<'3'\n-r other.txt\n--index-url https://x\ngit+https://x/y\nc @ https://z/c.whl\n";
        assert_eq!(
            names(Ecosystem::Python, "requirements.txt", text, true),
            ["a ==1@2", "b >=2 ; python_version<'3'@3", " git+https://x/y@6", "c https://z/c.whl@7"]
        );
        let go = "require (\n\tgithub.com/a/b v1.2.3\n\tgithub.com/c/d v1.0.0 // indirect\n)\nreplace github.com/a/b => github.com/x/b v1.0.0\n";
        assert_eq!(
            names(Ecosystem::Go, "go.mod", go, true),
            ["github.com/a/b v1.2.3@2", "github.com/a/b => github.com/x/b@5"]
        );
        let ruby = "gem \"rails\", \"~> 8\"\ngem 'x', git: 'https://y'\n";
        assert_eq!(
            names(Ecosystem::Ruby, "Gemfile", ruby, true),
            ["rails \"~> 8\"@1", "x git: 'https://y'@2"]
        );
    }
}
