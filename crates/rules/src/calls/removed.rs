//! Protections that a change takes away while what they protected stays.

use std::collections::BTreeSet;

use code::Language;
use review::{FileChange, Hunk, LineKind, Severity};

use super::danger::Danger;
use super::value::Origin;
use crate::catalogue::{Example, Needs, Rule};

pub(super) static ESCAPING: Rule = Rule {
    id: "calls/escaping-removed",
    category: "security/injection",
    severity: Severity::Medium,
    summary: "a value that was escaped or checked against injection no longer is",
    reason: "Somebody put the escaping there for a reason, and the value is still used. If another place does it now, \
             that place should be in the same change.",
    needs: Needs::Diff,
    bad: Example {
        path: "wiki/page.py",
        beside: &[],
        before: Some("def heading(title):\n    title = escape(title)\n    return HEADING % title\n"),
        after: "def heading(title):\n    return HEADING % title\n",
    },
    good: Example {
        path: "wiki/page.py",
        beside: &[],
        before: Some("def heading(title):\n    title = escape(title)\n    return HEADING % title\n"),
        after: "def heading(title):\n    return HEADING % html.escape(title)\n",
    },
};

pub(super) static PATH: Rule = Rule {
    id: "calls/path-check-removed",
    category: "security/path-traversal",
    severity: Severity::Medium,
    summary: "a path that was cut to its last part, or checked, no longer is",
    reason: "Without the check a name with ../ in it reaches files outside of the folder that was meant, and the name is \
             still used.",
    needs: Needs::Diff,
    bad: Example {
        path: "export/size.py",
        beside: &[],
        before: Some(
            "def size(folder, name):\n    path = join(folder, os.path.basename(name))\n    return getsize(path)\n",
        ),
        after: "def size(folder, name):\n    path = join(folder, name)\n    return getsize(path)\n",
    },
    good: Example {
        path: "export/size.py",
        beside: &[],
        before: Some(
            "def size(folder, name):\n    path = join(folder, os.path.basename(name))\n    return getsize(path)\n",
        ),
        after: "def size(folder, name):\n    path = join(folder, secure_filename(name))\n    return getsize(path)\n",
    },
};

pub(super) static ACCESS: Rule = Rule {
    id: "calls/access-check-removed",
    category: "security/authorization",
    severity: Severity::Medium,
    summary: "a check of who may do this is removed",
    reason: "What stood behind the check is still there, and now everybody can reach it. If the check has moved, the \
             place where it is now should be in the same change.",
    needs: Needs::Diff,
    bad: Example {
        path: "shop/views.py",
        beside: &[],
        before: Some("@login_required\ndef orders(request):\n    return render(request, 'orders.html')\n"),
        after: "def orders(request):\n    return render(request, 'orders.html')\n",
    },
    good: Example {
        path: "shop/views.py",
        beside: &[],
        before: Some("@login_required\ndef orders(request):\n    return render(request, 'orders.html')\n"),
        after: "@permission_required('shop.orders')\ndef orders(request):\n    return render(request, 'orders.html')\n",
    },
};

pub(super) static BOUNDS: Rule = Rule {
    id: "calls/bounds-check-removed",
    category: "security/memory",
    severity: Severity::Low,
    summary: "a check of a length or an index is removed, and the length or the index is still used",
    reason: "The check kept what follows from reading or writing outside of the buffer for input that is too long or too \
             short, and what follows is still there.",
    needs: Needs::Diff,
    bad: Example {
        path: "src/frame.c",
        beside: &[],
        before: Some(
            "int head(const unsigned char *buf, int len)\n{\n\tif (len < 4)\n\t\treturn -1;\n\treturn buf[3] | buf[len - 1];\n}\n",
        ),
        after: "int head(const unsigned char *buf, int len)\n{\n\treturn buf[3] | buf[len - 1];\n}\n",
    },
    good: Example {
        path: "src/frame.c",
        beside: &[],
        before: Some(
            "int head(const unsigned char *buf, int len)\n{\n\tif (len < 4)\n\t\treturn -1;\n\treturn buf[3] | buf[len - 1];\n}\n",
        ),
        after: "int head(const unsigned char *buf, int len)\n{\n\tif (len < HEAD_BYTES)\n\t\treturn -1;\n\treturn buf[3] | buf[len - 1];\n}\n",
    },
};

/// What a name protects from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Against {
    Injection,
    Traversal,
    Strangers,
}

/// Compares what each hunk takes away with what it brings.
pub(super) fn look(language: Language, file: &FileChange, known: &[Danger]) -> Vec<Danger> {
    let mut dangers = Vec::new();
    for against in [Against::Injection, Against::Traversal, Against::Strangers] {
        // What is taken away here and brought there has moved.
        let (removed, added) = file.hunks().iter().fold((0, 0), |(removed, added), hunk| {
            (removed + count(hunk, LineKind::Removed, against), added + count(hunk, LineKind::Added, against))
        });
        if removed <= added {
            continue;
        }
        for hunk in file.hunks() {
            dangers.extend(protection(hunk, against, language));
        }
    }
    if matches!(language, Language::C | Language::Cpp) {
        dangers.extend(file.hunks().iter().filter_map(bounds));
    }
    // A value that is followed to its end says more than the protection that is gone.
    dangers.retain(|danger| known.iter().all(|other| other.lines.0.abs_diff(danger.lines.0) > 3));
    dangers
}

fn count(hunk: &Hunk, kind: LineKind, against: Against) -> usize {
    hunk.lines()
        .filter(|line| line.kind == kind && is_code(line.text))
        .flat_map(|line| names(line.text))
        .filter(|name| protects(name) == Some(against))
        .count()
}

/// A line that is neither a comment nor an import.
fn is_code(line: &str) -> bool {
    let line = line.trim_start();
    !["#", "//", "*", "/*", "import ", "from ", "use ", "require", "\"\"\"", "--"]
        .iter()
        .any(|start| line.starts_with(start))
        || line.starts_with("#[")
}

/// The names of a line.
fn names(line: &str) -> impl Iterator<Item = &str> {
    line.split(|sign: char| !(sign.is_ascii_alphanumeric() || sign == '_')).filter(|name| {
        name.starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '_') && name.len() > 1
    })
}

/// The words that a name is made of, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last_lower = false;
    for sign in name.chars() {
        if sign == '_' {
            words.push(String::new());
            last_lower = false;
            continue;
        }
        if sign.is_ascii_uppercase() && last_lower || words.is_empty() {
            words.push(String::new());
        }
        last_lower = sign.is_ascii_lowercase() || sign.is_ascii_digit();
        if let Some(word) = words.last_mut() {
            word.push(sign.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What a function, a class or a decorator of this name protects from.
fn protects(name: &str) -> Option<Against> {
    let words = words(name);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    let squeezed = words.concat();
    // These take a protection away.
    if matches!(squeezed.as_str(), "htmlsafe" | "marksafe" | "safestring") {
        return None;
    }
    if squeezed.starts_with("un") && has(&["unescape", "unquote"]) {
        return None;
    }
    let checks = has(&[
        "check",
        "valid",
        "validate",
        "validates",
        "verify",
        "is",
        "ensure",
        "assert",
        "clean",
        "safe",
        "correct",
        "secure",
        "allowed",
        "require",
        "sanitize",
    ]);
    if has(&["basename", "realpath"])
        || checks && has(&["path", "filename", "filepath", "dirname", "basename"])
        || matches!(squeezed.as_str(), "safejoin" | "securefilename")
        || checks && words.ends_with(&["file".to_owned(), "name".to_owned()])
    {
        return Some(Against::Traversal);
    }
    if matches!(
        squeezed.as_str(),
        "loginrequired"
            | "permissionrequired"
            | "csrfprotect"
            | "preauthorize"
            | "requireauth"
            | "requirelogin"
            | "authrequired"
            | "adminrequired"
            | "staffmemberrequired"
            | "permissionclasses"
            | "protectfromforgery"
            | "verifyauthenticitytoken"
            | "authenticateuser"
            | "requirepermission"
            | "isauthenticated"
            | "userpassestest"
            | "rolesallowed"
            | "checkpermission"
            | "checkpermissions"
            | "requirerole"
            | "tokenrequired"
            | "jwtrequired"
            | "adminonly"
            | "requireadmin"
            | "ensureauthenticated"
            | "ensureloggedin"
    ) {
        return Some(Against::Strangers);
    }
    if has(&[
        "escape",
        "sanitize",
        "sanitise",
        "sanitizer",
        "htmlspecialchars",
        "htmlentities",
        "bleach",
        "escapeshellarg",
        "escapeshellcmd",
        "shlex",
    ]) || checks && has(&["injection", "redirect", "url", "html", "sql", "host", "origin"])
        || squeezed.contains("forhtml")
        || squeezed.contains("htmlescape")
        || squeezed.contains("escapehtml")
        || squeezed.contains("escapestring")
        || matches!(
            squeezed.as_str(),
            "formathtml"
                | "dompurify"
                | "htmlencode"
                | "striptags"
                | "tohtmlescaped"
                | "shellescape"
                | "quoteident"
                | "urlhasallowedhostandscheme"
        )
    {
        return Some(Against::Injection);
    }
    None
}

/// The first protection that a hunk takes away from something it keeps.
fn protection(hunk: &Hunk, against: Against, language: Language) -> Option<Danger> {
    let lines: Vec<_> = hunk.lines().collect();
    let kept_here = lines
        .iter()
        .filter(|line| line.kind == LineKind::Added && is_code(line.text))
        .any(|line| names(line.text).any(|name| protects(name) == Some(against)));
    if kept_here {
        return None;
    }
    for (index, line) in lines.iter().enumerate() {
        if line.kind != LineKind::Removed || !is_code(line.text) {
            continue;
        }
        let Some(name) =
            names(line.text).find(|name| protects(name) == Some(against) && is_used(line.text, name))
        else {
            continue;
        };
        // A definition that goes is another matter: what called it is seen where it stood.
        if is_definition(line.text, name) {
            continue;
        }
        let protected: BTreeSet<_> = match against {
            Against::Strangers => BTreeSet::new(),
            Against::Injection | Against::Traversal => {
                let tools = tools(line.text, name);
                names(line.text)
                    .filter(|other| *other != name && !is_common(other) && protects(other).is_none())
                    .filter(|other| !tools.contains(other))
                    .collect()
            }
        };
        let uses = |text: &str| match against {
            Against::Strangers => is_function_head(text),
            Against::Injection | Against::Traversal => names(text).any(|name| protected.contains(name)),
        };
        let behind = &lines[index + 1..lines.len().min(index + 1 + REACH)];
        let round = &lines[index.saturating_sub(REACH)..lines.len().min(index + 1 + REACH)];
        // An added line that does the same without, else the next line that uses what was protected.
        let place = round
            .iter()
            .find(|line| line.kind == LineKind::Added && is_code(line.text) && uses(line.text))
            .or_else(|| {
                behind
                    .iter()
                    .find(|line| line.kind != LineKind::Removed && is_code(line.text) && uses(line.text))
            });
        if let Some(number) = place.and_then(|line| line.new) {
            let (rule, what) = match against {
                Against::Injection => (&ESCAPING, "what it made harmless goes on as it came"),
                Against::Traversal => (&PATH, "a name with ../ in it goes on as it came"),
                Against::Strangers => (&ACCESS, "whoever can reach the address can do it"),
            };
            let body = format!(
                "This change removes {} (line {} before it) and keeps what follows: {what}. Unless another place does the \
                 same now, an input that it stopped gets through.",
                shown(name),
                line.old.unwrap_or_default()
            );
            let _ = language;
            return Some(gone(rule, number, body));
        }
    }
    None
}

/// How many lines behind a protection still belong to it.
const REACH: usize = 12;

fn gone(rule: &'static Rule, line: u32, body: String) -> Danger {
    Danger {
        rule,
        severity: rule.severity,
        lines: (line, line),
        bytes: (0, 0),
        way: Vec::new(),
        origin: Origin::Constant,
        key: String::new(),
        other_keys: Vec::new(),
        body,
    }
}

/// The objects that a protection is a method of, where it is given what it protects: `db` of `db.escape(name)`. Those of
/// `name.escape()` are what it protects.
fn tools<'a>(line: &'a str, protection: &str) -> BTreeSet<&'a str> {
    let Some((before, behind)) = line.split_once(protection) else { return BTreeSet::new() };
    let takes_something = behind.strip_prefix('(').is_some_and(|given| !given.trim_start().starts_with(')'));
    let is_of_path =
        |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '$' | '.' | ':' | '-' | '>' | '?');
    let path = &before[before.trim_end_matches(is_of_path).len()..];
    if takes_something && path.ends_with(['.', '>', ':']) { names(path).collect() } else { BTreeSet::new() }
}

/// A name as a finding may show it.
fn shown(name: &str) -> &str {
    if name.len() <= 60 { name } else { "a check" }
}

/// Whether a name is called, used as a decorator, or given as an option.
fn is_used(line: &str, name: &str) -> bool {
    let Some(at) = line.find(name) else { return false };
    let behind = line[at + name.len()..].trim_start();
    behind.starts_with(['(', '=', ')', '!', ',']) || line.trim_start().starts_with('@') || behind.is_empty()
}

fn is_definition(line: &str, name: &str) -> bool {
    let before = line.split(name).next().unwrap_or_default().trim_end();
    ["def", "function", "fn", "func", "class", "sub"].iter().any(|word| before.ends_with(word))
        || line.trim_end().ends_with('{')
            && !line.contains('=')
            && !before.ends_with('(')
            && !before.contains("if")
}

fn is_function_head(line: &str) -> bool {
    let line = line.trim_start();
    ["def ", "async def ", "function ", "public ", "class ", "func ", "router.", "app."]
        .iter()
        .any(|start| line.starts_with(start))
}

/// Names that say nothing about what a line is about.
fn is_common(name: &str) -> bool {
    matches!(
        name,
        "return"
            | "if"
            | "not"
            | "and"
            | "or"
            | "self"
            | "this"
            | "def"
            | "in"
            | "is"
            | "None"
            | "null"
            | "true"
            | "false"
            | "True"
            | "False"
            | "os"
            | "path"
            | "str"
            | "string"
            | "const"
            | "let"
            | "var"
            | "new"
            | "for"
            | "else"
            | "elif"
            | "raise"
            | "throw"
            | "char"
            | "int"
            | "void"
            | "static"
            | "std"
            | "auto"
            | "any"
            | "bool"
            | "html"
            | "utils"
            | "util"
            | "join"
            | "class"
            | "format"
            | "cgi"
            | "cls"
            | "json"
            | "dumps"
            | "args"
            | "get"
            | "error"
            | "except"
            | "try"
            | "end"
            | "do"
            | "unless"
    )
}

/// A comparison that guarded a length, an index or a pointer, gone while what it guarded is used behind it.
fn bounds(hunk: &Hunk) -> Option<Danger> {
    let lines: Vec<_> = hunk.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        if line.kind != LineKind::Removed {
            continue;
        }
        let Some(condition) = line.text.trim_start().strip_prefix("if").map(str::trim_start) else {
            continue;
        };
        if !condition.starts_with('(') || !compares(condition) {
            continue;
        }
        // It leaves if the check fails: in its own line or one of the next ones, which are gone as well.
        let leaves = lines[index..lines.len().min(index + 5)]
            .iter()
            .take_while(|next| next.kind == LineKind::Removed)
            .any(|next| {
                ["return", "goto", "break", "continue", "throw", "abort", "exit", "fatal"]
                    .iter()
                    .any(|word| names(next.text).any(|name| name == *word))
            });
        if !leaves {
            continue;
        }
        let guarded: BTreeSet<_> = names(condition)
            .filter(|name| {
                !is_common(name)
                    && *name != "sizeof"
                    && !name
                        .bytes()
                        .all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit())
            })
            .collect();
        let kept = lines
            .iter()
            .filter(|line| line.kind == LineKind::Added)
            .any(|line| line.text.contains("if") && names(line.text).any(|name| guarded.contains(name)));
        if kept || guarded.is_empty() {
            continue;
        }
        let uses = |text: &str| {
            names(text).any(|name| guarded.contains(name))
                || text.contains('[') && names(condition).any(is_length)
        };
        let place = lines[index + 1..]
            .iter()
            .take(REACH * 2)
            .find(|line| line.kind != LineKind::Removed && uses(line.text) && touches_memory(line.text));
        if let Some(number) = place.and_then(|line| line.new) {
            let body = format!(
                "This change removes a check (line {} before it) and keeps what it stood in front of: input that the check \
                 refused now reaches a read or a write of memory.",
                line.old.unwrap_or_default()
            );
            return Some(gone(&BOUNDS, number, body));
        }
    }
    None
}

/// Whether a condition compares a size or an index, or asks for a missing pointer.
fn compares(condition: &str) -> bool {
    let by_size = condition.contains(['<', '>']) && !condition.contains("->")
        || condition.replace("->", "").contains(['<', '>']);
    by_size && (names(condition).any(is_length) || condition.contains("sizeof") || condition.contains("MAX"))
}

fn is_length(name: &str) -> bool {
    words(name).iter().any(|word| {
        matches!(
            word.as_str(),
            "len"
                | "length"
                | "size"
                | "sz"
                | "count"
                | "num"
                | "idx"
                | "index"
                | "offset"
                | "off"
                | "pos"
                | "bytes"
                | "end"
                | "remaining"
                | "avail"
                | "width"
                | "height"
                | "itemlen"
                | "buflen"
                | "n"
                | "nbytes"
                | "datalen"
                | "ptr"
                | "left"
        ) || word.ends_with("len")
            || word.ends_with("size")
    })
}

fn touches_memory(line: &str) -> bool {
    line.contains('[') || line.contains("->") || line.contains('*') || line.contains('(')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_they_protect_from() {
        let cases = [
            ("escape", Some(Against::Injection)),
            ("sanitize_html", Some(Against::Injection)),
            ("htmlspecialchars", Some(Against::Injection)),
            ("checkRedirectUrl", Some(Against::Injection)),
            ("basename", Some(Against::Traversal)),
            ("is_correct_filename", Some(Against::Traversal)),
            ("safe_join", Some(Against::Traversal)),
            ("login_required", Some(Against::Strangers)),
            ("unescape", None),
            ("check", None),
            ("path", None),
            ("landscape", None),
        ];
        for (name, expected) in cases {
            assert_eq!(protects(name), expected, "{name}");
        }
    }

    #[test]
    fn what_a_protection_is_a_method_of_is_not_what_it_protects() {
        let tools = |line: &'static str| tools(line, "escape").into_iter().collect::<Vec<_>>();
        assert_eq!(tools("$f = 'CN=' . $this->ldap->escape($g);"), ["ldap", "this"]);
        assert_eq!(tools("t = html.escape(title)"), ["html"]);
        assert_eq!(tools("t = title.escape()"), [""; 0]);
        assert_eq!(tools("t = escape(title)"), [""; 0]);
    }
}
