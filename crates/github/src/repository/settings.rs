//! The repository itself: what it is, who may do what, which checks its branches require, what its files say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use review::CommitId;
use serde::Deserialize;

use super::RepositoryApi;
use crate::error::{ApiError, ErrorKind};
use crate::event::RepositoryRef;
use crate::event::payload::RawRepository;
use crate::route::Call;

/// How many pages of a hundred rules are read.
const MAX_RULE_PAGES: usize = 5;

/// What somebody may do in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Nothing, or only what everybody may.
    None,
    /// Read.
    Read,
    /// Read, and sort issues.
    Triage,
    /// Change the code.
    Write,
    /// That, and some settings.
    Maintain,
    /// Everything.
    Admin,
}

/// A check that must pass before something is merged into a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredCheck {
    /// Its name.
    pub context: String,
    /// The app that must have said so; none means that anybody may.
    pub app_id: Option<u64>,
}

impl RepositoryApi {
    /// Reads what the repository is, by the name that this was made with.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is none, or the credential may not know of it.
    pub async fn repository(&self) -> Result<RepositoryRef, ApiError> {
        Ok(self.connection.json::<RawRepository>(self.request(Call::Repository)).await?.into())
    }

    /// Reads what an account may do. Somebody whom GitHub does not know may do nothing.
    ///
    /// # Errors
    /// As any call, but [`ErrorKind::NotFound`].
    pub async fn permission(&self, login: &str) -> Result<Access, ApiError> {
        Ok(self.known_permission(login).await?.unwrap_or(Access::None))
    }

    /// The same; `None` where GitHub says that there is nothing of that name, which it also says of what is there for a moment.
    ///
    /// # Errors
    /// As any call, but [`ErrorKind::NotFound`].
    pub async fn known_permission(&self, login: &str) -> Result<Option<Access>, ApiError> {
        #[derive(Deserialize)]
        struct Raw {
            permission: String,
            role_name: Option<String>,
        }
        let raw: Raw = match self.connection.json(self.request(Call::Permission { login })).await {
            Ok(raw) => raw,
            Err(ApiError { kind: ErrorKind::NotFound, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        // An organization's own roles have names that only `permission` translates.
        let known = |name: &str| match name {
            "admin" => Some(Access::Admin),
            "maintain" => Some(Access::Maintain),
            "write" => Some(Access::Write),
            "triage" => Some(Access::Triage),
            "read" => Some(Access::Read),
            "none" => Some(Access::None),
            _ => None,
        };
        let access = raw.role_name.as_deref().and_then(known).or_else(|| known(&raw.permission));
        Ok(Some(access.unwrap_or(Access::None)))
    }

    /// Reads a file at a commit; none where there is no such file (nor is a folder or a submodule one).
    ///
    /// GitHub follows a symbolic link that leads to a file of the same repository.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] for more than a megabyte, which GitHub does not give in this form.
    pub async fn content(&self, path: &str, commit: &CommitId) -> Result<Option<Vec<u8>>, ApiError> {
        let request = self.request(Call::Content { path }).query("ref", commit);
        let answer = match self.connection.send(request).await {
            Ok(answer) => answer,
            Err(ApiError { kind: ErrorKind::NotFound, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        // A folder is a list, in which nothing has a type.
        let entry: serde_json::Value = answer.read()?;
        if entry["type"] != "file" {
            return Ok(None);
        }
        match (entry["encoding"].as_str(), entry["content"].as_str()) {
            (Some("base64"), Some(text)) => {
                let text = text.replace('\n', "");
                let unreadable = |_| ErrorKind::Unreadable { detail: "its content is no base64".to_owned() };
                STANDARD.decode(text).map(Some).map_err(|error| answer.error(unreadable(error)))
            }
            (_, _) => Err(answer.error(ErrorKind::TooLarge)),
        }
    }

    /// Lists the checks that a branch requires, by its rules and by its protection.
    ///
    /// # Errors
    /// As any call.
    pub async fn branch_rules(&self, branch: &str) -> Result<Vec<RequiredCheck>, ApiError> {
        #[derive(Deserialize)]
        struct Rule {
            #[serde(rename = "type")]
            kind: String,
            parameters: Option<Parameters>,
        }
        #[derive(Deserialize)]
        struct Parameters {
            #[serde(default)]
            required_status_checks: Vec<Ruled>,
        }
        #[derive(Deserialize)]
        struct Ruled {
            context: String,
            integration_id: Option<u64>,
        }
        #[derive(Deserialize)]
        struct Branch {
            protection: Option<Protection>,
        }
        #[derive(Deserialize)]
        struct Protection {
            required_status_checks: Option<Protected>,
        }
        #[derive(Deserialize)]
        struct Protected {
            #[serde(default)]
            checks: Vec<ProtectedCheck>,
        }
        #[derive(Deserialize)]
        struct ProtectedCheck {
            context: String,
            app_id: Option<i64>,
        }
        let rules = |page: Vec<Rule>| page;
        let rules = self.pages(Call::BranchRules { branch }, &[], MAX_RULE_PAGES, rules).await?;
        let ruled = rules.items.into_iter().filter(|rule| rule.kind == "required_status_checks");
        let ruled = ruled.filter_map(|rule| rule.parameters).flat_map(|rule| rule.required_status_checks);
        let mut required: Vec<_> = ruled
            .map(|check| RequiredCheck { context: check.context, app_id: check.integration_id })
            .collect();
        let branch: Branch = self.connection.json(self.request(Call::Branch { branch })).await?;
        let protected = branch.protection.and_then(|protection| protection.required_status_checks);
        for check in protected.into_iter().flat_map(|protected| protected.checks) {
            // GitHub writes -1 for "anybody".
            let app_id = check.app_id.and_then(|id| u64::try_from(id).ok());
            let check = RequiredCheck { context: check.context, app_id };
            if !required.contains(&check) {
                required.push(check);
            }
        }
        Ok(required)
    }
}
