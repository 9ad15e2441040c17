//! Whether a file about dependencies is the JSON or TOML that its tools read.
//!
//! What it names is read line by line; a file that nothing else can read may name more than its lines show.

use serde::de::IgnoredAny;

/// How deep values may nest. Those of lockfiles do so a dozen times.
const MAX_DEPTH: usize = 100;

/// Whether a file of that name is well-formed, where its format tells; the problem if it is not.
pub(super) fn check(name: &str, text: &str) -> Result<(), String> {
    let text = text.trim_start_matches('\u{feff}');
    match name {
        "package.json"
        | "package-lock.json"
        | "npm-shrinkwrap.json"
        | "composer.json"
        | "composer.lock"
        | "Pipfile.lock" => {
            if depth(text) > MAX_DEPTH {
                return Err(format!("its values nest more than {MAX_DEPTH} times"));
            }
            let read = serde_json::from_str::<IgnoredAny>(text);
            read.map(|_| ()).map_err(|error| format!("it is not JSON: {error}"))
        }
        "Cargo.toml" | "Cargo.lock" | "pyproject.toml" | "Pipfile" | "poetry.lock" | "uv.lock"
        | "pdm.lock" => toml::from_str::<IgnoredAny>(text).map(|_| ()).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            format!("it is not TOML: {} at line {line}", error.message())
        }),
        _ => Ok(()),
    }
}

/// How deep a JSON text nests.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_tool_can_read_is_told_with_its_line() {
        let deep = format!("{{\"a\": {}1{}}}\n", "[".repeat(10_000), "]".repeat(10_000));
        let table = [
            ("package.json", deep.as_str(), Some("its values nest more than 100 times")),
            ("package.json", &format!("{{\"a\": \"\\\"{}\"}}\n", "[".repeat(200)), None),
            ("package-lock.json", "{\n\"a\": 1,,\n}\n", Some("it is not JSON: ")),
            ("package.json", "\u{feff}{\"dependencies\": {}}\n", None),
            ("Cargo.toml", "[package]\nname = oak\n", Some("it is not TOML: ")),
            ("uv.lock", "version = 1\n[[package]]\nname = \"oak\"\n", None),
            ("yarn.lock", "oak@^1:\n  version \"1.0.0\"\n", None),
        ];
        for (name, text, expected) in table {
            let problem = check(name, text).err();
            match (&problem, expected) {
                (Some(problem), Some(start)) => assert!(problem.starts_with(start), "{name}: {problem}"),
                (problem, expected) => assert_eq!(problem.as_deref(), expected, "{name}"),
            }
        }
        let toml = check("Cargo.toml", "[package]\nname = oak\n").expect_err("oak is no value");
        assert!(toml.ends_with("at line 2"), "{toml}");
        let deep = format!("a = {}1{}\n", "[".repeat(10_000), "]".repeat(10_000));
        assert!(check("Cargo.lock", &deep).is_err());
    }
}
