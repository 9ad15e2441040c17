//! Errors in TOML files, shown with the line, a caret and the nearest known key.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// A file that is not what it should be.
#[derive(Debug, thiserror::Error)]
#[error("{rendered}")]
pub struct TomlError {
    rendered: String,
}

/// Reads a TOML text. `name` is what the error calls it.
///
/// # Errors
/// The first thing that is wrong, rendered for people.
pub fn parse<T: DeserializeOwned + JsonSchema>(text: &str, name: &str) -> Result<T, TomlError> {
    let unread = |error: &toml::de::Error, path: &str| render(text, name, error, path, &known_keys::<T>());
    let deserializer = toml::Deserializer::parse(text).map_err(|error| unread(&error, ""))?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        unread(error.inner(), &path)
    })
}

fn render(text: &str, name: &str, error: &toml::de::Error, path: &str, keys: &[String]) -> TomlError {
    let message = error.message().lines().next().unwrap_or_default().to_owned();
    let span = error.span().unwrap_or(0..0);
    let place = if path.is_empty() || path == "." { String::new() } else { format!("at `{path}`") };
    let label = match nearest(&message, keys) {
        Some(known) => format!("did you mean `{known}`?"),
        None => place,
    };
    TomlError { rendered: snippet(text, name, span, &message, &label) }
}

fn snippet(text: &str, name: &str, span: std::ops::Range<usize>, message: &str, label: &str) -> String {
    let span = span.start.min(text.len())..span.end.min(text.len());
    let annotation = AnnotationKind::Primary.span(span).label(label);
    let report = [Level::ERROR
        .primary_title(message)
        .element(Snippet::source(text).path(name).annotation(annotation))];
    Renderer::plain().render(&report).to_string()
}

/// The known key that is nearest to the unknown one, from serde's sentence "unknown field `a`, expected one of
/// `b`, `c`"; a key that belongs into another table only where none of these is near.
fn nearest(message: &str, keys: &[String]) -> Option<String> {
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (unknown, expected) = names.split_first()?;
    if !message.starts_with("unknown ") {
        return None;
    }
    let near = |known: &[&str]| {
        let scored = known.iter().map(|name| (strsim::damerau_levenshtein(unknown, name), *name));
        let (distance, name) = scored.min()?;
        (distance <= unknown.len().max(3) / 2).then(|| name.to_owned())
    };
    near(expected).or_else(|| near(&keys.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// Every key that a file of this kind can hold, in any of its tables.
fn known_keys<T: JsonSchema>() -> Vec<String> {
    let mut keys = Vec::new();
    collect_keys(&schemars::schema_for!(T).to_value(), &mut keys);
    keys
}

/// Collects the names of all properties of a JSON Schema.
pub(crate) fn collect_keys(schema: &serde_json::Value, keys: &mut Vec<String>) {
    match schema {
        serde_json::Value::Object(object) => {
            if let Some(serde_json::Value::Object(properties)) = object.get("properties") {
                keys.extend(properties.keys().cloned());
            }
            object.values().for_each(|value| collect_keys(value, keys));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|value| collect_keys(value, keys)),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(rename = "concurrency")]
        _concurrency: Option<u32>,
    }

    #[derive(Debug, serde::Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Table {
        #[serde(rename = "inner")]
        _inner: Option<Inner>,
        #[serde(rename = "fail_on")]
        _fail_on: Option<String>,
        #[serde(rename = "max_usd")]
        _max_usd: Option<f64>,
    }

    #[test]
    fn a_typo_is_shown_with_line_caret_and_the_nearest_key() {
        let error = parse::<Table>("# mine\nfial_on = \"high\"\n", "recuse.toml").expect_err("a typo");
        assert_eq!(
            error.to_string(),
            "error: unknown field `fial_on`, expected one of `inner`, `fail_on`, `max_usd`\n \
             --> recuse.toml:2:1\n  |\n2 | fial_on = \"high\"\n  | ^^^^^^^ did you mean `fail_on`?"
        );
    }

    #[test]
    fn a_key_in_the_wrong_table_is_recognized() {
        let error = parse::<Table>("concurency = 3\n", "recuse.toml").expect_err("a typo").to_string();
        assert!(error.contains("did you mean `concurrency`?"), "{error}");
    }

    #[test]
    fn a_wrong_type_and_broken_toml_name_their_place() {
        let wrong = parse::<Table>("max_usd = \"a lot\"\n", "c.toml").expect_err("a string").to_string();
        assert!(wrong.contains("c.toml:1:11") && wrong.contains("at `max_usd`"), "{wrong}");
        let broken = parse::<Table>("max_usd = \n", "c.toml").expect_err("no value").to_string();
        assert!(broken.contains("c.toml:1:"), "{broken}");
    }
}
