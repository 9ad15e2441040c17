//! The arguments of an evaluation.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use review::Lens;
use review::policy::Independence;

use super::shared::{ConfigArgs, independence, lens};

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// A folder of cases, each a folder with diff.patch, meta.json and gold.json
    #[arg(value_name = "CASES", required_unless_present = "ranges", conflicts_with = "ranges")]
    pub(crate) cases: Option<PathBuf>,
    /// Instead: ranges of a repository, a commit or BASE..HEAD a line; known issues are what later commits undid
    #[arg(long, value_name = "FILE")]
    pub(crate) ranges: Option<PathBuf>,
    /// The repository of the ranges [default: the current folder's]
    #[arg(short = 'C', long = "repo", value_name = "DIR", requires = "ranges")]
    pub(crate) repository: Option<PathBuf>,
    /// Up to where later commits are read
    #[arg(long, value_name = "REF", default_value = "HEAD", requires = "ranges")]
    pub(crate) until: String,
    /// Where packets, predictions, replies and the report are kept; a run is taken up again from there
    #[arg(long, value_name = "DIR", default_value = "recuse-eval")]
    pub(crate) out: PathBuf,
    /// Seat these models for every lens, as far as they are unrelated to each other; wins over --model
    #[arg(long, value_name = "PROVIDER/NAME,…", value_delimiter = ',')]
    pub(crate) panel: Vec<String>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Rules only: no model is asked
    #[arg(long, conflicts_with = "panel", help_heading = "How it is reviewed")]
    pub(crate) offline: bool,
    /// A lens that models look through; repeat for several [default: all]
    #[arg(long = "lens", value_name = "LENS", value_parser = lens, help_heading = "How it is reviewed")]
    pub(crate) lenses: Vec<Lens>,
    /// How strictly reviewers must be unrelated to the author: require, prefer or off
    #[arg(long, value_name = "POLICY", value_parser = independence, help_heading = "How it is reviewed")]
    pub(crate) independence: Option<Independence>,
    /// The most that the whole evaluation may cost, what earlier runs paid for its cases included
    #[arg(long, value_name = "USD", help_heading = "How it is reviewed")]
    pub(crate) max_usd: Option<f64>,
    /// The most that one review may take
    #[arg(long, value_name = "SECONDS", help_heading = "How it is reviewed")]
    pub(crate) max_seconds: Option<u32>,
    /// The most cases at once; with --max-usd they go one after another
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) jobs: usize,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t = EvalFormat::Text)]
    pub(crate) format: EvalFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvalFormat {
    /// For people, in a terminal
    Text,
    /// The report
    Json,
}
