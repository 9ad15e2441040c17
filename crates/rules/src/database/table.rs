//! The rules: what each finds, why it matters, and a change that shows it.

use review::Severity;

use crate::catalogue::{Example, Needs, Rule};

/// A migration as an example: a new file.
const fn migration(after: &'static str) -> Example {
    Example { path: "migrations/0002_change.sql", beside: &[], before: None, after }
}

/// One rule about statements; all of them read the whole file.
const fn rule(
    id: &'static str,
    category: &'static str,
    severity: Severity,
    summary: &'static str,
    reason: &'static str,
    bad: &'static str,
    good: &'static str,
) -> Rule {
    let (bad, good) = (migration(bad), migration(good));
    Rule { id, category, severity, summary, reason, needs: Needs::WholeFile, bad, good }
}

const LOCKING: &str = "database/locking";
const DATA_LOSS: &str = "database/data-loss";
/// Of what takes effect at once for programs that are running.
const CONTRACT: &str = "database/query";

/// The rules, by id.
pub(crate) const RULES: [Rule; 22] = [
    rule(
        "database/blocking-maintenance",
        LOCKING,
        Severity::Medium,
        "maintenance that locks a whole table out",
        "CLUSTER, VACUUM FULL, REINDEX, a plain REFRESH MATERIALIZED VIEW and a plain DETACH PARTITION hold a lock \
         that readers or writers wait for until all of the table has been worked through. CONCURRENTLY, where the \
         command has it, does the same beside them.",
        "REINDEX TABLE orders;\n",
        "REINDEX TABLE CONCURRENTLY orders;\n",
    ),
    rule(
        "database/concurrently-in-transaction",
        LOCKING,
        Severity::High,
        "CONCURRENTLY inside a transaction",
        "PostgreSQL refuses CREATE INDEX CONCURRENTLY inside a transaction, so this migration stops here with an \
         error. It has to stand outside, in a migration of its own.",
        "BEGIN;\nCREATE INDEX CONCURRENTLY orders_by_day ON orders (day);\nCOMMIT;\n",
        "CREATE INDEX CONCURRENTLY orders_by_day ON orders (day);\n",
    ),
    rule(
        "database/constraint-builds-index",
        LOCKING,
        Severity::Medium,
        "a constraint that builds its index under a lock",
        "Adding UNIQUE or PRIMARY KEY to a table builds the index while nobody can read or write the table. An index \
         that was created CONCURRENTLY first can be taken with USING INDEX, which is quick.",
        "ALTER TABLE accounts ADD CONSTRAINT accounts_email UNIQUE (email);\n",
        "CREATE UNIQUE INDEX CONCURRENTLY accounts_email ON accounts (email);\n\
         ALTER TABLE accounts ADD CONSTRAINT accounts_email UNIQUE USING INDEX accounts_email;\n",
    ),
    rule(
        "database/constraint-scans-table",
        LOCKING,
        Severity::Medium,
        "a constraint that is checked against every row under a lock",
        "Adding a CHECK or a FOREIGN KEY reads the whole table while writers wait, for a foreign key those of both \
         tables. NOT VALID holds for new rows at once, and VALIDATE CONSTRAINT in a later transaction reads the old \
         ones without stopping anybody.",
        "ALTER TABLE orders ADD CONSTRAINT orders_total CHECK (total >= 0);\n",
        "ALTER TABLE orders ADD CONSTRAINT orders_total CHECK (total >= 0) NOT VALID;\n",
    ),
    rule(
        "database/delete-all-rows",
        DATA_LOSS,
        Severity::High,
        "a DELETE without a WHERE",
        "Every row of the table goes. If that is meant, the history has no way back but a backup; if a condition was \
         forgotten, nobody notices until the rows are missed.",
        "DELETE FROM sessions;\n",
        "DELETE FROM sessions WHERE expires_at < now() - interval '30 days';\n",
    ),
    rule(
        "database/drop-column",
        DATA_LOSS,
        Severity::Medium,
        "a column is dropped",
        "What stands in the column is gone, and adding it again does not bring it back. A program that still names \
         it, such as the version that runs while this one is rolled out, fails on every query that does.",
        "ALTER TABLE users DROP COLUMN nickname;\n",
        "COMMENT ON COLUMN users.nickname IS 'not read since release 12, to be dropped with 14';\n",
    ),
    rule(
        "database/drop-database",
        DATA_LOSS,
        Severity::Critical,
        "a whole database or schema is dropped",
        "Everything in it goes, tables that this change does not name included. Only a backup brings it back.",
        "DROP SCHEMA billing CASCADE;\n",
        "ALTER SCHEMA billing RENAME TO billing_until_2026;\n",
    ),
    rule(
        "database/drop-not-null",
        CONTRACT,
        Severity::Low,
        "a column may be NULL from here on",
        "Programs that read the column were written when it always had a value. Once a row comes without one, they \
         meet a NULL that they have no case for.",
        "ALTER TABLE users ALTER COLUMN email DROP NOT NULL;\n",
        "ALTER TABLE users ALTER COLUMN email SET DEFAULT '';\n",
    ),
    rule(
        "database/drop-table",
        DATA_LOSS,
        Severity::Medium,
        "a table is dropped",
        "Its rows are gone, and creating it again does not bring them back. A program that still names it, such as \
         the version that runs while this one is rolled out, fails. Renaming it first and dropping it a release \
         later leaves a way back.",
        "DROP TABLE invoices;\n",
        "CREATE TABLE scratch (id bigint);\nDROP TABLE scratch;\n",
    ),
    rule(
        "database/index-not-concurrent",
        LOCKING,
        Severity::Medium,
        "an index is built while writers wait",
        "CREATE INDEX holds a lock against every INSERT, UPDATE and DELETE until the whole table has been read. \
         CREATE INDEX CONCURRENTLY lets them pass; it has to stand outside a transaction.",
        "CREATE INDEX orders_by_day ON orders (day);\n",
        "CREATE TABLE orders (id bigint, day date);\nCREATE INDEX orders_by_day ON orders (day);\n",
    ),
    rule(
        "database/index-drop-not-concurrent",
        LOCKING,
        Severity::Low,
        "an index is dropped under a lock on its table",
        "DROP INDEX waits for every query on the table and lets none start meanwhile: behind one long query all \
         others queue. DROP INDEX CONCURRENTLY does not.",
        "DROP INDEX orders_by_day;\n",
        "DROP INDEX CONCURRENTLY orders_by_day;\n",
    ),
    Rule {
        id: "database/no-way-back",
        category: DATA_LOSS,
        severity: Severity::Low,
        summary: "a migration without its way back",
        reason: "By its own form this migration should come with what undoes it, and that is missing or empty. When \
                 the release has to be taken back, somebody writes it then, in a hurry.",
        needs: Needs::Change,
        bad: migration("-- +goose Up\nCREATE TABLE tags (id bigint);\n"),
        good: migration("-- +goose Up\nCREATE TABLE tags (id bigint);\n-- +goose Down\nDROP TABLE tags;\n"),
    },
    rule(
        "database/rename-column",
        CONTRACT,
        Severity::Medium,
        "a column is renamed",
        "From this statement on, programs that use the old name fail: the version that runs while this one is rolled \
         out, and the one that is rolled back to. A second column, filled by both, lets them change one after the \
         other.",
        "ALTER TABLE users RENAME COLUMN name TO full_name;\n",
        "ALTER TABLE users ADD COLUMN full_name text;\n",
    ),
    rule(
        "database/rename-table",
        CONTRACT,
        Severity::Medium,
        "a table is renamed",
        "From this statement on, programs that use the old name fail: the version that runs while this one is rolled \
         out, and the one that is rolled back to. A view under the old name keeps them going.",
        "ALTER TABLE users RENAME TO accounts;\n",
        "CREATE VIEW accounts AS SELECT * FROM users;\n",
    ),
    rule(
        "database/required-column",
        CONTRACT,
        Severity::High,
        "a new column that must have a value and has no default",
        "On a table with rows the statement fails, since they have no value for it. On an empty one it succeeds, and \
         then every INSERT that does not know the column fails. A default, or NOT NULL added once the rows are \
         filled, avoids both.",
        "ALTER TABLE users ADD COLUMN locale text NOT NULL;\n",
        "ALTER TABLE users ADD COLUMN locale text NOT NULL DEFAULT 'en';\n",
    ),
    rule(
        "database/set-not-null",
        LOCKING,
        Severity::Medium,
        "NOT NULL is checked against every row under a lock",
        "SET NOT NULL reads the whole table while nobody can read or write it, and fails at the first NULL. A CHECK \
         (… IS NOT NULL) NOT VALID, validated in a transaction of its own, does the reading beside the traffic; \
         SET NOT NULL then believes it.",
        "ALTER TABLE users ALTER COLUMN email SET NOT NULL;\n",
        "ALTER TABLE users ADD CONSTRAINT email_there CHECK (email IS NOT NULL) NOT VALID;\n",
    ),
    rule(
        "database/table-rewrite",
        LOCKING,
        Severity::Medium,
        "the whole table is written anew under a lock",
        "A default that differs from row to row, a stored generated column, another tablespace, access method or \
         persistence: each makes PostgreSQL write every row again while nobody can read or write the table. Adding \
         the column without it and filling it in batches does not.",
        "ALTER TABLE users ADD COLUMN token uuid DEFAULT gen_random_uuid();\n",
        "ALTER TABLE users ADD COLUMN token uuid;\n",
    ),
    rule(
        "database/truncate",
        DATA_LOSS,
        Severity::High,
        "a table is emptied",
        "TRUNCATE removes every row without looking at any, and with CASCADE those of every table that refers to it. \
         Only a backup brings them back.",
        "TRUNCATE audit_log CASCADE;\n",
        "CREATE TEMPORARY TABLE staged (id bigint);\nTRUNCATE staged;\n",
    ),
    rule(
        "database/type-change",
        LOCKING,
        Severity::Medium,
        "a column's type is changed",
        "But for a few pairs of types, PostgreSQL writes the whole table and its indexes anew while nobody can read or \
         write it. Programs that expect the old type fail from then on. A second column that is filled in batches \
         avoids both.",
        "ALTER TABLE orders ALTER COLUMN total TYPE numeric(20, 4);\n",
        "ALTER TABLE orders ADD COLUMN total_exact numeric(20, 4);\n",
    ),
    rule(
        "database/unbalanced-transaction",
        DATA_LOSS,
        Severity::Low,
        "a transaction that is begun or ended once too often",
        "PostgreSQL warns and goes on. What was meant to be undone together is committed in pieces, or, where the end \
         is missing, not committed at all.",
        "BEGIN;\nCREATE TABLE tags (id bigint);\n",
        "BEGIN;\nCREATE TABLE tags (id bigint);\nCOMMIT;\n",
    ),
    rule(
        "database/update-all-rows",
        LOCKING,
        Severity::Medium,
        "one UPDATE writes every row of a table",
        "Every row is locked until the end of the transaction, whoever wants to change one waits, and the table takes \
         twice its space until it is vacuumed. On a large table batches of some thousand rows, each committed, do not \
         stop the traffic.",
        "UPDATE users SET locale = 'en';\n",
        "UPDATE users SET locale = 'en' WHERE id BETWEEN 1 AND 10000;\n",
    ),
    rule(
        "database/validate-in-transaction",
        LOCKING,
        Severity::Low,
        "a constraint is validated in the transaction that adds it",
        "NOT VALID spares the traffic only if VALIDATE CONSTRAINT comes in a later transaction: in the same one the \
         lock of the first statement is held while the second reads the table.",
        "BEGIN;\nALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT VALID;\n\
         ALTER TABLE orders VALIDATE CONSTRAINT total_positive;\nCOMMIT;\n",
        "ALTER TABLE orders VALIDATE CONSTRAINT total_positive;\n",
    ),
];
