//! Markdown as values: the only way in which this crate makes it (law 9).
//!
//! Our own words are `&'static str`, which nothing that was read at run time can be; numbers are numbers. All
//! other text is [`Foreign`], and the only places for it are a code span and a fenced block, where Markdown has
//! no links, images, mentions, references or HTML. So there is nothing to escape and nothing to forget.

use review::text::visible;

use crate::words::{Amount, clip, without_mentions};

/// Text that somebody else wrote, made fit for a code span or a fence.
///
/// Hidden characters are written out, and so is the `@` of a mention as `(at)`: mails and replies by mail carry
/// the comment as plain text, in which code is no shelter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Foreign(String);

impl Foreign {
    /// Takes any text.
    pub(crate) fn new(text: &str) -> Self {
        Self(without_mentions(&visible(text)))
    }

    /// Takes at most `limit` characters of any text.
    pub(crate) fn clipped(text: &str, limit: usize) -> Self {
        Self(clip(&Self::new(text).0, limit))
    }

    /// The text as it was made fit.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The text in one line: runs of white space become one space.
    fn folded(&self) -> String {
        self.0.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inline {
    /// Our own words.
    Own(&'static str),
    /// A number with its unit.
    Amount(Amount),
    /// Our own words, bold.
    Strong(&'static str),
    /// Anybody's text, in a code span.
    Code(Foreign),
    /// The same, bold; only for a line of its own, where the stars are sure to be read as emphasis.
    StrongCode(Foreign),
}

/// A line.
pub(crate) type Line = Vec<Inline>;

/// A block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Block {
    /// A heading of the third level.
    Heading(Line),
    /// A paragraph.
    Paragraph(Line),
    /// A list; each entry may have a list of its own below it.
    List(Vec<Entry>),
    /// A table: its head, and its rows.
    Table(Vec<&'static str>, Vec<Vec<Line>>),
    /// Lines of anybody's text, each behind a gutter of ours.
    Fence(Vec<FenceLine>),
    /// Something folded below its summary.
    Details(&'static str, Vec<Self>),
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its line.
    pub(crate) line: Line,
    /// What is listed below it.
    pub(crate) below: Vec<Line>,
}

impl From<Line> for Entry {
    fn from(line: Line) -> Self {
        Self { line, below: Vec::new() }
    }
}

/// A line of a fenced block.
///
/// Every one starts with a gutter, so that no line of a comment starts with a slash or with another bot's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FenceLine {
    /// A line of a file, with its number where that is known.
    Source(Option<u32>, Foreign),
    /// A line of prose.
    Prose(Foreign),
}

/// Blocks as text, an empty line between them and a line feed at the end.
pub(crate) fn render(blocks: &[Block]) -> String {
    let blocks: Vec<String> = blocks.iter().map(render_block).collect();
    blocks.join("\n")
}

fn render_block(block: &Block) -> String {
    match block {
        Block::Heading(line) => format!("### {}\n", render_line(line, Within::Text)),
        Block::Paragraph(line) => format!("{}\n", render_line(line, Within::Text)),
        Block::List(entries) => entries.iter().map(render_entry).collect(),
        Block::Table(head, rows) => render_table(head, rows),
        Block::Fence(lines) => render_fence(lines),
        Block::Details(summary, blocks) => {
            format!("<details>\n<summary>{summary}</summary>\n\n{}\n</details>\n", render(blocks))
        }
    }
}

fn render_entry(entry: &Entry) -> String {
    let below = entry.below.iter().map(|line| format!("  - {}\n", render_line(line, Within::Text)));
    format!("- {}\n{}", render_line(&entry.line, Within::Text), below.collect::<String>())
}

fn render_table(head: &[&'static str], rows: &[Vec<Line>]) -> String {
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head_cells = head.iter().map(|cell| (*cell).to_owned()).collect();
    let body =
        rows.iter().map(|cells| row(cells.iter().map(|line| render_line(line, Within::Table)).collect()));
    format!("{}{}{}", row(head_cells), row(vec!["---".to_owned(); head.len()]), body.collect::<String>())
}

/// What a line stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Text,
    Table,
}

fn render_line(line: &[Inline], within: Within) -> String {
    line.iter()
        .map(|inline| match inline {
            Inline::Own(words) => (*words).to_owned(),
            Inline::Amount(amount) => amount.to_string(),
            Inline::Strong(words) => format!("**{words}**"),
            Inline::Code(text) => code_span(&match within {
                Within::Text => text.folded(),
                // A pipe ends a table's cell even inside a code span.
                Within::Table => text.folded().replace('|', "\\u{7c}"),
            }),
            Inline::StrongCode(text) => format!("**{}**", code_span(&text.folded())),
        })
        .collect()
}

/// A code span: its fence is as long as no run of backticks inside, and spaces keep it off backticks.
///
/// `text` is folded: it has no line feed, and no space at its ends.
fn code_span(text: &str) -> String {
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let runs = backtick_runs(text);
    let fence = "`".repeat((1..).find(|length| !runs.contains(length)).expect("the runs are finite"));
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

fn render_fence(lines: &[FenceLine]) -> String {
    let numbers = lines.iter().filter_map(|line| match line {
        FenceLine::Source(number, _) => *number,
        FenceLine::Prose(_) => None,
    });
    let width = numbers.max().map_or(0, |number| number.to_string().len());
    let lines: Vec<String> = lines
        .iter()
        .map(|line| match line {
            FenceLine::Source(Some(number), text) => format!("{number:>width$} | {}", one_line(text)),
            FenceLine::Source(None, text) => format!("{:>width$} | {}", "", one_line(text)),
            FenceLine::Prose(text) => format!("| {}", one_line(text)),
        })
        .map(|line| line.trim_end().to_owned())
        .collect();
    let longest = lines.iter().flat_map(|line| backtick_runs(line)).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}text\n{}\n{fence}\n", lines.join("\n"))
}

/// A line of a fence holds no line feed: it is written out, as `visible` does with all others.
fn one_line(text: &Foreign) -> String {
    text.0.replace('\n', "\\n")
}

/// The lengths of all runs of backticks.
fn backtick_runs(text: &str) -> Vec<usize> {
    text.split(|character| character != '`').map(str::len).filter(|length| *length > 0).collect()
}
