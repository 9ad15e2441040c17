//! The arguments of the GitHub App.

use clap::Args;

use super::shared::ConfigArgs;

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Do everything but write on GitHub
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Ask no model: the rules only
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// Where the server receives deliveries [default: on this machine, by the port of RECUSE_LISTEN or 8080]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The repository
    #[arg(long, value_name = "OWNER/NAME")]
    pub(crate) repository: String,
    /// The repository's id
    #[arg(long, value_name = "ID", default_value_t = 1)]
    pub(crate) repository_id: u64,
    /// The installation's id
    #[arg(long, value_name = "ID", default_value_t = 1)]
    pub(crate) installation: u64,
    /// The pull request
    #[arg(long, value_name = "N")]
    pub(crate) number: u64,
    /// Its head
    #[arg(long, value_name = "SHA")]
    pub(crate) head: String,
    /// Its base [default: the head]
    #[arg(long, value_name = "SHA")]
    pub(crate) base: Option<String>,
    /// Who does it
    #[arg(long, value_name = "LOGIN", default_value = "octocat")]
    pub(crate) login: String,
    /// What happened to the pull request
    #[arg(long, value_name = "ACTION", default_value = "opened", conflicts_with = "comment")]
    pub(crate) action: String,
    /// A comment instead, such as `/recuse why`
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
}
