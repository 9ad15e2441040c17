//! Functions that a change makes harder to understand: measured before and after, reported as the difference.

use std::ops::RangeInclusive;

use code::{CodeError, FunctionMetrics, Language, Report, functions, language_of};
use review::change::{Content, Operation};
use review::{Category, FileChange, Finding, Lens, LineKind, Severity, Side};

use crate::catalogue::RuleInfo;
use crate::secrets::redact_text;
use crate::{Examined, FileReport, FileView, RuleOptions, place};

const RULE: &str = "complexity/function";

/// Lists the rules.
pub(crate) fn catalogue() -> impl Iterator<Item = RuleInfo> {
    [RuleInfo {
        id: RULE,
        lens: Lens::Complexity,
        category: category(),
        severity: Severity::Medium,
        summary: "a changed function crosses a threshold of complexity, or grows above it".to_owned(),
        keywords: &[],
        form: "",
    }]
    .into_iter()
}

fn category() -> Category {
    Category::parse("complexity/function", Lens::Complexity)
}

/// Measures the changed functions of a file in a language that can be parsed.
pub(crate) fn review(view: &FileView<'_>, options: &RuleOptions, report: &mut FileReport) -> Examined {
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
    match compare(file, language, view.base.filter(|_| !is_new), head, options) {
        Ok(compared) => {
            report.findings.extend(compared.findings);
            if compared.has_syntax_errors {
                report.notes.push(format!(
                    "parts of {} could not be parsed as {}; functions there are not measured",
                    file.path,
                    language.name()
                ));
            }
            Examined::All
        }
        Err(error) => Examined::Failed(error.to_string()),
    }
}

struct Compared {
    findings: Vec<Finding>,
    has_syntax_errors: bool,
}

fn compare(
    file: &FileChange,
    language: Language,
    base: Option<&str>,
    head: &str,
    options: &RuleOptions,
) -> Result<Compared, CodeError> {
    let touched = Touched::of(file);
    if touched.lines.is_empty() {
        return Ok(Compared { findings: Vec::new(), has_syntax_errors: false });
    }
    let after = functions(language, head)?;
    let suspects: Vec<_> = after
        .functions
        .iter()
        .filter(|function| {
            touched.touches(&lines_of(function)) && !crossed(function, None, options).is_empty()
        })
        .collect();
    // Most files end here, without a look at the base.
    let before = match base {
        Some(base) if !suspects.is_empty() => functions(language, base)?,
        Some(_) | None => Report { functions: Vec::new(), has_syntax_errors: false },
    };
    let findings = suspects
        .into_iter()
        .filter_map(|function| {
            let earlier = touched.counterpart(function, &after.functions, &before.functions);
            let crossed = crossed(function, earlier, options);
            (!crossed.is_empty()).then(|| finding(file, head, &touched, function, earlier, &crossed))
        })
        .collect();
    Ok(Compared { findings, has_syntax_errors: after.has_syntax_errors })
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

/// What a change pushed over a limit, or further above it by a tenth of the limit.
fn crossed(after: &FunctionMetrics, before: Option<&FunctionMetrics>, options: &RuleOptions) -> Vec<Crossed> {
    Measure::ALL
        .into_iter()
        .filter_map(|measure| {
            let limit = measure.limit(options);
            let (now, earlier) = (measure.of(after), before.map(|function| measure.of(function)));
            let least_growth = limit.div_ceil(10).max(1);
            let counts = match earlier {
                Some(earlier) if earlier > limit => now >= earlier + least_growth,
                Some(_) | None => now > limit,
            };
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
}

impl Touched {
    fn of(file: &FileChange) -> Self {
        let mut touched = Self { lines: Vec::new(), shifts: Vec::new(), added: Vec::new() };
        for hunk in file.hunks() {
            let (mut next, mut shift) =
                (hunk.new_start, i64::from(hunk.new_start) - i64::from(hunk.old_start));
            let before = shift;
            for line in hunk.lines() {
                match line.kind {
                    LineKind::Added => {
                        touched.lines.push(next);
                        touched.added.push(next);
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
    file: &FileChange,
    head: &str,
    touched: &Touched,
    function: &FunctionMetrics,
    before: Option<&FunctionMetrics>,
    crossed: &[Crossed],
) -> Finding {
    let name = spoken_name(function);
    let worst = &crossed[0];
    let title = match worst.before {
        Some(earlier) => format!("{name}: {} {earlier} → {}", worst.measure.name(), worst.after),
        None => format!("{name}: new, with a {} of {}", worst.measure.name(), worst.after),
    };
    let measures: Vec<_> = crossed
        .iter()
        .map(|one| match one.before {
            Some(earlier) => {
                format!("{} {earlier} → {} (limit {})", one.measure.name(), one.after, one.limit)
            }
            None => format!("{} {} (limit {})", one.measure.name(), one.after, one.limit),
        })
        .collect();
    let state = if before.is_some() { "after this change" } else { "as it is added here" };
    let body = format!(
        "{}. The next person to change {name} has more cases to hold in mind than can be held {state}: a branch is \
         missed, and no test says so. Splitting it where it does one thing keeps that from happening.",
        capitalized(&measures.join("; "))
    );
    // The declaration if the change shows it, else the first added line inside: a finding is shown on the diff.
    let line = if touched.added.binary_search(&function.start_line).is_ok() {
        function.start_line
    } else {
        first_in(&touched.added, &lines_of(function)).unwrap_or(function.start_line)
    };
    let text = head.split('\n').nth(line as usize - 1).unwrap_or_default();
    Finding {
        category: category(),
        severity: severity(crossed),
        file: file.path.clone(),
        lines: Some((line, line)),
        side: Side::Head,
        quote: place::quote(&redact_text(text).0, 0),
        title,
        body,
        rule: Some(RULE.to_owned()),
    }
}

/// Medium where a measure is a quarter above its limit, low where it is just over.
fn severity(crossed: &[Crossed]) -> Severity {
    let far = crossed.iter().any(|one| u64::from(one.after) * 4 > u64::from(one.limit) * 5);
    if far { Severity::Medium } else { Severity::Low }
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

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
