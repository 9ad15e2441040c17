//! The values that decisions were made from, as far as a packet holds them.

use std::collections::BTreeSet;

use super::Facts;
use crate::attribution::{Attribution, Authors, Evidence, HunkIndex, Share};
use crate::engine::Engine;
use crate::outcome::EndingKind;
use crate::packet::{AttributionV1, FileHunksV1, PacketV1, RULES};
use crate::panel::{LensPanel, Panel, PanelInput, Reviewer, Scope, Seat, Unmet};
use crate::policy::Policy;
use crate::{Family, Lineage};

/// What a packet's decisions were made from. Every index of the packet has been checked before.
pub(super) struct Rebuilt {
    pub(super) attribution: Attribution,
    pub(super) shares: Vec<Share>,
    pub(super) engines: Vec<Engine>,
    pub(super) policy: Policy,
    pub(super) panel: Panel,
    /// What an unknown author could descend from; `None` where the packet was made with another table.
    pub(super) lineage_sets: Option<Vec<BTreeSet<Family>>>,
}

impl Rebuilt {
    pub(super) fn of(packet: &PacketV1, facts: Facts<'_>) -> Self {
        let attribution = attribution(&packet.attribution);
        let shares: Vec<Share> = packet
            .attribution
            .shares
            .iter()
            .map(|share| Share {
                authors: Authors { families: share.families.clone(), unknown_agent: share.unknown_agent },
                hunks: hunks(&share.hunks),
            })
            .collect();
        let engines = engines(packet);
        let policy = Policy {
            independence: packet.panel.policy,
            offline: packet.panel.rules_only,
            fail_on: packet.judgement.fail_on,
            required_checks: packet.judgement.required_checks.clone(),
            self_reported_checks: packet.judgement.self_reported_checks,
            max_micro_usd: packet.contract.budget.max_micro_usd,
            max_seconds: packet.contract.budget.max_seconds,
            ..Policy::default()
        };
        let panel = panel(packet, &attribution, &shares);
        let lineage_sets = facts.families.map(crate::Families::lineage_sets);
        Self { attribution, shares, engines, policy, panel, lineage_sets }
    }

    /// What the panel was chosen from, but what each lens was to look at.
    pub(super) fn panel_input(&self) -> PanelInput<'_> {
        PanelInput {
            attribution: &self.attribution,
            shares: &self.shares,
            wishes: &[],
            engines: &self.engines,
            policy: &self.policy,
            lineage_sets: self.lineage_sets.as_deref().unwrap_or_default(),
        }
    }

    /// What those descend from that answered on a seat; `None` where its parts were served by models of different
    /// descent, so that nobody can tell from the packet who said what.
    pub(super) fn lineage_of_seat<'p>(&self, packet: &'p PacketV1, seat: usize) -> Option<&'p Lineage> {
        let mut of_seat = packet.ledger.calls.iter().filter(|call| {
            call.seat.is_some_and(|it| it as usize == seat) && call.outcome == EndingKind::Answered
        });
        let first = &of_seat.next()?.lineage;
        of_seat.all(|call| call.lineage == *first).then_some(first)
    }
}

fn attribution(packet: &AttributionV1) -> Attribution {
    let evidence = packet.evidence.iter().map(|seen| Evidence {
        agent: seen.agent.clone(),
        model: seen.model.clone(),
        lineage: seen.lineage.clone(),
        role: seen.role,
        channel: seen.channel,
        strength: seen.strength,
        place: seen.place.clone(),
        text: seen.text.clone(),
    });
    Attribution {
        bot: packet.bot,
        partial: packet.partial,
        ..crate::attribution::of_evidence(evidence.collect())
    }
}

fn engines(packet: &PacketV1) -> Vec<Engine> {
    let engine = |(preference, engine): (usize, &crate::packet::EngineV1)| {
        let (provider, model) = engine.id.split_once('/').unwrap_or(("", &engine.id));
        Engine {
            id: engine.id.clone(),
            preference,
            provider: provider.to_owned(),
            model: model.to_owned(),
            lineage: engine.lineage.clone(),
            lineage_source: engine.lineage_source,
            edges: engine.edges.clone(),
            // Not in the packet, and nothing that is recomputed asks for them.
            context_tokens: 0,
            max_output_tokens: 0,
            price: engine.price.clone(),
            price_as_of: engine.price_as_of.clone(),
        }
    };
    packet.panel.roster.iter().enumerate().map(engine).collect()
}

fn panel(packet: &PacketV1, attribution: &Attribution, shares: &[Share]) -> Panel {
    let seats = packet.panel.seats.iter().map(|seat| {
        let scope = match &seat.only_hunks {
            None => Scope::AllHunks,
            Some(only) => Scope::Hunks(hunks(only)),
        };
        let authors = match &scope {
            Scope::AllHunks => attribution.authors(),
            Scope::Hunks(hunks) => {
                let share = shares.iter().find(|share| share.hunks.is_superset(hunks));
                share.map_or_else(|| attribution.authors(), |share| share.authors.clone())
            }
        };
        Seat {
            lens: seat.lens,
            reviewer: packet
                .panel
                .roster
                .iter()
                .position(|engine| seat.reviewer != RULES && engine.id == seat.reviewer)
                .map_or(Reviewer::Rules, Reviewer::Model),
            files: Vec::new(),
            scope,
            authors,
            relation: seat.relation.clone(),
            stands_in_for: seat.stands_in_for.map(|seat| seat as usize),
            reason: seat.reason.clone(),
        }
    });
    let lenses = packet.panel.lenses.iter().map(|lens| LensPanel {
        lens: lens.lens,
        asked: lens.asked,
        reason: lens.reason.clone(),
        unmet: lens.unmet.clone().zip(lens.unmet_kind).map(|(reason, problem)| Unmet { problem, reason }),
    });
    Panel { needs: Vec::new(), seats: seats.collect(), recused: Vec::new(), lenses: lenses.collect() }
}

pub(super) fn hunks(files: &[FileHunksV1]) -> BTreeSet<HunkIndex> {
    let of_file = |file: &FileHunksV1| {
        let index = file.file as usize;
        file.hunks.iter().map(move |hunk| (index, (*hunk as usize).saturating_sub(1))).collect::<Vec<_>>()
    };
    files.iter().flat_map(of_file).collect()
}
