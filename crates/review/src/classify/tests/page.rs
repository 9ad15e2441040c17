//! The page about the rules is the one that the rules make.

use super::*;

#[test]
#[expect(clippy::disallowed_methods, reason = "a test that writes the page when it is asked to")]
fn the_page_is_what_the_rules_make() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/classification.md");
    let page = ClassifyRules::embedded().page();
    if std::env::var_os("RECUSE_UPDATE_DOCS").is_some() {
        std::fs::write(file, &page).expect("a page that can be written");
    }
    let committed = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        page == committed,
        "docs/classification.md is not what config/classify.toml makes; \
         set RECUSE_UPDATE_DOCS=1 and run this test again to write it"
    );
}

#[test]
fn the_page_lists_every_rule() {
    let rules = ClassifyRules::embedded();
    let page = rules.page();
    for label in &rules.table.label {
        assert!(page.contains(&format!("## {}\n", label.name.name())));
        for path in &label.path {
            assert!(page.contains(&path.reason), "{}", path.reason);
            path.globs.iter().chain(&path.except).for_each(|glob| assert!(page.contains(glob), "{glob}"));
        }
        for line in &label.line {
            assert!(page.contains(&line.reason), "{}", line.reason);
            assert!(page.contains(&line.pattern), "{}", line.pattern);
        }
    }
}
