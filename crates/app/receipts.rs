//! `recuse receipts`: what is kept of reviews.

use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::path::Path;

use anyhow::{Result, anyhow};
use review::Digest;
use review::judge::plural;
use service::office::{open_store, prune};
use service::receipts::{Exported, Fetched, ReceiptFolder, ReceiptRow, Receipts, export};
use service::replay::{day, pruned_words};

use crate::args::{FileArgs, ReceiptsCommand};
use crate::commands::{environment, now, operator_file};
use crate::packets::read_packet;
use crate::{Exit, Failure, terminal};

/// The least digits by which a receipt is named.
const LEAST_DIGITS: usize = 8;

/// The most bytes of a receipt that is shown.
const MAX_SHOWN_BYTES: u64 = 512 * 1024 * 1024;

/// Lists, deletes, shows or exports.
pub(crate) async fn run(what: ReceiptsCommand) -> Result<Exit, Failure> {
    match what {
        ReceiptsCommand::List => list().await,
        ReceiptsCommand::Prune { older_than, file } => delete_old(older_than, &file).await,
        ReceiptsCommand::Show { digest, receipts } => show(&digest, receipts.as_deref()).await,
        ReceiptsCommand::Export { packet, output } => export_all(&packet, &output).await,
    }
}

/// Where receipts are: in a folder that is there, or in the database.
pub(crate) async fn receipts(folder: Option<&Path>) -> Result<Receipts, Failure> {
    match folder {
        Some(folder) if !folder.is_dir() => {
            Err(Failure::usage(anyhow!("there is no folder {}", folder.display())))
        }
        Some(folder) => Ok(Receipts::Folder(ReceiptFolder::at(folder))),
        None => Ok(Receipts::Database(open_store(&environment).await.map_err(Failure::ours)?)),
    }
}

async fn list() -> Result<Exit, Failure> {
    let store = open_store(&environment).await.map_err(Failure::ours)?;
    let rows = store.receipts().await.map_err(Failure::ours)?;
    let text: String = rows.iter().map(row).collect();
    terminal::write_result(&text, None).map_err(Failure::ours)?;
    Ok(Exit::Verdict(0))
}

fn row(row: &ReceiptRow) -> String {
    let mut text = format!("{} {:13} {:>10} {}", row.digest, row.kind, row.bytes, day(row.kept_at_ms));
    if let Some(pruned) = &row.pruned {
        let _ = write!(text, "  {}", pruned_words(pruned));
    }
    text.push('\n');
    text
}

async fn delete_old(older_than: Option<u32>, file: &FileArgs) -> Result<Exit, Failure> {
    let (config, source) = operator_file(file).map_err(Failure::usage)?;
    let Some(days) = older_than.or(config.receipts.keep_days.map(NonZeroU32::get)) else {
        return Err(Failure::usage(anyhow!(
            "receipts are kept for good ({source}): give `--older-than DAYS`, or `keep_days` under [receipts]"
        )));
    };
    let store = open_store(&environment).await.map_err(Failure::ours)?;
    let deleted = prune(&store, days, now()?.saturating_mul(1_000)).await.map_err(Failure::ours)?;
    store.close().await;
    let text = format!("deleted the bytes of {deleted} receipts that are older than {days} days\n");
    terminal::write_result(&text, None).map_err(Failure::ours)?;
    Ok(Exit::Verdict(0))
}

async fn show(digits: &str, folder: Option<&Path>) -> Result<Exit, Failure> {
    let is_hex = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hex || digits.len() < LEAST_DIGITS {
        let what = "a receipt is named by its digest, or by at least eight of its first digits";
        return Err(Failure::usage(anyhow!(what)));
    }
    let receipts = receipts(folder).await?;
    let digest = match Digest::new(digits) {
        Some(digest) => digest,
        None => match receipts.beginning_with(digits).await.map_err(Failure::ours)?.as_slice() {
            [one] => one.clone(),
            [] => {
                return Err(Failure::usage(anyhow!("no receipt is kept whose digest begins with {digits}")));
            }
            [..] => {
                return Err(Failure::usage(anyhow!(
                    "several receipts have digests that begin with {digits}"
                )));
            }
        },
    };
    match receipts.fetch(&digest, MAX_SHOWN_BYTES).await.map_err(Failure::ours)? {
        Fetched::Kept(bytes) => {
            terminal::write_bytes(&bytes, None).map_err(Failure::ours)?;
            Ok(Exit::Verdict(0))
        }
        Fetched::Pruned(pruned) => Err(Failure::usage(anyhow!("receipt {digest} {}", pruned_words(&pruned)))),
        Fetched::Altered(how) => Err(Failure::usage(anyhow!("receipt {digest} was altered: {how}"))),
        Fetched::Missing => Err(Failure::usage(anyhow!("receipt {digest} was never kept here"))),
    }
}

async fn export_all(packet: &Path, output: &Path) -> Result<Exit, Failure> {
    let packet = read_packet(packet).map_err(Failure::usage)?.packet;
    let wanted = &packet.receipts;
    let from = receipts(None).await?;
    let folder = ReceiptFolder::make(output).map_err(Failure::ours)?;
    let Exported { copied, files, not_copied, absent } =
        export(wanted, &from, &folder).await.map_err(Failure::ours)?;
    for sentence in &not_copied {
        terminal::say(sentence);
    }
    let files = plural(files, "file", "files");
    let text = format!("{copied} of {} receipts are in {}, in {files}\n", wanted.len(), output.display());
    terminal::write_result(&text, None).map_err(Failure::ours)?;
    Ok(if absent == 0 { Exit::Verdict(0) } else { Exit::NotGood })
}
