//! The prompt files: those that this build carries, and an operator's in their place.

use std::fs;
use std::path::{Path, PathBuf};

use review::Lens;

use super::{Origin, Problem, PromptsError};

/// The files that this build carries, by id.
const FILES: [(&str, &str); 10] = [
    ("shared/system", include_str!("../../../../prompts/shared/system.md")),
    ("shared/change", include_str!("../../../../prompts/shared/change.md")),
    ("shared/part", include_str!("../../../../prompts/shared/part.md")),
    ("security/task", include_str!("../../../../prompts/security/task.md")),
    ("correctness/task", include_str!("../../../../prompts/correctness/task.md")),
    ("complexity/task", include_str!("../../../../prompts/complexity/task.md")),
    ("prompt-health/task", include_str!("../../../../prompts/prompt-health/task.md")),
    ("database/task", include_str!("../../../../prompts/database/task.md")),
    ("cross-examine/system", include_str!("../../../../prompts/cross-examine/system.md")),
    ("cross-examine/case", include_str!("../../../../prompts/cross-examine/case.md")),
];

/// The largest prompt file, in bytes: some 16,000 tokens, which every call would pay.
const MAX_FILE_BYTES: u64 = 48 * 1024;

/// How deep an operator's folder is looked through.
const MAX_DEPTH: usize = 4;

/// A prompt file as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// Its id: the relative path without `.md`.
    pub(super) id: &'static str,
    /// What errors call it.
    pub(super) name: String,
    /// Where it is from.
    pub(super) origin: Origin,
    /// All of it.
    pub(super) text: String,
}

/// A prompt file in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parsed<'a> {
    /// The version that it states.
    pub(super) version: u32,
    /// The template.
    pub(super) body: &'a str,
    /// How many lines stand before the template.
    pub(super) lines_before: usize,
}

/// The files that this build carries; those that a folder has at the same relative path are taken from there.
///
/// # Errors
/// The folder cannot be read, or holds a `.md` file that overrides nothing.
pub(super) fn sources(folder: Option<&Path>) -> Result<Vec<Source>, PromptsError> {
    let mut sources: Vec<Source> = FILES
        .into_iter()
        .map(|(id, text)| Source {
            id,
            name: format!("prompts/{id}.md"),
            origin: Origin::BuiltIn,
            text: text.to_owned(),
        })
        .collect();
    let Some(folder) = folder else { return Ok(sources) };
    let mut strangers = Vec::new();
    for path in markdown_files(folder)? {
        let relative = path.strip_prefix(folder).unwrap_or(&path);
        let id = relative.with_extension("").to_string_lossy().replace('\\', "/");
        match sources.iter_mut().find(|source| source.id == id) {
            Some(source) => {
                source.text = read(&path)?;
                source.name = path.display().to_string();
                source.origin = Origin::Operator;
            }
            None if id.eq_ignore_ascii_case("readme") => {}
            None => strangers.push(Problem {
                file: path.display().to_string(),
                line: 1,
                message: format!(
                    "it overrides nothing: the prompts are {}",
                    FILES.map(|(id, _)| format!("{id}.md")).join(", ")
                ),
            }),
        }
    }
    if strangers.is_empty() { Ok(sources) } else { Err(PromptsError::Wrong(strangers)) }
}

/// Every `.md` file of a folder and those in it, by path.
fn markdown_files(folder: &Path) -> Result<Vec<PathBuf>, PromptsError> {
    let mut found = Vec::new();
    let mut pending = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = pending.pop() {
        let failed = |source| PromptsError::Read { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() && depth < MAX_DEPTH {
                pending.push((path, depth + 1));
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<String, PromptsError> {
    let failed = |source| PromptsError::Read { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.len() > MAX_FILE_BYTES {
        return Err(PromptsError::TooLarge { path: path.to_owned(), limit: MAX_FILE_BYTES });
    }
    Ok(fs::read_to_string(path).map_err(failed)?.replace("\r\n", "\n"))
}

/// Splits a file into its front matter and its template; id and lens have to fit its place.
///
/// # Errors
/// The line, from 1, and what is wrong there.
pub(super) fn parse<'a>(id: &str, text: &'a str) -> Result<Parsed<'a>, (usize, String)> {
    let at_start = |message: &str| (1, message.to_owned());
    let rest = text.strip_prefix("---\n").ok_or_else(|| at_start("it does not begin with front matter"))?;
    let (head, body) = rest.split_once("\n---\n").ok_or_else(|| at_start("its front matter does not end"))?;
    let mut version = None;
    let mut names_itself = false;
    for (index, line) in head.lines().enumerate() {
        let wrong = |message: String| Err((index + 2, message));
        let Some((key, value)) = line.split_once(": ") else {
            return wrong(format!("`{line}` is no `key: value`"));
        };
        match key {
            "id" if value == id => names_itself = true,
            "id" => return wrong(format!("it says that it is {value}, and stands at {id}")),
            "lens" if id == format!("{value}/task") && Lens::from_name(value).is_some() => {}
            "lens" => return wrong(format!("it is for the lens {value}, and stands at {id}")),
            "version" => match value.parse() {
                Ok(number) => version = Some(number),
                Err(_) => return wrong(format!("{value} is no version: give a whole number")),
            },
            other => return wrong(format!("`{other}` is not known here: give id, version and lens")),
        }
    }
    if !names_itself {
        return Err(at_start("it states no id"));
    }
    let version = version.ok_or_else(|| at_start("it states no version"))?;
    Ok(Parsed { version, body, lines_before: head.lines().count() + 2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_that_does_not_fit_is_refused_with_its_line() {
        for (wrong, line) in [
            ("no front matter", 1),
            ("---\nid: a/task\nversion: 1", 1),
            ("---\nid: b/task\nversion: 1\n---\n", 2),
            ("---\nversion: 1\n---\n", 1),
            ("---\nid: a/task\n---\n", 1),
            ("---\nid: a/task\nversion: one\n---\n", 3),
            ("---\nid: a/task\nversion: 1\nlens: database\n---\n", 4),
            ("---\nid: a/task\nversion: 1\nmodel: x\n---\n", 4),
            ("---\nid: a/task\nversion\n---\n", 3),
        ] {
            let (found, message) = parse("a/task", wrong).expect_err(wrong);
            assert_eq!(found, line, "{wrong}: {message}");
        }
        let parsed = parse("a/task", "---\nid: a/task\nversion: 7\n---\nbody\n").expect("good front matter");
        assert_eq!(parsed, Parsed { version: 7, body: "body\n", lines_before: 4 });
    }

    #[test]
    fn a_folder_overrides_what_stands_at_the_same_place_and_nothing_else() {
        let folder = tempfile::tempdir().expect("writable");
        fs::create_dir(folder.path().join("security")).expect("writable");
        fs::write(folder.path().join("security/task.md"), "ours\r\n").expect("writable");
        fs::write(folder.path().join("README.md"), "about these").expect("writable");
        fs::write(folder.path().join("notes.txt"), "not a prompt").expect("writable");
        let ours = sources(Some(folder.path())).expect("a good folder");
        let changed: Vec<_> =
            ours.iter().filter(|source| source.origin == Origin::Operator).map(|source| source.id).collect();
        assert_eq!(changed, ["security/task"]);
        assert!(ours.iter().any(|source| source.text == "ours\n"));
        fs::write(folder.path().join("security/tasks.md"), "a typo").expect("writable");
        let error = sources(Some(folder.path())).expect_err("a file that overrides nothing").to_string();
        assert!(error.contains("tasks.md:1: it overrides nothing"), "{error}");
    }

    #[test]
    fn a_folder_that_is_not_there_and_a_file_that_is_too_large_are_refused() {
        let folder = tempfile::tempdir().expect("writable");
        assert!(matches!(sources(Some(&folder.path().join("x"))), Err(PromptsError::Read { .. })));
        fs::create_dir(folder.path().join("shared")).expect("writable");
        let large = "x".repeat(usize::try_from(MAX_FILE_BYTES).expect("small") + 1);
        fs::write(folder.path().join("shared/system.md"), large).expect("writable");
        assert!(matches!(sources(Some(folder.path())), Err(PromptsError::TooLarge { .. })));
    }
}
