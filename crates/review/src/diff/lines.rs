//! A cursor over the lines of a diff.

/// The next line of a diff, and what follows. A copy looks ahead without moving the original.
#[derive(Clone, Copy)]
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    /// Where the next line starts.
    start: usize,
    /// Where its line feed is, or the end of the input.
    end: usize,
    number: u64,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, start: 0, end: line_end(bytes, 0), number: 1 }
    }

    /// The next line without its line feed; `None` at the end.
    pub(super) fn peek(&self) -> Option<&'a [u8]> {
        (self.start < self.bytes.len()).then(|| &self.bytes[self.start..self.end])
    }

    /// Moves behind the next line and returns it.
    pub(super) fn advance(&mut self) -> Option<&'a [u8]> {
        let line = self.peek()?;
        self.start = (self.end + 1).min(self.bytes.len());
        self.end = line_end(self.bytes, self.start);
        self.number += 1;
        Some(line)
    }

    /// Whether the input ended here, in the middle of a line.
    pub(super) fn ended_inside_a_line(&self) -> bool {
        self.start == self.bytes.len() && self.bytes.last().is_some_and(|&byte| byte != b'\n')
    }

    /// The number of the next line in the diff, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Where the next line starts, in bytes.
    pub(super) fn position(&self) -> usize {
        self.start
    }

    /// The bytes from an earlier position to the next line.
    pub(super) fn since(&self, position: usize) -> &'a [u8] {
        &self.bytes[position..self.start]
    }
}

fn line_end(bytes: &[u8], start: usize) -> usize {
    bytes[start..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |length| start + length)
}
