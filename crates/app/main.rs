//! The command line: arguments in, exit code out. Everything else is in the crates.

mod args;
mod ci;
mod commands;
mod evaluation;
mod evidence;
mod explain;
mod jsonl;
mod manual;
mod packets;
mod progress;
mod pull;
mod receipts;
mod replay;
mod rules;
mod serving;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Cli;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap prints help and version to stdout, and everything else to stderr.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Verdict(0).into() };
        }
    };
    terminal::start_logging(cli.verbosity());
    let runtime = match &cli.command {
        // A server goes on answering while it reviews.
        args::Command::Serve(_) => tokio::runtime::Builder::new_multi_thread().enable_all().build(),
        _ => tokio::runtime::Builder::new_current_thread().enable_all().build(),
    };
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::complain(&format!("could not start: {error}"));
            return Exit::Ours.into();
        }
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            terminal::complain(&failure.to_string());
            failure.exit.into()
        }
    }
}

/// How the process ends. The first that holds: 2, 4, 1, 3, 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0, 1 or 3: as the judge computed it, or as the checks of a packet came out.
    Verdict(u8),
    /// As the command ended that was run.
    Command(u8),
    /// Something that was asked for is not good: 1.
    NotGood,
    /// The arguments or the configuration are wrong: 2.
    Usage,
    /// Our own failure: the store, the network to the platform: 4.
    Ours,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Verdict(code) | Exit::Command(code) => code,
            Exit::NotGood => 1,
            Exit::Usage => 2,
            Exit::Ours => 4,
        })
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code that follows.
    pub(crate) exit: Exit,
    error: anyhow::Error,
}

impl Failure {
    /// Wrong arguments, configuration or input.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Usage, error: error.into() }
    }

    /// Our own failure.
    pub(crate) fn ours(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Ours, error: error.into() }
    }
}

impl std::fmt::Display for Failure {
    /// The whole chain in one line; a rendered configuration error stands as it is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.error)
    }
}
