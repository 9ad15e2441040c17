//! Where the operator's files are: by the XDG base directories, and nowhere in the repository.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// Reads one environment variable; empty counts as unset.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The operator's configuration, used when `--config` names none: `$XDG_CONFIG_HOME/recuse/config.toml`.
pub fn user_config(environment: Environment<'_>) -> Option<PathBuf> {
    let base = folder(environment, "XDG_CONFIG_HOME", ".config")?;
    Some(base.join("recuse").join("config.toml"))
}

/// The folder for what this program keeps: `$XDG_STATE_HOME/recuse`.
///
/// # Errors
/// Neither that variable nor a home folder is known.
pub fn state_folder(environment: Environment<'_>) -> Result<PathBuf> {
    let base = folder(environment, "XDG_STATE_HOME", ".local/state")
        .context("could not find a place to keep anything: set XDG_STATE_HOME or HOME")?;
    Ok(base.join("recuse"))
}

/// The database: `RECUSE_DATABASE_URL`, else SQLite in `$XDG_STATE_HOME/recuse/recuse.db`.
///
/// # Errors
/// Neither that variable nor a home folder is known.
pub fn database_url(environment: Environment<'_>) -> Result<String> {
    if let Some(url) = environment("RECUSE_DATABASE_URL") {
        return Ok(url);
    }
    let base = folder(environment, "XDG_STATE_HOME", ".local/state").context(
        "could not find a place for the database: set RECUSE_DATABASE_URL, XDG_STATE_HOME or HOME",
    )?;
    Ok(format!("sqlite:{}", base.join("recuse").join("recuse.db").display()))
}

fn folder(environment: Environment<'_>, variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |path: String| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    environment(variable)
        .and_then(absolute)
        .or_else(|| Some(environment("HOME").and_then(absolute)?.join(below_home)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_follow_xdg_and_relative_paths_are_ignored() {
        let home = |name: &str| (name == "HOME").then(|| "/h".to_owned());
        assert_eq!(user_config(&home), Some("/h/.config/recuse/config.toml".into()));
        assert_eq!(database_url(&home).expect("a home"), "sqlite:/h/.local/state/recuse/recuse.db");
        let xdg = |name: &str| match name {
            "HOME" => Some("/h".to_owned()),
            "XDG_CONFIG_HOME" => Some("/c".to_owned()),
            "XDG_STATE_HOME" => Some("relative".to_owned()),
            _ => None,
        };
        assert_eq!(user_config(&xdg), Some("/c/recuse/config.toml".into()));
        assert_eq!(database_url(&xdg).expect("a home"), "sqlite:/h/.local/state/recuse/recuse.db");
        assert!(database_url(&|_| None).is_err());
    }
}
