//! What is known of a value: the text in it, and the holes that are filled from elsewhere.

use std::collections::BTreeMap;
use std::rc::Rc;

/// The most pieces that a value is followed by. A text of more is one that nobody reads, and no single hole of it
/// is what matters.
const MAX_PARTS: usize = 32;

/// The most elements of a list that are told apart.
pub(super) const MAX_ITEMS: usize = 64;

/// The most lines that the way of a hole is told by.
const MAX_WAY: usize = 6;

/// A value, as far as it is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Value {
    /// What its text is made of, in order. A value that is not text has holes for what it is made from.
    pub(super) parts: Vec<Part>,
    /// Its elements, if it is a list.
    pub(super) items: Option<Rc<Vec<Self>>>,
    /// Its values by name, if it is a record or a map.
    pub(super) fields: Option<Rc<BTreeMap<String, Self>>>,
    /// What made it: the path of the call, or the name of its type.
    pub(super) class: Option<Rc<str>>,
    /// Whether it is an array of fixed size.
    pub(super) is_buffer: bool,
}

/// A piece of a value.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Text that stands in the source, and its line.
    Text(Rc<str>, u32),
    /// Something that is filled in.
    Hole(Hole),
}

/// Something that is not known when the program is written.
#[derive(Debug, Clone)]
pub(super) struct Hole {
    /// What it is called where it comes in.
    pub(super) name: Rc<str>,
    /// The line where it comes in.
    pub(super) line: u32,
    /// Where it is from.
    pub(super) origin: Origin,
    /// What it has been made harmless for.
    pub(super) clean: Clean,
    /// The lines that it went through.
    pub(super) way: Vec<u32>,
}

/// Where something is from; the later, the more an attacker has a say in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// The program's own constants.
    Constant,
    /// Nobody can tell from this file.
    Unknown,
    /// The command line, the environment or the standard input.
    Local,
    /// A parameter of the function.
    Parameter,
    /// A request from outside.
    Request,
}

/// What something has been made harmless for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Clean(u8);

impl Clean {
    pub(super) const NOTHING: Self = Self(0);
    pub(super) const HTML: Self = Self(1);
    pub(super) const SQL: Self = Self(2);
    pub(super) const SHELL: Self = Self(4);
    pub(super) const PATH: Self = Self(8);
    pub(super) const URL: Self = Self(16);
    pub(super) const EVERYTHING: Self = Self(255);

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Hole {
    pub(super) fn new(name: &str, line: u32, origin: Origin) -> Self {
        Self { name: Rc::from(name), line, origin, clean: Clean::NOTHING, way: Vec::new() }
    }
}

impl Value {
    /// A text of the source.
    pub(super) fn text(text: &str, line: u32) -> Self {
        Self { parts: vec![Part::Text(Rc::from(text), line)], ..Self::default() }
    }

    /// Something of the program's own that is no text.
    pub(super) fn constant(line: u32) -> Self {
        Self::text("", line)
    }

    pub(super) fn hole(hole: Hole) -> Self {
        Self { parts: vec![Part::Hole(hole)], ..Self::default() }
    }

    pub(super) fn unknown(name: &str, line: u32) -> Self {
        Self::hole(Hole::new(name, line, Origin::Unknown))
    }

    pub(super) fn of_class(self, class: &str) -> Self {
        Self { class: Some(Rc::from(class)), ..self }
    }

    /// The holes, in order.
    pub(super) fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.parts.iter().filter_map(|part| match part {
            Part::Hole(hole) => Some(hole),
            Part::Text(..) => None,
        })
    }

    /// The most dangerous hole that has not been made harmless for something.
    pub(super) fn worst(&self, harmless: Clean) -> Option<&Hole> {
        // The first of the worst: it is the one that a reader meets.
        self.holes().filter(|hole| !hole.clean.covers(harmless)).fold(None, |worst: Option<&Hole>, hole| {
            match worst {
                Some(known) if known.origin >= hole.origin => Some(known),
                Some(_) | None => Some(hole),
            }
        })
    }

    /// Where its most dangerous hole is from.
    pub(super) fn origin(&self) -> Origin {
        self.worst(Clean::EVERYTHING).map_or(Origin::Constant, |hole| hole.origin)
    }

    /// The whole text, if nothing is filled in.
    pub(super) fn known_text(&self) -> Option<String> {
        if self.items.is_some() || self.holes().next().is_some() {
            return None;
        }
        Some(self.text_around_holes())
    }

    /// All text in it, without the holes.
    pub(super) fn text_around_holes(&self) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text, _) => &**text,
                Part::Hole(_) => "",
            })
            .collect()
    }

    /// The text before its first hole.
    pub(super) fn prefix(&self) -> String {
        self.parts
            .iter()
            .map_while(|part| match part {
                Part::Text(text, _) => Some(&**text),
                Part::Hole(_) => None,
            })
            .collect()
    }

    /// Whether some text of the source is in it.
    pub(super) fn has_text(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Text(text, _) if !text.is_empty()))
    }

    /// This text with another one behind it.
    pub(super) fn join(mut self, other: &Self) -> Self {
        let room = MAX_PARTS.saturating_sub(self.parts.len());
        self.parts.extend(other.parts.iter().take(room).cloned());
        // Where there is no more room, what is dangerous still has to be seen.
        if other.parts.len() > room
            && let Some(worst) = other.worst(Clean::EVERYTHING)
            && worst.origin > self.origin()
            && let Some(last) = self.parts.last_mut()
        {
            *last = Part::Hole(worst.clone());
        }
        self.items = match (self.items, &other.items) {
            (Some(items), Some(more)) => {
                Some(Rc::new(items.iter().chain(more.iter()).take(MAX_ITEMS).cloned().collect()))
            }
            (items, _) => items,
        };
        self.class = self.class.or_else(|| other.class.clone());
        self.is_buffer |= other.is_buffer;
        self
    }

    /// One of two values: the more dangerous one.
    pub(super) fn or(self, other: Self) -> Self {
        // Two numbers are neither of them.
        let number = |value: &Self| value.known_text().is_some_and(|text| text.parse::<i64>().is_ok());
        if number(&self) && number(&other) && self.known_text() != other.known_text() {
            return Self::constant(0);
        }
        let rank = |value: &Self| (value.origin(), value.has_text(), value.items.is_some());
        let (class, is_buffer) =
            (self.class.clone().or_else(|| other.class.clone()), self.is_buffer || other.is_buffer);
        let worse = if rank(&other) > rank(&self) { other } else { self };
        Self { class, is_buffer, ..worse }
    }

    /// What a value is worth that is made from this one: the same holes, without the text.
    pub(super) fn derived(&self) -> Self {
        let parts = self.parts.iter().filter(|part| matches!(part, Part::Hole(_))).cloned().collect();
        Self { parts, ..Self::default() }
    }

    /// The same value, harmless for something.
    pub(super) fn cleaned(mut self, clean: Clean) -> Self {
        for part in &mut self.parts {
            if let Part::Hole(hole) = part {
                hole.clean = hole.clean.and(clean);
            }
        }
        if let Some(items) = &self.items {
            self.items = Some(Rc::new(items.iter().map(|item| item.clone().cleaned(clean)).collect()));
        }
        self
    }

    /// The same value, one line further on its way.
    pub(super) fn through(mut self, line: u32) -> Self {
        for part in &mut self.parts {
            if let Part::Hole(hole) = part
                && hole.line != line
                && hole.way.len() < MAX_WAY
                && !hole.way.contains(&line)
            {
                hole.way.push(line);
            }
        }
        self
    }

    /// An element or a field of it.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        self.fields.as_ref().and_then(|fields| fields.get(name))
    }
}
