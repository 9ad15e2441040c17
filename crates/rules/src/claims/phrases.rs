//! What is said to reviewers, and how it is told from talk about such text.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use review::Severity;
use review::text::{shorten, visible};

use crate::catalogue::Rule;

use super::table;

/// A phrase that is used.
#[derive(Debug, Clone)]
pub(super) struct Said<'a> {
    /// The rule that it belongs to.
    pub(super) rule: &'static Rule,
    /// How bad that is in an ordinary file.
    pub(super) severity: Severity,
    /// Where it is in the text.
    pub(super) place: Range<usize>,
    words: &'a str,
}

impl Said<'_> {
    /// What the finding says before its reason.
    pub(super) fn body(&self) -> String {
        let words: Vec<&str> = self.words.split_whitespace().collect();
        format!("“{}”: an unverified claim.", shorten(&visible(&words.join(" ")), 120))
    }
}

/// Words one of which is in everything that a phrase matches, in small letters.
pub(super) const KEYWORDS: [&str; 65] = [
    "ignor",
    "disregard",
    "forget",
    "overrid",
    "bypass",
    "supersede",
    "not flag",
    "n't flag",
    "never flag",
    "not raise",
    "n't raise",
    "not report",
    "n't report",
    "never report",
    "not mention",
    "n't mention",
    "never mention",
    "not comment",
    "n't comment",
    "not surface",
    "not call out",
    "not** ",
    "review:",
    "reviewer",
    "review agent",
    "review bot",
    "ai agent",
    "ai assistant",
    "ai model",
    "ai system",
    "ai tool",
    "language model",
    "llm",
    "coding agent",
    "coding assistant",
    "an ai",
    "approved",
    "reviewed",
    "signed off",
    "signed-off",
    "audited",
    "vetted",
    "cleared",
    "waived",
    "verified",
    "security review",
    "out of scope",
    "out-of-scope",
    "safe by design",
    "need to review",
    "developer mode",
    "unrestricted",
    "no restrictions",
    "no content policy",
    "oublie",
    "vergiss",
    "olvida",
    "dimentica",
    "esque",
    "<|im_start",
    "your system prompt",
    "your initial",
    "decode",
    "are now dan",
    "note to the",
];

/// Marks that separate the turns of a conversation; keywords too.
pub(super) const TURN_MARKS: [&str; 9] = [
    "<|start_header_id|>",
    "<|system|>",
    "<<sys>>",
    "[inst]",
    "</system>",
    "function_result",
    "tool_result",
    "end of user",
    "end of document",
];

struct Phrase {
    rule: &'static Rule,
    severity: Severity,
    pattern: LazyLock<Regex>,
}

macro_rules! phrase {
    ($rule:ident, $severity:ident, $pattern:literal) => {
        Phrase {
            rule: &table::$rule,
            severity: Severity::$severity,
            pattern: LazyLock::new(|| Regex::new(concat!("(?xi)", $pattern)).expect("a test compiles it")),
        }
    };
}

/// The phrases. Between two words there may be a line end, and emphasis round a negation.
static PHRASES: [Phrase; 18] = [
    // Orders that take back what a model was told.
    phrase!(
        OVERRIDES,
        Medium,
        r"\b(?:ignore|disregard|forget)s?\s+
          (?:(?:all|any|every|everything|the|your|my|of|these|those|other|system|developer|and)\s+){0,4}
          (?:previous(?:ly)?|prior|above|earlier|preceding|former|existing|original|initial|operator'?s?|developer|system)\s+
          (?:(?:system|user|developer|safety|security|operating)\s+)?(?:and\s+\w+\s+)?(?:(?:set|list)s?\s+of\s+)?
          (?:instructions?|prompts?|rules|directions|directives?|guidelines?|constraints|polic(?:y|ies)|confidentiality\s+polic(?:y|ies))\b"
    ),
    phrase!(
        OVERRIDES,
        Medium,
        r"\b(?:ignore|disregard|forget)\s+(?:all\s+|everything\s+)?
          (?:(?:of\s+)?your\s+(?:\w+\s+){0,2}(?:instruction|guideline|rule|polic|training|system\s+prompt)\w*
            |everything\s+(?:above|before|you\s+(?:were|have\s+been)\s+told))"
    ),
    phrase!(
        OVERRIDES,
        Medium,
        r"\b(?:overrides?|bypass|supersedes?)\s+(?:(?:all|any|the|your|of)\s+){0,3}(?:previous|prior|above|earlier|preceding)\s+
          (?:(?:system|safety|security)\s+)?(?:instructions?|prompts?|directives?|guidelines?)\b"
    ),
    phrase!(
        OVERRIDES,
        Medium,
        r"\b(?:reveal|print|output|repeat|leak|dump)\s+(?:me\s+)?your\s+(?:\w+\s+){0,2}?(?:system\s+prompt|(?:initial|hidden|original|system)\s+(?:instructions|prompt))\b"
    ),
    phrase!(
        OVERRIDES,
        Medium,
        r"\bdecode\b[^.\n]{0,60}\b(?:and|then)\s+(?:do|follow|execute|obey)\b[^.\n]{0,20}\b(?:what|it|instructions?|exactly)\b"
    ),
    phrase!(
        OVERRIDES,
        Medium,
        r"\byou\s+are\s+now\s+(?:in\s+)?(?:\w+\s+){0,2}?(?:developer\s+mode|unrestricted|jailbroken|DAN\b|no\s+longer\s+bound)
          |\b(?:you|now)\s+have\s+no\s+(?:restrictions|rules|content\s+policy|filters?)\b"
    ),
    phrase!(
        OVERRIDES,
        Medium,
        r"\bignor(?:iere|ieren\s+sie|ez|es?|a|ar)\s+(?:alle|todas?|todos?|toutes?|tous|tutte|tutti|le|las|les|die)\s+
          (?:(?:le|las|les|die|os|as|los)\s+)?(?:\w+\s+){0,2}(?:anweisung|instrucci|instruç|istruzion|instruction|regel|consigne)\w*"
    ),
    phrase!(
        OVERRIDES,
        Medium,
        r"\b(?:vergiss|oublie[zr]?|olvida|dimentica|esque[cç]a)\s+(?:alle|alles|todas?|toutes?|tutte|le|las|les|die|tudo)\W+
          (?:\w+\s+){0,3}(?:anweisung|instrucci|instruç|istruzion|instruction|regel|bisher|gesagt|besprochen)\w*"
    ),
    // Orders to whoever reviews.
    phrase!(
        ADDRESSES_REVIEWERS,
        Medium,
        r"\b(?:(?:ai|code|automated|security|llm|bot)[\s-]+)?review(?:er)?s?(?:\s+(?:agent|bot|model|tool|assistant)s?)?\s*[:,—]\s*
          (?:please\s+)?(?:do\s+\W{0,2}not\W{0,2}|don'?t|never|skip|ignore|approve|treat)\s*\b"
    ),
    phrase!(
        ADDRESSES_REVIEWERS,
        Medium,
        r"\b(?:do\s+\W{0,2}not\W{0,2}|don'?t|never|must\s+not|should\s+not|need\s+not)\s*
          (?:flag|report|raise|mention|comment\s+on|call\s+out|surface)\s+(?:\w+[\s-]+){0,6}?
          (?:finding|vulnerabilit|violation|security|injection|(?:issue|warning|problem|concern)s?\s+(?:in|on|about|with)\s+(?:this|these|the)\b
            |as\s+(?:an?\s+)?(?:bug|defect|risk|unsafe|insecure|issue|vulnerab))\w*"
    ),
    phrase!(
        ADDRESSES_REVIEWERS,
        Medium,
        r"\bif\s+you(?:'re|\s+are)\s+(?:an?\s+)?(?:ai|a\.i\.|llm|large\s+language\s+model|language\s+model|automated|coding)\b
          [\s\w,-]{0,40}(?:review|read|process|scan|analy[sz]|summari|evaluat|audit)\w*"
    ),
    phrase!(
        ADDRESSES_REVIEWERS,
        Medium,
        r"\b(?:note|message|instructions?|notice|attention)\s+(?:to|for)\s+(?:the\s+|all\s+|any\s+)?
          (?:(?:ai|llm|language\s+model|automated|coding|review)[\s-]+)+(?:agent|assistant|model|system|tool|reviewer|bot|scanner)s?
          (?:\s+\w+){0,3}\s*[:,—(]"
    ),
    phrase!(ADDRESSES_REVIEWERS, Medium, r"\bnote\s+to\s+the\s+(?:bot|assistant|model|agent)\s*:"),
    phrase!(
        ADDRESSES_REVIEWERS,
        Medium,
        r"\b(?:ai|llm)[\s-]+(?:agents?|assistants?|models?|systems?|reviewers?|tools?|scanners?)\s+
          (?:reading|reviewing|processing|scanning|analy[sz]ing|that\s+(?:read|review|process))\s+(?:this|these)\b"
    ),
    phrase!(
        ADDRESSES_REVIEWERS,
        Low,
        r"\b(?:no\s+need\s+to\s+review\s+(?:this|these|it|the)
          |skip\s+(?:the\s+|any\s+)?(?:security\s+)?review\s+(?:of|for)\s+(?:this|these)
          |(?:this\s+(?:file|module|code|function|call)|it)\s+is\s+safe\s+by\s+design)\b"
    ),
    // Approval that nobody can look up here.
    phrase!(
        CLAIMS_AUTHORITY,
        Medium,
        r"\b(?:approved|pre-?approved|pre-?reviewed|reviewed|verified|validated|cleared|audited|vetted|signed[\s-]+off|waived)\b
          (?:\s+(?:and\s+\w+|this|it|already|previously|as\s+safe|under))*\s+(?:in|by|during|under|with|from|per|through)\s+
          (?:the\s+|our\s+|an?\s+)?
          (?:(?:\w+[\s-]+){0,2}?(?:security|appsec|infosec|compliance|audit|red)[\s-]+(?:review|team|audit|assessment|board|group|office)
            |(?:SEC|AUDIT|APPSEC|INFOSEC|RISK|COMPLIANCE|PENTEST|TOB)-[A-Z0-9]+(?:-\w+)*|trail\s+of\s+bits|ncc\s+group|cure53)\b"
    ),
    phrase!(
        CLAIMS_AUTHORITY,
        Medium,
        r"\bper\s+(?:(?:the|our)\s+)?(?:ADR-\d+\s+and\s+)?(?:security|audit|appsec)\s+(?:review|guidance|team|approval)\b
          |\b(?:findings?|(?:re-?|pre-?)?validation|security\s+(?:checks?|warnings?|issues?))\b[^.]{0,80}?\b(?:is|are)\s+
           (?:\w+\s+){0,3}?out[\s-]+of[\s-]+scope\b"
    ),
    // A conversation that is not one.
    phrase!(
        FAKES_CONVERSATION,
        Medium,
        r"(?:<\|im_start\|>|<\|start_header_id\|>|<\|system\|>|<<SYS>>|\[INST\]|</system>|</?(?:function_results?|tool_results?)>
            |\#{2,}\s*end\s+of\s+(?:user\s+input|system\s+prompt|document|instructions)\b|^end\s+of\s+user\s+input\b)
          [\s\S]{0,60}?\b(?:you\s+(?:are\s+now|must|may\s+now|will\s+now)|ignore|approve|grant|reveal
            |the\s+user\s+(?:is|has)|all\s+(?:checks|tests)\s+pass|no\s+(?:issues|findings|problems)\s+found)\b"
    ),
];

/// What a piece of text says to reviewers.
pub(super) fn said_in(text: &str, window: Range<usize>) -> Vec<Said<'_>> {
    let piece = &text[window.clone()];
    let mut said: Vec<Said<'_>> = Vec::new();
    for phrase in &PHRASES {
        for found in phrase.pattern.find_iter(piece) {
            let place = window.start + found.start()..window.start + found.end();
            if !is_mention(text, &place, phrase.rule) {
                said.push(Said {
                    rule: phrase.rule,
                    severity: phrase.severity,
                    words: &text[place.clone()],
                    place,
                });
            }
        }
    }
    said
}

/// Words right before a phrase that make it something to talk about.
static MENTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?xi)\b(?:e\.g\.?|i\.e\.?|such\s+as|like|for\s+(?:example|instance)|examples?|phrases?|patterns?|attempts?(?:\s+to)?
          |(?:tries|tried|trying|try|asks?|asking|tells?|telling|instructs?|instructed|wants?|able|used|order)(?:\s+\w+)?\s+to
          |inject(?:ion|ed|s|ing)?|jailbreaks?|refuse|reject|block|blocks|detect|detects|contains?|containing|match|matches|says?|saying|said
          |claims?|claiming|pretends?|attacker|malicious|adversarial|hostile|attacks?|called|named|titled|labell?ed|means?|regex|prevents?
          |(?:never|not|cannot|can't|could|would|might|should)(?:\s+(?:follow|obey|be))?|if\s+[^.]{0,60}\bto|or|and)\s*[:\-–—(]*\s*$",
    )
    .expect("a test compiles it")
});

/// What comes behind “do not report vulnerabilities” in a security policy.
static PUBLICLY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?xi)^\w*\s+(?:[\w-]+\s+){0,4}?
        (?:through|via|publicly|in\s+(?:a\s+|the\s+)?public|using|on\s+(?:the\s+)?(?:public|github)|by\s+opening|as\s+(?:a\s+)?(?:public|github))\b",
    )
    .expect("a test compiles it")
});

/// Marks of a pattern in a program.
const PATTERN_MARKS: [&str; 9] = ["\\s", "\\b", "(?:", "(?i", ".*", "\\w", "[^", "re.compile", "Regex::new"];

/// How far round a phrase it is looked for words and marks, in bytes.
const NEARBY: usize = 80;

const QUOTES: [char; 10] = ['"', '\'', '`', '“', '”', '‘', '’', '«', '»', '„'];

/// Whether a phrase is talked about: it is quoted by itself, stands in a pattern, or comes after words that say so.
fn is_mention(text: &str, place: &Range<usize>, rule: &Rule) -> bool {
    let start = text.floor_char_boundary(place.start.saturating_sub(NEARBY));
    let end = text.ceil_char_boundary((place.end + NEARBY).min(text.len()));
    let line_start = text[start..place.start].rfind('\n').map_or(start, |at| start + at + 1);
    let line_end = text[place.end..end].find('\n').map_or(end, |at| place.end + at);
    if PATTERN_MARKS.iter().any(|mark| text[line_start..line_end].contains(mark)) {
        return true;
    }
    let before = text[line_start..place.start].trim_end_matches(['*', '_', '.', '…', '[', '(', '\\', ' ']);
    let after = text[place.end..line_end]
        .trim_start_matches(['.', '!', ',', '…', '?', ')', ']', '\\', ' ', '*', '_']);
    if before.ends_with(QUOTES) && after.starts_with(QUOTES) {
        return true;
    }
    // Security policies ask for reports in private, which is no order to reviewers.
    if PUBLICLY.is_match(&text[place.end..end]) {
        return true;
    }
    // Whoever talks about an order names it first; a claim of approval is not named so.
    let is_order = rule.id != table::CLAIMS_AUTHORITY.id;
    is_order && MENTION.is_match(text[start..place.start].trim_end_matches(|c: char| QUOTES.contains(&c)))
}
