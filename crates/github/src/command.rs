//! What people ask of us in comments: `/recuse …` at the beginning of a line.

use review::Lens;
use review::text::{shorten, visible_line};

/// The word that every command begins with.
const WORD: &str = "/recuse";

/// The most bytes of an unknown command that are kept.
const UNKNOWN_LIMIT: usize = 60;

/// What somebody asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// To look at the change again.
    Review {
        /// Through these lenses; none means all that would be used anyway.
        lenses: Vec<Lens>,
        /// Whether to look at all of it, whatever was looked at before.
        full: Full,
    },
    /// To stop what is under way.
    Stop,
    /// To say who wrote the change, and who was seated and recused.
    Why,
    /// To say what can be asked.
    Help,
    /// Something else; its words, in one short line.
    Unknown(String),
}

/// Whether `full` was among the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// It was.
    Asked,
    /// It was not.
    NotAsked,
}

/// The command of a comment: the first line whose first token is `/recuse`.
///
/// Lines in quotes, fences, indented code and HTML comments are passed over: they are shown, not said. Only the first
/// command of a comment counts, so that one comment is one piece of work.
pub fn command(body: &str) -> Option<Command> {
    let mut fence: Option<Fence> = None;
    let mut hidden = false;
    for line in body.lines() {
        let text = line.trim_start_matches(' ');
        let is_indented = line.len() - text.len() > 3;
        if let Some(open) = fence {
            if !is_indented && open.is_closed_by(text) {
                fence = None;
            }
        } else if hidden {
            hidden = !line.contains("-->");
        } else if is_indented {
        } else if let Some(open) = Fence::opened_by(text) {
            fence = Some(open);
        } else if let Some((_, rest)) = text.rsplit_once("<!--") {
            hidden = !rest.contains("-->");
        } else if let Some(words) = text.strip_prefix(WORD)
            && words.chars().next().is_none_or(char::is_whitespace)
        {
            return Some(read(words.trim()));
        }
    }
    None
}

/// Reads what stands behind `/recuse`.
fn read(words: &str) -> Command {
    let mut tokens = words.split_whitespace();
    match (tokens.next(), tokens.clone().next()) {
        (None | Some("help"), None) => return Command::Help,
        (Some("stop"), None) => return Command::Stop,
        (Some("why"), None) => return Command::Why,
        (Some("review"), _) => {}
        (_, _) => return unknown(words),
    }
    let mut lenses = Vec::new();
    let mut full = Full::NotAsked;
    for token in tokens {
        match (token, Lens::from_name(token)) {
            ("full", None) => full = Full::Asked,
            (_, Some(lens)) if lenses.contains(&lens) => {}
            (_, Some(lens)) => lenses.push(lens),
            (_, None) => return unknown(words),
        }
    }
    Command::Review { lenses, full }
}

fn unknown(words: &str) -> Command {
    Command::Unknown(shorten(&visible_line(words), UNKNOWN_LIMIT))
}

/// A fence of code that is open.
#[derive(Clone, Copy)]
struct Fence {
    mark: char,
    length: usize,
}

impl Fence {
    fn opened_by(text: &str) -> Option<Self> {
        let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let info = text.trim_start_matches(mark);
        let length = text.len() - info.len();
        // A backtick behind three is a span of code, not a fence.
        (length >= 3 && !(mark == '`' && info.contains('`'))).then_some(Self { mark, length })
    }

    fn is_closed_by(self, text: &str) -> bool {
        let rest = text.trim_start_matches(self.mark);
        text.len() - rest.len() >= self.length && rest.trim().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(lenses: &[Lens], full: Full) -> Option<Command> {
        Some(Command::Review { lenses: lenses.to_vec(), full })
    }

    #[test]
    fn the_first_line_that_begins_with_the_word_is_the_command() {
        let unknown = |words: &str| Some(Command::Unknown(words.to_owned()));
        let table = [
            ("/recuse review", review(&[], Full::NotAsked)),
            ("  /recuse   review  full ", review(&[], Full::Asked)),
            (
                "/recuse review security full database security",
                review(&[Lens::Security, Lens::Database], Full::Asked),
            ),
            ("/recuse review prompt-health\r\nplease", review(&[Lens::PromptHealth], Full::NotAsked)),
            ("Thanks!\n\n/recuse stop\n/recuse review", Some(Command::Stop)),
            ("/recuse why", Some(Command::Why)),
            ("/recuse", Some(Command::Help)),
            ("/recuse\thelp", Some(Command::Help)),
            ("/recuse why not", unknown("why not")),
            ("/recuse review speed", unknown("review speed")),
            ("/recuse approve\u{202e}", unknown("approve\\u{202e}")),
            ("/recuse Review", unknown("Review")),
            ("/recuser review", None),
            ("/recuse-review", None),
            ("please /recuse review", None),
            ("/Recuse review", None),
            ("", None),
        ];
        for (body, expected) in table {
            assert_eq!(command(body), expected, "{body:?}");
        }
    }

    #[test]
    fn what_is_only_shown_is_no_command() {
        for body in [
            "> /recuse review",
            "   > /recuse review",
            "```\n/recuse review\n```",
            "~~~~ text\n/recuse review\n~~~\n/recuse review\n~~~~",
            "```\n/recuse review",
            "````\n```\n/recuse stop\n````",
            "    /recuse review",
            "\t/recuse review",
            "<!-- \n/recuse review\n-->",
            "`/recuse review`",
            "<!-- /recuse review -->",
        ] {
            assert_eq!(command(body), None, "{body:?}");
        }
        for body in [
            "```\ncode\n```\n/recuse stop",
            "``` `a`\n/recuse stop",
            "> quote\n\n/recuse stop",
            "<!-- a --> b\n/recuse stop",
            "<!--\n-->\n/recuse stop",
            // Markdown lets such a line belong to the quote above it. Whoever wrote it began it with the word.
            "> quote\n/recuse stop",
        ] {
            assert_eq!(command(body), Some(Command::Stop), "{body:?}");
        }
    }

    #[test]
    fn an_unknown_command_is_kept_short() {
        let Some(Command::Unknown(words)) = command(&format!("/recuse {}", "x".repeat(60_000))) else {
            panic!("it is a command")
        };
        assert!(words.len() <= UNKNOWN_LIMIT + '…'.len_utf8());
    }
}
