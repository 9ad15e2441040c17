//! The arguments of what shows and checks how recuse is set up.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use review::Lens;

use super::shared::{ConfigArgs, ListFormat, lens};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ModelsCommand>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Mark who would be recused if this tool or model had written a change
    #[arg(long, value_name = "WHO")]
    pub(crate) written_by: Option<String>,
    /// How the list is printed
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// Warn about prices and families older than 60 days (prices from the first of their month) and unknown names
    Check(ConfigArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum PromptsCommand {
    /// Every prompt file: id, version, digest, and whether it is the operator's
    List(ConfigArgs),
    /// One prompt file
    Show {
        /// The id, as `list` names it
        id: String,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Whether a folder of prompt files can be used; each problem with file and line
    Check {
        /// The folder [default: the configuration's, or the built-in files]
        #[arg(long, value_name = "DIR", conflicts_with = "prompts")]
        folder: Option<PathBuf>,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// List the rules
    List {
        /// How the list is printed
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
        /// Only the rules of this lens
        #[arg(long, value_name = "LENS", value_parser = lens)]
        lens: Option<Lens>,
    },
    /// Show one rule: what it finds, why, and an example of what it reports and of what it leaves alone
    Show {
        /// The rule's id, as `recuse rules list` has it
        id: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SchemaName {
    /// The evidence packet
    Packet,
    /// The operator's configuration
    Config,
    /// The base branch's `.recuse.toml`
    BaseConfig,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The deterministic rules alone are wanted: no model is missing
    #[arg(long)]
    pub(crate) offline: bool,
    /// Look at what this repository requires before merging, too; else at those that were reviewed lately
    #[arg(long = "repo", value_name = "OWNER/NAME")]
    pub(crate) repository: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Only the repository's `.recuse.toml`
    #[arg(long, conflicts_with = "user")]
    pub(crate) repository: bool,
    /// Only the operator's configuration
    #[arg(long)]
    pub(crate) user: bool,
}
