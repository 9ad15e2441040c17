//! Which database a file of SQL is written for, as far as it tells.

use std::sync::LazyLock;

use code::MAX_SOURCE_BYTES;
use regex::RegexSet;
use review::RepoPath;

use crate::place;

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
    /// The dialect that a text of SQL gives away, by what is neither a comment nor a string. Of a long text only the
    /// start is looked at.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let text = &text[..place::floor(text, text.len().min(MAX_SOURCE_BYTES))];
        TELL_SET.matches(&code(text)).iter().next().map(|index| TELLS[index].0)
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

/// A text of SQL without its comments and strings, in any dialect: what is between `'` and `'`, or `$x$` and `$x$`, is a
/// string. A quote that nothing closes is a quote: the text may begin in the middle of a file.
pub(crate) fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    // What was looked for in vain once is not behind any later place either.
    let (mut no_quote, mut no_comment_end) = (false, false);
    let mut tags_left = MAX_OPEN_TAGS;
    while let Some(at) = rest.find(['-', '/', '\'', '$']) {
        let (before, found) = rest.split_at(at);
        code.push_str(before);
        let end = if found.starts_with("--") {
            Some(found.find('\n').unwrap_or(found.len()))
        } else if found.starts_with("/*") && !no_comment_end {
            let end = found.find("*/").map(|end| end + 2);
            no_comment_end = end.is_none();
            end
        } else if found.starts_with('\'') && !no_quote {
            let end = found[1..].find('\'').map(|end| end + 2);
            no_quote = end.is_none();
            end
        } else if tags_left > 0 {
            let end = dollar_quoted(found);
            tags_left -= usize::from(end.is_none());
            end
        } else {
            None
        };
        let end = end.unwrap_or_else(|| {
            code.push_str(&found[..1]);
            1
        });
        rest = &found[end..];
    }
    code + rest
}

/// The longest tag of a string in dollars that is believed.
const MAX_TAG_BYTES: usize = 64;

/// How many dollars may start no string before none is believed to: each costs a look through the rest of the text.
const MAX_OPEN_TAGS: usize = 100;

/// Where a string in dollars ends that starts here. Its body counts as code where nothing ends it.
fn dollar_quoted(text: &str) -> Option<usize> {
    let tag_end = text.bytes().skip(1).take(MAX_TAG_BYTES).position(|byte| byte == b'$')? + 2;
    let tag = &text[..tag_end];
    let is_tag = text.starts_with('$')
        && tag[1..tag_end - 1].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_tag {
        return None;
    }
    text[tag_end..].find(tag).map(|end| tag_end + end + tag_end)
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
    fn comments_and_strings_are_no_code() {
        let cases = [
            ("a -- `b`\nc", "a \nc"),
            ("a /* `b`\n */ c", "a  c"),
            ("a '`b`' c", "a  c"),
            ("a 'it''s' c", "a  c"),
            ("a $$ `b` $$ c $x$ `d` $x$ e", "a  c  e"),
            ("it's - a / $1 $", "it's - a / $1 $"),
            ("/* open", "/* open"),
        ];
        for (text, expected) in cases {
            assert_eq!(code(text), expected, "{text}");
        }
        let hostile = ["'", "$a$", "/*", "-", "$", "$ä"].map(|motif| motif.repeat(200_001));
        assert!(hostile.iter().all(|text| code(text).len() <= text.len()));
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
