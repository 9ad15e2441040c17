//! `recuse run`: a command's own output and exit code, and a record of both.

use std::time::Duration;

use service::evidence::{RunRequest, Sinks, run as run_command, secret_values};

use crate::args::RunArgs;
use crate::commands::now;
use crate::{Exit, Failure, terminal};

/// Runs a command. Its exit code is kept, whatever becomes of the record.
pub(crate) async fn run(args: &RunArgs) -> Result<Exit, Failure> {
    let here = std::env::current_dir().map_err(Failure::ours)?;
    let request = RunRequest {
        name: &args.name,
        command: &args.command,
        limit: args.timeout,
        here: &here,
        folder: args.evidence_dir.as_deref(),
        secrets: &secret_values(std::env::vars_os()),
        now: now()?,
        version: env!("CARGO_PKG_VERSION"),
    };
    let sinks = Sinks { stdout: Box::new(std::io::stdout()), stderr: Box::new(std::io::stderr()) };
    let ran = run_command(&request, sinks).await.map_err(Failure::ours)?;
    if let Some(problem) = &ran.problem {
        let program = args.command.first().map(|program| program.to_string_lossy()).unwrap_or_default();
        terminal::complain(&format!("could not start {program:?}: {problem}"));
    }
    if let Err(error) = &ran.record {
        terminal::say(&format!("warning: this run is not recorded: {error:#}"));
    }
    Ok(Exit::Command(ran.ended.exit_code()))
}

/// The name of a run, as it stands in packets and in `required_checks`.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let is_plain = !text.trim().is_empty() && text.trim() == text && !text.chars().any(char::is_control);
    match is_plain && text.chars().count() <= 100 {
        true => Ok(text.to_owned()),
        false => Err("a name has 1 to 100 characters, none of them a control character".to_owned()),
    }
}

/// A time as `90`, `90s`, `5m` or `1h`.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let (digits, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(digits) => (digits, &text[digits.len()..]),
        None => (text, "s"),
    };
    let factor = match unit {
        "h" => 3_600.0,
        "m" => 60.0,
        _ => 1.0,
    };
    let seconds = digits.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds * factor).ok())
        .filter(|time| *time <= Duration::from_secs(7 * 24 * 3_600))
        .ok_or_else(|| "give seconds, or a number with s, m or h, of a week at most".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_and_limits() {
        for (text, milliseconds) in [("90", 90_000), ("1.5s", 1_500), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(time(text).map(|time| time.as_millis()), Ok(milliseconds), "{text}");
        }
        for wrong in ["", "0", "-1", "nan", "inf", "1d", "1e300h", "s"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_one_short_line() {
        assert!(name("unit tests (linux)").is_ok());
        for wrong in ["", " a", "a\nb", "a\u{1b}"] {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
        assert!(name(&"x".repeat(101)).is_err());
    }
}
