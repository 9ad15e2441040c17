//! The SARIF log.

use insta::assert_snapshot;
use report::sarif;
use serde_json::{Value, json};

use crate::fixture::{name, packet, packet_with};

fn pretty(log: &Value) -> String {
    serde_json::to_string_pretty(log).expect("a log is JSON")
}

#[test]
fn the_log_has_the_claims_as_results_and_the_gaps_as_notifications() {
    assert_snapshot!(pretty(&sarif(&packet(), &name())), @r##"
    {
      "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
      "runs": [
        {
          "automationDetails": {
            "id": "recuse/5f0c6d2e9b7a4813"
          },
          "invocations": [
            {
              "executionSuccessful": true,
              "exitCode": 1,
              "toolExecutionNotifications": [
                {
                  "level": "warning",
                  "locations": [
                    {
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "tests/data/nested.zip"
                        }
                      }
                    }
                  ],
                  "message": {
                    "text": "not reviewed: a binary file: nobody can read it"
                  },
                  "properties": {
                    "kind": "binary"
                  }
                },
                {
                  "level": "warning",
                  "locations": [
                    {
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "src/archive/list.rs"
                        },
                        "region": {
                          "endLine": 48,
                          "startLine": 10
                        }
                      }
                    }
                  ],
                  "message": {
                    "text": "not reviewed: correctness: the reviewer timed out (no answer within 120 s)"
                  },
                  "properties": {
                    "kind": "unanswered"
                  }
                },
                {
                  "level": "warning",
                  "locations": [
                    {
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "src/archive/unpack.rs"
                        },
                        "region": {
                          "endLine": 131,
                          "startLine": 120
                        }
                      }
                    }
                  ],
                  "message": {
                    "text": "not reviewed: correctness: the reviewer timed out (no answer within 120 s)"
                  },
                  "properties": {
                    "kind": "unanswered"
                  }
                }
              ]
            }
          ],
          "properties": {
            "base": "0c3f9a1be27d5486f0a9c1d2e3b4a5f607182930",
            "checks": [
              {
                "app": null,
                "detail": "",
                "exitCode": 0,
                "name": "tests",
                "source": "self_reported",
                "state": "passed"
              },
              {
                "app": null,
                "detail": "",
                "exitCode": null,
                "name": "build (windows)",
                "source": "platform",
                "state": "failed"
              }
            ],
            "head": "4f1c0ab5c9d24e0f8a7b6c5d4e3f2a1b0c9d8e7f",
            "headline": "inconclusive: not everything was looked at: tests/data/nested.zip: a binary file: nobody can read it (and 2 more); 1 high, 1 medium, 1 low; written by anthropic by its own account, reviewed by others",
            "packetDigest": "d733a1d49b3e81df029926f54163533ee6dcf7d4694b67621b6d29d127e62dd9",
            "unanchoredFindings": 1,
            "verdict": "inconclusive"
          },
          "results": [
            {
              "level": "error",
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "src/archive/unpack.rs"
                    },
                    "region": {
                      "endLine": 44,
                      "startLine": 43
                    }
                  }
                }
              ],
              "message": {
                "text": "An entry named `../x` is written outside the target folder\n\nThe archive is an upload, so its entries' names are the uploader's. With an entry named ../../.ssh/authorized_keys, join leaves the target folder and File::create writes wherever the service may write.\n\nNothing above this line checks the name.\n\nVerification: agreed by 2 unrelated reviewers."
              },
              "partialFingerprints": {
                "recuse/v1": "3f1d0c6a92be"
              },
              "properties": {
                "security-severity": "8.0",
                "severity": "high",
                "supporters": [
                  {
                    "family": "google",
                    "kind": "model",
                    "name": "google/gemini-3-pro"
                  },
                  {
                    "family": "openai",
                    "kind": "model",
                    "name": "openai/gpt-5.2"
                  }
                ],
                "verification": "agreed"
              },
              "ruleId": "security/path-traversal",
              "ruleIndex": 1
            },
            {
              "level": "warning",
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "src/archive/unpack.rs"
                    },
                    "region": {
                      "endLine": 9,
                      "startLine": 9
                    }
                  }
                }
              ],
              "message": {
                "text": "A token stands in the source\n\nWhoever can read the repository can use it. Revoke it, and read it from the environment.\n\nVerification: found by the rules alone."
              },
              "partialFingerprints": {
                "recuse/v1": "b07e55d1c3a8"
              },
              "properties": {
                "security-severity": "5.5",
                "severity": "medium",
                "supporters": [
                  {
                    "family": null,
                    "kind": "rules",
                    "name": "rules"
                  }
                ],
                "verification": "not_examined"
              },
              "ruleId": "security/secret",
              "ruleIndex": 2
            },
            {
              "level": "note",
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "src/archive/list.rs"
                    }
                  }
                }
              ],
              "message": {
                "text": "`list_entries` has a cyclomatic complexity of 23, up from 9\n\nPlace: src/archive/list.rs (the file as a whole).\n\nVerification: found by the rules alone."
              },
              "partialFingerprints": {
                "recuse/v1": "77ac0e1f2b3d"
              },
              "properties": {
                "severity": "low",
                "supporters": [
                  {
                    "family": null,
                    "kind": "rules",
                    "name": "rules"
                  }
                ],
                "verification": "not_examined"
              },
              "ruleId": "complexity/function",
              "ruleIndex": 0
            }
          ],
          "tool": {
            "driver": {
              "name": "recuse",
              "rules": [
                {
                  "defaultConfiguration": {
                    "level": "note"
                  },
                  "id": "complexity/function",
                  "name": "FunctionComplexity",
                  "properties": {
                    "tags": [
                      "complexity"
                    ]
                  },
                  "shortDescription": {
                    "text": "function (complexity)"
                  }
                },
                {
                  "defaultConfiguration": {
                    "level": "error"
                  },
                  "id": "security/path-traversal",
                  "name": "PathTraversalSecurity",
                  "properties": {
                    "security-severity": "8.0",
                    "tags": [
                      "security"
                    ]
                  },
                  "shortDescription": {
                    "text": "path traversal (security)"
                  }
                },
                {
                  "defaultConfiguration": {
                    "level": "warning"
                  },
                  "id": "security/secret",
                  "name": "SecretSecurity",
                  "properties": {
                    "security-severity": "5.5",
                    "tags": [
                      "security"
                    ]
                  },
                  "shortDescription": {
                    "text": "secret (security)"
                  }
                }
              ],
              "version": "0.1.0"
            }
          }
        }
      ],
      "version": "2.1.0"
    }
    "##);
}

fn first_result(changes: &[(&str, Value)]) -> Value {
    sarif(&packet_with(changes), &name())["runs"][0]["results"][0].clone()
}

#[test]
fn lines_of_the_base_are_related_and_not_where_the_result_is() {
    let result = first_result(&[("/claims/0/side", json!("base"))]);
    let file = json!({ "uri": "src/archive/unpack.rs" });
    assert_eq!(result["locations"], json!([{ "physicalLocation": { "artifactLocation": file } }]));
    let region = json!({ "startLine": 43, "endLine": 44 });
    assert_eq!(
        result["relatedLocations"],
        json!([{
            "id": 1,
            "message": { "text": "in the version before the change" },
            "physicalLocation": { "artifactLocation": file, "region": region },
        }])
    );
    let message = result["message"]["text"].as_str().unwrap_or_default();
    assert!(message.contains("\n\nPlace: src/archive/unpack.rs:43-44 (before the change).\n\n"), "{message}");
}

#[test]
fn lines_outside_the_change_are_told_as_such() {
    let result = first_result(&[("/claims/0/anchor", json!("elsewhere"))]);
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 43);
    let message = result["message"]["text"].as_str().unwrap_or_default();
    assert!(message.contains("src/archive/unpack.rs:43-44 (outside the changed lines)"), "{message}");
}

#[test]
fn a_refuted_claim_is_suppressed_and_not_dropped() {
    let result = first_result(&[("/claims/0/verification", json!("refuted"))]);
    assert_eq!(result["suppressions"][0]["status"], "accepted");
    assert_eq!(first_result(&[])["suppressions"], Value::Null);
}

#[test]
fn a_path_is_a_relative_reference_whatever_is_in_it() {
    for (path, uri) in [
        ("src/a b.rs", "src/a%20b.rs"),
        ("http://x/?q#f", "http%3A//x/%3Fq%23f"),
        ("/etc/passwd", "%2Fetc/passwd"),
        ("100%.md", "100%25.md"),
        ("ä\u{202e}.rs", "%C3%A4%E2%80%AE.rs"),
    ] {
        let result = first_result(&[("/claims/0/file", json!(path))]);
        assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], uri);
    }
}

#[test]
fn a_message_has_no_link_and_no_mention() {
    let result = first_result(&[("/claims/0/title", json!("see [this](http://x), @user, and a[i](j)"))]);
    let message = result["message"]["text"].as_str().unwrap_or_default();
    assert!(message.starts_with("see [this] (http://x), (at)user, and a[i] (j)\n"), "{message}");
}
