//! Reading cases: folders of `diff.patch`, `meta.json` and `gold.json`.
//!
//! A case that cannot be used is told by one line and never dropped; the others go on. `docs/eval.md` describes the
//! files. Unknown keys are passed over, so that other people's data sets can be read as they are.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use git::{MAX_DIFF_BYTES, RangeRequest, Repository};
use review::agreement::{GoldMode, Known, Place};
use review::attribution::Note;
use review::wording::Wording;
use review::{Change, Lens, RepoPath};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::authorship::notes;

/// The files of a case.
const FILES: [&str; 3] = ["diff.patch", "meta.json", "gold.json"];

/// The most bytes of `meta.json` and `gold.json`.
const MAX_JSON_BYTES: u64 = 16 * 1024 * 1024;

/// The most bytes of an id: it names files.
const MAX_ID_BYTES: usize = 150;

/// One change with what is known about it. The diff stays on disk until it is reviewed.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name.
    pub id: String,
    /// The folder that it is in, below the one that was given: which set it belongs to.
    pub group: String,
    /// Where its change is.
    pub origin: Origin,
    /// The author's title.
    pub title: String,
    /// The author's description.
    pub body: String,
    /// Who wrote it, on the word of whoever made the case.
    pub written_by: Option<String>,
    /// How the known issues are meant.
    pub mode: GoldMode,
    /// The known issues.
    pub known: Vec<Known>,
    /// Known issues that are left out, because the case says that people do not agree on them.
    pub disputed: usize,
}

/// Where the change of a case is.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A folder with `diff.patch`.
    Folder(PathBuf),
    /// A range of a repository.
    Range {
        /// The repository.
        repository: PathBuf,
        /// The range.
        request: RangeRequest,
    },
}

/// A change as it is read for a review.
pub struct Material {
    /// The change.
    pub change: Change,
    /// Where whole files can be read.
    pub repository: Option<Repository>,
    /// The git-ai notes of its commits.
    pub notes: Vec<Note>,
}

impl Case {
    /// Whether nobody knows of an issue in it.
    pub fn is_clean(&self) -> bool {
        self.known.is_empty() && self.disputed == 0
    }

    /// The change, read from disk.
    ///
    /// # Errors
    /// The diff or the repository cannot be read.
    pub fn material(&self) -> Result<Material> {
        match &self.origin {
            Origin::Folder(folder) => {
                let mut change = read_change(folder)?;
                (change.title, change.body) = (self.title.clone(), self.body.clone());
                Ok(Material { change, repository: None, notes: Vec::new() })
            }
            Origin::Range { repository, request } => {
                let repository = Repository::open(repository)?;
                let change = repository.gather(&repository.range(request)?)?;
                let notes = notes(&repository, &change)?;
                Ok(Material { change, repository: Some(repository), notes })
            }
        }
    }
}

/// A case that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Its folder, below the one that was given.
    pub folder: String,
    /// The set that it belongs to.
    pub group: String,
    /// Why, in one line.
    pub reason: String,
}

/// All cases below a folder, by their paths.
#[derive(Debug, Default)]
pub struct Cases {
    /// Those that can be reviewed.
    pub usable: Vec<Case>,
    /// Those that cannot.
    pub unusable: Vec<Unusable>,
}

#[derive(Deserialize)]
struct MetaFile {
    id: Option<String>,
    gold_mode: Option<GoldModeWord>,
    #[serde(default)]
    title: String,
    #[serde(default)]
    body: String,
    written_by: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum GoldModeWord {
    Each,
    AnyOf,
}

#[derive(Deserialize)]
struct GoldRow {
    file: Option<String>,
    line_start: Option<u32>,
    line_end: Option<u32>,
    category: Option<String>,
    text: Option<String>,
    alt_locations: Option<Vec<PlaceRow>>,
    /// `true`, or the reason.
    disputed: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct PlaceRow {
    file: Option<String>,
    line_start: Option<u32>,
    line_end: Option<u32>,
}

/// Reads all cases below a folder, or the one that the folder is.
///
/// # Errors
/// The folder cannot be read, or holds no case. What is wrong with one case is told by [`Cases::unusable`].
pub fn read(root: &Path) -> Result<Cases> {
    let mut folders = Vec::new();
    find(root, &mut folders)?;
    folders.sort();
    if folders.is_empty() {
        bail!("could not find a case below {}: a case is a folder with {}", root.display(), FILES.join(", "));
    }
    let mut cases = Cases::default();
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for folder in folders {
        let below = |path: &Path| {
            let relative = path.strip_prefix(root).unwrap_or(path);
            relative.display().to_string()
        };
        let shown = below(&folder);
        let group = folder.parent().filter(|_| folder != root).map(below).unwrap_or_default();
        let read = read_case(&folder, &group).and_then(|case| match taken.get(&case.id) {
            Some(other) => bail!("its id `{}` is that of {other} too", case.id),
            None => Ok(case),
        });
        match read {
            Ok(case) => {
                taken.insert(case.id.clone(), shown);
                cases.usable.push(case);
            }
            Err(error) => {
                cases.unusable.push(Unusable { folder: shown, group, reason: format!("{error:#}") });
            }
        }
    }
    Ok(cases)
}

/// The folders that hold a file of a case. What is below one is its own; links are not followed.
fn find(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let could_not = || format!("could not read the folder {}", folder.display());
    let mut below = Vec::new();
    let mut is_case = false;
    for entry in std::fs::read_dir(folder).with_context(could_not)? {
        let entry = entry.with_context(could_not)?;
        is_case |= FILES.iter().any(|name| entry.file_name() == *name);
        if entry.file_type().with_context(could_not)?.is_dir() {
            below.push(entry.path());
        }
    }
    if is_case {
        found.push(folder.to_owned());
        return Ok(());
    }
    below.iter().try_for_each(|folder| find(folder, found))
}

fn read_case(folder: &Path, group: &str) -> Result<Case> {
    let meta: MetaFile = read_json(folder, "meta.json")?;
    let rows: Vec<GoldRow> = read_json(folder, "gold.json")?;
    let change = read_change(folder)?;
    let name = || folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let id = meta.id.unwrap_or_else(name);
    check_id(&id)?;
    let mut known = Vec::new();
    let mut disputed = 0;
    for (index, row) in rows.into_iter().enumerate() {
        let is_disputed = row.disputed.as_ref().is_some_and(|word| *word != serde_json::Value::Bool(false));
        let issue = issue(row, &change).with_context(|| format!("issue {} of gold.json", index + 1))?;
        if is_disputed {
            disputed += 1;
        } else {
            known.push(issue);
        }
    }
    Ok(Case {
        id,
        group: group.to_owned(),
        origin: Origin::Folder(folder.to_owned()),
        title: meta.title,
        body: meta.body,
        written_by: meta.written_by.filter(|who| !who.trim().is_empty()),
        mode: match meta.gold_mode {
            Some(GoldModeWord::AnyOf) => GoldMode::AnyOf,
            Some(GoldModeWord::Each) | None => GoldMode::Each,
        },
        known,
        disputed,
    })
}

/// An id names files of the result, beside ours.
fn check_id(id: &str) -> Result<()> {
    let is_name = !id.is_empty()
        && id.len() <= MAX_ID_BYTES
        && !id.starts_with('.')
        && id != "report"
        && !id.chars().any(|c| c == '/' || c == '\\' || c.is_control());
    ensure!(is_name, "its id `{}` cannot name a file", review::text::visible(id));
    Ok(())
}

fn issue(row: GoldRow, change: &Change) -> Result<Known> {
    let first = PlaceRow { file: row.file, line_start: row.line_start, line_end: row.line_end };
    let places = std::iter::once(first).chain(row.alt_locations.unwrap_or_default());
    let places = places.filter_map(|place| read_place(place).transpose()).collect::<Result<Vec<Place>>>()?;
    let text = row.text.filter(|text| !text.trim().is_empty());
    ensure!(!places.is_empty() || text.is_some(), "it has neither a file nor a text");
    let in_change = |place: &Place| change.file(&RepoPath::from(place.file.as_str())).is_some();
    if let (Some(place), false) = (places.first(), places.iter().any(in_change)) {
        bail!("it is in {}, which the diff does not change", place.file);
    }
    // Other people's categories are words of their own; only ours say which lens should have found it.
    let lens = row.category.as_deref().and_then(|category| category.split_once('/')).map(|(lens, _)| lens);
    Ok(Known { places, lens: lens.and_then(Lens::from_name), text: text.as_deref().map(Wording::of) })
}

fn read_place(place: PlaceRow) -> Result<Option<Place>> {
    let Some(file) = place.file.filter(|file| !file.is_empty()) else { return Ok(None) };
    let lines = match (place.line_start, place.line_end) {
        (Some(start), end) => Some((start, end.unwrap_or(start))),
        (None, Some(_)) => bail!("it has a last line and no first one"),
        (None, None) => None,
    };
    if let Some((start, end)) = lines {
        ensure!(start <= end, "its last line {end} is before its first line {start}");
    }
    Ok(Some(Place { file, lines }))
}

fn read_change(folder: &Path) -> Result<Change> {
    let bytes = read_file(folder, "diff.patch", MAX_DIFF_BYTES)?;
    ensure!(!bytes.trim_ascii().is_empty(), "its diff.patch is empty");
    let change = review::diff::change_from_patch(&bytes);
    ensure!(!change.files.is_empty(), "its diff.patch is no diff");
    Ok(change)
}

fn read_json<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T> {
    let bytes = read_file(folder, name, MAX_JSON_BYTES)?;
    let mut reader = serde_json::Deserializer::from_slice(&bytes);
    let value = serde_path_to_error::deserialize(&mut reader)
        .with_context(|| format!("could not read its {name}"))?;
    reader.end().with_context(|| format!("could not read its {name}"))?;
    Ok(value)
}

fn read_file(folder: &Path, name: &str, limit: u64) -> Result<Vec<u8>> {
    let file =
        std::fs::File::open(folder.join(name)).with_context(|| format!("could not open its {name}"))?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).with_context(|| format!("could not read its {name}"))?;
    ensure!(bytes.len() as u64 <= limit, "its {name} has more than {} MiB", limit / 1024 / 1024);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFF: &str = "--- a/a.rs\n+++ b/a.rs\n@@ -1 +1,2 @@\n fn a() {}\n+fn b() {}\n";

    fn write(root: &Path, folder: &str, files: &[(&str, &str)]) {
        let folder = root.join(folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.join(name), text).expect("written");
        }
    }

    fn check(meta: &str, gold: &str, expected: Result<usize, &str>) {
        let root = tempfile::tempdir().expect("a folder");
        write(root.path(), "c", &[("diff.patch", DIFF), ("meta.json", meta), ("gold.json", gold)]);
        let cases = read(root.path()).expect("a folder with a case");
        match expected {
            Ok(known) => assert_eq!(cases.usable[0].known.len(), known, "{gold}: {:?}", cases.unusable),
            Err(why) => assert!(cases.unusable[0].reason.contains(why), "{gold}: {:?}", cases.unusable),
        }
    }

    #[test]
    fn what_is_wrong_with_a_case_is_said_in_one_line() {
        check("{}", "[]", Ok(0));
        check("{}", r#"[{"file": "a.rs", "line_start": 2, "severity": "high", "x": 1}]"#, Ok(1));
        check("{}", r#"[{"file": "a.rs", "text": "x", "disputed": true}]"#, Ok(0));
        check("{}", r#"[{"file": "a.rs", "text": "x", "disputed": "it is vague"}]"#, Ok(0));
        check("{}", r#"[{"file": "a.rs", "text": "x", "disputed": false}]"#, Ok(1));
        check("{}", r#"[{"text": "somewhere"}]"#, Ok(1));
        check("{}", r#"[{"file": null, "text": " "}]"#, Err("issue 1 of gold.json: it has neither"));
        check("{}", r#"[{"file": "z.rs"}]"#, Err("it is in z.rs, which the diff does not change"));
        check("{}", r#"[{"file": "z.rs", "alt_locations": [{"file": "a.rs"}]}]"#, Ok(1));
        check("{}", r#"[{"file": "a.rs", "line_start": 9, "line_end": 2}]"#, Err("is before its first line"));
        check("{}", r#"[{"file": "a.rs", "line_end": 2}]"#, Err("no first one"));
        check("{}", r#"[{"file": "a.rs", "line_start": "two"}]"#, Err("gold.json: [0].line_start"));
        check("{}", "[", Err("could not read its gold.json"));
        check("{}", "[] []", Err("could not read its gold.json"));
        check("", "[]", Err("could not read its meta.json"));
        check(r#"{"gold_mode": "some"}"#, "[]", Err("gold_mode"));
        check(r#"{"id": "../x"}"#, "[]", Err("cannot name a file"));
        check(r#"{"id": "report"}"#, "[]", Err("cannot name a file"));
    }

    #[test]
    fn cases_are_found_at_any_depth_and_those_that_cannot_be_used_do_not_stop_the_others() {
        let root = tempfile::tempdir().expect("a folder");
        let good = [("diff.patch", DIFF), ("meta.json", r#"{"id": "one"}"#), ("gold.json", "[]")];
        write(root.path(), "x/cases/1", &good);
        write(root.path(), "x/cases/2", &good);
        write(root.path(), "y/3", &[("diff.patch", "\n"), ("meta.json", "{}"), ("gold.json", "[]")]);
        write(root.path(), "y/4", &[("diff.patch", DIFF), ("meta.json", "{}")]);
        write(root.path(), "y/5", &[("diff.patch", "no diff"), ("meta.json", "{}"), ("gold.json", "[]")]);
        write(root.path(), "y/6", &[("README.md", "no case")]);
        let cases = read(root.path()).expect("cases");
        assert_eq!(cases.usable.len(), 1);
        assert_eq!((cases.usable[0].id.as_str(), cases.usable[0].group.as_str()), ("one", "x/cases"));
        let told: Vec<_> = cases.unusable.iter().map(|u| (u.folder.as_str(), u.reason.as_str())).collect();
        assert_eq!(told[0], ("x/cases/2", "its id `one` is that of x/cases/1 too"));
        assert_eq!(told[1], ("y/3", "its diff.patch is empty"));
        assert!(told[2].1.starts_with("could not open its gold.json"), "{told:?}");
        assert_eq!(told[3], ("y/5", "its diff.patch is no diff"));
        assert_eq!(told.len(), 4);
    }

    #[test]
    fn a_folder_without_cases_is_an_error_that_says_what_a_case_is() {
        let root = tempfile::tempdir().expect("a folder");
        let error = format!("{:#}", read(root.path()).expect_err("no case"));
        assert!(error.contains("could not find a case") && error.contains("gold.json"), "{error}");
        let error = format!("{:#}", read(&root.path().join("missing")).expect_err("no folder"));
        assert!(error.contains("could not read the folder"), "{error}");
    }

    #[test]
    fn only_our_own_categories_say_which_lens_should_have_found_it() {
        for (category, lens) in [
            ("security/injection", Some(Lens::Security)),
            ("security", None),
            ("race_condition", None),
            ("style/naming", None),
        ] {
            let row = GoldRow {
                file: Some("a.rs".into()),
                line_start: None,
                line_end: None,
                category: Some(category.into()),
                text: None,
                alt_locations: None,
                disputed: None,
            };
            let change = review::diff::change_from_patch(DIFF.as_bytes());
            assert_eq!(issue(row, &change).expect("an issue").lens, lens, "{category}");
        }
    }
}
