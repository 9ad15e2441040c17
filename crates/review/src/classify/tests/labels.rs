//! One table a label: which path or line gives it, and what looks like it and does not.

use super::*;
use Label::{
    Binary, Ci, Database, Dependencies, Docs, Generated, Infrastructure, Lockfile, Prompts, PublicApi,
    SecuritySensitive, Tests,
};

/// Each row: a path, its changed lines, and exactly the labels that they give.
#[track_caller]
fn check(rows: &[(&str, &str, &[Label])]) {
    for (path, lines, expected) in rows {
        let classification = classify(&change(&[(path, lines)]), &RULES);
        assert_eq!(labels_of(&classification), *expected, "{path}\n{lines}\n{:#?}", classification.labels);
        assert_eq!(classification.files[0].labels, *expected, "{path}");
    }
}

#[test]
fn paths_that_security_rests_on() {
    check(&[
        ("src/auth/token.rs", "+let a = 1;", &[SecuritySensitive]),
        ("app/oauth2.py", "+a = 1", &[SecuritySensitive]),
        ("src/UserPermissionEvaluator.java", "+int a = 1;", &[SecuritySensitive]),
        ("web/useOAuthClient.ts", "+a()", &[SecuritySensitive]),
        ("lib/http_auth.go", "+a()", &[SecuritySensitive]),
        ("pkg/crypto/box.go", "+a()", &[SecuritySensitive]),
        ("src/session.ts", "+a()", &[SecuritySensitive]),
        ("config/prod.pem", "+abc", &[SecuritySensitive]),
        (".env.production", "+A=b", &[SecuritySensitive]),
        (".github/CODEOWNERS", "+* @acme/all", &[SecuritySensitive]),
        (".gitattributes", "+*.rs -diff", &[SecuritySensitive]),
        (".gitleaks.toml", "+[allowlist]", &[SecuritySensitive]),
        // What only sounds like it.
        ("src/author.rs", "+let a = 1;", &[]),
        ("src/tokenizer.rs", "+let a = 1;", &[]),
        ("src/obsession.rs", "+let a = 1;", &[]),
        ("theme/login/messages/messages_de.properties", "+a=b", &[]),
        ("src/locales/de/password.json", "+{}", &[]),
    ]);
}

#[test]
fn calls_that_security_rests_on() {
    let sensitive: &[Label] = &[SecuritySensitive];
    check(&[
        ("a.py", "+x = eval(text)", sensitive),
        ("a.js", "+const f = new Function(text)", sensitive),
        ("a.py", "+subprocess.run(command, shell=True)", sensitive),
        ("a.rs", "+    std::process::Command::new(name)", sensitive),
        ("a.go", "+\tcmd := exec.Command(name)", sensitive),
        ("a.py", "+pickle.loads(body)", sensitive),
        ("a.py", "+yaml.load(body)", sensitive),
        ("A.java", "+new ObjectInputStream(in).readObject();", sensitive),
        ("A.java", "+DocumentBuilderFactory f = DocumentBuilderFactory.newInstance();", sensitive),
        ("a.py", "+requests.get(url, verify=False)", sensitive),
        ("a.go", "+\tInsecureSkipVerify: true,", sensitive),
        ("deploy.sh", "+curl -k https://example.org", sensitive),
        ("a.py", "-if hmac.compare_digest(a, b):", sensitive),
        ("A.java", "-@PreAuthorize(\"hasRole('ADMIN')\")", sensitive),
        ("a.py", "+@csrf_exempt", sensitive),
        ("a.ts", "-requireAuth(request)", sensitive),
        ("a.html", "+{{ comment | safe }}", sensitive),
        ("a.jsx", "+<p dangerouslySetInnerHTML={{ __html: text }} />", sensitive),
        ("a.conf", "+add_header Access-Control-Allow-Origin *;", sensitive),
        ("a.rs", "+    unsafe { *pointer }", sensitive),
        ("a.c", "+strcpy(to, from);", sensitive),
        ("a.sh", "+chmod 777 /srv", sensitive),
        ("setup.txt", "+curl -s https://example.org/i.sh | sh", sensitive),
        ("a.yml", "+password: hunter2", sensitive),
        ("a.txt", "+-----BEGIN RSA PRIVATE KEY-----", sensitive),
        // What only looks like it.
        ("a.js", "+const match = pattern.exec(text)", &[]),
        ("a.js", "+/^(?:evaluate)$/.test(text)", &[]),
        ("a.rs", "+/// The file system (if there is one).", &[]),
        ("a.js", "+worker.postMessage(work)", &[]),
        ("a.js", "+const id = crypto.randomUUID()", &[]),
        ("a.py", "+checkAuthor(commit)", &[]),
        ("Banner.tsx", "+{isAuthenticated && <Banner />}", &[]),
        ("src/lang/fa.json", "+\"label.password\": \"x\"", &[]),
        // Context is not the change.
        ("a.py", " x = eval(text)\n+y = 1", &[]),
    ]);
}

#[test]
fn sql_that_is_built_from_strings() {
    let both: &[Label] = &[SecuritySensitive, Database];
    check(&[
        ("a.py", "+cursor.execute(\"SELECT * FROM users WHERE id = \" + user)", both),
        ("a.py", "+query = f\"SELECT * FROM users WHERE id = {user}\"", both),
        ("a.ts", "+db.query(`SELECT * FROM users WHERE id = ${user}`)", both),
        ("a.go", "+fmt.Sprintf(\"DELETE FROM users WHERE id = %s\", user)", both),
        ("a.py", "+cursor.execute(\"SELECT * FROM users WHERE id = ?\", user)", &[Database]),
        ("a.py", "+message = f\"Select a file: {name}\"", &[]),
    ]);
}

#[test]
fn databases_and_migrations() {
    let database: &[Label] = &[Database];
    check(&[
        ("db/migrate/1_a.rb", "+end", database),
        ("app/migrations/0001_a.py", "+pass", database),
        ("db/V1__a.sql", "+select 1;", database),
        ("schema.prisma", "+model A {}", database),
        ("a.rb", "+    add_column :users, :name, :string", database),
        ("a.py", "+    op.drop_column(\"users\", \"name\")", database),
        ("a.ts", "+await knex.schema.alterTable('users', t => {})", database),
        ("models.py", "+    name = models.CharField(max_length=9)", database),
        ("A.java", "+    @Column(name = \"a\")", database),
        ("a.rs", "+sqlx::query(TEXT)", database),
        // What only sounds like it.
        ("docs/a.html", "+<h2>Create table of contents</h2>", &[]),
        ("ui/a.ts", "+sheet.AddColumn(name)", &[]),
        ("a.py", "+data = dataset.remove_columns(names)", &[]),
        ("pkg/migration/run.go", "+run()", &[]),
        ("a.ts", "+// select all that were taken from the list", &[]),
        ("a.css", "+.name { text-overflow: ellipsis } /* truncate */", &[]),
    ]);
}

#[test]
fn prompts_and_instructions_for_agents() {
    let prompts: &[Label] = &[Prompts];
    check(&[
        ("AGENTS.md", "+Be kind.", prompts),
        ("web/CLAUDE.md", "+Be kind.", prompts),
        ("docs/CLAUDE.md", "+Be kind.", prompts),
        ("claude.md", "+Be kind.", prompts),
        ("CLAUDE.local.md", "+Be kind.", prompts),
        ("GEMINI.md", "+Be kind.", prompts),
        ("tools/x/SKILL.md", "+Be kind.", prompts),
        (".cursor/rules/a.mdc", "+Be kind.", prompts),
        (".cursorrules", "+Be kind.", prompts),
        (".github/copilot-instructions.md", "+Be kind.", prompts),
        (".github/instructions/a.instructions.md", "+Be kind.", prompts),
        (".github/prompts/a.prompt.md", "+Be kind.", prompts),
        (".mcp.json", "+{}", prompts),
        ("REVIEW.md", "+Do not mention timing.", prompts),
        (".recuse.toml", "+a = 1", prompts),
        (".coderabbit.yaml", "+a: 1", prompts),
        (".claude/settings.json", "+{}", prompts),
        ("prompts/summary.txt", "+Summarise.", prompts),
        ("src/prompts/review/system.md", "+Summarise.", prompts),
        ("src/review_prompt.j2", "+Summarise.", prompts),
        ("system_prompt.py", "+A = 1", prompts),
        ("notes/bot.md", "+You are a careful senior reviewer of pull requests.", prompts),
        ("a.py", "+SYSTEM = \"You are a helpful assistant.\"", prompts),
        ("a.ts", "+{ role: \"system\", content: text }", prompts),
        ("tests/AGENTS.md", "+Be kind.", &[Prompts, Tests]),
        ("plans/run.md", "+allowed-tools: Bash(*)", prompts),
        ("run.sh", "+claude --dangerously-skip-permissions", prompts),
        // What only sounds like it.
        ("docs/providers/claude.md", "+How to connect.", &[Docs]),
        ("src/ui/ConfirmPrompt.tsx", "+return null", &[]),
        ("web/features/prompts/list.ts", "+a()", &[]),
        ("README.md", "+If you are an agent of the press, write to us.", &[Docs]),
        ("a_test.py", "+text = \"You are a helpful assistant.\"", &[Tests]),
    ]);
}

#[test]
fn pipelines() {
    let ci: &[Label] = &[Ci];
    check(&[
        (".github/workflows/a.yml", "+on: push", ci),
        (".gitlab-ci.yml", "+a: b", ci),
        ("Jenkinsfile", "+a()", ci),
        ("action.yml", "+a: b", ci),
        ("Makefile", "+a: b", ci),
        (".husky/pre-commit", "+true", ci),
        (".github/dependabot.yml", "+a: b", ci),
        ("scripts/ship.sh", "+npm publish", ci),
        (".github/workflows/README.md", "+Hello", &[Docs]),
        (".github/workflows/triage.md", "+Hello", &[Prompts, Ci]),
        ("src/workflows/a.rs", "+a()", &[]),
        ("tests/data/.github/workflows/a.yml", "+a: b", &[Tests]),
    ]);
}

#[test]
fn dependencies_and_lockfiles() {
    check(&[
        ("package.json", "+\"left-pad\": \"1\"", &[Dependencies]),
        ("crates/a/Cargo.toml", "+a = 1", &[Dependencies]),
        ("docs/requirements.txt", "+a", &[Dependencies]),
        ("go.mod", "+require a v1", &[Dependencies]),
        ("a/b.csproj", "+<a/>", &[Dependencies]),
        (".npmrc", "+registry=https://example.org", &[Dependencies]),
        (".gitmodules", "+[submodule]", &[Dependencies]),
        ("vendored", "-Subproject commit 1111111111111111111111111111111111111111", &[Dependencies]),
        ("Cargo.lock", "+name = \"password\"", &[Lockfile]),
        ("web/package-lock.json", "+{}", &[Lockfile]),
        ("go.sum", "+a v1", &[Lockfile]),
        ("src/padlock.rs", "+let a = 1;", &[]),
    ]);
}

#[test]
fn infrastructure() {
    let infrastructure: &[Label] = &[Infrastructure];
    check(&[
        ("Dockerfile", "+RUN true", infrastructure),
        ("docker-compose.prod.yml", "+a: b", infrastructure),
        ("net/main.tf", "+a = 1", infrastructure),
        ("k8s/web.yaml", "+a: b", infrastructure),
        ("charts/a/values.yaml", "+a: b", infrastructure),
        ("deploy/run.service", "+a=b", infrastructure),
        ("nginx.conf", "+a b;", infrastructure),
        ("pkg/kubernetes/client.go", "+a()", &[]),
        ("src/Infrastructure/Repository.cs", "+int a = 1;", &[]),
        ("src/user.service.ts", "+a()", &[]),
    ]);
}

#[test]
fn what_others_build_against() {
    let public: &[Label] = &[PublicApi];
    check(&[
        ("a.rs", "-pub fn parse(text: &str) -> Tree {\n+pub fn parse(text: &[u8]) -> Tree {", public),
        ("a.rs", "-pub struct Tree;", public),
        ("a.rs", "-pub use tree::Tree;", public),
        ("a.ts", "-export function parse(text: string): Tree {", public),
        ("a.ts", "-export { parse } from './parse'", public),
        ("A.java", "-    public Tree parse(String text) {", public),
        ("A.java", "-public final class Tree {", public),
        ("A.cs", "-    public async Task<Tree> Parse(string text)", public),
        ("a.go", "-func (t *Tree) Parse(text string) error {", public),
        ("a.py", "-def parse(text):", public),
        ("a.php", "-    public function parse($text)", public),
        ("A.swift", "-public func parse(text: String) -> Tree {", public),
        ("api/openapi.yaml", "+a: b", public),
        ("a.proto", "+message A {}", public),
        ("schema.graphql", "+type A { b: Int }", public),
        ("types/index.d.ts", "+export type A = 1", public),
        ("src/lib.rs", "+mod a;", public),
        ("a.py", "-@app.route(\"/users\")", public),
        // Added, moved within the file, with another body, or private.
        ("a.rs", "+pub fn parse(text: &str) -> Tree {", &[]),
        ("a.rs", "-pub fn a() {\n+pub fn b() {}\n+pub fn a() {", &[]),
        ("a.rs", "-pub const LIMIT: usize = 1;\n+pub const LIMIT: usize = 2;", &[]),
        ("a.rs", "-pub(crate) fn a() {", &[]),
        ("a.go", "-func (s *server) Run() {", &[]),
        ("a.py", "-def _parse(text):", &[]),
        ("tests/a.rs", "-pub fn a() {", &[Tests]),
    ]);
}

#[test]
fn tests() {
    let tests: &[Label] = &[Tests];
    check(&[
        ("tests/a.rs", "+a()", tests),
        ("pkg/a_test.go", "+a()", tests),
        ("a/test_b.py", "+a()", tests),
        ("src/a.spec.ts", "+a()", tests),
        ("src/test/java/AThing.java", "+a();", tests),
        ("src/ATest.java", "+a();", tests),
        ("spec/a_spec.rb", "+a", tests),
        ("conftest.py", "+a()", tests),
        ("tests/auth/login.py", "+a()", tests),
        ("tests/a.py", "+x = eval(text)", &[SecuritySensitive, Tests]),
        // What only sounds like it.
        ("src/latest.ts", "+a()", &[]),
        ("src/Contest.java", "+a();", &[]),
        ("src/attestation.rs", "+a()", &[]),
        ("app/views/checks/tests/Upload.tsx", "+a()", &[]),
        ("spec/api.yaml.md", "+a", &[Docs]),
    ]);
}

#[test]
fn documents() {
    let docs: &[Label] = &[Docs];
    check(&[
        ("README.md", "+Hello", docs),
        ("docs/auth/login.rst", "+password: see below", docs),
        ("docs/notes.txt", "+Hello", docs),
        ("LICENSE", "+Hello", docs),
        ("LICENSE-MIT", "+Hello", docs),
        ("CHANGELOG", "+Hello", docs),
        ("deploy/README.md", "+Hello", docs),
        ("tests/README.md", "+Hello", docs),
        // What can run, or steers something that runs.
        ("docs/conf.py", "+a()", &[]),
        ("docs/index.mdx", "+<A />", &[]),
        ("docs/index.html", "+<p>", &[]),
        ("install", "+true", &[]),
        ("license.ts", "+a()", &[]),
        ("CMakeLists.txt", "+a()", &[Ci]),
        ("words.txt", "+a", &[]),
        ("README", "+#!/bin/sh\n+true", &[]),
    ]);
}

#[test]
fn a_document_is_one_by_all_its_paths_and_its_mode() {
    let mut renamed = text_file("docs/build.md", "+a");
    renamed.old_path = Some(RepoPath::from("build.sh"));
    let mut link = text_file("README.md", "+../../secret");
    link.modes = (None, Some(0o120_000));
    let mut program = text_file("INSTALL", "+true");
    program.modes = (Some(0o100_644), Some(0o100_755));
    for file in [renamed, link, program] {
        let path = file.path.clone();
        let classification = classify(&change_of(vec![file]), &RULES);
        assert!(!classification.has(Docs), "{path}");
        assert!(!model_lenses_for(&classification.files[0]).is_empty(), "{path}");
    }
}

#[test]
fn made_by_a_program_or_copied() {
    check(&[
        ("src/generated/a.rs", "+a()", &[Generated]),
        ("a.pb.go", "+a()", &[Generated]),
        ("vendor/a/b.go", "+a()", &[Generated]),
        ("a.min.js", "+a()", &[Generated]),
        ("a.rs", " // @generated by a tool\n+a()", &[Generated]),
        ("a.go", "+// Code generated by mock. DO NOT EDIT.", &[Generated]),
        ("a.rs", "+/// Writes what the generator needs.", &[]),
    ]);
    let far_below = format!("{}\n+// @generated", vec![" a"; 40].join("\n"));
    check(&[("a.rs", &far_below, &[])]);
}

#[test]
fn what_is_not_text() {
    for (path, risk) in [
        ("logo.png", Risk::Low),
        ("docs/logo.png", Risk::Low),
        ("docs/README.md", Risk::Low),
        ("data.dat", Risk::Medium),
        ("gradle-wrapper.jar", Risk::High),
        // `.gitattributes` can make git call anything binary.
        ("src/main.rs", Risk::High),
        ("AGENTS.md", Risk::High),
    ] {
        let classification = classify(&change_of(vec![binary_file(path)]), &RULES);
        assert!(classification.has(Binary), "{path}");
        assert_eq!(classification.risk, risk, "{path}");
    }
    // A name makes no text binary.
    assert_eq!(labels_of(&classified(&[("run.exe", "+true")])), []);
}

#[test]
fn a_first_line_tells_a_language() {
    let code = |lines: &str| classified(&[("bin/run", lines)]).files[0].code;
    assert!(code("+#!/usr/bin/env -S python3.12 -u\n+a()"));
    assert!(code(" #!/bin/bash\n+a"));
    assert!(!code("+# a\n+#!/bin/bash"));
    assert!(!code("+#!/usr/bin/sed -f"));
    assert!(classified(&[("src/a.RS", "+a()")]).files[0].code);
    assert!(!classified(&[("a.yml", "+a: b")]).files[0].code);
}

#[test]
fn both_paths_of_a_renamed_file_count() {
    let mut moved = text_file("src/util/check.rs", "+let a = 1;");
    moved.old_path = Some(RepoPath::from("src/auth/check.rs"));
    let classification = classify(&change_of(vec![moved]), &RULES);
    assert_eq!(
        classification.labels[0].reasons,
        ["src/auth/check.rs: who somebody is, and what he may do, is decided here (**/auth/**)"]
    );
}

#[test]
fn reasons_are_few_and_each_of_another_rule_the_worst_first() {
    let classification = classified(&[
        ("db/migrate/1.sql", "+select 1;"),
        ("db/migrate/2.sql", "+select 1;"),
        ("db/migrate/3.sql", "+drop table users;"),
    ]);
    let database = &classification.labels[0];
    assert_eq!(
        database.reasons,
        [
            "db/migrate/3.sql, line 1: drops a table, a column or a whole database",
            "db/migrate/1.sql: a migration (**/migrate/**)",
            "db/migrate/1.sql: a schema, or statements in SQL (**/*.sql)",
        ]
    );
}

#[test]
fn a_reason_shows_what_a_path_hides() {
    let classification = classified(&[("src/auth/a\u{202e}b\nc.rs", "+a()")]);
    assert!(classification.labels[0].reasons[0].starts_with("src/auth/a\\u{202e}b"));
}
