//! Functions of C that write without knowing how much room there is.

use code::{ExprKind, Language};
use review::Severity;

use super::danger::{Act, Danger, Given, Site};
use super::value::{Clean, Origin, Value};
use crate::catalogue::{Example, Needs, Rule};

pub(super) static UNBOUNDED: Rule = Rule {
    id: "calls/unbounded-copy",
    category: "security/memory",
    severity: Severity::High,
    summary: "text is written into a buffer without a limit",
    reason: "Text that is longer than the buffer overwrites what lies behind it: variables, return addresses. Functions \
             that take the size of the buffer stop there.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "src/name.c",
        beside: &[],
        before: Some("#include <string.h>\n"),
        after: "#include <string.h>\n\nvoid greet(const char *name)\n{\n    char line[32];\n    strcpy(line, name);\n    show(line);\n}\n",
    },
    good: Example {
        path: "src/name.c",
        beside: &[],
        before: Some("#include <string.h>\n"),
        after: "#include <string.h>\n\nvoid greet(const char *name)\n{\n    char line[32];\n    snprintf(line, sizeof(line), \"%s\", name);\n    show(line);\n}\n",
    },
};

pub(super) static FORMAT: Rule = Rule {
    id: "calls/format-string",
    category: "security/memory",
    severity: Severity::High,
    summary: "a value is used as the format of a message",
    reason: "Signs such as %n and %s in it read and write memory that was not meant. With \"%s\" as the format the value \
             is only shown.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "src/log.c",
        beside: &[],
        before: Some("#include <stdio.h>\n"),
        after: "#include <stdio.h>\n\nvoid say(const char *line)\n{\n    printf(line);\n}\n",
    },
    good: Example {
        path: "src/log.c",
        beside: &[],
        before: Some("#include <stdio.h>\n"),
        after: "#include <stdio.h>\n\nvoid say(const char *line)\n{\n    printf(\"%s\", line);\n}\n",
    },
};

pub(super) static OVERFLOW: Rule = Rule {
    id: "calls/size-overflow",
    category: "security/memory",
    severity: Severity::Medium,
    summary: "the size of an allocation is a product that can overflow",
    reason: "Two large numbers from a file or the network give a small product: the allocation succeeds, is too small, \
             and what is written next lands behind it. calloc, or a check by division, notices.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "src/image.c",
        beside: &[],
        before: Some("#include <stdlib.h>\n"),
        after: "#include <stdlib.h>\n\nunsigned char *pixels(unsigned width, unsigned height)\n{\n    return malloc(width * height * 4);\n}\n",
    },
    good: Example {
        path: "src/image.c",
        beside: &[],
        before: Some("#include <stdlib.h>\n"),
        after: "#include <stdlib.h>\n\nunsigned char *pixels(unsigned width, unsigned height)\n{\n    if (height != 0 && width > SIZE_MAX / 4 / height)\n        return NULL;\n    return malloc(width * height * 4);\n}\n",
    },
};

pub(super) fn look(site: &Site<'_>, dangers: &mut Vec<Danger>) {
    if !matches!(site.language, Language::C | Language::Cpp) {
        return;
    }
    let Act::Call { path, arguments, .. } = &site.act else { return };
    let path = path.trim_start_matches("std.");
    copy(site, path, arguments, dangers);
    format(site, path, arguments, dangers);
    allocation(site, path, arguments, dangers);
}

fn copy(site: &Site<'_>, path: &str, arguments: &[Given<'_>], dangers: &mut Vec<Danger>) {
    if path == "gets" && arguments.len() == 1 {
        let body = "gets() cannot be told the size of the buffer: any line longer than it overwrites memory. Use fgets().";
        dangers.push(site.danger(&UNBOUNDED, Severity::High, body.to_owned()));
        return;
    }
    let (to, from) = match (path, arguments) {
        ("strcpy" | "strcat" | "stpcpy" | "wcscpy" | "lstrcpyA" | "lstrcpy", [to, from]) => (to, Some(from)),
        ("sprintf" | "vsprintf", [to, format, rest @ ..]) => {
            let format_text = format.value.known_text().unwrap_or_default();
            (to, text_argument(&format_text, rest))
        }
        _ => return,
    };
    // Only where the buffer is in sight is it known to be of fixed size.
    if !to.value.is_buffer {
        return;
    }
    let Some(from) = from else { return };
    let Some(hole) = from.value.worst(Clean::EVERYTHING) else { return };
    if hole.origin <= Origin::Unknown || from.value.is_buffer {
        return;
    }
    let words = site.function_text();
    if words.contains("strlen") || words.contains("sizeof") && path != "sprintf" {
        return;
    }
    let severity = if hole.origin == Origin::Parameter { Severity::Medium } else { Severity::High };
    let harm =
        "Text longer than the buffer overwrites what lies behind it. Use a function that is told the size.";
    dangers.push(site.danger_of(&UNBOUNDED, severity, hole, &from.value, harm));
}

/// The argument that a format takes as text without a limit.
fn text_argument<'a, 'g>(format: &str, rest: &'a [Given<'g>]) -> Option<&'a Given<'g>> {
    let mut index = 0;
    let mut signs = format.bytes().peekable();
    while let Some(sign) = signs.next() {
        if sign != b'%' {
            continue;
        }
        match signs.next() {
            Some(b'%') => {}
            Some(b's') => return rest.get(index),
            Some(_) => {
                while signs.peek().is_some_and(|next| !next.is_ascii_alphabetic()) {
                    signs.next();
                }
                index += 1;
            }
            None => break,
        }
    }
    None
}

fn format(site: &Site<'_>, path: &str, arguments: &[Given<'_>], dangers: &mut Vec<Danger>) {
    let place = match path {
        "printf" | "vprintf" => 0,
        "fprintf" | "sprintf" | "syslog" | "dprintf" => 1,
        "snprintf" => 2,
        _ => return,
    };
    // With more arguments the format is a value on purpose.
    if arguments.len() != place + 1 {
        return;
    }
    let Some(given) = arguments.get(place) else { return };
    let is_plain = matches!(
        given.expr.kind,
        ExprKind::Name(_) | ExprKind::Member(..) | ExprKind::Index(..) | ExprKind::Call(_)
    );
    if let Some(hole) = given.value.worst(Clean::EVERYTHING)
        && hole.origin > Origin::Unknown
        && is_plain
    {
        let severity = if hole.origin == Origin::Parameter { Severity::Medium } else { Severity::High };
        let harm = "A % in it reads or writes memory that was not meant. Print it with \"%s\".";
        dangers.push(site.danger_of(&FORMAT, severity, hole, &given.value, harm));
    }
}

fn allocation(site: &Site<'_>, path: &str, arguments: &[Given<'_>], dangers: &mut Vec<Danger>) {
    let place = match path {
        "malloc" | "alloca" | "kmalloc" | "g_malloc" | "xmalloc" | "vmalloc" | "valloc"
        | "_aligned_malloc" | "av_malloc" => 0,
        "realloc" | "g_realloc" | "xrealloc" | "krealloc" => 1,
        _ => return,
    };
    let Some(given) = arguments.get(place) else { return };
    let mut factors = Vec::new();
    factors_of(given.expr, &mut factors);
    let unknown: Vec<_> = factors.iter().filter(|factor| is_runtime(factor)).collect();
    if unknown.len() < 2 {
        return;
    }
    // Somebody has thought of it.
    let words = site.function_text().to_ascii_lowercase();
    if ["overflow", "_max", "size_t", "uint64", "too large", "too big"]
        .iter()
        .any(|guard| words.contains(guard))
        || words.contains(" / ")
    {
        return;
    }
    let parameters = unknown
        .iter()
        .filter(|factor| {
            factor.path().is_some_and(|path| {
                let first = path.split(['.', '[', '(']).next().unwrap_or_default().to_owned();
                site.scene.parameters.iter().any(|(name, _)| *name == first)
            })
        })
        .count();
    if parameters < 2 {
        return;
    }
    let _: &Value = &given.value;
    let body = format!(
        "{} is given a product of two numbers of the caller's: large ones overflow, the allocation is too small, and \
         what is written next lands behind it. Use calloc(), or check by division first.",
        site.spoken()
    );
    dangers.push(site.danger(&OVERFLOW, Severity::Medium, body));
}

fn factors_of<'e>(expr: &'e code::Expr, found: &mut Vec<&'e code::Expr>) {
    if let ExprKind::Operator(operator, operands) = &expr.kind
        && operator == "*"
        && operands.len() > 1
    {
        operands.iter().for_each(|operand| factors_of(operand, found));
    } else if let ExprKind::Join(parts) = &expr.kind {
        parts.iter().for_each(|part| factors_of(part, found));
    } else {
        found.push(expr);
    }
}

fn is_runtime(expr: &code::Expr) -> bool {
    let is_constant = |name: &str| {
        name.chars().all(|sign| sign.is_ascii_uppercase() || sign == '_' || sign.is_ascii_digit())
    };
    expr.last_name().is_some_and(|name| !is_constant(name))
}
