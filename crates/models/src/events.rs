//! Server-sent events that hold JSON, whatever the JSON means.

use review::answer::Strict;
use serde_json::Value;

use crate::error::ModelError;

/// What Chat Completions put where the data of a last event would be.
const DONE: &str = "[DONE]";

/// The events of a stream.
#[derive(Default)]
pub(crate) struct Events {
    /// The data of each, in order.
    pub(crate) data: Vec<Value>,
    /// Whether the mark came that Chat Completions end with.
    pub(crate) is_marked_done: bool,
}

impl Events {
    /// Takes a stream apart. The last event may lack the empty line that ends it, if it is whole otherwise.
    pub(crate) fn read(body: &[u8]) -> Result<Self, ModelError> {
        let mut found = Self::default();
        let mut data = String::new();
        for line in String::from_utf8_lossy(body).trim_start_matches('\u{feff}').lines() {
            if let Some(part) = line.strip_prefix("data:") {
                data.push_str(part.strip_prefix(' ').unwrap_or(part));
                data.push('\n');
            } else if line.is_empty() {
                found.take(&std::mem::take(&mut data))?;
            }
        }
        // What is cut off in the middle is no event; whoever needed it finds its end missing.
        if serde_json::from_str::<serde::de::IgnoredAny>(&data).is_ok() || data.trim() == DONE {
            found.take(&data)?;
        }
        Ok(found)
    }

    fn take(&mut self, data: &str) -> Result<(), ModelError> {
        match data.trim() {
            "" => {}
            DONE => self.is_marked_done = true,
            data => match serde_json::from_str::<Strict>(data) {
                Ok(Strict(value)) => self.data.push(value),
                Err(error) if error.is_data() => return Err(not_this_json(&error)),
                Err(_) => return Err(interrupted("an event of the stream is broken")),
            },
        }
        Ok(())
    }
}

/// Looks at a stream while it comes: nobody has to wait, or pay, for the rest of one that is broken.
#[derive(Default)]
pub(crate) struct Watch {
    /// Where the first event begins that is not whole yet.
    begin: usize,
    /// Up to where its end was looked for.
    searched: usize,
}

impl Watch {
    /// Whether an event is broken among those that became whole since the last time.
    pub(crate) fn sees_a_broken_event(&mut self, body: &[u8]) -> bool {
        let from = self.searched.saturating_sub(b"\n\r".len()).max(self.begin);
        self.searched = body.len();
        // Both ends begin with the line feed of the event's last line.
        let ends = [&b"\n\n"[..], b"\n\r\n"];
        let ends = ends.map(|end| body[from..].windows(end.len()).rposition(|at| at == end));
        let Some(end) = ends.into_iter().flatten().max() else { return false };
        let whole = &body[self.begin..=from + end];
        self.begin += whole.len();
        Events::read(&[whole, b"\n"].concat()).is_err()
    }
}

/// A stream that stopped before it said that it was at its end. As likely as not the next one does not.
pub(crate) fn interrupted(why: &'static str) -> ModelError {
    ModelError::Interrupted { source: why.into() }
}

/// JSON that is not what it should be.
pub(crate) fn not_this_json(error: &serde_json::Error) -> ModelError {
    let what = match error.classify() {
        serde_json::error::Category::Data => "the JSON has other fields than expected, or one of them twice",
        serde_json::error::Category::Eof => "the JSON is cut off",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "the JSON is broken",
    };
    // serde's own text may quote a value, so only the class and the place are told.
    let detail = match (error.line(), error.column()) {
        (0, _) => what.to_owned(),
        (line, column) => format!("{what} at line {line}, column {column}"),
    };
    ModelError::Protocol { detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_event_is_seen_as_soon_as_it_is_whole() {
        for (feed, stream) in [
            ("\n", "data: {\"a\":1}\n\n: ping\n\ndata: {broken\n\ndata: {}\n\n"),
            ("\r\n", "event: a\r\ndata: {\"a\":1}\r\n\r\ndata: {broken\r\n\r\ndata: {}\r\n\r\n"),
        ] {
            let broken = format!("{{broken{feed}{feed}");
            let expected = stream.find(&broken).map(|at| at + broken.len());
            let mut watch = Watch::default();
            let seen = (0..=stream.len()).find(|&end| watch.sees_a_broken_event(&stream.as_bytes()[..end]));
            assert_eq!(seen, expected);
            assert!(Watch::default().sees_a_broken_event(stream.as_bytes()));
        }
        let mut watch = Watch::default();
        let good = "data: {\"a\":1}\n\ndata: [DONE]\n\ndata: {cut";
        assert!((0..=good.len()).all(|end| !watch.sees_a_broken_event(&good.as_bytes()[..end])));
    }
}
