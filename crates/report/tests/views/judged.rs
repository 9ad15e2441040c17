//! Views of packets that the review itself decides: its sentences are told once, in the place meant for them.

use std::collections::BTreeSet;

use report::{Colour, TerminalOptions, Verbosity, markdown, terminal};
use review::attribution::{Attribution, Share};
use review::change::{Content, FileChange, Operation, Source, Subject};
use review::classify::{Classification, Reversibility, Risk};
use review::coverage::CoverageInput;
use review::judge::{Check, CheckSource, CheckState, JudgeInput};
use review::outcome::{Ending, Outcome};
use review::packet::{PacketInput, PacketV1, RulesV1, RunV1, assemble};
use review::panel::{LensWish, PanelInput};
use review::policy::{Policy, RequiredCheck};
use review::{Change, Digest, Hunk, Lens, coverage, judge, panel};

use crate::fixture::name;

/// Two text files with a hunk each, and a binary one.
fn change() -> Change {
    let file = |path: &str, content: Content| FileChange {
        path: path.into(),
        old_path: None,
        operation: Operation::Modified,
        modes: (None, None),
        content,
    };
    let hunk = |start: u32| {
        Content::Text(vec![Hunk::new(start, start, String::new(), "-old\n+new\n context\n".into(), false)])
    };
    Change {
        subject: Subject { source: Source::Patch, base: None, head: None, diff_digest: Digest::of(b"diff") },
        title: "Change two files".into(),
        body: String::new(),
        branch: None,
        commits: Vec::new(),
        files: vec![file("src/a.rs", hunk(7)), file("src/b.rs", hunk(30)), file("logo.png", Content::Binary)],
        gaps: Vec::new(),
    }
}

/// The packet of a review for which no model is configured.
fn without_models(policy: &Policy, checks: &[Check]) -> PacketV1 {
    let change = change();
    let attribution = Attribution::default();
    let wish = |lens: Lens, rules_files: Vec<usize>| LensWish {
        lens,
        model_files: vec![0, 1],
        kept_back: Vec::new(),
        rules_files,
        needed: true,
        reason: "code changed".into(),
    };
    let wishes = [wish(Lens::Security, vec![0, 1]), wish(Lens::Correctness, Vec::new())];
    let panel = panel::choose(&PanelInput {
        attribution: &attribution,
        shares: &[Share::whole(&change, attribution.authors())],
        wishes: &wishes,
        engines: &[],
        policy,
        lineage_sets: &[BTreeSet::new()],
    });
    let answer = review::answer::Answer {
        findings: Vec::new(),
        questions: Vec::new(),
        examined: vec!["all lines".into()],
        dropped: 0,
    };
    let outcomes: Vec<Outcome> = (0..panel.seats.len())
        .map(|seat| Outcome {
            seat,
            part: 0,
            pieces: Vec::new(),
            ending: Ending::Answered(answer.clone()),
            call: None,
        })
        .collect();
    let coverage = coverage::compute(&CoverageInput {
        change: &change,
        wishes: &wishes,
        panel: &panel,
        outcomes: &outcomes,
        rules_misses: &[],
        policy,
    });
    let judgement = judge::judge(&JudgeInput {
        attribution: &attribution,
        panel: &panel,
        coverage: &coverage,
        claims: &[],
        checks,
        policy,
        no_model_remedy: "set OPENAI_API_KEY or another provider's key",
    });
    assemble(&PacketInput {
        run: &RunV1 { id: "00ff".into(), started_at: 0, elapsed_ms: 12, version: "0.1.0".into() },
        change: &change,
        text_digest: &Digest::of(b"text"),
        attribution: &attribution,
        shares: &[],
        classification: &Classification {
            labels: Vec::new(),
            files: Vec::new(),
            added: 2,
            removed: 2,
            risk: Risk::Medium,
            risk_reasons: Vec::new(),
            reversibility: Reversibility::Reversible,
            reversibility_reasons: Vec::new(),
        },
        engines: &[],
        panel: &panel,
        outcomes: &outcomes,
        examinations: &[],
        coverage: &coverage,
        claims: &[],
        unanchored: &[],
        rules: &RulesV1::default(),
        checks,
        policy,
        redacted_secrets: 0,
        house_rules: &[],
        receipts: &[],
        judgement: &judgement,
    })
}

fn shell(packet: &PacketV1) -> String {
    let options = TerminalOptions { colour: Colour::Never, width: 100, verbosity: Verbosity::Normal };
    terminal(packet, &name(), &options)
}

#[test]
fn without_a_model_the_first_line_says_what_would_help() {
    let packet = without_models(&Policy::default(), &[]);
    insta::assert_snapshot!(shell(&packet), @r##"
    inconclusive: security and correctness not answered: no model is configured; set OPENAI_API_KEY or
      another provider's key
    diff df087996d45b, 3 files, +2 -2

    Not reviewed
      a binary file: nobody can read it
        logo.png
      security, all of it: 2 places
      correctness, all of it: 2 places

    Who wrote it
      unknown: no trace of who wrote it, which is not taken for a human
      independence was asked for and not reached

    Panel
      security     rules  answered, 0 findings
                   no model is configured
      correctness  no model is configured

    Ledger
      0 calls, 0.0 s

    packet d733a1d49b3e81df029926f54163533ee6dcf7d4694b67621b6d29d127e62dd9 unsigned; `recuse keygen`
           makes a key, `--packet FILE --sign KEY` signs
    "##);
    let comment = markdown(&packet, &name());
    insta::assert_snapshot!(comment.split_once("\n<details>").map_or("", |(above, _)| above), @r##"
    **inconclusive** for the diff `df087996d45b03e7eb8c133c0298fd98d35113fca26aaba58612fef3cc212cad`; independence was asked for and not reached

    ### Why inconclusive

    - `security and correctness not answered: no model is configured; set OPENAI_API_KEY or another provider's key`

    ### Not reviewed

    - `a binary file: nobody can read it`
      - `logo.png`
    - security, all of it: 2 places
    - correctness, all of it: 2 places

    ### Who wrote it

    unknown: no trace of who wrote it, which is not taken for a human

    ### Claims

    Nobody claims anything about what was looked at.
    "##);
}

#[test]
fn with_rules_only_what_only_models_see_is_listed_as_not_reviewed() {
    let packet = without_models(&Policy { offline: true, ..Policy::default() }, &[]);
    let shown = shell(&packet);
    assert!(
        shown.starts_with("rules only: inconclusive: not everything was looked at: logo.png: "),
        "{shown}"
    );
    assert!(
        shown.contains("\n  correctness: only a model can look through it, and none was asked\n"),
        "{shown}"
    );
    let comment = markdown(&packet, &name());
    assert!(comment.starts_with("**inconclusive** (rules only) for the diff `"), "{comment}");
    let told = "\n- not asked: correctness: `only a model can look through it, and none was asked`\n";
    assert!(comment.contains(told), "{comment}");
}

#[test]
fn a_failed_check_is_told_first_and_the_rest_below() {
    let policy = Policy { required_checks: vec![RequiredCheck::Named("tests".into())], ..Policy::default() };
    let failed = Check {
        name: "tests".into(),
        state: CheckState::Failed,
        source: CheckSource::SelfReported,
        exit_code: Some(101),
        detail: String::new(),
        app: None,
        link: None,
        record: None,
    };
    let packet = without_models(&policy, &[failed]);
    let shown = shell(&packet);
    assert!(shown.starts_with("blocked: the required check `tests` failed\n"), "{shown}");
    assert!(
        shown.contains("\nAlso\n  security and correctness not answered: no model is configured; "),
        "{shown}"
    );
    assert!(shown.contains("\nChecks\n  tests  failed, exit code 101, self-reported\n"), "{shown}");
}
