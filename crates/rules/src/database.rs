//! Migrations in SQL: what their statements would lock, rewrite, lose or break, before they are run.
//!
//! Only PostgreSQL's SQL is read. A file in another dialect is said to be not covered: rules about locks that are
//! right for one database are wrong for the next. Statements that stand as text in functions or in `DO` blocks are
//! not looked at.

mod dialect;
mod file;
mod migration;
#[cfg(feature = "postgres")]
mod statements;
mod table;

use review::change::{Content, Operation};
use review::{FileChange, Lens};

pub(crate) use self::dialect::{Foreign, code};
use self::file::review;
use self::migration::Purpose;
use self::table::RULES;
use crate::catalogue::RuleInfo;
use crate::{BINARY, Family, Support};

/// The family.
pub(crate) const FAMILY: Family =
    Family { lens: Lens::Database, supports, reads_whole_files: true, review, catalogue };

fn supports(file: &FileChange) -> Support {
    match (&file.content, file.operation) {
        (Content::Binary, _) => Support::NotSupported(BINARY),
        (
            Content::Text(_) | Content::Nothing,
            Operation::Added
            | Operation::Deleted
            | Operation::Modified
            | Operation::Renamed
            | Operation::Copied,
        ) => match Purpose::of(file) {
            Purpose::Migration | Purpose::Undo | Purpose::Script => Support::Supported,
            Purpose::Other(reason) => Support::NotSupported(reason),
        },
    }
}

/// Its rules; none in a build without a parser for SQL.
fn catalogue() -> Vec<RuleInfo> {
    let rules: &[_] = if cfg!(feature = "postgres") { &RULES } else { &[] };
    rules.iter().map(RuleInfo::from).collect()
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;
    use crate::tests::changed;
    use crate::{ChangeFacts, Examined, FileReport, FileView, Parsing, RuleOptions, review_file};

    /// What the rules say of files that a change turns from one text into another.
    fn reports(files: &[(&str, Option<&str>, &str)]) -> Vec<FileReport> {
        let changes: Vec<_> =
            files.iter().map(|(path, before, after)| changed(path, *before, after)).collect();
        let facts = ChangeFacts::of(&changes);
        let views = changes.iter().zip(files).map(|(file, (_, before, after))| FileView {
            change: &facts,
            ..FileView::new(file, *before, Some(after))
        });
        views.map(|view| review_file(&view, &RuleOptions::default())).collect()
    }

    fn rules_of(report: &FileReport) -> Vec<(&str, u32)> {
        let place = |finding: &::review::Finding| finding.lines.map_or(0, |lines| lines.0);
        report.findings.iter().map(|one| (one.rule.as_deref().unwrap_or_default(), place(one))).collect()
    }

    fn not_covered(report: &FileReport) -> &str {
        match report.examined(Lens::Database) {
            Some(Examined::NotSupported(reason)) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_statements_on_added_lines_are_reported() {
        let before = "DROP TABLE a;\n\nALTER TABLE b\n  ADD COLUMN c text;\n";
        let after = "DROP TABLE a;\n\nALTER TABLE b\n  DROP COLUMN d,\n  ADD COLUMN c text;\n";
        let reports = reports(&[("migrations/1.sql", Some(before), after)]);
        assert_eq!(rules_of(&reports[0]), [("database/drop-column", 4)]);
        assert_eq!(reports[0].findings[0].quote, "  DROP COLUMN d,");
    }

    #[test]
    fn a_table_of_another_new_file_is_new_too() {
        let create = ("migrations/1.sql", None, "CREATE TABLE orders (day date);\n");
        let index = ("migrations/2.sql", None, "CREATE INDEX by_day ON orders (day);\n");
        assert_eq!(rules_of(&reports(&[create, index])[1]), []);
        assert_eq!(rules_of(&reports(&[index])[0]), [("database/index-not-concurrent", 1)]);
    }

    #[test]
    fn what_undoes_a_migration_may_drop_what_it_made() {
        let reports = reports(&[
            ("migrations/1_x.up.sql", None, "CREATE TABLE t (id bigint);\n"),
            ("migrations/1_x.down.sql", None, "DROP TABLE t;\n"),
            ("migrations/2_x/up.sql", None, "CREATE TABLE u (id bigint);\n"),
            ("migrations/3_x.up.sql", None, "CREATE TABLE v (id bigint);\n"),
            ("migrations/3_x.down.sql", None, "-- nothing to do\n"),
            ("migrations/4.sql", None, "-- migrate:up\nCREATE TABLE w ();\n-- migrate:down\nDROP TABLE w;\n"),
            ("migrations/5.sql", None, "-- migrate:up\nCREATE TABLE x ();\n-- migrate:down\n"),
        ]);
        let found: Vec<_> = reports.iter().map(rules_of).collect();
        let no_way_back = |line| vec![("database/no-way-back", line)];
        assert_eq!(found, [vec![], vec![], no_way_back(1), vec![], no_way_back(1), vec![], no_way_back(1)]);
    }

    #[test]
    fn another_dialect_is_said_to_be_not_covered() {
        let drop = "DROP TABLE users;\n";
        let cases = [
            ("migrations/mysql/1.sql", drop, "this looks like MySQL"),
            ("migrations/1.sql", "DROP TABLE `users`;\n", "this looks like MySQL"),
            ("migrations/1.sql", "PRAGMA foreign_keys = OFF;\nDROP TABLE users;\n", "this looks like SQLite"),
            ("migrations/1.sql", "COMMENT ON TABLE t IS 'see `u`';\n{{ x }}\n", "line 2 is not its SQL"),
            ("migrations/1.sql", "DROP TABLE users;\nMOVE COLUMN x;\n{{ x }}\n", "line 2 is not its SQL"),
            ("migrations/1.sql", "ALTER TABLE t ADD COLUMN made DATETIME;\n", "this looks like MySQL"),
        ];
        for (path, text, reason) in cases {
            let report = &reports(&[(path, None, text)])[0];
            assert_eq!(rules_of(report), [], "{text}");
            assert!(not_covered(report).ends_with(reason), "{} for {text}", not_covered(report));
        }
        let told_by_its_neighbour =
            reports(&[("m/migrations/1.sql", None, drop), ("m/migrations/2.sql", None, "PRAGMA x;\n")]);
        assert!(not_covered(&told_by_its_neighbour[0]).ends_with("this looks like SQLite"));
    }

    #[test]
    fn with_only_a_diff_a_new_file_is_whole_and_a_changed_one_is_not() {
        let text = "DROP TABLE users;\n";
        let new = changed("migrations/1.sql", None, text);
        let report = review_file(&FileView::new(&new, None, None), &RuleOptions::default());
        assert_eq!(rules_of(&report), [("database/drop-table", 1)]);
        let old = changed("migrations/1.sql", Some("SELECT 1;\n"), &format!("SELECT 1;\n{text}"));
        let report = review_file(&FileView::new(&old, None, None), &RuleOptions::default());
        assert_eq!(not_covered(&report), "reading SQL needs the whole file, and only the diff is here");
    }

    #[test]
    fn sql_that_no_parser_should_see_is_said_to_be_unread() {
        let deep = format!("SELECT {}1{};\n", "(".repeat(10_000), ")".repeat(10_000));
        let endless = format!("SELECT {}1;\n", "1 + ".repeat(10_000));
        let nots = format!("SELECT {}true;\n", "NOT ".repeat(10_000));
        for text in [deep, endless, nots] {
            let report = &reports(&[("migrations/1.sql", None, text.as_str())])[0];
            assert!(matches!(report.examined(Lens::Database), Some(Examined::Failed(_))), "{}", &text[..20]);
        }
        let file = changed("migrations/1.sql", None, "DROP TABLE users;\n");
        let view = FileView { parsing: Parsing::OverBudget, ..FileView::new(&file, None, None) };
        let report = review_file(&view, &RuleOptions::default());
        assert!(matches!(report.examined(Lens::Database), Some(Examined::Failed(_))));
    }

    #[test]
    fn sql_up_to_the_limits_fits_the_stack() {
        let worker = std::thread::Builder::new().stack_size(256 * 1024).spawn(|| {
            for (open, inner, close) in
                [("(", "1", ")"), ("ARRAY[", "1", "]"), ("(SELECT ", "1", ")"), ("f(", "1", ")")]
            {
                let depth = 495;
                let text = format!("SELECT {}{inner}{};\n", open.repeat(depth), close.repeat(depth));
                assert!(reports(&[("migrations/1.sql", None, text.as_str())]).len() == 1);
            }
            for motif in ["NOT ", "1 + ", "a AND ", "- "] {
                let text = format!("SELECT {}1;\n", motif.repeat(1_990));
                assert!(reports(&[("migrations/1.sql", None, text.as_str())]).len() == 1);
            }
        });
        worker.expect("a thread can be started").join().expect("no overflow, no panic");
    }
}
