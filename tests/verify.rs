//! `recuse verify` and `recuse keygen` through their door: what holds, what does not, what cannot be read.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::packets::Made;
use crate::support::program::{Program, Ran};
use crate::support::repository::TestRepository;

fn verify(made: &Made, packet: &str, more: &[&str]) -> Ran {
    made.program.run(made.repository.path(), &[&["verify", packet], more].concat())
}

/// The line of a check.
#[track_caller]
fn line<'r>(ran: &'r Ran, name: &str) -> &'r str {
    let is_it = |line: &&str| line.starts_with(name) && line[name.len()..].starts_with(' ');
    ran.stdout
        .lines()
        .find(is_it)
        .unwrap_or_else(|| panic!("no line for {name}: {}{}", ran.stdout, ran.stderr))
}

/// Copies the packet, changed, into the folder, with its signatures.
fn copy(made: &Made, name: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut document: Value = serde_json::from_slice(&made.bytes()).expect("JSON");
    change(&mut document);
    let path = made.path(name);
    std::fs::write(&path, serde_json::to_vec(&document).expect("JSON")).expect("written");
    for extension in ["sig", "dsse.json"] {
        let from = made.path(&format!("packet.json.{extension}"));
        std::fs::copy(from, format!("{path}.{extension}")).expect("copied");
    }
    path
}

/// What is done to a packet.
type Change = fn(&mut Value);

async fn with_a_packet(check: impl FnOnce(Made) + Send + 'static) {
    let made = Made::rich().await;
    tokio::task::spawn_blocking(move || check(made)).await.expect("it ran");
}

#[tokio::test]
async fn a_signed_packet_holds_with_the_key_the_repository_and_the_receipts() {
    with_a_packet(|made| {
        let (packet, key) = (made.path("packet.json"), made.path("key.pub"));
        let ran = verify(&made, &packet, &["--repo", ".", "--key", &key, "--receipts", "store"]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.ends_with("every check holds\n"), "{}", ran.stdout);
        assert_eq!(ran.stdout.matches("signature  ").count(), 2, "{}", ran.stdout);
        // What is not at hand is said, and is no pass.
        let ran = verify(&made, &packet, &[]);
        assert_eq!(ran.code, 3, "{}", ran.stdout);
        for name in ["signature", "change", "receipts", "words"] {
            assert!(line(&ran, name).contains("not checked: "), "{}", ran.stdout);
        }
        // Quietly, only what does not hold is told, and what it comes to.
        let quiet = verify(&made, &packet, &["-q"]);
        assert_eq!((quiet.code, quiet.stdout.contains(" ok: ")), (3, false), "{}", quiet.stdout);
        assert_eq!(quiet.stdout.matches("not checked: ").count(), 6, "{}", quiet.stdout);
        assert!(quiet.stdout.ends_with("checks could not be made\n"), "{}", quiet.stdout);
        let nowhere = made.path("");
        let ran = verify(&made, &packet, &["--repo", &nowhere]);
        assert_eq!(ran.code, 2, "{}", ran.stdout);
        assert!(ran.stderr.contains("is not inside a git repository"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("--stdin") && !ran.stderr.contains("--pr"), "{}", ran.stderr);
        // Receipts of the same bytes share a file, and both are counted.
        let exported = made.path("exported");
        let ran =
            made.program.run(made.folder.path(), &["receipts", "export", &packet, "--output", &exported]);
        let files = std::fs::read_dir(&exported).expect("a folder").count();
        assert!(
            ran.stdout.ends_with(&format!(", in {files} files\n")),
            "{files}: {}{}",
            ran.stdout,
            ran.stderr
        );
        // The digest that somebody was told is enough to tell another packet.
        let other = "0".repeat(64);
        let ran = verify(&made, &packet, &["--digest", &other]);
        assert_eq!(ran.code, 1);
        assert!(line(&ran, "digest").contains("FAILED"), "{}", ran.stdout);
    })
    .await;
}

#[tokio::test]
async fn one_of_several_keys_is_enough_and_a_strangers_is_not() {
    with_a_packet(|made| {
        let packet = made.path("packet.json");
        let other = made.path("other");
        assert_eq!(made.program.run(made.folder.path(), &["keygen", "--output", &other]).code, 0);
        let (key, other) = (made.path("key.pub"), made.path("other.pub"));
        let line_of = |path: &str| std::fs::read_to_string(path).expect("a public key");
        let allowed = |name: &str, text: String| {
            std::fs::write(made.path(name), text).expect("written");
            made.path(name)
        };
        let signers = allowed(
            "signers",
            format!("# who signs\n\nci@example.org {}old@example.org {}", line_of(&other), line_of(&key)),
        );
        let git_only = allowed("git", format!("ci namespaces=\"git\" {}", line_of(&key)));
        let expired = allowed("expired", format!("ci valid-before=\"20200101Z\" {}", line_of(&key)));
        let valid = allowed(
            "valid",
            format!("ci namespaces=\"git,recuse\",valid-after=\"20200101Z\" {}", line_of(&key)),
        );
        let cases: [(&[&str], &str); 5] = [
            (&["--key", &other, "--key", &key], "ok: "),
            (&["--key", &signers], "ok: "),
            (&["--key", &valid], "ok: "),
            (&["--key", &other], "FAILED: "),
            (&["--key", &expired], "FAILED: "),
        ];
        for (arguments, expected) in cases {
            let ran = verify(&made, &packet, arguments);
            assert!(line(&ran, "signature").contains(expected), "{arguments:?}: {}", ran.stdout);
            assert_eq!(ran.code, if expected == "ok: " { 3 } else { 1 }, "{arguments:?}: {}", ran.stdout);
            assert_eq!(ran.stdout.contains("is not trusted"), expected != "ok: ", "{}", ran.stdout);
        }
        let ran = verify(&made, &packet, &["--key", &git_only]);
        assert_eq!(ran.code, 2, "{}", ran.stdout);
        assert!(ran.stderr.contains("no key that may sign packets"), "{}", ran.stderr);
        // A packet whose signatures were taken away is no signed one.
        let bare = copy(&made, "bare.json", |_| ());
        for extension in ["sig", "dsse.json"] {
            std::fs::remove_file(format!("{bare}.{extension}")).expect("removed");
        }
        let ran = verify(&made, &bare, &["--key", &key]);
        assert_eq!(ran.code, 1);
        assert!(line(&ran, "signature").contains("FAILED: the packet is unsigned"), "{}", ran.stdout);
    })
    .await;
}

#[tokio::test]
async fn openssh_accepts_the_signature_and_no_other_packet_under_it() {
    with_a_packet(|made| {
        let key = std::fs::read_to_string(made.path("key.pub")).expect("a public key");
        std::fs::write(made.path("allowed"), format!("ci@example.org {key}")).expect("written");
        let accepts = |packet: &str| {
            let output = Command::new("ssh-keygen")
                .args(["-Y", "verify", "-n", "recuse", "-I", "ci@example.org", "-f", &made.path("allowed")])
                .args(["-s", &format!("{packet}.sig")])
                .stdin(std::fs::File::open(packet).expect("the packet"))
                .output()
                .expect("ssh-keygen runs");
            output.status.success()
        };
        assert!(accepts(&made.path("packet.json")));
        let altered = copy(&made, "altered.json", |packet| packet["claims"][0]["body"] = "nothing".into());
        assert!(!accepts(&altered));
    })
    .await;
}

#[tokio::test]
async fn what_breaks_is_named() {
    with_a_packet(|made| {
        let all = ["--repo", ".", "--receipts", "store"];
        let cases: [(&str, Change, &str); 6] = [
            ("the verdict", |packet| packet["verdict"] = "clean".into(), "verdict"),
            ("a cost", |packet| packet["ledger"]["calls"][1]["micro_usd"] = 1.into(), "costs"),
            ("a quote", |packet| packet["claims"][0]["quote"] = "exit(1)".into(), "quotes"),
            (
                "a family",
                |packet| packet["attribution"]["families"] = Value::Array(Vec::new()),
                "attribution",
            ),
            ("coverage", |packet| packet["coverage"]["lenses"][1]["covered"] = 99.into(), "coverage"),
            ("a model's words", |packet| packet["claims"][1]["body"] = "all is well".into(), "words"),
        ];
        for (what, change, name) in cases {
            let path = copy(&made, "changed.json", change);
            let ran = verify(&made, &path, &all);
            assert_eq!(ran.code, 1, "{what}: {}", ran.stdout);
            assert!(line(&ran, name).contains("FAILED: "), "{what}: {}", ran.stdout);
            assert!(line(&ran, "signature").contains("FAILED: "), "{what}: {}", ran.stdout);
        }
        // Written with other white space it is the same packet, and the file is one that other programs refuse.
        let pretty = made.path("pretty.json");
        let document: Value = serde_json::from_slice(&made.bytes()).expect("JSON");
        std::fs::write(&pretty, serde_json::to_string_pretty(&document).expect("JSON")).expect("written");
        let signature = made.path("packet.json.sig");
        let ran = verify(&made, &pretty, &["--signature", &signature, "--key", &made.path("key.pub")]);
        assert_eq!(ran.code, 1, "{}", ran.stdout);
        let told = line(&ran, "canonical form");
        assert!(told.contains("FAILED: these are not the packet's canonical bytes"), "{}", ran.stdout);
        assert!(line(&ran, "signature").contains("ok: "), "{}", ran.stdout);
    })
    .await;
}

#[test]
fn a_secret_in_a_trace_is_redacted_and_the_packet_holds() {
    let secret = format!("ghp_{}", "a1B2c3D4e5F6".repeat(3));
    let repository = TestRepository::with_main(&[("a.rs", "one\n")]);
    repository.git(&["checkout", "-q", "-b", &format!("codex/{secret}")]);
    let message = format!("Two\n\nCo-authored-by: Claude {secret} <noreply@anthropic.com>");
    repository.commit(&message, &[("a.rs", "two\n")]);
    let note = format!(
        "a.rs\n  s_1::t_1 1\n---\n{{\"sessions\":{{\"s_1\":{{\"agent_id\":{{\"tool\":\"codex\",\"model\":\"{secret}\"}}}}}}}}"
    );
    repository.git(&["notes", "--ref=ai", "add", "-m", &note]);
    let folder = TempDir::new().expect("a folder");
    let packet = folder.path().join("packet.json");
    let packet = packet.to_str().expect("UTF-8");
    let program = Program::new();
    let ran = program.run(repository.path(), &["review", "--offline", "--base", "main", "--packet", packet]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let written = std::fs::read_to_string(packet).expect("a packet");
    for trace in ["trailer", "branch", "note"] {
        assert!(written.contains(&format!("\"channel\":\"{trace}")), "{trace}: {written}");
    }
    assert!(!written.contains(&secret), "{written}");
    let ran = program.run(repository.path(), &["verify", packet, "--repo", "."]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(line(&ran, "authorship").contains("ok: "), "{}", ran.stdout);
    let ran = program.run(repository.path(), &["attribute", "--base", "main"]);
    assert!(ran.code == 0 && !ran.stdout.contains(&secret), "{}", ran.stdout);
}

#[tokio::test]
async fn a_packet_that_says_that_another_version_made_it_is_no_pass() {
    with_a_packet(|made| {
        let path = copy(&made, "changed.json", |packet| packet["run"]["version"] = "9.9.9".into());
        for extension in ["sig", "dsse.json"] {
            std::fs::remove_file(format!("{path}.{extension}")).expect("removed");
        }
        let ran = verify(&made, &path, &["--repo", ".", "--receipts", "store"]);
        assert_eq!(ran.code, 3, "{}", ran.stdout);
        assert!(line(&ran, "version").contains("not checked: it says that 9.9.9 made it"), "{}", ran.stdout);
        assert!(
            line(&ran, "replay").contains("not checked: the record comes to another packet"),
            "{}",
            ran.stdout
        );
    })
    .await;
}

#[tokio::test]
async fn a_receipt_that_is_missing_or_altered_is_named() {
    with_a_packet(|made| {
        let packet: Value = serde_json::from_slice(&made.bytes()).expect("JSON");
        let receipts = made.path("receipts");
        std::fs::create_dir(&receipts).expect("a folder");
        let ran = verify(&made, &made.path("packet.json"), &["--receipts", &receipts]);
        assert_eq!(ran.code, 1);
        assert!(line(&ran, "receipts").contains(" is missing"), "{}", ran.stdout);
        let reply = packet["ledger"]["calls"]
            .as_array()
            .expect("calls")
            .iter()
            .find_map(|call| call["reply"].as_str());
        std::fs::write(Path::new(&receipts).join(reply.expect("a reply")), "something else")
            .expect("written");
        let ran = verify(&made, &made.path("packet.json"), &["--receipts", &receipts]);
        assert!(line(&ran, "receipts").contains("FAILED: "), "{}", ran.stdout);
        let ran = verify(&made, &made.path("packet.json"), &["--receipts", &made.path("nowhere")]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
    })
    .await;
}

#[tokio::test]
async fn a_repository_without_the_head_is_said_to_be_one() {
    with_a_packet(|made| {
        let other = TestRepository::with_main(&[("a.rs", "")]);
        let folder = other.path().to_str().expect("UTF-8");
        let ran = verify(&made, &made.path("packet.json"), &["--repo", folder]);
        assert_eq!(ran.code, 3, "{}", ran.stdout);
        assert!(
            line(&ran, "change").contains("not checked: the repository does not have the commit "),
            "{}",
            ran.stdout
        );
    })
    .await;
}

#[test]
fn what_is_no_packet_is_refused_in_one_line() {
    let folder = TempDir::new().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let huge = write("huge", b"");
    std::fs::File::options()
        .write(true)
        .open(&huge)
        .expect("open")
        .set_len(500 * 1024 * 1024)
        .expect("a sparse file");
    let cases = [
        (write("empty", b""), "it is no JSON"),
        (write("other", br#"{"a": 1}"#), "it is no packet"),
        (write("later", br#"{"schema": "recuse/packet/v7", "x": 1}"#), "the version `recuse/packet/v7`"),
        (write("partial", br#"{"schema": "recuse/packet/v1"}"#), "missing field"),
        (write("unknown", br#"{"schema": "recuse/packet/v1", "more": 1}"#), "unknown field `more`"),
        (write("deep", "[".repeat(100_000).as_bytes()), "it is no JSON"),
        (huge, "it has 524288000 bytes"),
        (folder.path().join("absent").to_str().expect("UTF-8").to_owned(), "could not open"),
    ];
    for (path, expected) in cases {
        let ran = Program::new().run(folder.path(), &["verify", &path]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{path}: {}", ran.stderr);
        assert!(ran.stderr.contains(expected) && ran.stderr.lines().count() == 1, "{path}: {}", ran.stderr);
    }
}

#[tokio::test]
async fn fields_that_nobody_knows_are_refused_wherever_they_stand() {
    with_a_packet(|made| {
        let cases: [(Change, &str); 4] = [
            (|packet| packet["gaps"][0]["more"] = 1.into(), "unknown field `gaps[0].more`"),
            (|packet| packet["claims"][0]["more"] = 1.into(), "unknown field `more`"),
            (|packet| packet["subject"]["diff_digest"] = "abc".into(), "64 lower-case hex digits"),
            (|packet| packet["run"]["elapsed_ms"] = u64::MAX.into(), "no integer that every reader keeps"),
        ];
        for (change, expected) in cases {
            let path = copy(&made, "changed.json", change);
            let ran = verify(&made, &path, &[]);
            assert_eq!(ran.code, 2, "{}", ran.stdout);
            assert!(ran.stderr.contains(expected), "{}", ran.stderr);
        }
    })
    .await;
}

#[test]
fn keys_are_made_for_their_owner_only_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let program = Program::new();
    let folder = TempDir::new().expect("a folder");
    let ran = program.run(folder.path(), &["keygen"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let private = program.home().join(".config/recuse/signing_key");
    let mode = std::fs::metadata(&private).expect("the key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let public = std::fs::read_to_string(private.with_extension("pub")).expect("the public key");
    assert!(public.starts_with("ssh-ed25519 "), "{public}");
    let fingerprint = Command::new("ssh-keygen").arg("-lf").arg(&private).output().expect("ssh-keygen runs");
    let fingerprint = String::from_utf8_lossy(&fingerprint.stdout).into_owned();
    let id = fingerprint.split(' ').nth(1).expect("a fingerprint");
    assert!(ran.stdout.contains(id), "{} {fingerprint}", ran.stdout);
    let again = program.run(folder.path(), &["keygen"]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("it is there already"), "{}", again.stderr);
}

#[test]
fn a_key_that_cannot_sign_is_refused_before_anything_is_asked() {
    let repository = TestRepository::with_main(&[("a.rs", "")]);
    repository.commit("Add", &[("a.rs", "fn a() {}\n")]);
    let program = Program::new();
    let folder = TempDir::new().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let keygen = |kind: &str, name: &str, passphrase: &str| {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", kind, "-N", passphrase, "-f", &path(name)])
            .status()
            .expect("ssh-keygen runs");
        assert!(made.success());
    };
    keygen("ecdsa", "ecdsa", "");
    keygen("ed25519", "locked", "a passphrase");
    keygen("ed25519", "good", "");
    std::fs::write(path("text"), "hello").expect("written");
    let cases = [
        ("ecdsa", "no Ed25519 private key"),
        ("locked", "protected by a passphrase"),
        ("good.pub", "it is a public key"),
        ("text", "no Ed25519 private key"),
        ("absent", "could not read"),
    ];
    let packet = path("packet.json");
    for (key, expected) in cases {
        let arguments = ["review", "--offline", "--packet", &packet, "--sign", &path(key)];
        let ran = program.run(repository.path(), &arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{key}: {}", ran.stderr);
        assert!(ran.stderr.contains(expected), "{key}: {}", ran.stderr);
        assert!(!Path::new(&packet).exists());
    }
    let ran = program.run(repository.path(), &["review", "--offline", "--sign", &path("good")]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--sign needs a packet to sign"), "{}", ran.stderr);
    // ssh-keygen's own keys sign as well, and the view says who did.
    let ran = program
        .run(repository.path(), &["review", "--offline", "--packet", &packet, "--sign", &path("good")]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let told = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("signed by SHA256:"), "{told}");
    let ran = program.run(
        repository.path(),
        &["verify", &packet, "--repo", ".", "--key", &path("good.pub"), "--receipts", "store"],
    );
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    for (key, expected) in
        [("ecdsa.pub", "packets are signed with ssh-ed25519"), ("good", "it is a private key")]
    {
        let ran = program.run(repository.path(), &["verify", &packet, "--key", &path(key)]);
        assert_eq!(ran.code, 2, "{}", ran.stdout);
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    }
    // An unsigned review says so, and leaves no signature of an earlier packet.
    let ran = program.run(repository.path(), &["review", "--offline", "--packet", &packet]);
    assert!(ran.stdout.contains("unsigned"), "{}", ran.stdout);
    assert!(!Path::new(&format!("{packet}.sig")).exists());
}

#[test]
fn a_review_of_a_diff_is_verified_against_the_diff() {
    let folder = TempDir::new().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let diff = "--- a/a.rs\n+++ b/a.rs\n@@ -1 +1 @@\n-old\n+new\n";
    std::fs::write(path("a.diff"), diff).expect("written");
    std::fs::write(path("b.diff"), diff.replace("new", "other")).expect("written");
    let program = Program::new();
    let arguments = ["review", "--offline", "--diff", &path("a.diff"), "--packet", &path("packet.json")];
    assert_eq!(program.run(folder.path(), &arguments).code, 0);
    let ran = program.run(folder.path(), &["verify", &path("packet.json"), "--diff", &path("a.diff")]);
    assert!(line(&ran, "change").contains("ok: "), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, 3, "unsigned: {}", ran.stdout);
    let ran = program.run(folder.path(), &["verify", &path("packet.json"), "--diff", &path("b.diff")]);
    assert!(line(&ran, "change").contains("FAILED: "), "{}", ran.stdout);
    assert_eq!(ran.code, 1);
}
