//! The Messages codec on bodies of the documented shape, in `tests/data/anthropic`.

use models::{Content, Finish, Message, Reply, ToolCall, ToolSpec, Usage, Wire};
use serde_json::json;

use crate::support::{ANSWER, DIALECT, PLAIN, class, data, encoded, error, exchange, list, prompt, read};

const WIRE: Wire = Wire::Anthropic;

fn reply(name: &str) -> Reply {
    let body = data("anthropic", name);
    read(WIRE, &exchange(200, &[], body)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn a_complete_reply_gives_all_it_has_in_one_piece_or_as_events() {
    for name in ["complete", "complete.sse"] {
        let exchange = exchange(200, &[("request-id", "req_Elm")], data("anthropic", name));
        let reply = read(WIRE, &exchange).unwrap();
        assert_eq!(reply.content.text(), ANSWER, "{name}");
        assert_eq!(reply.finish, Finish::Complete, "{name}");
        assert_eq!(reply.served_model.as_deref(), Some("claude-sonnet-5-5-20261001"));
        assert_eq!(reply.request_id.as_deref(), Some("req_Elm"));
        // The format counts 86 tokens beside those of the cache.
        let usage = Usage { input: 2006, cached_input: 1880, cache_write: 40, output: 300, reasoning: 192 };
        assert_eq!(reply.usage, Some(usage), "{name}");
        assert_eq!(reply.raw, exchange.body);
    }
    let bare = reply("no_usage");
    assert_eq!((bare.usage, bare.served_model, bare.request_id), (None, None, None));
    assert_eq!(reply("complete").request_id.as_deref(), Some("msg_Oak"));
}

#[test]
fn how_a_reply_ended_is_never_guessed_in_its_favour() {
    let refused = "cyber: This request looks like exploit development.";
    let table = [
        ("stop_sequence", Finish::Complete, ANSWER),
        ("max_tokens", Finish::Truncated, "{\"findings\":[{\"file\":\"src/a"),
        ("max_tokens.sse", Finish::Truncated, "{\"findings\":"),
        ("context_window", Finish::Truncated, "{\"find"),
        ("pause_turn", Finish::Unknown("pause_turn".to_owned()), ANSWER),
        ("null_reason", Finish::Unknown("none".to_owned()), ANSWER),
        ("refusal", Finish::Refused(refused.to_owned()), ""),
        ("refusal.sse", Finish::Refused("cyber".to_owned()), ""),
        ("refusal_without_details", Finish::Refused("refusal".to_owned()), ""),
        ("tool_use", Finish::ToolCalls, "I will look."),
        ("tool_use.sse", Finish::ToolCalls, ""),
        // A tool call was announced and none came.
        ("announced_tool", Finish::Unknown("tool_use".to_owned()), ANSWER),
    ];
    for (name, finish, text) in table {
        let reply = reply(name);
        assert_eq!(reply.finish, finish, "{name}");
        assert_eq!(reply.content.text(), text, "{name}");
    }
}

#[test]
fn every_error_is_sorted_under_its_status_and_inside_a_200() {
    let table = [
        (400, "bad_request", "bad request 400"),
        (400, "too_long", "too long None None"),
        (400, "bad_schema", "no schema"),
        (400, "no_temperature", "no temperature"),
        (401, "wrong_key", "authentication 401"),
        (402, "no_billing", "quota"),
        (403, "no_permission", "authentication 403"),
        (404, "missing", "not found"),
        (413, "too_large", "too long None None"),
        (429, "rate_limited", "rate limited None"),
        (429, "spend_limit", "quota"),
        (500, "failed", "server 500"),
        (504, "timed_out", "server 504"),
        (529, "overloaded", "overloaded 529"),
        (200, "overloaded", "overloaded 529"),
        (200, "rate_limited", "rate limited None"),
        (200, "failed", "server 500"),
        (200, "timed_out", "server 504"),
        (200, "wrong_key", "authentication 401"),
        (200, "no_permission", "authentication 401"),
        (200, "no_billing", "quota"),
        (200, "missing", "not found"),
        (200, "too_large", "too long None None"),
        (200, "bad_request", "bad request 400"),
        (200, "too_long", "too long None None"),
        (200, "overloaded.sse", "overloaded 529"),
        (200, "stopped.sse", "interrupted"),
        // Even where only the very last event is missing.
        (200, "stopped_at_the_last.sse", "interrupted"),
    ];
    for (status, name, expected) in table {
        let error = error(WIRE, &exchange(status, &[], data("anthropic", name)));
        assert_eq!(class(&error), expected, "{status} {name}");
    }
}

#[test]
fn tool_calls_are_kept_as_the_model_wrote_them() {
    let calls = |name| match reply(name).content {
        Content::ToolCalls { calls, .. } => {
            calls.into_iter().map(|call| [call.id, call.name, call.arguments]).collect::<Vec<_>>()
        }
        Content::Text(_) => panic!("{name} has calls"),
    };
    let first = ["toolu_Elm", "read_file", r#"{"path":"src/a.rs"}"#].map(str::to_owned);
    let second = ["toolu_Fir", "search", r#"{"text":"unwrap"}"#].map(str::to_owned);
    assert_eq!(calls("tool_use"), [first.clone(), second]);
    assert_eq!(calls("tool_use.sse"), [first]);
}

#[test]
fn a_request_holds_what_the_dialect_asks_for_and_nothing_else() {
    let prompt = prompt("diff task");
    let least = json!({"model": "sol", "max_tokens": 4000, "stream": false,
        "system": [{"type": "text", "text": "You review."}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "diff task"}]}]});
    assert_eq!(encoded(WIRE, &prompt, &PLAIN), least);
    let mut most = least;
    most["stream"] = json!(true);
    most["temperature"] = json!(0.2);
    most["output_config"] = json!({"format": {"type": "json_schema", "schema": {"type": "object"}}});
    assert_eq!(encoded(WIRE, &prompt, &DIALECT), most);
}

#[test]
fn what_others_send_too_is_marked_for_the_cache_and_nothing_else_is() {
    let mark = json!({"type": "ephemeral"});
    let block = |text: &str| json!({"type": "text", "text": text});
    let marked = |text: &str| json!({"type": "text", "text": text, "cache_control": mark});
    let system = "You review.";
    let table = [
        (None, block(system), json!([block("dïff task")])),
        (Some(6), block(system), json!([marked("dïff "), block("task")])),
        // In the middle of a character, or behind the end.
        (Some(2), block(system), json!([marked("d"), block("ïff task")])),
        (Some(99), block(system), json!([marked("dïff task")])),
        (Some(0), marked(system), json!([block("dïff task")])),
    ];
    for (cache_prefix, system, content) in table {
        let mut prompt = prompt("dïff task");
        prompt.cache_prefix = cache_prefix;
        let body = encoded(WIRE, &prompt, &PLAIN);
        assert_eq!(body["system"], json!([system]), "{cache_prefix:?}");
        assert_eq!(body["messages"][0]["content"], content, "{cache_prefix:?}");
    }
}

#[test]
fn tools_and_their_results_are_written_as_the_format_has_them() {
    let mut prompt = prompt("diff");
    prompt.cache_prefix = Some(4);
    prompt.tools.push(ToolSpec {
        name: "read_file".to_owned(),
        description: "Reads.".to_owned(),
        parameters: json!({"type": "object"}),
    });
    let call = |id: &str, arguments: &str| ToolCall {
        id: id.to_owned(),
        name: "read_file".to_owned(),
        arguments: arguments.to_owned(),
        signature: None,
    };
    let tool_calls = vec![call("toolu_Elm", r#"{"path":1}"#), call("toolu_Fir", "{\"path\":")];
    prompt.messages.push(Message::Assistant { text: String::new(), tool_calls });
    for call_id in ["toolu_Elm", "toolu_Fir"] {
        prompt.messages.push(Message::ToolResult { call_id: call_id.to_owned(), content: "fn".to_owned() });
    }
    let body = encoded(WIRE, &prompt, &PLAIN);
    assert_eq!(
        body["tools"],
        json!([{"name": "read_file", "description": "Reads.", "input_schema": {"type": "object"}}])
    );
    let result = |id: &str| json!({"type": "tool_result", "tool_use_id": id, "content": "fn"});
    let used = |id: &str, input| json!({"type": "tool_use", "id": id, "name": "read_file", "input": input});
    assert_eq!(
        body["messages"].as_array().unwrap()[1..],
        [
            // What is no object cannot be sent as one.
            json!({"role": "assistant", "content": [used("toolu_Elm", json!({"path": 1})), used("toolu_Fir", json!({}))]}),
            json!({"role": "user", "content": [result("toolu_Elm"), result("toolu_Fir")]}),
        ]
    );
}

#[test]
fn a_list_of_models_is_read() {
    let names = list(WIRE, &exchange(200, &[], data("anthropic", "models"))).unwrap();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["claude-haiku-5-5", "claude-sonnet-5-5"]);
}
