//! The App's keys: from the environment, or from the file that setting up wrote.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use github::webhook::Secrets;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

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

/// Keeps the keys of a new App, for this user only.
pub(crate) fn keep(
    path: &Path,
    id: u64,
    private_key: &SecretString,
    webhook: &SecretString,
) -> Result<AppKeys> {
    let file = KeysFile {
        app_id: id,
        private_key: private_key.expose_secret().to_owned(),
        webhook_secret: webhook.expose_secret().to_owned(),
    };
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut open = fs::OpenOptions::new();
        let mut opened = open.write(true).create_new(true).mode(0o600).open(path)?;
        opened.write_all(serde_json::to_string_pretty(&file)?.as_bytes())?;
        opened.sync_all()
    };
    write().with_context(|| format!("could not keep the App's keys in {}", path.display()))?;
    let webhook = Secrets::new(webhook, None)?;
    Ok(AppKeys { id, private_key: private_key.clone(), webhook })
}
