//! Markdown as values: the only way in which this crate makes it (law 9).
//!
//! Our own words are `&'static str`, which nothing that was read at run time can be; numbers are numbers. All
//! other text is [`Foreign`], and the only places for it are a code span and a fenced block, where Markdown has
//! no links, images, mentions, references or HTML. So there is nothing to escape and nothing to forget.

use review::text::visible;

use crate::amount::Amount;
use crate::text::{clip, without_mentions};
use crate::wrap::wrap;

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

    /// The text as prose, in lines of at most so many columns.
    pub(crate) fn wrapped(&self, columns: usize) -> Vec<Self> {
        wrap(&self.0, columns).into_iter().map(Self).collect()
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag};

    use super::*;

    fn check(blocks: &[Block], expect: &str) {
        assert_eq!(render(blocks), expect);
    }

    fn code(text: &str) -> Inline {
        Inline::Code(Foreign::new(text))
    }

    #[test]
    fn a_code_span_is_fenced_by_a_run_that_is_not_inside() {
        for (text, expect) in [
            ("a", "`a`"),
            ("a`b", "``a`b``"),
            ("a``b", "`a``b`"),
            ("a`b``c", "```a`b``c```"),
            ("`", "`` ` ``"),
            ("`a", "`` `a ``"),
            ("a``", "` a`` `"),
            (" a\n\t b ", "`a b`"),
            ("", "(empty)"),
            ("\n", "(empty)"),
            ("\u{200b}\r", "`\\u{200b}\\u{d}`"),
        ] {
            check(&[Block::Paragraph(vec![code(text)])], &format!("{expect}\n"));
        }
    }

    #[test]
    fn blocks_stand_apart_and_a_list_can_have_one_below() {
        let entry =
            Entry { line: vec![Inline::Own("one "), code("x")], below: vec![vec![Inline::Own("two")]] };
        check(
            &[
                Block::Heading(vec![Inline::Own("Head")]),
                Block::List(vec![entry, vec![Inline::Strong("three")].into()]),
                Block::Details("More", vec![Block::Paragraph(vec![Inline::Amount(Amount::Count(1_234))])]),
            ],
            "### Head\n\n- one `x`\n  - two\n- **three**\n\n\
             <details>\n<summary>More</summary>\n\n1,234\n\n</details>\n",
        );
    }

    #[test]
    fn a_pipe_in_a_table_is_written_out() {
        let row = vec![vec![code("a|b")], vec![Inline::Own("c")]];
        check(
            &[Block::Table(vec!["one", "two"], vec![row])],
            "| one | two |\n| --- | --- |\n| `a\\u{7c}b` | c |\n",
        );
    }

    #[test]
    fn a_fence_is_longer_than_any_run_inside_and_every_line_has_a_gutter() {
        let source = |number, text| FenceLine::Source(number, Foreign::new(text));
        check(
            &[Block::Fence(vec![
                source(Some(9), "```"),
                source(Some(10), "/lgtm"),
                source(None, ""),
                FenceLine::Prose(Foreign::new("a\nb````")),
            ])],
            "`````text\n 9 | ```\n10 | /lgtm\n   |\n| a\\nb````\n`````\n",
        );
    }

    #[test]
    fn a_mention_is_written_in_another_way_and_other_signs_stay() {
        for (text, expect) in [
            ("@user", "(at)user"),
            ("me@example.com", "me(at)example.com"),
            ("@@a @ @- @_ @ä", "@(at)a @ @- @_ (at)ä"),
        ] {
            assert_eq!(Foreign::new(text).0, expect);
        }
    }

    #[test]
    fn text_is_clipped_after_hidden_characters_are_written_out() {
        assert_eq!(Foreign::clipped("\u{200b}\u{200b}", 8).0, "\\u{200b}…");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_code_span_holds_exactly_its_text(text in "[`a\\\\*_<@ \n|]{0,24}|\\PC{0,24}") {
            let expect = Foreign::new(&text).folded();
            let comment = render(&[Block::Paragraph(vec![Inline::Own("so "), code(&text), Inline::Own(" it is")])]);
            let codes: Vec<String> = Parser::new_ext(&comment, Options::all())
                .filter_map(|event| match event {
                    Event::Code(code) => Some(code.into_string()),
                    _ => None,
                })
                .collect();
            prop_assert_eq!(codes, if expect.is_empty() { vec![] } else { vec![expect] });
        }

        #[test]
        fn a_fence_holds_exactly_its_lines(lines in prop::collection::vec("[`~a \n]{0,12}|\\PC{0,12}", 1..5)) {
            let fence = Block::Fence(lines.iter().map(|line| FenceLine::Prose(Foreign::new(line))).collect());
            let comment = render(&[fence, Block::Paragraph(vec![Inline::Own("end")])]);
            let mut texts = String::new();
            let mut blocks = 0;
            for event in Parser::new_ext(&comment, Options::all()) {
                match event {
                    Event::Text(text) => texts.push_str(&text),
                    Event::Start(Tag::CodeBlock(_) | Tag::Paragraph) => blocks += 1,
                    _ => {}
                }
            }
            let expect: Vec<String> = lines
                .iter()
                .map(|line| format!("| {}", one_line(&Foreign::new(line))).trim_end().to_owned())
                .collect();
            prop_assert_eq!(blocks, 2);
            prop_assert_eq!(texts, format!("{}\nend", expect.join("\n")));
        }
    }
}
