//! The comment.

use insta::assert_snapshot;
use report::{MAX_COMMENT_BYTES, markdown};
use serde_json::{Value, json};

use crate::fixture::{beside_the_claims, examined, name, packet, packet_with, read, value};

#[test]
fn the_comment_tells_what_was_not_reviewed_before_what_was_found() {
    assert_snapshot!(markdown(&packet(), &name()), @r##"
    **inconclusive** at `4f1c0ab5c9d24e0f8a7b6c5d4e3f2a1b0c9d8e7f`: 1 high, 1 medium, 1 low; reviewed by other families

    ### Not reviewed

    - `a binary file: nobody can read it`
      - `tests/data/nested.zip`
    - `correctness: the reviewer timed out (no answer within 120 s)`
      - `src/archive/list.rs:10-48`
      - `src/archive/unpack.rs:120-131`
    - exempt by `the operator's rule: prose is read by people`
      - `docs/upload.md`

    ### Who wrote it

    AI of known families: `anthropic`

    - `anthropic` wrote lines through `claude-code` as `Claude Opus 4.5`: by its own account, trailer (`commit 4f1c0ab5c9d2`): `Co-Authored-By: Claude Opus 4.5 <noreply(at)anthropic.com>`

    ### Recused

    - `anthropic/claude-sonnet-4-5` shares `anthropic` with the author
    - `local/our-coder` descends from what nobody knows in full, so it cannot be counted as independent

    ### 1. high, security

    **``An entry named `../x` is written outside the target folder``**

    `src/archive/unpack.rs:43-44` · `security/path-traversal`

    ```text
    43 |         let path = target.join(entry.name());
    44 |         let mut file = File::create(&path)?;
    ```

    ```text
    | The archive is an upload, so its entries' names are the uploader's. With an entry named
    | ../../.ssh/authorized_keys, join leaves the target folder and File::create writes
    | wherever the service may write.
    |
    | Nothing above this line checks the name.
    ```

    agreed by 2 unrelated reviewers: `google/gemini-3-pro`, `openai/gpt-5.2` · claim `3f1d0c6a92be`

    ### 2. medium, security

    **`A token stands in the source`**

    `src/archive/unpack.rs:9` · `security/secret`

    ```text
    9 | const UPLOAD_TOKEN: &str = "[redacted: generic token]";
    ```

    ```text
    | Whoever can read the repository can use it. Revoke it, and read it from the environment.
    ```

    found by the rules alone · claim `b07e55d1c3a8`

    ### 3. low, complexity

    **`` `list_entries` has a cyclomatic complexity of 23, up from 9 ``**

    `src/archive/list.rs` (the file as a whole) · `complexity/function`

    found by the rules alone · claim `77ac0e1f2b3d`

    1 more finding could not be anchored; it is in the packet, not told as fact.

    ### Checks

    - `tests` passed, exit code 0, self-reported
    - `build (windows)` failed, as the platform says

    ### Questions for the author

    - `Is the size of what is unpacked bounded anywhere before unpack() is called?` (security, `google/gemini-3-pro`)

    <details>
    <summary>Coverage</summary>

    | lens | asked | hunks | covered | exempt | not covered | independent |
    | --- | --- | --- | --- | --- | --- | --- |
    | security | models | 9 | 9 | 0 | 0 | yes |
    | correctness | models | 8 | 6 | 0 | 2 | yes |
    | complexity | rules | 8 | 8 | 0 | 0 | yes |

    1 secret was redacted before any prompt was built.

    </details>

    <details>
    <summary>Panel</summary>

    | lens | reviewer | to the author | ended | findings |
    | --- | --- | --- | --- | --- |
    | security | `rules` | nobody's family | answered | 1 |
    | security | `openai/gpt-5.2` | unrelated | answered | 1 |
    | security | `google/gemini-3-pro` | unrelated | answered | 2 |
    | correctness | `openai/gpt-5.2` | unrelated | answered, timed out `no answer within 120 s` | 0 |
    | complexity | `rules` | nobody's family | answered | 1 |

    </details>

    <details>
    <summary>Ledger</summary>

    | asked | served as | ended | tokens in | tokens out | cost | time |
    | --- | --- | --- | --- | --- | --- | --- |
    | `openai/gpt-5.2` | `gpt-5.2-2026-01-15` | answered | 12,480 | 812 | 0.0303 USD | 29.8 s |
    | `google/gemini-3-pro` | `gemini-3-pro` | answered | 12,902 | 1,044 | 0.0384 USD | 30.2 s |
    | `openai/gpt-5.2` | `gpt-5.2-2026-01-15` | answered | 9,120 | 377 | 0.0198 USD | 26.4 s |
    | `openai/gpt-5.2` | not reported | timed out | not known | not known | not known | 17.3 s |

    4 calls, 34,502 tokens in, 2,233 out, 0.0884 USD (estimate), 1 call of unknown cost, 48.7 s in all.

    </details>

    <details>
    <summary>Digests and version</summary>

    - packet `d733a1d49b3e81df029926f54163533ee6dcf7d4694b67621b6d29d127e62dd9`, unsigned
    - base `0c3f9a1be27d5486f0a9c1d2e3b4a5f607182930`
    - head `4f1c0ab5c9d24e0f8a7b6c5d4e3f2a1b0c9d8e7f`
    - diff `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`
    - title and description `bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb`
    - 2 receipts are named in the packet
    - recuse `0.1.0`, run `5f0c6d2e9b7a4813`, 2026-11-01 09:30:12 UTC

    </details>

    A review is no approval, and recuse never gives one. What others wrote stands in code; the at sign of a name is written (at) there.
    "##);
}

#[test]
fn what_does_not_fit_is_counted_and_the_worst_claims_stay() {
    let mut packet = value();
    let claim = |severity: &str, index: usize| {
        let mut claim = value()["claims"][0].clone();
        claim["severity"] = json!(severity);
        claim["title"] = json!(format!("claim {index}"));
        claim["body"] = json!("It fails. ".repeat(150));
        claim
    };
    let claims: Vec<Value> =
        (0..300).map(|index| claim(if index < 3 { "critical" } else { "low" }, index)).collect();
    packet["claims"] = json!(claims);
    let comment = markdown(&read(packet), &name());
    assert!(
        comment.len() <= MAX_COMMENT_BYTES && comment.len() > MAX_COMMENT_BYTES - 4_000,
        "{}",
        comment.len()
    );
    let shown = (0..300).take_while(|index| comment.contains(&format!("**`claim {index}`**"))).count();
    assert!(shown > 10);
    assert!(
        comment.contains(&format!("\n{} more claims are in the packet\n", 300 - shown)),
        "{shown} are shown"
    );
    assert!(comment.contains("<summary>Ledger</summary>"));
}

#[test]
fn lists_of_any_length_leave_room_for_the_claims() {
    const LISTS: [&str; 19] = [
        "/gaps",
        "/attribution/evidence",
        "/attribution/families",
        "/panel/recused",
        "/panel/seats",
        "/panel/lenses",
        "/coverage/exempt",
        "/coverage/lenses",
        "/checks",
        "/questions",
        "/ledger/calls",
        "/receipts",
        "/unanchored",
        "/rules/suppressed",
        "/rules/not_covered",
        "/rules/notes",
        "/judgement/reasons",
        "/claims/0/supporters",
        "/claims/0/sources",
    ];
    for filling in ["long ", "𝔩𝔬𝔫𝔤 "] {
        let text = |index: usize| json!(format!("{index} {}", filling.repeat(80)));
        let mut packet = value();
        packet["rules"] = beside_the_claims();
        for pointer in LISTS {
            let list = packet.pointer_mut(pointer).and_then(Value::as_array_mut).expect("it has this list");
            *list = list.iter().cloned().cycle().take(2_000).collect();
            for (index, item) in list.iter_mut().enumerate() {
                if item.is_string() {
                    *item = text(index);
                }
                for field in
                    ["detail", "reason", "text", "name", "file", "engine", "reviewer", "id", "place", "note"]
                {
                    if item.get(field).is_some_and(Value::is_string) {
                        item[field] = text(index);
                    }
                }
            }
        }
        let comment = markdown(&read(packet), &name());
        assert!(comment.len() <= MAX_COMMENT_BYTES, "{}", comment.len());
        for told in ["### 1. high, security", "### 2. medium", "### 3. low", "more are in the packet"] {
            assert!(comment.contains(told), "{told} is not in {comment}");
        }
    }
}

#[test]
fn a_clean_review_says_what_was_looked_at() {
    let comment = markdown(
        &packet_with(&[
            ("/gaps", json!([])),
            ("/coverage/exempt", json!([])),
            ("/claims", json!([])),
            ("/unanchored", json!([])),
            ("/judgement/reasons", json!([])),
            ("/verdict", json!("clean")),
        ]),
        &name(),
    );
    let opening = "**clean** at `4f1c0ab5c9d24e0f8a7b6c5d4e3f2a1b0c9d8e7f`; reviewed by other families\n\n\
                   Nothing is missing: 9 hunks were looked at.\n\n### Who wrote it\n";
    assert!(comment.starts_with(opening), "{comment}");
    assert!(comment.contains("\n### Claims\n\nNobody claims anything.\n"), "{comment}");
}

#[test]
fn a_review_that_is_not_independent_says_so_in_its_first_line() {
    let dependent = ("/judgement/independence", json!("not_independent"));
    let first = |changes: &[(&str, serde_json::Value)]| {
        let comment = markdown(&packet_with(changes), &name());
        comment.lines().next().unwrap_or_default().to_owned()
    };
    let unknown = first(std::slice::from_ref(&dependent));
    assert!(unknown.ends_with("1 low; not independent, as far as is known"), "{unknown}");
    let related = ("/panel/seats/1/relation", json!({ "kind": "related", "families": ["anthropic"] }));
    let related = first(&[dependent, related]);
    assert!(
        related.ends_with("1 low; not independent: reviewers share a family with the author"),
        "{related}"
    );
}

#[test]
fn what_blocks_stands_above_everything_else() {
    let reason = "the required check `tests` failed";
    let packet = packet_with(&[("/verdict", json!("blocked")), ("/judgement/reasons", json!([reason]))]);
    let comment = markdown(&packet, &name());
    assert!(
        comment.contains("\n\n### Why blocked\n\n- ``the required check `tests` failed``\n\n### Not"),
        "{comment}"
    );
}

#[test]
fn refuted_claims_are_folded() {
    let comment = markdown(&read(examined()), &name());
    assert!(
        comment.contains(", refuted by `google/gemini-3-pro`: ``entry.name() is checked by"),
        "{comment}"
    );
    assert!(comment.contains("Cross-examined by `google/gemini-3-pro`:"), "{comment}");
    assert!(
        comment
            .starts_with("**inconclusive** at `4f1c0ab5c9d24e0f8a7b6c5d4e3f2a1b0c9d8e7f`: 1 medium, 1 low;")
    );
    let folded =
        "<details>\n<summary>Refuted claims</summary>\n\n- high `src/archive/unpack.rs:43-44` ``An entry";
    assert!(comment.contains(folded), "{comment}");
}

#[test]
fn what_an_exception_excuses_is_counted_and_shown_with_its_reason() {
    let comment = markdown(&packet_with(&[("/rules", beside_the_claims())]), &name());
    let excused = "1 finding is excused by an exception that stands in the base:\n\n\
                   - medium `database/drop-table` at `migrations/7.sql:3`, because \
                   `(at)alice moved its rows in [6](x)`\n";
    assert!(comment.contains(excused), "{comment}");
    let missed = "- database: `the database rules know PostgreSQL, and this looks like MySQL` in `mysql/1.sql`, \
                  `mysql/2.sql`\n- `a.c`: `7 more lines of this file are what hidden-text/zero-width finds`\n";
    assert!(comment.contains(missed), "{comment}");
}
