//! Measures attribution on a folder of labelled traces and prints the result as Markdown.
//!
//! The folder holds `commits.jsonl`, `prs.jsonl`, `model_ids.jsonl` and `git_ai_notes.jsonl`, one record a line. The
//! fields are those of the structs below; rows of the data are printed only with `--errors`.
#![expect(clippy::disallowed_methods, reason = "a measurement reads files and a clock; the crate does not")]
#![expect(clippy::print_stdout, reason = "the tables are what it is for")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use review::attribution::{Agents, Attribution, AuthorshipInput, Login, Note, Role, attribute};
use review::change::{Commit, CommitId, Identity};
use review::lineage::Families;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// So many commits are attributed for the speed figure.
const TIMED_COMMITS: usize = 10_000;

#[derive(Deserialize)]
struct CommitRow {
    sha: String,
    author_date: String,
    author_name: String,
    author_email: String,
    committer_name: String,
    committer_email: String,
    message: String,
    label_agent: String,
    label_family: String,
    #[serde(default)]
    label_families: Option<Vec<String>>,
    channel: String,
    hard_kind: Option<String>,
    merge: bool,
    #[serde(default)]
    git_ai_note: Option<String>,
}

#[derive(Deserialize)]
struct PullRow {
    repo: String,
    number: u64,
    author_login: Option<String>,
    head_branch: Option<String>,
    title: Option<String>,
    body: Option<String>,
    commits: Vec<PullCommit>,
    label_agent: String,
    label_family: String,
    label_families: Option<Vec<String>>,
    hard_kind: Option<String>,
}

#[derive(Deserialize)]
struct PullCommit {
    sha: String,
    message: String,
    author_name: Option<String>,
    author_email: Option<String>,
    author_login: Option<String>,
    date: Option<String>,
}

#[derive(Deserialize)]
struct ModelRow {
    model_id: String,
    lineages: Vec<String>,
    hard_kind: Option<String>,
}

#[derive(Deserialize)]
struct NoteRow {
    sha: String,
    tools: Vec<(String, String, bool)>,
    note: String,
}

/// What a row's label asks for.
enum Expected {
    /// No AI tool may be named.
    NoAi { bot: bool },
    /// These families; none where the label knows none.
    Ai { families: BTreeSet<String> },
}

/// What became of the rows of one group.
#[derive(Default, Clone, Copy)]
struct Counts {
    rows: u32,
    /// Of them, an AI's by their label.
    labelled_ai: u32,
    called_ai: u32,
    called_ai_rightly: u32,
    /// With a family in the label, and of them with all of those recused.
    with_family: u32,
    recused: u32,
    families_labelled: u32,
    families_told: u32,
    families_told_rightly: u32,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.labelled_ai += other.labelled_ai;
        self.called_ai += other.called_ai;
        self.called_ai_rightly += other.called_ai_rightly;
        self.with_family += other.with_family;
        self.recused += other.recused;
        self.families_labelled += other.families_labelled;
        self.families_told += other.families_told;
        self.families_told_rightly += other.families_told_rightly;
    }

    fn print(&self, value: &str) {
        println!(
            "| {value} | {} | {} | {} | {} | {} | {} of {} | {} | {} |",
            self.rows,
            self.labelled_ai,
            self.called_ai,
            share(self.called_ai_rightly, self.called_ai),
            share(self.called_ai_rightly, self.labelled_ai),
            self.recused,
            self.with_family,
            share(self.families_told_rightly, self.families_told),
            share(self.families_told_rightly, self.families_labelled),
        );
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (flags, paths): (Vec<String>, Vec<String>) =
        arguments.into_iter().partition(|argument| argument.starts_with("--"));
    let folder = paths.first().expect("usage: measure_attribution FOLDER [--errors]");
    let folder = Path::new(folder);
    let errors = flags.iter().any(|flag| flag == "--errors");
    let started = Instant::now();
    let (agents, families) = (Agents::embedded(), Families::embedded());
    println!("tables compiled in {} ms\n", started.elapsed().as_millis());

    let notes: Vec<NoteRow> = rows(folder, "git_ai_notes.jsonl");
    let raw_notes: BTreeMap<String, String> =
        notes.iter().map(|row| (row.sha.clone(), row.note.clone())).collect();
    let mut report = Report { errors, ..Report::default() };

    let commits: Vec<CommitRow> = rows(folder, "commits.jsonl");
    for row in &commits {
        let (commit, note) = (commit_of(row), note_of(row, &raw_notes));
        let notes: Vec<Note> =
            note.into_iter().map(|text| Note { commit: commit.id.clone(), text }).collect();
        let commits = [commit];
        let input = AuthorshipInput { commits: &commits, notes: &notes, ..AuthorshipInput::default() };
        let found = attribute(&input, &agents, &families);
        let expected = expected(&row.label_family, row.label_families.as_deref());
        let groups = [
            ("channel", row.channel.as_str()),
            ("tool", &row.label_agent),
            ("family", &row.label_family),
            ("hard", row.hard_kind.as_deref().unwrap_or("-")),
        ];
        report.count("commits", &groups, &expected, &found, &format!("{} {}", row.sha, row.label_agent));
    }
    let pulls: Vec<PullRow> = rows(folder, "prs.jsonl");
    for row in &pulls {
        let commits: Vec<Commit> = row.commits.iter().map(pull_commit).collect();
        let login = row.author_login.clone().map(|login| Login { login, id: None });
        let input = AuthorshipInput {
            commits: &commits,
            branch: row.head_branch.as_deref(),
            title: row.title.as_deref().unwrap_or_default(),
            body: row.body.as_deref().unwrap_or_default(),
            author_login: login.as_ref(),
            ..AuthorshipInput::default()
        };
        let found = attribute(&input, &agents, &families);
        let expected = expected(&row.label_family, row.label_families.as_deref());
        let kind = row.hard_kind.as_deref().unwrap_or("-");
        // These rows do not hold what their label was made from.
        let what =
            if kind == "label-only" { "pull requests without their evidence" } else { "pull requests" };
        let groups = [("tool", row.label_agent.as_str()), ("family", &row.label_family), ("hard", kind)];
        report.count(
            what,
            &groups,
            &expected,
            &found,
            &format!("{}#{} {}", row.repo, row.number, row.label_agent),
        );
    }
    report.print();
    measure_models(&rows(folder, "model_ids.jsonl"), &families, errors);
    measure_notes(&notes, &agents, &families);
    measure_speed(&commits, &agents, &families);
}

fn rows<T: DeserializeOwned>(folder: &Path, file: &str) -> Vec<T> {
    let text = std::fs::read_to_string(folder.join(file)).expect("the folder holds the four files");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a record as the structs describe it"))
        .collect()
}

fn expected(label: &str, families: Option<&[String]>) -> Expected {
    let named = |names: &[String]| {
        let families = names.iter().filter(|name| *name != "unknown").map(|name| family_name(name)).collect();
        Expected::Ai { families }
    };
    match label {
        "human" | "no-evidence" | "unreliable" => Expected::NoAi { bot: false },
        "bot" => Expected::NoAi { bot: true },
        "mixed" => named(families.unwrap_or_default()),
        other => named(&[other.to_owned()]),
    }
}

/// The labels write a suspected family as `stealth:CODENAME`.
fn family_name(label: &str) -> String {
    if label == "stealth:code-supernova" { "xai".to_owned() } else { label.to_owned() }
}

#[derive(Default)]
struct Report {
    groups: BTreeMap<(String, String, String), Counts>,
    non_ai: BTreeMap<String, (u32, u32)>,
    bots: (u32, u32),
    /// Rows in which a tool was told, and how many of them are an AI's: labels call tools by other names.
    tools: BTreeMap<String, (u32, u32)>,
    messages: String,
    errors: bool,
}

impl Report {
    fn count(
        &mut self,
        what: &str,
        groups: &[(&str, &str)],
        expected: &Expected,
        found: &Attribution,
        row: &str,
    ) {
        let is_of_ai = |role: Role| matches!(role, Role::Implementer | Role::Suggester);
        let ai = found.evidence.iter().any(|seen| is_of_ai(seen.role));
        let recused: BTreeSet<String> = found.recused().iter().map(ToString::to_string).collect();
        let label = |name: &str| groups.iter().find(|group| group.0 == name).map_or("", |group| group.1);
        let tools = found.evidence.iter().filter(|seen| is_of_ai(seen.role));
        let tools: BTreeSet<&String> = tools.filter_map(|seen| seen.agent.as_ref()).collect();
        let is_ai = matches!(expected, Expected::Ai { .. });
        for tool in tools {
            let counts = self.tools.entry(tool.clone()).or_default();
            counts.0 += 1;
            counts.1 += u32::from(is_ai);
        }
        let mut counts = Counts { rows: 1, called_ai: u32::from(ai), ..Counts::default() };
        match expected {
            Expected::NoAi { bot } => {
                let wrongly = self.non_ai.entry(format!("{what}: {}", label("family"))).or_default();
                wrongly.0 += 1;
                wrongly.1 += u32::from(ai);
                if ai {
                    self.tell("false accusation", what, row, found);
                }
                if *bot {
                    self.bots.0 += 1;
                    self.bots.1 += u32::from(found.bot);
                    if !found.bot {
                        self.tell("bot missed", what, row, found);
                    }
                }
            }
            Expected::Ai { families } => {
                let all = families.is_subset(&recused);
                let wrong = recused.difference(families).count() > 0;
                if !ai {
                    self.tell("AI missed", what, row, found);
                } else if !all {
                    self.tell("family missed", what, row, found);
                } else if wrong {
                    self.tell(
                        if families.is_empty() { "family where the label has none" } else { "wrong family" },
                        what,
                        row,
                        found,
                    );
                }
                counts.labelled_ai = 1;
                counts.called_ai_rightly = u32::from(ai);
                counts.with_family = u32::from(!families.is_empty());
                counts.recused = u32::from(!families.is_empty() && all);
                counts.families_labelled = number(families.len());
                counts.families_told_rightly = number(recused.intersection(families).count());
            }
        }
        counts.families_told = number(recused.len());
        for (group, value) in groups {
            let key = (what.to_owned(), (*group).to_owned(), (*value).to_owned());
            self.groups.entry(key).or_default().add(counts);
        }
    }

    fn tell(&mut self, kind: &str, what: &str, row: &str, found: &Attribution) {
        let seen: Vec<String> = found
            .evidence
            .iter()
            .map(|seen| {
                format!("{:?} {:?} {:?} `{}`", seen.agent, seen.channel, seen.lineage.families, seen.text)
            })
            .collect();
        let _ = writeln!(self.messages, "- {kind} ({what}): {row}: {}", seen.join("; "));
    }

    fn print(&self) {
        println!("| rows that are no AI's | n | called AI |\n|---|---|---|");
        for (what, (rows, wrong)) in &self.non_ai {
            println!("| {what} | {rows} | {wrong} |");
        }
        println!("\nbots told as bots: {} of {}\n", self.bots.1, self.bots.0);
        for what in ["commits", "pull requests", "pull requests without their evidence"] {
            for (group, name) in
                [("family", "family"), ("channel", "channel"), ("tool", "labelled tool"), ("hard", "kind")]
            {
                let of_group = || self.groups.iter().filter(|((w, g, _), _)| w == what && g == group);
                if of_group().next().is_none() {
                    continue;
                }
                println!(
                    "| {what} by {name} | n | labelled AI | called AI | precision | recall | all its families recused | \
                     precision of families | recall of families |\n|---|---|---|---|---|---|---|---|---|"
                );
                let mut total = Counts::default();
                for ((_, _, value), counts) in of_group() {
                    counts.print(value);
                    total.add(*counts);
                }
                total.print("**all**");
                println!();
            }
        }
        println!("| tool as told | rows | of them an AI's | precision |\n|---|---|---|---|");
        for (tool, (rows, right)) in &self.tools {
            println!("| {tool} | {rows} | {right} | {} |", share(*right, *rows));
        }
        if self.errors {
            println!("\n{}", self.messages);
        }
    }
}

/// "0.9970"; "–" of nothing.
fn share(part: u32, whole: u32) -> String {
    match whole {
        0 => "–".to_owned(),
        _ => format!("{:.4}", f64::from(part) / f64::from(whole)),
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn measure_models(rows: &[ModelRow], families: &Families, errors: bool) {
    let mut by_kind: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for row in rows {
        let expected: BTreeSet<&str> = row.lineages.iter().map(String::as_str).collect();
        let found = families.resolve(&row.model_id);
        let told: BTreeSet<&str> = found.lineage.families.iter().map(|family| family.as_str()).collect();
        let right = told == expected;
        for kind in ["all", row.hard_kind.as_deref().unwrap_or("ordinary")] {
            let counts = by_kind.entry(kind).or_default();
            counts.0 += 1;
            counts.1 += u32::from(right);
        }
        if !right {
            wrong.push(format!("- `{}`: expected {expected:?}, told {told:?}", row.model_id));
        }
    }
    println!("\n| model names | n | lineage right | share |\n|---|---|---|---|");
    for (kind, (rows, right)) in by_kind {
        println!("| {kind} | {rows} | {right} | {} |", share(right, rows));
    }
    if errors {
        println!("\n{}", wrong.join("\n"));
    }
}

/// Each tool with lines attested to it must be told from its note, and no other.
fn measure_notes(rows: &[NoteRow], agents: &Agents, families: &Families) {
    let (mut right, mut wrong) = (0, 0);
    for row in rows {
        let id = commit_id(&row.sha);
        let commits = [commit(
            id.clone(),
            ["someone", "someone@mail.test"],
            ["someone", "someone@mail.test"],
            "2026-01-01",
            "work",
            false,
        )];
        let notes = [Note { commit: id, text: row.note.clone() }];
        let input = AuthorshipInput { commits: &commits, notes: &notes, ..AuthorshipInput::default() };
        let found = attribute(&input, agents, families);
        let told: BTreeSet<String> = found
            .evidence
            .iter()
            .filter_map(|seen| {
                Some(seen.model.clone().unwrap_or_else(|| "unknown".to_owned()))
                    .filter(|_| seen.agent.is_some())
            })
            .collect();
        let attested: BTreeSet<String> = row
            .tools
            .iter()
            .filter(|tool| tool.2)
            .map(|tool| if tool.1 == "default" { "unknown".to_owned() } else { tool.1.clone() })
            .collect();
        if told == attested { right += 1 } else { wrong += 1 }
    }
    println!("\nraw notes whose models are told exactly: {right} of {}", right + wrong);
}

fn measure_speed(rows: &[CommitRow], agents: &Agents, families: &Families) {
    let commits: Vec<Commit> = rows.iter().cycle().take(TIMED_COMMITS).map(commit_of).collect();
    let bytes: usize = commits.iter().map(|commit| commit.message.len()).sum();
    let started = Instant::now();
    let found =
        attribute(&AuthorshipInput { commits: &commits, ..AuthorshipInput::default() }, agents, families);
    println!(
        "\n{TIMED_COMMITS} commits ({bytes} bytes of messages, {} traces) in {} ms",
        found.evidence.len(),
        started.elapsed().as_millis()
    );
}

fn commit_of(row: &CommitRow) -> Commit {
    commit(
        commit_id(&row.sha),
        [&row.author_name, &row.author_email],
        [&row.committer_name, &row.committer_email],
        &row.author_date,
        &row.message,
        row.merge,
    )
}

fn pull_commit(row: &PullCommit) -> Commit {
    let login = row.author_login.clone().unwrap_or_default();
    let name = row.author_name.clone().unwrap_or_else(|| login.clone());
    let email = row.author_email.clone().unwrap_or_else(|| format!("{login}@users.noreply.github.com"));
    let identity = [name.as_str(), email.as_str()];
    let merge = row.message.starts_with("Merge ");
    commit(
        commit_id(&row.sha),
        identity,
        identity,
        row.date.as_deref().unwrap_or("2025-06-01"),
        &row.message,
        merge,
    )
}

fn commit(
    id: CommitId,
    author: [&str; 2],
    committer: [&str; 2],
    date: &str,
    message: &str,
    merge: bool,
) -> Commit {
    let identity = |of: [&str; 2]| Identity { name: of[0].to_owned(), email: of[1].to_owned() };
    Commit {
        id,
        author_time: seconds(date),
        author: identity(author),
        committer: identity(committer),
        message: message.to_owned(),
        parents: if merge { 2 } else { 1 },
    }
}

fn commit_id(sha: &str) -> CommitId {
    CommitId::new(sha).expect("a row's commit is named by its digest")
}

/// Seconds at the beginning of a day; the hour does not matter here.
fn seconds(date: &str) -> i64 {
    let mut parts =
        date.get(..10).unwrap_or("2020-01-01").split('-').map(|part| part.parse::<i64>().unwrap_or(1));
    let (year, month, day) =
        (parts.next().unwrap_or(1970), parts.next().unwrap_or(1), parts.next().unwrap_or(1));
    let year = if month <= 2 { year - 1 } else { year };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * ((month + 9) % 12) + 2) / 5 + day
        - 1
        - 719_468;
    days * 86_400 + 43_200
}

/// The raw note, where it is there; else the summary of it.
fn note_of(row: &CommitRow, raw: &BTreeMap<String, String>) -> Option<String> {
    raw.get(&row.sha).cloned().or_else(|| row.git_ai_note.clone())
}
