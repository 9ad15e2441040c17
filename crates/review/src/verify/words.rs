//! Whether what a packet says that models said stands in their replies.
//!
//! Compared by letters and digits only: providers wrap and escape an answer in ways of their own, and none of them
//! adds or takes away a letter.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Problems, Proof};
use crate::Digest;
use crate::examine::Ruling;
use crate::packet::PacketV1;
use crate::text::visible;

/// A reply, folded for being searched.
#[derive(Debug, Clone)]
pub struct FoldedReply(Vec<String>);

impl FoldedReply {
    /// Folds the bytes of a reply.
    pub fn of(bytes: &[u8]) -> Self {
        let raw = String::from_utf8_lossy(bytes);
        let mut strings = String::new();
        match (serde_json::from_slice::<Value>(bytes), events(&raw)) {
            (Ok(value), _) => collect(&value, &mut strings),
            (Err(_), Some(joined)) => strings = joined,
            (Err(_), None) => strings.push_str(&raw),
        }
        // The answer is JSON itself, inside of a string of the provider's.
        let inner = unescaped(&strings);
        Self([&strings, &inner].map(|text| fold(&visible(text))).to_vec())
    }

    /// Whether these words stand in it; those that were shortened up to where they were cut.
    pub fn holds(&self, words: &str) -> bool {
        let wanted = fold(words.strip_suffix('…').unwrap_or(words));
        self.0.iter().any(|text| text.contains(&wanted))
    }
}

/// Looks for all that models are said to have said. `replies` holds those that are at hand.
pub fn said(packet: &PacketV1, replies: &BTreeMap<Digest, FoldedReply>) -> Proof {
    const NAME: &str = "words";
    let mut problems = Problems::default();
    let (mut found, mut unknown) = (0_usize, 0_usize);
    let mut look = |words: &str, digests: &[&Digest], what: &dyn Fn() -> String| {
        let at_hand: Vec<&FoldedReply> = digests.iter().filter_map(|digest| replies.get(digest)).collect();
        if at_hand.len() < digests.len() {
            unknown += 1;
        } else {
            found += 1;
            problems.expect(at_hand.iter().any(|reply| reply.holds(words)), what);
        }
    };
    let of_seats = |is_of: &dyn Fn(usize) -> bool| -> Vec<&Digest> {
        let calls = packet.ledger.calls.iter();
        calls
            .filter(|call| call.seat.is_some_and(|seat| is_of(seat as usize)))
            .filter_map(|call| call.reply.as_ref())
            .collect()
    };
    let is_rules = |seat: usize| super::people::is_rules(&packet.panel.seats[seat].reviewer);
    for claim in &packet.claims {
        let id = &claim.id;
        for (index, source) in claim.sources.iter().enumerate() {
            let seat = source.seat as usize;
            if is_rules(seat) {
                continue;
            }
            let replies = of_seats(&|it| it == seat);
            let what = || format!("{} did not say what claim {id} rests on", source.name);
            look(&source.title, &replies, &what);
            if index == 0 {
                look(&claim.body, &replies, &what);
            }
        }
        if let Some(examined) = claim.examination.as_ref().filter(|it| it.ruling != Ruling::Undecided) {
            let of_it = |call: &&crate::packet::CallV1| call.examination == Some(examined.call);
            let calls = packet.ledger.calls.iter().filter(of_it);
            let replies: Vec<&Digest> = calls.filter_map(|call| call.reply.as_ref()).collect();
            for words in [&examined.reason, &examined.quote] {
                look(words, &replies, &|| format!("the examiner did not say what is written of claim {id}"));
            }
        }
    }
    for finding in packet.unanchored.iter().filter(|finding| !super::people::is_rules(&finding.name)) {
        let replies = of_seats(&|seat| packet.panel.seats[seat].reviewer == finding.name);
        for words in [&finding.title, &finding.quote, &finding.file] {
            look(words, &replies, &|| format!("{} did not say what could not be anchored", finding.name));
        }
    }
    for question in &packet.questions {
        let replies = of_seats(&|seat| {
            let seat = &packet.panel.seats[seat];
            (seat.lens, seat.reviewer.as_str()) == (question.lens, question.name.as_str())
        });
        look(&question.text, &replies, &|| {
            format!("{} did not ask a question that it is said to have", question.name)
        });
    }
    for (index, seat) in packet.panel.seats.iter().enumerate().filter(|(index, _)| !is_rules(*index)) {
        for outcome in &seat.outcomes {
            let calls = packet.ledger.calls.iter();
            let replies: Vec<&Digest> = calls
                .filter(|call| call.seat.is_some_and(|it| it as usize == index) && call.part == outcome.part)
                .filter_map(|call| call.reply.as_ref())
                .collect();
            for examined in &outcome.examined {
                look(examined, &replies, &|| format!("{} did not say that it examined that", seat.reviewer));
            }
        }
    }
    match unknown {
        0 => Proof::of(NAME, problems, format!("{found} words of models stand in their replies")),
        _ if !problems.is_empty() => Proof::of(NAME, problems, ""),
        _ => Proof::not_checked(
            NAME,
            format!("{unknown} words of models rest on replies that are not at hand: give --receipts"),
        ),
    }
}

fn collect(value: &Value, strings: &mut String) {
    match value {
        Value::String(text) => {
            strings.push_str(text);
            strings.push('\n');
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, strings)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, strings)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The strings of a reply that came in events, those at one place of all events joined; `None` where there are no events.
/// A text that arrives in pieces arrives at one place.
fn events(raw: &str) -> Option<String> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    let data = raw.lines().filter_map(|line| line.strip_prefix("data:"));
    for event in data.filter_map(|data| serde_json::from_str::<Value>(data.trim()).ok()) {
        join(&event, String::new(), &mut joined);
    }
    (!joined.is_empty()).then(|| joined.into_values().map(|text| text + "\n").collect())
}

fn join(value: &Value, place: String, joined: &mut BTreeMap<String, String>) {
    match value {
        Value::String(text) => joined.entry(place).or_default().push_str(text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                join(item, format!("{place}/{index}"), joined);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                join(field, format!("{place}/{name}"), joined);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Undoes the escapes of JSON once, wherever they stand.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut characters = after.chars();
        match characters.next() {
            Some('n' | 'r' | 't' | 'b' | 'f') => plain.push(' '),
            Some('u') => {
                let code = after.get(1..5).and_then(|hex| u32::from_str_radix(hex, 16).ok());
                // Halves of a pair are no letters, and what is no letter is not compared.
                plain.extend(code.and_then(char::from_u32));
                if code.is_some() {
                    rest = &after[5..];
                    continue;
                }
            }
            Some(other) => plain.push(other),
            None => {}
        }
        rest = characters.as_str();
    }
    plain.push_str(rest);
    plain
}

fn fold(text: &str) -> String {
    text.chars().filter(|character| character.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_came_in_pieces_are_found() {
        let piece = |text: &str| {
            let event = serde_json::json!({ "id": "chunk-1", "choices": [{ "delta": { "content": text } }] });
            format!("data: {event}\n\n")
        };
        let pieces = ["{\"title\": \"an em", "pty list ", "panics\\nhere\"}"];
        let stream: String = pieces.into_iter().map(piece).collect();
        let reply = FoldedReply::of(format!(": ping\n\n{stream}data: [DONE]\n\n").as_bytes());
        assert!(reply.holds("an empty list panics here"), "{reply:?}");
        assert!(!reply.holds("an empty list panics nowhere"));
    }

    #[test]
    fn words_are_found_however_a_provider_wraps_them() {
        let answer = serde_json::json!({ "title": "a \"b\"\n\u{202e}c: é\\n", "n": 1 }).to_string();
        let wrapped = serde_json::json!({ "choices": [{ "content": format!("```json\n{answer}\n```") }] });
        let ascii = answer.replace('é', "\\u00e9");
        for reply in [answer.clone(), wrapped.to_string(), format!("Here: {answer}"), ascii] {
            let reply = FoldedReply::of(reply.as_bytes());
            assert!(reply.holds("a \"b\"\n\\u{202e}c: é\\n"), "{reply:?}");
            assert!(reply.holds("a \"b\"…"));
            assert!(!reply.holds("a bc: é and more"));
        }
    }
}
