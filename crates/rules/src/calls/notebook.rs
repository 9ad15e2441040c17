//! The Python of a notebook: the sources of its code cells as one text, each line with its number in the notebook's JSON.

use std::borrow::Cow;

use super::lines::Piece;
use crate::tree::{Node, json};
use crate::{Examined, FileView};

/// Lines of JSON longer than this hold pictures and other output, unless they are a source.
const MAX_LINE_BYTES: usize = 2_000;

/// Both sides of a notebook; how far it was examined where that is not at all.
pub(super) fn sides(view: &FileView<'_>) -> Result<(Vec<Piece>, Vec<Piece>), Examined> {
    let Some(head) = view.head else {
        return Err(Examined::NotSupported(
            "a notebook is read as a whole, and only the diff is here".to_owned(),
        ));
    };
    let root = json(&without_output(head))
        .map_err(|error| Examined::Failed(format!("the notebook could not be read: {error}")))?;
    if let Some(language) = language(&root).filter(|language| !language.eq_ignore_ascii_case("python")) {
        let language = review::text::shorten(&review::text::visible(language), 20);
        return Err(Examined::NotSupported(format!(
            "the rules follow no calls in notebooks of another language than Python: {language}"
        )));
    }
    let base = view.base.and_then(|base| json(&without_output(base)).ok());
    Ok((vec![code_of(&root)], base.iter().map(code_of).collect()))
}

/// The language that a notebook says it is in.
fn language(root: &Node) -> Option<&str> {
    let metadata = root.get("metadata")?;
    let named = |part: &str, key: &str| metadata.get(part)?.get(key)?.text();
    named("language_info", "name").or_else(|| named("kernelspec", "language"))
}

/// The source of all code cells, one below the other.
fn code_of(root: &Node) -> Piece {
    let (mut text, mut numbers) = (String::new(), Vec::new());
    let cells = root.get("cells").map_or(&[][..], Node::items);
    for cell in cells.iter().filter(|cell| cell.get("cell_type").and_then(Node::text) == Some("code")) {
        let Some(source) = cell.get("source") else { continue };
        // A list of lines, or all of them in one text.
        let parts: Vec<_> = source
            .text()
            .map(|text| (text, source.first_line))
            .into_iter()
            .chain(source.items().iter().filter_map(|item| Some((item.text()?, item.first_line))))
            .collect();
        for (part, number) in parts {
            for line in part.lines() {
                // Orders to the notebook itself are no Python.
                text.push_str(if line.trim_start().starts_with(['%', '!', '?']) { "" } else { line });
                text.push('\n');
                numbers.push(number);
            }
        }
    }
    Piece::of_lines(text, numbers)
}

/// The same JSON without long values, except for sources: the pictures that a notebook shows.
fn without_output(text: &str) -> Cow<'_, str> {
    if text.lines().all(|line| line.len() <= MAX_LINE_BYTES) {
        return Cow::Borrowed(text);
    }
    let shorten = |line: &str| -> String {
        let value = line.trim().trim_end_matches(',');
        match value.split_once("\": \"") {
            Some((key, _))
                if line.len() > MAX_LINE_BYTES && key.starts_with("\"image/") && value.ends_with('"') =>
            {
                let comma = if line.trim_end().ends_with(',') { "," } else { "" };
                format!("{key}\": \"\"{comma}\n")
            }
            Some(_) | None => format!("{line}\n"),
        }
    };
    Cow::Owned(text.lines().map(shorten).collect())
}
