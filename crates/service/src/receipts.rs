//! The receipts of a packet: which they are, and copying them from one place to another.

use std::collections::BTreeSet;

use anyhow::Result;
use review::packet::ReceiptV1;
pub use store::{Fetched, ReceiptFolder, ReceiptRow, Receipts};

use crate::replay::{MAX_RECEIPT_BYTES, pruned_words, receipt_words};

/// What came of an export.
pub struct Exported {
    /// How many receipts were copied, or were there already.
    pub copied: usize,
    /// In how many files: receipts of the same bytes share one.
    pub files: usize,
    /// The others, in sentences. A deleted one leaves a note in the folder.
    pub not_copied: Vec<String>,
    /// How many of these were neither copied nor deleted on purpose.
    pub absent: usize,
}

/// Copies receipts into a folder.
///
/// # Errors
/// A place cannot be read or written.
pub async fn export(wanted: &[ReceiptV1], from: &Receipts, to: &ReceiptFolder) -> Result<Exported> {
    let mut exported = Exported { copied: 0, files: 0, not_copied: Vec::new(), absent: 0 };
    let (mut done, mut copied) = (BTreeSet::new(), BTreeSet::new());
    for receipt in wanted {
        if !done.insert(&receipt.digest) {
            exported.copied += usize::from(copied.contains(&receipt.digest));
            continue;
        }
        let name = receipt_words(receipt);
        let why = match from.fetch(&receipt.digest, receipt.bytes.min(MAX_RECEIPT_BYTES)).await? {
            Fetched::Kept(bytes) => {
                to.keep(&receipt.digest, &bytes)?;
                copied.insert(&receipt.digest);
                exported.copied += 1;
                continue;
            }
            Fetched::Pruned(pruned) => {
                to.note(&receipt.digest, &pruned)?;
                exported.not_copied.push(format!("{name} {}", pruned_words(&pruned)));
                continue;
            }
            Fetched::Altered(how) => format!("was altered: {how}"),
            Fetched::Missing => "was never kept here".to_owned(),
        };
        exported.absent += 1;
        exported.not_copied.push(format!("{name} {why}"));
    }
    exported.files = copied.len();
    Ok(exported)
}
