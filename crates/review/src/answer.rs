//! Reading what a model answered. The reader is tolerant, bounded and never fails: what it cannot read is a
//! value that says so.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};

use crate::change::{RepoPath, Side};
use crate::finding::{CATEGORIES, Category, Finding, Lens, Severity};
use crate::text::shorten;

/// The most bytes of an answer that are read; the longest honest one seen was some 60 KB.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// The most findings of one answer that are kept.
pub const MAX_FINDINGS: usize = 50;

/// The most questions of one answer that are kept.
pub const MAX_QUESTIONS: usize = 10;

/// How deep an answer may nest.
const MAX_DEPTH: usize = 64;

/// What a reviewer answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// What it found.
    pub findings: Vec<Finding>,
    /// What it wants to know from the author.
    pub questions: Vec<String>,
    /// What it says that it looked at; never empty.
    pub examined: Vec<String>,
    /// How many findings were left out because there were too many, or because they said nothing.
    pub dropped: usize,
}

/// The schema that models are asked to answer in, the same for all lenses: providers put it before the prompt, and
/// what begins alike is billed once.
///
/// It stays in the subset that every provider's strict mode takes: all fields required, no bounds. Servers that write
/// in the order of the keys write quote and scenario before the severity.
pub fn schema() -> Value {
    let text = json!({ "type": "string" });
    let finding = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["file", "line_start", "line_end", "side", "quote", "category", "severity", "title", "scenario"],
        "properties": {
            "file": text,
            "line_start": { "type": "integer" },
            "line_end": { "type": "integer" },
            "side": { "type": "string", "enum": ["head", "base"] },
            "quote": text,
            "category": { "type": "string", "enum": CATEGORIES.as_slice() },
            "severity": { "type": "string", "enum": ["critical", "high", "medium", "low"] },
            "title": text,
            "scenario": text,
        },
    });
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["examined", "findings", "questions"],
        "properties": {
            "examined": { "type": "array", "items": text },
            "findings": { "type": "array", "items": finding },
            "questions": { "type": "array", "items": text },
        },
    })
}

/// Reads an answer.
///
/// # Errors
/// A sentence that says why the text is not an answer: no JSON object with `findings`, two different ones,
/// duplicate keys, too deep, too long, or nothing said about what was examined.
pub fn read(text: &str, lens: Lens) -> Result<Answer, String> {
    let object = find_object(text, "findings")?;
    let examined = strings(object.get("examined"), 500);
    if examined.is_empty() {
        return Err("the answer does not say what was examined".into());
    }
    let Some(Value::Array(listed)) = object.get("findings") else {
        return Err("`findings` is not a list".into());
    };
    let findings: Vec<Finding> =
        listed.iter().filter_map(|value| read_finding(value, lens)).take(MAX_FINDINGS).collect();
    let mut questions = strings(object.get("questions"), MAX_QUESTIONS);
    for question in &mut questions {
        *question = shorten(question, 600);
    }
    Ok(Answer { dropped: listed.len() - findings.len(), findings, questions, examined })
}

/// Finds the one JSON object that has a key, in prose, fences or alone.
///
/// # Errors
/// A sentence that says why there is none: nothing, too much, duplicate keys, too deep, or two different ones.
pub(crate) fn find_object(text: &str, key: &str) -> Result<Map<String, Value>, String> {
    let mut found = find_objects(text, key)?.into_iter();
    match (found.next(), found.next()) {
        (Some(object), None) => Ok(object),
        (Some(_), Some(_)) => Err("the answer holds two different answers".into()),
        (None, _) => Err(format!("the answer holds no JSON object with `{key}`")),
    }
}

/// Finds the different JSON objects that have a key and stand in no other object.
///
/// # Errors
/// A sentence that says why the text cannot be read: nothing, too much, duplicate keys, too deep, or cut off.
pub(crate) fn find_objects(text: &str, key: &str) -> Result<Vec<Map<String, Value>>, String> {
    if text.trim().is_empty() {
        return Err("the answer is empty".into());
    }
    if text.len() > MAX_ANSWER_BYTES {
        return Err(format!("the answer has {} bytes; at most {MAX_ANSWER_BYTES} are read", text.len()));
    }
    let mut found: Vec<Map<String, Value>> = Vec::new();
    let mut problem = None;
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        rest = &rest[start..];
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Strict>();
        match stream.next() {
            Some(Ok(Strict(Value::Object(object)))) => {
                let end = stream.byte_offset();
                if object.contains_key(key) && !found.contains(&object) {
                    found.push(object);
                }
                rest = &rest[end..];
            }
            Some(Ok(_)) | None => rest = &rest[1..],
            Some(Err(error)) => {
                // Prose may hold braces of its own, so only an error inside what looks like the answer counts.
                if problem.is_none() && rest.contains(&format!("\"{key}\"")) {
                    problem = Some(error.to_string());
                }
                if error.is_eof() || error.to_string().starts_with(STRICT_ERROR) {
                    break;
                }
                rest = &rest[1..];
            }
        }
    }
    match problem {
        Some(problem) if found.is_empty() => {
            Err(format!("the answer is not readable JSON: {}", shorten(&problem, 160)))
        }
        Some(_) | None => Ok(found),
    }
}

fn strings(value: Option<&Value>, most: usize) -> Vec<String> {
    let one = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    match value {
        Some(Value::String(text)) => one(text).into_iter().collect(),
        Some(Value::Array(items)) => {
            items.iter().filter_map(Value::as_str).filter_map(one).take(most).collect()
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
    }
}

fn read_finding(value: &Value, lens: Lens) -> Option<Finding> {
    let text =
        |key: &str| value.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let number = |key: &str| {
        let value = value.get(key)?;
        let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())?;
        u32::try_from(number).ok().filter(|number| *number > 0)
    };
    let title = text("title").or_else(|| text("message"))?;
    let body = text("scenario").or_else(|| text("body")).or_else(|| text("description")).unwrap_or(title);
    let start = number("line_start").or_else(|| number("line"));
    let lines = start.map(|start| (start, number("line_end").unwrap_or(start).max(start)));
    let side = match text("side").map(str::to_ascii_lowercase).as_deref() {
        Some("base" | "old" | "left") => Side::Base,
        Some(_) | None => Side::Head,
    };
    Some(Finding {
        category: Category::parse(text("category").unwrap_or_default(), lens),
        severity: read_severity(text("severity").unwrap_or_default()),
        file: RepoPath::from(text("file").unwrap_or_default().trim_start_matches("./")),
        lines,
        side,
        quote: shorten(text("quote").or_else(|| text("code")).unwrap_or_default(), 2_000),
        title: shorten(title, 200),
        body: shorten(body, 3_000),
        rule: None,
    })
}

/// A severity by any of the names that models use; an unknown one is medium, so that it is neither hidden among
/// the nits nor made to fail a build.
fn read_severity(name: &str) -> Severity {
    match name.to_ascii_lowercase().as_str() {
        "critical" | "blocker" | "p0" => Severity::Critical,
        "high" | "major" | "error" | "p1" => Severity::High,
        "low" | "minor" | "info" | "nit" | "trivial" | "p3" => Severity::Low,
        _ => Severity::Medium,
    }
}

const STRICT_ERROR: &str = "strict: ";

/// A JSON value without duplicate keys and not too deep: whoever reads it twice reads the same.
pub struct Strict(pub Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor { depth: 0 }).map(Self)
    }
}

#[derive(Clone, Copy)]
struct StrictVisitor {
    depth: usize,
}

impl StrictVisitor {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format!("{STRICT_ERROR}nested deeper than {MAX_DEPTH}")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> serde::de::DeserializeSeed<'de> for StrictVisitor {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(inner)?;
            if object.insert(key, value).is_some() {
                return Err(serde::de::Error::custom(format!(
                    "{STRICT_ERROR}a key stands twice in one object"
                )));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINDING: &str = r#"{"file":"src/a.rs","line_start":3,"line_end":4,"side":"head","quote":"let x = y;",
        "category":"correctness/logic","severity":"high","title":"x is never used","scenario":"always"}"#;

    fn answer(findings: &str) -> String {
        format!(r#"{{"examined":["src/a.rs"],"findings":[{findings}],"questions":["why?"]}}"#)
    }

    fn check(text: &str, expected: Result<usize, &str>) {
        let read = read(text, Lens::Correctness);
        match (read, expected) {
            (Ok(answer), Ok(findings)) => assert_eq!(answer.findings.len(), findings, "{text}"),
            (Err(error), Err(part)) => assert!(error.contains(part), "{error:?} should hold {part:?}"),
            (read, expected) => panic!("{text:.300}: {read:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn an_answer_is_found_in_prose_fences_and_alone() {
        let good = answer(FINDING);
        check(&good, Ok(1));
        check(&format!("Sure! Here you go:\n```json\n{good}\n```\nAnything else?"), Ok(1));
        check(&format!("I looked at `fn f() {{ g() }}` first.\n{good}"), Ok(1));
        check(&format!("{good}\n{good}"), Ok(1));
        check(&answer(""), Ok(0));
    }

    #[test]
    fn what_is_no_answer_is_said_to_be_none() {
        check("", Err("empty"));
        check("  \n", Err("empty"));
        check("LGTM, approved!", Err("no JSON object"));
        check("<html><body>502</body></html>", Err("no JSON object"));
        check(r#"{"findings":[]}"#, Err("does not say what was examined"));
        check(r#"{"examined":[" "],"findings":[]}"#, Err("does not say what was examined"));
        check(r#"{"examined":["a"],"findings":"none"}"#, Err("not a list"));
        check(r#"{"examined":["a"],"findings":[],"findings":[1]}"#, Err("stands twice"));
        check(&format!("{}{}", answer(""), answer(FINDING)), Err("two different answers"));
        check(&answer(FINDING)[..150], Err("not readable JSON"));
        check(r#"{"examined":["a"],"findings":[NaN]}"#, Err("not readable JSON"));
        let deep = format!(r#"{{"examined":["a"],"findings":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        check(&deep, Err("nested deeper"));
        check(&"x".repeat(MAX_ANSWER_BYTES + 1), Err("at most"));
    }

    #[test]
    fn a_finding_is_read_by_its_usual_other_names() {
        let text = answer(
            r#"{"file":"./a.py","line":"7","code":"eval(x)","severity":"P0","message":"eval of input","category":"sqli"}"#,
        );
        let answer = read(&text, Lens::Security).expect("an answer");
        let finding = &answer.findings[0];
        assert_eq!(finding.file.as_str(), "a.py");
        assert_eq!(finding.lines, Some((7, 7)));
        assert_eq!(finding.severity, Severity::Critical);
        assert_eq!(finding.category.as_str(), "security/other");
        assert_eq!(finding.quote, "eval(x)");
    }

    #[test]
    fn line_zero_and_reversed_lines_are_not_trusted() {
        let text = answer(
            r#"{"title":"a","line_start":0},{"title":"b","line_start":9,"line_end":2},{"no":"title"}"#,
        );
        let answer = read(&text, Lens::Correctness).expect("an answer");
        let lines: Vec<_> = answer.findings.iter().map(|finding| finding.lines).collect();
        assert_eq!(lines, [None, Some((9, 9))]);
        assert_eq!(answer.dropped, 1);
    }

    #[test]
    fn too_many_findings_are_counted_not_lost_silently() {
        let many = vec![FINDING; MAX_FINDINGS + 7].join(",");
        let answer = read(&answer(&many), Lens::Correctness).expect("an answer");
        assert_eq!((answer.findings.len(), answer.dropped), (MAX_FINDINGS, 7));
    }

    #[test]
    fn the_schema_offers_every_category_and_asks_for_every_field() {
        let schema = schema();
        let finding = &schema["properties"]["findings"]["items"];
        assert_eq!(finding["properties"]["category"]["enum"], json!(CATEGORIES.as_slice()));
        let fields: Vec<&String> = finding["properties"].as_object().expect("an object").keys().collect();
        let mut required: Vec<&str> =
            finding["required"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        required.sort_unstable();
        assert_eq!(fields, required);
    }
}
