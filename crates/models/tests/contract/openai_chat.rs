//! The Chat Completions codec on bodies of the shapes that providers document, in `tests/data/openai_chat`.

use std::time::Duration;

use models::http::Exchange;
use models::{
    AnswerSchema, Content, Delivery, Dialect, Finish, MaxTokensField, Message, ModelError, Prompt,
    PromptCacheField, Reply, StoreField, StructuredOutput, TemperatureField, ToolCall, ToolSpec, Usage, Wire,
};
use review::Digest;
use serde_json::{Value, json};

use crate::support::{ANSWER, class, exchange};

const WIRE: Wire = Wire::OpenaiChat;

fn data(name: &str) -> Vec<u8> {
    crate::support::data("openai_chat", name)
}

fn read(exchange: &Exchange) -> Result<Reply, ModelError> {
    crate::support::read(WIRE, exchange)
}

fn reply(name: &str) -> Reply {
    read(&exchange(200, &[], data(name))).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn error(exchange: &Exchange) -> ModelError {
    crate::support::error(WIRE, exchange)
}

#[test]
fn a_complete_reply_gives_all_it_has() {
    let exchange = exchange(200, &[("x-request-id", "req_Elm")], data("complete"));
    let reply = read(&exchange).unwrap();
    assert_eq!(reply.content.text(), ANSWER);
    assert_eq!(reply.finish, Finish::Complete);
    assert_eq!(reply.served_model.as_deref(), Some("gpt-6.1-sol-2026-10-02"));
    assert_eq!(reply.request_id.as_deref(), Some("req_Elm"));
    assert_eq!(
        reply.usage,
        Some(Usage { input: 2006, cached_input: 1920, cache_write: 0, output: 300, reasoning: 192 })
    );
    assert_eq!(reply.request_sha256, Digest::of(b"{\"model\":\"sol\"}"));
    assert_eq!(reply.raw, exchange.body);
    assert_eq!(reply.elapsed_ms, 7);
}

#[test]
fn how_a_reply_ended_is_never_guessed_in_its_favour() {
    let table = [
        ("complete", Finish::Complete, ANSWER),
        ("llamacpp_complete", Finish::Complete, ANSWER),
        ("deepseek_reasoner", Finish::Complete, ANSWER),
        ("mistral_parts", Finish::Complete, ANSWER),
        ("length", Finish::Truncated, "{\"findings\":[{\"file\":\"src/a"),
        ("length_while_reasoning", Finish::Truncated, ""),
        ("content_filter", Finish::Filtered("content_filter".to_owned()), ""),
        ("refusal", Finish::Refused("I'm sorry, I can't help with that.".to_owned()), ""),
        ("null_content", Finish::Complete, ""),
        ("unknown_finish", Finish::Unknown("model_paused".to_owned()), ANSWER),
        ("no_finish", Finish::Unknown("none".to_owned()), ANSWER),
        ("tool_calls", Finish::ToolCalls, ""),
        ("tool_calls_that_stop", Finish::ToolCalls, "I will look."),
    ];
    for (name, finish, text) in table {
        let reply = reply(name);
        assert_eq!(reply.finish, finish, "{name}");
        assert_eq!(reply.content.text(), text, "{name}");
    }
}

#[test]
fn words_of_other_formats_that_gateways_pass_through_are_known() {
    let table = [
        ("end_turn", Finish::Complete),
        ("stop_sequence", Finish::Complete),
        ("eos", Finish::Complete),
        ("STOP", Finish::Complete),
        ("max_tokens", Finish::Truncated),
        ("MAX_TOKENS", Finish::Truncated),
        ("model_length", Finish::Truncated),
        ("model_context_window_exceeded", Finish::Truncated),
        ("refusal", Finish::Refused("refusal".to_owned())),
        ("SAFETY", Finish::Filtered("SAFETY".to_owned())),
        ("RECITATION", Finish::Filtered("RECITATION".to_owned())),
        ("pause_turn", Finish::Unknown("pause_turn".to_owned())),
        // A tool call was announced and none came.
        ("tool_calls", Finish::Unknown("tool_calls".to_owned())),
        ("function_call", Finish::Unknown("function_call".to_owned())),
        ("", Finish::Unknown("none".to_owned())),
    ];
    for (word, finish) in table {
        let body = json!({"choices": [{"message": {"content": "{}"}, "finish_reason": word}]});
        assert_eq!(read(&exchange(200, &[], body.to_string())).unwrap().finish, finish, "{word}");
    }
}

#[test]
fn tool_calls_are_kept_as_the_model_wrote_them() {
    let calls = |name| match reply(name).content {
        Content::ToolCalls { calls, .. } => {
            calls.into_iter().map(|call| (call.id, call.name, call.arguments)).collect::<Vec<_>>()
        }
        Content::Text(_) => panic!("{name} has calls"),
    };
    let call = |id: &str, name: &str, arguments: &str| (id.to_owned(), name.to_owned(), arguments.to_owned());
    assert_eq!(
        calls("tool_calls"),
        [
            call("call_Elm", "read_file", r#"{"path":"src/a.rs"}"#),
            // Cut off; whoever runs tools finds out.
            call("call_Fir", "search", r#"{"text":"unwrap""#),
        ]
    );
    assert_eq!(calls("tool_calls_that_stop"), [call("call_Elm", "read_file", r#"{"path":"src/a.rs"}"#)]);
}

#[test]
fn reasoning_never_counts_as_the_answer() {
    let long = format!("First {{\"findings\":[1]}} then.\n</think>\n\n{ANSWER}");
    let quoted = r#"{"findings":["the template lacks </think>"]}"#;
    let table = [
        (format!("<think>\n{{\"findings\":[1]}}\n</think>\n{ANSWER}"), ANSWER),
        (format!("\n<think></think>{ANSWER}"), ANSWER),
        (format!("<think>a </think> {ANSWER} </think>"), &*format!("{ANSWER} </think>")),
        ("<think>never closed {}".to_owned(), ""),
        (long, ANSWER),
        // The answer itself may quote the tag, in any position.
        (quoted.to_owned(), quoted),
        (format!("<think>x</think>{quoted}"), quoted),
        ("plain </think> words".to_owned(), "plain </think> words"),
    ];
    for (content, expected) in table {
        let body = json!({"choices": [{"message": {"content": content}, "finish_reason": "stop"}]});
        let reply = read(&exchange(200, &[], body.to_string())).unwrap();
        assert_eq!(reply.content.text(), expected, "{content}");
    }
}

#[test]
fn usage_counts_the_same_for_every_provider() {
    let usage = |input, cached_input, cache_write, output, reasoning| {
        Some(Usage { input, cached_input, cache_write, output, reasoning })
    };
    let table = [
        ("complete", usage(2006, 1920, 0, 300, 192)),
        ("deepseek_reasoner", usage(500, 448, 0, 90, 60)),
        // 20 tokens of text and 500 of reasoning are billed as 520.
        ("xai_reasoning_beside_completion", usage(100, 0, 0, 520, 500)),
        ("llamacpp_complete", usage(800, 12, 0, 65, 0)),
        ("no_usage", None),
    ];
    for (name, expected) in table {
        assert_eq!(reply(name).usage, expected, "{name}");
    }
    let odd = [
        (json!({}), None),
        (json!({"prompt_tokens": 5}), None),
        (json!({"prompt_tokens": -5, "completion_tokens": 1}), None),
        (json!({"prompt_tokens": "5", "completion_tokens": 1}), None),
        (json!({"prompt_tokens": 5.5, "completion_tokens": 1}), None),
        (json!(7), None),
        // Input without what the cache gave, as Anthropic's own format counts it.
        (
            json!({"prompt_tokens": 10, "completion_tokens": 1, "cache_creation_input_tokens": 50,
                "prompt_tokens_details": {"cached_tokens": 100}}),
            usage(160, 100, 50, 1, 0),
        ),
        (
            json!({"prompt_tokens": u64::MAX, "completion_tokens": 1, "total_tokens": 1,
            "prompt_tokens_details": {"cached_tokens": null}}),
            usage(u64::MAX, 0, 0, 1, 0),
        ),
    ];
    for (value, expected) in odd {
        let body =
            json!({"choices": [{"message": {"content": ""}, "finish_reason": "stop"}], "usage": value});
        assert_eq!(read(&exchange(200, &[], body.to_string())).unwrap().usage, expected, "{value}");
    }
}

#[test]
fn a_server_need_not_say_who_answered() {
    assert_eq!(reply("no_model").served_model, None);
    let body =
        json!({"model": "  ", "id": 7, "choices": [{"message": {"content": ""}, "finish_reason": "stop"}]});
    let reply = read(&exchange(200, &[], body.to_string())).unwrap();
    assert_eq!((reply.served_model, reply.request_id), (None, None));
}

#[test]
fn every_providers_error_is_sorted() {
    let table = [
        (401, "openai_wrong_key", "authentication 401", false),
        (429, "openai_rate_limited", "rate limited None", true),
        (429, "openai_no_quota", "quota", false),
        (400, "openai_too_long", "too long None None", false),
        (404, "openai_no_such_model", "not found", false),
        (400, "openai_temperature", "no temperature", false),
        (400, "openai_bad_schema", "no schema", false),
        (400, "openai_bad_request", "bad request 400", false),
        (529, "anthropic_overloaded", "overloaded 529", true),
        (429, "anthropic_spend_limit", "quota", false),
        (400, "anthropic_too_long", "too long None None", false),
        (429, "gemini_rate_limited", "rate limited Some(34s)", true),
        (400, "gemini_wrong_key", "authentication 400", false),
        (503, "gemini_unavailable", "overloaded 503", true),
        (400, "xai_wrong_key", "authentication 400", false),
        (422, "mistral_invalid", "bad request 422", false),
        (503, "llamacpp_loading", "overloaded 503", true),
        (400, "llamacpp_too_long", "too long Some(9120) Some(8192)", false),
        (400, "llamacpp_bad_schema", "no schema", false),
        (429, "litellm_rate_limited", "rate limited None", true),
        (400, "litellm_context", "too long None None", false),
        (422, "vllm_fastapi", "bad request 422", false),
        (404, "ollama_missing", "not found", false),
        (402, "openrouter_no_credits", "quota", false),
        (403, "openrouter_moderated", "moderated 403", false),
        // Within a 200.
        (200, "openrouter_200_rate_limited", "rate limited None", true),
        (200, "openrouter_no_credits", "quota", false),
        (200, "openrouter_choice_error", "server 502", true),
        (200, "deepseek_out_of_capacity", "overloaded 200", true),
        (200, "anthropic_overloaded", "overloaded 529", true),
        (200, "openai_no_quota", "quota", false),
        (200, "openai_bad_request", "bad request 400", false),
        (200, "llamacpp_too_long", "too long Some(9120) Some(8192)", false),
    ];
    for (status, name, expected, is_transient) in table {
        let error = error(&exchange(status, &[], data(name)));
        assert_eq!(class(&error), expected, "{name}");
        assert_eq!(error.is_transient(), is_transient, "{name}");
    }
}

#[test]
fn a_status_alone_is_sorted_too() {
    let table = [
        (300, "protocol", false),
        (308, "protocol", false),
        (400, "bad request 400", false),
        (401, "authentication 401", false),
        (402, "quota", false),
        (403, "authentication 403", false),
        (404, "not found", false),
        (405, "bad request 405", false),
        (408, "server 408", true),
        (409, "server 409", true),
        (413, "too long None None", false),
        (418, "bad request 418", false),
        (429, "rate limited None", true),
        (500, "server 500", true),
        (501, "server 501 for good", false),
        (502, "server 502", true),
        (503, "overloaded 503", true),
        (504, "server 504", true),
        (529, "overloaded 529", true),
    ];
    for (status, expected, is_transient) in table {
        for body in ["", "<html>Bad Gateway</html>", "null", "[]", "{\"error\":null}", "{\"error\":[1]}"] {
            let error = error(&exchange(status, &[("content-type", "text/html")], body));
            assert_eq!(class(&error), expected, "{status} {body}");
            assert_eq!(error.is_transient(), is_transient, "{status} {body}");
        }
    }
}

#[test]
fn what_is_not_a_reply_is_told_apart() {
    let table = [
        ("text/html", "<html><title>Sign in</title></html>", "not json"),
        ("application/json", "", "not json"),
        ("application/json", "  \n", "not json"),
        ("text/plain", "upstream timed out", "not json"),
        // Good JSON under a wrong name is good JSON.
        ("application/json", "{\"choices\":[{\"message\":{\"con", "protocol"),
        ("application/json", "{\"unexpected\":true}", "protocol"),
        ("application/json", "{\"choices\":[]}", "protocol"),
        ("application/json", "{\"choices\":[{\"finish_reason\":\"stop\"}]}", "protocol"),
        ("application/json", "{\"choices\":{}}", "protocol"),
        ("application/json", "{\"choices\":[],\"choices\":[]}", "protocol"),
        ("application/json", "null", "protocol"),
        ("application/json", "7", "protocol"),
        ("application/json", "{\"usage\":NaN}", "protocol"),
    ];
    for (content_type, body, expected) in table {
        let error = error(&exchange(200, &[("content-type", content_type)], body));
        assert_eq!(class(&error), expected, "{body}");
        assert!(!error.is_transient());
    }
    let deep = format!("{{\"usage\":{}", "[".repeat(100_000));
    assert_eq!(class(&error(&exchange(200, &[], deep))), "protocol");
    let text_as_json = r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#;
    assert!(read(&exchange(200, &[("content-type", "text/plain")], text_as_json)).is_ok());
}

#[test]
fn how_long_to_wait_is_read_from_every_header_that_says_so() {
    let date = ("date", "Sat, 21 Nov 2026 08:49:00 GMT");
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let table: [(Headers<'_>, Option<u64>); 14] = [
        (&[("retry-after", "7")], Some(7_000)),
        (&[("retry-after", "1.5")], Some(1_500)),
        (&[("retry-after-ms", "250"), ("retry-after", "1")], Some(250)),
        (&[("retry-after", "Sat, 21 Nov 2026 08:49:37 GMT"), date], Some(37_000)),
        (&[("retry-after", "Sun, 22 Nov 2026 08:49:00 GMT"), date], Some(86_400_000)),
        // In the past, or by no clock that we know.
        (&[("retry-after", "Sat, 21 Nov 2026 08:48:00 GMT"), date], Some(0)),
        (&[("retry-after", "Sat, 21 Nov 2026 08:49:37 GMT")], None),
        (&[("retry-after", "soon")], None),
        (&[("retry-after", "-1")], None),
        (&[("retry-after", "NaN")], None),
        (&[("retry-after", "1e300")], None),
        (
            &[
                ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-reset-requests", "1s"),
                ("x-ratelimit-remaining-tokens", "0"),
                ("x-ratelimit-reset-tokens", "6m0s"),
            ],
            Some(360_000),
        ),
        (&[("x-ratelimit-remaining-requests", "9"), ("x-ratelimit-reset-requests", "1s")], None),
        (&[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "250ms")], Some(250)),
    ];
    for (headers, expected_ms) in table {
        let error = error(&exchange(429, headers, data("openai_rate_limited")));
        assert_eq!(error.retry_after(), expected_ms.map(Duration::from_millis), "{headers:?}");
    }
}

#[test]
fn a_message_that_repeats_the_prompt_is_not_told() {
    let line = "let secret_sauce = mix(flour, water, 42); // our recipe";
    let prompt = prompt(line);
    let exchange = |message: &str| {
        let body = json!({"error": {"message": message}}).to_string();
        Exchange { request: WIRE.encode(&prompt, "sol", &DIALECT), ..exchange(400, &[], body) }
    };
    let quoting = [
        format!("cannot parse {line}"),
        "bad input 'secret_sauce = mix(flour, water, 42)'".to_owned(),
        format!("{} {line}", "x".repeat(200)),
    ];
    for message in quoting {
        let told = error(&exchange(&message)).to_string();
        assert!(!told.contains("sauce"), "{told}");
        assert!(told.contains("repeats the request"), "{told}");
    }
    let harmless = error(&exchange("Invalid value for 'messages': too many. Model: sol")).to_string();
    assert!(harmless.contains("Invalid value for 'messages'"), "{harmless}");
    let long = error(&exchange(&"no ".repeat(10_000))).to_string();
    assert!(long.len() < 400, "{}", long.len());
    let hidden = error(&exchange("a\u{202e}b\nc")).to_string();
    assert!(hidden.contains("a\\u{202e}b c"), "{hidden}");
}

#[test]
fn a_list_of_models_is_read_in_both_shapes() {
    let list = |name| {
        let exchange = exchange(200, &[], data(name));
        crate::support::list(WIRE, &exchange).unwrap()
    };
    assert_eq!(list("models").into_iter().collect::<Vec<_>>(), ["gemini-4-argon", "gpt-6.1-sol"]);
    assert_eq!(list("models_bare").into_iter().collect::<Vec<_>>(), ["zai-org/GLM-5.3"]);
}

const DIALECT: Dialect = Dialect {
    structured_output: StructuredOutput::JsonSchema,
    max_tokens_field: MaxTokensField::MaxCompletionTokens,
    store_field: StoreField::False,
    temperature: TemperatureField::Sent,
    prompt_cache: PromptCacheField::Absent,
    delivery: Delivery::Whole,
};

fn prompt(user: &str) -> Prompt {
    Prompt {
        system: "You review.".to_owned(),
        messages: vec![Message::User(user.to_owned())],
        cache_prefix: None,
        tools: Vec::new(),
        answer: Some(AnswerSchema { name: "review".to_owned(), schema: json!({"type": "object"}) }),
        max_output_tokens: 4000,
        temperature: Some(0.2),
    }
}

fn encoded(prompt: &Prompt, dialect: &Dialect) -> Value {
    serde_json::from_slice(&WIRE.encode(prompt, "sol", dialect)).unwrap()
}

#[test]
fn a_request_holds_what_the_dialect_asks_for_and_nothing_else() {
    let prompt = prompt("diff");
    let mut expected = json!({
        "model": "sol",
        "messages": [{"role": "system", "content": "You review."}, {"role": "user", "content": "diff"}],
        "stream": false,
        "store": false,
        "max_completion_tokens": 4000,
        "temperature": 0.2,
        "response_format": {"type": "json_schema",
            "json_schema": {"name": "review", "strict": true, "schema": {"type": "object"}}},
    });
    assert_eq!(encoded(&prompt, &DIALECT), expected);
    expected["response_format"] = json!({"type": "json_object"});
    assert_eq!(
        encoded(&prompt, &Dialect { structured_output: StructuredOutput::JsonObject, ..DIALECT }),
        expected
    );
    let plain = Dialect {
        structured_output: StructuredOutput::None,
        max_tokens_field: MaxTokensField::MaxTokens,
        store_field: StoreField::Absent,
        temperature: TemperatureField::Absent,
        prompt_cache: PromptCacheField::Absent,
        delivery: Delivery::Whole,
    };
    let least =
        json!({"model": "sol", "messages": expected["messages"], "stream": false, "max_tokens": 4000});
    assert_eq!(encoded(&prompt, &plain), least);
    // What the prompt does not have is not sent either, whatever the dialect.
    let bare = Prompt { answer: None, temperature: None, system: String::new(), ..prompt };
    let messages = json!([{"role": "user", "content": "diff"}]);
    let expected = json!({"model": "sol", "messages": messages, "stream": false, "store": false, "max_completion_tokens": 4000});
    assert_eq!(encoded(&bare, &DIALECT), expected);
}

#[test]
fn tools_and_their_results_are_written_as_the_format_has_them() {
    let mut prompt = prompt("diff");
    prompt.answer = None;
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
    prompt.messages.push(Message::Assistant { text: String::new(), tool_calls: vec![call] });
    prompt.messages.push(Message::ToolResult { call_id: "call_Elm".to_owned(), content: "fn".to_owned() });
    prompt.messages.push(Message::Assistant { text: "{}".to_owned(), tool_calls: Vec::new() });
    let body = encoded(&prompt, &DIALECT);
    assert_eq!(
        body["tools"],
        json!([{"type": "function", "function":
            {"name": "read_file", "description": "Reads.", "parameters": {"type": "object"}}}])
    );
    assert_eq!(
        body["messages"].as_array().unwrap()[2..],
        [
            json!({"role": "assistant", "content": null, "tool_calls": [{"id": "call_Elm", "type": "function",
                "function": {"name": "read_file", "arguments": "{\"path\":1"}}]}),
            json!({"role": "tool", "tool_call_id": "call_Elm", "content": "fn"}),
            json!({"role": "assistant", "content": "{}"}),
        ]
    );
}

#[test]
fn the_same_prompt_is_always_the_same_bytes() {
    let encode = |text| WIRE.encode(&prompt(text), "sol", &DIALECT);
    assert_eq!(encode("a"), encode("a"));
    assert_ne!(encode("a"), encode("b"));
}
