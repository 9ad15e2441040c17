//! What a call does and gives back.

use std::collections::BTreeMap;
use std::rc::Rc;

use code::{Call, Expr, ExprKind, Function, Language};

use super::super::cleaner;
use super::super::danger::{Act, Given};
use super::super::format;
use super::super::value::{Clean, Hole, MAX_ITEMS, Origin, Value};
use super::places::Places;
use super::value::list;
use super::{MAX_CALL_DEPTH, Walk};

/// A call and what it is given.
#[derive(Clone, Copy)]
struct Called<'a> {
    path: &'a str,
    name: &'a str,
    creates: bool,
    receiver: Option<&'a Value>,
    names: &'a [Option<&'a str>],
    values: &'a [Value],
    line: u32,
}

impl<'p> Walk<'p> {
    pub(super) fn call(&mut self, expr: &'p Expr, call: &'p Call, places: &mut Places<'_>) -> Value {
        let line = expr.lines.0;
        let written = call.callee.path();
        let (name, receiver_expr) = match &call.callee.kind {
            ExprKind::Member(object, name) => (name.as_str(), Some(&**object)),
            ExprKind::Name(name) => (name.as_str(), None),
            ExprKind::Text(_)
            | ExprKind::Constant(_)
            | ExprKind::Index(..)
            | ExprKind::Call(_)
            | ExprKind::Join(_)
            | ExprKind::List(_)
            | ExprKind::Record(_)
            | ExprKind::Either(_)
            | ExprKind::Operator(..)
            | ExprKind::Function(_)
            | ExprKind::Buffer(_)
            | ExprKind::Other(_) => ("", None),
        };
        // A method of a text, or of what an operator gives, has no path but its name.
        let path = self.resolve(written.clone().unwrap_or_else(|| format!("?.{name}")));
        let receiver = receiver_expr.map(|object| self.value(object, places));
        if let ExprKind::Function(function) = &call.callee.kind {
            let values: Vec<_> =
                call.arguments.iter().map(|argument| self.value(&argument.value, places)).collect();
            return self.closure(function, places, &values);
        }
        let mut given: Vec<Given<'p>> = Vec::new();
        let runs_tests = is_test_call(&path);
        let mut mapped = None;
        for argument in &call.arguments {
            let value = match argument.value.as_function() {
                Some(_) if runs_tests => Value::default(),
                Some(function) => {
                    // What goes through a list one by one, or comes out of a promise, is made of what was in it.
                    let element = receiver.as_ref().map(Value::derived).unwrap_or_default();
                    let element = if element.origin() >= Origin::Local { vec![element] } else { Vec::new() };
                    if self.call_depth < MAX_CALL_DEPTH {
                        mapped = Some(self.closure(function, places, &element));
                    }
                    Value::default()
                }
                None => self.value(&argument.value, places),
            };
            given.push(Given { name: argument.name.as_deref(), value, expr: &argument.value });
        }
        self.show(
            expr,
            Act::Call {
                path: &path,
                name: cleaner::last(&path),
                receiver: receiver.as_ref(),
                receiver_expr,
                arguments: &given,
                creates: call.creates,
            },
        );
        if let ("map" | "flatMap" | "flat_map" | "collect" | "map!", Some(element)) = (name, mapped) {
            return Value { items: Some(Rc::new(vec![element.clone()])), ..element };
        }
        if let Some(full) = &written
            && let Some(origin) = self
                .source(&format!("{full}()"), places)
                .or_else(|| self.source(&format!("{path}()"), places))
        {
            let shown = self.source_text(expr).unwrap_or(full).to_owned();
            return Value::hole(Hole::new(&shown, line, origin));
        }
        let mut names: Vec<Option<String>> = given.iter().map(|one| one.name.map(str::to_owned)).collect();
        let mut values: Vec<Value> = given.into_iter().map(|one| one.value).collect();
        if name.ends_with('!') {
            // Rust's templates name variables that are no arguments.
            for variable in format::variables(&values) {
                if !names.iter().flatten().any(|known| *known == variable) {
                    values.push(self.name(&variable, line, places));
                    names.push(Some(variable));
                }
            }
        }
        if let Some(function) = self.own_function(&path, call)
            && self.call_depth < MAX_CALL_DEPTH
        {
            let is_plain = values.iter().all(|value| value.origin() < Origin::Local && !value.has_text());
            if let Some(known) = self.plain_results.get(&std::ptr::from_ref(function)).filter(|_| is_plain) {
                return known.clone().through(line);
            }
            self.call_depth += 1;
            self.called.push(function);
            let top = Places::default();
            let mut given = values.clone();
            if function.parameters.first().is_some_and(|first| matches!(first.name.as_str(), "self" | "cls"))
            {
                given.insert(0, Value::default());
            }
            let returned = self.function(function, &top, Some(&given));
            self.called.pop();
            self.call_depth -= 1;
            if is_plain {
                self.plain_results.insert(function, returned.clone());
            }
            return returned.through(line);
        }
        if let Some(path) = receiver_expr.and_then(Expr::path)
            && let Some(value) = self.mutate(name, &path, receiver.as_ref(), &values, places)
        {
            return value;
        }
        self.fill_buffers(&path, call, &values, places);
        let names: Vec<_> = names.iter().map(Option::as_deref).collect();
        let (receiver, creates) = (receiver.as_ref(), call.creates);
        self.result(&Called { path: &path, name, creates, receiver, names: &names, values: &values, line })
    }

    /// A function of this file that a call calls by its name alone, or as a method of the same object.
    fn own_function(&self, path: &str, call: &Call) -> Option<&'p Function> {
        let name = ["self.", "this.", "cls.", "$this.", "self::", "Self."]
            .iter()
            .find_map(|own| path.strip_prefix(own))
            .unwrap_or(path);
        let name = if !name.contains('.') || matches!(call.callee.kind, ExprKind::Name(_)) {
            name
        } else if let ExprKind::Member(object, method) = &call.callee.kind
            && object.as_call().is_some_and(|made| made.creates)
        {
            // `new Helper().run(x)` of a class inside this file.
            method
        } else {
            return None;
        };
        let function = self.functions.get(name)?;
        let is_recursive = self.called.contains(&std::ptr::from_ref(function));
        (function.parameters.len() <= 8 && !call.creates && !is_recursive).then_some(function)
    }

    /// A method that changes its object.
    fn mutate(
        &mut self,
        name: &str,
        path: &str,
        receiver: Option<&Value>,
        values: &[Value],
        places: &mut Places<'_>,
    ) -> Option<Value> {
        let receiver = receiver?;
        match (name, values) {
            (
                "append" | "push" | "add" | "push_str" | "WriteString" | "concat" | "addAll" | "extend"
                | "write_str" | "addElement" | "offer" | "addLast" | "insert" | "unshift" | "append_to",
                [added],
            ) => {
                let class = receiver.class.clone();
                let mut changed = receiver.clone().join(added);
                if let Some(items) = receiver.items.as_ref().filter(|items| items.len() < MAX_ITEMS) {
                    self.spend(items.len());
                    changed.items = Some(Rc::new(items.iter().cloned().chain([added.clone()]).collect()));
                }
                changed.class = class;
                places.set(path.to_owned(), changed.clone());
                Some(changed)
            }
            ("put" | "set" | "setdefault" | "putIfAbsent" | "setProperty", [key, added]) => {
                let key = key.known_text()?;
                let mut fields =
                    receiver.fields.as_ref().map_or_else(BTreeMap::new, |fields| (**fields).clone());
                self.spend(fields.len());
                fields.insert(key, added.clone());
                let mut changed = receiver.clone().join(&added.derived());
                changed.fields = Some(Rc::new(fields));
                places.set(path.to_owned(), changed);
                Some(Value::default())
            }
            ("get" | "getProperty", [key, ..]) if receiver.fields.is_some() => {
                let fields = receiver.fields.as_ref()?;
                Some(fields.get(&key.known_text()?)?.clone())
            }
            ("get", _) if receiver.items.is_some() => {
                let items = receiver.items.as_ref()?;
                let place: usize = values.first()?.known_text()?.parse().ok()?;
                Some(items.get(place)?.clone())
            }
            ("remove", [place]) if receiver.items.is_some() => {
                let place: usize = place.known_text()?.parse().ok()?;
                let mut items = receiver.items.as_ref()?.to_vec();
                (place < items.len()).then(|| items.remove(place))?;
                let changed = list(items);
                places.set(path.to_owned(), changed);
                Some(Value::default())
            }
            ("clear", []) => {
                places.set(path.to_owned(), Value::default());
                Some(Value::default())
            }
            _ => None,
        }
    }

    /// Functions of C that write what they are given, or what they read, into an argument.
    fn fill_buffers(&mut self, path: &str, call: &'p Call, values: &[Value], places: &mut Places<'_>) {
        if !matches!(self.language, Language::C | Language::Cpp | Language::Rust) {
            return;
        }
        let line = call.callee.lines.0;
        let target = |index: usize| call.arguments.get(index).and_then(|argument| argument.value.path());
        let read = |name: &str, origin| Value::hole(Hole::new(name, line, origin));
        let (place, value) = match (cleaner::last(path), values) {
            ("strcpy" | "strncpy" | "strlcpy", [_, from, ..]) => (target(0), from.clone()),
            ("strcat" | "strncat" | "strlcat", [to, from, ..]) => (target(0), to.clone().join(from)),
            ("sprintf", [_, template, rest @ ..]) => (target(0), format::percent(template, rest)),
            ("snprintf", [_, _, template, rest @ ..]) => (target(0), format::percent(template, rest)),
            ("gets" | "fgets", _) => (target(0), read("standard input", Origin::Local)),
            ("getline", [_, _, ..]) => (target(0), read("standard input", Origin::Local)),
            ("recv" | "recvfrom", _) => (target(1), read("the network", Origin::Request)),
            ("scanf", [_, ..]) => (target(1), read("standard input", Origin::Local)),
            ("read_line", [_]) => (target(0), read("standard input", Origin::Local)),
            _ => return,
        };
        if let Some(place) = place {
            let is_buffer = places.get(&place).is_some_and(|value| value.is_buffer);
            places.set(place, Value { is_buffer, ..value.through(line) });
        }
    }

    /// What a call gives back.
    fn result(&mut self, called: &Called<'_>) -> Value {
        let Called { path, name, creates, receiver, names, values, line } = *called;
        let all = |values: &[Value]| values.iter().fold(Value::default(), |whole, value| whole.join(value));
        if let Some(clean) = cleaner::cleans(path) {
            let whole = receiver
                .into_iter()
                .chain(values)
                .fold(Value::default(), |whole, value| whole.join(&value.derived()));
            return if clean == Clean::EVERYTHING {
                Value::constant(line)
            } else {
                whole.cleaned(clean).through(line)
            };
        }
        // Whoever replaces quotes does so to keep a text from ending.
        if matches!(name, "replace" | "replaceAll" | "gsub" | "str_replace" | "ReplaceAll" | "replace_all")
            && values
                .iter()
                .any(|value| value.known_text().is_some_and(|text| text.contains(['\'', '"', '\\'])))
        {
            let whole = receiver
                .into_iter()
                .chain(values)
                .fold(Value::default(), |whole, value| whole.join(&value.derived()));
            return whole.cleaned(Clean::SQL.and(Clean::SHELL)).through(line);
        }
        if let Some(built) = format::call(self.language, path, receiver, names, values) {
            return built;
        }
        if cleaner::passes_on(path) || cleaner::passes_on(name) {
            // Where a method is asked for, its object is passed on, and with it what it is joined with.
            let passed = match receiver {
                Some(receiver)
                    if receiver.holes().any(|hole| hole.origin > Origin::Unknown) || receiver.has_text() =>
                {
                    receiver.clone().join(&all(values))
                }
                Some(_) | None => all(values),
            };
            return Value { class: Some(Rc::from(path)), ..passed };
        }
        // Rust puts a command together piece by piece.
        if self.language == Language::Rust {
            let is_command = |value: &Value| value.class.as_deref() == Some("Command");
            match (name, receiver) {
                ("new", _) if path.ends_with("Command.new") => return all(values).of_class("Command"),
                ("arg" | "args", Some(receiver)) if is_command(receiver) => {
                    return receiver.clone().join(&all(values)).of_class("Command");
                }
                (_, Some(receiver)) if is_command(receiver) => return receiver.clone(),
                (_, _) => {}
            }
        }
        // A method of a constant gives a constant.
        if let Some(receiver) = receiver
            && receiver.known_text().is_some_and(|text| !text.is_empty())
            && values.iter().all(|value| value.origin() == Origin::Constant)
            && name != "charAt"
        {
            return receiver.clone();
        }
        match (name, receiver, values) {
            ("charAt", Some(text), [place]) => {
                let place = place.known_text().and_then(|text| text.parse::<usize>().ok());
                if let (Some(text), Some(place)) = (text.known_text(), place)
                    && let Some(sign) = text.chars().nth(place)
                {
                    return Value::text(&sign.to_string(), line);
                }
            }
            // What holds where nothing is set is what holds.
            ("getProperty" | "getOrDefault" | "getenv" | "get", Some(_), [_, default])
                if default.known_text().is_some() =>
            {
                return default.clone();
            }
            (_, _, _) => {}
        }
        // What the program wrote itself stays its own in another notation.
        if cleaner::writes_out(name) && values.iter().all(|value| value.origin() == Origin::Constant) {
            return Value::constant(line);
        }
        if creates {
            let mut made = all(values).derived();
            // What is made of a whole request has all of it.
            let is_request = |value: &&Value| {
                value.class.as_deref().is_some_and(|class| class.ends_with("ServletRequest"))
            };
            if let Some(request) = values.iter().find(is_request) {
                let name = request.holes().next().map_or("the request", |hole| &hole.name).to_owned();
                made = Value::hole(Hole::new(&name, line, Origin::Request));
            }
            made.class = Some(Rc::from(path));
            if values.is_empty() {
                let class = cleaner::last(path);
                made.items = (class.ends_with("List") || class == "Vector").then(Rc::default);
                made.fields = (class.ends_with("Map") || class == "Hashtable").then(Rc::default);
            }
            return made;
        }
        // The key of a record is the database's own.
        if name == "id"
            && values.is_empty()
            && receiver.is_some_and(|receiver| receiver.origin() == Origin::Parameter)
        {
            return Value::unknown(path, line);
        }
        // A method of something that a stranger sent gives what the stranger sent.
        if let Some(receiver) = receiver
            && receiver.origin() >= Origin::Local
            && receiver.items.is_none()
        {
            let kept = if receiver.has_text() { receiver.clone() } else { receiver.derived() };
            return Value { class: Some(Rc::from(path)), ..kept };
        }
        // What a helper that nobody knows makes of a request is still the stranger's, unless it looks something up.
        let worst = values.iter().map(Value::origin).max();
        if worst == Some(Origin::Request) && !cleaner::looks_up(path) {
            // It may be anything where the language has no types: a whole answer, another page.
            let is_typed = matches!(self.language, Language::Java | Language::Kotlin);
            let doubtful = if is_typed { Clean::URL } else { Clean::URL.and(Clean::HTML).and(Clean::PATH) };
            return Value { class: Some(Rc::from(path)), ..all(values).derived().cleaned(doubtful) };
        }
        Value::unknown(&format!("{path}()"), line).of_class(path)
    }
}

/// Whether what a call is given are tests.
fn is_test_call(path: &str) -> bool {
    let first = path.split(['.', '(']).next().unwrap_or_default();
    matches!(
        first,
        "describe"
            | "it"
            | "test"
            | "beforeEach"
            | "afterEach"
            | "beforeAll"
            | "afterAll"
            | "suite"
            | "context"
            | "specify"
    )
}
