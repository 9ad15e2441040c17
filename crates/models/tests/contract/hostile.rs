//! Bodies with status 200 that are no replies, in every format: none is ever taken for one.

use models::{Finish, Wire};
use serde_json::{Value, json};

use crate::support::{class, data, error, exchange, list, read};

/// The folder of a format's recorded bodies.
fn folder(wire: Wire) -> &'static str {
    match wire {
        Wire::OpenaiChat => "openai_chat",
        Wire::OpenaiResponses => "responses",
        Wire::Anthropic => "anthropic",
        Wire::Gemini => "gemini",
    }
}

#[test]
fn what_is_not_a_reply_is_told_apart() {
    let page = "<!DOCTYPE html><html><title>Sign in</title></html>";
    let table = [
        ("text/html", page, "not json"),
        ("application/json", page, "not json"),
        ("application/json", "", "not json"),
        ("application/json", " \n", "not json"),
        ("text/plain", "upstream timed out", "not json"),
        ("application/json", "{\"usage\":NaN}", "protocol"),
        ("application/json", "{\"unexpected\":true}", "protocol"),
        ("application/json", "{\"id\":\"a\",\"id\":\"b\"}", "protocol"),
        ("application/json", "{\"a\":{\"b\":1,\"b\":2}}", "protocol"),
        ("application/json", "null", "protocol"),
        ("application/json", "7", "protocol"),
        ("application/json", "[]", "protocol"),
        ("application/json", "{\"choices\":{},\"output\":{},\"content\":{},\"candidates\":{}}", "protocol"),
        // Streams that stop before they begin, after they began, and in the middle of an event.
        ("text/event-stream", "", "interrupted"),
        ("text/event-stream", ": keep-alive\n\n", "interrupted"),
        ("text/event-stream", "data: {\"id\":\"a\"}\n\n", "interrupted"),
        ("text/event-stream", "data: {\"id\":\"a\"}\n\ndata: {\"choi", "interrupted"),
        ("text/event-stream", "data: {\"id\":\"a\"}\n\ndata: {broken\n\n", "interrupted"),
        ("text/event-stream", "data: {\"id\":NaN}\n\n", "interrupted"),
        ("text/event-stream", "data: {\"id\":\"a\",\"id\":\"b\"}\n\n", "protocol"),
        ("text/plain", "data: <html>\n\n", "interrupted"),
    ];
    for wire in Wire::ALL {
        for (content_type, body, expected) in table {
            let error = error(wire, &exchange(200, &[("content-type", content_type)], body));
            assert_eq!(class(&error), expected, "{} {body}", wire.name());
        }
    }
}

#[test]
fn depth_is_bounded_in_one_piece_and_in_events() {
    for wire in Wire::ALL {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = format!("{{\"usage\":{}1{}}}", open.repeat(10_000), close.repeat(10_000));
            for body in [deep.clone(), format!("data: {deep}\n\n")] {
                let class = class(&error(wire, &exchange(200, &[], body)));
                assert!(class == "protocol" || class == "interrupted", "{} {class}", wire.name());
            }
        }
    }
}

#[test]
fn a_reply_cut_off_anywhere_is_no_reply() {
    for wire in Wire::ALL {
        for name in ["complete", "complete.sse"] {
            let whole = data(folder(wire), name);
            let last = whole.trim_ascii_end().len();
            for end in (0..last).step_by(7) {
                match read(wire, &exchange(200, &[], whole[..end].to_vec())) {
                    Err(_) => {}
                    // Chat Completions and Gemini say that they finish before their last byte.
                    Ok(reply) => {
                        assert!(name == "complete.sse", "{} at {end}", wire.name());
                        let same = read(wire, &exchange(200, &[], whole.clone())).unwrap();
                        assert!(reply.content == same.content, "{} at {end}", wire.name());
                    }
                }
            }
        }
    }
}

#[test]
fn events_are_read_whatever_ends_their_lines_and_whatever_stands_between() {
    for wire in Wire::ALL {
        let stream = String::from_utf8(data(folder(wire), "complete.sse")).unwrap();
        let read = |body: String| {
            let reply = read(wire, &exchange(200, &[("content-type", "text/event-stream")], body)).unwrap();
            (reply.content.text().to_owned(), reply.finish)
        };
        let expected = read(stream.clone());
        assert_eq!(expected.1, Finish::Complete);
        let variants = [
            stream.replace('\n', "\r\n"),
            format!("\u{feff}{stream}"),
            format!(": hello\n\nid: 7\nretry: 10\n\n{stream}"),
            stream.replace("data: ", "data:"),
            stream.trim_end().to_owned(),
        ];
        for variant in variants {
            assert_eq!(read(variant), expected, "{}", wire.name());
        }
    }
}

#[test]
fn numbers_that_make_no_sense_are_no_usage() {
    let zeros = json!({"prompt_tokens": 0, "completion_tokens": 0, "input_tokens": 0, "output_tokens": 0,
        "promptTokenCount": 0});
    for wire in Wire::ALL {
        let mut body: Value = serde_json::from_slice(&data(folder(wire), "complete")).unwrap();
        let field = if wire == Wire::Gemini { "usageMetadata" } else { "usage" };
        body[field] = zeros.clone();
        assert_eq!(read(wire, &exchange(200, &[], body.to_string())).unwrap().usage, None);
    }
    let pointers = [
        (Wire::OpenaiChat, "/usage/prompt_tokens"),
        (Wire::OpenaiResponses, "/usage/input_tokens"),
        (Wire::Anthropic, "/usage/input_tokens"),
        (Wire::Gemini, "/usageMetadata/promptTokenCount"),
    ];
    for (wire, pointer) in pointers {
        for odd in [json!(-1), json!(1.5), json!("7"), json!(1e300), json!(null), json!([1])] {
            let mut body: Value = serde_json::from_slice(&data(folder(wire), "complete")).unwrap();
            *body.pointer_mut(pointer).unwrap() = odd.clone();
            let reply = read(wire, &exchange(200, &[], body.to_string())).unwrap();
            assert_eq!(reply.usage, None, "{} {odd}", wire.name());
        }
        let mut body: Value = serde_json::from_slice(&data(folder(wire), "complete")).unwrap();
        *body.pointer_mut(pointer).unwrap() = json!(u64::MAX);
        let usage = read(wire, &exchange(200, &[], body.to_string())).unwrap().usage.unwrap();
        assert_eq!(usage.input, u64::MAX, "{}", wire.name());
    }
}

#[test]
fn what_is_no_list_of_models_is_an_error() {
    for wire in Wire::ALL {
        let lists = [("<html>", "not json"), ("7", "protocol"), ("{\"data\":7,\"models\":7}", "protocol")];
        for (body, expected) in lists {
            let error = list(wire, &exchange(200, &[], body)).unwrap_err();
            assert_eq!(class(&error), expected, "{} {body}", wire.name());
        }
        let refused = list(wire, &exchange(401, &[], "")).unwrap_err();
        assert_eq!(class(&refused), "authentication 401");
    }
}
