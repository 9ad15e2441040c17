//! The page about the rules says all that they say.

use super::*;

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
