//! `recuse replay`: whether the record comes to the packet, and what another policy would have made of it.

use std::path::Path;

use anyhow::{Context as _, Result};
use git::Repository;
use review::merge::Verification;
use review::packet::PacketV1;
use review::text::{shorten, visible_line};
use review::what_if::WhatIf;
use serde_json::Value;
use service::config::read_operator_file;
use service::replay::{Difference, ReplayError, Replayed, replay};

use crate::args::{ReplayArgs, Verbosity};
use crate::explain::line;
use crate::packets::read_packet;
use crate::receipts::receipts;
use crate::{Exit, Failure, terminal};

/// The most bytes of a value that is shown.
const MAX_SHOWN_BYTES: usize = 400;

/// Replays a packet: 0 where it comes to the same bytes, 1 where it does not.
pub(crate) async fn run(args: &ReplayArgs, verbosity: Verbosity) -> Result<Exit, Failure> {
    let packet = read_packet(&args.packet).map_err(Failure::usage)?;
    let policy = args.with.as_deref().map(policy).transpose().map_err(Failure::usage)?;
    let repository = args.repository.as_deref().map(Repository::open).transpose().map_err(Failure::usage)?;
    let receipts = receipts(args.receipts.as_deref()).await?;
    let replayed = replay(&packet, &receipts, repository).await.map_err(failure)?;
    if verbosity > Verbosity::Quiet {
        for sentence in &replayed.not_compared {
            terminal::say(sentence);
        }
        let ours = env!("CARGO_PKG_VERSION");
        if replayed.version != ours {
            let theirs = visible_line(&replayed.version);
            terminal::say(&format!(
                "recuse {theirs} made the packet, and this is {ours}, which may decide otherwise"
            ));
        }
    }
    let mut text = comparison(&replayed);
    if let Some(file) = &policy {
        let what_if = replayed.with(file).map_err(Failure::usage)?;
        text.push('\n');
        text.push_str(&other_policy(&what_if, replayed.packet()));
    }
    terminal::write_result(&text, None).map_err(Failure::ours)?;
    Ok(match replayed.difference {
        None => Exit::Verdict(0),
        Some(_) => Exit::NotGood,
    })
}

fn policy(path: &Path) -> Result<service::config::OperatorFile> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| format!("could not read the policy {name}"))?;
    read_operator_file(&text, &name)
}

fn failure(error: ReplayError) -> Failure {
    match error {
        ReplayError::Unusable(_) => Failure::usage(error),
        ReplayError::Ours(error) => Failure::ours(error),
    }
}

fn comparison(replayed: &Replayed) -> String {
    let mut text = String::new();
    line(&mut text, "packet", replayed.given.as_str());
    line(&mut text, "replay", replayed.replayed.as_str());
    match &replayed.difference {
        None => line(&mut text, "", "same"),
        Some(Difference { pointer, given, replayed }) => {
            line(&mut text, "", &format!("different, first at {}", visible_line(pointer)));
            line(&mut text, "", &format!("packet: {}", shown(given.as_ref())));
            line(&mut text, "", &format!("replay: {}", shown(replayed.as_ref())));
        }
    }
    let compared = format!("{} compared with their digests", replayed.compared);
    line(&mut text, "receipts", &compared);
    text
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(
        || "nothing".to_owned(),
        |value| visible_line(&shorten(&value.to_string(), MAX_SHOWN_BYTES)),
    )
}

/// What would have been decided, and how that differs from what was.
fn other_policy(what_if: &WhatIf, was: &PacketV1) -> String {
    let (packet, mut text) = (&what_if.packet, String::new());
    let same = |is_same: bool, was: &str| if is_same { String::new() } else { format!(" (was {was})") };
    let (verdict, exit) = (packet.verdict, packet.judgement.exit_code);
    let before = same(verdict == was.verdict, was.verdict.name());
    line(&mut text, "verdict", &format!("{}{before}", verdict.name()));
    line(&mut text, "headline", &visible_line(&packet.judgement.headline));
    let before = same(exit == was.judgement.exit_code, &was.judgement.exit_code.to_string());
    line(&mut text, "exit code", &format!("{exit}{before}"));
    for recusal in &packet.panel.recused {
        line(&mut text, "recused", &visible_line(&format!("{}: {}", recusal.engine, recusal.reason)));
    }
    for recusal in &was.panel.recused {
        if packet.panel.recused.iter().all(|still| still.engine != recusal.engine) {
            line(&mut text, "recused", &visible_line(&format!("{}: no longer", recusal.engine)));
        }
    }
    for (lens, engine) in &what_if.unheard {
        let what = format!("{}: {engine} would be seated, and no reply of it is recorded", lens.name());
        line(&mut text, "not heard", &visible_line(&what));
    }
    if what_if.unexamined > 0 {
        let what = format!("{} would be examined, and no examination is recorded", what_if.unexamined);
        line(&mut text, "not heard", &what);
    }
    let gate = packet.judgement.fail_on;
    let gating = packet
        .claims
        .iter()
        .filter(|claim| claim.verification != Verification::Refuted && gate.catches(claim.severity));
    for claim in gating {
        let place = claim.line_start.map_or_else(String::new, |line| format!(":{line}"));
        let what = format!("{} {}{place}: {}", claim.severity.name(), claim.file, claim.title);
        line(&mut text, "gates", &visible_line(&what));
    }
    text
}
