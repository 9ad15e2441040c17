//! What several commands take: which change, how it is reviewed, by which configuration, and how the result is printed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use review::policy::{Gate, Independence};
use review::{Lens, Severity};

use crate::pull;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, in a terminal
    Text,
    /// For a comment
    Markdown,
    /// The packet
    Json,
    /// For code scanning
    Sarif,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct FileArgs {
    /// The operator's configuration [default: recuse/config.toml in the user's configuration folder]
    #[arg(long, value_name = "FILE", env = "RECUSE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct ConfigArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// A model to ask; repeat for several
    #[arg(long = "model", value_name = "PROVIDER/NAME", env = "RECUSE_MODELS", value_delimiter = ',')]
    pub(crate) models: Vec<String>,
    /// A folder of prompt files that are used instead of the built-in ones at the same relative path
    #[arg(long = "prompts", value_name = "DIR")]
    pub(crate) prompts: Option<PathBuf>,
}

/// Which change.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which change (default: this branch against its default branch)")]
pub(crate) struct ChangeArgs {
    /// The base: a branch, tag or commit
    #[arg(long, value_name = "REF")]
    pub(crate) base: Option<String>,
    /// The head: a branch, tag or commit [default: HEAD]
    #[arg(long, value_name = "REF")]
    pub(crate) head: Option<String>,
    /// One commit against its first parent
    #[arg(long, value_name = "REF", conflicts_with_all = ["base", "head"])]
    pub(crate) commit: Option<String>,
    /// The index against HEAD
    #[arg(long, conflicts_with_all = ["base", "head", "commit"])]
    pub(crate) staged: bool,
    /// A diff in a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["base", "head", "commit", "staged"])]
    pub(crate) diff: Option<PathBuf>,
    /// A diff on standard input
    #[arg(long, conflicts_with_all = ["base", "head", "commit", "staged", "diff"])]
    pub(crate) stdin: bool,
    /// A pull request on GitHub, read with GITHUB_TOKEN: OWNER/REPO#NUMBER, or its address
    #[arg(long, value_name = "PULL", value_parser = pull::place,
          conflicts_with_all = ["base", "head", "commit", "staged", "diff", "stdin", "repository"])]
    pub(crate) pr: Option<pull::PullPlace>,
    /// The repository [default: the current folder's]
    #[arg(short = 'C', long = "repo", value_name = "DIR")]
    pub(crate) repository: Option<PathBuf>,
    /// Who wrote it, on your word: `human`, a model's name or a tool's
    #[arg(long, value_name = "WHO")]
    pub(crate) written_by: Option<String>,
    /// Where the result goes, instead of standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Result")]
    pub(crate) output: Option<PathBuf>,
}

/// Which change, and how it is reviewed.
#[derive(Debug, Args)]
pub(crate) struct RequestArgs {
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Rules only: no model is asked
    #[arg(long, help_heading = "How it is reviewed")]
    pub(crate) offline: bool,
    /// A lens that models look through; repeat for several [default: all]
    #[arg(long = "lens", value_name = "LENS", value_parser = lens, help_heading = "How it is reviewed")]
    pub(crate) lenses: Vec<Lens>,
    /// How strictly reviewers must be unrelated to the author: require, prefer or off
    #[arg(long, value_name = "POLICY", value_parser = independence, help_heading = "How it is reviewed")]
    pub(crate) independence: Option<Independence>,
    /// The severity from which on a claim makes the exit code 1, or `never` [default: high]
    #[arg(long, value_name = "SEVERITY", value_parser = gate, help_heading = "How it is reviewed")]
    pub(crate) fail_on: Option<Gate>,
    /// The most that it may cost
    #[arg(long, value_name = "USD", help_heading = "How it is reviewed")]
    pub(crate) max_usd: Option<f64>,
    /// The most that it may take
    #[arg(long, value_name = "SECONDS", help_heading = "How it is reviewed")]
    pub(crate) max_seconds: Option<u32>,
}

pub(super) fn lens(name: &str) -> Result<Lens, String> {
    let known = Lens::ALL.map(Lens::name).join(", ");
    Lens::from_name(name).ok_or_else(|| format!("the lenses are {known}"))
}

pub(super) fn independence(name: &str) -> Result<Independence, String> {
    let all = [Independence::Require, Independence::Prefer, Independence::Off];
    all.into_iter().find(|one| one.name() == name).ok_or_else(|| "it is require, prefer or off".to_owned())
}

fn gate(name: &str) -> Result<Gate, String> {
    let all = [Gate::Low, Gate::Medium, Gate::High, Gate::Critical, Gate::Never];
    let known = Severity::WORST_FIRST.map(Severity::name).join(", ");
    all.into_iter().find(|gate| gate.name() == name).ok_or_else(|| format!("it is {known} or never"))
}
