//! Follows values through the steps of a file, and shows each call, assignment and entry to the rules on the way.
//!
//! One pass, in the order of the text: branches are followed side by side and joined, loops once, functions of the
//! same file that are called are looked into for what they give back. Limits count steps, never time.

mod call;
mod places;
mod value;

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use code::{Call, Case, Expr, ExprKind, Function, Language, Program, Step};

use self::places::{Left, Places, Way};
use super::cleaner;
use super::danger::{Act, Danger, Scene, Site};
use super::source;
use super::value::{Clean, Hole, Origin, Value};

/// How many steps a file may take: whatever its size, for each of its bytes, and at most. Of 15,486 source files of 18
/// repositories one took more than 4 for each byte, and the costliest 1.7 million.
const STEPS_FIXED: usize = 20_000;
const STEPS_PER_BYTE: usize = 12;
const STEPS_AT_MOST: usize = 4_000_000;

/// How many dangers of a kind are kept in one line, of which one is told: as many as a minified program may have had before
/// a change that adds one, and fewer than the fifty thousand that fit into a line.
const MAX_IN_LINE: usize = 500;

/// What says that a value tells whether a map has a key, before the path of the key.
const LOOKUP: &str = "has ";

/// How deep calls of functions of the same file are looked into.
const MAX_CALL_DEPTH: usize = 2;

/// What was seen in a file.
pub(super) struct Seen {
    pub(super) dangers: Vec<Danger>,
    /// Whether the walk ended before the file did.
    pub(super) is_over_budget: bool,
}

/// Walks through a file; `touched` tells whether a function between two lines is of interest, and `line_in_file` which
/// line of the file a line of the source is.
pub(super) fn walk(
    language: Language,
    source: &str,
    program: &Program,
    rules: &[fn(&Site<'_>, &mut Vec<Danger>)],
    touched: &dyn Fn((u32, u32)) -> bool,
    line_in_file: &dyn Fn(u32) -> u32,
) -> Seen {
    let mut walk = Walk {
        language,
        source,
        rules,
        touched,
        line_in_file,
        imports: program.imports.iter().map(|one| (one.local.clone(), one.path.clone())).collect(),
        functions: functions(&program.body),
        dangers: Vec::new(),
        in_line: HashMap::new(),
        steps_left: (STEPS_FIXED + source.len() * STEPS_PER_BYTE).min(STEPS_AT_MOST),
        call_depth: 0,
        plain_results: HashMap::new(),
        called: Vec::new(),
        scene: Scene::of_file(),
    };
    let mut top = Places::default();
    walk.steps(&program.body, &mut top);
    let mut seen = std::collections::HashSet::new();
    walk.dangers.retain(|danger| seen.insert((danger.rule.id, danger.bytes)));
    Seen { dangers: walk.dangers, is_over_budget: walk.steps_left == 0 }
}

/// Whether a condition says what a value is not.
fn is_negated(condition: &Expr) -> bool {
    match &condition.kind {
        ExprKind::Operator(operator, _) => {
            matches!(operator.as_str(), "!" | "not" | "!=" | "!==" | "not in" | "!~" | "is not")
        }
        ExprKind::Either(parts) | ExprKind::Other(parts) => {
            matches!(parts.as_slice(), [only] if is_negated(only))
        }
        ExprKind::Text(_)
        | ExprKind::Constant(_)
        | ExprKind::Name(_)
        | ExprKind::Member(..)
        | ExprKind::Index(..)
        | ExprKind::Call(_)
        | ExprKind::Join(_)
        | ExprKind::List(_)
        | ExprKind::Record(_)
        | ExprKind::Function(_)
        | ExprKind::Buffer(_) => false,
    }
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

struct Walk<'p> {
    language: Language,
    source: &'p str,
    rules: &'p [fn(&Site<'_>, &mut Vec<Danger>)],
    touched: &'p dyn Fn((u32, u32)) -> bool,
    line_in_file: &'p dyn Fn(u32) -> u32,
    imports: HashMap<String, String>,
    functions: HashMap<&'p str, &'p Function>,
    dangers: Vec<Danger>,
    /// How many dangers each of the rules saw in a line.
    in_line: HashMap<(u32, usize), usize>,
    steps_left: usize,
    /// How many calls of functions of this file the walk is in; inside of them nothing is reported.
    call_depth: usize,
    /// What functions of this file give back that are given nothing of interest.
    plain_results: HashMap<*const Function, Value>,
    /// The functions of this file that the walk is in by calls.
    called: Vec<*const Function>,
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
                places.give_back(value);
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
                // None of them may be taken, and what breaks off breaks off no more than the loop.
                let mut ways = vec![Way::default()];
                for arm in arms {
                    let mut inside = places.inside();
                    self.steps(arm, &mut inside);
                    ways.push(inside.way().over());
                }
                places.meet(ways);
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
        let mut checked = cleaner::checked(condition);
        let asked = if let ExprKind::Operator(operator, operands) = &condition.kind
            && operator == "!"
        {
            operands.first().and_then(Expr::path)
        } else {
            condition.path()
        };
        if let Some(class) = asked.and_then(|name| places.class_of(&name)) {
            checked.extend(class.strip_prefix(LOOKUP).map(str::to_owned));
        }
        let mut one = places.inside();
        for path in &checked {
            self.clean(path, &mut one);
        }
        self.steps(then, &mut one);
        let one = one.way();
        let mut other = places.inside();
        if is_negated(condition) {
            // What is not refused has passed.
            for path in &checked {
                self.clean(path, &mut other);
            }
        }
        self.steps(otherwise, &mut other);
        let other = other.way();
        let exits = one.left.is_some() || other.left.is_some();
        places.meet(vec![one, other]);
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
        let plain = |label: &Expr| {
            label.as_text().or_else(|| label.as_constant()).map(|text| text.trim_matches('\'').to_owned())
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
        // Without a known value, and without a case for the rest, none may be taken.
        let mut ways = if taken.len() == 1 { Vec::new() } else { vec![Way::default()] };
        for steps in taken {
            let mut inside = places.inside();
            for step in steps {
                if inside.left.is_none() {
                    self.step(step, &mut inside);
                }
            }
            ways.push(inside.way().over());
        }
        places.meet(ways);
    }

    fn clean(&mut self, path: &str, places: &mut Places<'_>) {
        let value = match places.get(path) {
            Some(value) => value.clone(),
            None => Value::unknown(path, 0),
        };
        places.set(path.to_owned(), value.cleaned(Clean::EVERYTHING));
        // Who looks at the host of an address has looked at what matters of it.
        if let Some((whole, "hostname" | "host" | "origin" | "netloc" | "Host")) = path.rsplit_once('.') {
            self.clean(whole, places);
        }
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
                if adds {
                    places.set(path, value);
                } else {
                    places.replace(path, value);
                }
            }
            ExprKind::List(targets) => {
                // Go asks a map whether it knows a key.
                if let (ExprKind::Index(_, key), [_, known], Language::Go) =
                    (&value_expr.kind, targets.as_slice(), self.language)
                    && let (Some(key), Some(known)) = (key.path(), known.path())
                {
                    places.set(known, Value::constant(line).of_class(&format!("{LOOKUP}{key}")));
                    return;
                }
                for (index, target) in targets.iter().enumerate() {
                    if let Some(path) = target.path() {
                        let item = value.items.as_ref().and_then(|items| items.get(index)).cloned();
                        let item = item.unwrap_or_else(|| value.clone()).through(line);
                        places.set(path, item);
                    }
                }
            }
            ExprKind::Record(entries) => {
                // `const {exec: run} = require("child_process")`
                let module = value_expr.as_call().and_then(required_by);
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
                    places.set(path, item.through(line));
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
        self.spend(fields.len());
        whole = whole.join(&value.derived());
        fields.insert(key.unwrap_or_default(), value);
        whole.fields = Some(Rc::new(fields));
        places.set(path, whole);
    }

    fn learn_import(&mut self, call: &Call, local: &str) {
        if let Some(module) = required_by(call) {
            self.imports.insert(local.to_owned(), module);
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
                    let origin = source::of_parameter(self.language, function, parameter);
                    Value::hole(Hole::new(&parameter.name, parameter.line, origin))
                }
            };
            let value = match &parameter.type_name {
                Some(class) if value.class.is_none() => value.of_class(class),
                Some(_) | None => value,
            };
            places.set(parameter.name.clone(), value);
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
        let site = Site {
            language: self.language,
            source: self.source,
            expr,
            act,
            scene: &self.scene,
            line_in_file: self.line_in_file,
        };
        let line = expr.lines.0;
        for (index, rule) in self.rules.iter().enumerate() {
            if self.in_line.get(&(line, index)).is_some_and(|count| *count >= MAX_IN_LINE) {
                continue;
            }
            let before = self.dangers.len();
            rule(&site, &mut self.dangers);
            if self.dangers.len() > before {
                *self.in_line.entry((line, index)).or_default() += self.dangers.len() - before;
            }
        }
    }
}

fn required_by(call: &Call) -> Option<String> {
    let is_require = matches!(&call.callee.kind, ExprKind::Name(name) if name == "require");
    let module = call.arguments.first().filter(|_| is_require)?.value.as_text()?;
    Some(module.trim_start_matches("node:").to_owned())
}

/// What a known condition says.
fn truth(value: &Value) -> Option<bool> {
    match value.known_text()?.as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A key that is written out.
fn key_of(index: &Expr) -> Option<String> {
    let text = index.as_text().or_else(|| index.as_constant().map(|text| text.trim_start_matches(':')));
    text.map(str::to_owned)
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
