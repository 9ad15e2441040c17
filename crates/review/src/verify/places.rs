//! Whether every place that a packet names is in it: seats, engines, files, hunks, calls, lenses, categories.

use std::collections::BTreeSet;

use super::{Problems, Proof};
use crate::change::Source;
use crate::finding::{CATEGORIES, Lens};
use crate::packet::{FileHunksV1, PacketV1, RULES, SCHEMA};

const NAME: &str = "places";

pub(super) fn check(packet: &PacketV1) -> Proof {
    let mut problems = Problems::default();
    problems.same("schema", packet.schema.as_str(), SCHEMA);
    seats(packet, &mut problems);
    shares(packet, &mut problems);
    claims(packet, &mut problems);
    calls(packet, &mut problems);
    others(packet, &mut problems);
    Proof::of(
        NAME,
        problems,
        "every seat, engine, file, hunk, call, lens and category that is named is there",
    )
}

fn seats(packet: &PacketV1, problems: &mut Problems) {
    let panel = &packet.panel;
    let ids: BTreeSet<&str> = panel.roster.iter().map(|engine| engine.id.as_str()).collect();
    problems.expect(ids.len() == panel.roster.len(), || "an engine is in the roster twice".to_owned());
    problems.expect(!ids.contains(RULES), || "an engine is called `rules`".to_owned());
    let lenses: BTreeSet<Lens> = panel.lenses.iter().map(|lens| lens.lens).collect();
    problems.expect(lenses.len() == panel.lenses.len(), || "a lens is there twice".to_owned());
    for (index, seat) in panel.seats.iter().enumerate() {
        let known = seat.reviewer == RULES || ids.contains(seat.reviewer.as_str());
        problems
            .expect(known, || format!("seat {index} is of `{}`, which is not in the roster", seat.reviewer));
        problems.expect(lenses.contains(&seat.lens), || {
            format!("seat {index} is of a lens that the panel has not")
        });
        let earlier = seat.stands_in_for.is_none_or(|other| (other as usize) < index);
        problems.expect(earlier, || format!("seat {index} stands in for one that does not come before it"));
        problems.expect(only_known_files(seat.only_hunks.as_deref().unwrap_or_default(), packet), || {
            format!("seat {index} looks at a file or hunk that the change has not")
        });
    }
    for recusal in &panel.recused {
        let known = ids.contains(recusal.engine.as_str());
        problems.expect(known, || format!("`{}` is recused and not in the roster", recusal.engine));
    }
    for (index, examination) in panel.examinations.iter().enumerate() {
        let known = ids.contains(examination.examiner.as_str());
        problems.expect(known, || format!("examination {index} is by nobody of the roster"));
        for id in &examination.claims {
            let known = packet.claims.iter().any(|claim| claim.id == *id);
            problems.expect(known, || format!("examination {index} is about `{id}`, which is no claim"));
        }
        let ids: BTreeSet<&String> = examination.claims.iter().collect();
        problems.expect(ids.len() == examination.claims.len(), || {
            format!("examination {index} is about one claim twice")
        });
    }
}

fn shares(packet: &PacketV1, problems: &mut Problems) {
    let shares = &packet.attribution.shares;
    problems.expect(shares.len() != 1, || "there is one share, and one is none".to_owned());
    let mut seen = BTreeSet::new();
    for (index, share) in shares.iter().enumerate() {
        problems.expect(only_known_files(&share.hunks, packet), || {
            format!("share {index} has a file or hunk that the change has not")
        });
        for hunk in super::rebuilt::hunks(&share.hunks) {
            problems.expect(seen.insert(hunk), || format!("a hunk of file {} is in two shares", hunk.0));
        }
    }
    let all = shares.is_empty() || seen.len() == packet.coverage.hunks as usize;
    problems.expect(all, || {
        format!("the shares have {} hunks, and the change has {}", seen.len(), packet.coverage.hunks)
    });
    // Whoever looks at some hunks looks at those of one share.
    for (index, seat) in packet.panel.seats.iter().enumerate() {
        let Some(only) = &seat.only_hunks else { continue };
        let only = super::rebuilt::hunks(only);
        let of_one = shares.iter().any(|share| super::rebuilt::hunks(&share.hunks).is_superset(&only));
        problems
            .expect(of_one && !only.is_empty(), || format!("seat {index} looks at hunks of no one share"));
    }
}

/// Files in their order, each once; hunks from 1, rising.
fn only_known_files(files: &[FileHunksV1], packet: &PacketV1) -> bool {
    let known = |file: &FileHunksV1| {
        let rising = file.hunks.is_sorted_by(|one, next| one < next) && !file.hunks.is_empty();
        (file.file as usize) < packet.subject.files.len() && rising && file.hunks.first() >= Some(&1)
    };
    files.iter().all(known) && files.is_sorted_by(|one, next| one.file < next.file)
}

fn claims(packet: &PacketV1, problems: &mut Problems) {
    let is_category = |name: &str| CATEGORIES.contains(&name);
    for claim in &packet.claims {
        let id = &claim.id;
        problems.expect(is_category(&claim.category), || format!("claim {id} is of no known category"));
        problems.expect(claim.category.split('/').next() == Some(claim.lens.name()), || {
            format!("claim {id} is of the lens {}, and its category of another", claim.lens.name())
        });
        problems.expect(!claim.sources.is_empty(), || format!("claim {id} is nobody's"));
        let mut said = claim.sources.iter().map(|source| &source.title).chain([&claim.body]);
        problems.expect(said.all(|text| !text.is_empty()), || format!("claim {id} says nothing"));
        for source in &claim.sources {
            let reviewer = packet.panel.seats.get(source.seat as usize).map(|seat| seat.reviewer.as_str());
            problems.expect(reviewer == Some(source.name.as_str()), || {
                format!("claim {id} is said by `{}` on seat {}, which is not there", source.name, source.seat)
            });
        }
        if let Some(examination) = &claim.examination {
            problems.expect(!examination.reason.is_empty(), || {
                format!("claim {id} was examined, and no reason is given")
            });
            let call = packet.panel.examinations.get(examination.call as usize);
            let is_about_it =
                call.is_some_and(|call| call.claims.contains(id) && call.examiner == examination.by);
            problems.expect(is_about_it, || {
                format!("claim {id} was examined in an examination that is not there or not about it")
            });
        }
    }
    for finding in &packet.unanchored {
        let by_seat = packet.panel.seats.iter().any(|seat| seat.reviewer == finding.name);
        problems
            .expect(by_seat, || format!("an unanchored finding is by `{}`, who has no seat", finding.name));
        problems.expect(!finding.title.is_empty(), || "an unanchored finding says nothing".to_owned());
        problems.expect(is_category(&finding.category), || {
            "an unanchored finding is of no known category".to_owned()
        });
    }
}

fn calls(packet: &PacketV1, problems: &mut Problems) {
    for (index, call) in packet.ledger.calls.iter().enumerate() {
        let engine = match (call.seat, call.examination) {
            (Some(seat), None) => packet.panel.seats.get(seat as usize).map(|seat| &seat.reviewer),
            (None, Some(examination)) => {
                let examination = packet.panel.examinations.get(examination as usize);
                examination.map(|examination| &examination.examiner)
            }
            (Some(_), Some(_)) | (None, None) => None,
        };
        problems.expect(engine == Some(&call.engine) && call.engine != RULES, || {
            format!("call {index} is of `{}`, who sits on no such seat and examines nothing", call.engine)
        });
    }
}

fn others(packet: &PacketV1, problems: &mut Problems) {
    let is_file = |path: &crate::RepoPath| packet.subject.files.iter().any(|file| file.path == *path);
    for exempt in &packet.coverage.exempt {
        problems.expect(is_file(&exempt.file), || format!("{} is exempt and not changed", exempt.file));
    }
    let exempt: BTreeSet<&crate::RepoPath> = packet.coverage.exempt.iter().map(|it| &it.file).collect();
    problems.expect(exempt.len() == packet.coverage.exempt.len(), || "a file is exempt twice".to_owned());
    for question in &packet.questions {
        problems.expect(!question.text.is_empty(), || "a question asks nothing".to_owned());
        let asked = packet
            .panel
            .seats
            .iter()
            .any(|seat| seat.lens == question.lens && seat.reviewer == question.name);
        problems
            .expect(asked, || format!("a question is by `{}`, who has no seat of its lens", question.name));
    }
    let run = &packet.run.id;
    let is_id = run.len() == 32 && run.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    problems.expect(is_id, || "the run's id is not 32 lower-case hex digits".to_owned());
    let has_head = packet.subject.head.is_some();
    let wants_head = match packet.subject.source {
        Source::Range { .. } | Source::PullRequest { .. } => true,
        Source::Staged | Source::Patch => false,
    };
    let words = || "a range and a pull request have a head, and nothing else has one".to_owned();
    problems.expect(has_head == wants_head, words);
}
