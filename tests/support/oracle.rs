//! What GitHub would make of a text that we post: nothing in it may act but what is ours.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// What in a Markdown text would act: links, pictures, HTML that is not ours, mentions, references, commands of bots.
pub(crate) fn live_parts(markdown: &str) -> Vec<String> {
    let mut live = Vec::new();
    let mut in_code = false;
    let mut markers = 0;
    for event in Parser::new_ext(markdown, Options::all()) {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                in_code = true;
                if let pulldown_cmark::CodeBlockKind::Fenced(info) = kind
                    && &*info != "text"
                {
                    live.push(format!("a fence of {info:?}"));
                }
            }
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Start(Tag::Link { dest_url, .. }) => live.push(format!("a link to {dest_url}")),
            Event::Start(Tag::Image { dest_url, .. }) => live.push(format!("a picture of {dest_url}")),
            Event::Html(html) | Event::InlineHtml(html) => {
                let html = html.trim();
                let is_ours = ["<details>", "</details>"].contains(&html)
                    || (html.starts_with("<summary>") && html.ends_with("</summary>"));
                let is_marker = html.starts_with("<!-- recuse ") && html.ends_with(" -->");
                markers += usize::from(is_marker);
                if !is_ours && !is_marker && !html.is_empty() {
                    live.push(format!("html {html}"));
                }
            }
            Event::Text(text) if !in_code => live.extend(live_words(&text)),
            Event::FootnoteReference(_)
            | Event::TaskListMarker(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => {
                live.push(format!("{event:?}"));
            }
            _ => {}
        }
    }
    if markers > 1 {
        live.push(format!("{markers} markers"));
    }
    live
}

/// Words outside of code that GitHub or a bot would act on.
fn live_words(text: &str) -> Vec<String> {
    let is_live = |word: &&str| {
        let after = |sign: char| word.split_once(sign).and_then(|(_, rest)| rest.chars().next());
        after('@').is_some_and(char::is_alphanumeric)
            || after('#').is_some_and(|next| next.is_ascii_digit())
            || word.contains("://")
            || word.starts_with("www.")
            || word.starts_with("::")
            || word.starts_with("##[")
    };
    let words = text.split_whitespace().filter(is_live).map(|word| format!("the word {word}"));
    words.chain(text.starts_with('/').then(|| format!("a command {text}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_seen_and_what_is_in_code_is_not() {
        for text in [
            "@user",
            "a @org/team",
            "#1",
            "o/r#2",
            "[a](http://x)",
            "<http://x.example>",
            "http://x.example",
            "![a](x)",
            "<b>",
            "<!-- x -->",
            "/lgtm",
            "```suggestion\na\n```",
            "www.x.example",
            "<!-- recuse a -->\n\n<!-- recuse b -->",
        ] {
            assert_ne!(live_parts(text), Vec::<String>::new(), "{text}");
        }
        for text in
            ["`@user #1 <b>`", "```text\n@user\n/lgtm\n```", "<details>\n<summary>A</summary>\n\n</details>"]
        {
            assert_eq!(live_parts(text), Vec::<String>::new(), "{text}");
        }
    }
}
