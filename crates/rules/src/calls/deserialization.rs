//! Formats that bring objects, and code, to life when they are read.

use code::Language;
use review::Severity;

use super::danger::{Act, Danger, Given, Site};
use super::value::{Clean, Origin};
use crate::catalogue::{Example, Needs, Rule};

pub(super) static UNSAFE: Rule = Rule {
    id: "calls/unsafe-deserialization",
    category: "security/deserialization",
    severity: Severity::Critical,
    summary: "data is read in a format that can run code",
    reason: "Reading such a format builds whatever objects the data names, and calls their code on the way: whoever \
             writes the data runs programs here. JSON, or the safe loader of the same library, brings values only.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "jobs/load.py",
        beside: &[],
        before: Some("import yaml\n"),
        after: "import yaml\n\ndef load(text):\n    return yaml.load(text, Loader=yaml.UnsafeLoader)\n",
    },
    good: Example {
        path: "jobs/load.py",
        beside: &[],
        before: Some("import yaml\n"),
        after: "import yaml\n\ndef load(text):\n    return yaml.safe_load(text)\n",
    },
};

pub(super) fn look(site: &Site<'_>, dangers: &mut Vec<Danger>) {
    let Act::Call { path, name, receiver, arguments, creates, .. } = &site.act else { return };
    let Some(least) = reads_objects(site.language, path, name, arguments, *creates) else { return };
    // `stream.readObject()` reads what its object was made of.
    let value = match (arguments.first(), receiver) {
        (Some(given), _) => &given.value,
        (None, Some(receiver)) => receiver,
        (None, None) => return,
    };
    let harm = "Data of this format names the objects to build and can run code when it is read.";
    match value.worst(Clean::EVERYTHING) {
        Some(hole) if hole.origin >= least => {
            let severity = match hole.origin {
                Origin::Request => Severity::Critical,
                Origin::Parameter | Origin::Local | Origin::Unknown | Origin::Constant => Severity::Medium,
            };
            dangers.push(site.danger_of(&UNSAFE, severity, hole, value, harm));
        }
        Some(_) | None => {}
    }
}

/// From what origin on it is dangerous to read something this way.
fn reads_objects(
    language: Language,
    path: &str,
    name: &str,
    arguments: &[Given<'_>],
    creates: bool,
) -> Option<Origin> {
    let dangerous = |it: bool, least: Origin| it.then_some(least);
    match language {
        Language::Python => {
            let is_pickle = matches!(
                path,
                "pickle.loads"
                    | "cPickle.loads"
                    | "dill.loads"
                    | "cloudpickle.loads"
                    | "marshal.loads"
                    | "jsonpickle.decode"
                    | "pickle.load"
                    | "cPickle.load"
                    | "dill.load"
                    | "_pickle.loads"
                    | "shelve.open"
            );
            if is_pickle {
                // A program's own cache is not what strangers write; what comes in by the net is.
                return Some(Origin::Request);
            }
            let is_yaml = matches!(path, "yaml.load" | "yaml.load_all");
            let unsafe_yaml = is_yaml && !has_safe_loader(arguments)
                || matches!(path, "yaml.unsafe_load" | "yaml.full_load" | "yaml.unsafe_load_all");
            dangerous(unsafe_yaml, Origin::Unknown)
        }
        Language::Java | Language::Kotlin => {
            if matches!(name, "readObject" | "readUnshared") && arguments.is_empty() {
                return Some(Origin::Parameter);
            }
            dangerous(name == "fromXML" || creates && name == "XMLDecoder", Origin::Parameter)
        }
        Language::Ruby => dangerous(
            matches!(
                path,
                "Marshal.load"
                    | "Marshal.restore"
                    | "YAML.unsafe_load"
                    | "Psych.unsafe_load"
                    | "Oj.object_load"
            ),
            Origin::Parameter,
        )
        .or_else(|| dangerous(path == "YAML.load", Origin::Request)),
        Language::Php => {
            let has_options = arguments.len() > 1;
            dangerous(path == "unserialize" && !has_options, Origin::Parameter)
        }
        Language::JavaScript | Language::TypeScript | Language::Tsx => dangerous(
            matches!(
                path,
                "serialize.unserialize"
                    | "node-serialize.unserialize"
                    | "unserialize"
                    | "cryo.parse"
                    | "funcster.deepDeserialize"
            ),
            Origin::Parameter,
        ),
        Language::Bash | Language::C | Language::Cpp | Language::CSharp | Language::Go | Language::Rust => {
            None
        }
    }
}

/// Whether a loader is named that brings values only.
fn has_safe_loader(arguments: &[Given<'_>]) -> bool {
    let loader = arguments.iter().find(|given| given.name == Some("Loader")).or_else(|| arguments.get(1));
    loader.is_some_and(|given| {
        let name = given.expr.last_name().unwrap_or_default();
        name.contains("Safe") || name.contains("Base") || !name.ends_with("Loader")
    })
}
