//! The Responses codec on bodies of the documented shape, in `tests/data/responses`.

use models::{Content, Finish, Message, Reply, ToolCall, ToolSpec, Usage, Wire};
use serde_json::json;

use crate::support::{ANSWER, DIALECT, PLAIN, class, data, encoded, error, exchange, prompt, read};

const WIRE: Wire = Wire::OpenaiResponses;

fn reply(name: &str) -> Reply {
    let body = data("responses", name);
    read(WIRE, &exchange(200, &[], body)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn a_complete_reply_gives_all_it_has_in_one_piece_or_as_events() {
    for name in ["complete", "complete.sse", "complete_without_output.sse"] {
        let exchange = exchange(200, &[("x-request-id", "req_Elm")], data("responses", name));
        let reply = read(WIRE, &exchange).unwrap();
        assert_eq!(reply.content.text(), ANSWER, "{name}");
        assert_eq!(reply.finish, Finish::Complete, "{name}");
        assert_eq!(reply.served_model.as_deref(), Some("gpt-6.1-sol-2026-10-02"));
        assert_eq!(reply.request_id.as_deref(), Some("req_Elm"));
        let usage = Usage { input: 2006, cached_input: 1920, cache_write: 40, output: 300, reasoning: 192 };
        assert_eq!(reply.usage, Some(usage));
        assert_eq!(reply.raw, exchange.body);
    }
    let bare = reply("no_status");
    assert_eq!((bare.usage, bare.served_model, bare.request_id), (None, None, None));
    assert_eq!(reply("complete").request_id.as_deref(), Some("resp_Oak"));
}

#[test]
fn how_a_reply_ended_is_never_guessed_in_its_favour() {
    let table = [
        ("commentary", Finish::Complete, ANSWER),
        ("refusal", Finish::Refused("I can't help with that.".to_owned()), ""),
        ("max_output_tokens", Finish::Truncated, "{\"findings\":[{\"file\":\"src/a"),
        ("max_output_tokens.sse", Finish::Truncated, "{\"findings\":"),
        ("content_filter", Finish::Filtered("content_filter".to_owned()), ""),
        ("incomplete_for_another_reason", Finish::Unknown("steered".to_owned()), ANSWER),
        ("in_progress", Finish::Unknown("in_progress".to_owned()), ""),
        ("cancelled", Finish::Unknown("cancelled".to_owned()), ANSWER),
        ("no_status", Finish::Unknown("none".to_owned()), ANSWER),
        ("tool_calls", Finish::ToolCalls, ""),
    ];
    for (name, finish, text) in table {
        let reply = reply(name);
        assert_eq!(reply.finish, finish, "{name}");
        assert_eq!(reply.content.text(), text, "{name}");
    }
}

#[test]
fn what_failed_is_sorted_by_its_code_and_a_stream_that_stops_is_no_reply() {
    let table = [
        ("failed_server", "server 500", true),
        ("failed_rate", "rate limited None", true),
        ("failed_policy", "moderated 200", false),
        ("failed_prompt", "moderated 200", false),
        ("failed.sse", "server 500", true),
        ("error.sse", "rate limited None", true),
        ("stopped.sse", "interrupted", true),
    ];
    for (name, expected, is_transient) in table {
        let error = error(WIRE, &exchange(200, &[], data("responses", name)));
        assert_eq!(class(&error), expected, "{name}");
        assert_eq!(error.is_transient(), is_transient, "{name}");
    }
}

#[test]
fn tool_calls_are_kept_as_the_model_wrote_them() {
    let Content::ToolCalls { calls, .. } = reply("tool_calls").content else { panic!("calls") };
    let calls: Vec<_> =
        calls.iter().map(|call| [&*call.id, &*call.name, &*call.arguments].map(str::to_owned)).collect();
    assert_eq!(
        calls,
        [["call_Elm", "read_file", r#"{"path":"src/a.rs"}"#], ["call_Fir", "search", r#"{"text":"unwrap""#]]
    );
}

#[test]
fn a_request_holds_what_the_dialect_asks_for_and_nothing_else() {
    let mut prompt = prompt("diff task");
    let least = json!({"model": "sol", "instructions": "You review.", "store": false, "stream": false,
        "input": [{"role": "user", "content": "diff task"}], "max_output_tokens": 4000});
    assert_eq!(encoded(WIRE, &prompt, &PLAIN), least);
    let mut most = least;
    most["stream"] = json!(true);
    most["temperature"] = json!(0.2);
    most["text"] = json!({"format": {"type": "json_schema", "name": "review", "strict": true,
        "schema": {"type": "object"}}});
    assert_eq!(encoded(WIRE, &prompt, &DIALECT), most);
    prompt.cache_prefix = Some(5);
    let body = encoded(WIRE, &prompt, &DIALECT);
    assert_eq!(
        body["input"][0]["content"],
        json!([{"type": "input_text", "text": "diff ", "prompt_cache_breakpoint": {"mode": "explicit"}},
            {"type": "input_text", "text": "task"}])
    );
    let key = body["prompt_cache_key"].as_str().unwrap();
    assert!(key.starts_with("recuse-") && key.len() <= 64, "{key}");
}

#[test]
fn tools_and_their_results_are_written_as_the_format_has_them() {
    let mut prompt = prompt("diff");
    prompt.tools.push(ToolSpec {
        name: "read_file".to_owned(),
        description: "Reads.".to_owned(),
        parameters: json!({"type": "object"}),
    });
    let call = ToolCall {
        id: "call_Elm".to_owned(),
        name: "read_file".to_owned(),
        arguments: "{\"path\":1".to_owned(),
        signature: None,
    };
    prompt.messages.push(Message::Assistant { text: "I look.".to_owned(), tool_calls: vec![call] });
    prompt.messages.push(Message::ToolResult { call_id: "call_Elm".to_owned(), content: "fn".to_owned() });
    let body = encoded(WIRE, &prompt, &PLAIN);
    assert_eq!(
        body["tools"],
        json!([{"type": "function", "name": "read_file", "description": "Reads.",
            "parameters": {"type": "object"}, "strict": false}])
    );
    assert_eq!(
        body["input"].as_array().unwrap()[1..],
        [
            json!({"role": "assistant", "content": "I look."}),
            json!({"type": "function_call", "call_id": "call_Elm", "name": "read_file",
                "arguments": "{\"path\":1"}),
            json!({"type": "function_call_output", "call_id": "call_Elm", "output": "fn"}),
        ]
    );
}
