//! How languages fill text into text.

use code::Language;

use super::cleaner;
use super::value::{Part, Value};

/// Fills `%s` and its like.
///
/// What goes in as a number is no text of a stranger.
pub(super) fn percent(template: &Value, arguments: &[Value]) -> Value {
    let by_name = match arguments {
        [only] => only.fields.as_ref(),
        [..] => None,
    };
    let mut next = arguments.iter();
    let mut built = Value::default();
    for part in &template.parts {
        let Part::Text(text, line) = part else {
            built.parts.push(part.clone());
            continue;
        };
        let mut rest = &**text;
        while let Some(at) = rest.find('%') {
            built = built.join(&Value::text(&rest[..at], *line));
            let after = &rest[at + 1..];
            if let Some(literal) = after.strip_prefix('%') {
                built = built.join(&Value::text("%", *line));
                rest = literal;
                continue;
            }
            let (key, behind) = match after.strip_prefix('(').and_then(|named| named.split_once(')')) {
                Some((key, behind)) => (Some(key), behind),
                None => (None, after),
            };
            let Some(end) =
                behind.find(|sign: char| sign.is_ascii_alphabetic() && !matches!(sign, 'l' | 'h' | 'z'))
            else {
                break;
            };
            let kind = behind.as_bytes()[end];
            // A sign too far away is no format, but a per cent of something.
            if end > 8 {
                built = built.join(&Value::text("%", *line));
                rest = after;
                continue;
            }
            let value = match key {
                Some(key) => by_name.and_then(|fields| fields.get(key)).cloned(),
                None => next.next().cloned(),
            };
            let value = value.unwrap_or_else(|| match arguments.last() {
                Some(last) if key.is_some() => last.derived(),
                Some(_) | None => Value::unknown("a value", *line),
            });
            let is_number = matches!(
                kind,
                b'd' | b'i' | b'u' | b'x' | b'X' | b'f' | b'F' | b'e' | b'g' | b'o' | b'c' | b'p' | b't'
            );
            built = if is_number { built.join(&Value::text("0", *line)) } else { built.join(&value) };
            rest = &behind[end + 1..];
        }
        built = built.join(&Value::text(rest, *line));
    }
    built
}

/// Fills `{}`, `{0}`, `{name}` and, in .NET's and Java's way, `{0}`.
fn braces(template: &Value, names: &[Option<&str>], arguments: &[Value]) -> Value {
    let positional: Vec<_> =
        names.iter().zip(arguments).filter(|(name, _)| name.is_none()).map(|(_, value)| value).collect();
    let mut next = 0;
    let mut built = Value::default();
    for part in &template.parts {
        let Part::Text(text, line) = part else {
            built.parts.push(part.clone());
            continue;
        };
        let mut rest = &**text;
        while let Some(at) = rest.find('{') {
            built = built.join(&Value::text(&rest[..at], *line));
            let after = &rest[at + 1..];
            if let Some(literal) = after.strip_prefix('{') {
                built = built.join(&Value::text("{", *line));
                rest = literal;
                continue;
            }
            let Some(end) = after.find('}') else {
                rest = after;
                break;
            };
            let (key, spec) = after[..end].split_once([':', '!']).unwrap_or((&after[..end], ""));
            let key = key.split(['.', '[']).next().unwrap_or(key);
            let value = if key.is_empty() {
                next += 1;
                positional.get(next - 1).copied()
            } else if let Ok(place) = key.parse::<usize>() {
                positional.get(place).copied()
            } else {
                names.iter().position(|name| *name == Some(key)).and_then(|place| arguments.get(place))
            };
            let is_number = spec.ends_with(['d', 'f', 'e', 'x', '%']) && !spec.is_empty();
            built = match value {
                Some(_) if is_number => built.join(&Value::text("0", *line)),
                Some(value) => built.join(value),
                None => built.join(&Value::unknown(if key.is_empty() { "a value" } else { key }, *line)),
            };
            rest = &after[end + 1..];
        }
        built = built.join(&Value::text(rest, *line));
    }
    built
}

/// The names that the template among these values mentions.
pub(super) fn variables(values: &[Value]) -> Vec<String> {
    let template = values.iter().find_map(|value| value.known_text().filter(|text| text.contains('{')));
    let template = template.unwrap_or_default();
    let names = template.split('{').skip(1).filter_map(|rest| rest.split(['}', ':']).next());
    let is_name = |name: &&str| {
        name.starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    names.filter(is_name).map(str::to_owned).collect()
}

/// What a call builds, if it is one that builds text.
pub(super) fn call(
    language: Language,
    path: &str,
    receiver: Option<&Value>,
    names: &[Option<&str>],
    arguments: &[Value],
) -> Option<Value> {
    let name = cleaner::last(path);
    match (name, receiver) {
        ("format" | "format_map", Some(template)) if language == Language::Python => {
            Some(braces(template, names, arguments))
        }
        ("formatted", Some(template)) => Some(percent(template, arguments)),
        (
            "format" | "sprintf" | "Sprintf" | "vsprintf" | "Sprint" | "Sprintln" | "kasprintf"
            | "g_strdup_printf",
            _,
        ) => {
            let (template, rest) = arguments.split_first()?;
            if matches!(name, "Sprint" | "Sprintln") {
                return Some(arguments.iter().fold(Value::default(), |whole, value| whole.join(value)));
            }
            Some(percent(template, rest))
        }
        ("format!" | "println!" | "write!" | "format_args!" | "concat!", _) => {
            let skipped = usize::from(name == "write!");
            let (template, rest) = arguments.get(skipped..)?.split_first()?;
            Some(braces(template, names.get(skipped + 1..).unwrap_or_default(), rest))
        }
        // `", ".join(names)`, `names.join(", ")`, `strings.Join(names, ", ")`.
        ("join", Some(receiver)) if receiver.items.is_some() || receiver.has_text() => {
            let other = arguments.first().cloned().unwrap_or_default();
            let (items, separator) =
                if receiver.items.is_some() { (receiver.clone(), other) } else { (other, receiver.clone()) };
            Some(joined(items, &separator))
        }
        ("Join" | "implode", _)
            if arguments.len() == 2 && !path.starts_with("filepath") && !path.starts_with("path") =>
        {
            let items = arguments
                .iter()
                .position(|value| value.items.is_some())
                .unwrap_or(usize::from(name == "implode"));
            Some(joined(arguments[items].clone(), &arguments[1 - items]))
        }
        // Paths from their parts.
        ("join" | "Join" | "resolve" | "get" | "of", _)
            if path.contains("path") || path.contains("File") || path.contains("Paths") =>
        {
            let line = 0;
            let parts = arguments.iter();
            let mut whole = Value::default();
            for (index, part) in parts.enumerate() {
                if index > 0 {
                    whole = whole.join(&Value::text("/", line));
                }
                whole = whole.join(part);
            }
            Some(whole)
        }
        _ => None,
    }
}

fn joined(items: Value, separator: &Value) -> Value {
    let Some(values) = items.items else { return items.join(&separator.derived()) };
    let mut whole = Value::default();
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            whole = whole.join(separator);
        }
        whole = whole.join(value);
    }
    whole
}
