//! Fetching from servers, kind and otherwise.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use git::{FetchFailure, FetchLimits, GitError, ObjectCache, Remote, Repository, Transport};
use review::{CommitId, RepoPath};
use secrecy::SecretString;
use tempfile::TempDir;

use crate::server::{Manner, Server};
use crate::support::Fixture;

const SECRET: &str = "Basic eC1hY2Nlc3MtdG9rZW46Z2hzX2h1bnRlcjI=";

const LIMITS: FetchLimits = FetchLimits { bytes: 64 * 1024 * 1024, patience: Duration::from_secs(60) };

/// A repository with a server and a cache.
struct World {
    fixture: Fixture,
    server: Server,
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        let fixture = Fixture::new();
        let server = Server::start(&fixture.path().join(".git"));
        Self { fixture, server, folder: tempfile::tempdir().expect("writable") }
    }

    fn cache(&self, max_bytes: u64) -> ObjectCache {
        ObjectCache::new(&self.folder.path().join("objects"), max_bytes).expect("the folder can be made")
    }

    fn fetch(&self, wanted: &[&CommitId]) -> Result<Repository, GitError> {
        self.fetch_within(wanted, &[], &LIMITS)
    }

    fn fetch_within(
        &self,
        wanted: &[&CommitId],
        references: &[&str],
        limits: &FetchLimits,
    ) -> Result<Repository, GitError> {
        let wanted: Vec<_> = wanted.iter().map(|id| (*id).clone()).collect();
        self.cache(u64::MAX).fetch(&remote(&self.server), &wanted, references, limits)
    }

    /// All bytes that lie in the cache, and the names of its files.
    fn on_disk(&self) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("readable") {
                let path = entry.expect("readable").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push((path.display().to_string(), fs::read(&path).expect("readable")));
                }
            }
        }
        found
    }
}

fn remote(server: &Server) -> Remote {
    Remote {
        url: server.url.clone(),
        authorization: Some(SecretString::from(SECRET)),
        allow: Transport::HttpOrHttps,
    }
}

/// Bytes that nothing can compress.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn text_at(repository: &Repository, commit: &CommitId, path: &str) -> String {
    let file = repository.read_at(commit, &RepoPath::from_bytes(path.as_bytes())).expect("it can be read");
    String::from_utf8(file.into_bytes().expect("it is a file")).expect("it is text")
}

fn failure(result: Result<Repository, GitError>) -> (String, FetchFailure) {
    match result {
        Err(error @ GitError::Fetch { .. }) => {
            let text = error.to_string();
            let GitError::Fetch { failure, .. } = error else { unreachable!("it was one") };
            assert!(!text.contains("eC1hY2Nl"), "{text}");
            (text, failure)
        }
        other => panic!("not refused as a fetch: {other:?}"),
    }
}

#[test]
fn commits_come_without_their_history_and_are_compared_like_any_others() {
    let world = World::new();
    let first = world.fixture.commit_file("a.txt", "one", "first");
    let base = world.fixture.commit_file("a.txt", "two", "second");
    let head = world.fixture.commit_file("b.txt", "three", "third");
    let repository = world.fetch(&[&base, &head]).expect("it is there");
    assert_eq!(text_at(&repository, &base, "a.txt"), "two\n");
    assert_eq!(text_at(&repository, &head, "b.txt"), "three\n");
    let missing = repository.read_at(&first, &RepoPath::from_bytes(b"a.txt"));
    assert!(missing.is_err(), "{missing:?}");
    // The credential was sent with each request, and only there.
    let requests = world.server.requests();
    assert!(!requests.is_empty());
    let header = format!("authorization: {}", SECRET.to_lowercase());
    assert!(requests.iter().all(|request| request.contains(&header)), "{requests:?}");
    for (name, bytes) in world.on_disk() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("eC1hY2Nl") && !name.contains("eC1hY2Nl"), "{name}");
    }
}

#[test]
fn what_is_here_is_not_fetched_again_and_what_is_new_builds_on_it() {
    let world = World::new();
    world.fixture.write("large.bin", noise(400_000));
    let base = world.fixture.commit("a large file");
    drop(world.fetch(&[&base]).expect("it is there"));
    let before = world.server.requests().len();
    drop(world.fetch(&[&base]).expect("it is here"));
    assert_eq!(world.server.requests().len(), before);
    let size = |world: &World| world.on_disk().iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    let size_before = size(&world);
    let head = world.fixture.commit_file("small.txt", "one", "a small one");
    let repository = world.fetch(&[&base, &head]).expect("it is there");
    assert_eq!(text_at(&repository, &head, "small.txt"), "one\n");
    assert!(size(&world) - size_before < 100_000, "the large file came again");
}

#[test]
fn references_are_fetched_and_followed_and_may_be_missing() {
    let world = World::new();
    let head = world.fixture.commit_file("a.txt", "one", "first");
    let fetch = || world.fetch_within(&[&head], &["refs/notes/ai", "refs/notes/none"], &LIMITS);
    let notes = |repository: &Repository| repository.ai_notes(std::slice::from_ref(&head)).expect("readable");
    assert!(notes(&fetch().expect("both are missing")).is_empty());
    for text in ["written by a machine", "and by another"] {
        world.fixture.git(["notes", "--ref=ai", "add", "-f", "-m", text, "HEAD"]);
        assert_eq!(notes(&fetch().expect("one is there")), [(head.clone(), format!("{text}\n"))]);
    }
    world.fixture.git(["update-ref", "-d", "refs/notes/ai"]);
    assert!(notes(&fetch().expect("it is gone")).is_empty());
}

#[test]
fn nothing_of_a_repository_is_executed_or_checked_out() {
    let world = World::new();
    let sentinel = world.fixture.outside("sentinel");
    let touch = format!("touch {}", sentinel.display());
    world.fixture.write(".gitattributes", "* filter=evil diff=evil merge=evil text eol=crlf\n");
    world.fixture.write(
        ".gitconfig",
        format!("[filter \"evil\"]\n\tsmudge = {touch}\n[core]\n\tfsmonitor = {touch}\n"),
    );
    world
        .fixture
        .write(".gitmodules", format!("[submodule \"evil\"]\n\tpath = evil\n\turl = ext::sh -c '{touch}'\n"));
    world.fixture.write("hooks/post-checkout", format!("#!/bin/sh\n{touch}\n"));
    world.fixture.write("hooks/reference-transaction", format!("#!/bin/sh\n{touch}\n"));
    symlink("/etc/passwd", world.fixture.path().join("link")).expect("links can be made");
    world.fixture.git(["add", "--all"]);
    world.fixture.git([
        "update-index",
        "--add",
        "--cacheinfo",
        "160000,1111111111111111111111111111111111111111,evil",
    ]);
    let head = world.fixture.commit_staged("hostile");
    let repository = world.fetch(&[&head]).expect("it is fetched as it is");
    assert!(text_at(&repository, &head, ".gitattributes").contains("evil"));
    let link = repository.read_at(&head, &RepoPath::from_bytes(b"link")).expect("it can be read");
    assert!(link.into_bytes().is_none(), "links are not followed");
    assert!(!sentinel.exists());
    let names: Vec<_> = world.on_disk().into_iter().map(|(name, _)| name).collect();
    let stray = ["/hooks/", "/link", ".gitmodules", "FETCH_HEAD", "/info/", "/modules/", "/logs/"];
    assert!(!names.iter().any(|name| stray.iter().any(|stray| name.contains(stray))), "{names:?}");
}

#[test]
fn a_server_that_never_comes_to_an_end_is_given_up_in_time() {
    let world = World::new();
    let head = world.fixture.commit_file("a.txt", "one", "first");
    let limits = FetchLimits { patience: Duration::from_millis(300), ..LIMITS };
    for manner in [Manner::Hang, Manner::Talk, Manner::List] {
        world.server.behave(manner.clone());
        let (text, failure) = failure(world.fetch_within(&[&head], &["refs/notes/ai"], &limits));
        assert!(matches!(failure, FetchFailure::TimedOut { seconds: 0 }), "{manner:?}: {failure:?}");
        assert!(text.contains(head.short()) && text.contains(&world.server.url), "{text}");
    }
    // The same cache is not disturbed by it.
    world.server.behave(Manner::Honest);
    world.fetch(&[&head]).expect("it is there");
}

#[test]
fn an_object_without_end_is_ended_at_the_limit_and_swept_away() {
    let world = World::new();
    let head = world.fixture.commit_file("a.txt", "one", "first");
    let limits = FetchLimits { bytes: 1_000_000, ..LIMITS };
    world.server.behave(Manner::Endless);
    let (_, failure) = failure(world.fetch_within(&[&head], &[], &limits));
    assert!(matches!(failure, FetchFailure::TooLarge { bytes: 1_000_000 }), "{failure:?}");
    let left: usize = world.on_disk().iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(left < 100_000, "{left} bytes are left");
    world.server.behave(Manner::Honest);
    world.fetch(&[&head]).expect("it is there");
}

#[test]
fn what_is_wrong_with_an_answer_is_an_error_and_the_next_one_counts() {
    let world = World::new();
    let other = world.fixture.commit_file("a.txt", "one", "first");
    let head = world.fixture.commit_file("a.txt", "two", "second");
    let elsewhere = Server::start(&world.fixture.path().join(".git"));
    let absent = CommitId::new("1234567890123456789012345678901234567890").expect("it is an id");
    let table = [
        (Manner::CutOff, &head, ""),
        (Manner::Exchange(other.clone(), head.clone()), &head, "necessary objects"),
        (Manner::Redirect(elsewhere.url.clone()), &head, "returned error: 302"),
        (Manner::Refuse, &head, "403"),
        (Manner::Honest, &absent, "not our ref"),
    ];
    for (manner, wanted, expected) in table {
        world.server.behave(manner.clone());
        let (text, _) = failure(world.fetch(&[wanted]));
        assert!(text.contains(expected), "{manner:?}: {text}");
        assert!(text.starts_with(&format!("could not fetch {} from {}: ", wanted.short(), world.server.url)));
    }
    assert!(elsewhere.requests().is_empty(), "a redirect was followed");
    world.server.behave(Manner::Honest);
    let repository = world.fetch(&[&head]).expect("it is there");
    assert_eq!(text_at(&repository, &head, "a.txt"), "two\n");
}

#[test]
fn what_a_killed_process_left_behind_is_swept_away() {
    let world = World::new();
    let head = world.fixture.commit_file("a.txt", "one", "first");
    drop(world.fetch(&[&head]).expect("it is there"));
    let dir = repository_of(&world);
    for name in
        ["shallow.lock", "refs/recuse/x.lock", "objects/pack/tmp_pack_x", "objects/pack/.tmp-1-pack-x.pack"]
    {
        fs::write(dir.join(name), "half").expect("writable");
    }
    let next = world.fixture.commit_file("a.txt", "two", "second");
    drop(world.fetch(&[&next]).expect("it is there"));
    let left: Vec<_> = world.on_disk().into_iter().filter(|(_, bytes)| bytes == b"half").collect();
    assert_eq!(left, []);
    // A repository that was only begun is begun again.
    fs::remove_file(dir.join("HEAD")).expect("it is there");
    drop(world.fetch(&[&head]).expect("it is fetched again"));
}

/// The one repository in the cache.
fn repository_of(world: &World) -> std::path::PathBuf {
    let entries = fs::read_dir(world.folder.path().join("objects")).expect("readable");
    let mut paths = entries.map(|entry| entry.expect("readable").path());
    paths.find(|path| path.extension().is_some_and(|extension| extension == "git")).expect("there is one")
}

#[test]
fn the_repositories_that_were_not_used_for_longest_go_first_and_none_in_use() {
    let worlds = [World::new(), World::new(), World::new()];
    let heads: Vec<_> = worlds
        .iter()
        .map(|world| {
            world.fixture.write("large.bin", noise(200_000));
            world.fixture.commit("large")
        })
        .collect();
    // Room for one and a half.
    let cache = worlds[0].cache(300_000);
    let fetch = |index: usize| {
        cache
            .fetch(&remote(&worlds[index].server), std::slice::from_ref(&heads[index]), &[], &LIMITS)
            .expect("it is there")
    };
    let asked = |index: usize| worlds[index].server.requests().len();
    let first = fetch(0);
    drop(fetch(1));
    drop(fetch(2));
    // The first is in use, and the third was used last: the second went.
    let before = [asked(0), asked(1), asked(2)];
    assert!(first.read_at(&heads[0], &RepoPath::from_bytes(b"large.bin")).is_ok());
    drop(fetch(0));
    assert_eq!(asked(0), before[0]);
    drop(first);
    drop(fetch(1));
    assert!(asked(1) > before[1]);
    // Now the first is used by nobody, and went.
    drop(fetch(0));
    assert!(asked(0) > before[0]);
}

#[test]
fn a_repository_of_many_packs_starts_anew_when_nobody_uses_it() {
    let world = World::new();
    let head = world.fixture.commit_file("a.txt", "one", "first");
    let first = world.fetch(&[&head]).expect("it is there");
    let packs = repository_of(&world).join("objects/pack");
    for number in 0..100 {
        fs::write(packs.join(format!("pack-{number}.pack")), "").expect("writable");
    }
    let count =
        |world: &World| fs::read_dir(repository_of(world).join("objects/pack")).expect("readable").count();
    let (asked, before) = (world.server.requests().len(), count(&world));
    drop(world.fetch(&[&head]).expect("it is here"));
    assert_eq!((world.server.requests().len(), count(&world)), (asked, before));
    drop(first);
    let again = world.fetch(&[&head]).expect("it is there");
    assert!(world.server.requests().len() > asked);
    assert!(count(&world) < 10);
    assert_eq!(text_at(&again, &head, "a.txt"), "one\n");
}

#[test]
fn jobs_that_fetch_at_the_same_time_do_not_disturb_each_other() {
    let world = World::new();
    let commits: Vec<_> =
        (0..6).map(|n| world.fixture.commit_file("a.txt", &n.to_string(), "next")).collect();
    thread::scope(|scope| {
        for (n, commit) in commits.iter().enumerate() {
            let cache = world.cache(u64::MAX);
            let (server, shared) = (&world.server, &commits[0]);
            scope.spawn(move || {
                let wanted = [commit.clone(), shared.clone()];
                let repository = cache.fetch(&remote(server), &wanted, &[], &LIMITS).expect("it is there");
                assert_eq!(text_at(&repository, commit, "a.txt"), format!("{n}\n"));
            });
        }
    });
}

#[test]
fn what_could_be_something_else_is_refused_before_git_runs() {
    let world = World::new();
    let head = world.fixture.commit_file("a.txt", "one", "first");
    let cache = world.cache(u64::MAX);
    let urls = [
        ("http://127.0.0.1/x", Transport::Https, "by http, which"),
        ("https://kim:hunter2@example.org/x", Transport::Https, "a user or a password"),
        ("https://", Transport::Https, "not one of a repository"),
        ("https://host/a b", Transport::Https, "not one of a repository"),
        ("https://host/a\nb", Transport::Https, "not one of a repository"),
        ("https://host/a?token=hunter2", Transport::Https, "not one of a repository"),
        ("file:///etc", Transport::HttpOrHttps, "not at an https address"),
        ("ext::sh -c id", Transport::HttpOrHttps, "not at an https address"),
        ("git@host:a/b", Transport::HttpOrHttps, "not at an https address"),
        ("--upload-pack=touch", Transport::HttpOrHttps, "not at an https address"),
        ("/etc", Transport::HttpOrHttps, "not at an https address"),
    ];
    for (url, allow, expected) in urls {
        let remote = Remote { url: url.to_owned(), authorization: None, allow };
        let error = cache
            .fetch(&remote, std::slice::from_ref(&head), &[], &LIMITS)
            .expect_err("it is refused")
            .to_string();
        assert!(error.contains(expected) && !error.contains("hunter2"), "{url}: {error}");
    }
    for name in [
        "main",
        "refs/*",
        "refs/heads/a:b",
        "+refs/heads/x",
        "refs/heads/../x",
        "refs/recuse/x",
        "refs/x/.y",
        "refs/x",
    ] {
        let error = world.fetch_within(&[&head], &[name], &LIMITS).expect_err("it is refused");
        assert!(matches!(error, GitError::BadName { .. }), "{name}: {error}");
    }
    let split = Remote { authorization: Some(SecretString::from("a\r\nHost: b")), ..remote(&world.server) };
    let error = cache.fetch(&split, &[head], &[], &LIMITS).expect_err("it is refused").to_string();
    assert!(error.contains("no value of a header"), "{error}");
    assert!(world.server.requests().is_empty());
}

#[test]
fn the_cache_is_for_this_user_only() {
    let world = World::new();
    let head = world.fixture.commit_file("a.txt", "one", "first");
    drop(world.fetch(&[&head]).expect("it is there"));
    let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&world.folder.path().join("objects")), 0o700);
    assert_eq!(mode(&repository_of(&world)), 0o700);
    // The name says nothing of the address, and git itself finds nothing wrong with it.
    let dir = repository_of(&world);
    assert!(!dir.display().to_string().contains("acme"));
    let check =
        Command::new("git").arg("--git-dir").arg(&dir).args(["fsck", "--strict"]).output().expect("git runs");
    assert!(check.status.success(), "{check:?}");
}
