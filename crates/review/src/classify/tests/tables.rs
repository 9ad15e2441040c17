//! Tests of reading the rules: what is refused, and what an operator can add.

use std::error::Error;

use super::*;

/// The whole chain of an error, as a log would show it.
fn told(error: &ClassifyError) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        told.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    told
}

#[test]
fn what_is_wrong_with_rules_is_named() {
    for (text, expected) in [
        ("nonsense = 1", "unknown field `nonsense`"),
        ("[[label]]\nname = \"weather\"", "unknown variant `weather`"),
        (
            "[[label]]\nname = \"ci\"\n[[label.path]]\nreason = \"a\"\nglobs = [\"a\"]\nglob = \"b\"",
            "unknown field `glob`",
        ),
        (
            "[[label]]\nname = \"ci\"\n[[label.path]]\nreason = \"a\"\nglobs = [\"x[\"]",
            "could not compile the glob \"x[\" of label ci",
        ),
        (
            "[[label]]\nname = \"ci\"\n[[label.path]]\nreason = \"a\"\nglobs = [\"a{b\"]",
            "could not compile the glob \"a{b\" of label ci",
        ),
        (
            "[[label]]\nname = \"ci\"\n[[label.line]]\nreason = \"a\"\npattern = \"(\"",
            "could not compile the pattern \"(\" of label ci",
        ),
        ("[down]\nstarts = [\"[\"]", "could not compile the pattern \"[\" of down"),
        (
            "[[export]]\nlanguage = \"A\"\nextensions = [\"a\"]\npattern = \"a\"",
            "a rule of export A has no group called name",
        ),
        (
            "[[label]]\nname = \"ci\"\n[[label.path]]\nreason = \" \"\nglobs = [\"a\"]",
            "a rule of label ci has no reason",
        ),
        (
            "[[label]]\nname = \"ci\"\n[[label.path]]\nreason = \"a\"\nglobs = []",
            "a rule of label ci has no globs",
        ),
        (
            "[[label]]\nname = \"ci\"\n[[label.line]]\nreason = \"a\"\npattern = \"\"",
            "a rule of label ci has no pattern",
        ),
        (
            "[[label]]\nname = \"docs\"\n[[label.line]]\nreason = \"a\"\npattern = \"a\"",
            "a line cannot make a file docs, only its path can",
        ),
    ] {
        let error = ClassifyRules::parse(text).expect_err(text);
        assert!(told(&error).contains(expected), "{text}\n{}", told(&error));
    }
    let many = format!(
        "[[label]]\nname = \"ci\"\n[[label.path]]\nreason = \"a\"\nglobs = [\"{}\"]",
        "{a,b}".repeat(20)
    );
    assert!(told(&ClassifyRules::parse(&many).expect_err("too many")).contains("too many alternatives"));
}

#[test]
fn an_operator_adds_rules_and_takes_none_away() {
    let rules = ClassifyRules::embedded()
        .extend(
            "[code]\nextensions = [\"quux\"]\n\
             [[label]]\nname = \"security-sensitive\"\nrisk = \"low\"\n\
             [[label.path]]\nreason = \"moves money\"\nglobs = [\"**/payments/**\"]\n\
             [[label.line]]\nreason = \"moves money\"\npattern = \"transfer_funds\"\n",
        )
        .expect("rules of an operator");
    let classification = classify(&change(&[("src/payments/a.quux", "+transfer_funds()")]), &rules);
    assert_eq!(
        classification.labels[0].reasons,
        ["src/payments/a.quux: moves money (**/payments/**)"],
        "one reason is told once"
    );
    assert_eq!(classification.risk, Risk::High, "the risk of a label does not fall");
    assert!(classification.files[0].code);
    assert!(classify(&change(&[("src/auth/a.py", "+a()")]), &rules).has(Label::SecuritySensitive));
}

#[test]
fn an_operators_mistake_is_an_error_and_not_fewer_rules() {
    assert!(ClassifyRules::embedded().extend("[[label]]\nname = \"ci\"\ncolour = 1").is_err());
}

#[test]
fn every_label_has_rules() {
    let rules = ClassifyRules::embedded();
    for label in Label::ALL {
        let table = rules.label(label).expect("a table for every label");
        assert!(!table.path.is_empty(), "{}", label.name());
    }
}

#[test]
fn names_are_what_serde_writes() {
    for label in Label::ALL {
        assert_eq!(serde_json::to_value(label).expect("a label"), label.name());
    }
    for risk in [Risk::Low, Risk::Medium, Risk::High] {
        assert_eq!(serde_json::to_value(risk).expect("a risk"), risk.name());
    }
    for reversibility in [Reversibility::Reversible, Reversibility::Costly, Reversibility::Irreversible] {
        assert_eq!(serde_json::to_value(reversibility).expect("a reversibility"), reversibility.name());
    }
}

#[test]
fn the_embedded_rules_pass_the_checks_that_an_operators_have_to_pass() {
    ClassifyRules::parse(ClassifyRules::EMBEDDED).expect("good rules");
}
