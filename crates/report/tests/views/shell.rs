//! The view for a shell.

use insta::assert_snapshot;
use report::{Colour, TerminalOptions, Verbosity, terminal};
use review::packet::PacketV1;
use serde_json::{Value, json};

use crate::fixture::{examined, name, packet, packet_with, read, value};

const PLAIN: TerminalOptions =
    TerminalOptions { colour: Colour::Never, width: 80, verbosity: Verbosity::Normal };

fn shown(packet: &PacketV1, options: &TerminalOptions) -> String {
    terminal(packet, &name(), options)
}

#[test]
fn a_maintainer_reads_what_was_not_reviewed_before_what_was_found() {
    assert_snapshot!(shown(&packet(), &PLAIN), @r##"
    inconclusive: not everything was looked at: tests/data/nested.zip: a binary
      file: nobody can read it (and 2 more); 1 high, 1 medium, 1 low; written by
      anthropic by its own account, reviewed by others
    head 4f1c0ab5c9d24e0f8a7b6c5d4e3f2a1b0c9d8e7f, 4 files, +124 -18
    1 claim is high or worse, which fails the run

    Not reviewed
      a binary file: nobody can read it
        tests/data/nested.zip
      correctness: the reviewer timed out (no answer within 120 s)
        src/archive/list.rs:10-48
        src/archive/unpack.rs:120-131
      exempt by the operator's rule: prose is read by people
        docs/upload.md

    Who wrote it
      AI of known families: anthropic
      reviewed by other families
      anthropic                    claude-code, Claude Opus 4.5, by its own account:
                                   trailer (commit 4f1c0ab5c9d2): Co-Authored-By:
                                   Claude Opus 4.5 <noreply@anthropic.com>

    Recused
      anthropic/claude-sonnet-4-5  shares anthropic with the author of this change
      local/our-coder              nobody knows all that it descends from, so it
                                   cannot be counted as independent

    Claims
      high      src/archive/unpack.rs:43-44
                An entry named `../x` is written outside the target folder

                > 43 |         let path = target.join(entry.name());
                > 44 |         let mut file = File::create(&path)?;

                The archive is an upload, so its entries' names are the uploader's.
                With an entry named ../../.ssh/authorized_keys, join leaves the
                target folder and File::create writes wherever the service may
                write.

                Nothing above this line checks the name.

                agreed by 2 unrelated reviewers: google/gemini-3-pro, openai/gpt-5.2
                security/path-traversal, claim 3f1d0c6a92be

      medium    src/archive/unpack.rs:9
                A token stands in the source

                > 9 | const UPLOAD_TOKEN: &str = "[redacted: generic token]";

                Whoever can read the repository can use it. Revoke it, and read it
                from the environment.

                found by the rules alone
                security/secret, claim b07e55d1c3a8

      low       src/archive/list.rs (the file as a whole)
                `list_entries` has a cyclomatic complexity of 23, up from 9

                found by the rules alone
                complexity/function, claim 77ac0e1f2b3d

    1 finding could not be anchored and is not told as fact

    Questions for the author
      Is the size of what is unpacked bounded anywhere before unpack() is called?
        security, google/gemini-3-pro

    Checks
      tests            passed, exit code 0, self-reported
      build (windows)  failed, as the platform says

    Panel
      security       rules                answered, 1 finding
                     openai/gpt-5.2       answered, 1 finding
                     google/gemini-3-pro  answered, 2 findings
      correctness    openai/gpt-5.2       answered 1 of 2 parts, 0 findings; part 2
                                          timed out: no answer within 120 s
      complexity     rules                answered, 1 finding
      prompt-health  nothing that instructs a model changed
      database       no schema, migration or query changed

    Ledger
      4 calls, 34,502 tokens in, 2,233 out, 0.0884 USD (estimate), 1 call of unknown
        cost, 48.7 s
      1 secret was redacted before any prompt was built

    packet d733a1d49b3e81df029926f54163533ee6dcf7d4694b67621b6d29d127e62dd9
           unsigned; `recuse keygen` makes a key, `--packet FILE --sign KEY` signs
    "##);
}

#[test]
fn quiet_shows_the_headline_and_the_claims_alone() {
    let quiet = TerminalOptions { verbosity: Verbosity::Quiet, width: 120, ..PLAIN };
    assert_snapshot!(shown(&packet(), &quiet), @r##"
    inconclusive: not everything was looked at: tests/data/nested.zip: a binary file: nobody can read it (and 2 more); 1
      high, 1 medium, 1 low; written by anthropic by its own account, reviewed by others
    head 4f1c0ab5c9d24e0f8a7b6c5d4e3f2a1b0c9d8e7f, 4 files, +124 -18
    1 claim is high or worse, which fails the run

    Claims
      high      src/archive/unpack.rs:43-44
                An entry named `../x` is written outside the target folder

                > 43 |         let path = target.join(entry.name());
                > 44 |         let mut file = File::create(&path)?;

                The archive is an upload, so its entries' names are the uploader's. With an entry named
                ../../.ssh/authorized_keys, join leaves the target folder and File::create writes wherever the
                service may write.

                Nothing above this line checks the name.

                agreed by 2 unrelated reviewers: google/gemini-3-pro, openai/gpt-5.2
                security/path-traversal, claim 3f1d0c6a92be

      medium    src/archive/unpack.rs:9
                A token stands in the source

                > 9 | const UPLOAD_TOKEN: &str = "[redacted: generic token]";

                Whoever can read the repository can use it. Revoke it, and read it from the environment.

                found by the rules alone
                security/secret, claim b07e55d1c3a8

      low       src/archive/list.rs (the file as a whole)
                `list_entries` has a cyclomatic complexity of 23, up from 9

                found by the rules alone
                complexity/function, claim 77ac0e1f2b3d
    "##);
}

#[test]
fn verbose_adds_all_that_the_packet_lists() {
    let verbose = TerminalOptions { verbosity: Verbosity::Verbose, width: 120, ..PLAIN };
    let (normal, verbose) = (shown(&packet(), &PLAIN), shown(&packet(), &verbose));
    for told in [
        "a weak sign: branch",
        "path src/archive/unpack.rs matches",
        "same lines and category security/path-traversal",
        "google/gemini-3-pro: src/archive/shell.rs: A file name reaches a shell",
        "examined: how names of entries become paths",
        "served as gpt-5.2-2026-01-15, part 1, answered, 0.0303 USD, 29.8 s",
        "2026-11-01 09:30:12 UTC",
    ] {
        assert!(verbose.contains(told), "{told} is not in {verbose}");
        assert!(!normal.contains(told), "{told} is in {normal}");
    }
}

#[test]
fn what_the_rules_say_beside_their_claims_stands_below_them() {
    let excused = |line: usize| {
        json!({
            "rule": "database/drop-table", "severity": "medium", "file": "migrations/7.sql", "line": line,
            "title": "a table is dropped", "reason": "its rows were moved", "allowed_at": line - 1
        })
    };
    let missed =
        json!([{ "lens": "database", "reason": "this looks like MySQL", "files": ["a.sql", "b.sql"] }]);
    let all: Vec<_> = (2..14).map(excused).collect();
    let packet = packet_with(&[("/rules/suppressed", json!(all)), ("/rules/not_covered", missed)]);
    let wide = TerminalOptions { width: 120, ..PLAIN };
    let normal = shown(&packet, &wide);
    let first = "  database/drop-table at migrations/7.sql:2 is excused by line 1: its rows were moved\n";
    assert!(normal.contains(first), "{normal}");
    assert!(normal.contains("  database rules did not look at 2 files: this looks like MySQL\n"), "{normal}");
    assert!(normal.contains("  and 2 more, listed with -v\n"), "{normal}");
    let verbose = shown(&packet, &TerminalOptions { verbosity: Verbosity::Verbose, ..wide });
    assert_eq!(verbose.matches("is excused by line").count(), 12);
}

#[test]
fn colour_is_for_the_verdict_and_severities() {
    let coloured = TerminalOptions { colour: Colour::Always, verbosity: Verbosity::Quiet, ..PLAIN };
    let shown = shown(&packet(), &coloured);
    let of_colour: Vec<&str> = shown
        .split("\x1b[3")
        .skip(1)
        .filter_map(|rest| rest.split_once('m')?.1.split_once('\x1b'))
        .map(|(text, _)| text)
        .collect();
    assert_eq!(of_colour, ["inconclusive", "high", "medium", "low"]);
}

#[test]
fn many_gaps_are_counted_and_listed_in_full_where_all_is_asked_for() {
    let gap = |reason: usize, line: usize| {
        json!({
            "kind": "unanswered", "file": "src/a.rs", "lines": [line, line],
            "detail": format!("correctness: reason {reason}")
        })
    };
    let gaps: Vec<_> = (0..12).flat_map(|reason| (1..=14).map(move |line| gap(reason, line))).collect();
    let packet = packet_with(&[("/gaps", json!(gaps))]);
    let normal = shown(&packet, &PLAIN);
    assert_eq!(normal.matches("    src/a.rs:").count(), 10 * 10);
    assert_eq!(normal.matches("    and 4 more places, listed with -v\n").count(), 10);
    assert_eq!(normal.matches("  and 2 more reasons, listed with -v\n").count(), 1);
    let verbose = shown(&packet, &TerminalOptions { verbosity: Verbosity::Verbose, ..PLAIN });
    assert_eq!(verbose.matches("    src/a.rs:").count(), 12 * 14);
    assert!(!verbose.contains("listed with -v"));
}

#[test]
fn a_lens_that_nobody_could_be_seated_for_is_told_once_with_its_remedy() {
    let unmet = "no model is configured";
    let reason = "security not answered: no model is configured; set OPENAI_API_KEY";
    let gap = |line: u32| {
        json!({
            "kind": "unanswered", "file": "src/a.rs", "lines": [line, line],
            "detail": format!("security: {unmet}")
        })
    };
    let packet = packet_with(&[
        ("/panel/lenses/0/unmet", json!(unmet)),
        ("/gaps", json!([gap(1), gap(9)])),
        ("/judgement/reasons", json!([reason, "1 high, 1 medium, 1 low"])),
        ("/judgement/headline", json!(format!("inconclusive: {reason}; 1 high, 1 medium, 1 low"))),
    ]);
    let shown = shown(&packet, &PLAIN);
    assert!(
        shown.starts_with(
            "inconclusive: security not answered: no model is configured; set OPENAI_API_KEY;\n"
        )
    );
    assert!(shown.contains("Not reviewed\n  security, all of it: 2 places\n"), "{shown}");
    assert!(!shown.contains("Also"), "{shown}");
}

#[test]
fn reasons_that_the_headline_has_no_room_for_are_told_below_it() {
    let reasons =
        ["the required check `tests` failed", "security not answered: no model is configured; set a key"];
    let packet = packet_with(&[
        ("/verdict", json!("blocked")),
        ("/judgement/headline", json!(format!("blocked: {}", reasons[0]))),
        ("/judgement/reasons", json!(reasons)),
    ]);
    let shown = shown(&packet, &PLAIN);
    assert!(shown.contains(&format!("\nAlso\n  {}\n", reasons[1])), "{shown}");
    assert_eq!(shown.matches("`tests` failed").count(), 1, "{shown}");
}

#[test]
fn nothing_missing_is_said_in_so_many_words() {
    let packet = packet_with(&[
        ("/gaps", json!([])),
        ("/coverage/exempt", json!([])),
        ("/claims", json!([])),
        ("/judgement/reasons", json!([])),
        ("/verdict", json!("clean")),
        ("/judgement/headline", json!("clean: 9 hunks looked at, nothing found")),
    ]);
    let shown = shown(&packet, &PLAIN);
    assert!(shown.contains("\nNothing is missing: 9 hunks were looked at\n"), "{shown}");
    assert!(!shown.contains("Claims"), "{shown}");
}

#[test]
fn with_rules_only_the_lenses_of_models_are_listed_as_not_reviewed() {
    let packet = packet_with(&[
        ("/panel/rules_only", json!(true)),
        ("/panel/lenses/3/reason", json!("only a model can look through it, and none was asked")),
    ]);
    let shown = shown(&packet, &PLAIN);
    let told = "  prompt-health: only a model can look through it, and none was asked\n";
    assert!(shown.contains(told), "{shown}");
}

#[test]
fn no_line_is_longer_than_the_terminal_is_wide_unless_a_word_is() {
    let title = "漢字の長い題名 ".repeat(30);
    let path = "src/a/path/that/is/longer/than/the/terminal/is/wide/and/has/to/be/copied/whole.rs";
    let packet = packet_with(&[
        ("/claims/0/title", json!(title)),
        ("/claims/0/body", json!(title)),
        ("/claims/0/quote", json!(format!("{title}\n\t{title}"))),
        ("/claims/1/file", json!(path)),
    ]);
    for width in [60, 80, 100] {
        let shown = shown(&packet, &TerminalOptions { width, ..PLAIN });
        let too_long: Vec<&str> = shown
            .lines()
            .filter(|line| unicode_width(line) > width)
            .filter(|line| line.trim_start().contains(' ') && !line.contains(path))
            .collect();
        assert_eq!(too_long, [""; 0], "at {width}");
    }
    assert!(shown(&packet, &PLAIN).contains(&format!("{path}:9\n")));
}

/// Two columns for each of the wide characters that this test uses.
fn unicode_width(line: &str) -> usize {
    line.chars().map(|character| 1 + usize::from(('\u{3000}'..'\u{a000}').contains(&character))).sum()
}

#[test]
fn a_model_that_is_related_to_the_author_is_shown_and_does_not_count() {
    let mut packet = value();
    packet["claims"][0]["supporters"] = json!([]);
    packet["claims"][0]["verification"] = json!("not_examined");
    packet["panel"]["seats"][1]["relation"] = json!({ "kind": "related", "families": ["openai"] });
    packet["ledger"]["calls"][0]["lineage"] = json!({ "families": ["meta"], "complete": true });
    let shown = shown(&crate::fixture::read(packet), &TerminalOptions { width: 120, ..PLAIN });
    for told in [
        "nobody who counts says so: google/gemini-3-pro (not independent, not counted), openai/gpt-5.2 (not\n",
        "openai/gpt-5.2       answered, 1 finding; related\n",
        // The one call whose model turned out to be another is told without -v.
        "  openai/gpt-5.2  served as gpt-5.2-2026-01-15, part 1, answered, 0.0303 USD, 29.8 s\n",
    ] {
        assert!(shown.contains(told), "{told} is not in {shown}");
    }
}

#[test]
fn an_answer_by_the_authors_own_family_is_told_where_another_model_was_seated() {
    let answered_by = |families: Value, complete: bool| {
        let mut packet = value();
        packet["ledger"]["calls"][0]["served_model"] = json!("claude-opus-4-5");
        packet["ledger"]["calls"][0]["lineage"] = json!({ "families": families, "complete": complete });
        let packet = crate::fixture::read(packet);
        let shown = shown(&packet, &TerminalOptions { width: 120, ..PLAIN });
        (shown, report::markdown(&packet, &crate::fixture::name()))
    };
    let cases = [
        (json!(["anthropic"]), true, "anthropic", "`anthropic`"),
        (json!([]), false, "unknown lineage", "unknown lineage"),
    ];
    for (families, complete, plain, code) in cases {
        let (shown, comment) = answered_by(families, complete);
        let told = format!("answered as claude-opus-4-5 of {plain}: not counted as independent");
        assert!(shown.split_whitespace().collect::<Vec<_>>().join(" ").contains(&told), "{shown}");
        let told =
            format!("| unrelated; answered as `claude-opus-4-5` of {code}: not counted as independent |");
        assert!(comment.contains(&told), "{comment}");
    }
    let (shown, comment) = answered_by(json!(["meta"]), true);
    assert!(!shown.contains("not counted as") && !comment.contains("not counted as"), "{shown}");
}

#[test]
fn refuted_claims_come_last_in_a_line_each() {
    let shown = shown(&read(examined()), &PLAIN);
    let (before, refuted) = shown.split_once("\nRefuted\n").expect("there is one");
    assert!(!before.contains("is written outside"), "{before}");
    assert!(before.contains("upheld by a second look of the finder's own family: rules"), "{before}");
    assert!(before.contains("google/gemini-3-pro: entry.name() is checked by `is_plain`"), "{before}");
    assert!(refuted.contains("google/gemini-3-pro: entry.name() is checked by `is_plain`"), "{refuted}");
    assert!(
        refuted.starts_with(
            "  high      src/archive/unpack.rs:43-44 An entry named `../x` is written outside\n"
        ),
        "{refuted}"
    );
}
