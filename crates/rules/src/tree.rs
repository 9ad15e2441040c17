//! YAML and JSON as a tree whose nodes know their lines.
//!
//! One parser reads both, since JSON is YAML. It hands out events and expands no alias, and of aliases only those of
//! texts are resolved here, so a file of a few lines cannot become a large tree; size, nodes and depth are bounded besides.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

/// Larger texts are not parsed: no configuration that a person wrote is that long.
const MAX_BYTES: usize = 1024 * 1024;

/// The most nodes of a tree.
const MAX_NODES: usize = 200_000;

/// The deepest nesting. The trees that rules read have fewer than ten levels.
const MAX_DEPTH: usize = 64;

/// A value and the lines that it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// The first line, from 1; of a block of text the first one below its marker.
    pub(crate) first_line: u32,
    /// The last line.
    pub(crate) last_line: u32,
    /// The value.
    pub(crate) value: Value,
}

/// A value. Numbers and truth values are text, as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Text on its own line.
    Text(String),
    /// Text as a block of lines, whose line ends belong to it.
    Block(String),
    /// A list.
    List(Vec<Node>),
    /// Keys with their values, in the order of the file.
    Map(Vec<Entry>),
    /// A reference to a list or a map that stands elsewhere in the file, which is looked at there.
    Alias,
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: String,
    /// The line of the key.
    pub(crate) line: u32,
    /// The value.
    pub(crate) node: Node,
}

impl Node {
    /// Its text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Block(text) => Some(text),
            Value::List(_) | Value::Map(_) | Value::Alias => None,
        }
    }

    /// Its entries; none if it is no map.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            Value::Text(_) | Value::Block(_) | Value::List(_) | Value::Alias => &[],
        }
    }

    /// Its items; none if it is no list.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            Value::Text(_) | Value::Block(_) | Value::Map(_) | Value::Alias => &[],
        }
    }

    /// The entry of a key.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The texts that it is or directly holds: `a`, `[a, b]`, and the keys of `{a: …, b: …}`.
    pub(crate) fn words(&self) -> Vec<(&str, u32)> {
        match &self.value {
            Value::Text(text) | Value::Block(text) => vec![(text, self.first_line)],
            Value::List(items) => {
                items.iter().filter_map(|item| Some((item.text()?, item.first_line))).collect()
            }
            Value::Map(entries) => entries.iter().map(|entry| (entry.key.as_str(), entry.line)).collect(),
            Value::Alias => Vec::new(),
        }
    }

    /// Calls a function with every map of the tree, from the outside inwards.
    pub(crate) fn each_map<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        match &self.value {
            Value::Map(entries) => {
                visit(self);
                entries.iter().for_each(|entry| entry.node.each_map(visit));
            }
            Value::List(items) => items.iter().for_each(|item| item.each_map(visit)),
            Value::Text(_) | Value::Block(_) | Value::Alias => {}
        }
    }
}

/// Why a text could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is longer, deeper or fuller than anything that people write.
    TooMuch(&'static str),
    /// It is not well-formed.
    Syntax {
        /// Where, from 1.
        line: u32,
        /// What the parser says.
        problem: String,
    },
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMuch(what) => f.write_str(what),
            Self::Syntax { line, problem } => write!(f, "line {line}: {problem}"),
        }
    }
}

/// Reads the first document of a YAML text; an empty one is an empty text.
pub(crate) fn yaml(text: &str) -> Result<Node, Unreadable> {
    if text.len() > MAX_BYTES {
        return Err(Unreadable::TooMuch("it is larger than a megabyte"));
    }
    // With a line feed at its end the last block ends on a line of its own, as every other one does.
    let text = if text.ends_with('\n') { Cow::Borrowed(text) } else { Cow::Owned(format!("{text}\n")) };
    let mut builder = Builder::default();
    for event in Parser::new_from_str(&text) {
        let (event, span) = event.map_err(|error| syntax(&error))?;
        if let Some(root) = builder.take(event, span)? {
            return Ok(root);
        }
    }
    Ok(Node { first_line: 1, last_line: 1, value: Value::Text(String::new()) })
}

/// Reads a JSON text.
pub(crate) fn json(text: &str) -> Result<Node, Unreadable> {
    // YAML has no surrogate pairs: `\ud83d\ude00` is read as two characters that stand for one.
    let mut readable = text.to_owned();
    for digits in ["\\ud8", "\\ud9", "\\uda", "\\udb", "\\udc", "\\udd", "\\ude", "\\udf"] {
        for written in [digits.to_owned(), digits.to_uppercase().replace("\\U", "\\u")] {
            if readable.contains(&written) {
                readable = readable.replace(&written, "\\u25");
            }
        }
    }
    yaml(&readable)
}

fn syntax(error: &ScanError) -> Unreadable {
    Unreadable::Syntax { line: number(error.marker().line()), problem: error.info().to_owned() }
}

fn number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

/// The part of a tree that is still open.
struct Open {
    node: Node,
    /// The key of a map whose value has not come yet.
    key: Option<(String, u32)>,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    nodes: usize,
    /// Texts that aliases can name.
    anchored: HashMap<usize, Value>,
    /// Bytes of the texts that aliases stood for.
    repeated_bytes: usize,
}

impl Builder {
    /// Takes an event; the root when it is complete.
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<Option<Node>, Unreadable> {
        let line = number(span.start.line());
        let start = |value| Node { first_line: line, last_line: line, value };
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let value = match style {
                    ScalarStyle::Literal | ScalarStyle::Folded => Value::Block(text.into_owned()),
                    ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                        Value::Text(text.into_owned())
                    }
                };
                // The end is exclusive, and a block ends where the next thing starts.
                let ends_before = matches!(value, Value::Block(_)) || span.end.col() == 0;
                let last_line = number(span.end.line()).saturating_sub(u32::from(ends_before)).max(line);
                if anchor != 0 {
                    self.anchored.insert(anchor, value.clone());
                }
                return self.close(Node { first_line: line, last_line, value });
            }
            Event::Alias(anchor) => {
                let value = self.anchored.get(&anchor).cloned().unwrap_or(Value::Alias);
                let node = start(value);
                self.repeated_bytes += node.text().unwrap_or_default().len();
                if self.repeated_bytes > MAX_BYTES {
                    return Err(Unreadable::TooMuch("its aliases repeat too much text"));
                }
                return self.close(node);
            }
            Event::SequenceStart(..) => {
                self.open.push(Open { node: start(Value::List(Vec::new())), key: None })
            }
            Event::MappingStart(..) => {
                self.open.push(Open { node: start(Value::Map(Vec::new())), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    return self.close(open.node);
                }
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        if self.open.len() > MAX_DEPTH {
            return Err(Unreadable::TooMuch("it is nested too deeply"));
        }
        Ok(None)
    }

    /// Puts a complete node where it belongs.
    fn close(&mut self, node: Node) -> Result<Option<Node>, Unreadable> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Unreadable::TooMuch("it has too many values"));
        }
        let Some(Open { node: parent, key }) = self.open.last_mut() else { return Ok(Some(node)) };
        parent.last_line = parent.last_line.max(node.last_line);
        match &mut parent.value {
            Value::List(items) => items.push(node),
            Value::Map(entries) => match key.take() {
                Some((key, line)) => entries.push(Entry { key, line, node }),
                None => {
                    let text = node.text().unwrap_or_default().to_owned();
                    *key = Some((text, node.first_line));
                }
            },
            Value::Text(_) | Value::Block(_) | Value::Alias => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_lines() {
        let text = "on: [push, pull_request]\njobs:\n  a:\n    steps:\n      - run: |\n          one\n\n          \
                    two\n        if: x\n      - run: >-\n          folded\n          text";
        let root = yaml(text).expect("it is YAML");
        assert_eq!(root.get("on").map(Node::words), Some(vec![("push", 1), ("pull_request", 1)]));
        let steps = root.get("jobs").and_then(|jobs| jobs.get("a")?.get("steps")).expect("it is there");
        let [first, second] = steps.items() else { panic!("{steps:?}") };
        let run = first.get("run").expect("it is there");
        assert_eq!((run.first_line, run.last_line, run.text()), (6, 8, Some("one\n\ntwo\n")));
        assert_eq!(first.entry("if").map(|entry| entry.line), Some(9));
        assert_eq!(second.get("run").map(|run| (run.first_line, run.last_line)), Some((11, 12)));
        assert_eq!((steps.first_line, steps.last_line), (5, 12));
    }

    #[test]
    fn json_is_read_with_tabs_and_with_characters_outside_the_basic_plane() {
        let root = json("{\n\t\"a\": {\n\t\t\"b\": \"x\\/\\uD83D\\ude00\"\n\t}\n}\n").expect("it is JSON");
        let entry = root.get("a").and_then(|a| a.entry("b")).expect("it is there");
        assert_eq!((entry.line, entry.node.text().map(|text| text.starts_with("x/"))), (3, Some(true)));
    }

    #[test]
    fn what_cannot_be_read_is_an_error_with_its_line_and_never_a_large_tree() {
        assert!(matches!(yaml("a:\n  - b\n c: d: e\n"), Err(Unreadable::Syntax { line: 3, .. })));
        assert!(matches!(yaml(&"- ".repeat(10_000)), Err(Unreadable::TooMuch(_))));
        assert!(yaml(&"[".repeat(10_000)).is_err());
        assert!(yaml(&format!("{{\"a\": {}}}", "{\"a\": ".repeat(10_000))).is_err());
        let nested: String = (0..1_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert!(matches!(yaml(&nested), Err(Unreadable::TooMuch(_))));
        assert!(matches!(yaml(&"a".repeat(MAX_BYTES + 1)), Err(Unreadable::TooMuch(_))));
        assert!(matches!(yaml(&"- a\n".repeat(MAX_NODES + 1)), Err(Unreadable::TooMuch(_))));
        assert_eq!(yaml("").map(|root| root.value), Ok(Value::Text(String::new())));
    }

    #[test]
    fn aliases_of_lists_are_not_expanded_and_those_of_texts_are_bounded() {
        let bomb: String = (1..30)
            .map(|level| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(",")))
            .collect();
        let root = yaml(&format!("a0: &a0 [x]\n{bomb}")).expect("it is YAML");
        assert_eq!(root.get("a29").map(|node| node.items().len()), Some(9));
        let root = yaml("a: &x one\nb: *x\n").expect("it is YAML");
        assert_eq!(root.get("b").map(|node| (node.text(), node.first_line)), Some((Some("one"), 2)));
        let repeated = format!("a: &x {}\nb:\n{}", "y".repeat(10_000), "  - *x\n".repeat(1_000));
        assert!(matches!(yaml(&repeated), Err(Unreadable::TooMuch(_))));
    }
}
