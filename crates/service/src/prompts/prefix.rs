//! How far prompts to one model begin alike: providers keep such a beginning, and bill it at a fraction.
//!
//! A provider reads tools, schema, instructions and then the messages; prompts can share a beginning only where all
//! that stands before the first message is the same.

use std::ops::Range;

use models::{Message, Prompt};

/// For each prompt, how many bytes at the beginning of its first message others send too, so that remembering them
/// saves the most; `None` where nobody else sends them.
///
/// The prompts are those that go to one model. Each gets one border, the same one as those that it shares with: a
/// provider finds again only what ends where it was told to remember. Borders are ends of lines.
pub fn common_prefixes(prompts: &[&Prompt]) -> Vec<Option<usize>> {
    let mut order: Vec<usize> = (0..prompts.len()).collect();
    order.sort_by_cached_key(|&index| key(prompts[index]));
    // What each shares with the next; in this order, two that are further apart share the least of what is between.
    let shared: Vec<Option<usize>> =
        order.windows(2).map(|pair| common_prefix(prompts[pair[0]], prompts[pair[1]])).collect();
    let before = |index: usize| bytes_before(prompts[order[index]]);
    let mut borders = vec![None; prompts.len()];
    let mut sorted_borders = vec![None; prompts.len()];
    if !prompts.is_empty() {
        share(0..prompts.len(), &shared, &before, &mut sorted_borders);
    }
    for (index, border) in order.into_iter().zip(sorted_borders) {
        borders[index] = border;
    }
    borders
}

/// Finds the borders of a run of sorted prompts, and tells how many bytes need not be sent anew.
///
/// What all of the run share is the least that neighbours share; those places cut it into smaller runs. Each of these
/// keeps its own borders, or joins the others at the border of all, whichever saves more.
fn share(
    run: Range<usize>,
    shared: &[Option<usize>],
    before: &dyn Fn(usize) -> usize,
    borders: &mut [Option<usize>],
) -> usize {
    let pairs = &shared[run.start..run.end - 1];
    let Some(least) = pairs.iter().min() else { return 0 };
    let mut smaller: Vec<(Range<usize>, usize)> = Vec::new();
    let mut start = run.start;
    for (offset, pair) in pairs.iter().enumerate() {
        if pair == least {
            smaller.push((start..run.start + offset + 1, 0));
            start = run.start + offset + 1;
        }
    }
    smaller.push((start..run.end, 0));
    for (part, saved) in &mut smaller {
        *saved = share(part.clone(), shared, before, borders);
    }
    let alone: usize = smaller.iter().map(|(_, saved)| saved).sum();
    let Some(bytes) = least else { return alone };
    let worth = before(run.start) + bytes;
    let gains = |part: &Range<usize>, saved: usize| part.len().saturating_mul(worth).saturating_sub(saved);
    let gain: usize = smaller.iter().map(|(part, saved)| gains(part, *saved)).sum();
    // One of those that join sends it for the others.
    if gain <= worth {
        return alone;
    }
    for (part, saved) in smaller {
        if gains(&part, saved) > 0 {
            borders[part].fill(Some(*bytes));
        }
    }
    alone + gain - worth
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

/// How many bytes a provider reads before the first message.
fn bytes_before(prompt: &Prompt) -> usize {
    prompt.system.len() + prompt.answer.as_ref().map_or(0, |answer| answer.schema.to_string().len())
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
        check(&[], &[]);
        // Two that share much do not give it up for a third that shares little; the third is left alone.
        let (one, two) = (with(&format!("{b}\n1")), with(&format!("{b}\n2")));
        check(&[&one, &with("three"), &two], &[Some(400), None, Some(400)]);
        // Where more share a little less, all of them take that.
        let users: Vec<String> =
            ["1", "2"].iter().map(|tail| with(&format!("{}\n{tail}", "y".repeat(19)))).collect();
        check(&[&users[0], &with("3"), &users[1], &with("4")], &[Some(100), Some(100), Some(100), Some(100)]);
    }

    /// Many parts share a little with each other, and the lenses of each part much.
    #[test]
    fn the_parts_of_a_large_change_keep_a_border_each() {
        let part = |part: usize| format!("{}\n{part}\n{}\n", "x".repeat(99), "y".repeat(300));
        let users: Vec<String> =
            (0..20).map(|n| format!("{}lens {}", part(n / 4), n % 4)).chain(["another".into()]).collect();
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        let mut expected = vec![Some(403); 20];
        expected.push(None);
        check(&users, &expected);
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
