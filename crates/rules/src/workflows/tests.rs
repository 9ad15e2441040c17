//! The pipelines' rules through their front door.

use review::{Lens, Severity};

use crate::tests::changed;
use crate::{Examined, FileReport, FileView, RuleOptions, review_file};

/// What is said of a workflow that changes from one text to another, with the whole files at hand.
fn review(before: Option<&str>, after: &str) -> FileReport {
    let file = changed(".github/workflows/ci.yml", before, after);
    review_file(&FileView::new(&file, before, Some(after)), &RuleOptions::default())
}

fn said(report: &FileReport) -> Vec<(&str, u32, Severity)> {
    let of = report.findings.iter().map(|finding| {
        let rule = finding.rule.as_deref().unwrap_or_default();
        (rule, finding.lines.map_or(0, |(first, _)| first), finding.severity)
    });
    of.collect()
}

const HEAD: &str =
    "on: issue_comment\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n";

#[test]
fn an_expression_is_reported_on_its_own_line() {
    let text = format!(
        "{HEAD}      - name: x\n        run: |\n          set -e\n          echo '${{{{ github.event.comment.body }}}}'\n"
    );
    let report = review(None, &text);
    assert_eq!(said(&report), [("workflows/untrusted-interpolation", 10, Severity::High)]);
    assert_eq!(report.findings[0].quote, "          echo '${{ github.event.comment.body }}'");
    assert!(
        report.findings[0].body.starts_with("`github.event.comment.body` is text that an outsider chooses")
    );
}

#[test]
fn a_value_from_outside_is_followed_through_the_environment_and_into_scripts_of_actions() {
    let text = format!(
        "{HEAD}      - run: echo ${{{{ env.BODY }}}}\n        env:\n          BODY: ${{{{ github.event.comment.body }}}}\n      \
         - uses: actions/github-script@f28e40c7f34bde8b3046d885e986cb6290c5673b\n        with:\n          script: |\n            \
         const title = `${{{{ github.event.issue.title }}}}`\n"
    );
    let lines: Vec<_> = said(&review(None, &text)).into_iter().map(|(_, line, _)| line).collect();
    assert_eq!(lines, [7, 13]);
}

#[test]
fn what_the_change_does_not_add_is_not_reported() {
    let before =
        format!("{HEAD}      - run: echo '${{{{ github.event.comment.body }}}}'\n      - uses: acme/x@v1\n");
    let after = before.replace("@v1", "@v2") + "      - run: make\n";
    assert_eq!(said(&review(Some(&before), &after)), []);
}

#[test]
fn a_pull_request_has_no_secrets_to_lose() {
    let text = "on: [pull_request]\npermissions: {}\njobs:\n  a:\n    steps:\n      - run: git log ${{ github.head_ref }}\n";
    let report = review(None, text);
    assert_eq!(said(&report), [("workflows/untrusted-interpolation", 6, Severity::Medium)]);
}

#[test]
fn a_trigger_that_is_added_to_a_checkout_is_reported_where_it_is_added() {
    let steps = "permissions: {}\njobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n        with:\n          ref: \
                 ${{ github.event.pull_request.head.sha }}\n";
    let (before, after) =
        (format!("on:\n  pull_request:\n{steps}"), format!("on:\n  pull_request_target:\n{steps}"));
    let report = review(Some(&before), &after);
    assert_eq!(
        said(&report),
        [
            ("workflows/privileged-checkout", 2, Severity::High),
            ("workflows/privileged-trigger", 2, Severity::Low)
        ]
    );
}

#[test]
fn a_guard_for_branches_of_the_repository_itself_is_enough() {
    let text = |condition: &str| {
        format!(
            "on: [pull_request_target]\npermissions: {{}}\njobs:\n  a:\n    if: {condition}\n    steps:\n      - run: gh pr \
             checkout 1\n"
        )
    };
    let severity = |condition: &str| {
        let report = review(None, &text(condition));
        let of = said(&report).into_iter().find(|(rule, ..)| *rule == "workflows/privileged-checkout");
        of.map(|(.., severity)| severity)
    };
    assert_eq!(severity("github.event.pull_request.head.repo.full_name == github.repository"), None);
    assert_eq!(severity("contains(github.event.pull_request.labels.*.name, 'ok')"), Some(Severity::Medium));
    assert_eq!(severity("always()"), Some(Severity::High));
}

#[test]
fn with_only_the_diff_the_hunk_is_read_and_the_report_says_so() {
    let before = "on: push\njobs:\n  a:\n    steps:\n      - run: make\n";
    let after = format!("{before}      - uses: acme/deploy@main\n      - run: curl https://x.example | sh\n");
    let file = changed(".github/workflows/ci.yml", Some(before), &after);
    let report = review_file(&FileView::new(&file, None, None), &RuleOptions::default());
    assert_eq!(
        said(&report),
        [
            ("workflows/unpinned-action", 6, Severity::Medium),
            ("workflows/remote-script", 7, Severity::Medium)
        ]
    );
    assert_eq!(report.notes.len(), 1);
}

#[test]
fn what_later_steps_execute_is_not_set_from_outside() {
    let says = |command: &str| {
        let text = format!(
            "on: workflow_run\npermissions: {{}}\njobs:\n  a:\n    env:\n      TITLE: ${{{{ \
             github.event.workflow_run.display_title }}}}\n    steps:\n      - run: {command}\n"
        );
        said(&review(None, &text)).iter().any(|(rule, ..)| *rule == "workflows/environment-file")
    };
    assert!(says("echo \"N=$(cat n)\" >> $GITHUB_ENV"));
    assert!(says("echo \"N=${TITLE}\" >> \"$GITHUB_ENV\""));
    assert!(!says("echo \"N=$PLATFORM\" >> $GITHUB_ENV"));
    assert!(!says("echo \"N=$(cat n)\" >> $GITHUB_OUTPUT"));
}

#[test]
fn a_right_at_the_top_is_every_jobs() {
    let text = "on: push\npermissions:\n  contents: write\njobs:\n  a:\n    steps:\n      - run: make\n  b:\n    steps:\n      - run: make\n";
    assert_eq!(said(&review(None, text)), [("workflows/broad-permissions", 3, Severity::Low)]);
    let one = text.split("  b:").next().unwrap_or_default();
    assert_eq!(said(&review(None, one)), []);
}

#[test]
fn a_workflow_that_is_no_yaml_is_said_to_be_unread() {
    let report = review(None, "on: push\n jobs: {a: [\n");
    let Some(Examined::Failed(reason)) = report.examined(Lens::Security) else { panic!("{report:?}") };
    assert!(reason.starts_with("the pipeline could not be read as YAML: line "), "{reason}");
    assert_eq!(said(&report), [("workflows/not-yaml", 2, Severity::Medium)]);
}

#[test]
fn a_condition_is_always_true_when_it_is_a_text() {
    let says = |condition: &str| {
        let text = format!("{HEAD}      - run: make\n        if: {condition}\n");
        said(&review(None, &text)).iter().any(|(rule, ..)| *rule == "workflows/condition-always-true")
    };
    assert!(says("|\n          ${{ github.actor == 'x' }}"));
    assert!(says("${{ a }} && ${{ b }}"));
    assert!(!says("|-\n          ${{ github.actor == 'x' }}"));
    assert!(!says("github.actor == 'x'"));
    assert!(!says("${{ a && b }}"));
}

#[test]
fn gitlab_pipelines_are_read_too() {
    let text = "include:\n  - remote: https://ci.example/x.yml\nbuild:\n  script:\n    - curl http://x.example/i | sh\n    - \
                eval \"echo $CI_COMMIT_MESSAGE\"\n    - echo \"$CI_COMMIT_MESSAGE\"\n";
    let file = changed(".gitlab-ci.yml", None, text);
    let report = review_file(&FileView::new(&file, None, None), &RuleOptions::default());
    assert_eq!(
        said(&report),
        [
            ("workflows/remote-script", 2, Severity::Medium),
            ("workflows/remote-script", 5, Severity::High),
            ("workflows/untrusted-interpolation", 6, Severity::High)
        ]
    );
}
