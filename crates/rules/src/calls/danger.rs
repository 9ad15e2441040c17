//! What the rules are shown, and what they answer.

use std::collections::BTreeSet;

use code::{Expr, Function, Language};
use review::Severity;

use super::value::{Hole, Origin, Value};
use crate::catalogue::Rule;

/// The longest name that a finding repeats, in bytes.
const MAX_NAME_BYTES: usize = 60;

/// How much of a function is searched for what would make a place harmless, in bytes.
const MAX_FUNCTION_TEXT: usize = 64 * 1024;

/// Something that happens at a place of the source.
pub(super) struct Site<'a> {
    pub(super) language: Language,
    pub(super) source: &'a str,
    /// Where it happens.
    pub(super) expr: &'a Expr,
    /// What happens.
    pub(super) act: Act<'a>,
    /// In which function.
    pub(super) scene: &'a Scene,
    /// The line of the file that a line of the source is.
    pub(super) line_in_file: &'a dyn Fn(u32) -> u32,
}

/// What happens.
pub(super) enum Act<'a> {
    /// Something is called.
    Call {
        /// Its path, with imported names written out.
        path: &'a str,
        /// Its last name.
        name: &'a str,
        /// The object of a method.
        receiver: Option<&'a Value>,
        /// The object of a method, as it is written.
        receiver_expr: Option<&'a Expr>,
        /// With what.
        arguments: &'a [Given<'a>],
        /// Whether it makes an object of a class.
        creates: bool,
    },
    /// A place is given a value.
    Set {
        /// Its path.
        path: &'a str,
        /// What it has then.
        value: &'a Value,
        /// The value, as it is written.
        expr: &'a Expr,
    },
    /// A record has a value by a name.
    Entry {
        /// The name.
        name: &'a str,
        /// The value.
        value: &'a Value,
    },
    /// A function gives something back.
    Return {
        /// What.
        value: &'a Value,
    },
}

/// An argument.
pub(super) struct Given<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) value: Value,
    pub(super) expr: &'a Expr,
}

/// The function that something happens in.
#[derive(Debug, Clone, Default)]
pub(super) struct Scene {
    /// Its name and those of the functions round it.
    pub(super) name: String,
    /// The names and types of its parameters.
    pub(super) parameters: Vec<(String, String)>,
    /// Its decorators and annotations.
    pub(super) marks: Vec<String>,
    /// Its first byte and the one behind it; the same for the file itself.
    pub(super) bytes: (u32, u32),
    /// The path of what is being assigned to, while it is.
    pub(super) target: String,
}

impl Scene {
    pub(super) fn of_file() -> Self {
        Self::default()
    }

    pub(super) fn of(function: &Function, outside: &Self) -> Self {
        let own = function.name.as_deref().unwrap_or_default();
        let name = match (own, outside.name.as_str()) {
            ("", outside) => outside.to_owned(),
            (own, "") => own.to_owned(),
            (own, outside) => format!("{outside}.{own}"),
        };
        let parameters = function
            .parameters
            .iter()
            .map(|parameter| (parameter.name.clone(), parameter.type_name.clone().unwrap_or_default()));
        let is_closure = function.name.is_none();
        Self {
            name,
            parameters: parameters.chain(outside.parameters.iter().filter(|_| is_closure).cloned()).collect(),
            marks: if is_closure { outside.marks.clone() } else { function.marks.clone() },
            bytes: if is_closure && outside.bytes.1 > 0 { outside.bytes } else { function.bytes },
            target: String::new(),
        }
    }
}

/// A danger that a rule sees.
#[derive(Debug, Clone)]
pub(super) struct Danger {
    pub(super) rule: &'static Rule,
    pub(super) severity: Severity,
    /// First and last line of the place.
    pub(super) lines: (u32, u32),
    /// Its first byte and the one behind it.
    pub(super) bytes: (u32, u32),
    /// The other lines that made it one.
    pub(super) way: Vec<u32>,
    /// Where the value is from that makes it one.
    pub(super) origin: Origin,
    /// What is the same about it in another version of the file.
    pub(super) key: String,
    /// The keys of what else reaches the place and is no more harmless: told once that is the worst of what does.
    pub(super) other_keys: Vec<String>,
    /// What happens, for whom.
    pub(super) body: String,
}

impl<'a> Site<'a> {
    /// A danger here that comes from no value.
    pub(super) fn danger(&self, rule: &'static Rule, severity: Severity, body: String) -> Danger {
        Danger {
            rule,
            severity,
            lines: self.expr.lines,
            bytes: self.expr.bytes,
            way: Vec::new(),
            origin: Origin::Constant,
            key: self.key(rule),
            other_keys: Vec::new(),
            body,
        }
    }

    /// A danger that something from elsewhere makes.
    pub(super) fn danger_of(
        &self,
        rule: &'static Rule,
        severity: Severity,
        hole: &Hole,
        value: &Value,
        harm: &str,
    ) -> Danger {
        let mut way: Vec<u32> = hole.way.clone();
        way.extend(value.parts.iter().filter_map(|part| match part {
            super::value::Part::Text(_, line) if *line > 0 => Some(*line),
            super::value::Part::Text(..) | super::value::Part::Hole(_) => None,
        }));
        // A parameter's own line says nothing about what is done with it.
        if hole.origin != Origin::Parameter && hole.line > 0 {
            way.push(hole.line);
        }
        way.sort_unstable();
        way.dedup();
        let other_names: BTreeSet<&str> = value
            .holes()
            .filter(|other| hole.clean.covers(other.clean) && other.name != hole.name)
            .map(|other| &*other.name)
            .collect();
        let number = |line: u32| (self.line_in_file)(line.max(1));
        let line = self.expr.lines.0;
        let through: Vec<_> = hole
            .way
            .iter()
            .filter(|step| **step != line && **step != hole.line)
            .map(|step| number(*step).to_string())
            .collect();
        let through = match through.as_slice() {
            [] => String::new(),
            [one] => format!(" goes through line {one} and"),
            [first @ .., last] => format!(" goes through lines {} and {last} and", first.join(", ")),
        };
        let (line, name, line_in) = (number(line), plain(&hole.name), number(hole.line));
        let from = match hole.origin {
            Origin::Request => format!("{name} comes from a request (line {line_in})"),
            Origin::Parameter => format!("the parameter {name} (line {line_in}) is the caller's"),
            Origin::Local => {
                format!("{name} comes from the command line, the environment or an input (line {line_in})")
            }
            Origin::Unknown | Origin::Constant => format!("{name} (line {line_in}) is filled in"),
        };
        let from = capitalized(&from);
        let body = format!("{from},{through} reaches {} in line {line}. {harm}", self.spoken());
        let body = body.replacen(", reaches", " and reaches", 1);
        Danger {
            way,
            origin: hole.origin,
            body,
            key: format!("{} {}", self.key(rule), hole.name),
            other_keys: other_names.iter().map(|name| format!("{} {name}", self.key(rule))).collect(),
            ..self.danger(rule, severity, String::new())
        }
    }

    /// What a rule's findings here have in common.
    fn key(&self, rule: &Rule) -> String {
        format!("{} {} {}", rule.id, self.scene.name, self.spoken())
    }

    /// What happens here, in a word.
    pub(super) fn spoken(&self) -> String {
        match &self.act {
            Act::Call { path: "`", .. } => "a shell command".to_owned(),
            Act::Call { path, name, creates, .. } => {
                let path = if path.is_empty() {
                    (*name).to_owned()
                } else {
                    path.replace("()", "").replace("[]", "").replace("?.", "")
                };
                if *creates {
                    format!("new {}", plain_name(&path))
                } else {
                    format!("{}()", plain_name(&path))
                }
            }
            Act::Set { path, .. } => plain(path),
            Act::Entry { name, .. } => plain(name),
            Act::Return { .. } => "what the function returns".to_owned(),
        }
    }

    /// The place as it is written, in lower case.
    pub(super) fn text(&self) -> String {
        let (start, end) = self.expr.bytes;
        self.source.get(start as usize..end as usize).unwrap_or_default().to_ascii_lowercase()
    }

    /// The function round it as it is written, as far as it matters.
    pub(super) fn function_text(&self) -> &'a str {
        let (start, end) = match self.scene.bytes {
            (0, 0) => (0, self.source.len()),
            (start, end) => (start as usize, end as usize),
        };
        let end = self.source.floor_char_boundary(end.min(start + MAX_FUNCTION_TEXT));
        self.source.get(start..end).unwrap_or_default()
    }

    /// The names round it that tell what it is for, in lower case: the function, what is assigned, the place itself.
    pub(super) fn words(&self) -> String {
        format!("{} {} {}", self.scene.name, self.scene.target, self.text()).to_ascii_lowercase()
    }
}

/// A name as a finding may show it; for anything that is no name, a word.
fn plain(name: &str) -> String {
    let shown = plain_name(name);
    if shown == "it" { "a value".to_owned() } else { shown }
}

/// Starts a sentence, unless a name of the source does.
fn capitalized(text: &str) -> String {
    text.strip_prefix("the ").map_or_else(|| text.to_owned(), |rest| format!("The {rest}"))
}

fn plain_name(name: &str) -> String {
    let name = name.trim_start_matches('@').trim_end_matches('!').replace("->", ".");
    let is_plain = !name.is_empty()
        && name.len() <= MAX_NAME_BYTES
        && name.bytes().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'$' | b':' | b'.' | b'[' | b']' | b'\'' | b'"' | b'(' | b')')
        });
    if is_plain { name } else { "it".to_owned() }
}
