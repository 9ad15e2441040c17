//! Follows values through the steps of a file, and shows each call, assignment and entry to the rules on the way.
//!
//! One pass, in the order of the text: branches are followed side by side and joined, loops once, functions of the
//! same file that are called are looked into for what they give back. Limits count steps, never time.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use code::{Call, Case, Expr, ExprKind, Function, Language, Program, Step};

use super::cleaner;
use super::danger::{Act, Danger, Given, Scene, Site};
use super::format;
use super::source;
use super::value::{Clean, Hole, Origin, Value};

/// How many steps a file may take, whatever its size, and how many for each of its bytes. Of the files at hand the
/// costliest took 4 for each byte.
const STEPS_FIXED: usize = 20_000;
const STEPS_PER_BYTE: usize = 12;

/// How deep calls of functions of the same file are looked into.
const MAX_CALL_DEPTH: usize = 3;

/// What was seen in a file.
pub(super) struct Seen {
    pub(super) dangers: Vec<Danger>,
    /// Whether the walk ended before the file did.
    pub(super) is_over_budget: bool,
}

/// Walks through a file; `touched` tells whether a function between two lines is of interest.
pub(super) fn walk(
    language: Language,
    source: &str,
    program: &Program,
    rules: &[fn(&Site<'_>, &mut Vec<Danger>)],
    touched: &dyn Fn((u32, u32)) -> bool,
) -> Seen {
    let mut walk = Walk {
        language,
        source,
        rules,
        touched,
        imports: program.imports.iter().map(|one| (one.local.clone(), one.path.clone())).collect(),
        functions: functions(&program.body),
        dangers: Vec::new(),
        steps_left: STEPS_FIXED + source.len() * STEPS_PER_BYTE,
        call_depth: 0,
        scene: Scene::of_file(),
    };
    let mut top = Places::default();
    walk.steps(&program.body, &mut top);
    let mut seen = std::collections::HashSet::new();
    walk.dangers.retain(|danger| seen.insert((danger.rule.id, danger.bytes)));
    Seen { dangers: walk.dangers, is_over_budget: walk.steps_left == 0 }
}

/// The functions of a file that a bare name can call; a name that stands for two is none of them.
fn functions(steps: &[Step]) -> HashMap<&str, &Function> {
    let mut found: HashMap<&str, Option<&Function>> = HashMap::new();
    let mut pending: Vec<&Step> = steps.iter().collect();
    while let Some(step) = pending.pop() {
        match step {
            Step::Define(function) => {
                if let Some(name) = &function.name {
                    found.entry(name).and_modify(|known| *known = None).or_insert(Some(function));
                }
                pending.extend(&function.body);
            }
            Step::If { then, otherwise, .. } => pending.extend(then.iter().chain(otherwise)),
            Step::Arms(arms) => pending.extend(arms.iter().flatten()),
            Step::Switch { cases, .. } => pending.extend(cases.iter().flat_map(|case| &case.body)),
            Step::Set { .. } | Step::Do(_) | Step::Return(_) | Step::Leave(_) => {}
        }
    }
    found.into_iter().filter_map(|(name, function)| Some((name, function?))).collect()
}

/// What is known of places: variables, fields, elements, by their paths.
#[derive(Clone, Default)]
struct Places<'o> {
    known: HashMap<String, Value>,
    outside: Option<&'o Self>,
    /// What has been given back so far.
    returned: Option<Value>,
    /// Whether what follows is not reached, and what of it.
    left: Option<Left>,
}

/// What is left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// The branch or the turn of a loop; behind it things go on.
    Block,
    /// The function.
    Function,
}

impl<'o> Places<'o> {
    fn inside(&'o self) -> Self {
        Places { known: HashMap::new(), outside: Some(self), returned: None, left: None }
    }

    fn get(&self, path: &str) -> Option<&Value> {
        let mut places = self;
        loop {
            if let Some(value) = places.known.get(path) {
                return Some(value);
            }
            places = places.outside?;
        }
    }

    /// The type of what a name stands for.
    fn class_of(&self, name: &str) -> Option<String> {
        self.get(name).and_then(|value| value.class.as_deref().map(str::to_owned))
    }
}

struct Walk<'p> {
    language: Language,
    source: &'p str,
    rules: &'p [fn(&Site<'_>, &mut Vec<Danger>)],
    touched: &'p dyn Fn((u32, u32)) -> bool,
    imports: HashMap<String, String>,
    functions: HashMap<&'p str, &'p Function>,
    dangers: Vec<Danger>,
    steps_left: usize,
    /// How many calls of functions of this file the walk is in; inside of them nothing is reported.
    call_depth: usize,
    scene: Scene,
}

impl<'p> Walk<'p> {
    fn spend(&mut self, steps: usize) -> bool {
        self.steps_left = self.steps_left.saturating_sub(steps);
        self.steps_left > 0
    }

    fn steps(&mut self, steps: &'p [Step], places: &mut Places<'_>) {
        // Functions come last: what they use may be set below them.
        let (functions, others): (Vec<_>, Vec<_>) =
            steps.iter().partition(|step| matches!(step, Step::Define(_)));
        for step in others {
            if places.left.is_some() {
                break;
            }
            self.step(step, places);
        }
        for step in functions {
            if let Step::Define(function) = step
                && self.call_depth == 0
                && (self.touched)(function.lines)
                && !is_test(function)
            {
                self.function(function, places, None);
            }
        }
    }

    fn step(&mut self, step: &'p Step, places: &mut Places<'_>) {
        if !self.spend(1) {
            return;
        }
        match step {
            Step::Set { target, value, adds } => self.set(target, value, *adds, places),
            Step::Do(expr) => {
                if let ExprKind::Operator(operator, operands) = &expr.kind
                    && operator == "<<"
                    && let [target, added] = operands.as_slice()
                {
                    // Ruby and C++ append in this way.
                    self.set(target, added, true, places);
                    return;
                }
                let value = self.value(expr, places);
                self.check_call(expr, places);
                let _ = value;
            }
            Step::Return(expr) => {
                let value = expr.as_ref().map_or_else(Value::default, |expr| {
                    let value = self.value(expr, places);
                    self.show(expr, Act::Return { value: &value });
                    value
                });
                places.returned = Some(match places.returned.take() {
                    Some(known) => known.or(value),
                    None => value,
                });
                places.left = Some(Left::Function);
            }
            Step::Leave(expr) => {
                if let Some(expr) = expr {
                    self.value(expr, places);
                }
                // What is thrown has a value, and what breaks off has none.
                places.left = Some(if expr.is_some() { Left::Function } else { Left::Block });
            }
            Step::If { condition, then, otherwise } => self.branch(condition, then, otherwise, places),
            Step::Arms(arms) => {
                let mut results = Vec::new();
                for arm in arms {
                    self.spend(places.known.len() / 8);
                    let mut inside = places.clone();
                    self.steps(arm, &mut inside);
                    results.push(inside);
                }
                for result in results {
                    merge(places, result);
                }
            }
            Step::Switch { subject, cases } => self.switch(subject, cases, places),
            // `steps` has them behind the others.
            Step::Define(_) => {}
        }
    }

    fn branch(
        &mut self,
        condition: &'p Expr,
        then: &'p [Step],
        otherwise: &'p [Step],
        places: &mut Places<'_>,
    ) {
        let decided = truth(&self.value(condition, places));
        if let Some(holds) = decided {
            self.steps(if holds { then } else { otherwise }, places);
            return;
        }
        let checked = cleaner::checked(condition);
        self.spend(places.known.len() / 4);
        let (mut one, mut other) = (places.clone(), places.clone());
        for path in &checked {
            self.clean(path, &mut one);
        }
        self.steps(then, &mut one);
        self.steps(otherwise, &mut other);
        let exits = one.left.is_some() || other.left.is_some();
        match (one.left, other.left) {
            (Some(left), Some(also_left)) => {
                let is_block = left == Left::Block || also_left == Left::Block;
                *places = other;
                places.left = None;
                merge(places, one);
                places.left = Some(if is_block { Left::Block } else { Left::Function });
            }
            (Some(_), None) => {
                *places = other;
                // What holds where a turn of a loop breaks off may hold behind the loop.
                merge(places, one);
            }
            (None, Some(_)) => {
                *places = one;
                merge(places, other);
            }
            (None, None) => {
                *places = other;
                merge(places, one);
            }
        }
        // What a branch that leaves has looked at is known behind it.
        if exits {
            for path in &checked {
                self.clean(path, places);
            }
        }
    }

    /// The case that a known value leads to, or all of them.
    fn switch(&mut self, subject: &'p Expr, cases: &'p [Case], places: &mut Places<'_>) {
        let value = self.value(subject, places);
        let mut taken = Vec::new();
        let known = value.known_text().filter(|text| !text.is_empty());
        let plain = |label: &Expr| match &label.kind {
            ExprKind::Text(text) | ExprKind::Constant(text) => Some(text.trim_matches('\'').to_owned()),
            _ => None,
        };
        if let Some(text) = known
            && cases.iter().flat_map(|case| &case.labels).all(|label| plain(label).is_some())
        {
            let hit = cases
                .iter()
                .position(|case| case.labels.iter().any(|label| plain(label).as_ref() == Some(&text)));
            let hit = hit.or_else(|| cases.iter().position(|case| case.labels.is_empty()));
            // Without a `break`, a case goes on into the next.
            taken.extend(
                hit.map(|first| cases[first..].iter().flat_map(|case| &case.body).collect::<Vec<_>>()),
            );
        } else {
            taken.extend(cases.iter().map(|case| case.body.iter().collect()));
        }
        let is_known = taken.len() == 1;
        let mut results = Vec::new();
        for steps in taken {
            self.spend(places.known.len() / 8);
            let mut inside = places.clone();
            for step in steps {
                if inside.left.is_none() {
                    self.step(step, &mut inside);
                }
            }
            results.push(inside);
        }
        for result in results {
            if is_known && result.left != Some(Left::Function) {
                let returned = places.returned.take();
                *places = result;
                places.left = None;
                add_return(places, returned);
            } else {
                merge(places, result);
            }
        }
    }

    fn clean(&mut self, path: &str, places: &mut Places<'_>) {
        let value = match places.get(path) {
            Some(value) => value.clone(),
            None => Value::unknown(path, 0),
        };
        places.known.insert(path.to_owned(), value.cleaned(Clean::EVERYTHING));
    }

    /// A call that stands alone may check what it is given.
    fn check_call(&mut self, expr: &Expr, places: &mut Places<'_>) {
        let ExprKind::Call(call) = &expr.kind else { return };
        let Some(path) = call.callee.path() else { return };
        if cleaner::checks(&path) {
            for argument in &call.arguments {
                if let Some(path) = argument.value.path() {
                    self.clean(&path, places);
                }
            }
        }
    }

    fn set(&mut self, target: &'p Expr, value_expr: &'p Expr, adds: bool, places: &mut Places<'_>) {
        let line = target.lines.0;
        self.scene.target = target.path().unwrap_or_default();
        let mut value = self.value(value_expr, places);
        self.scene.target.clear();
        if let (ExprKind::Call(call), ExprKind::Name(local)) = (&value_expr.kind, &target.kind) {
            self.learn_import(call, local);
        }
        match &target.kind {
            ExprKind::Name(_) | ExprKind::Member(..) | ExprKind::Index(..) => {
                let Some(path) = target.path() else { return };
                if adds {
                    let before = places.get(&path).cloned().unwrap_or_default();
                    let is_number =
                        |value: &Value| value.known_text().is_some_and(|text| text.parse::<i64>().is_ok());
                    value = if is_number(&before) { Value::constant(line) } else { before.join(&value) };
                }
                let value = value.through(line);
                self.show(target, Act::Set { path: &path, value: &value, expr: value_expr });
                if let ExprKind::Index(object, index) = &target.kind {
                    self.put(object, index, value, places);
                    return;
                }
                // Fields of what was there are not those of what is there now.
                if !adds {
                    let field = format!("{path}.");
                    places.known.retain(|known, _| !known.starts_with(&field));
                }
                places.known.insert(path, value);
            }
            ExprKind::List(targets) => {
                for (index, target) in targets.iter().enumerate() {
                    if let Some(path) = target.path() {
                        let item = value.items.as_ref().and_then(|items| items.get(index)).cloned();
                        let item = item.unwrap_or_else(|| value.clone()).through(line);
                        places.known.insert(path, item);
                    }
                }
            }
            ExprKind::Record(entries) => {
                // `const {exec: run} = require("child_process")`
                let module = self.required(value_expr);
                for (name, target) in entries {
                    let Some(path) = target.path() else { continue };
                    if let Some(module) = &module {
                        self.imports.insert(path, format!("{module}.{name}"));
                        continue;
                    }
                    let item = match value_expr
                        .path()
                        .and_then(|object| self.source(&format!("{object}.{name}"), places))
                    {
                        Some(origin) => Value::hole(Hole::new(&path, line, origin)),
                        None => value.field(name).cloned().unwrap_or_else(|| value.derived()),
                    };
                    places.known.insert(path, item.through(line));
                }
            }
            ExprKind::Text(_)
            | ExprKind::Constant(_)
            | ExprKind::Call(_)
            | ExprKind::Join(_)
            | ExprKind::Either(_)
            | ExprKind::Operator(..)
            | ExprKind::Function(_)
            | ExprKind::Buffer(_)
            | ExprKind::Other(_) => {}
        }
    }

    /// Gives a value to an element.
    fn put(&mut self, object: &'p Expr, index: &'p Expr, value: Value, places: &mut Places<'_>) {
        let Some(path) = object.path() else { return };
        let key = key_of(index);
        let mut whole = places.get(&path).cloned().unwrap_or_default();
        let mut fields = whole.fields.take().map_or_else(BTreeMap::new, |fields| (*fields).clone());
        self.spend(fields.len() / 4);
        whole = whole.join(&value.derived());
        fields.insert(key.unwrap_or_default(), value);
        whole.fields = Some(Rc::new(fields));
        places.known.insert(path, whole);
    }

    fn learn_import(&mut self, call: &Call, local: &str) {
        if let Some(module) = required_by(call) {
            self.imports.insert(local.to_owned(), module);
        }
    }

    fn required(&self, expr: &Expr) -> Option<String> {
        match &expr.kind {
            ExprKind::Call(call) => required_by(call),
            _ => None,
        }
    }

    /// A path with what it was imported as in place of its first name.
    fn resolve(&self, path: String) -> String {
        let end = path.find(['.', '(', '[']).unwrap_or(path.len());
        match self.imports.get(&path[..end]) {
            Some(full) => format!("{full}{}", &path[end..]),
            None => path,
        }
    }

    fn source(&self, path: &str, places: &Places<'_>) -> Option<Origin> {
        // A name that was given a value in here is not the one that the table means.
        let first = path.split(['.', '[', '(']).next().unwrap_or_default();
        let own = places
            .get(first)
            .is_some_and(|value| value.origin() < Origin::Parameter && value.class.is_none());
        if own && !matches!(first, "self" | "this" | "request" | "req" | "$this") {
            return None;
        }
        source::of_path(self.language, path, |name| places.class_of(name))
    }

    /// A function on its own, or with what it is called with; tells what it gives back.
    fn function(&mut self, function: &'p Function, outside: &Places<'_>, given: Option<&[Value]>) -> Value {
        let mut places = outside.inside();
        let scene = Scene::of(function, &self.scene);
        let scene = std::mem::replace(&mut self.scene, scene);
        for (index, parameter) in function.parameters.iter().enumerate() {
            let value = match given.and_then(|values| values.get(index)) {
                Some(value) => value.clone(),
                None if given.is_some() => Value::unknown(&parameter.name, parameter.line),
                None => {
                    let origin = source::of_parameter(self.language, function, parameter, index);
                    Value::hole(Hole::new(&parameter.name, parameter.line, origin))
                }
            };
            let value = match &parameter.type_name {
                Some(class) if value.class.is_none() => value.of_class(class),
                Some(_) | None => value,
            };
            places.known.insert(parameter.name.clone(), value);
        }
        self.steps(&function.body, &mut places);
        let mut returned = places.returned.take();
        if function.returns_last
            && let Some(Step::Do(last)) = function.body.last()
        {
            // Looked at already; only its value is wanted.
            self.call_depth += 1;
            let value = self.value(last, &mut places);
            self.call_depth -= 1;
            self.show(last, Act::Return { value: &value });
            returned = Some(match returned {
                Some(known) => known.or(value),
                None => value,
            });
        }
        self.scene = scene;
        returned.unwrap_or_default()
    }

    /// Shows something to the rules.
    fn show(&mut self, expr: &Expr, act: Act<'_>) {
        if self.call_depth > 0 {
            return;
        }
        let site = Site { language: self.language, source: self.source, expr, act, scene: &self.scene };
        for rule in self.rules {
            rule(&site, &mut self.dangers);
        }
    }

    fn value(&mut self, expr: &'p Expr, places: &mut Places<'_>) -> Value {
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
                if self.call_depth == 0 {
                    self.closure(function, places, &[]);
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
    fn closure(&mut self, function: &'p Function, places: &mut Places<'_>, given: &[Value]) -> Value {
        let values: Vec<_> = function
            .parameters
            .iter()
            .enumerate()
            .map(|(index, parameter)| match given.get(index) {
                Some(value) => value.clone(),
                None => Value::unknown(&parameter.name, parameter.line),
            })
            .collect();
        self.spend(1 + places.known.len() / 8);
        self.function(function, places, Some(&values))
    }

    fn name(&mut self, name: &str, line: u32, places: &Places<'_>) -> Value {
        if let Some(value) = places.get(name) {
            return value.clone();
        }
        if let Some(origin) = self.source(name, places) {
            return Value::hole(Hole::new(name, line, origin));
        }
        let origin = if is_constant_name(name) { Origin::Constant } else { Origin::Unknown };
        Value::hole(Hole::new(name, line, origin))
    }

    fn member(&mut self, expr: &'p Expr, object: &'p Expr, name: &str, places: &mut Places<'_>) -> Value {
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
        // A field of a parameter is as much the caller's as the parameter; a field of the object's own is not.
        let origin = match object.origin() {
            Origin::Request => Origin::Request,
            Origin::Local => Origin::Local,
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

    fn index(&mut self, expr: &'p Expr, object: &'p Expr, index: &'p Expr, places: &mut Places<'_>) -> Value {
        if let Some(path) = expr.path() {
            if let Some(value) = places.known.get(&path) {
                return value.clone();
            }
            if path == "$_SERVER[]" && !key_of(index).is_some_and(|key| source::is_sent_by_client(&key)) {
                return Value::unknown("$_SERVER", expr.lines.0);
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

    fn source_text(&self, expr: &Expr) -> Option<&'p str> {
        let text = self.source.get(expr.bytes.0 as usize..expr.bytes.1 as usize)?;
        (text.len() <= 40 && !text.contains('\n')).then_some(text)
    }

    fn operator(
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
                    places.known.insert(path, Value::constant(line));
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

    fn call(&mut self, expr: &'p Expr, call: &'p Call, places: &mut Places<'_>) -> Value {
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
        for argument in &call.arguments {
            let value = match &argument.value.kind {
                ExprKind::Function(_) if runs_tests => Value::default(),
                ExprKind::Function(function) => {
                    // What goes through a list one by one, or comes out of a promise, is made of what was in it.
                    let element = receiver.as_ref().map(Value::derived).unwrap_or_default();
                    let element = if element.origin() >= Origin::Local { vec![element] } else { Vec::new() };
                    if self.call_depth < MAX_CALL_DEPTH {
                        self.closure(function, places, &element)
                    } else {
                        Value::default()
                    }
                }
                _ => self.value(&argument.value, places),
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
        if let Some(full) = &written
            && let Some(origin) = self
                .source(&format!("{full}()"), places)
                .or_else(|| self.source(&format!("{path}()"), places))
        {
            let shown = self.source_text(expr).unwrap_or(full).to_owned();
            return Value::hole(Hole::new(&shown, line, origin));
        }
        let values: Vec<Value> = given.into_iter().map(|one| one.value).collect();
        if let Some(function) = self.own_function(&path, call)
            && self.call_depth < MAX_CALL_DEPTH
        {
            self.call_depth += 1;
            let top = Places::default();
            let mut given = values.clone();
            if function.parameters.first().is_some_and(|first| matches!(first.name.as_str(), "self" | "cls"))
            {
                given.insert(0, Value::default());
            }
            let returned = self.function(function, &top, Some(&given));
            self.call_depth -= 1;
            return returned.through(line);
        }
        if let Some(path) = receiver_expr.and_then(Expr::path)
            && let Some(value) = self.mutate(name, &path, receiver.as_ref(), &values, places)
        {
            return value;
        }
        self.fill_buffers(&path, call, &values, places);
        self.result(&path, name, call, receiver.as_ref(), &values, line)
    }

    /// A function of this file that a call calls by its name alone, or as a method of the same object.
    fn own_function(&self, path: &str, call: &Call) -> Option<&'p Function> {
        let name = ["self.", "this.", "cls.", "$this.", "self::", "Self."]
            .iter()
            .find_map(|own| path.strip_prefix(own))
            .unwrap_or(path);
        let name = match (&call.callee.kind, name.contains('.')) {
            (ExprKind::Name(_), _) | (_, false) => name,
            // `new Helper().run(x)` of a class inside this file.
            (ExprKind::Member(object, method), true) => match &object.kind {
                ExprKind::Call(made) if made.creates => method,
                _ => return None,
            },
            (_, true) => return None,
        };
        let function = self.functions.get(name)?;
        (function.parameters.len() <= 8 && !call.creates).then_some(function)
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
                if let Some(items) = &receiver.items {
                    changed.items = Some(Rc::new(items.iter().cloned().chain([added.clone()]).collect()));
                }
                changed.class = class;
                places.known.insert(path.to_owned(), changed.clone());
                Some(changed)
            }
            ("put" | "set" | "setdefault" | "putIfAbsent" | "setProperty", [key, added]) => {
                let key = key.known_text()?;
                let mut fields =
                    receiver.fields.as_ref().map_or_else(BTreeMap::new, |fields| (**fields).clone());
                self.spend(fields.len() / 4);
                fields.insert(key, added.clone());
                let mut changed = receiver.clone().join(&added.derived());
                changed.fields = Some(Rc::new(fields));
                places.known.insert(path.to_owned(), changed);
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
                places.known.insert(path.to_owned(), changed);
                Some(Value::default())
            }
            ("clear", []) => {
                places.known.insert(path.to_owned(), Value::default());
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
            places.known.insert(place, Value { is_buffer, ..value.through(line) });
        }
    }

    /// What a call gives back.
    fn result(
        &mut self,
        path: &str,
        name: &str,
        call: &Call,
        receiver: Option<&Value>,
        values: &[Value],
        line: u32,
    ) -> Value {
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
        let names: Vec<_> = call.arguments.iter().map(|argument| argument.name.as_deref()).collect();
        if let Some(built) = format::call(self.language, path, receiver, &names, values) {
            return built;
        }
        let all = |values: &[Value]| values.iter().fold(Value::default(), |whole, value| whole.join(value));
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
        if call.creates {
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
            return Value { class: Some(Rc::from(path)), ..all(values).derived() };
        }
        Value::unknown(&format!("{path}()"), line).of_class(path)
    }
}

/// The texts of a list, one behind the other, and its items.
fn list(items: Vec<Value>) -> Value {
    let whole =
        items.iter().fold(Value::default(), |whole, item| whole.join(&Value { items: None, ..item.clone() }));
    Value { items: Some(Rc::new(items)), fields: None, ..whole }
}

/// Joins what was known on another way here.
fn merge(places: &mut Places<'_>, other: Places<'_>) {
    add_return(places, other.returned);
    if other.left == Some(Left::Function) {
        return;
    }
    for (path, value) in other.known {
        let joined = match places.get(&path) {
            Some(known) => known.clone().or(value),
            None => value,
        };
        places.known.insert(path, joined);
    }
}

fn add_return(places: &mut Places<'_>, returned: Option<Value>) {
    if let Some(value) = returned {
        places.returned = Some(match places.returned.take() {
            Some(known) => known.or(value),
            None => value,
        });
    }
}

fn required_by(call: &Call) -> Option<String> {
    let is_require = matches!(&call.callee.kind, ExprKind::Name(name) if name == "require");
    match (is_require, call.arguments.first().map(|argument| &argument.value.kind)) {
        (true, Some(ExprKind::Text(module))) => Some(module.trim_start_matches("node:").to_owned()),
        _ => None,
    }
}

/// What a known condition says.
fn truth(value: &Value) -> Option<bool> {
    match value.known_text()?.as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
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

/// A key that is written out.
fn key_of(index: &Expr) -> Option<String> {
    match &index.kind {
        ExprKind::Text(text) => Some(text.clone()),
        ExprKind::Constant(text) => Some(text.trim_start_matches(':').to_owned()),
        _ => None,
    }
}

/// Names that languages keep for constants.
fn is_constant_name(name: &str) -> bool {
    let name = name.trim_start_matches('_').rsplit('.').next().unwrap_or(name);
    name.len() > 1
        && name.bytes().any(|byte| byte.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        || name.starts_with("__") && name.ends_with("__")
}

/// Whether a function is a test, or stands among tests.
fn is_test(function: &Function) -> bool {
    let marked = function.marks.iter().any(|mark| {
        let name = mark.split('(').next().unwrap_or(mark).rsplit(['.', ':']).next().unwrap_or(mark).trim();
        matches!(
            name,
            "test"
                | "Test"
                | "ParameterizedTest"
                | "BeforeEach"
                | "AfterEach"
                | "Before"
                | "After"
                | "bench"
                | "fixture"
                | "TestMethod"
                | "Fact"
                | "Theory"
                | "rstest"
                | "parametrize"
                | "DataProvider"
                | "BeforeAll"
                | "RepeatedTest"
        ) || mark.contains("cfg(test)")
    });
    let named = |name: &str| name.starts_with("test_") || name.starts_with("Test");
    marked
        || function.name.as_deref().is_some_and(|name| {
            name.starts_with("test_")
                || name.strip_prefix("test").is_some_and(|rest| rest.starts_with(char::is_uppercase))
        })
        || function.owner.as_deref().is_some_and(|owner| {
            named(owner) && owner != "Test" && owner.len() > 4
                || owner.ends_with("Tests")
                || owner.ends_with("TestCase")
        })
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
