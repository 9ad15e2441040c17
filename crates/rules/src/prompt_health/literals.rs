//! Prompts that stand in a program as text: what is assigned to a name that says so, and the content of a message of the
//! system.

use code::{CodeError, Cost, Expr, ExprKind, Language, Program, Step, steps};
use review::Severity;

use crate::new_side::{AddedLines, Found};

use super::{orders, templates};

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Orders of the system.
    System,
    /// A prompt of some kind.
    Prompt,
}

/// Looks at the prompts in a program as a whole, and adds what parsing it cost.
///
/// # Errors
/// The program could not be parsed.
pub(super) fn check(
    language: Language,
    source: &str,
    added: &AddedLines<'_>,
    found: &mut Found<'_>,
    cost: &mut Cost,
) -> Result<(), CodeError> {
    let program = steps(language, source);
    *cost = cost.and(program.as_ref().map_or_else(CodeError::cost, |program| program.cost));
    for (role, text) in prompts(&program?) {
        let lines = lines_of(source, text);
        if !lines.iter().any(|(number, _)| added.get(*number).is_some()) {
            continue;
        }
        orders::check_prompt(&lines, added, found);
        let severity = match role {
            Role::System => Severity::Medium,
            Role::Prompt => Severity::Low,
        };
        for input in inputs(text) {
            let (number, name) = (input.lines.0, input.last_name().unwrap_or_default());
            let foreign = match role {
                Role::System => templates::is_foreign(name),
                Role::Prompt => templates::is_surely_foreign(name),
            };
            let owned = input.path().is_some_and(|path| templates::is_of_an_error(&path));
            if foreign && !owned && !templates::is_fenced(&lines, number, name) {
                templates::unfenced(number, name, severity, found);
            }
        }
    }
    Ok(())
}

/// The lines of a text as they are written, without the quotes that it begins with.
fn lines_of<'s>(source: &'s str, text: &Expr) -> Vec<(u32, &'s str)> {
    let written = source.get(text.bytes.0 as usize..text.bytes.1 as usize).unwrap_or_default();
    let quotes = ['"', '\'', '`'];
    let written =
        written.split_once(quotes).filter(|(before, _)| before.len() < 3).map_or(written, |it| it.1);
    (text.lines.0..).zip(written.trim_start_matches(quotes).split('\n')).collect()
}

/// What is filled into a text.
fn inputs(text: &Expr) -> Vec<&Expr> {
    match &text.kind {
        ExprKind::Join(parts) => parts.iter().flat_map(inputs).collect(),
        ExprKind::Name(_) | ExprKind::Member(..) => vec![text],
        ExprKind::Either(parts) | ExprKind::Other(parts) => parts.iter().flat_map(inputs).collect(),
        ExprKind::Text(_)
        | ExprKind::Constant(_)
        | ExprKind::Index(..)
        | ExprKind::Call(_)
        | ExprKind::List(_)
        | ExprKind::Record(_)
        | ExprKind::Operator(..)
        | ExprKind::Function(_)
        | ExprKind::Buffer(_) => Vec::new(),
    }
}

/// What a name says of the text that it stands for.
fn role_of(name: &str) -> Option<Role> {
    let name = name.to_ascii_lowercase();
    let is_of_system = name.contains("system")
        && ["prompt", "message", "instruction"].iter().any(|word| name.contains(word));
    if is_of_system || name == "system" {
        Some(Role::System)
    } else {
        name.contains("prompt").then_some(Role::Prompt)
    }
}

/// Every text of a program that is a prompt.
fn prompts(program: &Program) -> Vec<(Role, &Expr)> {
    let mut found = Vec::new();
    let mut pending: Vec<&Step> = program.body.iter().collect();
    while let Some(step) = pending.pop() {
        match step {
            Step::Set { target, value, .. } => {
                if let Some(role) = target.last_name().and_then(role_of) {
                    found.extend(text_in(value).map(|text| (role, text)));
                }
                in_expr(value, &mut found, &mut pending);
            }
            Step::Do(expr) | Step::Return(Some(expr)) | Step::Leave(Some(expr)) => {
                in_expr(expr, &mut found, &mut pending);
            }
            Step::Return(None) | Step::Leave(None) => {}
            Step::If { condition, then, otherwise } => {
                in_expr(condition, &mut found, &mut pending);
                pending.extend(then.iter().chain(otherwise));
            }
            Step::Arms(arms) => pending.extend(arms.iter().flatten()),
            Step::Switch { subject, cases } => {
                in_expr(subject, &mut found, &mut pending);
                pending.extend(cases.iter().flat_map(|case| &case.body));
            }
            Step::Define(function) => pending.extend(&function.body),
        }
    }
    // A text may be reached as a value and as what it is assigned to.
    found.sort_by_key(|(_, text)| text.bytes);
    found.dedup_by_key(|(_, text)| text.bytes);
    found
}

/// The text that a value is, by itself or as what a function like `dedent` is given.
fn text_in(value: &Expr) -> Option<&Expr> {
    let is_text = |expr: &Expr| matches!(expr.kind, ExprKind::Text(_) | ExprKind::Join(_));
    if is_text(value) {
        return Some(value);
    }
    let call = value.as_call()?;
    match (&call.callee.kind, call.arguments.as_slice()) {
        (_, [only]) => Some(&only.value).filter(|argument| is_text(argument)),
        (ExprKind::Member(object, _), []) => text_in(object),
        (_, _) => None,
    }
}

/// Looks for prompts inside of an expression.
fn in_expr<'p>(expr: &'p Expr, found: &mut Vec<(Role, &'p Expr)>, pending: &mut Vec<&'p Step>) {
    match &expr.kind {
        ExprKind::Record(entries) => {
            let role = entries.iter().find(|(name, _)| name == "role").and_then(|(_, role)| role.as_text());
            for (name, value) in entries {
                let is_of_system = name == "content" && matches!(role, Some("system" | "developer"));
                let role = if is_of_system { Some(Role::System) } else { role_of(name) };
                if let (Some(role), Some(text)) = (role, text_in(value)) {
                    found.push((role, text));
                }
                in_expr(value, found, pending);
            }
        }
        ExprKind::Call(call) => {
            in_expr(&call.callee, found, pending);
            for argument in &call.arguments {
                if let (Some(role), Some(text)) =
                    (argument.name.as_deref().and_then(role_of), text_in(&argument.value))
                {
                    found.push((role, text));
                }
                in_expr(&argument.value, found, pending);
            }
        }
        ExprKind::Member(object, _) | ExprKind::Buffer(object) => in_expr(object, found, pending),
        ExprKind::Index(object, index) => {
            in_expr(object, found, pending);
            in_expr(index, found, pending);
        }
        ExprKind::Join(parts)
        | ExprKind::List(parts)
        | ExprKind::Either(parts)
        | ExprKind::Operator(_, parts)
        | ExprKind::Other(parts) => parts.iter().for_each(|part| in_expr(part, found, pending)),
        ExprKind::Function(function) => pending.extend(&function.body),
        ExprKind::Text(_) | ExprKind::Constant(_) | ExprKind::Name(_) => {}
    }
}
