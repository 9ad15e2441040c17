//! What packagers install beside the program, made from its arguments: completions and manual pages.

use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;
use crate::{Exit, Failure, terminal};

/// Prints completions for a shell.
pub(crate) fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "recuse", &mut text);
    terminal::write_bytes(&text, None).map_err(Failure::ours)?;
    Ok(Exit::Verdict(0))
}

/// Prints the page of the program, or writes those of all commands to a folder.
pub(crate) fn pages(folder: Option<&Path>) -> Result<Exit, Failure> {
    match folder {
        Some(folder) => std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
            .with_context(|| format!("could not write the pages to {}", folder.display()))
            .map_err(Failure::ours)?,
        None => {
            let mut text = Vec::new();
            let rendered = clap_mangen::Man::new(Cli::command()).render(&mut text);
            rendered.map_err(Failure::ours)?;
            terminal::write_bytes(&text, None).map_err(Failure::ours)?;
        }
    }
    Ok(Exit::Verdict(0))
}
