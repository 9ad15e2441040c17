//! Errors in TOML files, shown with the line, a caret and the nearest known key.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
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
pub fn parse<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, TomlError> {
    let deserializer = toml::Deserializer::parse(text).map_err(|error| render(text, name, &error, ""))?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        render(text, name, error.inner(), &path)
    })
}

/// Renders an error that was found after reading, at the first occurrence of `needle`.
pub fn at(text: &str, name: &str, needle: &str, message: &str) -> TomlError {
    let start = text.find(needle).unwrap_or(0);
    TomlError { rendered: snippet(text, name, start..start + needle.len().min(text.len()), message, "") }
}

fn render(text: &str, name: &str, error: &toml::de::Error, path: &str) -> TomlError {
    let message = error.message().lines().next().unwrap_or_default().to_owned();
    let span = error.span().unwrap_or(0..0);
    let place = if path.is_empty() || path == "." { String::new() } else { format!("at `{path}`") };
    let label = match nearest(&message) {
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
/// `b`, `c`".
fn nearest(message: &str) -> Option<String> {
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (unknown, known) = names.split_first()?;
    if !message.starts_with("unknown ") {
        return None;
    }
    let scored = known.iter().map(|name| (strsim::damerau_levenshtein(unknown, name), name));
    let (distance, name) = scored.min()?;
    (distance <= unknown.len().max(3) / 2).then(|| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Table {
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
            "error: unknown field `fial_on`, expected `fail_on` or `max_usd`\n \
             --> recuse.toml:2:1\n  |\n2 | fial_on = \"high\"\n  | ^^^^^^^ did you mean `fail_on`?"
        );
    }

    #[test]
    fn a_wrong_type_and_broken_toml_name_their_place() {
        let wrong = parse::<Table>("max_usd = \"a lot\"\n", "c.toml").expect_err("a string").to_string();
        assert!(wrong.contains("c.toml:1:11") && wrong.contains("at `max_usd`"), "{wrong}");
        let broken = parse::<Table>("max_usd = \n", "c.toml").expect_err("no value").to_string();
        assert!(broken.contains("c.toml:1:"), "{broken}");
    }
}
