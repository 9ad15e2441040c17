//! `recuse init`: writes commented files and says which of them is in force when.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::config::BASE_FILE;

/// Every key of the operator's file, explained; all of it commented out.
pub const OPERATOR_EXAMPLE: &str = include_str!("../../../config/recuse.example.toml");

/// Every key of the base's file, explained; all of it commented out.
pub const BASE_EXAMPLE: &str = include_str!("../../../config/base.example.toml");

/// A file that was to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where.
    pub path: PathBuf,
    /// What happened.
    pub state: WrittenState,
}

/// What happened to a file that was to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrittenState {
    /// It is new.
    New,
    /// It was there already and stays as it was.
    WasThere,
}

/// Writes the operator's file and the repository's, where they are not there yet.
///
/// # Errors
/// A file or folder cannot be written.
pub fn init(user_config: Option<&Path>, repository_root: Option<&Path>) -> Result<Vec<Written>> {
    let operator = user_config.map(|path| (path.to_owned(), OPERATOR_EXAMPLE));
    let base = repository_root.map(|root| (root.join(BASE_FILE), BASE_EXAMPLE));
    operator.into_iter().chain(base).map(|(path, text)| write_new(path, text)).collect()
}

fn write_new(path: PathBuf, text: &str) -> Result<Written> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("could not make the folder {}", folder.display()))?;
    }
    let state = match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(mut file) => {
            file.write_all(text.as_bytes()).with_context(|| format!("could not write {}", path.display()))?;
            WrittenState::New
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => WrittenState::WasThere,
        Err(error) => return Err(error).with_context(|| format!("could not write {}", path.display())),
    };
    Ok(Written { path, state })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::toml_error::collect_keys;

    /// Takes the comment marks off the keys (`# key = …`), but not off the prose (`## …`).
    fn uncommented(example: &str) -> String {
        let lines = example.lines().filter(|line| !line.starts_with("##"));
        lines.map(|line| line.strip_prefix("# ").unwrap_or(line)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_examples_are_good_configuration_and_hold_every_key() {
        let operator = uncommented(OPERATOR_EXAMPLE);
        config::read_operator_file(&operator, "example").unwrap_or_else(|error| panic!("{error}"));
        let base = uncommented(BASE_EXAMPLE);
        config::read_base_file(&base).unwrap_or_else(|error| panic!("{error}"));
        let schemas = [
            (operator, schemars::schema_for!(config::OperatorFile).to_value()),
            (base, schemars::schema_for!(config::BaseFile).to_value()),
        ];
        for (example, schema) in schemas {
            let mut keys = Vec::new();
            collect_keys(&schema, &mut keys);
            assert!(keys.len() > 8, "{keys:?}");
            for key in keys {
                // A key of its own, a list or table, or a table of tables with names of the operator's.
                let is_there = [format!("{key} = "), format!("[{key}]"), format!("[{key}.")]
                    .iter()
                    .any(|written| example.contains(written));
                assert!(is_there, "`{key}` is not in the example");
            }
        }
    }

    #[test]
    fn what_is_there_is_never_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("a/config.toml");
        let first = init(Some(&config), Some(folder.path())).expect("written");
        assert!(first.iter().all(|written| written.state == WrittenState::New));
        fs::write(&config, "mine").expect("written");
        let second = init(Some(&config), Some(folder.path())).expect("looked at");
        assert!(second.iter().all(|written| written.state == WrittenState::WasThere));
        assert_eq!(fs::read_to_string(&config).expect("there"), "mine");
    }
}
