//! SQL that is put together from text.

use review::Severity;

use super::danger::{Act, Danger, Site};
use super::value::{Clean, Hole, Origin, Part, Value};
use crate::catalogue::{Example, Needs, Rule};

pub(super) static INJECTION: Rule = Rule {
    id: "calls/sql-injection",
    category: "security/injection",
    severity: Severity::High,
    summary: "SQL is put together from values instead of being given them as parameters",
    reason: "A value that is pasted into a statement can end the statement's own text and go on as SQL: whoever \
             chooses the value reads, changes or deletes what the connection may. A bound parameter stays a value.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "shop/orders.py",
        beside: &[],
        before: Some("def orders_of(cursor, customer):\n    return []\n"),
        after: "def orders_of(cursor, customer):\n    query = \"SELECT * FROM orders WHERE customer = '%s'\" % \
                customer\n    cursor.execute(query)\n    return cursor.fetchall()\n",
    },
    good: Example {
        path: "shop/orders.py",
        beside: &[],
        before: Some("def orders_of(cursor, customer):\n    return []\n"),
        after: "def orders_of(cursor, customer):\n    cursor.execute(\"SELECT * FROM orders WHERE customer = %s\", \
                (customer,))\n    return cursor.fetchall()\n",
    },
};

/// Looks at each call that could run SQL for text that is SQL and has holes in it.
pub(super) fn look(site: &Site<'_>, dangers: &mut Vec<Danger>) {
    let Act::Call { name, path, arguments, .. } = &site.act else { return };
    if !could_run_sql(name, path) {
        return;
    }
    for given in arguments.iter() {
        if given.value.items.is_some() || given.value.parts.len() < 2 || !is_sql(&given.value, name) {
            continue;
        }
        let Some((hole, place)) = worst(&given.value) else { continue };
        let severity = match (hole.origin, place) {
            (Origin::Request, _) => Severity::High,
            (Origin::Parameter, _) => Severity::Medium,
            // Nobody can tell here who chooses the value.
            (Origin::Local | Origin::Unknown | Origin::Constant, _) => Severity::Low,
        };
        let harm = match place {
            Place::Quoted => {
                "A value with a quote in it ends the text and goes on as SQL. Bind it as a parameter instead of \
                 quoting it by hand."
            }
            Place::Value => "A value such as 1 OR 1=1 becomes part of the statement. Bind it as a parameter.",
            Place::Fragment => {
                "Whoever sends the request writes part of the statement. Take names and keywords from a list of the \
                 program's own."
            }
        };
        dangers.push(site.danger_of(&INJECTION, severity, hole, &given.value, harm));
        return;
    }
}

/// Where a hole stands in a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Between quotes.
    Quoted,
    /// Where a value stands, without quotes.
    Value,
    /// Where a name or a piece of SQL stands.
    Fragment,
}

/// The hole that an attacker would use, if there is one.
fn worst(value: &Value) -> Option<(&Hole, Place)> {
    let mut before = String::new();
    let mut worst: Option<(&Hole, Place, u8)> = None;
    for part in &value.parts {
        match part {
            Part::Text(text, _) => before.push_str(text),
            Part::Hole(hole) => {
                let place = place(&before);
                before.push('?');
                if hole.clean.covers(Clean::SQL) || is_placeholder(&hole.name) {
                    continue;
                }
                let rank = match (hole.origin, place) {
                    (Origin::Constant, _) => continue,
                    (Origin::Request, _) => 3,
                    // A helper that is given names and clauses is how SQL is built; its callers are what counts.
                    (_, Place::Fragment) | (Origin::Local, Place::Value) => continue,
                    (Origin::Parameter | Origin::Local, _) if !is_fragment_name(&hole.name) => 2,
                    // What is quoted by hand is a value, wherever it is from.
                    (Origin::Unknown, Place::Quoted) if !is_fragment_name(&hole.name) => 1,
                    (Origin::Unknown | Origin::Parameter | Origin::Local, _) => continue,
                };
                if worst.is_none_or(|(_, _, known)| rank > known) {
                    worst = Some((hole, place, rank));
                }
            }
        }
    }
    worst.map(|(hole, place, _)| (hole, place))
}

/// Where in a statement the end of this text is.
fn place(before: &str) -> Place {
    let (mut single, mut double, mut back) = (false, false, false);
    for sign in before.chars() {
        match sign {
            '\'' if !double && !back => single = !single,
            '"' if !single && !back => double = !double,
            '`' if !single && !double => back = !back,
            _ => {}
        }
    }
    if single {
        return Place::Quoted;
    }
    if back {
        return Place::Fragment;
    }
    let text = before.trim_end();
    // Double quotes are for names, but in some dialects for values too: behind a comparison they are a value.
    let text = if double { text.trim_end_matches('"').trim_end() } else { text };
    let found = value_place(text);
    if double && found == Place::Value { Place::Quoted } else { found }
}

fn value_place(text: &str) -> Place {
    let Some(last) = text.chars().last() else { return Place::Fragment };
    if matches!(last, '=' | '<' | '>') {
        return Place::Value;
    }
    let upper = text.to_ascii_uppercase();
    let last_word = upper.rsplit(|sign: char| !sign.is_ascii_alphabetic()).next().unwrap_or_default();
    if matches!(last_word, "LIKE" | "ILIKE" | "LIMIT" | "OFFSET" | "BETWEEN" | "VALUES" | "REGEXP") {
        return Place::Value;
    }
    if matches!(last, '(' | ',' | '%') {
        // In a list, the keyword before it tells what the list holds.
        let keyword = upper
            .rsplit(|sign: char| !(sign.is_ascii_alphabetic() || sign == '_'))
            .find(|word| KEYWORDS.contains(word));
        let is_value = matches!(keyword, Some("VALUES" | "IN" | "LIKE"))
            || last == ',' && upper.trim_end_matches([',', ' ']).ends_with('?') && keyword == Some("SET");
        return if is_value { Place::Value } else { Place::Fragment };
    }
    Place::Fragment
}

const KEYWORDS: [&str; 17] = [
    "SELECT", "FROM", "INTO", "UPDATE", "TABLE", "JOIN", "SET", "WHERE", "VALUES", "IN", "BY", "LIKE", "AND",
    "OR", "ON", "HAVING", "DELETE",
];

/// Whether a value is SQL with something before its first hole.
fn is_sql(value: &Value, callee: &str) -> bool {
    let prefix = value.prefix();
    let start = prefix.trim_start_matches([' ', '\n', '\t', '\r', '(', '"', '\'']);
    let mut words = start.split(|sign: char| !(sign.is_ascii_alphanumeric() || sign == '_'));
    let first = words.next().unwrap_or_default().to_ascii_uppercase();
    let all = value.text_around_holes().to_ascii_uppercase();
    let has = |word: &str| all.contains(word);
    match first.as_str() {
        "SELECT" => has("FROM") || has("("),
        "INSERT" | "REPLACE" => has("INTO") || has("VALUES"),
        "UPDATE" => has(" SET"),
        "DELETE" => has("FROM"),
        "WITH" => has("SELECT"),
        "DROP" | "ALTER" | "CREATE" | "TRUNCATE" => {
            ["TABLE", "DATABASE", "USER", "ROLE", "SCHEMA", "VIEW", "INDEX"].iter().any(|kind| has(kind))
        }
        "EXEC" | "EXECUTE" | "CALL" | "MERGE" | "GRANT" => start.contains(' '),
        // Conditions that a query builder takes as text.
        _ => {
            matches!(
                callee,
                "where" | "whereRaw" | "having" | "havingRaw" | "extra" | "find_by_sql" | "joins"
            ) && (all.contains('=') || has(" LIKE") || has(" IN"))
        }
    }
}

/// Whether a function of this name may hand its argument to a database.
fn could_run_sql(name: &str, path: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    const WORDS: [&str; 12] = [
        "exec",
        "query",
        "sql",
        "raw",
        "prepare",
        "select",
        "fetch",
        "stmt",
        "statement",
        "cursor",
        "batch",
        "literal",
    ];
    const NAMES: [&str; 25] = [
        "run",
        "get",
        "all",
        "each",
        "first",
        "update",
        "insert",
        "delete",
        "where",
        "having",
        "text",
        "order",
        "find_by_sql",
        "unsafe",
        "get_results",
        "get_row",
        "get_var",
        "get_col",
        "getOne",
        "getRow",
        "getAll",
        "query_map",
        "joins",
        "one",
        "queryForObject",
    ];
    let is_talk = path.contains("log") && !path.contains("catalog")
        || ["print", "format", "append", "raise", "error", "message", "explain", "dedent", "join"]
            .iter()
            .any(|word| lower.contains(word));
    !is_talk && (WORDS.iter().any(|word| lower.contains(word)) || NAMES.contains(&name))
}

/// Names of what stands in for values: question marks and their like.
fn is_placeholder(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["placeholder", "param", "bind", "qmark", "question", "marks"].iter().any(|word| lower.contains(word))
        && !lower.contains("params[")
        && !lower.contains("param(")
        && !lower.contains("params.")
        && !lower.contains("getparam")
        && lower != "param"
        && lower != "params"
}

/// Names that say that a piece of SQL is meant.
fn is_fragment_name(name: &str) -> bool {
    let lower =
        name.rsplit('.').next().unwrap_or(name).trim_start_matches(['_', '$', '@']).to_ascii_lowercase();
    const WORDS: [&str; 14] = [
        "table",
        "column",
        "schema",
        "clause",
        "fields",
        "where",
        "order_by",
        "orderby",
        "sql",
        "query",
        "condition",
        "columns",
        "filter_",
        "subquery",
    ];
    WORDS.iter().any(|word| lower.contains(word))
        || matches!(lower.as_str(), "cols" | "col" | "db" | "database" | "prefix" | "limit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_told_by_what_stands_before_it() {
        let cases = [
            ("SELECT * FROM t WHERE a = '", Place::Quoted),
            ("SELECT * FROM t WHERE a = \"", Place::Quoted),
            ("SELECT * FROM t WHERE a = ", Place::Value),
            ("SELECT * FROM t WHERE a LIKE ", Place::Value),
            ("SELECT * FROM t WHERE a = 'x' AND b=", Place::Value),
            ("SELECT * FROM t WHERE a IN (", Place::Value),
            ("INSERT INTO t (a, b) VALUES (?, ", Place::Value),
            ("INSERT INTO t (", Place::Fragment),
            ("SELECT * FROM ", Place::Fragment),
            ("SELECT * FROM \"", Place::Fragment),
            ("SELECT * FROM `", Place::Fragment),
            ("SELECT ", Place::Fragment),
            ("SELECT * FROM t ORDER BY ", Place::Fragment),
            ("SELECT * FROM t LIMIT ", Place::Value),
            ("UPDATE t SET ", Place::Fragment),
        ];
        for (text, expected) in cases {
            assert_eq!(place(text), expected, "{text}");
        }
    }
}
