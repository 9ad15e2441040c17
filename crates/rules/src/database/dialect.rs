//! Which database a file of SQL is written for, as far as it tells.

use std::sync::LazyLock;

use regex::RegexSet;
use review::RepoPath;

/// A dialect that the rules do not cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// ClickHouse.
    ClickHouse,
    /// MySQL or MariaDB.
    MySql,
    /// Oracle.
    Oracle,
    /// SQLite, and what is made of it (D1, libSQL).
    Sqlite,
    /// Microsoft SQL Server.
    SqlServer,
}

/// What no other dialect has, by dialect. A form that several share (`DATETIME`) stands with the most common one: that
/// it is not PostgreSQL's is what matters.
const TELLS: [(Foreign, &str); 5] = [
    (
        Foreign::ClickHouse,
        r"(?i)\bENGINE\s*=\s*\w*MergeTree|\bLowCardinality\s*\(|\bNullable\s*\(|\bON\s+CLUSTER\b",
    ),
    (
        Foreign::MySql,
        r"(?i)\bENGINE\s*=|\bAUTO_INCREMENT\b|\bUNSIGNED\b|\b(?:TINY|MEDIUM|LONG)(?:TEXT|BLOB|INT)\b|\bMODIFY\s+COLUMN\b|`\w+`|\bON\s+UPDATE\s+CURRENT_TIMESTAMP\b|\bDATETIME\b",
    ),
    (Foreign::Oracle, r"(?i)\bN?VARCHAR2\b|\bNUMBER\s*\(\s*\d|\bSYSDATE\b|\bPCTFREE\b"),
    (
        Foreign::Sqlite,
        r"(?i)\bAUTOINCREMENT\b|\bWITHOUT\s+ROWID\b|\bINSERT\s+OR\s+(?:IGNORE|REPLACE)\b|\bPRAGMA\s|\bsqlite_\w|\bstrftime\s*\(|\bjulianday\s*\(|\b(?:date)?time\s*\(\s*'now'|\bBLOB\b",
    ),
    (
        Foreign::SqlServer,
        r"(?im)^\s*GO\s*$|\bNVARCHAR\b|\[dbo\]|\bIDENTITY\s*\(\s*\d|\bsp_rename\b|\bGETDATE\s*\(|\bUNIQUEIDENTIFIER\b",
    ),
];

static TELL_SET: LazyLock<RegexSet> =
    LazyLock::new(|| RegexSet::new(TELLS.map(|(_, pattern)| pattern)).expect("a test compiles the patterns"));

/// Parts of paths that name a database.
const NAMES: [(&str, Foreign); 9] = [
    ("clickhouse", Foreign::ClickHouse),
    ("mysql", Foreign::MySql),
    ("mariadb", Foreign::MySql),
    ("oracle", Foreign::Oracle),
    ("sqlite", Foreign::Sqlite),
    ("libsql", Foreign::Sqlite),
    ("mssql", Foreign::SqlServer),
    ("sqlserver", Foreign::SqlServer),
    ("sql-server", Foreign::SqlServer),
];

impl Foreign {
    /// The dialect that a text of SQL gives away. Comments should not be in it.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        TELL_SET.matches(text).iter().next().map(|index| TELLS[index].0)
    }

    /// The dialect that a path names, unless it names PostgreSQL too.
    pub(crate) fn of_path(path: &RepoPath) -> Option<Self> {
        let path = path.as_str().to_ascii_lowercase();
        if path.contains("postgres") {
            return None;
        }
        NAMES.iter().find(|(name, _)| path.contains(name)).map(|(_, dialect)| *dialect)
    }

    /// Its name, for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ClickHouse => "ClickHouse",
            Self::MySql => "MySQL",
            Self::Oracle => "Oracle",
            Self::Sqlite => "SQLite",
            Self::SqlServer => "SQL Server",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_is_told_by_what_only_it_has() {
        let cases = [
            ("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY)", Some(Foreign::MySql)),
            ("CREATE TABLE `t` (id INT)", Some(Foreign::MySql)),
            ("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)", Some(Foreign::Sqlite)),
            ("PRAGMA foreign_keys = OFF;", Some(Foreign::Sqlite)),
            ("CREATE TABLE t (name NVARCHAR(20))", Some(Foreign::SqlServer)),
            ("CREATE TABLE t (name VARCHAR2(20))", Some(Foreign::Oracle)),
            ("CREATE TABLE t (n UInt64) ENGINE = MergeTree", Some(Foreign::ClickHouse)),
            ("CREATE TABLE t (id bigserial PRIMARY KEY, made timestamptz, body jsonb)", None),
            ("ALTER TABLE t ADD COLUMN engine text", None),
        ];
        for (text, dialect) in cases {
            assert_eq!(Foreign::of_text(text), dialect, "{text}");
        }
    }

    #[test]
    fn a_path_may_name_the_database() {
        let cases = [
            ("migrations/sqlite/0001_init.sql", Some(Foreign::Sqlite)),
            ("db/MySQL/V1__init.sql", Some(Foreign::MySql)),
            ("migrations/postgres/0002_move_from_mysql.sql", None),
            ("migrations/0001_init.sql", None),
        ];
        for (path, dialect) in cases {
            assert_eq!(Foreign::of_path(&RepoPath::from(path)), dialect, "{path}");
        }
    }
}
