//! The state of the fake: who is there, what stands where, and what was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::bare::Bare;
use super::delivery::Outbox;
use super::endpoint::{Endpoint, RepositoryKey};
use super::fault::Switches;
use super::key::AppKey;
use super::written::{Life, Written};

/// The App's number.
pub(crate) const APP_ID: u64 = 77;
/// Where errors send their readers.
pub(crate) const DOCS: &str = "https://docs.github.com/rest";
/// The App's name in addresses.
pub(crate) const APP_SLUG: &str = "recuse-test";

/// Everything.
pub(crate) struct World {
    pub(crate) key: Arc<AppKey>,
    pub(crate) accounts: BTreeMap<String, Account>,
    pub(crate) installations: BTreeMap<u64, Installation>,
    pub(crate) tokens: BTreeMap<String, Token>,
    pub(crate) repositories: Vec<Repository>,
    pub(crate) manifest_codes: BTreeSet<String>,
    /// What people had registered by manifest, in order.
    pub(crate) manifests: Vec<Value>,
    /// What the App asks for, and what it is told of.
    pub(crate) app_permissions: BTreeMap<String, String>,
    pub(crate) app_events: Vec<String>,
    pub(crate) outbox: Outbox,
    pub(crate) switches: Switches,
    pub(crate) calls: Vec<Call>,
    /// How many calls came since the beginning.
    pub(crate) calls_begun: u64,
    pub(crate) violations: Vec<String>,
    pub(crate) rate_remaining: u64,
    /// How many answers were 304.
    pub(crate) unchanged: usize,
    pub(crate) last_id: u64,
}

/// A user, bot or organization.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: u64,
    pub(crate) login: String,
    pub(crate) kind: &'static str,
}

/// Where the App is installed.
pub(crate) struct Installation {
    pub(crate) account: String,
    pub(crate) repositories: Vec<u64>,
    pub(crate) permissions: BTreeMap<String, String>,
    pub(crate) is_suspended: bool,
}

/// A token.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) holder: Holder,
    /// Seconds since 1970.
    pub(crate) expires_at: u64,
    /// The repositories that it reaches; none means all.
    pub(crate) repositories: Option<Vec<u64>>,
    /// None means all.
    pub(crate) permissions: Option<BTreeMap<String, String>>,
}

/// Whose token.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Holder {
    Installation(u64),
    Person(String),
}

/// A repository.
pub(crate) struct Repository {
    pub(crate) id: u64,
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) former_names: Vec<(String, String)>,
    pub(crate) bare: Bare,
    pub(crate) is_private: bool,
    pub(crate) access: BTreeMap<String, &'static str>,
    pub(crate) pulls: BTreeMap<u64, Pull>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) review_comments: Vec<ReviewComment>,
    pub(crate) reviews: Vec<Review>,
    pub(crate) check_runs: Vec<CheckRun>,
    /// Everything that was written about heads of pull requests, in order.
    pub(crate) written: Vec<Written>,
    pub(crate) statuses: Vec<(String, Value)>,
    pub(crate) required_checks: Vec<(String, Option<u64>)>,
    pub(crate) protected_checks: Vec<(String, Option<u64>)>,
    pub(crate) hidden_patches: BTreeSet<String>,
    pub(crate) last_number: u64,
}

/// A pull request.
#[derive(Clone)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    pub(crate) author: String,
    pub(crate) head_ref: String,
    pub(crate) head: String,
    /// Every head that it had, and when it was read, in order.
    pub(crate) life: Life,
    /// The repository of the head; none if it was deleted.
    pub(crate) head_repository: Option<u64>,
    pub(crate) base_ref: String,
    pub(crate) base: String,
    pub(crate) is_draft: bool,
    pub(crate) is_open: bool,
    pub(crate) is_merged: bool,
    pub(crate) labels: Vec<String>,
    /// Rises with every change, for the order of lists.
    pub(crate) updated: u64,
    /// When it last changed, in seconds since 1970.
    pub(crate) updated_at: u64,
}

impl Pull {
    /// Gives it another head.
    pub(crate) fn moves_to(&mut self, head: &str) {
        head.clone_into(&mut self.head);
        self.life.moves_to(head);
    }
}

/// A comment in a conversation.
#[derive(Clone, Debug)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) pull: u64,
    pub(crate) author: String,
    pub(crate) by_app: Option<u64>,
    pub(crate) body: String,
    /// Every text that it had before.
    pub(crate) former_bodies: Vec<String>,
    pub(crate) reactions: Vec<(String, String)>,
}

/// A comment at a line.
#[derive(Clone, Debug)]
pub(crate) struct ReviewComment {
    pub(crate) id: u64,
    pub(crate) pull: u64,
    pub(crate) review: u64,
    pub(crate) author: String,
    pub(crate) path: String,
    pub(crate) line: u64,
    pub(crate) body: String,
    pub(crate) reactions: Vec<(String, String)>,
}

/// A review.
#[derive(Clone, Debug)]
pub(crate) struct Review {
    pub(crate) id: u64,
    pub(crate) pull: u64,
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) head: String,
}

/// A check run.
#[derive(Clone, Debug)]
pub(crate) struct CheckRun {
    pub(crate) id: u64,
    pub(crate) suite: u64,
    pub(crate) name: String,
    pub(crate) head: String,
    pub(crate) app: u64,
    pub(crate) external_id: String,
    pub(crate) status: String,
    pub(crate) conclusion: Option<String>,
    pub(crate) output: Value,
    pub(crate) annotations: Vec<Value>,
    pub(crate) actions: Vec<Value>,
    /// Every status and conclusion that it had, in order.
    pub(crate) history: Vec<(String, Option<String>)>,
}

/// A call as it came.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// What kind; none for what is off the list.
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// What the token may do, as `name:access`, sorted; empty without one.
    pub(crate) permissions: Vec<String>,
    pub(crate) body: Value,
}

/// An answer of the API: status, JSON and further headers.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: AnswerBody,
    pub(crate) headers: Vec<(&'static str, String)>,
}

pub(crate) enum AnswerBody {
    Json(Value),
    Bytes(&'static str, Vec<u8>),
}

impl Answered {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status, body: AnswerBody::Json(body), headers: Vec::new() }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::json(200, body)
    }

    pub(crate) fn message(status: u16, message: &str) -> Self {
        Self::json(
            status,
            json!({"message": message, "documentation_url": DOCS, "status": status.to_string()}),
        )
    }

    pub(crate) fn not_found() -> Self {
        Self::message(404, "Not Found")
    }

    /// 422 with what GitHub says of single fields.
    pub(crate) fn invalid(resource: &str, field: &str, message: &str) -> Self {
        Self::json(
            422,
            json!({"message": "Validation Failed", "documentation_url": DOCS, "status": "422",
                "errors": [{"resource": resource, "field": field, "code": "custom", "message": message}]}),
        )
    }
}

impl World {
    pub(crate) fn new(key: Arc<AppKey>) -> Self {
        let mut world = Self {
            key,
            accounts: BTreeMap::new(),
            installations: BTreeMap::new(),
            tokens: BTreeMap::new(),
            repositories: Vec::new(),
            manifest_codes: BTreeSet::new(),
            manifests: Vec::new(),
            app_permissions: needed_permissions(),
            app_events: NEEDED_EVENTS.map(str::to_owned).to_vec(),
            outbox: Outbox::default(),
            switches: Switches::default(),
            calls: Vec::new(),
            calls_begun: 0,
            violations: Vec::new(),
            rate_remaining: 5_000,
            unchanged: 0,
            last_id: 1_000,
        };
        world.account(&bot_login(), "Bot");
        world
    }

    /// A number that nothing else has.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Finds an account or makes it.
    pub(crate) fn account(&mut self, login: &str, kind: &'static str) -> Account {
        if let Some(account) = self.accounts.get(login) {
            return account.clone();
        }
        let account = Account { id: self.next_id(), login: login.to_owned(), kind };
        self.accounts.insert(login.to_owned(), account.clone());
        account
    }

    pub(crate) fn repository(&mut self, id: u64) -> &mut Repository {
        self.repositories.iter_mut().find(|repository| repository.id == id).expect("a known repository")
    }

    /// Finds a repository by one of its names; whether it is its present one.
    pub(crate) fn find(&self, key: &RepositoryKey) -> Option<(u64, bool)> {
        let is = |owner: &str, name: &str, wanted: (&str, &str)| {
            owner.eq_ignore_ascii_case(wanted.0) && name.eq_ignore_ascii_case(wanted.1)
        };
        self.repositories.iter().find_map(|repository| match key {
            RepositoryKey::Id(id) => (repository.id == *id).then_some((*id, true)),
            RepositoryKey::Name(owner, name) if is(&repository.owner, &repository.name, (owner, name)) => {
                Some((repository.id, true))
            }
            RepositoryKey::Name(owner, name) => {
                let former = repository.former_names.iter();
                let mut former = former.filter(|former| is(&former.0, &former.1, (owner, name)));
                former.next().map(|_| (repository.id, false))
            }
        })
    }

    /// The installation that reaches a repository.
    pub(crate) fn installation_of(&self, repository: u64) -> Option<u64> {
        let reaches = |installation: &&Installation| installation.repositories.contains(&repository);
        self.installations.iter().find(|(_, one)| reaches(one)).map(|(id, _)| *id)
    }
}

/// What the App asks for. Written down here once more, so that the fake does not believe recuse.
pub(crate) fn needed_permissions() -> BTreeMap<String, String> {
    let needed = [
        ("checks", "write"),
        ("contents", "read"),
        ("issues", "write"),
        ("metadata", "read"),
        ("pull_requests", "write"),
        ("statuses", "read"),
    ];
    needed.map(|(name, access)| (name.to_owned(), access.to_owned())).into()
}

/// What the App is told of.
const NEEDED_EVENTS: [&str; 7] = [
    "check_run",
    "check_suite",
    "issue_comment",
    "merge_group",
    "pull_request",
    "pull_request_review_comment",
    "push",
];

/// The App's bot.
pub(crate) fn bot_login() -> String {
    format!("{APP_SLUG}[bot]")
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is behind 1970").as_secs()
}
