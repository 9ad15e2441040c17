//! Tests of risk and reversibility.

use super::*;
use crate::{Gap, GapKind};
use Reversibility::{Costly, Irreversible, Reversible};
use Risk::{High, Low, Medium};

#[test]
fn risk_follows_from_what_changed() {
    for (path, lines, risk) in [
        ("README.md", "+a", Low),
        ("tests/a.rs", "+a()", Low),
        ("tests/a.py", "+x = eval(text)", Medium),
        ("src/a.rs", "+a()", Medium),
        ("config.toml", "+a = 1", Medium),
        ("Cargo.lock", "+a", Medium),
        ("package.json", "+\"a\": \"1\"", Medium),
        ("package.json", "+  \"postinstall\": \"node a.js\"", High),
        ("package.json", "+  \"a\": \"git+ssh://example.org/a.git\"", High),
        ("package.json", "+  \"homepage\": \"https://example.org\"", Medium),
        ("go.mod", "+\texample.org/a => ../a", High),
        ("Gemfile", "+gem 'a', :require => false", Medium),
        ("Cargo.toml", "+repository = \"https://example.org/a.git\"", Medium),
        ("src/a.py", "+api_key = read()", Medium),
        ("src/auth/a.py", "+a()", High),
        ("db/migrate/1.sql", "+select 1;", High),
        (".github/workflows/a.yml", "+on: push", High),
        ("Makefile", "+a: b", Medium),
        ("Dockerfile", "+RUN true", High),
        ("api/openapi.json", "+{}", High),
        ("src/a.rs", "-pub fn a() {", Medium),
        ("AGENTS.md", "+a", High),
        ("tests/AGENTS.md", "+a", High),
        ("prompts/a.txt", "+a", Medium),
    ] {
        let classification = classify(&change(&[(path, lines)]), &RULES);
        assert_eq!(classification.risk, risk, "{path}\n{lines}\n{:?}", classification.risk_reasons);
        assert_eq!(classification.files[0].risk, risk, "{path}");
        assert!(!classification.risk_reasons.is_empty(), "{path}");
    }
}

#[test]
fn the_worst_file_sets_the_risk_and_is_named() {
    let classification = classified(&[("README.md", "+a"), ("src/auth/a.py", "+a()"), ("src/b.py", "+b()")]);
    assert_eq!(classification.risk, High);
    assert_eq!(
        classification.risk_reasons,
        ["src/auth/a.py: who somebody is, and what he may do, is decided here (**/auth/**)"]
    );
}

#[test]
fn a_change_too_large_to_read_with_care_is_of_high_risk() {
    let lines = vec!["+a()"; 2_001].join("\n");
    let risk_of = |path: &str| classified(&[(path, &lines)]).risk;
    assert_eq!(risk_of("src/a.rs"), High);
    assert_eq!(risk_of("src/generated/a.rs"), High);
    assert_eq!(risk_of("Cargo.lock"), Medium);
    assert_eq!(risk_of("tests/a.rs"), Low);
    let just_enough = vec!["+a()"; 2_000].join("\n");
    assert_eq!(classified(&[("src/a.rs", &just_enough)]).risk, Medium);
}

#[test]
fn what_could_not_be_read_may_be_anything() {
    for (kind, risk) in [
        (GapKind::Unreadable, High),
        (GapKind::TooLarge, High),
        (GapKind::Submodule, High),
        (GapKind::Binary, Low),
        (GapKind::Unanswered, Low),
    ] {
        let mut change = change(&[("README.md", "+a")]);
        change.gaps.push(Gap { kind, file: None, lines: None, detail: "the diff ends early".to_owned() });
        let classification = classify(&change, &RULES);
        assert_eq!(classification.risk, risk, "{kind:?}");
        assert_eq!(is_docs_only(&change, &classification), risk == Low, "{kind:?}");
    }
}

#[test]
fn an_empty_change_is_of_low_risk_and_says_so() {
    let classification = classified(&[]);
    assert_eq!((classification.risk, classification.reversibility), (Low, Reversible));
    assert_eq!(classification.risk_reasons, ["no file changed"]);
}

#[test]
fn reversibility_follows_from_what_is_lost_or_goes_out() {
    for (path, lines, reversibility) in [
        ("src/a.rs", "+a()", Reversible),
        ("db/migrate/1.sql", "+select 1;", Costly),
        ("db/migrate/1.sql", "+ALTER TABLE users ADD COLUMN a int;", Costly),
        ("db/migrate/1.sql", "+ALTER TABLE users ALTER COLUMN a DROP DEFAULT;", Costly),
        ("db/migrate/1.sql", "+alter table users drop constraint a;", Costly),
        ("db/migrate/1.sql", "+drop index a;", Costly),
        ("db/migrate/1.sql", "+DROP TABLE users;", Irreversible),
        ("db/migrate/1.sql", "+alter table users drop column name;", Irreversible),
        ("db/migrate/1.sql", "+alter table users drop name;", Irreversible),
        ("db/migrate/1.sql", "+TRUNCATE users;", Irreversible),
        ("db/migrate/1.sql", "+delete from users;", Irreversible),
        ("db/migrate/1.sql", "+delete from users where id = 1;", Costly),
        ("db/migrate/1.sql", "+update users set name = 'a';", Irreversible),
        ("db/migrate/1.sql", "+update users set name = 'a' where id = 1;", Costly),
        ("db/migrate/1.sql", "-drop table users;", Costly),
        ("db/migrate/1.rb", "+    remove_column :users, :name", Irreversible),
        ("app/migrations/1.py", "+        migrations.RemoveField(", Irreversible),
        ("alembic/versions/1.py", "+    op.drop_table(\"users\")", Irreversible),
        ("src/a.py", "+User.objects.all().delete()", Irreversible),
        ("src/a.py", "+db.execute(\"DELETE FROM users\")", Irreversible),
        ("src/a.py", "+db.execute(\"DELETE FROM users WHERE id = ?\")", Reversible),
        ("docs/a.md", "+DROP TABLE users;", Reversible),
        ("tests/a.py", "+db.execute(\"DROP TABLE users\")", Reversible),
        (".github/workflows/release.yml", "+on: push", Irreversible),
        ("scripts/ship.sh", "+cargo publish", Irreversible),
        (".github/workflows/deploy.yml", "+on: push", Costly),
        ("package.json", "+  \"version\": \"2.0.0\",", Costly),
        ("config/tls.pem", "+abc", Irreversible),
        ("main.tf", "+  force_destroy = true", Irreversible),
        ("main.tf", "-resource \"a\" \"b\" {", Costly),
        ("src/a.rs", "-pub fn a() {", Costly),
        ("src/a.rs", "-pub fn a() {\n+pub fn a(b: u8) {", Reversible),
        ("a.proto", "+message A {}", Costly),
        ("src/a.rs", "-const FORMAT_VERSION: u32 = 1;\n+const FORMAT_VERSION: u32 = 2;", Costly),
    ] {
        let classification = classify(&change(&[(path, lines)]), &RULES);
        let reasons = &classification.reversibility_reasons;
        assert_eq!(classification.reversibility, reversibility, "{path}\n{lines}\n{reasons:?}");
        assert!(!reasons.is_empty(), "{path}");
    }
}

#[test]
fn what_a_migration_drops_when_it_is_undone_is_what_it_made() {
    for (path, lines, reversibility) in [
        ("db/migrate/1.rb", "+  def up\n+    a\n+  def down\n+    drop_table :users", Costly),
        ("db/migrate/1.rb", "+  def down\n+    a\n+  def up\n+    drop_table :users", Irreversible),
        ("alembic/versions/1.py", "+def downgrade():\n+    op.drop_table(\"users\")", Costly),
        ("migrations/1.sql", "+-- +goose Down\n+DROP TABLE users;", Costly),
        ("migrations/1.down.sql", "+DROP TABLE users;", Costly),
        ("migrations/1.up.sql", "+DROP TABLE users;", Irreversible),
        ("migrations/1.js", "+exports.down = knex =>\n+  knex.schema.dropTable('users')", Costly),
        // Once in either part is enough.
        (
            "db/migrate/1.rb",
            "+  def down\n+    drop_table :a\n+  def up\n+    drop_table :b\n+  def down\n+    drop_table :c",
            Irreversible,
        ),
    ] {
        let classification = classify(&change(&[(path, lines)]), &RULES);
        assert_eq!(classification.reversibility, reversibility, "{path}\n{lines}");
    }
}

#[test]
fn a_hunk_says_in_its_heading_that_it_undoes() {
    let drop = "+    op.drop_table(\"users\")\n".to_owned();
    for (heading, reversibility) in [("def downgrade():", Costly), ("def upgrade():", Irreversible)] {
        let hunk = Hunk::new(30, 30, heading.to_owned(), drop.clone(), false);
        let file = file_of("alembic/versions/1.py", Content::Text(vec![hunk]));
        let classification = classify(&change_of(vec![file]), &RULES);
        assert_eq!(classification.reversibility, reversibility, "{heading}");
    }
}
