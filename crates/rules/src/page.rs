//! The rules as pages for people, made from the catalogue: one page a family.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Example, RuleInfo, catalogue};

/// Names the families that have rules, in order.
pub fn families() -> Vec<&'static str> {
    by_family().into_keys().collect()
}

/// Writes the page of a family as Markdown; nothing for a family that has no rules.
pub fn page(family: &str) -> Option<String> {
    let rules = by_family().remove(family)?;
    let mut page = format!("# {}\n\n{MADE}", sentence_start(&family.replace('-', " ")));
    if rules.iter().all(|rule| !rule.form.is_empty()) {
        page.push_str(&forms(&rules));
    } else {
        page.push_str(&rules.iter().map(section).collect::<Vec<_>>().join("\n"));
    }
    Some(page)
}

/// Writes the page that lists the families as Markdown.
pub fn index() -> String {
    let mut index = format!(
        "# The families of rules\n\n{MADE}| family | rules | categories | worst |\n|---|---|---|---|\n"
    );
    for (family, rules) in by_family() {
        let categories: BTreeSet<&str> = rules.iter().map(|rule| rule.category.as_str()).collect();
        let worst = rules.iter().map(|rule| rule.severity).max().map_or("", |severity| severity.name());
        index.push_str(&format!(
            "| [{}]({family}.md) | {} | {} | {worst} |\n",
            sentence_start(&family.replace('-', " ")),
            rules.len(),
            Vec::from_iter(categories).join(", ")
        ));
    }
    index
}

/// Says of a page that nobody writes it by hand.
const MADE: &str =
    "<!-- Made from the catalogue of the rules; RECUSE_UPDATE_DOCS=1 cargo test writes it anew. -->\n\n";

fn by_family() -> BTreeMap<&'static str, Vec<RuleInfo>> {
    let mut families: BTreeMap<&'static str, Vec<RuleInfo>> = BTreeMap::new();
    for rule in catalogue() {
        families.entry(family_of(rule.id)).or_default().push(rule);
    }
    families
}

fn family_of(id: &'static str) -> &'static str {
    id.split('/').next().unwrap_or(id)
}

/// Rules that are told apart by a form alone, as a table: one reason holds for all of them.
fn forms(rules: &[RuleInfo]) -> String {
    let mut page = String::new();
    if let Some(rule) = rules.first() {
        page.push_str(&format!("{}\n\nReads {}.\n\n", rule.reason, rule.needs.words()));
    }
    page.push_str(
        "In a form, `{h40}` is forty characters of the class `h`: `a` letters, `b` letters and digits, `d` digits, \
         `h` hex, `l` lower case and digits, `s` base64, `t` and `v` base32, `u` upper case and digits, `w` letters, \
         digits and `_`, `z` base58 in upper case.\n\n| rule | finds | severity | looked at where there is | form |\n\
         |---|---|---|---|---|\n",
    );
    for rule in rules {
        let keywords: Vec<_> = rule.keywords.iter().map(|keyword| cell(keyword)).collect();
        page.push_str(&format!(
            "| `{}` | {} | {} | {} | {} |\n",
            rule.id,
            rule.summary,
            rule.severity.name(),
            keywords.join(", "),
            cell(rule.form)
        ));
    }
    page
}

/// Text of a table's cell, as code.
fn cell(text: &str) -> String {
    let text = text.replace('|', "\\|").replace('\n', "⏎");
    let fence = if text.contains('`') { "``" } else { "`" };
    format!("{fence}{text}{fence}")
}

fn section(rule: &RuleInfo) -> String {
    let reached = rule.bad.as_ref().and_then(|bad| bad.severity_by(rule.id));
    let severity = rule.severity.name();
    // The worst that a rule says is not always what its example shows.
    let (severity, reported) = match reached.filter(|reached| *reached != rule.severity) {
        Some(reached) => (format!("up to {severity}"), format!("Reported, {} here", reached.name())),
        None => (severity.to_owned(), "Reported".to_owned()),
    };
    let mut section = format!(
        "## `{}`\n\n**{}** · {severity} · {}\n\n{}\n\nReads {}.\n",
        rule.id,
        sentence_start(&rule.summary),
        rule.category.as_str(),
        rule.reason,
        rule.needs.words()
    );
    for (words, example) in [(reported.as_str(), &rule.bad), ("Left alone", &rule.good)] {
        section.extend(example.iter().map(|example| shown(words, example)));
    }
    section
}

/// "hidden text" as it starts a sentence.
fn sentence_start(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn shown(words: &str, example: &Example) -> String {
    let mut shown = format!("\n{words}, in `{}`:\n\n{}", example.path, fenced(&example.shown()));
    for neighbour in example.beside {
        shown.push_str(&match neighbour.shown() {
            Some(diff) => format!("\nTogether with `{}`:\n\n{}", neighbour.path, fenced(&diff)),
            None => format!("\nBeside it stands `{}`, which stays as it was.\n", neighbour.path),
        });
    }
    shown
}

/// A diff in a fence that nothing inside can close.
fn fenced(diff: &str) -> String {
    let fence = "`".repeat(3.max(longest_run(diff) + 1));
    format!("{fence}diff\n{diff}{fence}\n")
}

fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_of_every_rule_of_its_family() {
        for family in families() {
            let page = page(family).expect("a family has rules");
            for rule in catalogue().iter().filter(|rule| family_of(rule.id) == family) {
                assert!(page.contains(rule.id) && page.contains(rule.reason), "{}", rule.id);
            }
            assert!(page.lines().all(|line| !line.ends_with(' ')), "{family}");
        }
        assert_eq!(page("nothing"), None);
    }

    #[test]
    fn an_example_is_shown_as_a_change_with_what_cannot_be_seen_written_out() {
        let page = page("hidden-text").expect("it has rules");
        assert!(page.contains("Left alone, in `"), "{page}");
        let unseen = |character: char| review::text::is_hidden(character);
        assert!(!page.chars().any(unseen));
        assert!(page.contains("\\u{a0}"), "{page}");
        let foreign = |character: char| {
            (character.is_whitespace() && !character.is_ascii())
                || ('\u{400}'..'\u{530}').contains(&character)
        };
        assert!(!page.chars().any(foreign), "{page}");
    }

    #[test]
    fn a_page_names_what_an_example_does_not_reach_and_what_stands_beside_it() {
        let calls = page("calls").expect("it has rules");
        let (_, deserialization) = calls.split_once("## `calls/code-injection`").expect("it is there");
        assert!(deserialization.contains("· up to critical ·") || deserialization.contains("· critical ·"));
        let dependencies = page("dependencies").expect("it has rules");
        assert!(dependencies.contains("Beside it stands `package-lock.json`, which stays as it was."));
        assert!(dependencies.contains("Together with `Cargo.toml`:"), "{dependencies}");
    }
}
