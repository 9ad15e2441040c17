//! The arguments of what is done with packets and receipts.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use review::Digest;

use super::shared::FileArgs;

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The packet
    #[arg(value_name = "PACKET")]
    pub(crate) packet: PathBuf,
    /// The repository that the change is in
    #[arg(short = 'C', long = "repo", value_name = "DIR")]
    pub(crate) repository: Option<PathBuf>,
    /// The diff, where the review was of one
    #[arg(long, value_name = "FILE", conflicts_with = "repository")]
    pub(crate) diff: Option<PathBuf>,
    /// Who may have signed it: a public key or a file of allowed signers; repeat for several
    #[arg(long = "key", value_name = "FILE")]
    pub(crate) keys: Vec<PathBuf>,
    /// A signature, SSH or DSSE; repeat for several [default: PACKET.sig and PACKET.dsse.json, where they are]
    #[arg(long = "signature", value_name = "FILE")]
    pub(crate) signatures: Vec<PathBuf>,
    /// Where the receipts are: a folder, or `store` for this user's database
    #[arg(long, value_name = "DIR|store")]
    pub(crate) receipts: Option<PathBuf>,
    /// What its digest should be
    #[arg(long, value_name = "SHA-256", value_parser = digest)]
    pub(crate) digest: Option<Digest>,
    #[command(flatten)]
    pub(crate) file: FileArgs,
}

#[derive(Debug, Args)]
pub(crate) struct KeygenArgs {
    /// Where the private key goes; the public one goes beside it, as FILE.pub [default: signing_key in the user's
    /// configuration folder]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The packet
    #[arg(value_name = "PACKET")]
    pub(crate) packet: PathBuf,
    /// The folder where its receipts are, instead of the database
    #[arg(long, value_name = "DIR")]
    pub(crate) receipts: Option<PathBuf>,
    /// Decide what stands before the replies again too, from this repository's objects
    #[arg(short = 'C', long = "repo", value_name = "DIR")]
    pub(crate) repository: Option<PathBuf>,
    /// Say what another policy would have decided: an operator's file, whose sections `review` and `path` count
    #[arg(long, value_name = "FILE")]
    pub(crate) with: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReceiptsCommand {
    /// What the database keeps, the latest first
    List,
    /// Delete what was kept for longer than the policy says; digests stay, with when and why
    Prune {
        /// Older than so many days [default: `keep_days` of the configuration]
        #[arg(long, value_name = "DAYS")]
        older_than: Option<u32>,
        #[command(flatten)]
        file: FileArgs,
    },
    /// Print what is kept under a digest
    Show {
        /// The digest, or its first eight digits or more
        #[arg(value_name = "DIGEST")]
        digest: String,
        /// The folder where it is, instead of the database
        #[arg(long, value_name = "DIR")]
        receipts: Option<PathBuf>,
    },
    /// Copy all receipts of a packet into a folder
    Export {
        /// The packet
        #[arg(value_name = "PACKET")]
        packet: PathBuf,
        /// The folder, which is made
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
    },
}

fn digest(hex: &str) -> Result<Digest, String> {
    let hex = hex.strip_prefix("sha256:").unwrap_or(hex);
    Digest::new(hex).ok_or_else(|| "a SHA-256 has 64 lower-case hex digits".to_owned())
}
