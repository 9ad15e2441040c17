//! A model behind a server that speaks Chat Completions.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::time::Instant;
use tracing::warn;

use crate::Model;
use crate::endpoint::{BaseUrl, Endpoint};
use crate::error::{Feature, ModelError, Secrets};
use crate::http::HttpClient;
use crate::openai_chat::{Dialect, StructuredOutput, TemperatureField, decode, decode_model_list, encode};
use crate::prompt::Prompt;
use crate::reply::Reply;

/// One model at one endpoint.
pub struct ChatModel {
    http: HttpClient,
    endpoint: Endpoint,
    model: String,
    /// What the server answered 400 to, so that it is asked without it from then on.
    takes_no_schema: AtomicBool,
    takes_no_temperature: AtomicBool,
}

impl ChatModel {
    /// Names a model at an endpoint. Nothing is sent yet.
    pub fn new(http: HttpClient, endpoint: Endpoint, model: &str) -> Self {
        Self {
            http,
            endpoint,
            model: model.to_owned(),
            takes_no_schema: AtomicBool::new(false),
            takes_no_temperature: AtomicBool::new(false),
        }
    }

    /// The endpoint's dialect without what the server refused before.
    fn dialect(&self) -> Dialect {
        let mut dialect = self.endpoint.dialect;
        if self.takes_no_schema.load(Ordering::Relaxed) {
            dialect.structured_output = StructuredOutput::None;
        }
        if self.takes_no_temperature.load(Ordering::Relaxed) {
            dialect.temperature = TemperatureField::Absent;
        }
        dialect
    }

    async fn ask_once(
        &self,
        prompt: &Prompt,
        dialect: &Dialect,
        deadline: Instant,
    ) -> Result<Reply, ModelError> {
        let body = encode(prompt, &self.model, dialect);
        let url = self.endpoint.base_url.join("chat/completions");
        let key = self.endpoint.key.as_ref();
        let exchange = self.http.post(url, key, body, deadline).await?;
        let secrets = Secrets { request: &exchange.request, model: &self.model, key };
        decode(&exchange, &secrets)
    }
}

#[async_trait]
impl Model for ChatModel {
    /// Asks once, and once more where the server refuses a feature that the request can go without.
    async fn ask(&self, prompt: &Prompt) -> Result<Reply, ModelError> {
        let deadline = self.http.deadline();
        loop {
            let dialect = self.dialect();
            let error = match self.ask_once(prompt, &dialect, deadline).await {
                Err(error) => error,
                reply => return reply,
            };
            let ModelError::Unsupported { feature, .. } = &error else { return Err(error) };
            let (was_sent, refused) = match feature {
                Feature::StructuredOutput => (
                    prompt.answer.is_some() && dialect.structured_output != StructuredOutput::None,
                    &self.takes_no_schema,
                ),
                Feature::Temperature => (
                    prompt.temperature.is_some() && dialect.temperature == TemperatureField::Sent,
                    &self.takes_no_temperature,
                ),
            };
            // Each turn leaves out one thing that was sent, so there are at most three.
            if !was_sent {
                return Err(error);
            }
            refused.store(true, Ordering::Relaxed);
            warn!(model = %self.model, %error, "asking without what the server does not take");
        }
    }
}

/// The models that a server offers, in the order of their names.
pub async fn list_models(
    http: &HttpClient,
    base_url: &BaseUrl,
    key: Option<&SecretString>,
    deadline: Instant,
) -> Result<BTreeSet<String>, ModelError> {
    let exchange = http.get(base_url.join("models"), key, deadline).await?;
    decode_model_list(&exchange, &Secrets { request: &[], model: "", key })
}
