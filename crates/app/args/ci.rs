//! The arguments of what runs in CI.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::shared::RequestArgs;
use crate::evidence;

#[derive(Debug, Args)]
pub(crate) struct CiArgs {
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// Records of `recuse run` that count as checks [default: those in the repository's own folder]
    #[arg(long, value_name = "DIR", help_heading = "How it is reviewed")]
    pub(crate) evidence: Option<PathBuf>,
    /// Where packet.json, recuse.sarif and summary.md go [default: recuse in RUNNER_TEMP, else recuse-out]
    #[arg(long, value_name = "DIR", help_heading = "What is told")]
    pub(crate) out: Option<PathBuf>,
    /// Sign the packet with this private key: packet.json.sig (SSH) and packet.json.dsse.json stand beside it [default:
    /// `signing_key` of the configuration]
    #[arg(long, value_name = "KEY", help_heading = "What is told")]
    pub(crate) sign: Option<PathBuf>,
    /// Post nothing, whatever the token may
    #[arg(long, help_heading = "What is told")]
    pub(crate) no_post: bool,
    /// Whom GITHUB_TOKEN writes as; an earlier comment is found by that
    #[arg(long, value_name = "LOGIN", default_value = "github-actions[bot]", help_heading = "What is told")]
    pub(crate) login: String,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// What the run is called, in packets and in `required_checks`
    #[arg(long, value_name = "NAME", value_parser = evidence::name)]
    pub(crate) name: String,
    /// The most that it may take: seconds, or a number with s, m or h; then the command is ended, and 124 is its exit code
    #[arg(long, value_name = "TIME", value_parser = evidence::time)]
    pub(crate) timeout: Option<Duration>,
    /// Where the record goes [default: recuse/evidence in the repository's own folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) evidence_dir: Option<PathBuf>,
    /// The command and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}
