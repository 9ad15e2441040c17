//! What makes a value harmless, what passes it on, and what checks it.

use code::{Expr, ExprKind};

use super::value::Clean;

/// What a call makes its result harmless for; `None` if it is none of these.
///
/// Names are read broadly: a function that is called `sanitize` and does nothing of the kind is for a reader to find.
pub(super) fn cleans(path: &str) -> Option<Clean> {
    let name = last(path);
    let lower = name.to_ascii_lowercase();
    let whole = path.to_ascii_lowercase();
    if NUMBERS.contains(&name) || lower.starts_with("parseint") || lower.starts_with("parselong") {
        return Some(Clean::EVERYTHING);
    }
    let (sql, shell, html, path_only, url) = (Clean::SQL, Clean::SHELL, Clean::HTML, Clean::PATH, Clean::URL);
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&[
        "htmlspecialchars",
        "htmlentities",
        "escapehtml",
        "html_escape",
        "htmlescape",
        "escape_html",
        "encodeforhtml",
        "htmlencode",
        "html_encode",
        "escapexml",
        "encodeforxml",
        "encodeforjavascript",
        "escapejs",
        "striptags",
        "strip_tags",
        "dompurify",
        "bleach",
        "format_html",
        "conditional_escape",
        "tohtmlescaped",
        "htmlescapestring",
        "template_escape",
        "linebreaks",
    ]) || whole.contains("html.escape")
        || whole.contains("markupsafe")
        || whole.contains("dompurify")
        || whole.contains("bleach")
    {
        return Some(html);
    }
    if has(&[
        "encodeuricomponent",
        "urlencode",
        "url_encode",
        "queryescape",
        "pathescape",
        "encodeforurl",
        "quote_plus",
        "encodeuri",
    ]) || whole.contains("urlencoder.encode")
        || whole.contains("url.quote")
        || whole.contains("parse.quote")
        || whole.contains("url_for")
    {
        return Some(html.and(url).and(path_only).and(shell));
    }
    if whole.contains("shlex")
        || has(&["escapeshell", "shellescape", "shell_escape", "shell_quote", "shellquote", "quote_argument"])
    {
        return Some(shell);
    }
    if has(&[
        "real_escape",
        "escape_string",
        "quote_ident",
        "quoteident",
        "escape_literal",
        "quote_literal",
        "quotename",
        "escapeid",
        "escape_id",
        "sanitize_sql",
        "escapesql",
        "encodeforsql",
        "quote_name",
        "quoteidentifier",
        "escape_like",
    ]) {
        return Some(sql);
    }
    if has(&["encodeforldap", "ldapescape", "escape_filter_chars", "ldap_escape", "escape_dn"]) {
        return Some(sql);
    }
    if has(&[
        "basename",
        "secure_filename",
        "safe_join",
        "safejoin",
        "getname",
        "securejoin",
        "sanitizefilename",
    ]) && !lower.contains("hostname")
        || matches!(path, "filepath.Base" | "path.Base" | "File.basename" | "os.path.basename")
        || has(&["file_name"])
    {
        return Some(path_only);
    }
    // Words that say what a function is for, whatever it cleans.
    const ANYTHING: [&str; 21] = [
        "sanit",
        "escape",
        "quote",
        "purify",
        "encodefor",
        "slug",
        "clean",
        "valid",
        "whitelist",
        "allowlist",
        "safe",
        "hexdigest",
        "digest",
        "hash",
        "uuid",
        "md5",
        "sha1",
        "sha256",
        "b64encode",
        "base64encode",
        "inspect",
    ];
    if has(&ANYTHING) && !lower.starts_with("un") && !has(&["unsafe", "unescape", "invalid"]) {
        return Some(Clean::EVERYTHING);
    }
    None
}

/// Calls whose result is a number or of another form that carries no text.
const NUMBERS: [&str; 38] = [
    "int",
    "float",
    "bool",
    "len",
    "Number",
    "Boolean",
    "parseFloat",
    "intval",
    "floatval",
    "boolval",
    "count",
    "strlen",
    "Atoi",
    "ParseInt",
    "ParseFloat",
    "ParseBool",
    "ParseUint",
    "to_i",
    "to_f",
    "Integer",
    "Float",
    "atoi",
    "atol",
    "strtol",
    "strtoul",
    "length",
    "size",
    "UUID",
    "ObjectId",
    "BigInt",
    "Decimal",
    "abs",
    "round",
    "ord",
    "hash",
    "indexOf",
    "isdigit",
    "time",
];

/// Whether a call checks what it is given, and does not come back if it is wrong.
pub(super) fn checks(path: &str) -> bool {
    let lower = last(path).to_ascii_lowercase();
    [
        "valid",
        "check",
        "verify",
        "assert",
        "ensure",
        "authorize",
        "guard",
        "require_",
        "sanit",
        "abort_unless",
    ]
    .iter()
    .any(|word| lower.contains(word))
        && !lower.contains("invalid")
}

/// Whether a condition that asks this of a value says that it is one of the good ones.
fn tests(path: &str) -> bool {
    const TESTS: [&str; 38] = [
        "match",
        "fullmatch",
        "test",
        "search",
        "isalnum",
        "isdigit",
        "isdecimal",
        "isnumeric",
        "isidentifier",
        "startsWith",
        "startswith",
        "start_with?",
        "endsWith",
        "endswith",
        "end_with?",
        "contains",
        "includes",
        "has",
        "hasOwnProperty",
        "in_array",
        "is_numeric",
        "preg_match",
        "equals",
        "equalsIgnoreCase",
        "matches",
        "Contains",
        "HasPrefix",
        "HasSuffix",
        "include?",
        "match?",
        "key?",
        "containsKey",
        "MatchString",
        "starts_with",
        "array_key_exists",
        "indexOf",
        "strspn",
        "is_relative_to",
    ];
    let name = last(path);
    let lower = name.to_ascii_lowercase();
    TESTS.contains(&name)
        || name.starts_with("ctype_")
        || [
            "valid",
            "safe",
            "allow",
            "permit",
            "whitelist",
            "check",
            "verify",
            "starts_with",
            "is_in",
            "isinside",
            "within",
            "correct",
        ]
        .iter()
        .any(|word| lower.contains(word))
}

/// The paths of what a condition checks against something known.
pub(super) fn checked(condition: &Expr) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![condition];
    while let Some(expr) = pending.pop() {
        match &expr.kind {
            ExprKind::Operator(operator, operands) => match operator.as_str() {
                "in" | "not in" | "==" | "!=" | "===" | "!==" | "<" | ">" | "<=" | ">=" | "=~" | "!~"
                | "is not" | "is" | "eq" => {
                    let against_nothing = operands.iter().any(is_nothing);
                    if !against_nothing {
                        for operand in operands {
                            add_path(operand, &mut found);
                        }
                    }
                    pending.extend(operands);
                }
                "typeof" | "instanceof" | "delete" | "void" => {}
                _ => pending.extend(operands),
            },
            ExprKind::Call(call) => {
                let path = call.callee.path().unwrap_or_default();
                if tests(&path) {
                    for argument in &call.arguments {
                        add_path(&argument.value, &mut found);
                    }
                    if let ExprKind::Member(object, _) = &call.callee.kind {
                        add_path(object, &mut found);
                    }
                }
                pending.extend(call.arguments.iter().map(|argument| &argument.value));
                if let ExprKind::Member(object, _) = &call.callee.kind {
                    pending.push(object);
                }
            }
            ExprKind::Either(parts)
            | ExprKind::Other(parts)
            | ExprKind::List(parts)
            | ExprKind::Join(parts) => {
                pending.extend(parts);
            }
            ExprKind::Text(_)
            | ExprKind::Constant(_)
            | ExprKind::Name(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Record(_)
            | ExprKind::Function(_)
            | ExprKind::Buffer(_) => {}
        }
    }
    found
}

fn add_path(expr: &Expr, found: &mut Vec<String>) {
    match &expr.kind {
        ExprKind::Name(_) | ExprKind::Member(..) | ExprKind::Index(..) => found.extend(expr.path()),
        // `x.lower() in ALLOWED` checks `x`.
        ExprKind::Call(call) => {
            if let ExprKind::Member(object, name) = &call.callee.kind
                && matches!(
                    name.as_str(),
                    "lower"
                        | "upper"
                        | "strip"
                        | "casefold"
                        | "trim"
                        | "toLowerCase"
                        | "toUpperCase"
                        | "toString"
                        | "downcase"
                        | "upcase"
                        | "rstrip"
                        | "lstrip"
                        | "to_lowercase"
                        | "as_str"
                        | "to_s"
                        | "to_sym"
                        | "normalize"
                        | "resolve"
                )
            {
                add_path(object, found);
            }
            if passes_on(&call.callee.path().unwrap_or_default()) {
                for argument in &call.arguments {
                    add_path(&argument.value, found);
                }
            }
        }
        ExprKind::Text(_)
        | ExprKind::Constant(_)
        | ExprKind::Join(_)
        | ExprKind::List(_)
        | ExprKind::Record(_)
        | ExprKind::Either(_)
        | ExprKind::Operator(..)
        | ExprKind::Function(_)
        | ExprKind::Buffer(_)
        | ExprKind::Other(_) => {}
    }
}

/// Whether an operand is one that says only whether there is something at all.
fn is_nothing(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Text(text) => text.is_empty(),
        ExprKind::Constant(text) => {
            matches!(
                text.as_str(),
                "None"
                    | "null"
                    | "nil"
                    | "NULL"
                    | "undefined"
                    | "nullptr"
                    | "0"
                    | "-1"
                    | "false"
                    | "true"
                    | "True"
                    | "False"
            )
        }
        ExprKind::Name(name) => matches!(name.as_str(), "undefined" | "NULL" | "nullptr" | "null"),
        ExprKind::Operator(operator, _) => operator == "typeof",
        ExprKind::Member(..)
        | ExprKind::Index(..)
        | ExprKind::Call(_)
        | ExprKind::Join(_)
        | ExprKind::List(_)
        | ExprKind::Record(_)
        | ExprKind::Either(_)
        | ExprKind::Function(_)
        | ExprKind::Buffer(_)
        | ExprKind::Other(_) => false,
    }
}

/// Whether what a call gives back is what it was given, in another form.
pub(super) fn passes_on(path: &str) -> bool {
    const PASSES: [&str; 63] = [
        "str",
        "String",
        "string",
        "unicode",
        "repr",
        "bytes",
        "bytearray",
        "list",
        "tuple",
        "dict",
        "set",
        "sorted",
        "reversed",
        "enumerate",
        "zip",
        "map",
        "filter",
        "join",
        "Join",
        "decode",
        "unquote",
        "unquote_plus",
        "decodeURIComponent",
        "decodeURI",
        "urldecode",
        "rawurldecode",
        "base64_decode",
        "b64decode",
        "atob",
        "valueOf",
        "toString",
        "trim",
        "TrimSpace",
        "ToLower",
        "ToUpper",
        "strtolower",
        "strtoupper",
        "substr",
        "substring",
        "str_replace",
        "preg_replace",
        "sub",
        "Replace",
        "ReplaceAll",
        "implode",
        "explode",
        "Buffer.from",
        "from",
        "as_str",
        "to_string",
        "to_owned",
        "into",
        "Some",
        "Ok",
        "StringBuilder",
        "StringBuffer",
        "File",
        "URL",
        "URI",
        "Object.assign",
        "resolve",
        "normalize",
        "Path",
    ];
    PASSES.contains(&last(path)) || PASSES.contains(&path)
}

/// Whether a call writes out what it is given, and nothing else.
pub(super) fn writes_out(name: &str) -> bool {
    matches!(name, "json_encode" | "stringify" | "dumps" | "to_json" | "Marshal" | "strval" | "serialize")
}

/// Whether a method looks something up by what it is given, so that its result is something else.
pub(super) fn looks_up(path: &str) -> bool {
    const LOOKUPS: [&str; 46] = [
        "find",
        "fetch",
        "load",
        "query",
        "select",
        "count",
        "len",
        "size",
        "is",
        "has",
        "exist",
        "check",
        "verify",
        "index",
        "compare",
        "equal",
        "match",
        "test",
        "lookup",
        "get",
        "read",
        "authenticate",
        "authorize",
        "create",
        "save",
        "insert",
        "update",
        "delete",
        "send",
        "log",
        "print",
        "filter",
        "exec",
        "run",
        "open",
        "write",
        "render",
        "search",
        "resolve",
        "encrypt",
        "sign",
        "hash",
        "validate",
        "parse",
        "jsonify",
        "login",
    ];
    let name = last(path).trim_start_matches('_').to_ascii_lowercase();
    LOOKUPS.iter().any(|word| name.starts_with(word))
}

/// The last name of a path, without the marks of calls and elements.
pub(super) fn last(path: &str) -> &str {
    let path = path.trim_end_matches("()").trim_end_matches("[]");
    path.rsplit('.').next().unwrap_or(path)
}
