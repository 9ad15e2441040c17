//! The packet as SARIF 2.1.0, for code scanning and editors.
//!
//! Texts of authors and models are plain-text messages here. SARIF reads `[text](target)` in such a message as a
//! link (section 3.11.6), and GitHub shows messages in comments, so both the link's joint and the `@` of a mention
//! are written in another way.

use std::collections::BTreeMap;

use review::change::Side;
use review::merge::Verification;
use review::packet::{ClaimV1, PacketV1};
use review::text::visible;
use review::{Gap, Lens, Severity};
use serde_json::{Map, Value, json};

use crate::PacketName;
use crate::claim::{lines, place_note, support};
use crate::text::{clip, place, without_mentions};

/// The schema's published name.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The most characters of a message; what a claim can have is below it, what a packet from elsewhere has may not be.
const MESSAGE_CHARACTERS: usize = 8_000;

/// The packet as a SARIF log with one run.
pub fn sarif(packet: &PacketV1, name: &PacketName) -> Value {
    let rules = rules(packet);
    let results: Vec<Value> = packet.claims.iter().map(|claim| result(claim, &rules)).collect();
    let run = json!({
        "tool": { "driver": {
            "name": "recuse",
            "version": visible(&packet.run.version),
            "rules": rules.iter().map(|(category, severity)| rule(category, *severity)).collect::<Vec<_>>(),
        }},
        "automationDetails": { "id": format!("recuse/{}", visible(&packet.run.id)) },
        "invocations": [{
            "executionSuccessful": true,
            "exitCode": packet.judgement.exit_code,
            "toolExecutionNotifications": packet.gaps.iter().map(notification).collect::<Vec<_>>(),
        }],
        "results": results,
        "properties": {
            "verdict": packet.verdict.name(),
            "headline": message(&packet.judgement.headline),
            "packetDigest": name.digest.as_str(),
            "head": packet.subject.head.as_ref().map(|head| visible(head.as_str())),
            "base": packet.subject.base.as_ref().map(|base| visible(base.as_str())),
            "unanchoredFindings": packet.unanchored.len(),
            "checks": packet.checks.iter().map(|check| json!({
                "name": message(&check.name),
                "state": check.state,
                "source": check.source,
                "exitCode": check.exit_code,
                "detail": message(&check.detail),
                "app": check.app.as_deref().map(message),
            })).collect::<Vec<_>>(),
        },
    });
    json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] })
}

/// The categories that claims are of, each with the worst severity it has here.
fn rules(packet: &PacketV1) -> BTreeMap<&str, Severity> {
    let mut rules: BTreeMap<&str, Severity> = BTreeMap::new();
    for claim in &packet.claims {
        let worst = rules.entry(&claim.category).or_insert(claim.severity);
        *worst = claim.severity.max(*worst);
    }
    rules
}

fn rule(category: &str, worst: Severity) -> Value {
    let (lens, kind) = category.split_once('/').unwrap_or((category, "other"));
    let name: String = kind.split('-').chain([lens]).map(capitalized).collect();
    let mut properties = Map::new();
    properties.insert("tags".to_owned(), json!([visible(lens)]));
    if lens == "security" {
        properties.insert("security-severity".to_owned(), json!(security_severity(worst)));
    }
    json!({
        "id": visible(category),
        "name": visible(&name),
        "shortDescription": { "text": message(&format!("{} ({lens})", kind.replace('-', " "))) },
        "defaultConfiguration": { "level": level(worst) },
        "properties": properties,
    })
}

fn capitalized(word: &str) -> String {
    let mut rest = word.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// GitHub's scale: over 9 is critical, from 7 on high, from 4 on medium, the rest low.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    }
}

fn result(claim: &ClaimV1, rules: &BTreeMap<&str, Severity>) -> Value {
    let mut physical = Map::new();
    physical.insert("artifactLocation".to_owned(), json!({ "uri": uri(&claim.file) }));
    // A region is read as lines of the version that was scanned, which is the head.
    let region = lines(claim)
        .map(|(start, end)| json!({ "startLine": start.max(1), "endLine": end.max(start).max(1) }));
    if let (Some(region), Side::Head) = (&region, claim.side) {
        physical.insert("region".to_owned(), region.clone());
    }
    let mut result = json!({
        "ruleId": visible(&claim.category),
        "ruleIndex": rules.keys().position(|category| *category == claim.category),
        "level": level(claim.severity),
        "message": { "text": message(&claim_message(claim)) },
        "locations": [{ "physicalLocation": physical }],
        "partialFingerprints": { "recuse/v1": visible(&claim.id) },
        "properties": {
            "severity": claim.severity.name(),
            "verification": claim.verification,
            "supporters": claim.supporters.iter().map(|supporter| json!({
                "kind": supporter.kind,
                "name": message(&supporter.name),
                "family": supporter.family.as_deref().map(message),
            })).collect::<Vec<_>>(),
        },
    });
    if claim.lens == Lens::Security {
        result["properties"]["security-severity"] = json!(security_severity(claim.severity));
    }
    if let (Some(region), Side::Base) = (region, claim.side) {
        result["relatedLocations"] = json!([{
            "id": 1,
            "message": { "text": "in the version before the change" },
            "physicalLocation": { "artifactLocation": { "uri": uri(&claim.file) }, "region": region },
        }]);
    }
    if claim.verification == Verification::Refuted {
        result["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": "refuted by a cross-examiner" }]);
    }
    result
}

fn claim_message(claim: &ClaimV1) -> String {
    let mut parts = vec![claim.title.clone(), claim.body.clone()];
    if let Some(note) = place_note(claim) {
        parts.push(format!("Place: {} ({note}).", place(&claim.file, lines(claim))));
    }
    parts.push(format!("Verification: {}.", support(claim)));
    parts.retain(|part| !part.trim().is_empty());
    parts.join("\n\n")
}

/// What was not reviewed, as a warning of the run.
fn notification(gap: &Gap) -> Value {
    let mut notification = json!({
        "level": "warning",
        "message": { "text": message(&format!("not reviewed: {}", gap.detail)) },
        "properties": { "kind": gap.kind },
    });
    if let Some(file) = &gap.file {
        let mut physical = Map::new();
        physical.insert("artifactLocation".to_owned(), json!({ "uri": uri(file.as_str()) }));
        if let Some((start, end)) = gap.lines {
            physical.insert(
                "region".to_owned(),
                json!({ "startLine": start.max(1), "endLine": end.max(start).max(1) }),
            );
        }
        notification["locations"] = json!([{ "physicalLocation": physical }]);
    }
    notification
}

/// Anybody's text as a plain-text message without links and mentions.
fn message(text: &str) -> String {
    without_mentions(&clip(&visible(text), MESSAGE_CHARACTERS)).replace("](", "] (")
}

/// A path as a relative reference (RFC 3986): everything but unreserved characters and `/` is percent-encoded, so
/// that no part of it is read as a scheme, a host, a query or a fragment.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            b'/' if !uri.is_empty() => uri.push('/'),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
