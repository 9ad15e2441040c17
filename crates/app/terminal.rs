//! Standard output and standard error: the only file that prints.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use report::Colour;
use report::workflow::harmless;

use crate::args::Verbosity;

/// Logs go to stderr; `RECUSE_LOG` sets their levels, as in `RECUSE_LOG=service=debug`. The server says a line of each job by
/// itself. What is written into a file has no colours.
pub(crate) fn start_logging(verbosity: Verbosity) {
    use tracing_subscriber::filter::EnvFilter;
    let levels = match verbosity {
        Verbosity::Quiet => "error",
        // Not one for each delivery: there may be thousands in a second.
        Verbosity::Normal => "warn,service::serve=info,service::serve::http=warn",
        Verbosity::Verbose => "info",
        // Each statement and each connection would hide all else.
        Verbosity::Debug => "debug,sqlx=info,hyper_util=info,h2=info,rustls=info",
    };
    let levels = std::env::var("RECUSE_LOG").unwrap_or_else(|_| levels.to_owned());
    let has_colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let filter = EnvFilter::builder().parse_lossy(levels);
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(has_colours).with_writer(|| Harmless).init();
}

/// Standard error, without lines that a runner of CI would take for commands. Each write is whole lines.
struct Harmless;

impl std::io::Write for Harmless {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let mut stderr = std::io::stderr().lock();
        for line in text.lines() {
            writeln!(stderr, "{}", harmless(line))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

/// Some lines on stderr, none of which a runner of CI takes for a command.
pub(crate) fn say(text: &str) {
    for line in text.lines() {
        let _ = writeln!(anstream::stderr(), "{}", harmless(line));
    }
}

/// An error on stderr.
pub(crate) fn complain(message: &str) {
    if message.starts_with("error: ") {
        say(message);
    } else {
        say(&format!("error: {message}"));
    }
}

/// A line on stderr that the next one replaces, where stderr is a terminal.
pub(crate) fn say_in_place(line: &str) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r\x1b[2K{line}");
        let _ = stderr.flush();
    }
}

/// Whether the result is coloured: by the terminal, `NO_COLOR` and their like.
pub(crate) fn colour_of_stdout() -> Colour {
    match anstream::AutoStream::choice(&std::io::stdout()) {
        anstream::ColorChoice::Never => Colour::Never,
        anstream::ColorChoice::Auto | anstream::ColorChoice::Always | anstream::ColorChoice::AlwaysAnsi => {
            Colour::Always
        }
    }
}

/// How many columns the terminal has; 100 where there is none.
pub(crate) fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.filter(|columns| (40..=400).contains(columns)).unwrap_or(100)
}

/// Writes the result to a file, or to stdout. A reader that went away is no error.
pub(crate) fn write_result(text: &str, output: Option<&Path>) -> Result<()> {
    write_bytes(text.as_bytes(), output)
}

/// Writes a result that is no text, or may be none.
pub(crate) fn write_bytes(bytes: &[u8], output: Option<&Path>) -> Result<()> {
    if let Some(path) = output {
        return std::fs::write(path, bytes).with_context(|| format!("could not write {}", path.display()));
    }
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("could not write the result"),
    }
}

/// Where results go that are written piece by piece.
pub(crate) fn result_writer(output: Option<&Path>) -> Result<Box<dyn std::io::Write>> {
    Ok(match output {
        Some(path) => {
            let file =
                std::fs::File::create(path).with_context(|| format!("could not write {}", path.display()))?;
            Box::new(std::io::BufWriter::new(file))
        }
        None => Box::new(std::io::BufWriter::new(std::io::stdout().lock())),
    })
}
