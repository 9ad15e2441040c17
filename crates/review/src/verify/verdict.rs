//! The contract and the verdict, computed again from what the packet holds.

use super::rebuilt::Rebuilt;
use super::{Facts, Problems, Proof};
use crate::anchor::Anchor;
use crate::coverage::Coverage;
use crate::finding::Category;
use crate::judge::{CheckState, JudgeInput, judge};
use crate::merge::Claim;
use crate::packet::{PacketV1, contract as contract_of};
use crate::panel::UnmetKind;

/// The sentences of the contract that follow from the panel.
pub(super) fn contract(packet: &PacketV1, facts: Facts<'_>) -> Proof {
    const NAME: &str = "contract";
    if !facts.same_version {
        return Proof::not_checked(NAME, other_version(packet));
    }
    let says = &packet.contract;
    let is = contract_of(
        says.goal.clone(),
        says.budget.clone(),
        &packet.subject.source,
        &packet.panel,
        &packet.house_rules,
    );
    let mut problems = Problems::default();
    problems.expect(*says == is, || "its terms do not follow from the panel".to_owned());
    Proof::of(NAME, problems, "its terms follow from the panel")
}

fn other_version(packet: &PacketV1) -> String {
    format!("recuse {} words its sentences in its own way", crate::text::visible_line(&packet.run.version))
}

/// Verdict, first line, reasons, gate, independence and exit code.
pub(super) fn verdict(packet: &PacketV1, rebuilt: &Rebuilt, facts: Facts<'_>) -> Proof {
    let coverage = Coverage {
        hunks: packet.coverage.hunks as usize,
        lenses: packet.coverage.lenses.clone(),
        gaps: packet.gaps.clone(),
        exempt: packet.coverage.exempt.clone(),
    };
    let claims: Vec<Claim> = packet
        .claims
        .iter()
        .map(|claim| Claim {
            id: claim.id.clone(),
            category: Category::parse(&claim.category, claim.lens),
            severity: claim.severity,
            anchor: Anchor::File { file: 0 },
            quote: String::new(),
            title: String::new(),
            body: String::new(),
            verification: claim.verification,
            supporters: Vec::new(),
            sources: Vec::new(),
            examination: None,
        })
        .collect();
    let is = judge(&JudgeInput {
        attribution: &rebuilt.attribution,
        panel: &rebuilt.panel,
        coverage: &coverage,
        claims: &claims,
        checks: &packet.checks,
        policy: &rebuilt.policy,
        no_model_remedy: remedy(packet).unwrap_or_default(),
    });
    let says = &packet.judgement;
    let mut problems = Problems::default();
    problems.same("the verdict", packet.verdict.name(), is.verdict.name());
    problems.same("the exit code", says.exit_code, is.exit_code);
    problems.same("the number of claims at or above the gate", says.gated as usize, is.gated);
    problems.expect(says.independence == is.independence, || {
        format!("independence is said to be {:?}, and {:?} follows", says.independence, is.independence)
    });
    for check in &packet.checks {
        let fits = match check.state {
            CheckState::Passed => check.exit_code.is_none_or(|code| code == 0),
            CheckState::Failed => check.exit_code != Some(0),
            CheckState::Stale
            | CheckState::Altered
            | CheckState::Refused
            | CheckState::Pending
            | CheckState::NotRun => true,
        };
        problems.expect(fits, || {
            format!("the check `{}` ended with a code that says something else", check.name)
        });
    }
    if facts.same_version {
        problems.same("the first line", says.headline.as_str(), is.headline.as_str());
        problems.same("the reasons", says.reasons.join("; "), is.reasons.join("; "));
        problems
            .expect(says.reasons.len() == is.reasons.len(), || "the reasons are cut otherwise".to_owned());
        problems.same(
            "independence in words",
            says.independence_words.as_str(),
            is.independence_words.as_str(),
        );
    }
    Proof::of("verdict", problems, format!("{}, exit code {}", is.verdict.name(), is.exit_code))
}

/// What would help where no model is configured: words of the table of providers, taken from the reasons.
fn remedy(packet: &PacketV1) -> Option<&str> {
    let lens = packet.panel.lenses.iter().find(|lens| lens.unmet_kind == Some(UnmetKind::NoModel))?;
    let before = format!(": {}; ", lens.unmet.as_ref()?);
    packet.judgement.reasons.iter().find_map(|reason| reason.split_once(&before)).map(|(_, remedy)| remedy)
}
