//! A fake of GitHub in the test's own process: state, switches, and a long memory.
//!
//! It runs on a thread of its own and speaks HTTP, so that clients, git and child processes meet it as they would meet
//! GitHub: the API, git's smart HTTP, signed deliveries. Repositories are real bare ones. What recuse must never send (a
//! call off the list, an event other than `COMMENT`, a credential to another server, somebody else's comment) is refused
//! and remembered; [`FakeGitHub::finish`], which every test calls at its end, fails on it.

#![allow(dead_code, reason = "each story uses its own part of the fake")]

mod act;
mod authority;
mod bare;
mod delivery;
mod endpoint;
mod fault;
mod git_http;
mod key;
mod read;
mod record;
mod render;
mod server;
mod verbs;
mod web;
mod world;
mod write;
mod written;

use std::collections::BTreeMap;
use std::time::Duration;

use github::webhook::Secrets;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use key::AppKey;
use server::Shared;
use world::{Holder, Installation, Repository, Token, World, now};

pub(crate) use bare::{ADA, Committer};
pub(crate) use delivery::{Delivery, Sending};
pub(crate) use endpoint::Endpoint;
pub(crate) use fault::{At, Elsewhere, Fault, Pause, Times, When};
pub(crate) use verbs::OpenPull;
pub(crate) use web::NEW_WEBHOOK_SECRET;
pub(crate) use world::{APP_ID, APP_SLUG, Call, CheckRun, Comment, Review, ReviewComment};
pub(crate) use written::{Words, Written};

/// The secret that deliveries are signed with.
pub(crate) const WEBHOOK_SECRET: &str = "a-webhook-secret-of-the-fake";

/// Where the API is below the server's root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// As on github.com, where it has a host of its own.
    Cloud,
    /// As on an Enterprise Server: `/api/v3`.
    EnterpriseServer,
}

/// The fake. It stops when it is dropped.
pub(crate) struct FakeGitHub {
    shared: Shared,
    address: std::net::SocketAddr,
    acceptor: Option<JoinHandle<()>>,
    runtime: Option<Runtime>,
    is_finished: bool,
}

impl FakeGitHub {
    /// Starts one with the repository `acme/shop` (number 1, one commit on `main`), the App installed there as number 9,
    /// and the accounts `acme`, `ada` (who may write) and `mallory` (who may not).
    pub(crate) fn start() -> Self {
        Self::start_as(Flavour::Cloud)
    }

    pub(crate) fn start_as(flavour: Flavour) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("fake-github")
            .enable_all()
            .build()
            .expect("a runtime");
        let handle = runtime.handle().clone();
        // Binding blocks for no time, but needs the runtime's reactor.
        let _entered = handle.enter();
        let bind = || {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port on the loopback");
            listener.set_nonblocking(true).expect("a socket");
            TcpListener::from_std(listener).expect("a socket")
        };
        let (listener, elsewhere) = (bind(), bind());
        let address = listener.local_addr().expect("a bound address");
        let root = format!("http://{address}");
        // Another name of this machine, so that the host differs and not only the port.
        let other = format!("http://localhost:{}", elsewhere.local_addr().expect("a bound address").port());
        let prefix = match flavour {
            Flavour::Cloud => "",
            Flavour::EnterpriseServer => "/api/v3",
        };
        let shared = Shared::new(World::new(AppKey::shared()), handle.clone(), root, prefix, other);
        let acceptor = handle.spawn(server::accept(listener, shared.clone()));
        handle.spawn(server::accept_elsewhere(elsewhere, shared.clone()));
        let fake =
            Self { shared, address, acceptor: Some(acceptor), runtime: Some(runtime), is_finished: false };
        fake.furnish();
        fake
    }

    fn furnish(&self) {
        {
            let mut world = self.world();
            world.account("acme", "Organization");
            world.account("ada", "User");
            world.account("mallory", "User");
        }
        self.add_repository(1, "acme", "shop");
        self.set_access(1, "ada", "write");
        self.commit(1, "main", "Begin", &[("README.md", "A shop.\n")]);
        self.install(9, "acme", &[1]);
        // What was there before the test began is no news.
        self.world().outbox = delivery::Outbox::default();
    }

    /// What a client is given as the API's address.
    pub(crate) fn api_url(&self) -> String {
        format!("{}{}", self.shared.root, self.shared.prefix)
    }

    /// The App's private key.
    pub(crate) fn pem(&self) -> String {
        self.world().key.pem().to_owned()
    }

    /// Sends deliveries there from now on, signed with [`WEBHOOK_SECRET`].
    pub(crate) fn deliver_to(&self, url: &str) {
        let secrets = Secrets::new(&WEBHOOK_SECRET.into(), None).expect("it is not empty");
        self.world().outbox.send_to(url, secrets);
    }

    /// Whether deliveries are sent as they come; those that were held stay so.
    pub(crate) fn set_sending(&self, sending: Sending) {
        self.world().outbox.set_sending(sending);
    }

    /// Everything that was told so far, sent or held, in order.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.world().outbox.all().to_vec()
    }

    /// Sends a delivery, whether it was sent before or not.
    pub(crate) fn send(&self, guid: &str) {
        self.shared.send(guid, delivery::Asked::ByTheEvent);
    }

    /// Lets a held delivery be lost: the log says that it did not arrive.
    pub(crate) fn lose(&self, guid: &str) {
        self.world().drop_delivery(guid);
    }

    /// How often a delivery was taken.
    pub(crate) fn times_taken(&self, guid: &str) -> usize {
        self.world().outbox.times_taken(guid)
    }

    /// Waits until no delivery is under way; at most ten seconds.
    pub(crate) async fn deliveries_settled(&self) {
        let mut under_way = self.world().outbox.under_way();
        let settled = tokio::time::timeout(Duration::from_secs(10), under_way.wait_for(|count| *count == 0));
        settled.await.expect("deliveries were under way for ten seconds").expect("the fake stopped");
    }

    /// Lets something go wrong with calls of a kind, after what waits for it already.
    pub(crate) fn fail(&self, endpoint: Endpoint, times: Times, fault: Fault) {
        self.world().switches.add_fault(endpoint, times, fault);
    }

    /// Lets nothing go wrong any more.
    pub(crate) fn heal(&self) {
        self.world().switches.clear_faults();
    }

    /// Lets every call of the API take at least so long.
    pub(crate) fn set_delay(&self, delay: Duration) {
        self.world().switches.delay = delay;
    }

    /// Holds a call, before or after it does what it does, until the test lets it go on.
    pub(crate) fn pause(&self, at: At, when: When) -> Pause {
        self.world().switches.add_pause(at, when)
    }

    /// Refuses connections and breaks those that there are.
    pub(crate) async fn refuse_connections(&mut self) {
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.abort();
            // Its end is what matters, and that it was aborted is known.
            let _ = acceptor.await;
        }
    }

    /// Takes connections again, at the same address.
    pub(crate) fn accept_connections(&mut self) {
        let _entered = self.shared.runtime.enter();
        let listener = std::net::TcpListener::bind(self.address).expect("the port is still free");
        listener.set_nonblocking(true).expect("a socket");
        let listener = TcpListener::from_std(listener).expect("a socket");
        self.acceptor = Some(self.shared.runtime.spawn(server::accept(listener, self.shared.clone())));
    }

    /// All calls so far, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.world().calls.clone()
    }

    /// How many calls of a kind there were.
    pub(crate) fn count(&self, endpoint: Endpoint) -> usize {
        self.world().calls.iter().filter(|call| call.endpoint == Some(endpoint)).count()
    }

    /// Forgets the calls so far, to count from here.
    pub(crate) fn forget_calls(&self) {
        let mut world = self.world();
        world.calls.clear();
        world.unchanged = 0;
    }

    /// How often a list was asked for that had not changed.
    pub(crate) fn unchanged(&self) -> usize {
        self.world().unchanged
    }

    /// How much of the rate limit is left.
    pub(crate) fn rate_remaining(&self) -> u64 {
        self.world().rate_remaining
    }

    /// The comments of a pull request, in order.
    pub(crate) fn comments(&self, repository: u64, pull: u64) -> Vec<Comment> {
        let mut world = self.world();
        world.repository(repository).comments.iter().filter(|one| one.pull == pull).cloned().collect()
    }

    /// The comments at lines of a pull request, in order.
    pub(crate) fn review_comments(&self, repository: u64, pull: u64) -> Vec<ReviewComment> {
        let mut world = self.world();
        world.repository(repository).review_comments.iter().filter(|one| one.pull == pull).cloned().collect()
    }

    /// The reviews of a pull request, in order.
    pub(crate) fn reviews(&self, repository: u64, pull: u64) -> Vec<Review> {
        let mut world = self.world();
        world.repository(repository).reviews.iter().filter(|one| one.pull == pull).cloned().collect()
    }

    /// The check runs of a commit, in order.
    pub(crate) fn check_runs(&self, repository: u64, head: &str) -> Vec<CheckRun> {
        let mut world = self.world();
        world.repository(repository).check_runs.iter().filter(|one| one.head == head).cloned().collect()
    }

    /// The check runs of all commits, in order.
    pub(crate) fn all_check_runs(&self, repository: u64) -> Vec<CheckRun> {
        self.world().repository(repository).check_runs.clone()
    }

    /// Everything that was written about the heads of a pull request, in order.
    pub(crate) fn written(&self, repository: u64, pull: u64) -> Vec<Written> {
        let mut world = self.world();
        world.repository(repository).written.iter().filter(|one| one.pull == pull).cloned().collect()
    }

    /// The commit that a name stands for.
    pub(crate) fn resolve(&self, repository: u64, name: &str) -> String {
        self.world().repository(repository).bare.resolve(name).expect("a known commit")
    }

    /// What was wrong so far, forgotten from then on: for tests that are about it.
    pub(crate) fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.world().violations)
    }

    /// Checks that nothing forbidden was tried, and that every fault that was to come once came.
    pub(crate) fn finish(mut self) {
        self.is_finished = true;
        let world = self.world();
        let wrong: Vec<_> = world.violations.iter().cloned().chain(world.switches.left_over()).collect();
        drop(world);
        assert!(wrong.is_empty(), "the fake GitHub saw:\n{}", wrong.join("\n"));
    }

    fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.shared.world()
    }
}

impl Drop for FakeGitHub {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        assert!(
            self.is_finished || std::thread::panicking(),
            "the test did not call finish() on its fake GitHub"
        );
    }
}

impl FakeGitHub {
    /// Adds an empty repository.
    pub(crate) fn add_repository(&self, id: u64, owner: &str, name: &str) {
        let mut world = self.world();
        world.account(owner, "Organization");
        world.repositories.push(Repository {
            id,
            owner: owner.to_owned(),
            name: name.to_owned(),
            former_names: Vec::new(),
            bare: bare::Bare::new(),
            is_private: true,
            access: BTreeMap::new(),
            pulls: BTreeMap::new(),
            comments: Vec::new(),
            review_comments: Vec::new(),
            reviews: Vec::new(),
            check_runs: Vec::new(),
            written: Vec::new(),
            statuses: Vec::new(),
            required_checks: Vec::new(),
            protected_checks: Vec::new(),
            hidden_patches: Default::default(),
            last_number: 0,
        });
    }

    /// A token that somebody made for themselves; it may all that they may.
    pub(crate) fn personal_token(&self, login: &str) -> String {
        let mut world = self.world();
        world.account(login, "User");
        let secret = format!("ghp_{login}{:036}", world.next_id());
        let holder = Holder::Person(login.to_owned());
        let token = Token { holder, expires_at: now() + 86_400, repositories: None, permissions: None };
        world.tokens.insert(secret.clone(), token);
        secret
    }

    /// The token of a workflow's run, which may do this and nothing else.
    pub(crate) fn workflow_token(&self, permissions: &[(&str, &str)]) -> String {
        let mut world = self.world();
        world.account("github-actions[bot]", "Bot");
        let secret = format!("ghs_workflow{:036}", world.next_id());
        let holder = Holder::Person("github-actions[bot]".to_owned());
        let permissions = permissions.iter().map(|(name, access)| ((*name).to_owned(), (*access).to_owned()));
        let permissions = Some(permissions.collect());
        let token = Token { holder, expires_at: now() + 86_400, repositories: None, permissions };
        world.tokens.insert(secret.clone(), token);
        secret
    }

    /// Lets all tokens expire that were given out so far.
    pub(crate) fn expire_tokens(&self) {
        self.world().tokens.values_mut().for_each(|token| token.expires_at = 0);
    }

    /// The tokens that were given out so far, to look for them where they must not be.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.world().tokens.keys().cloned().collect()
    }

    /// Makes a code as GitHub's manifest flow gives it back.
    pub(crate) fn manifest_code(&self) -> String {
        let mut world = self.world();
        let code = format!("code-{}", world.next_id());
        world.manifest_codes.insert(code.clone());
        code
    }

    /// Changes what the App asks for and is told of; installations keep what they have.
    pub(crate) fn set_app(&self, permissions: &[(&str, &str)], events: &[&str]) {
        let mut world = self.world();
        world.app_permissions =
            permissions.iter().map(|(name, access)| ((*name).to_owned(), (*access).to_owned())).collect();
        world.app_events = events.iter().map(|event| (*event).to_owned()).collect();
    }

    /// The manifests of the Apps that were registered on its page, in order.
    pub(crate) fn manifests(&self) -> Vec<serde_json::Value> {
        self.world().manifests.clone()
    }

    /// Makes the account of an enterprise, which may install the App as others may.
    pub(crate) fn add_enterprise(&self, name: &str) {
        self.world().account(name, "Enterprise");
    }

    /// Installs the App with all permissions that it asks for, and tells of it.
    pub(crate) fn install(&self, installation: u64, account: &str, repositories: &[u64]) -> String {
        let mut world = self.world();
        let added = Installation {
            account: account.to_owned(),
            repositories: repositories.to_vec(),
            permissions: world.app_permissions.clone(),
            is_suspended: false,
        };
        world.installations.insert(installation, added);
        drop(world);
        self.tell_installation(installation, "created", account)
    }
}
