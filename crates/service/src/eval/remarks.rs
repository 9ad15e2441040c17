//! What a packet's reviewers said, in a form that can be compared with what is known.

use std::collections::BTreeMap;

use review::agreement::{Place, Said};
use review::merge::Verification;
use review::packet::{ClaimV1, PacketV1, UnanchoredV1};
use review::wording::Wording;
use review::{Category, Change, Hunk, Lens, RepoPath, Severity, Side};
use serde::Serialize;

/// One thing that was said about a change: a claim, or a finding that could not be anchored.
#[derive(Debug, Clone)]
pub struct Remark {
    /// As the packet tells it.
    pub said: Said,
    /// As a prediction.
    pub prediction: Prediction,
    /// What speaks for it; `None` where it could not be anchored.
    pub verification: Option<Verification>,
    /// How bad it is.
    pub severity: Severity,
    /// Each engine that says so, in its own words.
    pub by_engine: BTreeMap<String, Said>,
}

/// One line of `<id>.json`: what scorers of other people's read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Prediction {
    /// The file.
    pub file: String,
    /// First line of the version after the change, from 1; null for a file as a whole.
    pub line_start: Option<u32>,
    /// Last line.
    pub line_end: Option<u32>,
    /// How bad it is.
    pub severity: Severity,
    /// `<lens>/<kind>`.
    pub category: String,
    /// Title and failure scenario.
    pub text: String,
}

/// Everything that was said, claims first.
pub fn remarks(packet: &PacketV1, change: &Change) -> Vec<Remark> {
    let claims = packet.claims.iter().map(|claim| of_claim(claim, change));
    claims.chain(packet.unanchored.iter().map(of_unanchored)).collect()
}

fn of_claim(claim: &ClaimV1, change: &Change) -> Remark {
    let place = place_after(claim, change);
    let said = |title: &str| Said {
        place: place.clone(),
        lens: claim.lens,
        text: Wording::of(&format!("{title} {}", claim.body)),
    };
    // The packet keeps each engine's title; the scenario is the leading finding's.
    let by_engine = claim.sources.iter().map(|source| (source.name.clone(), said(&source.title)));
    Remark {
        said: said(&claim.title),
        prediction: Prediction {
            file: place.file.clone(),
            line_start: place.lines.map(|(start, _)| start),
            line_end: place.lines.map(|(_, end)| end),
            severity: claim.severity,
            category: claim.category.clone(),
            text: format!("{}\n{}", claim.title, claim.body).trim().to_owned(),
        },
        verification: Some(claim.verification),
        severity: claim.severity,
        // The first title of an engine that says it twice: the leading finding comes first.
        by_engine: by_engine.rev().collect(),
    }
}

fn of_unanchored(finding: &UnanchoredV1) -> Remark {
    let said = Said {
        place: Place { file: finding.file.clone(), lines: None },
        lens: Category::parse(&finding.category, Lens::Correctness).lens(),
        text: Wording::of(&finding.title),
    };
    Remark {
        prediction: Prediction {
            file: finding.file.clone(),
            line_start: None,
            line_end: None,
            severity: finding.severity,
            category: finding.category.clone(),
            text: finding.title.clone(),
        },
        verification: None,
        severity: finding.severity,
        by_engine: BTreeMap::from([(finding.name.clone(), said.clone())]),
        said,
    }
}

/// Where a claim is in the version after the change. One about removed lines is where they were.
fn place_after(claim: &ClaimV1, change: &Change) -> Place {
    let as_told = || Place { file: claim.file.clone(), lines: claim.line_start.zip(claim.line_end) };
    let (Side::Base, Some(start), Some(end)) = (claim.side, claim.line_start, claim.line_end) else {
        return as_told();
    };
    let path = RepoPath::from(claim.file.as_str());
    let Some(file) = change.files.iter().find(|file| *file.path_on(Side::Base) == path) else {
        return as_told();
    };
    let lines = file.hunks().iter().find_map(|hunk| Some((after(hunk, start)?, after(hunk, end)?)));
    Place { file: file.path.to_string(), lines }
}

/// The line of the new version at which an old line is or was: the next one that is in both or new, else the last.
fn after(hunk: &Hunk, old: u32) -> Option<u32> {
    let at = hunk.lines().position(|line| line.old == Some(old))?;
    let behind = hunk.lines().skip(at).find_map(|line| line.new);
    behind.or_else(|| hunk.lines().filter_map(|line| line.new).last()).or(Some(hunk.new_start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_line_is_where_it_was_in_the_new_version() {
        let diff = "--- a/a.rs\n+++ b/a.rs\n@@ -10,4 +20,3 @@\n one\n-two\n-three\n+2\n four\n@@ -30 +40,0 @@\n-gone\n";
        let change = review::diff::change_from_patch(diff.as_bytes());
        let hunks = change.files[0].hunks();
        for (old, expected) in [(10, Some(20)), (11, Some(21)), (12, Some(21)), (13, Some(22)), (14, None)] {
            assert_eq!(after(&hunks[0], old), expected, "{old}");
        }
        assert_eq!(after(&hunks[1], 30), Some(40));
    }
}
