//! The state as GitHub's JSON, whole: `scripts/check-github-api` holds it against GitHub's own description.

mod checks;
mod people;
mod pulls;
mod repositories;

use serde_json::{Value, json};

pub(crate) use repositories::{commit_json, pushed_commit_json};

/// When everything happened.
pub(crate) const TIME: &str = "2026-11-01T12:00:00Z";

/// Where the API says that things are. Nobody is meant to follow.
pub(crate) const API: &str = "https://api.github.example";

/// Where people would look at them.
pub(crate) const WEB: &str = "https://github.example";

/// The other kind of name that everything has.
pub(crate) fn node_id(kind: &str, id: u64) -> String {
    format!("{kind}_kwFake{id}")
}

/// An object with more fields.
pub(crate) fn with(mut value: Value, more: Value) -> Value {
    let (Value::Object(fields), Value::Object(more)) = (&mut value, more) else {
        panic!("only objects have fields")
    };
    fields.extend(more);
    value
}

/// What people think of something; nobody thinks anything of what the fake shows.
pub(crate) fn no_reactions(url: &str) -> Value {
    json!({"url": format!("{url}/reactions"), "total_count": 0, "+1": 0, "-1": 0, "laugh": 0, "hooray": 0,
        "confused": 0, "heart": 0, "rocket": 0, "eyes": 0})
}
