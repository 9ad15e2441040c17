//! What the statements of a migration would do, found on PostgreSQL's syntax tree.
//!
//! The parser and the rules that need knowledge of PostgreSQL's locks are squawk's; its types do not leave this file.
//! Which of its rules count, under which id and how bad, is decided here and in [`super::table`].

use std::collections::BTreeSet;
use std::ops::Range;

use review::Severity;
use squawk_linter::{Linter, Rule as Lint, Violation};
use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{Parse, SourceFile, SyntaxNode};

use super::file::{Deed, Statements, Unread};
use crate::change_facts::table_key;

/// The stack that parsing is given. The parser and the tree call themselves once a level, and the texts that
/// [`code::is_bounded`] lets pass need a quarter of this. What is not used is never taken from memory.
const STACK_BYTES: usize = 128 * 1024 * 1024;

/// Reads a text of SQL. `is_created` tells of a table whether another file of the change creates it.
pub(crate) fn read(text: &str, is_created: &(dyn Fn(&str) -> bool + Sync)) -> Result<Statements, Unread> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        let reader = thread.spawn_scoped(scope, || read_tree(text, is_created));
        // The parser asserts what it believes, and its input is a stranger's text: a broken belief must cost this
        // file, not the review.
        reader.map_or(Err(Unread::Parser), |reader| reader.join().unwrap_or(Err(Unread::Parser)))
    })
}

fn read_tree(text: &str, is_created: &dyn Fn(&str) -> bool) -> Result<Statements, Unread> {
    // The linter obeys orders in comments. A change must not switch off its own review: the orders lose their name.
    let text = text.replace("squawk-", "squawk_");
    let parse = SourceFile::parse(&text);
    if let Some(error) = parse.errors().first() {
        return Err(Unread::NotPostgres { at: usize::from(error.range().start()) });
    }
    let known = Known::of(&parse, is_created);
    let mut deeds = own_deeds(&parse, &known);
    let violations = Linter::from(LINTS.map(|(lint, _)| lint)).lint(&parse, &text);
    deeds.extend(violations.iter().filter_map(|violation| deed_of(violation, &text, &known)));
    // A constraint that builds an index cannot be NOT VALID, and one statement is one deed of a kind.
    let builds: Vec<_> = deeds.iter().filter(|deed| deed.rule == BUILDS_INDEX).cloned().collect();
    deeds.retain(|deed| {
        deed.rule != SCANS_TABLE || builds.iter().all(|other| !overlap(&deed.bytes, &other.bytes))
    });
    deeds.sort_by_key(|deed| (deed.bytes.start, deed.rule));
    deeds.dedup_by(|next, kept| next.rule == kept.rule && overlap(&next.bytes, &kept.bytes));
    Ok(Statements { deeds, starts: known.statements.iter().map(|known| known.bytes.start).collect() })
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

const BUILDS_INDEX: &str = "database/constraint-builds-index";
const SCANS_TABLE: &str = "database/constraint-scans-table";
const VALIDATES: &str = "database/validate-in-transaction";

/// The linter's rules that count, and ours that they stand for. The others are matters of style, or would be said of
/// almost every migration.
const LINTS: [(Lint, &str); 20] = [
    (Lint::AddingFieldWithDefault, "database/table-rewrite"),
    (Lint::AddingForeignKeyConstraint, SCANS_TABLE),
    (Lint::AddingNotNullableField, "database/set-not-null"),
    (Lint::AddingRequiredField, "database/required-column"),
    (Lint::AddingSerialPrimaryKeyField, BUILDS_INDEX),
    (Lint::BanConcurrentIndexCreationInTransaction, "database/concurrently-in-transaction"),
    (Lint::BanDropColumn, "database/drop-column"),
    (Lint::BanDropDatabase, "database/drop-database"),
    (Lint::BanDropNotNull, "database/drop-not-null"),
    (Lint::BanUncommittedTransaction, "database/unbalanced-transaction"),
    (Lint::ChangingColumnType, "database/type-change"),
    (Lint::ConstraintMissingNotValid, SCANS_TABLE),
    (Lint::DisallowedUniqueConstraint, BUILDS_INDEX),
    (Lint::RenamingColumn, "database/rename-column"),
    (Lint::RenamingTable, "database/rename-table"),
    (Lint::RequireConcurrentIndexCreation, "database/index-not-concurrent"),
    (Lint::RequireConcurrentIndexDeletion, "database/index-drop-not-concurrent"),
    (Lint::RequireConcurrentPartitionDetach, "database/blocking-maintenance"),
    (Lint::RequireConcurrentReindex, "database/blocking-maintenance"),
    (Lint::TransactionNesting, "database/unbalanced-transaction"),
];

/// What the linter found, under our id; nothing where it is about what the same change creates.
fn deed_of(violation: &Violation, text: &str, known: &Known) -> Option<Deed> {
    let bytes = usize::from(violation.text_range.start())..usize::from(violation.text_range.end());
    if known.statement_at(bytes.start).is_some_and(|statement| statement.is_about_new) {
        return None;
    }
    if violation.code == Lint::AddingFieldWithDefault && is_same_for_all_rows(&text[bytes.clone()]) {
        return None;
    }
    let rule = LINTS.iter().find(|(lint, _)| *lint == violation.code).map(|(_, rule)| *rule)?;
    let words = text[bytes.clone()].to_ascii_lowercase();
    let rule = if rule == SCANS_TABLE && words.starts_with("validate") { VALIDATES } else { rule };
    let severity = match rule {
        // From a limited text to an unlimited one nothing is written; from what, the statement does not say.
        "database/type-change" if !words.contains(" using ") && is_unlimited_text(&words) => {
            Some(Severity::Low)
        }
        // Whoever drops a constraint behind it has, as a rule, had it checked beforehand and lets go of the proof.
        "database/set-not-null" if known.drops_constraint_behind(bytes.start) => Some(Severity::Low),
        // Added with the column, and without a default, there is nothing to check: only the lock is left.
        SCANS_TABLE if words.starts_with("references") && !known.has_default_at(bytes.start) => {
            Some(Severity::Low)
        }
        _ => None,
    };
    Some(Deed { rule, bytes, severity })
}

/// Functions that the linter takes for volatile when they are given arguments, and that are not: PostgreSQL evaluates them
/// once and writes no row.
const STABLE_FUNCTIONS: [&str; 16] = [
    "coalesce",
    "concat",
    "date_trunc",
    "format",
    "greatest",
    "jsonb_build_array",
    "jsonb_build_object",
    "least",
    "lower",
    "make_date",
    "make_interval",
    "nullif",
    "timezone",
    "to_date",
    "to_timestamp",
    "upper",
];

/// Whether a default calls nothing but functions that give the same for all rows.
fn is_same_for_all_rows(default: &str) -> bool {
    let calls = default.match_indices('(').map(|(at, _)| {
        let before = default[..at].trim_end();
        let start = before.rfind(|end: char| !end.is_alphanumeric() && end != '_').map_or(0, |end| end + 1);
        before[start..].to_ascii_lowercase()
    });
    let called: Vec<String> = calls.filter(|name| !name.is_empty()).collect();
    !called.is_empty() && called.iter().all(|name| STABLE_FUNCTIONS.contains(&name.as_str()))
}

/// Whether `[SET DATA] TYPE …` names a type of text without a limit.
fn is_unlimited_text(words: &str) -> bool {
    let kind = words.rsplit("type").next().unwrap_or_default().trim();
    matches!(kind, "text" | "varchar" | "character varying")
}

/// What the statements before a statement, and the other files of the change, have made.
struct Known {
    statements: Vec<KnownStatement>,
}

struct KnownStatement {
    node: SyntaxNode,
    bytes: Range<usize>,
    /// Whether all that it is about was made by this change.
    is_about_new: bool,
    /// Columns without a default that statements before it add to its table: NULL in every row.
    empty_columns: Vec<String>,
}

impl KnownStatement {
    /// Whether a condition holds for all rows because it asks for what a new column is: NULL.
    fn fills_new_column(&self, condition: &SyntaxNode) -> bool {
        let words = condition.to_string().replace('"', "").to_lowercase();
        let words: Vec<&str> =
            words.split(|end: char| end.is_whitespace() || matches!(end, '.' | '(' | ')')).collect();
        words
            .windows(3)
            .any(|three| three[1..] == ["is", "null"] && self.empty_columns.iter().any(|it| it == three[0]))
    }
}

impl Known {
    fn of(parse: &Parse<SourceFile>, is_created: &dyn Fn(&str) -> bool) -> Self {
        let (mut tables, mut indexes) = (BTreeSet::new(), BTreeSet::new());
        let mut empty_columns: Vec<(String, String)> = Vec::new();
        let statements = parse.tree().stmts().map(|statement| {
            let node = statement.syntax().clone();
            let is_new_table = |table: &String| tables.contains(table) || is_created(table);
            let is_about_new = match &statement {
                ast::Stmt::DropIndex(drop) => {
                    let mut dropped = drop.index_refs().map(|index| table_key(&index.syntax().to_string()));
                    dropped.all(|index| indexes.contains(&index))
                }
                ast::Stmt::DropTable(_) | ast::Stmt::Truncate(_) => tables_in(&node).iter().all(is_new_table),
                _ => tables_in(&node).first().is_some_and(is_new_table),
            };
            let table = tables_in(&node).into_iter().next().unwrap_or_default();
            let of_table = empty_columns.iter().filter(|(of, _)| *of == table);
            let empty = of_table.map(|(_, column)| column.clone()).collect();
            let name = |named: Option<SyntaxNode>| named.map(|named| table_key(&named.to_string()));
            match &statement {
                ast::Stmt::CreateTable(create) => {
                    tables.extend(name(create.table_name().map(|name| name.syntax().clone())));
                }
                ast::Stmt::CreateTableAs(create) => {
                    tables.extend(name(create.table_name().map(|name| name.syntax().clone())));
                }
                ast::Stmt::SelectInto(_) => {
                    let into = node.descendants().find_map(ast::TableName::cast);
                    tables.extend(name(into.map(|name| name.syntax().clone())));
                }
                ast::Stmt::AlterTable(_) => {
                    let added = node.descendants().filter_map(ast::AddColumn::cast);
                    let added = added.filter(|column| !has_default(column));
                    let names = added.filter_map(|column| Some(column.column_name()?.syntax().to_string()));
                    empty_columns.extend(names.map(|name| (table.clone(), table_key(&name))));
                }
                ast::Stmt::CreateIndex(create) => {
                    indexes.extend(name(create.index().map(|index| index.syntax().clone())));
                }
                _ => {}
            }
            let bytes = start_of(&node)..usize::from(node.text_range().end());
            KnownStatement { node, bytes, is_about_new, empty_columns: empty }
        });
        Self { statements: statements.collect() }
    }

    fn statement_at(&self, byte: usize) -> Option<&KnownStatement> {
        let behind = self.statements.partition_point(|statement| statement.bytes.start <= byte);
        self.statements[..behind].last().filter(|statement| statement.bytes.contains(&byte))
    }

    /// Whether a statement behind a place drops a constraint of the table that the place is about.
    fn drops_constraint_behind(&self, byte: usize) -> bool {
        let Some(here) = self.statement_at(byte) else { return false };
        let table = tables_in(&here.node).into_iter().next();
        let mut behind = self.statements.iter().filter(|statement| statement.bytes.start >= here.bytes.start);
        behind.any(|statement| {
            tables_in(&statement.node).into_iter().next() == table
                && statement.node.descendants().any(|node| ast::DropConstraint::can_cast(node.kind()))
        })
    }

    /// Whether the column that a place is about is added with a default.
    fn has_default_at(&self, byte: usize) -> bool {
        let Some(statement) = self.statement_at(byte) else { return false };
        let contains = |node: &SyntaxNode| {
            let range = node.text_range();
            usize::from(range.start()) <= byte && byte < usize::from(range.end())
        };
        let mut columns = statement.node.descendants().filter_map(ast::AddColumn::cast);
        columns.any(|column| contains(column.syntax()) && has_default(&column))
    }
}

fn has_default(column: &ast::AddColumn) -> bool {
    column.constraints().any(|one| matches!(one, ast::Constraint::DefaultConstraint(_)))
}

/// The tables that a statement names, in its order.
fn tables_in(statement: &SyntaxNode) -> Vec<String> {
    let name = |node: SyntaxNode| {
        let path = ast::TableNameRef::cast(node.clone())
            .map(|name| name.syntax().to_string())
            .or_else(|| ast::RelationNameRef::cast(node).map(|name| name.syntax().to_string()));
        path.map(|path| table_key(&path))
    };
    statement.descendants().filter_map(name).collect()
}

/// Where a node begins, comments before it left out.
fn start_of(node: &SyntaxNode) -> usize {
    let first = node.children_with_tokens().find(|element| !element.kind().is_trivia());
    usize::from(first.map_or(node.text_range(), |first| first.text_range()).start())
}

/// What the linter has no rule for, or one that says less.
fn own_deeds(parse: &Parse<SourceFile>, known: &Known) -> Vec<Deed> {
    let mut deeds = Vec::new();
    for (statement, known) in parse.tree().stmts().zip(&known.statements) {
        let rule = match &statement {
            ast::Stmt::DropTable(_) => Some("database/drop-table"),
            ast::Stmt::DropSchema(_) => Some("database/drop-database"),
            ast::Stmt::Truncate(_) => Some("database/truncate"),
            ast::Stmt::Delete(delete) => {
                let is_limited =
                    delete.where_clause_or_current_of().is_some() || delete.using_clause().is_some();
                (!is_limited).then_some("database/delete-all-rows")
            }
            ast::Stmt::Update(update) => {
                let condition = update.where_clause_or_current_of();
                let is_limited = match &condition {
                    Some(condition) => !known.fills_new_column(condition.syntax()),
                    None => update.from_clause().is_some(),
                };
                (!is_limited).then_some("database/update-all-rows")
            }
            ast::Stmt::Cluster(_) => Some("database/blocking-maintenance"),
            ast::Stmt::Vacuum(vacuum) => {
                let words = vacuum.syntax().to_string().to_ascii_lowercase();
                words
                    .split(|end: char| !end.is_alphanumeric())
                    .any(|word| word == "full")
                    .then_some("database/blocking-maintenance")
            }
            ast::Stmt::Refresh(refresh) => {
                refresh.concurrently_token().is_none().then_some("database/blocking-maintenance")
            }
            ast::Stmt::AlterTable(alter) => {
                let rewrites = alter.actions().any(|action| {
                    matches!(
                        action,
                        ast::AlterTableAction::SetLogged(_)
                            | ast::AlterTableAction::SetUnlogged(_)
                            | ast::AlterTableAction::SetTablespace(_)
                            | ast::AlterTableAction::SetAccessMethod(_)
                    )
                });
                rewrites.then_some("database/table-rewrite")
            }
            _ => None,
        };
        if let Some(rule) = rule.filter(|_| !known.is_about_new) {
            deeds.push(Deed { rule, bytes: known.bytes.clone(), severity: None });
        }
    }
    deeds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<&'static str> {
        let statements = read(text, &|table| table == "elsewhere").expect("PostgreSQL's SQL");
        statements.deeds.into_iter().map(|deed| deed.rule).collect()
    }

    #[test]
    fn a_table_that_the_change_creates_is_no_risk() {
        let create = "CREATE TABLE t (id bigint, name text);";
        for statement in [
            "CREATE INDEX i ON t (name);",
            "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0);",
            "ALTER TABLE public.t ADD PRIMARY KEY (id);",
            "ALTER TABLE t ALTER COLUMN name SET NOT NULL;",
            "ALTER TABLE t ADD COLUMN made date NOT NULL;",
            "UPDATE t SET name = '';",
            "DELETE FROM t;",
            "DROP TABLE t;",
            "TRUNCATE t;",
        ] {
            assert_eq!(rules(statement).len(), 1, "{statement}");
            assert_eq!(rules(&format!("{create}\n{statement}")), [""; 0], "{statement}");
            let other = statement
                .replace("public.t", "t")
                .replace(" t ", " elsewhere ")
                .replace(" t;", " elsewhere;");
            assert_eq!(rules(&other), [""; 0], "{other}");
        }
        assert_eq!(rules(&format!("DROP TABLE t;\n{create}")), ["database/drop-table"]);
        assert_eq!(rules(&format!("{create}\nDROP TABLE t, u;")), ["database/drop-table"]);
        assert_eq!(rules("CREATE INDEX CONCURRENTLY i ON t (a);\nDROP INDEX i;"), [""; 0]);
    }

    #[test]
    fn one_constraint_is_one_deed() {
        let cases = [
            ("ALTER TABLE t ADD CONSTRAINT u UNIQUE (a);", BUILDS_INDEX),
            ("ALTER TABLE t ADD PRIMARY KEY (id);", BUILDS_INDEX),
            ("ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u (id);", SCANS_TABLE),
        ];
        for (text, rule) in cases {
            assert_eq!(rules(text), [rule], "{text}");
        }
        let added = read("ALTER TABLE t ADD COLUMN a bigint REFERENCES u (id);", &|_| false).expect("SQL");
        assert_eq!(added.deeds[0].severity, Some(Severity::Low));
    }

    #[test]
    fn a_default_that_is_the_same_for_all_rows_rewrites_nothing() {
        let cases = [
            ("to_timestamp(0)", 0),
            ("lower(concat('A', 'b'))", 0),
            ("now()", 0),
            ("gen_random_uuid()", 1),
            ("lower(random_name())", 1),
            ("(random() * 10)", 1),
        ];
        for (default, deeds) in cases {
            let text = format!("ALTER TABLE t ADD COLUMN c text DEFAULT {default};");
            assert_eq!(rules(&text).len(), deeds, "{default}");
        }
    }

    #[test]
    fn a_new_column_is_filled_in_every_row() {
        let add = "ALTER TABLE t ADD COLUMN c text;";
        let cases = [
            ("UPDATE t SET c = 'x' WHERE c IS NULL;", 1),
            ("UPDATE public.t AS o SET c = u.c FROM u WHERE o.\"c\" IS NULL AND u.id = o.id;", 1),
            ("UPDATE t SET c = 'x' WHERE d IS NULL;", 0),
            ("UPDATE t SET c = 'x' WHERE id < 1000;", 0),
            ("UPDATE u SET c = 'x' WHERE c IS NULL;", 0),
        ];
        for (update, deeds) in cases {
            assert_eq!(rules(&format!("{add}\n{update}")).len(), deeds, "{update}");
            assert_eq!(rules(update), [""; 0], "{update}");
        }
    }

    #[test]
    fn not_null_is_less_of_a_risk_where_its_proof_is_let_go() {
        let set = "ALTER TABLE t ALTER COLUMN c SET NOT NULL;";
        let severity = |text: &str| read(text, &|_| false).expect("SQL").deeds[0].severity;
        assert_eq!(severity(set), None);
        assert_eq!(severity(&format!("{set}\nALTER TABLE t DROP CONSTRAINT c_there;")), Some(Severity::Low));
        assert_eq!(severity(&format!("{set}\nALTER TABLE u DROP CONSTRAINT c_there;")), None);
    }

    #[test]
    fn an_order_to_the_linter_in_a_comment_is_not_obeyed() {
        assert_eq!(rules("-- squawk-ignore-file\nDROP TABLE t;"), ["database/drop-table"]);
        let text = "-- squawk-ignore ban-drop-column\nALTER TABLE t DROP COLUMN c;";
        assert_eq!(rules(text), ["database/drop-column"]);
    }

    #[test]
    fn what_is_not_postgresql_is_told_with_its_place() {
        for text in
            ["CREATE TABLE `t` (id int);", "SELECT 1;\nCREATE TABLE t (id int) ENGINE=InnoDB;", "{% if x %}"]
        {
            assert!(matches!(read(text, &|_| false), Err(Unread::NotPostgres { .. })), "{text}");
        }
    }
}
