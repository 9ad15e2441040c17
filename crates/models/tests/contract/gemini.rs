//! The generateContent codec on bodies of the documented shape, in `tests/data/gemini`.

use models::{Content, Finish, Message, Reply, ToolSpec, Usage, Wire};
use serde_json::json;

use crate::support::{ANSWER, DIALECT, PLAIN, class, data, encoded, error, exchange, list, prompt, read};

const WIRE: Wire = Wire::Gemini;

fn reply(name: &str) -> Reply {
    let body = data("gemini", name);
    read(WIRE, &exchange(200, &[], body)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn a_complete_reply_gives_all_it_has_in_one_piece_or_as_events() {
    for name in ["complete", "complete.sse"] {
        let exchange = exchange(200, &[], data("gemini", name));
        let reply = read(WIRE, &exchange).unwrap();
        assert_eq!(reply.content.text(), ANSWER, "{name}");
        assert_eq!(reply.finish, Finish::Complete, "{name}");
        assert_eq!(reply.served_model.as_deref(), Some("gemini-4-argon"));
        assert_eq!(reply.request_id.as_deref(), Some("Oak"));
        // The format counts thoughts beside the answer.
        let usage = Usage { input: 2006, cached_input: 1920, cache_write: 0, output: 300, reasoning: 192 };
        assert_eq!(reply.usage, Some(usage), "{name}");
        assert_eq!(reply.raw, exchange.body);
    }
    let bare = reply("no_usage");
    assert_eq!((bare.usage, bare.served_model, bare.request_id), (None, None, None));
    let thought = reply("max_tokens_while_thinking").usage.unwrap();
    assert_eq!((thought.output, thought.reasoning), (300, 300));
}

#[test]
fn how_a_reply_ended_is_never_guessed_in_its_favour() {
    let table = [
        ("max_tokens", Finish::Truncated, "{\"findings\":[{\"file\":\"src/a"),
        ("max_tokens.sse", Finish::Truncated, "{\"findings\":"),
        ("max_tokens_while_thinking", Finish::Truncated, ""),
        ("no_reason", Finish::Unknown("none".to_owned()), ANSWER),
        ("safety", Finish::Filtered("SAFETY".to_owned()), ""),
        ("blocked", Finish::Filtered("PROHIBITED_CONTENT".to_owned()), ""),
        ("blocked.sse", Finish::Filtered("SAFETY".to_owned()), ""),
        ("function_calls", Finish::ToolCalls, "I will look."),
        ("function_calls.sse", Finish::ToolCalls, "I will look."),
    ];
    for (name, finish, text) in table {
        let reply = reply(name);
        assert_eq!(reply.finish, finish, "{name}");
        assert_eq!(reply.content.text(), text, "{name}");
    }
    let filtered = ["SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"];
    let unknown = [
        "OTHER",
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "CONTINUATION",
        "FINISH_REASON_UNSPECIFIED",
        "A_WORD_TO_COME",
    ];
    for word in filtered.into_iter().chain(unknown) {
        let body = json!({"candidates": [{"content": {"parts": [{"text": "{}"}]}, "finishReason": word}]});
        let finish = read(WIRE, &exchange(200, &[], body.to_string())).unwrap().finish;
        let word = word.to_owned();
        let expected =
            if filtered.contains(&&*word) { Finish::Filtered(word) } else { Finish::Unknown(word) };
        assert_eq!(finish, expected);
    }
}

#[test]
fn every_error_is_sorted_under_its_status_and_inside_a_200() {
    let table = [
        (400, "bad_request", "bad request 400"),
        (400, "bad_schema", "no schema"),
        (400, "wrong_key", "authentication 400"),
        (400, "no_billing", "bad request 400"),
        (400, "too_long", "too long None None"),
        (403, "forbidden", "authentication 403"),
        (404, "missing", "not found"),
        (429, "rate_limited", "rate limited Some(34s)"),
        (429, "rate_limited_in_a_list", "rate limited None"),
        (500, "internal", "server 500"),
        (503, "unavailable", "overloaded 503"),
        (504, "timed_out", "server 504"),
        (200, "rate_limited", "rate limited Some(34s)"),
        (200, "unavailable", "overloaded 503"),
        (200, "bad_request", "bad request 400"),
        (200, "unavailable.sse", "overloaded 503"),
        (200, "stopped.sse", "interrupted"),
    ];
    for (status, name, expected) in table {
        let error = error(WIRE, &exchange(status, &[], data("gemini", name)));
        assert_eq!(class(&error), expected, "{status} {name}");
    }
}

#[test]
fn a_request_holds_what_the_dialect_asks_for_and_nothing_else() {
    let prompt = prompt("diff");
    // The model stands in the address.
    let least = json!({"systemInstruction": {"parts": [{"text": "You review."}]},
        "contents": [{"role": "user", "parts": [{"text": "diff"}]}],
        "generationConfig": {"maxOutputTokens": 4000}});
    assert_eq!(encoded(WIRE, &prompt, &PLAIN), least);
    let mut most = least;
    most["generationConfig"] = json!({"maxOutputTokens": 4000, "temperature": 0.2,
        "responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}});
    assert_eq!(encoded(WIRE, &prompt, &DIALECT), most);
}

#[test]
fn a_call_goes_back_with_its_signature_and_its_result_with_its_name() {
    let mut prompt = prompt("diff");
    prompt.tools.push(ToolSpec {
        name: "read_file".to_owned(),
        description: "Reads.".to_owned(),
        parameters: json!({"type": "object"}),
    });
    let Content::ToolCalls { text, calls } = reply("function_calls").content else { panic!("calls") };
    assert_eq!(calls[0].arguments, r#"{"path":"src/a.rs"}"#);
    prompt.messages.push(Message::Assistant { text, tool_calls: calls });
    for call_id in ["call_Elm", ""] {
        prompt.messages.push(Message::ToolResult { call_id: call_id.to_owned(), content: "fn".to_owned() });
    }
    let body = encoded(WIRE, &prompt, &PLAIN);
    assert_eq!(
        body["tools"],
        json!([{"functionDeclarations": [{"name": "read_file", "description": "Reads.",
            "parametersJsonSchema": {"type": "object"}}]}])
    );
    assert_eq!(
        body["contents"].as_array().unwrap()[1..],
        [
            json!({"role": "model", "parts": [
                {"text": "I will look."},
                {"functionCall": {"id": "call_Elm", "name": "read_file", "args": {"path": "src/a.rs"}},
                    "thoughtSignature": "c2ln"},
                {"functionCall": {"name": "search", "args": {"text": "unwrap"}}}]}),
            json!({"role": "user", "parts": [
                {"functionResponse": {"id": "call_Elm", "name": "read_file", "response": {"result": "fn"}}},
                {"functionResponse": {"name": "search", "response": {"result": "fn"}}}]}),
        ]
    );
}

#[test]
fn only_models_that_can_be_asked_are_listed() {
    let names = list(WIRE, &exchange(200, &[], data("gemini", "models"))).unwrap();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["gemini-3.8-flash", "gemini-4-argon"]);
}
