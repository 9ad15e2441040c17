//! What holds for every change: what an author adds only adds, and any text is read.

use proptest::prelude::*;

use super::*;

/// What an author can add to a change.
#[derive(Debug, Clone)]
enum Added {
    Commit(Identity, String),
    Line(String),
    Branch(String),
    Body(String),
    Label(String),
    Note(String),
}

fn traces() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "Co-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>",
        "Co-authored-by: Codex <codex@openai.com>",
        "Co-authored-by: Cursor <cursoragent@cursor.com>",
        "Co-authored-by: Copilot Autofix powered by AI <175728472+Copilot@users.noreply.github.com>",
        "Assisted-by: opencode:deepseek-v4-pro",
        "AI-Usage: none",
        "AI-Usage: full",
        "Made-with: Cursor",
        "Agent-Signature: composer-1",
    ]);
    prop_oneof![known.prop_map(str::to_owned), "[a-zA-Z-]{1,20}: \\PC{0,40}", "\\PC{0,60}"]
}

fn added() -> impl Strategy<Value = Added> {
    let identities = prop::sample::select(vec![
        ("Ann Lee", "ann@mail.test"),
        ("Claude", "noreply@anthropic.com"),
        ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com"),
        ("Ann Lee (aider)", "ann@mail.test"),
    ]);
    prop_oneof![
        (identities, traces()).prop_map(|((name, email), line)| Added::Commit(identity(name, email), line)),
        traces().prop_map(Added::Line),
        prop::sample::select(vec!["codex/x", "cursor/x-1a2b", "dependabot/x", "main"])
            .prop_map(|b| Added::Branch(b.to_owned())),
        traces().prop_map(Added::Body),
        prop::sample::select(vec!["codex", "ai-generated", "bug"]).prop_map(|l| Added::Label(l.to_owned())),
        "[ -~\n]{0,80}".prop_map(Added::Note),
    ]
}

/// A change that grows by what an author adds to it.
#[derive(Default)]
struct Growing {
    commits: Vec<Commit>,
    branch: Option<String>,
    body: String,
    labels: Vec<String>,
    notes: Vec<Note>,
}

impl Growing {
    fn grow(&mut self, added: Added) {
        let number = u32::try_from(self.commits.len()).expect("a few commits");
        match added {
            Added::Commit(author, line) => {
                self.commits.push(commit_number(number, author, &format!("work\n\n{line}\n")));
            }
            Added::Line(line) => {
                if let Some(last) = self.commits.last_mut() {
                    last.message.push_str(&format!("{line}\n"));
                }
            }
            Added::Branch(branch) if self.branch.is_none() => self.branch = Some(branch),
            Added::Branch(_) => {}
            Added::Body(line) => self.body.push_str(&format!("{line}\n")),
            Added::Label(label) => self.labels.push(label),
            Added::Note(text) => {
                if let Some(last) = self.commits.last() {
                    self.notes.push(Note { commit: last.id.clone(), text });
                }
            }
        }
    }

    fn attribute(&self, login: Option<&Login>, declarations: &[Declaration]) -> Attribution {
        run(&AuthorshipInput {
            commits: &self.commits,
            branch: self.branch.as_deref(),
            body: &self.body,
            labels: &self.labels,
            notes: &self.notes,
            author_login: login,
            declarations,
            ..AuthorshipInput::default()
        })
    }
}

fn vouchers() -> impl Strategy<Value = (Option<Login>, Option<Declaration>)> {
    let logins = prop::sample::select(vec![
        None,
        Some(login("ann", Some(7))),
        Some(login("claude[bot]", Some(209_825_114))),
        Some(login("Copilot", Some(198_982_749))),
    ]);
    let declarations = prop::sample::select(vec![
        None,
        Some(Declaration::Human),
        Some(Declaration::Model("gpt-5.5".to_owned())),
        Some(Declaration::Agent("cursor".to_owned())),
    ]);
    (logins, declarations)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_an_author_adds_only_adds((login, declaration) in vouchers(), steps in prop::collection::vec(added(), 1..12)) {
        let mut change = Growing::default();
        let mut before = change.attribute(login.as_ref(), declaration.as_slice());
        for step in steps {
            change.grow(step);
            let after = change.attribute(login.as_ref(), declaration.as_slice());
            prop_assert!(before.recused().is_subset(&after.recused()));
            prop_assert!(before.families.is_subset(&after.families));
            prop_assert!(!before.unknown_agent || after.unknown_agent);
            prop_assert!(before.vouched || !after.vouched);
            before = after;
        }
    }

    #[test]
    fn any_text_is_read(message in "(\\PC|[\n\r\t:<>@`-]){0,400}", name in "\\PC{0,60}", email in "\\PC{0,60}", note in "(\\PC|\n){0,200}") {
        let commits = [commit(identity(&name, &email), &message)];
        let notes = [Note { commit: commits[0].id.clone(), text: format!("{note}\n---\n{message}") }];
        let labels = [name.clone()];
        let found = run(&AuthorshipInput {
            commits: &commits,
            branch: Some(&email),
            title: &name,
            body: &message,
            notes: &notes,
            labels: &labels,
            ..AuthorshipInput::default()
        });
        prop_assert!(found.evidence.iter().all(|seen| seen.text.len() <= EVIDENCE_TEXT_LIMIT + 3));
    }
}
