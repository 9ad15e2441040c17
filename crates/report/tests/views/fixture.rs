//! A realistic packet: a Rust change written by a model of one family, reviewed by models of two others.

use report::{PacketName, Seal};
use review::Digest;
use review::packet::PacketV1;
use serde_json::{Value, json};

/// The packet's name as the views are given it.
pub(crate) fn name() -> PacketName {
    PacketName { digest: Digest::of(b"the packet"), seal: Seal::Unsigned }
}

/// The packet.
pub(crate) fn packet() -> PacketV1 {
    read(value())
}

/// The packet with one of its parts replaced, by a JSON pointer.
pub(crate) fn packet_with(changes: &[(&str, Value)]) -> PacketV1 {
    let mut value = value();
    for (pointer, change) in changes {
        *value.pointer_mut(pointer).expect("the packet has this part") = change.clone();
    }
    read(value)
}

/// What the rules say beside their claims, one of each kind.
pub(crate) fn beside_the_claims() -> Value {
    json!({
        "suppressed": [{
            "rule": "database/drop-table", "severity": "medium", "file": "migrations/7.sql", "line": 3,
            "title": "a table is dropped", "reason": "@alice moved its rows in [6](x)", "allowed_at": 2
        }],
        "not_covered": [{
            "lens": "database", "reason": "the database rules know PostgreSQL, and this looks like MySQL",
            "files": ["mysql/1.sql", "mysql/2.sql"]
        }],
        "notes": [{ "file": "a.c", "note": "7 more lines of this file are what hidden-text/zero-width finds" }]
    })
}

/// Reads a packet from JSON.
pub(crate) fn read(value: Value) -> PacketV1 {
    serde_json::from_value(value).expect("the fixture is a packet")
}

/// The packet after cross-examinations: the first claim was refuted, the second one upheld by a model of its own family.
pub(crate) fn examined() -> Value {
    let mut value = value();
    let examination = |ruling: &str, unrelated: bool| {
        json!({
            "call": 0, "by": "google/gemini-3-pro", "unrelated_to_finder": unrelated, "ruling": ruling,
            "reason": "entry.name() is checked by `is_plain` in line 31, which this claim overlooks.",
            "quote": "if !is_plain(entry.name()) {"
        })
    };
    value["claims"][0]["verification"] = json!("refuted");
    value["claims"][0]["examination"] = examination("refuted", true);
    value["claims"][1]["verification"] = json!("upheld");
    value["claims"][1]["examination"] = examination("upheld", false);
    value["panel"]["examinations"] = json!([{
        "examiner": "google/gemini-3-pro", "reason": "shares no family with the finder (openai) or the author",
        "relation": { "kind": "unrelated" }, "unrelated_to_finder": true,
        "claims": ["3f1d0c6a92be", "b07e55d1c3a8"], "outcome": "answered", "detail": ""
    }]);
    value
}

/// The packet as JSON.
pub(crate) fn value() -> Value {
    json!({
        "schema": "recuse/packet/v1",
        "run": {
            "id": "5f0c6d2e9b7a4813", "started_at": 1_793_525_412, "elapsed_ms": 48_730, "version": "0.1.0"
        },
        "subject": {
            "source": { "kind": "range", "base_ref": "main", "head_ref": "claude/unpack-in-background" },
            "base": "0c3f9a1be27d5486f0a9c1d2e3b4a5f607182930",
            "head": "4f1c0ab5c9d24e0f8a7b6c5d4e3f2a1b0c9d8e7f",
            "diff_digest": hex('a'),
            "text_digest": hex('b'),
            "branch": "claude/unpack-in-background",
            "commits": 2,
            "files": [
                file("src/archive/unpack.rs", "modified", 84, 12, &["security-sensitive"]),
                file("src/archive/list.rs", "modified", 31, 6, &[]),
                file("docs/upload.md", "modified", 9, 0, &["docs"]),
                file("tests/data/nested.zip", "added", 0, 0, &["binary", "tests"]),
            ]
        },
        "contract": {
            "goal": { "title": "Unpack uploads in the background", "body": "So that requests return at once." },
            "scope": ["through models and rules: security, correctness", "through rules: complexity"],
            "non_goals": ["approving the change"],
            "tools_and_permissions": ["reviewers get text and answer with text"],
            "stopping_condition": "every seated reviewer has ended, or a bound of the budget is reached",
            "evidence_asked_for": ["a quote of the line"],
            "escalation": "a person decides",
            "budget": { "max_micro_usd": 2_000_000, "max_seconds": 600 }
        },
        "attribution": {
            "state": "ai",
            "families": ["anthropic"],
            "suggested_by": [],
            "unknown_agent": false,
            "human_declared": false,
            "bot": false,
            "vouched": false,
            "partial": false,
            "shares": [],
            "evidence": [
                evidence("branch", "weak", "the head's branch", "claude/unpack-in-background", Value::Null),
                evidence(
                    "trailer",
                    "claimed",
                    "commit 4f1c0ab5c9d2",
                    "Co-Authored-By: Claude Opus 4.5 <noreply@anthropic.com>",
                    json!("Claude Opus 4.5"),
                ),
            ]
        },
        "house_rules": [],
        "classification": {
            "labels": [
                { "label": "security-sensitive", "reasons": ["path src/archive/unpack.rs matches **/*unpack*"] }
            ],
            "added": 124,
            "removed": 18,
            "risk": "high",
            "risk_reasons": ["security-sensitive"],
            "reversibility": "reversible",
            "reversibility_reasons": []
        },
        "panel": {
            "policy": "require",
            "rules_only": false,
            "roster": [
                engine("anthropic/claude-sonnet-4-5", &lineage(&["anthropic"])),
                engine("openai/gpt-5.2", &lineage(&["openai"])),
                engine("google/gemini-3-pro", &lineage(&["google"])),
                engine("local/our-coder", &json!({ "families": [], "complete": false })),
            ],
            "seats": [
                seat("security", "rules", json!({ "kind": "no_lineage" }), &[answered(1, 1)]),
                seat("security", "openai/gpt-5.2", json!({ "kind": "unrelated" }), &[answered(1, 1)]),
                seat("security", "google/gemini-3-pro", json!({ "kind": "unrelated" }), &[answered(1, 2)]),
                seat("correctness", "openai/gpt-5.2", json!({ "kind": "unrelated" }), &[answered(1, 0), json!({
                    "part": 2, "outcome": "timed_out", "detail": "no answer within 120 s", "findings": 0,
                    "dropped": 0, "examined": []
                })]),
                seat("complexity", "rules", json!({ "kind": "no_lineage" }), &[answered(1, 1)]),
            ],
            "recused": [
                {
                    "engine": "anthropic/claude-sonnet-4-5",
                    "relation": { "kind": "related", "families": ["anthropic"] },
                    "reason": "shares anthropic with the author of this change"
                },
                {
                    "engine": "local/our-coder",
                    "relation": { "kind": "unknown_lineage" },
                    "reason": "nobody knows all that it descends from, so it cannot be counted as independent"
                }
            ],
            "lenses": [
                lens("security", "models", "the change is security-sensitive"),
                lens("correctness", "models", "code changed"),
                lens("complexity", "rules", "functions changed"),
                lens("prompt-health", "nobody", "nothing that instructs a model changed"),
                lens("database", "nobody", "no schema, migration or query changed"),
            ],
            "examinations": []
        },
        "coverage": {
            "hunks": 9,
            "lenses": [
                covered("security", "models", 9, 0),
                covered("correctness", "models", 6, 2),
                covered("complexity", "rules", 8, 0),
            ],
            "exempt": [{ "file": "docs/upload.md", "reason": "the operator's rule: prose is read by people" }],
            "redacted_secrets": 1
        },
        "claims": [
            {
                "id": "3f1d0c6a92be",
                "lens": "security",
                "category": "security/path-traversal",
                "severity": "high",
                "file": "src/archive/unpack.rs",
                "line_start": 43,
                "line_end": 44,
                "side": "head",
                "quote": "        let path = target.join(entry.name());\n        let mut file = File::create(&path)?;",
                "title": "An entry named `../x` is written outside the target folder",
                "body": "The archive is an upload, so its entries' names are the uploader's. With an entry named \
                         ../../.ssh/authorized_keys, join leaves the target folder and File::create writes \
                         wherever the service may write.\n\nNothing above this line checks the name.",
                "anchor": "line",
                "verification": "agreed",
                "supporters": [
                    supporter("google/gemini-3-pro", "google"),
                    supporter("openai/gpt-5.2", "openai"),
                ],
                "sources": [
                    { "name": "openai/gpt-5.2", "seat": 1, "title": "Zip slip", "merged_because": "" },
                    {
                        "name": "google/gemini-3-pro", "seat": 2, "title": "Path traversal",
                        "merged_because": "same lines and category security/path-traversal"
                    }
                ],
                "examination": null
            },
            {
                "id": "b07e55d1c3a8",
                "lens": "security",
                "category": "security/secret",
                "severity": "medium",
                "file": "src/archive/unpack.rs",
                "line_start": 9,
                "line_end": 9,
                "side": "head",
                "quote": "const UPLOAD_TOKEN: &str = \"[redacted: generic token]\";",
                "title": "A token stands in the source",
                "body": "Whoever can read the repository can use it. Revoke it, and read it from the environment.",
                "anchor": "line",
                "verification": "not_examined",
                "supporters": [{ "kind": "rules", "name": "rules", "family": null, "lineage": null }],
                "sources": [
                    { "name": "rules", "seat": 0, "title": "A token stands in the source", "merged_because": "" }
                ],
                "examination": null
            },
            {
                "id": "77ac0e1f2b3d",
                "lens": "complexity",
                "category": "complexity/function",
                "severity": "low",
                "file": "src/archive/list.rs",
                "line_start": null,
                "line_end": null,
                "side": "head",
                "quote": "",
                "title": "`list_entries` has a cyclomatic complexity of 23, up from 9",
                "body": "",
                "anchor": "file",
                "verification": "not_examined",
                "supporters": [{ "kind": "rules", "name": "rules", "family": null, "lineage": null }],
                "sources": [
                    { "name": "rules", "seat": 4, "title": "A long function", "merged_because": "" }
                ],
                "examination": null
            }
        ],
        "rules": { "suppressed": [], "not_covered": [], "notes": [] },
        "unanchored": [
            {
                "name": "google/gemini-3-pro",
                "category": "security/injection",
                "severity": "high",
                "file": "src/archive/shell.rs",
                "quote": "Command::new(\"sh\").arg(name)",
                "title": "A file name reaches a shell",
                "reason": "its quote stands nowhere in the change or in the file that it names"
            }
        ],
        "checks": [
            { "name": "tests", "state": "passed", "source": "self_reported", "exit_code": 0 },
            { "name": "build (windows)", "state": "failed", "source": "platform", "exit_code": null }
        ],
        "questions": [
            {
                "lens": "security",
                "name": "google/gemini-3-pro",
                "text": "Is the size of what is unpacked bounded anywhere before unpack() is called?"
            }
        ],
        "gaps": [
            {
                "kind": "binary", "file": "tests/data/nested.zip", "lines": null,
                "detail": "a binary file: nobody can read it"
            },
            {
                "kind": "unanswered", "file": "src/archive/list.rs", "lines": [10, 48],
                "detail": "correctness: the reviewer timed out (no answer within 120 s)"
            },
            {
                "kind": "unanswered", "file": "src/archive/unpack.rs", "lines": [120, 131],
                "detail": "correctness: the reviewer timed out (no answer within 120 s)"
            }
        ],
        "ledger": {
            "calls": [
                call(1, 1, "openai/gpt-5.2", "gpt-5.2-2026-01-15", "openai", "answered", 12_480, 812, Some(30_240)),
                call(2, 1, "google/gemini-3-pro", "gemini-3-pro", "google", "answered", 12_902, 1_044, Some(38_332)),
                call(3, 1, "openai/gpt-5.2", "gpt-5.2-2026-01-15", "openai", "answered", 9_120, 377, Some(19_738)),
                call(3, 2, "openai/gpt-5.2", "", "openai", "timed_out", 0, 0, None),
            ],
            "micro_usd": 88_310,
            "unpriced_calls": 1
        },
        "receipts": [
            { "kind": "prompt", "name": "security, part 1", "digest": hex('c'), "bytes": 41_233 },
            { "kind": "reply", "name": "security, part 1", "digest": hex('d'), "bytes": 2_207 }
        ],
        "verdict": "inconclusive",
        "judgement": {
            "headline": "inconclusive: not everything was looked at: tests/data/nested.zip: a binary file: nobody \
                         can read it (and 2 more); 1 high, 1 medium, 1 low; written by anthropic by its own \
                         account, reviewed by others",
            "reasons": [
                "not everything was looked at: tests/data/nested.zip: a binary file: nobody can read it (and 2 \
                 more)",
                "1 high, 1 medium, 1 low"
            ],
            "independence": "established",
            "independence_words": "written by anthropic by its own account, reviewed by others",
            "fail_on": "high",
            "gated": 1,
            "exit_code": 1
        }
    })
}

fn hex(digit: char) -> String {
    std::iter::repeat_n(digit, 64).collect()
}

fn file(path: &str, operation: &str, added: u64, removed: u64, labels: &[&str]) -> Value {
    json!({
        "path": path, "old_path": null, "operation": operation, "added": added, "removed": removed,
        "labels": labels
    })
}

fn evidence(channel: &str, strength: &str, place: &str, text: &str, model: Value) -> Value {
    json!({
        "agent": "claude-code", "model": model, "lineage": lineage(&["anthropic"]), "role": "implementer",
        "channel": channel, "strength": strength, "place": place, "text": text
    })
}

fn lineage(families: &[&str]) -> Value {
    json!({ "families": families, "complete": true })
}

fn engine(id: &str, lineage: &Value) -> Value {
    json!({
        "id": id, "lineage": lineage, "lineage_source": "table", "edges": [],
        "price": [{ "above_input_tokens": 0, "input": 1_750_000, "cached_input": 175_000, "cache_write": null,
            "output": 14_000_000 }],
        "price_as_of": "2026-11"
    })
}

fn seat(lens: &str, reviewer: &str, relation: Value, outcomes: &[Value]) -> Value {
    let reason = if reviewer == "rules" { "deterministic, nobody's family" } else { "shares no family" };
    json!({ "lens": lens, "reviewer": reviewer, "relation": relation, "stands_in_for": null, "only_hunks": null,
        "reason": reason, "outcomes": outcomes })
}

fn answered(part: u32, findings: u32) -> Value {
    json!({
        "part": part, "outcome": "answered", "detail": "", "findings": findings, "dropped": 0,
        "examined": ["how names of entries become paths"]
    })
}

fn lens(lens: &str, asked: &str, reason: &str) -> Value {
    json!({ "lens": lens, "asked": asked, "reason": reason, "unmet": null })
}

fn covered(lens: &str, asked: &str, covered: u32, uncovered: u32) -> Value {
    json!({
        "lens": lens, "asked": asked, "hunks": covered + uncovered, "covered": covered, "exempt": 0,
        "uncovered": uncovered, "independent": true
    })
}

fn supporter(name: &str, family: &str) -> Value {
    json!({ "kind": "model", "name": name, "family": family, "lineage": lineage(&[family]) })
}

#[expect(clippy::too_many_arguments, reason = "a row of a table")]
fn call(
    seat: u32,
    part: u32,
    engine: &str,
    served: &str,
    family: &str,
    outcome: &str,
    input: u64,
    output: u64,
    micro_usd: Option<u64>,
) -> Value {
    let answered = outcome == "answered";
    json!({
        "seat": seat, "examination": null, "part": part, "engine": engine, "served_model": answered.then_some(served),
        "lineage": lineage(&[family]), "outcome": outcome,
        "usage": answered.then(|| json!({
            "input": input, "cached_input": 0, "cache_write": 0, "output": output, "reasoning": output / 2
        })),
        "reserved_micro_usd": 120_000, "micro_usd": micro_usd, "elapsed_ms": 17_350 + input,
        "prompt": hex('c'), "reply": answered.then(|| hex('d'))
    })
}
