//! The arguments: what every command has, and which commands there are. Each theme has a file of its own.

mod ci;
mod eval;
mod packets;
mod review;
mod serve;
mod setup;
mod shared;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub(crate) use self::ci::{CiArgs, RunArgs};
pub(crate) use self::eval::{EvalArgs, EvalFormat};
pub(crate) use self::packets::{KeygenArgs, ReceiptsCommand, ReplayArgs, VerifyArgs};
pub(crate) use self::review::{AttributeArgs, ClassifyArgs, PanelArgs, ReviewArgs};
pub(crate) use self::serve::{ServeArgs, SimulateArgs};
pub(crate) use self::setup::{
    DoctorArgs, InitArgs, ModelsArgs, ModelsCommand, PromptsCommand, RulesCommand, SchemaName,
};
pub(crate) use self::shared::{ChangeArgs, ConfigArgs, FileArgs, Format, ListFormat, RequestArgs};

/// An independent reviewer of changes: no model reviews its own family's work.
#[derive(Debug, Parser)]
#[command(name = "recuse", version = env!("RECUSE_VERSION"), max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Say more on stderr; twice for debugging
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Print the verdict and the claims only, and no progress
    #[arg(short, long, global = true)]
    quiet: bool,
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    Quiet,
    Normal,
    Verbose,
    Debug,
}

impl Verbosity {
    /// How much views show.
    pub(crate) fn of_views(self) -> report::Verbosity {
        match self {
            Self::Quiet => report::Verbosity::Quiet,
            Self::Normal => report::Verbosity::Normal,
            Self::Verbose | Self::Debug => report::Verbosity::Verbose,
        }
    }
}

impl Cli {
    /// How much is said; quiet wins.
    pub(crate) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, 1) => Verbosity::Verbose,
            (false, _) => Verbosity::Debug,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Review a change and print the evidence packet
    Review(Box<ReviewArgs>),
    /// Review the change that a run of CI is about, and tell it in every way that the run has
    Ci(Box<CiArgs>),
    /// Run a command, keep its output and its exit code, and record both as evidence for reviews
    Run(RunArgs),
    /// Say what a change is and which lenses would look at it
    Classify(Box<ClassifyArgs>),
    /// Say who wrote a change, and why we think so
    Attribute(Box<AttributeArgs>),
    /// Say who would review a change, who is recused, and why; no model is asked
    Panel(Box<PanelArgs>),
    /// Serve the GitHub App: deliveries in, packets out
    Serve(ServeArgs),
    /// Send a signed delivery to a server, as GitHub would
    Simulate(SimulateArgs),
    /// List the models that can be asked: families, prices, and who would be recused
    Models(ModelsArgs),
    /// Measure reviews on changes whose issues are known
    Eval(Box<EvalArgs>),
    /// Check a packet: what follows from it, its signature, and what the repository and the receipts say
    Verify(VerifyArgs),
    /// Make a key that signs packets
    Keygen(KeygenArgs),
    /// Decide again from what was recorded, and compare with the packet; no model is asked
    Replay(ReplayArgs),
    /// List, show, export or delete what is kept of reviews
    Receipts {
        #[command(subcommand)]
        what: ReceiptsCommand,
    },
    /// Say what is set up and what is missing
    Doctor(DoctorArgs),
    /// Write commented configuration files
    Init(InitArgs),
    /// List, show or check the prompts that models are asked with
    Prompts {
        #[command(subcommand)]
        what: PromptsCommand,
    },
    /// Say what the rules look for, and why
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Print completions for a shell
    Completions {
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write the pages of all commands to a folder
    Man {
        /// Where the pages go: recuse.1, recuse-review.1 and so on
        #[arg(long, value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Print a JSON Schema
    Schema {
        #[arg(value_enum)]
        what: SchemaName,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
