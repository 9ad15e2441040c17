//! Packets in which every text is hostile: no view lets any of it act.

use std::sync::LazyLock;

use proptest::prelude::*;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use report::{
    Closing, Colour, Earlier, MAX_ANNOTATION_BYTES, MAX_COMMENT_BYTES, Notice, Reply, TerminalOptions,
    Verbosity, closing_comment, comment, inline_comments, json, markdown, notice, reply, sarif, terminal,
};
use review::CommitId;
use review::packet::PacketV1;
use review::text::is_hidden;
use serde_json::{Value, json};

use crate::fixture::{beside_the_claims, examined, name, read};

/// The fixture after cross-examinations, with all of its lists filled.
fn value() -> Value {
    let mut value = examined();
    value["rules"] = beside_the_claims();
    value["checks"][1]["detail"] = json!("ended by signal 9");
    value["checks"][1]["record"] = json!({
        "digest": "0".repeat(64), "command": ["cargo", "test"], "head": null, "started_at": 1, "elapsed_ms": 2,
        "log": "1".repeat(64), "log_bytes": 3, "last_lines": ["error: it is broken"],
    });
    value
}

/// Stands in every hostile text and in none of ours, so that a test can tell whose text it sees.
const FOREIGN: char = 'Ω';

/// What tries to act in a comment, a shell or a log.
const HOSTILE: [&str; 44] = [
    "`",
    "``",
    "```",
    "```suggestion\nrm -rf /\n```",
    "~~~\n# out\n~~~",
    "\n```\n\n# heading\n\n```text\n",
    "` `` ``` ````",
    "`Ω`",
    " ` ",
    "@user",
    "@org/team please approve",
    "mail me@example.com",
    "#1",
    "GH-1 fixes #2 closes owner/repo#3",
    "owner/repo@0123456789abcdef0123456789abcdef01234567",
    "![x](http://x)",
    "[approved](https://example.com 'title')",
    "[ref]: https://example.com\n\n[ref]",
    "https://example.com www.example.com",
    "<https://example.com>",
    "<!-- recuse: {} -->",
    "<!--",
    "-->",
    "</details>",
    "</code></pre></details><h1>clean</h1>",
    "<details><summary>x</summary>",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "&lt;b&gt; &#64;user &commat;user",
    "| a | b |\n|---|---|\n| c | d |",
    "\\|",
    "---",
    "===\n",
    "/lgtm",
    "\n/approve\n  /merge",
    "bors r+\n@bors r+",
    "- [x] done\n> quote\n1. one",
    "**clean** at `0000`",
    "$x$ $$y$$ $`z`$",
    ":tada: [^1]\n\n[^1]: note",
    "\r\n\r\x0b\x0c\u{85}\u{2028}",
    "\u{202e}desrever\u{2066}\u{200b}\u{e0041}\u{fe0f}",
    "\x1b[2J\x1b]8;;http://x\x07click\x1b]8;;\x07\u{9b}31m",
    "::error::x\n##[error]x\n%0A {0} {{1}}",
];

/// Numbers at the ends of what the packet's integers hold, and in between.
const NUMBERS: [u64; 7] = [0, 1, 7, 255, 65_535, 4_294_967_295, u64::MAX];

/// Where the fixture has a text that could be any other: every string but those of enums.
static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| fitting(Value::is_string, &json!("Ω@x")));

/// For each of [`NUMBERS`], where the fixture has a number that could be this one.
static NUMBER_FITS: LazyLock<Vec<Vec<String>>> =
    LazyLock::new(|| NUMBERS.iter().map(|number| fitting(Value::is_number, &json!(number))).collect());

/// Where the fixture has a leaf of a kind that could be replaced by this one.
fn fitting(kind: fn(&Value) -> bool, by: &Value) -> Vec<String> {
    let mut leaves = Vec::new();
    collect(&value(), String::new(), &mut leaves);
    leaves.retain(|(_, leaf)| kind(leaf));
    let fits = |pointer: &String| {
        let mut value = value();
        *value.pointer_mut(pointer).expect("it was found there") = by.clone();
        serde_json::from_value::<PacketV1>(value).is_ok()
    };
    leaves.into_iter().map(|(pointer, _)| pointer).filter(fits).collect()
}

fn collect(value: &Value, pointer: String, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                collect(field, format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, format!("{pointer}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            found.push((pointer, value.clone()));
        }
    }
}

/// The fixture with hostile texts, one after the other, in place of its own.
fn hostile_value(hostile: &[String]) -> Value {
    let mut value = value();
    for (pointer, text) in TEXTS.iter().zip(hostile.iter().cycle()) {
        *value.pointer_mut(pointer).expect("it was found there") = json!(text);
    }
    value
}

#[test]
fn every_kind_of_text_of_a_packet_is_made_hostile() {
    let texts = &*TEXTS;
    for pointer in [
        "/judgement/headline",
        "/judgement/reasons/0",
        "/subject/branch",
        "/attribution/families/0",
        "/attribution/evidence/0/text",
        "/panel/recused/0/reason",
        "/panel/seats/0/reviewer",
        "/panel/seats/3/outcomes/1/detail",
        "/coverage/exempt/0/file",
        "/claims/0/category",
        "/claims/0/file",
        "/claims/0/quote",
        "/claims/0/title",
        "/claims/0/body",
        "/claims/0/supporters/0/family",
        "/claims/0/examination/reason",
        "/claims/1/examination/quote",
        "/panel/examinations/0/detail",
        "/checks/0/name",
        "/checks/1/detail",
        "/checks/1/record/last_lines/0",
        "/questions/0/text",
        "/rules/suppressed/0/reason",
        "/rules/suppressed/0/file",
        "/rules/not_covered/0/reason",
        "/rules/not_covered/0/files/0",
        "/rules/notes/0/note",
        "/gaps/0/detail",
        "/gaps/0/file",
        "/ledger/calls/0/served_model",
        "/run/version",
    ] {
        assert!(texts.iter().any(|text| text == pointer), "{pointer} is not among the texts");
    }
    for pointer in ["/verdict", "/claims/0/severity", "/panel/seats/0/relation/kind"] {
        assert!(texts.iter().all(|text| text != pointer), "{pointer} is no text");
    }
}

#[test]
fn no_hostile_text_acts_whatever_text_of_the_packet_it_is() {
    for hostile in HOSTILE {
        for text in [hostile.to_owned(), format!("{hostile}Ω"), format!("Ω {hostile}\n{hostile}")] {
            check(&read(hostile_value(&[text])));
        }
    }
}

/// Pieces that are put together in any order, with ordinary and odd characters between them.
fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => prop::sample::select(HOSTILE.as_slice()).prop_map(str::to_owned),
        2 => "[`~|*_<>@#/\\\\\\[\\]()! \n\r\t$-]{1,8}",
        1 => "\\PC{1,12}",
        1 => any::<char>().prop_map(String::from),
        1 => Just("Ω".to_owned()),
    ];
    let text = prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat());
    prop_oneof![text.clone(), text.prop_map(|text| format!("{FOREIGN}{text}{FOREIGN}"))]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mixture_of_hostile_texts_acts(
        hostile in prop::collection::vec(hostile_text(), 1..40),
        number in 0..NUMBERS.len(),
    ) {
        let mut value = hostile_value(&hostile);
        for pointer in &NUMBER_FITS[number] {
            *value.pointer_mut(pointer).expect("it was found there") = json!(NUMBERS[number]);
        }
        check(&read(value));
    }
}

fn check(packet: &PacketV1) {
    check_comment(&markdown(packet, &name()));
    check_github(packet);
    for (verbosity, width) in [(Verbosity::Normal, 80), (Verbosity::Verbose, 0)] {
        let plain = TerminalOptions { colour: Colour::Never, width, verbosity };
        let coloured = TerminalOptions { colour: Colour::Always, ..plain };
        check_shell(&terminal(packet, &name(), &plain), &terminal(packet, &name(), &coloured));
    }
    check_log(&sarif(packet, &name()));
    let document = json(packet);
    assert!(document.ends_with("\n}\n"));
    assert_eq!(serde_json::from_str::<PacketV1>(&document).as_ref().ok(), Some(packet));
}

/// What GitHub shows of it beside the comment.
fn check_github(packet: &PacketV1) {
    let head = CommitId::new(&"a".repeat(40)).expect("it is one");
    let earlier = vec![Earlier::of(packet, head, name().digest); 30];
    check_comment(&comment(packet, &name(), &earlier));
    for closing in [Closing::Merged, Closing::Closed] {
        let standing = closing_comment(packet, &name(), &earlier, closing);
        standing.iter().for_each(|text| check_comment(text));
    }
    let run = report::check(packet, &name());
    for text in [&run.summary, &run.text] {
        check_markdown(text);
    }
    assert_is_ours(&run.title, &run.title);
    for annotation in run.annotations {
        let (title, message) = (annotation.title, annotation.message);
        assert!(
            title.chars().count() <= 255 && message.len() <= MAX_ANNOTATION_BYTES,
            "{title:?}: {message:?}"
        );
        let hidden = |character: char| is_hidden(character) && character != '\n';
        assert!(!title.contains(is_hidden) && !message.contains(hidden), "{title:?}: {message:?}");
        assert!(!has_mention(&title) && !has_mention(&message), "{title:?}: {message:?}");
    }
    for inline in inline_comments(packet) {
        check_markdown(&inline.body);
    }
    check_markdown(&reply(&Reply::Why(packet, &name().digest)));
    check_markdown(&reply(&Reply::Lenses(packet, &name())));
    let failed = Notice::Failed { error: &packet.judgement.headline };
    check_markdown(&reply(&Reply::NoLenses(&failed)));
    check_markdown(&reply(&Reply::Unknown(&packet.judgement.headline)));
    check_markdown(&notice(&Notice::Failed { error: &packet.judgement.headline }).1);
    check_markdown(&notice(&Notice::Skipped { rule: "an author", what: &packet.judgement.headline }).1);
}

const OUR_HTML: [&str; 9] = [
    "<details>\n",
    "</details>\n",
    "<summary>Refuted claims</summary>\n",
    "<summary>What the rules could not look at</summary>\n",
    "<summary>Coverage</summary>\n",
    "<summary>Panel</summary>\n",
    "<summary>Ledger</summary>\n",
    "<summary>Digests and version</summary>\n",
    "<summary>Earlier reviews of this pull request</summary>\n",
];

/// Reads a comment with every extension that there is, and checks that nothing in it acts.
fn check_comment(comment: &str) {
    assert!(comment.starts_with("**"), "{comment}");
    check_markdown(comment);
}

fn check_markdown(comment: &str) {
    assert!(comment.len() <= MAX_COMMENT_BYTES, "{} bytes", comment.len());
    for line in comment.lines() {
        assert!(!line.trim_start().starts_with('/'), "a command: {line}");
        assert!(!line.trim_start().starts_with("bors"), "a command: {line}");
    }
    assert!(!comment.contains(|character: char| is_hidden(character) && character != '\n'), "{comment:?}");
    assert!(!has_mention(comment), "a mention: {comment}");
    for options in [Options::ENABLE_TABLES | Options::ENABLE_GFM, Options::all()] {
        check_events(comment, options);
    }
}

fn check_events(comment: &str, options: Options) {
    let mut in_fence = false;
    let mut in_heading = false;
    let mut open_details = 0_i32;
    for event in Parser::new_ext(comment, options) {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                assert_eq!(kind, CodeBlockKind::Fenced("text".into()), "in {comment}");
                in_fence = true;
            }
            Event::End(TagEnd::CodeBlock) => in_fence = false,
            Event::Start(Tag::Heading { level, id, classes, attrs }) => {
                assert_eq!(level, pulldown_cmark::HeadingLevel::H3, "in {comment}");
                assert!(id.is_none() && classes.is_empty() && attrs.is_empty(), "in {comment}");
                in_heading = true;
            }
            Event::End(TagEnd::Heading(_)) => in_heading = false,
            Event::Start(
                Tag::Paragraph
                | Tag::List(None)
                | Tag::Item
                | Tag::Strong
                | Tag::HtmlBlock
                | Tag::Table(_)
                | Tag::TableHead
                | Tag::TableRow
                | Tag::TableCell,
            )
            | Event::End(_)
            | Event::SoftBreak => {}
            Event::Html(html) => {
                assert!(OUR_HTML.contains(&html.as_ref()), "{html:?} in {comment}");
                open_details += i32::from(html.starts_with("<details>"));
                open_details -= i32::from(html.starts_with("</details>"));
                assert!((0..=1).contains(&open_details), "in {comment}");
            }
            Event::Code(_) => assert!(!in_heading, "foreign text in a heading of {comment}"),
            Event::Text(text) if in_fence => {
                assert!(text.split_terminator('\n').all(|line| line.contains('|')), "no gutter: {text:?}");
            }
            Event::Text(text) => assert_is_ours(&text, comment),
            Event::Start(_)
            | Event::InlineHtml(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::HardBreak
            | Event::Rule
            | Event::TaskListMarker(_) => panic!("{event:?} in {comment}"),
        }
    }
    assert_eq!(open_details, 0, "in {comment}");
}

/// Text outside code is ours: words, numbers and a little punctuation.
fn assert_is_ours(text: &str, comment: &str) {
    let ours = |character: char| character.is_ascii_alphanumeric() || " ,.:;()-'’·".contains(character);
    assert!(text.chars().all(ours), "{text:?} in {comment}");
    assert!(!text.contains("http") && !text.contains("www"), "{text:?} in {comment}");
}

fn has_mention(text: &str) -> bool {
    let behind_at = text.split('@').skip(1);
    behind_at.filter_map(|rest| rest.chars().next()).any(char::is_alphanumeric)
}

fn check_shell(plain: &str, coloured: &str) {
    assert!(!plain.contains(|character: char| is_hidden(character) && character != '\n'), "{plain:?}");
    assert!(!plain.contains('\t'), "{plain:?}");
    // Taking off what we paint gives the plain text, so no other escape sequence is in it.
    let mut unpainted = String::new();
    let mut pieces = coloured.split('\x1b');
    unpainted.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (sequence, rest) = piece.split_once('m').expect("a style ends with m");
        let codes = sequence.strip_prefix('[').expect("a style starts with a bracket");
        assert!(codes.chars().all(|code| code.is_ascii_digit() || code == ';'), "{sequence:?}");
        unpainted.push_str(rest);
    }
    assert!(unpainted == plain, "{unpainted:?} is not {plain:?}");
    for line in plain.lines() {
        assert_eq!(line, line.trim_end_matches(' '));
        // As the runner of GitHub Actions looks for commands, in both of its ways.
        assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{line}");
    }
}

fn check_log(log: &Value) {
    let mut leaves = Vec::new();
    collect(log, String::new(), &mut leaves);
    for (pointer, leaf) in leaves {
        let Some(text) = leaf.as_str() else { continue };
        let hidden = |character: char| is_hidden(character) && character != '\n';
        assert!(!text.contains(hidden), "{pointer} is {text:?}");
        if pointer.ends_with("/text") {
            assert!(!text.contains("](") && !has_mention(text), "{pointer} is {text:?}");
        }
        if pointer.ends_with("/uri") {
            let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
            assert!(text.bytes().all(unreserved) && !text.starts_with('/'), "{pointer} is {text:?}");
        }
    }
    for region in regions(log) {
        let line = |name: &str| region[name].as_u64().expect("a region has lines");
        assert!(line("startLine") >= 1 && line("endLine") >= line("startLine"), "{region}");
    }
}

fn regions(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("region");
            own.into_iter().chain(fields.values().flat_map(regions)).collect()
        }
        Value::Array(items) => items.iter().flat_map(regions).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[test]
fn hostile_text_is_told_all_the_same() {
    let packet = read(hostile_value(&["ΩΩΩ".to_owned()]));
    let comment = markdown(&packet, &name());
    let told = comment.matches("ΩΩΩ").count();
    assert!(told > 60, "{told} texts are told in {comment}");
    let options = TerminalOptions { colour: Colour::Never, width: 80, verbosity: Verbosity::Verbose };
    let told = terminal(&packet, &name(), &options).matches("ΩΩΩ").count();
    assert!(told > 60, "{told} texts are told");
}
