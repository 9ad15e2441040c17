//! What GitHub shows: conclusions, annotations, inline comments, history, notices and answers.

use insta::assert_snapshot;
use report::{
    AnnotationLevel, Conclusion, Earlier, MAX_COMMENT_BYTES, Notice, Reply, annotations, check, comment,
    inline_comments, notice, reply,
};
use review::CommitId;
use review::change::Side;
use serde_json::json;

use crate::fixture::{examined, name, packet, packet_with, read};

fn commit(digit: &str) -> CommitId {
    CommitId::new(&digit.repeat(40)).expect("it is one")
}

#[test]
fn conclusions_are_those_of_the_verdict_and_never_softer() {
    let cases = [
        ("clean", 0, Conclusion::Success),
        ("findings", 0, Conclusion::Success),
        ("findings", 1, Conclusion::Failure),
        ("blocked", 1, Conclusion::Failure),
        ("inconclusive", 1, Conclusion::Failure),
        ("inconclusive", 3, Conclusion::ActionRequired),
        // No packet of ours says this; one that does passes nothing.
        ("inconclusive", 0, Conclusion::ActionRequired),
        ("blocked", 0, Conclusion::Failure),
        ("clean", 3, Conclusion::ActionRequired),
        ("clean", 9, Conclusion::ActionRequired),
    ];
    for (verdict, code, expected) in cases {
        let packet = packet_with(&[("/verdict", json!(verdict)), ("/judgement/exit_code", json!(code))]);
        assert_eq!(check(&packet, &name()).conclusion, expected, "{verdict} with {code}");
    }
}

#[test]
fn the_title_is_of_our_own_words() {
    assert_snapshot!(check(&packet(), &name()).title, @"inconclusive · 1 high, 1 medium, 1 low · 3 places not reviewed · reviewed by other families");
}

#[test]
fn annotations_stand_at_lines_of_the_head() {
    let packet = read(examined());
    let made = annotations(&packet);
    assert!(!made.is_empty());
    let levels: Vec<_> = made.iter().map(|annotation| annotation.level).collect();
    assert_eq!(levels, [AnnotationLevel::Warning]);
    assert_snapshot!(format!("{}\n{}", made[0].title, made[0].message), @r"
    medium: A token stands in the source
    Whoever can read the repository can use it. Revoke it, and read it from the environment.

    security/secret · upheld by a second look of the finder's own family · claim b07e55d1c3a8
    ");
}

#[test]
fn only_what_is_medium_and_up_and_stands_in_the_diff_interrupts() {
    let packet = packet();
    let inline = inline_comments(&packet);
    for comment in &inline {
        let claim = packet.claims.iter().find(|claim| claim.id == comment.claim).expect("it is of a claim");
        assert!(claim.severity >= review::Severity::Medium);
        assert_eq!(claim.line_start, Some(comment.line_start));
    }
    assert_eq!(inline[0].side, Side::Head);
    assert_snapshot!(inline[0].body, @r"
    high · `security/path-traversal`

    **``An entry named `../x` is written outside the target folder``**

    ```text
    | The archive is an upload, so its entries' names are the uploader's. With an entry named
    | ../../.ssh/authorized_keys, join leaves the target folder and File::create writes
    | wherever the service may write.
    |
    | Nothing above this line checks the name.
    ```

    agreed by 2 unrelated reviewers: `google/gemini-3-pro`, `openai/gpt-5.2` · claim `3f1d0c6a92be`
    ");
}

#[test]
fn earlier_reviews_are_folded_at_the_end() {
    let packet = packet();
    let earlier: Vec<Earlier> = (0..25)
        .map(|number| Earlier::of(&packet, commit(&format!("{:x}", number % 16)), name().digest))
        .collect();
    let text = comment(&packet, &name(), &earlier);
    assert!(text.len() <= MAX_COMMENT_BYTES);
    let at = text.find("<summary>Earlier").expect("they are told");
    let end = &text[at..];
    assert_eq!(end.matches("\n- `").count(), 20);
    assert!(end.contains("5 more reviews"), "{end}");
    assert!(!comment(&packet, &name(), &[]).contains("Earlier"));
}

#[test]
fn notices_and_answers_read_as_sentences() {
    let skipped = Notice::Skipped { rule: "the author is a dependency bot", what: "dependabot[bot]" };
    let failed = Notice::Failed { error: "could not fetch the repository: `a`\n@b" };
    let (title, text) = notice(&skipped);
    assert_snapshot!(format!("{title}\n{text}"), @r"
    the author is a dependency bot
    Not reviewed, by a rule of the operator: the author is a dependency bot (`dependabot[bot]`).

    Nobody looked at this change. A line that begins with `/recuse review`, in a comment by somebody with write access, has it reviewed all the same.
    ");
    let (title, text) = notice(&failed);
    assert_snapshot!(format!("{title}\n{text}"), @r"
    the review failed; nothing was reviewed
    The review was tried as often as it may be and did not come to an end. The last error:

    ``could not fetch the repository: `a` (at)b``

    A line that begins with `/recuse review` tries again.
    ");
    assert_snapshot!(reply(&Reply::Unknown("merge`@x")), @r"
    There is no command ``merge`(at)x``.

    Commands, at the beginning of a line, for those with write access:

    - `/recuse review` reviews the head as it is now
    - `/recuse review security database` looks through these lenses only
    - `/recuse stop` stops a review that is running or waiting
    - `/recuse why` tells who wrote the change, who was recused and who was seated
    - `/recuse help` shows this list
    ");
    let why = reply(&Reply::Why(&packet(), &name().digest));
    assert!(why.contains("### Recused") && why.contains("### Panel"), "{why}");
}
