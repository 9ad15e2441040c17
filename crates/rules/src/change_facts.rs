//! What a rule about one file has to know of the others: facts of a whole change, gathered before any file is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use regex::Regex;
use review::change::Operation;
use review::{FileChange, LineKind, RepoPath};

use crate::database::{Foreign, code};
use crate::moved::Removed;

/// Facts of a whole change, from its diff alone.
#[derive(Debug, Clone, Default)]
pub struct ChangeFacts {
    /// The paths that are there after the change, of the files that it touches.
    paths: BTreeSet<String>,
    /// Tables that new files of SQL create, and which files do.
    created_tables: BTreeMap<String, BTreeSet<RepoPath>>,
    /// Folders with a changed file of SQL that is not PostgreSQL's, and whose it is.
    foreign_folders: BTreeMap<String, Foreign>,
    /// What the files lose; none of a change of no other files.
    removed: Option<Arc<Removed>>,
}

impl ChangeFacts {
    /// Of a change of no other files.
    pub const NONE: Self = Self {
        paths: BTreeSet::new(),
        created_tables: BTreeMap::new(),
        foreign_folders: BTreeMap::new(),
        removed: None,
    };

    /// Gathers the facts of a change.
    pub fn of(files: &[FileChange]) -> Self {
        let mut facts = Self { removed: Some(Arc::new(Removed::of(files))), ..Self::NONE };
        for file in files.iter().filter(|file| file.operation != Operation::Deleted) {
            facts.paths.insert(file.path.as_str().to_owned());
            if file.path.extension() == "sql" {
                facts.add_sql(file);
            }
        }
        facts
    }

    fn add_sql(&mut self, file: &FileChange) {
        let lines = file.hunks().iter().flat_map(|hunk| hunk.lines());
        let added: String = lines
            .filter(|line| line.kind == LineKind::Added)
            .map(|line| format!("{}\n", line.text))
            .collect();
        self.learn_dialect(&file.path, &added);
        if file.operation == Operation::Added {
            for created in CREATE_TABLE.captures_iter(&code(&added)) {
                let paths = self.created_tables.entry(table_key(&created[1])).or_default();
                paths.insert(file.path.clone());
            }
        }
    }

    /// Takes into account what SQL looks like that stands beside a file: before the change, or in it.
    pub fn learn_dialect(&mut self, path: &RepoPath, text: &str) {
        if let Some(dialect) = Foreign::of_text(text) {
            self.foreign_folders.entry(folder(path).to_owned()).or_insert(dialect);
        }
    }

    /// Files of SQL, one for each folder, that the files beside them may tell the dialect of; not more
    /// than a few, since each costs a look into the repository.
    pub fn without_dialect<'f>(&self, files: &'f [FileChange]) -> Vec<&'f RepoPath> {
        let mut folders = BTreeSet::new();
        let sql = files.iter().map(|file| &file.path).filter(|path| path.extension() == "sql");
        sql.filter(|path| self.foreign_dialect_beside(path).is_none() && folders.insert(folder(path)))
            .take(MAX_FOLDERS)
            .collect()
    }

    /// What the files of the change lose.
    pub(crate) fn removed(&self) -> Option<&Removed> {
        self.removed.as_deref()
    }

    /// Whether a path is among those that the change touches and leaves in place.
    pub(crate) fn has_path(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Whether another new file than this one creates a table.
    pub(crate) fn creates_elsewhere(&self, table: &str, path: &RepoPath) -> bool {
        self.created_tables.get(table).is_some_and(|paths| paths.iter().any(|other| other != path))
    }

    /// The dialect that a changed file of SQL in the same folder is in, if that is not PostgreSQL's.
    pub(crate) fn foreign_dialect_beside(&self, path: &RepoPath) -> Option<Foreign> {
        self.foreign_folders.get(folder(path)).copied()
    }
}

/// How many folders are looked into.
const MAX_FOLDERS: usize = 32;

/// A table's name as it is compared: without its schema and quotes, in lower case.
pub(crate) fn table_key(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).trim().trim_matches('"').to_lowercase()
}

fn folder(path: &RepoPath) -> &str {
    path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder)
}

static CREATE_TABLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)\bCREATE\s+(?:(?:GLOBAL|LOCAL|TEMPORARY|TEMP|UNLOGGED)\s+)*TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?([\w."]+)"#,
    )
    .expect("a test compiles it")
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::changed;

    #[test]
    fn a_table_that_another_new_file_creates_is_known() {
        let files = [
            changed("m/1.sql", None, "create table if not exists public.\"Users\" (\n);"),
            changed("m/2.sql", None, "CREATE INDEX i ON users (name);"),
        ];
        let facts = ChangeFacts::of(&files);
        assert!(facts.creates_elsewhere("users", &files[1].path));
        assert!(!facts.creates_elsewhere("users", &files[0].path));
        assert!(facts.has_path("m/2.sql") && !facts.has_path("m/3.sql"));
    }

    #[test]
    fn one_file_tells_the_dialect_of_its_folder() {
        let files = [
            changed("m/1.sql", None, "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT);"),
            changed("m/2.sql", None, "-- AUTO_INCREMENT is not ours\nCREATE INDEX i ON t (id);"),
        ];
        let facts = ChangeFacts::of(&files);
        assert_eq!(facts.foreign_dialect_beside(&files[1].path), Some(Foreign::Sqlite));
        assert_eq!(ChangeFacts::of(&files[1..]).foreign_dialect_beside(&files[1].path), None);
    }
}
