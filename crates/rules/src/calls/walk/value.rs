//! What an expression is worth.

use std::collections::BTreeMap;
use std::rc::Rc;

use code::{Expr, ExprKind, Function, Language};

use super::super::danger::Act;
use super::super::format;
use super::super::source;
use super::super::value::{Clean, Hole, MAX_ITEMS, Origin, Value};
use super::places::Places;
use super::{Walk, key_of, truth};

impl<'p> Walk<'p> {
    pub(super) fn value(&mut self, expr: &'p Expr, places: &mut Places<'_>) -> Value {
        if !self.spend(1) {
            return Value::default();
        }
        let line = expr.lines.0;
        match &expr.kind {
            ExprKind::Text(text) => Value::text(text, line),
            ExprKind::Constant(text) => Value::text(text, line),
            ExprKind::Name(name) => self.name(name, line, places),
            ExprKind::Member(object, name) => self.member(expr, object, name, places),
            ExprKind::Index(object, index) => self.index(expr, object, index, places),
            ExprKind::Call(call) => self.call(expr, call, places),
            ExprKind::Join(parts) => {
                let values: Vec<_> = parts.iter().map(|part| self.value(part, places)).collect();
                if let [one, other] = values.as_slice()
                    && parts.iter().all(|part| !matches!(part.kind, ExprKind::Text(_)))
                    && let Some(sum) = calculate("+", one, other)
                {
                    return Value::text(&sum, line);
                }
                values.iter().fold(Value::default(), |whole, value| whole.join(value))
            }
            ExprKind::Either(parts) => {
                // A condition stands behind the values that it decides between.
                if let [then, otherwise, Expr { kind: ExprKind::Operator(operator, tested), .. }] =
                    parts.as_slice()
                    && operator == "?"
                    && let [tested] = tested.as_slice()
                {
                    let decided = truth(&self.value(tested, places));
                    let (one, other) = (self.value(then, places), self.value(otherwise, places));
                    return match decided {
                        Some(true) => one,
                        Some(false) => other,
                        None => one.or(other),
                    };
                }
                let values: Vec<_> = parts.iter().map(|part| self.value(part, places)).collect();
                values.into_iter().reduce(Value::or).unwrap_or_default()
            }
            ExprKind::Operator(operator, operands) => self.operator(operator, operands, line, places),
            ExprKind::List(parts) => {
                let items: Vec<_> = parts.iter().map(|part| self.value(part, places)).collect();
                list(items)
            }
            ExprKind::Record(entries) => {
                let mut fields = BTreeMap::new();
                let mut whole = Value::default();
                for (name, entry) in entries {
                    let value = self.value(entry, places);
                    self.show(entry, Act::Entry { name, value: &value });
                    whole = whole.join(&value.derived());
                    fields.insert(name.clone(), value);
                }
                Value { fields: Some(Rc::new(fields)), ..whole }
            }
            ExprKind::Function(function) => {
                // What is no argument is called by whoever gets hold of it.
                if self.call_depth == 0 {
                    self.function(function, places, None);
                }
                Value::default()
            }
            ExprKind::Buffer(size) => {
                self.value(size, places);
                Value { is_buffer: true, ..Value::constant(line) }
            }
            ExprKind::Other(parts) => {
                let mut whole = Value::default();
                for part in parts {
                    let value = self.value(part, places);
                    whole = whole.join(&value.derived());
                }
                whole
            }
        }
    }

    /// A closure, which sees what stands round it.
    pub(super) fn closure(
        &mut self,
        function: &'p Function,
        places: &mut Places<'_>,
        given: &[Value],
    ) -> Value {
        let values: Vec<_> = function
            .parameters
            .iter()
            .enumerate()
            .map(|(index, parameter)| match given.get(index) {
                Some(value) => value.clone(),
                None => Value::unknown(&parameter.name, parameter.line),
            })
            .collect();
        self.function(function, places, Some(&values))
    }

    pub(super) fn name(&mut self, name: &str, line: u32, places: &Places<'_>) -> Value {
        if let Some(value) = places.get(name) {
            return value.clone();
        }
        if let Some(origin) = self.source(name, places) {
            return Value::hole(Hole::new(name, line, origin));
        }
        let origin = if is_constant_name(name) { Origin::Constant } else { Origin::Unknown };
        Value::hole(Hole::new(name, line, origin))
    }

    pub(super) fn member(
        &mut self,
        expr: &'p Expr,
        object: &'p Expr,
        name: &str,
        places: &mut Places<'_>,
    ) -> Value {
        let line = expr.lines.0;
        let path = expr.path();
        if let Some(path) = &path {
            if let Some(value) = places.get(path) {
                return value.clone();
            }
            if let Some(origin) = self.source(path, places) {
                return Value::hole(Hole::new(path, line, origin));
            }
        }
        let object = self.value(object, places);
        if let Some(value) = object.field(name) {
            return value.clone();
        }
        let shown = path.unwrap_or_else(|| name.to_owned());
        if is_constant_name(name) {
            return Value::hole(Hole::new(&shown, line, Origin::Constant));
        }
        // What a page shows already is no news to it.
        if matches!(name, "innerHTML" | "outerHTML") {
            return Value::unknown(&shown, line);
        }
        // A field of a parameter is as much the caller's as the parameter; a field of the object's own is not.
        let origin = match object.origin() {
            Origin::Request => Origin::Request,
            Origin::Local => Origin::Local,
            // The key of a record is the database's own.
            Origin::Parameter if matches!(name, "id" | "pk") => Origin::Unknown,
            Origin::Parameter => Origin::Parameter,
            Origin::Constant | Origin::Unknown => Origin::Unknown,
        };
        let mut hole = Hole::new(&shown, line, origin);
        if let Some(worst) = object.worst(Clean::EVERYTHING) {
            hole.line = worst.line;
            hole.way.clone_from(&worst.way);
        }
        Value::hole(hole)
    }

    pub(super) fn index(
        &mut self,
        expr: &'p Expr,
        object: &'p Expr,
        index: &'p Expr,
        places: &mut Places<'_>,
    ) -> Value {
        if let Some(path) = expr.path() {
            if let Some(value) = places.get(&path) {
                return value.clone();
            }
            if path == "$_SERVER[]" && !key_of(index).is_some_and(|key| source::is_sent_by_client(&key)) {
                return Value::unknown("$_SERVER", expr.lines.0);
            }
            // The server chooses where an upload waits, and measures it.
            if path.starts_with("$_FILES")
                && key_of(index).is_some_and(|key| matches!(key.as_str(), "tmp_name" | "size" | "error"))
            {
                return Value::unknown("$_FILES", expr.lines.0);
            }
            if path == "$_SERVER[]" || self.source(&path, places).is_some() {
                let origin = self.source(&path, places).unwrap_or(Origin::Request);
                let name = self.source_text(expr).unwrap_or(&path).to_owned();
                return Value::hole(Hole::new(&name, expr.lines.0, origin));
            }
        }
        self.value(index, places);
        let object = self.value(object, places);
        if let (Some(fields), Some(key)) = (&object.fields, key_of(index)) {
            return fields.get(&key).cloned().unwrap_or_else(|| match fields.get("") {
                Some(spread) => spread.clone(),
                None => Value::unknown(&key, expr.lines.0),
            });
        }
        if let (Some(items), Some(place)) =
            (&object.items, key_of(index).and_then(|key| key.parse::<usize>().ok()))
            && let Some(item) = items.get(place)
        {
            return item.clone();
        }
        // An element of a list of texts keeps what is built into it.
        if object.items.is_none() && object.has_text() && object.holes().next().is_some() {
            return object;
        }
        object.derived()
    }

    pub(super) fn source_text(&self, expr: &Expr) -> Option<&'p str> {
        let text = self.source.get(expr.bytes.0 as usize..expr.bytes.1 as usize)?;
        (text.len() <= 40 && !text.contains('\n')).then_some(text)
    }

    pub(super) fn operator(
        &mut self,
        operator: &str,
        operands: &'p [Expr],
        line: u32,
        places: &mut Places<'_>,
    ) -> Value {
        let values: Vec<_> = operands.iter().map(|operand| self.value(operand, places)).collect();
        match (operator, values.as_slice()) {
            ("++" | "--", [_]) => {
                if let Some(path) = operands[0].path() {
                    places.set(path, Value::constant(line));
                }
                Value::constant(line)
            }
            ("%", [template, arguments]) if template.has_text() => {
                let arguments = match &arguments.items {
                    Some(items) => items.to_vec(),
                    None => vec![arguments.clone()],
                };
                format::percent(template, &arguments)
            }
            ("&&" | "and", _) => values.into_iter().reduce(Value::or).unwrap_or_default(),
            // Paths of Python are joined by a slash; a division gives a number all the same.
            ("/", [first, ..])
                if self.language == Language::Python && (first.class.is_some() || first.has_text()) =>
            {
                values
                    .into_iter()
                    .reduce(|path, part| path.join(&Value::text("/", line)).join(&part))
                    .unwrap_or_default()
            }
            ("<<", [first, second]) if first.has_text() || second.has_text() => first.clone().join(second),
            (operator, [one, other]) => match calculate(operator, one, other) {
                Some(result) => Value::text(&result, line),
                None => Value::constant(line),
            },
            (_, _) => Value::constant(line),
        }
    }
}

/// The texts of a list, one behind the other, and its items.
pub(super) fn list(mut items: Vec<Value>) -> Value {
    let whole =
        items.iter().fold(Value::default(), |whole, item| whole.join(&Value { items: None, ..item.clone() }));
    items.truncate(MAX_ITEMS);
    Value { items: Some(Rc::new(items)), fields: None, ..whole }
}

/// What an operator makes of two known numbers.
fn calculate(operator: &str, one: &Value, other: &Value) -> Option<String> {
    let number = |value: &Value| value.known_text()?.parse::<i64>().ok();
    let (one, other) = (number(one)?, number(other)?);
    let number = match operator {
        "+" => one.checked_add(other)?,
        "-" => one.checked_sub(other)?,
        "*" => one.checked_mul(other)?,
        "/" => one.checked_div(other)?,
        "%" => one.checked_rem(other)?,
        "<" => return Some((one < other).to_string()),
        ">" => return Some((one > other).to_string()),
        "<=" => return Some((one <= other).to_string()),
        ">=" => return Some((one >= other).to_string()),
        "==" => return Some((one == other).to_string()),
        "!=" => return Some((one != other).to_string()),
        _ => return None,
    };
    Some(number.to_string())
}

/// Names that languages keep for constants.
fn is_constant_name(name: &str) -> bool {
    let name = name.trim_start_matches('_').rsplit('.').next().unwrap_or(name);
    name.len() > 1
        && name.bytes().any(|byte| byte.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        || name.starts_with("__") && name.ends_with("__")
}
