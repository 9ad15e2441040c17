//! Which files are migrations, and which of their lines undo what the others do.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use regex::Regex;
use review::{FileChange, LineKind, RepoPath};

use crate::place::is_trial;

/// What a file of SQL is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It changes a database that is in use: by its folder or its name.
    Migration,
    /// It undoes a migration.
    Undo,
    /// Nothing says that it is a migration, but it changes tables or indexes.
    Script,
    /// No database in use runs it, and why that is believed.
    Other(&'static str),
}

impl Purpose {
    /// What a changed file is for, by its path and the lines that are added to it.
    pub(crate) fn of(file: &FileChange) -> Self {
        let path = file.path.as_str().to_ascii_lowercase();
        if !path.ends_with(".sql") {
            return Self::Other("the database rules read files of SQL");
        }
        let folders: Vec<&str> = path.split('/').rev().skip(1).collect();
        if is_trial(&file.path) || folders.iter().any(|folder| matches!(*folder, "doc" | "docs")) {
            return Self::Other("SQL of a test or an example: no database in use runs it");
        }
        let name = file.path.file_name().to_ascii_lowercase();
        if SNAPSHOTS.iter().any(|snapshot| name == *snapshot)
            || name.contains("dump")
            || name.contains("seed")
        {
            return Self::Other("a copy of a schema or of data, which no database in use runs");
        }
        if is_undo(&path) {
            return Self::Undo;
        }
        if folders.iter().any(|folder| FOLDERS.contains(folder)) || NAME.is_match(&name) {
            return Self::Migration;
        }
        let lines = file.hunks().iter().flat_map(|hunk| hunk.lines());
        if lines.filter(|line| line.kind == LineKind::Added).any(|line| CHANGES_TABLES.is_match(line.text)) {
            Self::Script
        } else {
            Self::Other("no migration by its folder or its name, and it changes no table")
        }
    }
}

/// Folders that hold migrations.
const FOLDERS: [&str; 8] =
    ["migrations", "migration", "migrate", "flyway", "liquibase", "evolutions", "changelogs", "versions"];

/// Names of files that tools write a whole schema to.
const SNAPSHOTS: [&str; 3] = ["schema.sql", "structure.sql", "init.sql"];

/// Names that migrations bear: `V1__x.sql` (Flyway), `x.up.sql`, `20240102_x.sql`.
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[vr][0-9_.]*__.*\.sql$|[._]up\.sql$|^up\.sql$|migration|^[0-9]{8,14}[_-].*\.sql$")
        .expect("a test compiles it")
});

static CHANGES_TABLES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:ALTER|DROP)\s+TABLE\b|\bCREATE\s+(?:UNIQUE\s+)?INDEX\b|\bDROP\s+INDEX\b")
        .expect("a test compiles it")
});

fn is_undo(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let flyway_undo = name
        .strip_prefix('u')
        .is_some_and(|rest| rest.contains("__") && rest.starts_with(|first: char| first.is_ascii_digit()));
    let marks = ["down.sql", "rollback.sql", "revert.sql", "undo.sql"];
    flyway_undo
        || marks.iter().any(|mark| {
            name.strip_suffix(mark).is_some_and(|stem| stem.is_empty() || stem.ends_with(['.', '_', '-']))
        })
        || path.split('/').rev().skip(1).any(|folder| folder == "down")
}

/// The path that undoes a file, by the convention that its own path follows; `None` where it follows none.
pub(crate) fn undo_path(path: &RepoPath) -> Option<String> {
    let path = path.as_str();
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let stem = name.strip_suffix("up.sql")?;
    (stem.is_empty() || stem.ends_with(['.', '_', '-'])).then(|| match folder {
        "" => format!("{stem}down.sql"),
        _ => format!("{folder}/{stem}down.sql"),
    })
}

/// Marks that start a part of a migration, in a comment of its own.
static MARK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^\s*--\s*(?:\+goose\s+(?P<goose>up|down)|\+migrate\s+(?P<migrate>up|down)|migrate:(?P<dbmate>up|down))\b")
        .expect("a test compiles it")
});

/// The parts of a migration that holds both ways in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts {
    /// The line of the first mark that starts the way up.
    pub(crate) up: u32,
    /// The lines that undo, without their mark; `None` where no mark starts such a part.
    pub(crate) down: Option<RangeInclusive<u32>>,
}

impl Parts {
    /// The parts of a text; `None` where no mark tells them apart.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let (mut up, mut down_from, mut down_to) = (None, None, None);
        let mut last = 0;
        for (line, number) in text.lines().zip(1_u32..) {
            last = number;
            let Some(mark) = MARK.captures(line) else { continue };
            let way = ["goose", "migrate", "dbmate"].into_iter().find_map(|tool| mark.name(tool));
            let is_down = way.is_some_and(|way| way.as_str().eq_ignore_ascii_case("down"));
            if is_down && down_from.is_none() {
                down_from = Some(number + 1);
            } else if !is_down {
                up = up.or(Some(number));
                down_to = down_to.or_else(|| down_from.map(|_| number - 1));
            }
        }
        let down = down_from.map(|from| from..=down_to.unwrap_or(last));
        up.map(|up| Self { up, down })
    }
}

#[cfg(test)]
mod tests {
    use review::Hunk;
    use review::change::{Content, Operation};

    use super::*;

    fn purpose(path: &str, added: &str) -> Purpose {
        let hunk = Hunk::new(0, 1, String::new(), format!("+{added}\n"), false);
        Purpose::of(&FileChange {
            path: RepoPath::from(path),
            old_path: None,
            operation: Operation::Added,
            modes: (None, None),
            content: Content::Text(vec![hunk]),
        })
    }

    #[test]
    fn a_migration_is_known_by_its_place_its_name_or_what_it_does() {
        let cases = [
            ("db/migrations/0001_x.sql", "SELECT 1;", Purpose::Migration),
            ("sql/V12__add.sql", "SELECT 1;", Purpose::Migration),
            ("sql/20240102_add.sql", "SELECT 1;", Purpose::Migration),
            ("db/migrations/2024-01-02-1/down.sql", "DROP TABLE t;", Purpose::Undo),
            ("db/1_x.down.sql", "DROP TABLE t;", Purpose::Undo),
            ("sql/U12__add.sql", "DROP TABLE t;", Purpose::Undo),
            ("upgrade.sql", "alter table t add c int;", Purpose::Script),
        ];
        for (path, added, expected) in cases {
            assert_eq!(purpose(path, added), expected, "{path}");
        }
        let others = [
            ("queries.sql", "DELETE FROM sessions;"),
            ("tests/migrations/1_x.sql", "DROP TABLE t;"),
            ("db/structure.sql", "ALTER TABLE t ADD c int;"),
            ("db/migrations/1_x.rb", "drop_table :t"),
            ("slowdown.sql", "SELECT 1;"),
        ];
        for (path, added) in others {
            assert!(matches!(purpose(path, added), Purpose::Other(_)), "{path}");
        }
    }

    #[test]
    fn a_file_with_both_ways_has_parts() {
        let text = "-- +goose Up\nCREATE TABLE t ();\n-- +goose Down\nDROP TABLE t;\n";
        assert_eq!(Parts::of(text), Some(Parts { up: 1, down: Some(4..=4) }));
        assert_eq!(Parts::of("-- migrate:up\nSELECT 1;\n"), Some(Parts { up: 1, down: None }));
        assert_eq!(Parts::of("SELECT 1;\n"), None);
    }

    #[test]
    fn the_way_back_stands_beside_the_way_there() {
        let undo = |path: &str| undo_path(&RepoPath::from(path));
        assert_eq!(undo("a/1_x.up.sql").as_deref(), Some("a/1_x.down.sql"));
        assert_eq!(undo("m/2024_x/up.sql").as_deref(), Some("m/2024_x/down.sql"));
        assert_eq!(undo("setup.sql"), None);
        assert_eq!(undo("V1__x.sql"), None);
    }
}
