//! What is known of variables, fields and elements, and what becomes of it where ways part and meet.

use std::collections::{HashMap, HashSet};

use super::super::value::Value;

/// What is known of places, by their paths. A branch writes into places of its own.
#[derive(Default)]
pub(super) struct Places<'o> {
    known: HashMap<String, Value>,
    /// Objects of which single fields are known.
    with_fields: HashSet<String>,
    outside: Option<&'o Self>,
    /// What has been given back so far.
    pub(super) returned: Option<Value>,
    /// Whether what follows is not reached, and what of it.
    pub(super) left: Option<Left>,
}

/// What is left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// The branch or the turn of a loop; behind it things go on.
    Block,
    /// The function.
    Function,
}

/// What a way through a branch did.
#[derive(Default)]
pub(super) struct Way {
    known: HashMap<String, Value>,
    returned: Option<Value>,
    pub(super) left: Option<Left>,
}

impl Way {
    /// The same way where what it broke off is over.
    pub(super) fn over(self) -> Self {
        Self { left: self.left.filter(|left| *left == Left::Function), ..self }
    }
}

impl<'o> Places<'o> {
    /// Places of a branch or a function inside.
    pub(super) fn inside(&'o self) -> Self {
        Places { outside: Some(self), ..Places::default() }
    }

    /// What has been done inside.
    pub(super) fn way(self) -> Way {
        Way { known: self.known, returned: self.returned, left: self.left }
    }

    pub(super) fn get(&self, path: &str) -> Option<&Value> {
        let mut places = self;
        loop {
            if let Some(value) = places.known.get(path) {
                return Some(value);
            }
            places = places.outside?;
        }
    }

    pub(super) fn set(&mut self, path: String, value: Value) {
        if let Some((object, _)) = path.rsplit_once('.') {
            self.with_fields.insert(object.to_owned());
        }
        self.known.insert(path, value);
    }

    /// Gives a place another value, whose fields are not those of what was there.
    pub(super) fn replace(&mut self, path: String, value: Value) {
        if self.with_fields.remove(&path) {
            let field = format!("{path}.");
            self.known.retain(|known, _| !known.starts_with(&field));
        }
        self.set(path, value);
    }

    /// The type of what a name stands for.
    pub(super) fn class_of(&self, name: &str) -> Option<String> {
        self.get(name).and_then(|value| value.class.as_deref().map(str::to_owned))
    }

    /// Adds something that is given back.
    pub(super) fn give_back(&mut self, value: Value) {
        self.returned = Some(match self.returned.take() {
            Some(known) => known.or(value),
            None => value,
        });
    }

    /// Goes on where several ways meet, one of which was taken. Of those that left the function nothing is known here.
    pub(super) fn meet(&mut self, ways: Vec<Way>) {
        let mut open = Vec::new();
        for way in ways {
            if let Some(value) = way.returned {
                self.give_back(value);
            }
            if way.left != Some(Left::Function) {
                open.push((way.known, way.left));
            }
        }
        self.left = if open.is_empty() {
            Some(Left::Function)
        } else if open.iter().all(|(_, left)| left.is_some()) {
            Some(Left::Block)
        } else {
            None
        };
        let paths: HashSet<String> = open.iter().flat_map(|(known, _)| known.keys().cloned()).collect();
        for path in paths {
            let values = open.iter().filter_map(|(known, _)| known.get(&path).or_else(|| self.get(&path)));
            if let Some(value) = values.cloned().reduce(Value::or) {
                self.set(path, value);
            }
        }
    }
}
