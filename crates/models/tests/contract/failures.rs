//! The table of failures, over all formats: what a status, a body and its headers come to, whether that is asked again,
//! after how long and how often.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use models::error::Secrets;
use models::{Model, ModelError, Prompt, Reply, RetryPolicy, Wire, ask_with_retries};
use tokio::time::Instant;

use crate::support::{class, data, exchange, prompt};

/// A server that always answers the same.
struct Same<'a> {
    wire: Wire,
    status: u16,
    headers: &'a [(&'a str, &'a str)],
    body: Vec<u8>,
    asked_at: Mutex<Vec<Instant>>,
}

#[async_trait]
impl Model for Same<'_> {
    async fn ask(&self, _: &Prompt) -> Result<Reply, ModelError> {
        self.asked_at.lock().unwrap().push(Instant::now());
        let exchange = exchange(self.status, self.headers, self.body.clone());
        self.wire.decode(&exchange, &Secrets { request: b"", model: "", key: None })
    }
}

/// What is done about a failure.
#[derive(Debug, PartialEq)]
enum Then {
    /// Nothing: it would fail again.
    GivesUp,
    /// Twice more, after some 0.5 and 1 seconds.
    RetriesSoon,
    /// Twice more, each time after so many seconds and little more.
    RetriesAfter(u64),
}
use Then::{GivesUp, RetriesAfter, RetriesSoon};

async fn what_is_done(model: &Same<'_>) -> (String, Then) {
    let deadline = Instant::now() + Duration::from_secs(3600);
    let asked = ask_with_retries(model, &prompt("diff"), &RetryPolicy::default(), deadline, 7).await;
    let error = asked.result.err().expect("it always fails");
    let at = model.asked_at.lock().unwrap().clone();
    assert_eq!(at.len(), asked.attempts as usize);
    let pauses: Vec<u128> = at.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect();
    let then = match pauses[..] {
        [] => GivesUp,
        [first, second] if (375..=500).contains(&first) && (750..=1000).contains(&second) => RetriesSoon,
        [first, second] if first.abs_diff(second) < 600 => RetriesAfter((first / 1000) as u64),
        _ => panic!("{error}: {pauses:?}"),
    };
    (class(&error), then)
}

/// Where an error's body comes from: a format and a recorded body of that format.
type Row = (Wire, u16, &'static [(&'static str, &'static str)], &'static str, &'static str, Then);

#[tokio::test(start_paused = true)]
async fn each_failure_is_sorted_and_retried_as_the_provider_says() {
    use Wire::{Anthropic, Gemini, OpenaiChat, OpenaiResponses};
    const NONE: &[(&str, &str)] = &[];
    let table: Vec<Row> = vec![
        // Anthropic.
        (Anthropic, 400, NONE, "anthropic/bad_request", "bad request 400", GivesUp),
        (Anthropic, 401, NONE, "anthropic/wrong_key", "authentication 401", GivesUp),
        (Anthropic, 402, NONE, "anthropic/no_billing", "quota", GivesUp),
        (Anthropic, 403, NONE, "anthropic/no_permission", "authentication 403", GivesUp),
        (Anthropic, 404, NONE, "anthropic/missing", "not found", GivesUp),
        (Anthropic, 408, NONE, "", "server 408", RetriesSoon),
        (Anthropic, 409, NONE, "", "server 409", RetriesSoon),
        (Anthropic, 413, NONE, "anthropic/too_large", "too long None None", GivesUp),
        (
            Anthropic,
            429,
            &[("retry-after", "7")],
            "anthropic/rate_limited",
            "rate limited Some(7s)",
            RetriesAfter(7),
        ),
        (
            Anthropic,
            429,
            &[("retry-after-ms", "9000"), ("retry-after", "1")],
            "anthropic/rate_limited",
            "rate limited Some(9s)",
            RetriesAfter(9),
        ),
        // Longer than anybody waits.
        (
            Anthropic,
            429,
            &[("retry-after", "61")],
            "anthropic/rate_limited",
            "rate limited Some(61s)",
            GivesUp,
        ),
        (Anthropic, 429, NONE, "anthropic/spend_limit", "quota", GivesUp),
        (Anthropic, 429, &[("x-should-retry", "false")], "anthropic/rate_limited", "quota", GivesUp),
        (Anthropic, 500, NONE, "anthropic/failed", "server 500", RetriesSoon),
        (Anthropic, 500, &[("x-should-retry", "false")], "anthropic/failed", "server 500 for good", GivesUp),
        (Anthropic, 400, &[("x-should-retry", "true")], "anthropic/bad_request", "server 400", RetriesSoon),
        (Anthropic, 504, NONE, "anthropic/timed_out", "server 504", RetriesSoon),
        (Anthropic, 529, NONE, "anthropic/overloaded", "overloaded 529", RetriesSoon),
        (Anthropic, 529, &[("retry-after", "5")], "anthropic/overloaded", "overloaded 529", RetriesAfter(5)),
        (Anthropic, 200, NONE, "anthropic/overloaded.sse", "overloaded 529", RetriesSoon),
        (Anthropic, 200, NONE, "anthropic/stopped.sse", "interrupted", RetriesSoon),
        // OpenAI, in both formats.
        (OpenaiChat, 400, NONE, "openai_chat/openai_bad_request", "bad request 400", GivesUp),
        (OpenaiChat, 400, NONE, "openai_chat/openai_too_long", "too long None None", GivesUp),
        (OpenaiChat, 400, NONE, "openai_chat/azure_filter", "moderated 400", GivesUp),
        (OpenaiChat, 401, NONE, "openai_chat/openai_wrong_key", "authentication 401", GivesUp),
        (OpenaiChat, 403, NONE, "", "authentication 403", GivesUp),
        (OpenaiChat, 403, NONE, "openai_chat/openrouter_moderated", "moderated 403", GivesUp),
        (OpenaiChat, 404, NONE, "openai_chat/openai_no_such_model", "not found", GivesUp),
        (OpenaiChat, 408, NONE, "", "server 408", RetriesSoon),
        (OpenaiChat, 409, NONE, "", "server 409", RetriesSoon),
        (OpenaiChat, 429, NONE, "openai_chat/openai_rate_limited", "rate limited None", RetriesSoon),
        (
            OpenaiChat,
            429,
            &[
                ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-reset-requests", "6s"),
                ("x-ratelimit-remaining-tokens", "0"),
                ("x-ratelimit-reset-tokens", "20s"),
            ],
            "openai_chat/openai_rate_limited",
            "rate limited Some(20s)",
            RetriesAfter(20),
        ),
        (OpenaiChat, 429, &[("retry-after", "3")], "openai_chat/openai_no_quota", "quota", GivesUp),
        (OpenaiChat, 500, NONE, "", "server 500", RetriesSoon),
        (OpenaiChat, 501, NONE, "", "server 501 for good", GivesUp),
        (OpenaiChat, 503, &[("retry-after", "2")], "", "overloaded 503", RetriesAfter(2)),
        (OpenaiChat, 200, NONE, "openai_chat/stopped.sse", "interrupted", RetriesSoon),
        (OpenaiChat, 200, NONE, "openai_chat/error.sse", "server 502", RetriesSoon),
        (OpenaiChat, 200, NONE, "openai_chat/choice_error.sse", "overloaded 529", RetriesSoon),
        (OpenaiChat, 200, NONE, "openai_chat/openrouter_200_rate_limited", "rate limited None", RetriesSoon),
        (
            OpenaiResponses,
            429,
            &[("retry-after", "7")],
            "openai_chat/openai_rate_limited",
            "rate limited Some(7s)",
            RetriesAfter(7),
        ),
        (OpenaiResponses, 429, NONE, "openai_chat/openai_no_quota", "quota", GivesUp),
        (OpenaiResponses, 503, NONE, "", "overloaded 503", RetriesSoon),
        (OpenaiResponses, 200, NONE, "responses/failed_server", "server 500", RetriesSoon),
        (OpenaiResponses, 200, NONE, "responses/failed_rate", "rate limited None", RetriesSoon),
        (OpenaiResponses, 200, NONE, "responses/failed_policy", "moderated 200", GivesUp),
        (OpenaiResponses, 200, NONE, "responses/stopped.sse", "interrupted", RetriesSoon),
        // Gemini.
        (Gemini, 400, NONE, "gemini/bad_request", "bad request 400", GivesUp),
        (Gemini, 400, NONE, "gemini/no_billing", "bad request 400", GivesUp),
        (Gemini, 400, NONE, "gemini/wrong_key", "authentication 400", GivesUp),
        (Gemini, 403, NONE, "gemini/forbidden", "authentication 403", GivesUp),
        (Gemini, 404, NONE, "gemini/missing", "not found", GivesUp),
        (Gemini, 408, NONE, "", "server 408", RetriesSoon),
        (Gemini, 429, NONE, "gemini/rate_limited", "rate limited Some(34s)", RetriesAfter(34)),
        (Gemini, 500, NONE, "gemini/internal", "server 500", RetriesSoon),
        (Gemini, 503, NONE, "gemini/unavailable", "overloaded 503", RetriesSoon),
        (Gemini, 504, NONE, "gemini/timed_out", "server 504", RetriesSoon),
        (Gemini, 200, NONE, "gemini/unavailable.sse", "overloaded 503", RetriesSoon),
        (Gemini, 200, NONE, "gemini/stopped.sse", "interrupted", RetriesSoon),
    ];
    for (wire, status, headers, body, expected, then) in table {
        let body = match body.split_once('/') {
            Some((format, name)) => data(format, name),
            None => Vec::new(),
        };
        let model = Same { wire, status, headers, body, asked_at: Mutex::default() };
        let done = what_is_done(&model).await;
        assert_eq!(done, (expected.to_owned(), then), "{} {status} {headers:?}", wire.name());
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_means_the_same_in_every_format_whatever_the_body() {
    let table = [
        (308, "protocol", GivesUp),
        (400, "bad request 400", GivesUp),
        (401, "authentication 401", GivesUp),
        (402, "quota", GivesUp),
        (404, "not found", GivesUp),
        (413, "too long None None", GivesUp),
        (429, "rate limited None", RetriesSoon),
        (500, "server 500", RetriesSoon),
        (501, "server 501 for good", GivesUp),
        (502, "server 502", RetriesSoon),
        (503, "overloaded 503", RetriesSoon),
        (529, "overloaded 529", RetriesSoon),
    ];
    for wire in Wire::ALL {
        for (status, expected, then) in &table {
            for body in [
                "",
                "<html>Bad Gateway</html>",
                "data: {}\n\n",
                "null",
                "[]",
                "{\"error\":[1]}",
                "{\"a\":1,\"a\":2}",
            ] {
                let body = body.as_bytes().to_vec();
                let model = Same { wire, status: *status, headers: &[], body, asked_at: Mutex::default() };
                let (class, done) = what_is_done(&model).await;
                assert_eq!((&*class, &done), (*expected, then), "{} {status}", wire.name());
            }
        }
    }
}
