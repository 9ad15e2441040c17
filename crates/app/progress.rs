//! What is said on stderr while models think.

use std::sync::Mutex;

use service::fan_out::Progress;

use crate::args::Verbosity;
use crate::terminal;

/// Says what is going on: a line that changes in place, and with `-v` one that stays for each call.
pub(crate) struct Reporter {
    verbosity: Verbosity,
    waiting: Mutex<Vec<String>>,
}

impl Reporter {
    pub(crate) fn new(verbosity: Verbosity) -> Self {
        Self { verbosity, waiting: Mutex::default() }
    }

    pub(crate) fn tell(&self, progress: Progress<'_>) {
        if self.verbosity == Verbosity::Quiet {
            return;
        }
        let mut waiting = self.waiting.lock().expect("nobody panics while holding it");
        match progress {
            Progress::Asked { what, engine } => waiting.push(format!("{what} ({engine})")),
            Progress::Ended { what, engine, ending, elapsed_ms, .. } => {
                let name = format!("{what} ({engine})");
                if let Some(index) = waiting.iter().position(|waiting| *waiting == name) {
                    waiting.remove(index);
                }
                if self.verbosity >= Verbosity::Verbose {
                    terminal::say_in_place("");
                    let seconds = format!("{}.{} s", elapsed_ms / 1000, elapsed_ms % 1000 / 100);
                    terminal::say(&format!("{name} {} after {seconds}", ending.words()));
                }
            }
        }
        let line =
            if waiting.is_empty() { String::new() } else { format!("waiting for {}", waiting.join(", ")) };
        terminal::say_in_place(&review::text::shorten(&line, terminal::width().saturating_sub(2)));
    }
}
