//! A model behind a server, in any of the formats.

use std::collections::BTreeSet;
use std::sync::Mutex;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::time::Instant;
use tracing::warn;

use crate::Model;
use crate::dialect::{Delivery, Dialect, PromptCacheField, StructuredOutput, TemperatureField};
use crate::endpoint::{BaseUrl, Endpoint};
use crate::error::{Feature, ModelError, Secrets};
use crate::http::HttpClient;
use crate::prompt::Prompt;
use crate::reply::Reply;
use crate::wire::Wire;

/// One model at one endpoint.
pub struct RemoteModel {
    http: HttpClient,
    endpoint: Endpoint,
    model: String,
    /// What the server answered 400 to, so that it is asked without it from then on.
    refused: Mutex<BTreeSet<Feature>>,
}

impl RemoteModel {
    /// Names a model at an endpoint. Nothing is sent yet.
    pub fn new(http: HttpClient, endpoint: Endpoint, model: &str) -> Self {
        Self { http, endpoint, model: model.to_owned(), refused: Mutex::default() }
    }

    /// The endpoint's dialect without what the server refused before.
    fn dialect(&self) -> Dialect {
        let mut dialect = self.endpoint.dialect;
        for feature in self.refused.lock().expect("nobody panics while holding it").iter() {
            match feature {
                Feature::StructuredOutput => dialect.structured_output = StructuredOutput::None,
                Feature::Temperature => dialect.temperature = TemperatureField::Absent,
                Feature::Streaming => dialect.delivery = Delivery::Whole,
                Feature::PromptCache => dialect.prompt_cache = PromptCacheField::Absent,
            }
        }
        dialect
    }

    async fn ask_once(
        &self,
        prompt: &Prompt,
        dialect: &Dialect,
        deadline: Instant,
    ) -> Result<Reply, ModelError> {
        let Endpoint { base_url, key, wire, dialect: _ } = &self.endpoint;
        let body = wire.encode(prompt, &self.model, dialect);
        let url = wire.url(base_url, &self.model, dialect.delivery);
        let exchange = self.http.post(url, wire.headers(key.as_ref())?, body, deadline).await?;
        let secrets = Secrets { request: &exchange.request, model: &self.model, key: key.as_ref() };
        wire.decode(&exchange, &secrets)
    }
}

#[async_trait]
impl Model for RemoteModel {
    /// Asks once, and once more for each feature that the server refuses and the request can go without.
    async fn ask(&self, prompt: &Prompt) -> Result<Reply, ModelError> {
        let deadline = self.http.deadline();
        loop {
            let dialect = self.dialect();
            let error = match self.ask_once(prompt, &dialect, deadline).await {
                Err(error) => error,
                reply => return reply,
            };
            let ModelError::Unsupported { feature, .. } = &error else { return Err(error) };
            // Each turn leaves out one thing that was sent, so there is an end to it.
            if !was_sent(*feature, prompt, &dialect) {
                return Err(error);
            }
            self.refused.lock().expect("nobody panics while holding it").insert(*feature);
            warn!(model = %self.model, %error, "asking without what the server does not take");
        }
    }
}

fn was_sent(feature: Feature, prompt: &Prompt, dialect: &Dialect) -> bool {
    match feature {
        Feature::StructuredOutput => {
            prompt.answer.is_some() && dialect.structured_output != StructuredOutput::None
        }
        Feature::Temperature => prompt.temperature.is_some() && dialect.temperature == TemperatureField::Sent,
        Feature::Streaming => dialect.delivery == Delivery::Events,
        Feature::PromptCache => {
            prompt.cache_prefix.is_some() && dialect.prompt_cache == PromptCacheField::Sent
        }
    }
}

/// The models that a server offers, in the order of their names.
pub async fn list_models(
    http: &HttpClient,
    base_url: &BaseUrl,
    wire: Wire,
    key: Option<&SecretString>,
    deadline: Instant,
) -> Result<BTreeSet<String>, ModelError> {
    let exchange = http.get(wire.list_url(base_url), wire.headers(key)?, deadline).await?;
    wire.decode_model_list(&exchange, &Secrets { request: &[], model: "", key })
}
