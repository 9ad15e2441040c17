//! What is wrong with JSON, without a word of the JSON.

use serde_json::error::{Category, Error};

/// Says what is wrong and where. A parser's own message may repeat what it read, which was somebody's text.
pub(crate) fn fault(error: &Error) -> String {
    let message = error.to_string();
    let what = match error.classify() {
        Category::Io => "it cannot be read",
        Category::Syntax => "it is no JSON",
        Category::Eof => "its JSON is cut off",
        // The names of fields are ours.
        Category::Data if message.starts_with("missing field") => {
            message.split(" at line").next().unwrap_or("a field is missing")
        }
        Category::Data => "a field is not what it should be",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_has_a_place_and_no_text_of_the_input() {
        #[derive(Debug, serde::Deserialize)]
        struct Needed {
            #[expect(dead_code, reason = "only its presence is tried")]
            number: u64,
        }
        for (text, expected) in [
            ("{\"number\": \"hunter2\"}", "a field is not what it should be (line 1, column 20)"),
            ("{\"hunter2\": 1}", "missing field `number` (line 1, column 14)"),
            ("{\"number\": hunter2}", "it is no JSON (line 1, column 12)"),
            ("{\"number\":", "its JSON is cut off (line 1, column 10)"),
        ] {
            let error = serde_json::from_str::<Needed>(text).unwrap_err();
            assert_eq!(fault(&error), expected);
        }
    }
}
