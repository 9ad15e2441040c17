//! Assembling a packet from what was decided, seen and said.

use super::*;
use crate::anchor::Anchor;
use crate::attribution::{Attribution, HunkIndex, Share};
use crate::change::Change;
use crate::classify::Classification;
use crate::coverage::Coverage;
use crate::engine::Engine;
use crate::examine::ExaminationOutcome;
use crate::judge::Judgement;
use crate::merge::{Claim, Sourced, place, quote};
use crate::outcome::{Call, Ending, Outcome};
use crate::panel::{Panel, Reviewer, Scope};
use crate::policy::Policy;
use crate::prompt::HouseRule;
use crate::text::{shorten, visible};

/// What a packet is assembled from.
#[derive(Debug, Clone, Copy)]
pub struct PacketInput<'a> {
    /// The run.
    pub run: &'a RunV1,
    /// The change, redacted.
    pub change: &'a Change,
    /// SHA-256 of title and body before redaction.
    pub text_digest: &'a Digest,
    /// Who wrote it.
    pub attribution: &'a Attribution,
    /// Who wrote which hunks.
    pub shares: &'a [Share],
    /// What it is.
    pub classification: &'a Classification,
    /// The roster.
    pub engines: &'a [Engine],
    /// Who was seated.
    pub panel: &'a Panel,
    /// How they ended.
    pub outcomes: &'a [Outcome],
    /// How the examinations of claims ended.
    pub examinations: &'a [ExaminationOutcome],
    /// Who saw what.
    pub coverage: &'a Coverage,
    /// What is claimed.
    pub claims: &'a [Claim],
    /// What could not be anchored.
    pub unanchored: &'a [Sourced],
    /// What the rules say beside their claims.
    pub rules: &'a RulesV1,
    /// What was run.
    pub checks: &'a [Check],
    /// The policy in force.
    pub policy: &'a Policy,
    /// How many secrets were redacted.
    pub redacted_secrets: usize,
    /// The repository's conventions that reviewers were given.
    pub house_rules: &'a [HouseRule],
    /// What is kept beside it.
    pub receipts: &'a [ReceiptV1],
    /// The verdict.
    pub judgement: &'a Judgement,
}

/// Assembles the packet.
pub fn assemble(input: &PacketInput<'_>) -> PacketV1 {
    let panel = panel(input);
    let house_rules: Vec<HouseRuleV1> = input.house_rules.iter().map(house_rule).collect();
    let budget =
        BudgetV1 { max_micro_usd: input.policy.max_micro_usd, max_seconds: input.policy.max_seconds };
    let source = &input.change.subject.source;
    PacketV1 {
        schema: SCHEMA.to_owned(),
        run: input.run.clone(),
        subject: subject(input.change, input.text_digest, input.classification),
        contract: contract(goal(input.change), budget, source, &panel, &house_rules),
        attribution: attribution(input.attribution, input.shares),
        classification: classification(input.classification),
        panel,
        coverage: CoverageV1 {
            hunks: count(input.coverage.hunks),
            lenses: input.coverage.lenses.clone(),
            exempt: input.coverage.exempt.clone(),
            redacted_secrets: count(input.redacted_secrets),
        },
        claims: input.claims.iter().map(|claim| claim_v1(claim, input)).collect(),
        unanchored: input.unanchored.iter().map(unanchored).collect(),
        rules: input.rules.clone(),
        checks: input.checks.to_vec(),
        questions: questions(input),
        gaps: input.coverage.gaps.clone(),
        house_rules,
        ledger: ledger(input),
        receipts: input.receipts.to_vec(),
        verdict: input.judgement.verdict,
        judgement: JudgementV1 {
            headline: input.judgement.headline.clone(),
            reasons: input.judgement.reasons.clone(),
            independence: input.judgement.independence,
            independence_words: input.judgement.independence_words.clone(),
            fail_on: input.policy.fail_on,
            required_checks: input.policy.required_checks.clone(),
            self_reported_checks: input.policy.self_reported_checks,
            gated: count(input.judgement.gated),
            exit_code: input.judgement.exit_code,
        },
    }
}

fn house_rule(rule: &HouseRule) -> HouseRuleV1 {
    HouseRuleV1 {
        path: rule.path.clone(),
        digest: rule.digest.clone(),
        given_bytes: rule.text.len() as u64,
        cut_bytes: rule.cut_bytes as u64,
    }
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The subject as the packet holds it.
pub(crate) fn subject(change: &Change, text_digest: &Digest, classification: &Classification) -> SubjectV1 {
    let files = change.files.iter().enumerate().map(|(index, file)| {
        let (added, removed) = file.line_counts();
        FileV1 {
            path: file.path.clone(),
            old_path: file.old_path.clone(),
            operation: file.operation,
            added,
            removed,
            labels: classification.files.get(index).map(|file| file.labels.clone()).unwrap_or_default(),
        }
    });
    SubjectV1 {
        source: change.subject.source.clone(),
        base: change.subject.base.clone(),
        head: change.subject.head.clone(),
        diff_digest: change.subject.diff_digest.clone(),
        text_digest: text_digest.clone(),
        branch: change.branch.as_deref().map(visible),
        commits: count(change.commits.len()),
        files: files.collect(),
    }
}

/// The most bytes of the author's description that a packet quotes.
const MAX_GOAL_BYTES: usize = 4_000;

/// What the author says that a change is for.
pub(crate) fn goal(change: &Change) -> GoalV1 {
    GoalV1 {
        title: visible(&shorten(&change.title, 300)),
        body: visible(&shorten(&change.body, MAX_GOAL_BYTES)),
    }
}

/// The contract that follows from who was seated and what they were given.
pub(crate) fn contract(
    goal: GoalV1,
    budget: BudgetV1,
    source: &Source,
    panel: &PanelV1,
    house_rules: &[HouseRuleV1],
) -> ContractV1 {
    let lenses = |asked: Asked| {
        let of = panel.lenses.iter().filter(move |lens| lens.asked == asked);
        of.map(|lens| lens.lens.name()).collect::<Vec<_>>().join(", ")
    };
    let scope = [(Asked::Models, "through models and rules"), (Asked::Rules, "through rules")];
    ContractV1 {
        goal,
        scope: scope
            .into_iter()
            .filter(|(asked, _)| !lenses(*asked).is_empty())
            .map(|(asked, how)| format!("{how}: {}", lenses(asked)))
            .collect(),
        non_goals: vec![
            "approving the change".to_owned(),
            "style that a formatter or a linter decides".to_owned(),
            "lines that the change does not touch, other than as context".to_owned(),
        ],
        tools_and_permissions: vec![
            "reviewers get text and answer with text; no shell, no network, no credential".to_owned(),
            "nothing of the head is executed, checked out or read as configuration".to_owned(),
            house_rules_words(source, panel, house_rules),
        ],
        stopping_condition: "every seated reviewer has ended, or a bound of the budget is reached".to_owned(),
        evidence_asked_for: vec![
            "a quote of the line, found in the change or in the named file".to_owned(),
            "a failure scenario: what input or state, what goes wrong".to_owned(),
            "a statement of what was examined".to_owned(),
        ],
        escalation: "what was not looked at is listed, the verdict is inconclusive, and a person decides"
            .to_owned(),
        budget,
    }
}

/// What reviewers were given of the repository's conventions, in a sentence.
fn house_rules_words(source: &Source, panel: &PanelV1, house_rules: &[HouseRuleV1]) -> String {
    let asked = panel.seats.iter().any(|seat| seat.reviewer != RULES);
    let given = house_rules.iter().filter(|rule| rule.given_bytes > 0).count();
    match (source, given) {
        _ if !asked => "no model was asked, so the repository's conventions were shown to nobody".to_owned(),
        (Source::Patch, _) => {
            "reviewers had the diff alone: without a repository there are no conventions and no whole functions"
                .to_owned()
        }
        (Source::Range { .. } | Source::PullRequest { .. } | Source::Staged, 0) => {
            "the base branch has no conventions that reviewers could be given".to_owned()
        }
        (Source::Range { .. } | Source::PullRequest { .. } | Source::Staged, given) => format!(
            "reviewers were given {given} files of the base branch's conventions as context; they change neither \
             task nor verdict"
        ),
    }
}

/// The attribution as the packet holds it.
pub fn attribution(attribution: &Attribution, shares: &[Share]) -> AttributionV1 {
    AttributionV1 {
        state: attribution.state(),
        families: attribution.families.clone(),
        suggested_by: attribution.suggested_by.clone(),
        unknown_agent: attribution.unknown_agent,
        human_declared: attribution.human_declared,
        bot: attribution.bot,
        unread: attribution.unread.clone(),
        vouched: attribution.vouched,
        partial: attribution.partial,
        shares: if shares.len() > 1 { shares.iter().map(share).collect() } else { Vec::new() },
        evidence: attribution
            .evidence
            .iter()
            .map(|evidence| EvidenceV1 {
                agent: evidence.agent.clone(),
                model: evidence.model.as_deref().map(visible),
                lineage: evidence.lineage.clone(),
                role: evidence.role,
                channel: evidence.channel,
                strength: evidence.strength,
                place: visible(&evidence.place),
                text: visible(&evidence.text),
            })
            .collect(),
    }
}

/// Hunks with those who wrote them, as the packet holds them.
pub(crate) fn share(share: &Share) -> ShareV1 {
    ShareV1 {
        families: share.authors.families.clone(),
        unknown_agent: share.authors.unknown_agent,
        hunks: by_file(&share.hunks),
    }
}

fn by_file(hunks: &BTreeSet<HunkIndex>) -> Vec<FileHunksV1> {
    let mut files: Vec<FileHunksV1> = Vec::new();
    for &(file, hunk) in hunks {
        let number = count(hunk + 1);
        match files.last_mut() {
            Some(known) if known.file == count(file) => known.hunks.push(number),
            Some(_) | None => files.push(FileHunksV1 { file: count(file), hunks: vec![number] }),
        }
    }
    files
}

/// The classification as the packet holds it.
pub fn classification(classification: &Classification) -> ClassificationV1 {
    ClassificationV1 {
        labels: classification
            .labels
            .iter()
            .map(|labelled| LabelV1 { label: labelled.label, reasons: labelled.reasons.clone() })
            .collect(),
        added: classification.added,
        removed: classification.removed,
        risk: classification.risk,
        risk_reasons: classification.risk_reasons.clone(),
        reversibility: classification.reversibility,
        reversibility_reasons: classification.reversibility_reasons.clone(),
    }
}

fn reviewer_name(reviewer: Reviewer, engines: &[Engine]) -> String {
    match reviewer {
        Reviewer::Rules => RULES.to_owned(),
        Reviewer::Model(engine) => engines[engine].id.clone(),
    }
}

fn panel(input: &PacketInput<'_>) -> PanelV1 {
    let seats = input.panel.seats.iter().enumerate().map(|(index, seat)| SeatV1 {
        lens: seat.lens,
        reviewer: reviewer_name(seat.reviewer, input.engines),
        relation: seat.relation.clone(),
        stands_in_for: seat.stands_in_for.map(count),
        only_hunks: match &seat.scope {
            Scope::AllHunks => None,
            Scope::Hunks(hunks) => Some(by_file(hunks)),
        },
        reason: seat.reason.clone(),
        outcomes: input.outcomes.iter().filter(|outcome| outcome.seat == index).map(outcome_v1).collect(),
    });
    PanelV1 {
        policy: input.policy.independence,
        rules_only: input.policy.offline,
        roster: input
            .engines
            .iter()
            .map(|engine| EngineV1 {
                id: engine.id.clone(),
                lineage: engine.lineage.clone(),
                lineage_source: engine.lineage_source,
                edges: engine.edges.clone(),
                price: engine.price.clone(),
                price_as_of: engine.price_as_of.clone(),
            })
            .collect(),
        seats: seats.collect(),
        recused: input
            .panel
            .recused
            .iter()
            .map(|recusal| RecusalV1 {
                engine: input.engines[recusal.engine].id.clone(),
                relation: recusal.relation.clone(),
                reason: recusal.reason.clone(),
            })
            .collect(),
        lenses: input
            .panel
            .lenses
            .iter()
            .map(|lens| LensV1 {
                lens: lens.lens,
                asked: lens.asked,
                reason: lens.reason.clone(),
                unmet: lens.unmet.as_ref().map(|unmet| unmet.reason.clone()),
                unmet_kind: lens.unmet.as_ref().map(|unmet| unmet.problem),
            })
            .collect(),
        examinations: input
            .examinations
            .iter()
            .map(|outcome| ExaminationCallV1 {
                examiner: input.engines[outcome.examiner.engine].id.clone(),
                reason: outcome.examiner.reason.clone(),
                relation: outcome.relation.clone(),
                unrelated_to_finder: outcome.unrelated_to_finder,
                claims: outcome.claims.clone(),
                outcome: outcome.ending.0,
                detail: visible(&outcome.ending.1),
            })
            .collect(),
    }
}

fn outcome_v1(outcome: &Outcome) -> OutcomeV1 {
    let (detail, findings, dropped, examined) = match &outcome.ending {
        Ending::Answered(answer) => {
            let examined = answer.examined.iter().map(|text| visible(&shorten(text, 300))).collect();
            (String::new(), count(answer.findings.len()), count(answer.dropped), examined)
        }
        Ending::Unanswered { detail, .. } => (visible(detail), 0, 0, Vec::new()),
    };
    OutcomeV1 {
        part: count(outcome.part + 1),
        outcome: outcome.ending.kind(),
        detail,
        findings,
        dropped,
        examined,
    }
}

fn claim_v1(claim: &Claim, input: &PacketInput<'_>) -> ClaimV1 {
    let change = input.change;
    let (file, side, lines) = place(claim, change);
    ClaimV1 {
        id: claim.id.clone(),
        lens: claim.lens(),
        category: claim.category.as_str().to_owned(),
        severity: claim.severity,
        file: file.to_owned(),
        line_start: lines.map(|(start, _)| start),
        line_end: lines.map(|(_, end)| end),
        side,
        quote: quote(&claim.anchor, &claim.quote, change),
        title: visible(&claim.title),
        body: visible(&claim.body),
        anchor: match claim.anchor {
            Anchor::Line { .. } => AnchorV1::Line,
            Anchor::Elsewhere { .. } => AnchorV1::Elsewhere,
            Anchor::File { .. } | Anchor::Unanchored { .. } => AnchorV1::File,
        },
        verification: claim.verification,
        supporters: claim
            .supporters
            .iter()
            .map(|supporter| SupporterV1 {
                kind: match supporter.lineage {
                    Some(_) => SupporterKindV1::Model,
                    None => SupporterKindV1::Rules,
                },
                name: supporter.name.clone(),
                family: supporter.lineage.as_ref().map(family_words),
                lineage: supporter.lineage.clone(),
            })
            .collect(),
        sources: claim
            .sources
            .iter()
            .map(|source| SourceV1 {
                name: source.name.clone(),
                seat: count(source.seat),
                title: visible(&source.title),
                merged_because: source.why.clone(),
            })
            .collect(),
        examination: claim.examination.as_ref().map(|examined| ExaminationV1 {
            call: count(examined.call),
            by: input.engines[input.examinations[examined.call].examiner.engine].id.clone(),
            unrelated_to_finder: input.examinations[examined.call].unrelated_to_finder,
            ruling: examined.ruling,
            reason: visible(&examined.reason),
            quote: visible(&examined.quote),
        }),
    }
}

/// `qwen+deepseek`, `moonshot+?`, `?`.
pub fn family_words(lineage: &Lineage) -> String {
    let mut names: Vec<&str> = lineage.families.iter().map(Family::as_str).collect();
    if !lineage.complete {
        names.push("?");
    }
    names.join("+")
}

fn unanchored(source: &Sourced) -> UnanchoredV1 {
    UnanchoredV1 {
        name: source.name.clone(),
        category: source.finding.category.as_str().to_owned(),
        severity: source.finding.severity,
        file: visible(source.finding.file.as_str()),
        quote: visible(&source.finding.quote),
        title: visible(&source.finding.title),
        reason: match &source.anchor {
            Anchor::Unanchored { reason } => reason.clone(),
            Anchor::Line { .. } | Anchor::File { .. } | Anchor::Elsewhere { .. } => String::new(),
        },
    }
}

fn questions(input: &PacketInput<'_>) -> Vec<QuestionV1> {
    let mut questions = Vec::new();
    for outcome in input.outcomes {
        let seat = &input.panel.seats[outcome.seat];
        if let Ending::Answered(answer) = &outcome.ending {
            questions.extend(answer.questions.iter().map(|text| QuestionV1 {
                lens: seat.lens,
                name: reviewer_name(seat.reviewer, input.engines),
                text: visible(text),
            }));
        }
    }
    questions
}

fn ledger(input: &PacketInput<'_>) -> LedgerV1 {
    let of_seats = input.outcomes.iter().filter_map(|outcome| {
        let engine = reviewer_name(input.panel.seats[outcome.seat].reviewer, input.engines);
        let call = call_v1(outcome.call.as_ref()?, engine, outcome.ending.kind());
        Some(CallV1 { seat: Some(count(outcome.seat)), part: count(outcome.part + 1), ..call })
    });
    let of_examinations = input.examinations.iter().enumerate().map(|(index, outcome)| {
        let engine = input.engines[outcome.examiner.engine].id.clone();
        CallV1 { examination: Some(count(index)), ..call_v1(&outcome.call, engine, outcome.ending.0) }
    });
    let calls: Vec<CallV1> = of_seats.chain(of_examinations).collect();
    LedgerV1 {
        micro_usd: calls.iter().filter_map(|call| call.micro_usd).sum(),
        unpriced_calls: count(calls.iter().filter(|call| call.micro_usd.is_none()).count()),
        calls,
    }
}

fn call_v1(call: &Call, engine: String, outcome: EndingKind) -> CallV1 {
    CallV1 {
        seat: None,
        examination: None,
        part: 1,
        engine,
        served_model: call.served_model.as_deref().map(|name| visible(&shorten(name, 200))),
        lineage: call.lineage.clone(),
        outcome,
        usage: call.usage,
        reserved_micro_usd: call.reserved_micro_usd,
        micro_usd: call.micro_usd,
        elapsed_ms: call.elapsed_ms,
        prompt: call.prompt.as_ref().map(|kept| kept.digest.clone()),
        reply: call.reply.as_ref().map(|kept| kept.digest.clone()),
    }
}
