//! How far prompts to one model begin alike: providers keep such a beginning, and bill it at a fraction.
//!
//! A provider reads tools, schema, instructions and then the messages; prompts can share a beginning only where all
//! that stands before the first message is the same.

use models::{Message, Prompt};

/// A shared beginning shorter than this saves less than it may cost to write; the least that any provider keeps is
/// 512 tokens, instructions included.
const LEAST_BYTES: usize = 64;

/// For each prompt, how many bytes at the beginning of its first message others send too, so that remembering them
/// saves the most; `None` where nobody else sends them.
///
/// The prompts are those that go to one model. Each gets one border, the same one as those that it shares with: a
/// provider finds again only what ends where it was told to remember. Borders are ends of lines.
pub fn common_prefixes(prompts: &[&Prompt]) -> Vec<Option<usize>> {
    let mut open: Vec<usize> = (0..prompts.len()).collect();
    open.sort_by_cached_key(|&index| key(prompts[index]));
    // What each shares with the next; in this order, two that are further apart share the least of what is between.
    let mut shared: Vec<Option<usize>> =
        open.windows(2).map(|pair| common_prefix(prompts[pair[0]], prompts[pair[1]])).collect();
    let mut borders = vec![None; prompts.len()];
    // What saves most is taken first; those that it leaves may still share something among themselves.
    while let Some(Run { from, count, bytes }) = best_run(&shared) {
        for index in open.drain(from..from + count) {
            borders[index] = Some(bytes);
        }
        let seam = from.saturating_sub(1)..(from + count).min(shared.len());
        let across = shared[seam.clone()].iter().min().copied().flatten();
        let joins_two = from > 0 && from < open.len();
        shared.splice(seam, joins_two.then_some(across));
    }
    borders
}

/// The bytes that two prompts share at the beginning of their first messages; `None` where what stands before
/// differs.
pub fn common_prefix(a: &Prompt, b: &Prompt) -> Option<usize> {
    if !is_same_before(a, b) {
        return None;
    }
    let (a, b) = (first_message(a), first_message(b));
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    Some(a.as_bytes()[..same].iter().rposition(|byte| *byte == b'\n').map_or(0, |line_feed| line_feed + 1))
}

/// Neighbours that share a beginning.
struct Run {
    from: usize,
    count: usize,
    bytes: usize,
}

/// The run that saves most: all but the first of it need not send what they share.
fn best_run(shared: &[Option<usize>]) -> Option<Run> {
    let mut best: Option<(usize, Run)> = None;
    for (index, bytes) in shared.iter().enumerate() {
        let Some(bytes) = bytes.filter(|bytes| *bytes >= LEAST_BYTES) else { continue };
        let reaches = |other: &&Option<usize>| other.is_some_and(|other| other >= bytes);
        let before = shared[..index].iter().rev().take_while(reaches).count();
        let after = shared[index + 1..].iter().take_while(reaches).count();
        let pairs = before + 1 + after;
        let saved = pairs.saturating_mul(bytes);
        if best.as_ref().is_none_or(|(most, _)| saved > *most) {
            best = Some((saved, Run { from: index - before, count: pairs + 1, bytes }));
        }
    }
    best.map(|(_, run)| run)
}

fn key(prompt: &Prompt) -> (&str, String, &str) {
    let schema = prompt.answer.as_ref().map_or_else(String::new, |answer| answer.schema.to_string());
    (&prompt.system, schema, first_message(prompt))
}

fn is_same_before(a: &Prompt, b: &Prompt) -> bool {
    a.system == b.system && a.tools == b.tools && a.answer == b.answer
}

fn first_message(prompt: &Prompt) -> &str {
    match prompt.messages.first() {
        Some(Message::User(text)) => text,
        Some(Message::Assistant { .. } | Message::ToolResult { .. }) | None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(system: &str, user: &str) -> Prompt {
        Prompt {
            system: system.into(),
            messages: vec![Message::User(user.into())],
            cache_prefix: None,
            tools: Vec::new(),
            answer: None,
            max_output_tokens: 1,
            temperature: None,
        }
    }

    fn check(users: &[&str], expected: &[Option<usize>]) {
        let prompts: Vec<Prompt> = users.iter().map(|user| prompt("s", user)).collect();
        assert_eq!(common_prefixes(&prompts.iter().collect::<Vec<_>>()), expected);
    }

    #[test]
    fn those_that_begin_alike_get_one_border_at_the_end_of_a_line() {
        let (a, b) = ("x".repeat(99), "y".repeat(299));
        let with = |tail: &str| format!("{a}\n{tail}");
        check(&[&with("security"), &with("severity")], &[Some(100), Some(100)]);
        check(&[&with("one")], &[None]);
        check(&[&with("one"), "another"], &[None, None]);
        // Two that share much do not give it up for a third that shares little; the third is left alone.
        let (one, two) = (with(&format!("{b}\n1")), with(&format!("{b}\n2")));
        check(&[&one, &with("three"), &two], &[Some(400), None, Some(400)]);
        // Where more share a little less, all of them take that.
        let users: Vec<String> =
            ["1", "2"].iter().map(|tail| with(&format!("{}\n{tail}", "y".repeat(19)))).collect();
        check(&[&users[0], &with("3"), &users[1], &with("4")], &[Some(100), Some(100), Some(100), Some(100)]);
    }

    #[test]
    fn nothing_is_shared_behind_different_instructions() {
        let user = "x\n".repeat(100);
        let (a, b) = (prompt("one", &user), prompt("two", &user));
        assert_eq!(common_prefixes(&[&a, &b]), [None, None]);
        assert_eq!(common_prefix(&a, &b), None);
        assert_eq!(common_prefix(&a, &a), Some(200));
    }
}
