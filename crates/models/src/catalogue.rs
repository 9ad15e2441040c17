//! Providers, models, contexts and prices, as a table with a date: `config/models.toml`.
//!
//! Prices are estimates as of the date that the entry carries. A model that the table does not know has no
//! price, which is not the same as costing nothing.

use serde::Deserialize;

use crate::dialect::{
    Delivery, Dialect, MaxTokensField, PromptCacheField, StoreField, StructuredOutput, TemperatureField,
};
use crate::wire::Wire;
use review::engine::Price;

/// The table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Who sells or serves models.
    #[serde(rename = "provider")]
    pub providers: Vec<Provider>,
    /// What they serve.
    #[serde(rename = "model")]
    pub models: Vec<ModelEntry>,
}

/// A server of models, and how it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its name in `PROVIDER/NAME`.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its address; `None` where only the operator knows it.
    pub base_url: Option<String>,
    /// The environment variables that hold a key, the first that is set.
    pub key_variables: Vec<String>,
    /// The environment variable that holds another address.
    pub base_url_variable: String,
    /// The format that it speaks.
    pub wire: Wire,
    /// How it is told the shape of the answer.
    pub structured_output: StructuredOutput,
    /// The field that limits the output.
    #[serde(default)]
    pub max_tokens_field: MaxTokensField,
    /// Whether it is told not to keep the conversation.
    #[serde(default)]
    pub store_field: StoreField,
    /// Whether it is told a temperature.
    #[serde(default)]
    pub temperature: TemperatureField,
    /// Whether it is told what other calls share.
    #[serde(default)]
    pub prompt_cache: PromptCacheField,
    /// Whether replies come as they are written.
    #[serde(default)]
    pub delivery: Delivery,
    /// The most requests a minute, where that is documented for every account.
    pub requests_per_minute: Option<u32>,
    /// The most tokens a minute, where that is documented for every account.
    pub tokens_per_minute: Option<u64>,
    /// The most calls at once.
    pub concurrency: Option<u32>,
    /// The model that a key alone seats.
    pub default_model: Option<String>,
}

/// What the table knows of a model, or of all models whose names begin alike.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    /// The id of its provider.
    pub provider: String,
    /// Its name, or the beginning of names with a `*` behind.
    pub name: String,
    /// How many tokens may go in, those of the answer included where the provider counts them together.
    pub context_tokens: u64,
    /// How many tokens may come out.
    pub max_output_tokens: u32,
    /// What it costs; `None` where nobody knows.
    pub price: Option<Price>,
    /// The month in which this was looked up, as `2026-11`.
    pub as_of: String,
}

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// It is not TOML of this shape.
    #[error("could not read the table of models")]
    Toml(#[from] toml::de::Error),
    /// It contradicts itself.
    #[error("the table of models is wrong: {0}")]
    Wrong(String),
}

impl Catalogue {
    /// The text of the table that this build carries.
    pub const EMBEDDED: &str = include_str!("../../../config/models.toml");

    /// The table that this build carries.
    pub fn embedded() -> Self {
        Self::parse(Self::EMBEDDED).expect("a test reads the embedded table")
    }

    /// Reads a table.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let catalogue: Self = toml::from_str(text)?;
        catalogue.check()?;
        Ok(catalogue)
    }

    /// The provider of that id.
    pub fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.id == id)
    }

    /// What is known of a provider's model: by its name, else by the longest beginning.
    pub fn model(&self, provider: &str, name: &str) -> Option<&ModelEntry> {
        self.models
            .iter()
            .filter(|entry| entry.provider == provider)
            .filter(|entry| match entry.name.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => name == entry.name,
            })
            .max_by_key(|entry| (!entry.name.ends_with('*'), entry.name.len()))
    }

    fn check(&self) -> Result<(), CatalogueError> {
        let wrong = |what: String| Err(CatalogueError::Wrong(what));
        for (index, provider) in self.providers.iter().enumerate() {
            if self.providers[..index].iter().any(|other| other.id == provider.id) {
                return wrong(format!("provider {} is there twice", provider.id));
            }
            if let Some(name) = &provider.default_model
                && self.model(&provider.id, name).is_none()
            {
                return wrong(format!("{}'s default model {name} is not in the table", provider.id));
            }
        }
        for (index, entry) in self.models.iter().enumerate() {
            let is_same = |other: &ModelEntry| other.provider == entry.provider && other.name == entry.name;
            if self.models[..index].iter().any(is_same) {
                return wrong(format!("{}/{} is there twice", entry.provider, entry.name));
            }
            if self.provider(&entry.provider).is_none() {
                return wrong(format!("{}/{} has no provider", entry.provider, entry.name));
            }
            if entry.name.trim_end_matches('*').contains('*') || entry.name.ends_with("**") {
                return wrong(format!("{}/{} has a star before its end", entry.provider, entry.name));
            }
        }
        Ok(())
    }
}

impl Provider {
    /// How requests to it are written.
    pub fn dialect(&self) -> Dialect {
        Dialect {
            structured_output: self.structured_output,
            max_tokens_field: self.max_tokens_field,
            store_field: self.store_field,
            temperature: self.temperature,
            prompt_cache: self.prompt_cache,
            delivery: self.delivery,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_table_is_sound() {
        let catalogue = Catalogue::embedded();
        let ids: Vec<_> = catalogue.providers.iter().map(|provider| provider.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "openai",
                "anthropic",
                "gemini",
                "xai",
                "mistral",
                "deepseek",
                "openrouter",
                "groq",
                "together",
                "local"
            ]
        );
        for provider in &catalogue.providers {
            let addresses = provider.base_url.iter();
            assert!(addresses.clone().all(|url| url.starts_with("https://") && !url.ends_with('/')));
            assert_eq!(provider.base_url.is_none(), provider.id == "local");
            let variable = provider.id.to_ascii_uppercase();
            assert_eq!(provider.base_url_variable, format!("{variable}_BASE_URL"));
            assert_eq!(provider.key_variables[0], format!("{variable}_API_KEY"));
        }
        for entry in &catalogue.models {
            let name = format!("{}/{}", entry.provider, entry.name);
            assert!(entry.context_tokens >= 100_000 && entry.max_output_tokens >= 16_384, "{name}");
            let (year, month) = entry.as_of.split_once('-').expect(&name);
            assert!(year.parse::<u32>().is_ok() && month.parse::<u32>().is_ok_and(|m| (1..=12).contains(&m)));
            let Some(price) = &entry.price else { continue };
            for rates in Vec::from(price.clone()) {
                // From 0.05 to 100 USD: a slip of a factor of a thousand does not pass.
                assert!((50_000..=100_000_000).contains(&rates.input), "{name}");
                assert!((50_000..=100_000_000).contains(&rates.output), "{name}");
                assert!(rates.input <= rates.output, "{name}");
                assert!(rates.cached_input.is_none_or(|cached| cached < rates.input), "{name}");
                assert!(rates.cache_write.is_none_or(|write| write > rates.input), "{name}");
            }
        }
    }

    #[test]
    fn a_name_wins_over_a_beginning_and_a_long_beginning_over_a_short_one() {
        let provider = r#"
            [[provider]]
            id = "oak"
            name = "Oak"
            key_variables = []
            base_url_variable = "OAK_BASE_URL"
            wire = "openai-chat"
            structured_output = "none"
            max_tokens_field = "max_tokens"
        "#;
        let model = |name: &str, context: u64| {
            format!(
                "[[model]]\nprovider = \"oak\"\nname = \"{name}\"\ncontext_tokens = {context}\n\
                 max_output_tokens = 1\nas_of = \"2026-11\"\n"
            )
        };
        let table = [model("sol-*", 1), model("sol-6*", 2), model("sol-6.1", 3), model("*", 4)].concat();
        let catalogue = Catalogue::parse(&format!("{provider}{table}")).unwrap();
        let context = |name| catalogue.model("oak", name).map(|entry| entry.context_tokens);
        assert_eq!(context("sol-6.1"), Some(3));
        assert_eq!(context("sol-6.1-mini"), Some(2));
        assert_eq!(context("sol-5"), Some(1));
        assert_eq!(context("terra"), Some(4));
        assert_eq!(catalogue.model("elm", "sol-6.1"), None);

        let wrong = [
            (format!("{provider}{provider}{}", model("a", 1)), "twice"),
            (format!("{provider}{}{}", model("a", 1), model("a", 2)), "twice"),
            (format!("{provider}{}", model("a*b", 1)), "star"),
            (format!("{provider}{}", model("a", 1).replace("oak", "elm")), "no provider"),
            (format!("{provider}default_model = \"b\"\n{}", model("a", 1)), "default model"),
            (format!("{provider}typo = 1\n{}", model("a", 1)), "could not read"),
            (format!("{provider}{}price = []", model("a", 1)), "could not read"),
            (
                format!("{provider}{}price = [{{input = 1, output = 1, typo = 1}}]", model("a", 1)),
                "could not read",
            ),
            (
                format!(
                    "{provider}{}price = [{{above_input_tokens = 5, input = 1, output = 1}}]",
                    model("a", 1)
                ),
                "could not read",
            ),
        ];
        for (text, expected) in wrong {
            let error = Catalogue::parse(&text).expect_err(&text).to_string();
            assert!(error.contains(expected), "{error}\n{text}");
        }
    }
}
