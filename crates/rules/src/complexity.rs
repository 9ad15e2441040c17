//! Functions that a change makes harder to understand: measured before and after, reported as the difference.

use std::ops::RangeInclusive;

use code::{CodeError, Cost, FunctionMetrics, Language, functions, language_of};
use review::change::{Content, Operation};
use review::{Category, FileChange, Finding, Lens, LineKind, RepoPath, Severity, Side};

use crate::catalogue::{Example, Needs, Rule, RuleInfo};
use crate::secrets::Redacted;
use crate::{BINARY, Examined, Family, FileReport, FileView, Parsing, RuleOptions, Support, place};

const RULE: &str = "complexity/function";

/// The family.
pub(crate) const FAMILY: Family =
    Family { lens: Lens::Complexity, supports, reads_whole_files: true, review, catalogue };

fn supports(file: &FileChange) -> Support {
    match (&file.content, file.operation) {
        (Content::Binary, _) => Support::NotSupported(BINARY),
        (Content::Nothing, _) | (_, Operation::Deleted) => Support::Supported,
        (
            Content::Text(_),
            Operation::Added | Operation::Modified | Operation::Renamed | Operation::Copied,
        ) => match language_of(&file.path) {
            Some(_) => Support::Supported,
            None => Support::NotSupported("the rules measure no functions in files of this kind"),
        },
    }
}

fn catalogue() -> Vec<RuleInfo> {
    vec![RuleInfo::from(&FUNCTION)]
}

const FUNCTION: Rule = Rule {
    id: RULE,
    category: CATEGORY,
    severity: Severity::Medium,
    summary: "a changed function crosses a threshold of complexity, or grows above it",
    reason: "Functions beyond these sizes are where people overlook a case when they change something. What is \
             reported is what this change adds, not what was there before.",
    needs: Needs::WholeFile,
    bad: Example {
        path: "shop/route.py",
        beside: &[],
        before: Some(concat!(
            "def route(order):\n",
            "    if order.paid:\n",
            "        for item in order.items:\n",
            "            ship(item)\n",
        )),
        after: concat!(
            "def route(order):\n",
            "    if order.paid:\n",
            "        for item in order.items:\n",
            "            if item.stock:\n",
            "                while item.reserved:\n",
            "                    if item.heavy:\n",
            "                        try:\n",
            "                            if item.abroad and not item.declared:\n",
            "                                declare(item)\n",
            "                        except Refused:\n",
            "                            item.reserved = False\n",
            "            ship(item)\n",
        ),
    },
    good: Example {
        path: "shop/route.py",
        beside: &[],
        before: Some(
            "def route(order):\n    if order.paid:\n        for item in order.items:\n            ship(item)\n",
        ),
        after: concat!(
            "def route(order):\n",
            "    if order.paid:\n",
            "        for item in order.items:\n",
            "            prepare(item)\n",
            "            ship(item)\n",
        ),
    },
};

const CATEGORY: &str = "complexity/function";

fn category() -> Category {
    Category::parse(CATEGORY, Lens::Complexity)
}

/// Measures the changed functions of a file in a language that can be parsed.
fn review(
    view: &FileView<'_>,
    redacted: &Redacted<'_>,
    options: &RuleOptions,
    report: &mut FileReport,
) -> Examined {
    let file = view.file;
    if matches!(file.content, Content::Nothing) || file.operation == Operation::Deleted {
        return Examined::All;
    }
    let Some(language) = language_of(&file.path) else {
        return Examined::NotSupported("the rules measure no functions in files of this kind".to_owned());
    };
    let is_new = matches!(file.operation, Operation::Added | Operation::Copied);
    let (Some(head), true) = (view.head, is_new || view.base.is_some()) else {
        return Examined::NotSupported(
            "measuring functions needs the whole file, and only the diff is here".to_owned(),
        );
    };
    match view.parsing {
        Parsing::Allowed => {}
        Parsing::OverBudget => return Examined::Failed(Parsing::OVER_BUDGET.to_owned()),
    }
    match compare(file, language, view.base.filter(|_| !is_new), head, options, &mut report.cost) {
        Ok(compared) => {
            let lines: Vec<&str> = head.split('\n').collect();
            let mut quotes = place::Quotes::of(redacted);
            for suspect in compared.suspects {
                let known = (options, &mut report.cost);
                let Some(suspect) = without_moves(view, language, suspect, &lines, known) else { continue };
                let finding = finding(&compared.touched, &lines, &file.path, &mut quotes, &suspect);
                let declared = suspect.after.start_line;
                report.declared_at.extend(finding.lines.map(|(line, _)| (line, declared)));
                report.findings.push(finding);
            }
            if compared.minified > 0 {
                report.notes.push(format!(
                    "functions in lines that no person writes, which are not measured: {}",
                    compared.minified
                ));
            }
            if compared.has_syntax_errors {
                report.notes.push(format!(
                    "parts of it could not be parsed as {}; functions there are not measured",
                    language.name()
                ));
            }
            Examined::All
        }
        Err(error @ CodeError::TooLarge { .. }) => Examined::NotSupported(error.to_string()),
        Err(error @ (CodeError::Unparsable | CodeError::TooCostly { .. } | CodeError::Analyzer)) => {
            Examined::Failed(format!("functions could not be measured: {error}"))
        }
    }
}

/// What a suspect is once it is known where in the change it comes from: a function that is moved is not new, and of one
/// that is changed on the way only the change counts.
fn without_moves(
    view: &FileView<'_>,
    language: Language,
    suspect: Suspect,
    lines: &[&str],
    (options, cost): (&RuleOptions, &mut Cost),
) -> Option<Suspect> {
    let (first, last) = (suspect.after.start_line as usize, suspect.after.end_line as usize);
    let own = lines.get(first.saturating_sub(1)..last).filter(|_| suspect.is_new);
    let (Some(removed), Some(name), Some(own)) = (view.change.removed(), &suspect.after.name, own) else {
        return Some(suspect);
    };
    let name = last_name(name);
    if removed.has_function(name, own, cost) {
        return None;
    }
    let Some(before) = removed.function_before(language, name, own, cost) else { return Some(suspect) };
    let crossed = crossed(&suspect.after, Some(&before), &options_for(&view.file.path, options));
    (!crossed.is_empty()).then_some(Suspect { is_new: false, crossed, ..suspect })
}

/// The last part of `space::name`, which is what a declaration shows.
fn last_name(name: &str) -> &str {
    name.rsplit([':', '.']).next().unwrap_or(name)
}

struct Compared {
    touched: Touched,
    suspects: Vec<Suspect>,
    /// How many functions above a limit are a program's work.
    minified: usize,
    has_syntax_errors: bool,
}

/// A function that the change pushes over a limit.
struct Suspect {
    after: FunctionMetrics,
    is_new: bool,
    /// What it crosses, in the order of [`Measure::ALL`]; not empty.
    crossed: Vec<Crossed>,
}

fn compare(
    file: &FileChange,
    language: Language,
    base: Option<&str>,
    head: &str,
    options: &RuleOptions,
    cost: &mut Cost,
) -> Result<Compared, CodeError> {
    let touched = Touched::of(file);
    let options = &options_for(&file.path, options);
    if touched.lines.is_empty() {
        return Ok(Compared { touched, suspects: Vec::new(), minified: 0, has_syntax_errors: false });
    }
    let after = measure(language, head, cost)?;
    let lines: Vec<&str> = head.split('\n').collect();
    let is_minified = |function: &&FunctionMetrics| {
        lines.get(function.start_line as usize - 1).is_some_and(|line| place::is_minified(line.len()))
    };
    let (minified, above): (Vec<_>, Vec<_>) = after
        .functions
        .iter()
        .filter(|function| {
            touched.touches(&lines_of(function)) && !crossed(function, None, options).is_empty()
        })
        .partition(is_minified);
    // Most files end here, without a look at the base.
    let before = match base {
        Some(base) if !above.is_empty() => measure(language, base, cost)?.functions,
        Some(_) | None => Vec::new(),
    };
    let suspects = above
        .into_iter()
        .filter_map(|function| {
            let earlier = touched.counterpart(function, &after.functions, &before);
            let crossed = crossed(function, earlier, options);
            let is_new = earlier.is_none();
            (!crossed.is_empty()).then(|| Suspect { after: function.clone(), is_new, crossed })
        })
        .collect();
    let minified = minified.len();
    Ok(Compared { touched, suspects, minified, has_syntax_errors: after.has_syntax_errors })
}

/// The thresholds of a file. A test is told step by step, and in some languages every assertion counts as a branch: neither its
/// length nor its cyclomatic complexity says anything.
fn options_for(path: &RepoPath, options: &RuleOptions) -> RuleOptions {
    match place::is_trial(path) {
        true => RuleOptions { max_function_lines: u32::MAX, max_cyclomatic: u32::MAX, ..*options },
        false => *options,
    }
}

/// Measures a text and adds what that cost.
fn measure(language: Language, source: &str, cost: &mut Cost) -> Result<code::Report, CodeError> {
    let report = functions(language, source);
    *cost = cost.and(report.as_ref().map_or_else(CodeError::cost, |report| report.cost));
    report
}

fn lines_of(function: &FunctionMetrics) -> RangeInclusive<u32> {
    function.start_line..=function.end_line
}

/// One measure of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Cognitive,
    Cyclomatic,
    Lines,
    Parameters,
    Nesting,
}

impl Measure {
    const ALL: [Self; 5] = [Self::Cognitive, Self::Cyclomatic, Self::Nesting, Self::Lines, Self::Parameters];

    fn of(self, function: &FunctionMetrics) -> u32 {
        match self {
            Self::Cognitive => function.cognitive,
            Self::Cyclomatic => function.cyclomatic,
            // A test file is one anonymous function after another inside a call; its length says nothing.
            Self::Lines if function.name.is_none() => 0,
            Self::Lines => function.lines,
            Self::Parameters => function.parameters,
            Self::Nesting => function.nesting,
        }
    }

    fn limit(self, options: &RuleOptions) -> u32 {
        match self {
            Self::Cognitive => options.max_cognitive,
            Self::Cyclomatic => options.max_cyclomatic,
            Self::Lines => options.max_function_lines,
            Self::Parameters => options.max_parameters,
            Self::Nesting => options.max_nesting,
        }
    }

    /// Whether it counts the ways through a function, rather than its size.
    fn is_of_branching(self) -> bool {
        match self {
            Self::Cognitive | Self::Cyclomatic | Self::Nesting => true,
            Self::Lines | Self::Parameters => false,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Cognitive => "cognitive complexity",
            Self::Cyclomatic => "cyclomatic complexity",
            Self::Lines => "length in lines",
            Self::Parameters => "number of parameters",
            Self::Nesting => "nesting depth",
        }
    }
}

/// A measure that is above its limit because of the change.
struct Crossed {
    measure: Measure,
    before: Option<u32>,
    after: u32,
    limit: u32,
}

/// What a change pushed over a limit, or further above it by a tenth.
fn crossed(after: &FunctionMetrics, before: Option<&FunctionMetrics>, options: &RuleOptions) -> Vec<Crossed> {
    Measure::ALL
        .into_iter()
        .filter_map(|measure| {
            let limit = measure.limit(options);
            let (now, earlier) = (measure.of(after), before.map(|function| measure.of(function)));
            // A tenth of the limit, and of what it was: what is far too large already is not news when it grows a bit; and
            // three, or a fifth where that is less: one more case in a function that stands at its limit is none either.
            let grows = |earlier: u32| {
                let least = earlier.max(limit).div_ceil(10).max(limit.div_ceil(5).min(3));
                now >= earlier.saturating_add(least)
            };
            let counts = now > limit && earlier.is_none_or(grows);
            counts.then_some(Crossed { measure, before: earlier, after: now, limit })
        })
        .collect()
}

/// Where a change touches the head, and how its lines went before.
struct Touched {
    /// Lines of the head that were added, or that stand where lines were removed; sorted.
    lines: Vec<u32>,
    /// For each hunk: where it starts in the head, and how far the head's numbers are ahead of the base's before it
    /// and behind it.
    shifts: Vec<(u32, i64, i64)>,
    added: Vec<u32>,
    /// Lines of the head that the diff shows: what was added, and what stands beside it.
    shown: Vec<u32>,
}

impl Touched {
    fn of(file: &FileChange) -> Self {
        let mut touched =
            Self { lines: Vec::new(), shifts: Vec::new(), added: Vec::new(), shown: Vec::new() };
        for hunk in file.hunks() {
            let (mut next, mut shift) =
                (hunk.new_start, i64::from(hunk.new_start) - i64::from(hunk.old_start));
            let before = shift;
            for line in hunk.lines() {
                touched.shown.extend(line.new);
                match line.kind {
                    LineKind::Added => {
                        touched.lines.push(next);
                        // A finding is shown on a line, and a blank one shows nothing.
                        if !line.text.trim().is_empty() {
                            touched.added.push(next);
                        }
                        shift += 1;
                    }
                    LineKind::Removed => {
                        touched.lines.push(next);
                        shift -= 1;
                    }
                    LineKind::Context => {}
                }
                next = line.new.map_or(next, |number| number.saturating_add(1));
            }
            touched.shifts.push((hunk.new_start, before, shift));
        }
        touched.lines.dedup();
        touched
    }

    fn touches(&self, lines: &RangeInclusive<u32>) -> bool {
        first_in(&self.lines, lines).is_some()
    }

    /// About where a line of the head was in the base.
    fn base_line(&self, head_line: u32) -> i64 {
        let passed = self.shifts.iter().take_while(|(start, ..)| *start <= head_line).last();
        let shift = match passed {
            Some((_, _, after)) => *after,
            None => self.shifts.first().map_or(0, |(_, before, _)| *before),
        };
        i64::from(head_line) - shift
    }

    /// What a function of the head was in the base: the nearest of its name, or, if it is called anew, the one that
    /// stood in its place and is gone.
    fn counterpart<'a>(
        &self,
        function: &FunctionMetrics,
        after: &[FunctionMetrics],
        before: &'a [FunctionMetrics],
    ) -> Option<&'a FunctionMetrics> {
        let place = self.base_line(function.start_line);
        let distance = |other: &&FunctionMetrics| (i64::from(other.start_line) - place).abs();
        let namesake = before.iter().filter(|other| other.name == function.name).min_by_key(distance);
        namesake.filter(|_| function.name.is_some()).or_else(|| {
            before
                .iter()
                .filter(|other| other.name.is_none() || !after.iter().any(|kept| kept.name == other.name))
                .filter(|other| distance(other) <= RENAME_DISTANCE)
                .min_by_key(distance)
        })
    }
}

/// How many lines a function that is called anew may have moved and still be the same one.
const RENAME_DISTANCE: i64 = 3;

fn first_in(lines: &[u32], range: &RangeInclusive<u32>) -> Option<u32> {
    let from = lines.partition_point(|line| line < range.start());
    lines.get(from).copied().filter(|line| range.contains(line))
}

fn finding(
    touched: &Touched,
    lines: &[&str],
    path: &RepoPath,
    quotes: &mut place::Quotes<'_>,
    suspect: &Suspect,
) -> Finding {
    let function = &suspect.after;
    let name = spoken_name(function);
    let worst = &suspect.crossed[0];
    let title = match worst.before {
        Some(earlier) => format!("{name}: {} {earlier} → {}", worst.measure.name(), worst.after),
        None => format!("{name} is new, with a {} of {}", worst.measure.name(), worst.after),
    };
    let measures: Vec<_> = suspect
        .crossed
        .iter()
        .map(|one| match one.before {
            Some(earlier) => {
                format!("{} {earlier} → {} (limit {})", one.measure.name(), one.after, one.limit)
            }
            None => format!("{} {} (limit {})", one.measure.name(), one.after, one.limit),
        })
        .collect();
    let change = if suspect.is_new { "is added with" } else { "now has" };
    let body = format!(
        "{}. {name} {change} more cases than a reader can hold in mind, and the next change to it misses one. Splitting \
         it where it does one thing keeps that from happening.",
        capitalized(&measures.join("; "))
    );
    // The declaration if the diff shows it, else the first added line inside that is no comment: a finding is shown on the diff.
    let text = |line: u32| lines.get(line as usize - 1).copied().unwrap_or_default();
    let inside = lines_of(function);
    let line = if touched.shown.binary_search(&function.start_line).is_ok() {
        function.start_line
    } else {
        let from = touched.added.partition_point(|line| line < inside.start());
        let mut added = touched.added[from..].iter().copied().take_while(|line| inside.contains(line));
        let first = added.clone().next();
        added.find(|line| !is_comment(text(*line))).or(first).unwrap_or(function.start_line)
    };
    Finding {
        category: category(),
        severity: severity(&suspect.crossed),
        file: path.clone(),
        lines: Some((line, line)),
        side: Side::Head,
        quote: quotes.line(line, || text(line)),
        title: capitalized(&title),
        body,
        rule: Some(RULE.to_owned()),
    }
}

/// Whether a line looks like a comment, in one of the languages.
fn is_comment(line: &str) -> bool {
    ["//", "#", "/*", "*", "\"\"\""].iter().any(|mark| line.trim_start().starts_with(mark))
}

/// Medium where a measure of branching is a quarter above its limit, and by at least that much because of the change; low
/// where it is just over, and for size alone.
fn severity(crossed: &[Crossed]) -> Severity {
    let is_far = |one: &Crossed| {
        let quarter = one.limit.div_ceil(4);
        one.after > one.limit + quarter && one.after - one.before.unwrap_or(0) >= quarter
    };
    if crossed.iter().any(|one| one.measure.is_of_branching() && is_far(one)) {
        Severity::Medium
    } else {
        Severity::Low
    }
}

/// The longest name that is repeated in a finding's own words.
const MAX_NAME_BYTES: usize = 60;

/// The function's name if it is a plain one: what is not could be the author's prose.
fn spoken_name(function: &FunctionMetrics) -> String {
    let is_plain = |name: &&String| {
        name.len() <= MAX_NAME_BYTES
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b':' | b'.'))
    };
    match function.name.as_ref().filter(is_plain) {
        Some(name) => format!("{name}()"),
        None => "this function".to_owned(),
    }
}

/// Starts a sentence, if it does not start with a function's name.
fn capitalized(text: &str) -> String {
    let starts_with_name = text.split(' ').next().is_some_and(|word| word.contains("()"));
    if starts_with_name {
        return text.to_owned();
    }
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests;
