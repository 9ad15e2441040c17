//! The tables that decisions rest on.

use std::borrow::Cow;
use std::path::Path;

use anyhow::{Context as _, Result};
use models::{Catalogue, Traffic};
use review::Families;
use review::attribution::Agents;
use review::classify::ClassifyRules;
use review::record::{FAMILIES, OWN_FAMILIES};

/// The tables that decisions rest on, and the texts that they were read from.
pub struct Tables {
    /// Name and text of each, for the receipts.
    pub sources: Vec<(&'static str, Cow<'static, str>)>,
    /// Who serves which models.
    pub catalogue: Catalogue,
    /// What names of models mean.
    pub families: Families,
    /// What tools leave behind.
    pub agents: Agents,
    /// What files and lines mean.
    pub classify: ClassifyRules,
    /// What the calls of all reviews to a provider share.
    pub traffic: Traffic,
}

impl Tables {
    /// The tables that this build carries. Reading them is most of a process's start, so it is done side by side.
    pub fn embedded() -> Self {
        std::thread::scope(|scope| {
            let classify = scope.spawn(ClassifyRules::embedded);
            let agents = scope.spawn(Agents::embedded);
            Self {
                sources: vec![
                    ("models.toml", Catalogue::EMBEDDED.into()),
                    (FAMILIES, Families::EMBEDDED.into()),
                    ("agents.toml", Agents::EMBEDDED.into()),
                    ("classify.toml", ClassifyRules::EMBEDDED.into()),
                ],
                catalogue: Catalogue::embedded(),
                families: Families::embedded(),
                agents: agents.join().expect("a test reads the embedded table"),
                classify: classify.join().expect("a test reads the embedded table"),
                traffic: Traffic::default(),
            }
        })
    }

    /// Adds the operator's families.
    ///
    /// # Errors
    /// The file cannot be read, or is no table of families: a dangling edge and a cycle are named.
    pub fn with_families(mut self, path: &Path) -> Result<Self> {
        let name = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("could not read the families in {name}"))?;
        self.families =
            self.families.extend(&text).with_context(|| format!("could not use the families in {name}"))?;
        self.sources.push((OWN_FAMILIES, text.into()));
        Ok(self)
    }
}
