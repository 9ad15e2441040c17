//! The App's keys: from the environment, or from the file that setting up wrote.

use std::fs;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use github::webhook::Secrets;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::places::{self, Environment};

/// What the App proves itself with, and what deliveries are proved with.
pub struct AppKeys {
    /// The App's id.
    pub id: u64,
    /// Its private key, PEM.
    pub private_key: SecretString,
    /// The webhook's secrets.
    pub webhook: Secrets,
}

/// As it is kept.
#[derive(Serialize, Deserialize)]
struct KeysFile {
    app_id: u64,
    private_key: String,
    webhook_secret: String,
}

/// Where setting up keeps the keys: beside the database.
pub(crate) fn file(environment: Environment<'_>) -> Result<PathBuf> {
    Ok(places::state_folder(environment)?.join("app.json"))
}

/// The App's keys; `None` where there is no App yet.
///
/// `RECUSE_APP_ID`, `RECUSE_APP_PRIVATE_KEY` (PEM) or `RECUSE_APP_PRIVATE_KEY_FILE`, `RECUSE_WEBHOOK_SECRET` and, while it is
/// being changed, `RECUSE_WEBHOOK_SECRET_PREVIOUS`; else the file that setting up wrote.
///
/// # Errors
/// Only a part of them is given; a file cannot be read; there is no webhook secret.
pub fn app_keys(environment: Environment<'_>) -> Result<Option<AppKeys>> {
    let id = environment("RECUSE_APP_ID");
    let key = match (environment("RECUSE_APP_PRIVATE_KEY"), environment("RECUSE_APP_PRIVATE_KEY_FILE")) {
        (Some(key), _) => Some(key),
        (None, Some(path)) => Some(
            fs::read_to_string(&path)
                .with_context(|| format!("could not read the App's private key in {path}"))?,
        ),
        (None, None) => None,
    };
    let secret = environment("RECUSE_WEBHOOK_SECRET");
    let previous = environment("RECUSE_WEBHOOK_SECRET_PREVIOUS").map(SecretString::from);
    match (id, key, secret) {
        (None, None, None) => kept(&file(environment)?),
        (Some(id), Some(key), Some(secret)) => {
            let id = id
                .parse()
                .map_err(|_| anyhow!("RECUSE_APP_ID is no number: the App's page on GitHub has it"))?;
            let webhook = Secrets::new(&SecretString::from(secret), previous.as_ref())?;
            Ok(Some(AppKeys { id, private_key: SecretString::from(key), webhook }))
        }
        (id, key, secret) => {
            let missing = [
                ("RECUSE_APP_ID", id.is_none()),
                ("RECUSE_APP_PRIVATE_KEY or RECUSE_APP_PRIVATE_KEY_FILE", key.is_none()),
                ("RECUSE_WEBHOOK_SECRET", secret.is_none()),
            ];
            let missing: Vec<&str> = missing.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
            bail!(
                "could not start: {} is not set; without it no delivery could be trusted or answered",
                missing.join(" and ")
            )
        }
    }
}

fn kept(path: &Path) -> Result<Option<AppKeys>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error)
                .with_context(|| format!("could not read the App's keys in {}", path.display()));
        }
    };
    let file: KeysFile = serde_json::from_str(&text).map_err(|_| {
        anyhow!("could not read the App's keys in {}: it is not as it was written", path.display())
    })?;
    let webhook = Secrets::new(&SecretString::from(file.webhook_secret), None)?;
    Ok(Some(AppKeys { id: file.app_id, private_key: SecretString::from(file.private_key), webhook }))
}

/// How much is written before there are keys, so that a full disk is found in time. Keys take a third of it.
const ROOM: usize = 8 * 1024;

/// Room for the keys of a new App, made before GitHub is asked for them: it gives them out once.
pub(crate) struct Room {
    path: PathBuf,
    draft: NamedTempFile,
}

impl Room {
    /// Makes room at this path, for this user only.
    ///
    /// # Errors
    /// There are keys already; nothing can be written there.
    pub(crate) fn make(path: &Path) -> Result<Self> {
        if path.symlink_metadata().is_ok() {
            bail!("there are keys in {} already: start recuse serve again to use them", path.display());
        }
        let make = || -> std::io::Result<NamedTempFile> {
            let folder = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder)?;
            let mut draft = tempfile::Builder::new().prefix("app.json.").tempfile_in(folder)?;
            draft.write_all(&[b' '; ROOM])?;
            draft.as_file().sync_all()?;
            Ok(draft)
        };
        let draft = make().with_context(|| format!("could not write beside {}", path.display()))?;
        Ok(Self { path: path.to_owned(), draft })
    }

    /// Keeps the keys there. What is there by now is never overwritten.
    ///
    /// # Errors
    /// They could not be written after all; where only their name could not be given to them, it says where they are.
    pub(crate) fn keep(
        mut self,
        id: u64,
        private_key: &SecretString,
        webhook: &SecretString,
    ) -> Result<AppKeys> {
        let file = KeysFile {
            app_id: id,
            private_key: private_key.expose_secret().to_owned(),
            webhook_secret: webhook.expose_secret().to_owned(),
        };
        let text = serde_json::to_vec_pretty(&file)?;
        let mut write = || -> std::io::Result<()> {
            self.draft.rewind()?;
            self.draft.write_all(&text)?;
            self.draft.as_file().set_len(text.len() as u64)?;
            self.draft.as_file().sync_all()
        };
        write().with_context(|| format!("could not keep the App's keys in {}", self.path.display()))?;
        if let Err(error) = self.draft.persist_noclobber(&self.path) {
            let (_, draft) = error.file.keep().map_err(|error| error.error)?;
            return Err(error.error).with_context(|| {
                let (path, draft) = (self.path.display(), draft.display());
                format!("could not keep the App's keys in {path}; they are in {draft}")
            });
        }
        let webhook = Secrets::new(webhook, None)?;
        Ok(AppKeys { id, private_key: private_key.clone(), webhook })
    }
}
