//! The arguments of a review, and of each of its decisions alone.

use std::path::PathBuf;

use clap::Args;

use super::shared::{ChangeArgs, FileArgs, Format, ListFormat, RequestArgs};

#[derive(Debug, Args)]
pub(crate) struct ReviewArgs {
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// Records of `recuse run` that count as checks [default without DIR: those in the repository's own folder]
    #[arg(long, value_name = "DIR", num_args = 0..=1, help_heading = "How it is reviewed")]
    pub(crate) evidence: Option<Option<PathBuf>>,
    /// Also write the packet there, in its canonical form, whose SHA-256 is its name
    #[arg(long, value_name = "FILE", conflicts_with = "preview", help_heading = "What is kept")]
    pub(crate) packet: Option<PathBuf>,
    /// Sign the packet that is written, with this private key: FILE.sig (SSH) and FILE.dsse.json stand beside it
    #[arg(long, value_name = "KEY", conflicts_with = "preview", help_heading = "What is kept")]
    pub(crate) sign: Option<PathBuf>,
    /// A folder where the receipts are kept, instead of the database
    #[arg(long, value_name = "DIR", help_heading = "What is kept")]
    pub(crate) receipts: Option<PathBuf>,
    /// Say who would be asked how much and what it could cost, and ask nobody
    #[arg(long, help_heading = "How it is reviewed")]
    pub(crate) preview: bool,
    /// Post the comment and the check run on the pull request, as far as GITHUB_TOKEN may
    #[arg(long, requires = "pr", conflicts_with = "preview", help_heading = "Result")]
    pub(crate) post: bool,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Result")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct PanelArgs {
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = ListFormat::Text, help_heading = "Result")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct ClassifyArgs {
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = ListFormat::Text, help_heading = "Result")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct AttributeArgs {
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// Read commits from standard input, one JSON record a line, and write who wrote each, one a line
    #[arg(long, conflicts_with_all = ["base", "head", "commit", "staged", "diff", "stdin", "written_by", "format"])]
    pub(crate) jsonl: bool,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = ListFormat::Text, help_heading = "Result")]
    pub(crate) format: ListFormat,
}
