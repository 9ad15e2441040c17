//! Commands that were run and how they ended: what is passed through, what is recorded, and what counts.

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use review::Digest;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use crate::support::program::{Program, Ran};
use crate::support::repository::TestRepository;

/// The operator accepts what whoever ran it reports.
const TRUSTING: &str = "[review]\nrequired_checks = [\"tests\"]\nself_reported_checks = true\n";

fn repository() -> TestRepository {
    let repository = TestRepository::with_main(&[("a.rs", "fn a() {}\n")]);
    repository.commit("Change a", &[("a.rs", "fn a() { b() }\n")]);
    repository
}

fn folder(repository: &TestRepository) -> PathBuf {
    repository.path().join(".git/recuse/evidence")
}

fn record_file(repository: &TestRepository) -> PathBuf {
    let mut files =
        std::fs::read_dir(folder(repository)).expect("a folder").map(|entry| entry.expect("a file").path());
    let file = files.next().expect("a record");
    assert_eq!(files.next(), None, "a later run of a name takes the earlier one's place");
    file
}

fn record(repository: &TestRepository) -> Value {
    serde_json::from_slice(&std::fs::read(record_file(repository)).expect("read")).expect("JSON")
}

fn run_shell(repository: &TestRepository, program: &Program, script: &str) -> Ran {
    program.run(repository.path(), &["run", "--name", "tests", "--", "sh", "-c", script])
}

fn review(repository: &TestRepository, program: &Program) -> Value {
    program.run(repository.path(), &["review", "--offline", "--evidence", "--format", "json"]).packet()
}

#[test]
fn output_and_exit_code_are_the_commands_own_and_both_are_recorded() {
    let repository = repository();
    let program = Program::new();
    let ran = run_shell(&repository, &program, "echo out; echo err >&2; exit 37");
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (37, "out\n", "err\n"));
    let record = record(&repository);
    assert_eq!(record["argv"], json!(["sh", "-c", "echo out; echo err >&2; exit 37"]));
    assert_eq!(record["ended"], json!({ "how": "exited", "code": 37 }));
    assert_eq!(record["tree"]["head"], repository.git(&["rev-parse", "HEAD"]).trim());
    assert_eq!(record["tree"]["tree"], repository.git(&["rev-parse", "HEAD^{tree}"]).trim());
    assert_eq!((&record["tree"]["changed"], &record["tree"]["untracked"]), (&json!(0), &json!(0)));
    assert_eq!(record["log"]["bytes"], 8);
    let lines = record["log"]["last_lines"].as_array().expect("a list");
    assert!(lines.contains(&json!("out")) && lines.contains(&json!("err")), "{lines:?}");
    let input =
        program.run_with_input(repository.path(), &["run", "--name", "tests", "--", "cat"], b"passed in");
    assert_eq!((input.code, input.stdout.as_str()), (0, "passed in"));
}

#[test]
fn a_required_check_is_met_by_a_record_of_the_head_where_the_operator_says_so() {
    let repository = repository();
    let trusting = Program::new().config(TRUSTING);
    let headline = |packet: &Value| packet["judgement"]["headline"].as_str().expect("a line").to_owned();
    let nothing = trusting.run(repository.path(), &["review", "--offline"]);
    assert_eq!(nothing.code, 1);
    assert!(
        nothing.stdout.contains("blocked: the required check `tests` left no record"),
        "{}",
        nothing.stdout
    );

    assert_eq!(run_shell(&repository, &trusting, "exit 0").code, 0);
    let packet = review(&repository, &trusting);
    assert_eq!((&packet["verdict"], &packet["judgement"]["exit_code"]), (&json!("clean"), &json!(0)));
    let check = &packet["checks"][0];
    assert_eq!(
        (&check["name"], &check["state"], &check["source"]),
        (&json!("tests"), &json!("passed"), &json!("self_reported"))
    );
    assert_eq!((&check["exit_code"], &check["record"]["command"][0]), (&json!(0), &json!("sh")));

    let strict = Program::new().config("[review]\nrequired_checks = [\"tests\"]\n");
    let packet = review(&repository, &strict);
    assert_eq!(packet["verdict"], "blocked");
    assert!(headline(&packet).contains("passed by its own report only"), "{}", headline(&packet));

    assert_eq!(run_shell(&repository, &trusting, "echo broken; exit 3").code, 3);
    let packet = review(&repository, &trusting);
    assert!(headline(&packet).contains("the required check `tests` failed"), "{}", headline(&packet));
    assert_eq!(packet["checks"][0]["record"]["last_lines"], json!(["broken"]));
    for format in ["text", "markdown", "sarif"] {
        let shown =
            trusting.run(repository.path(), &["review", "--offline", "--evidence", "--format", format]);
        assert!(
            shown.stdout.contains("tests") && shown.stdout.contains("failed"),
            "{format}: {}",
            shown.stdout
        );
    }
}

#[test]
fn a_base_branch_can_demand_a_check_and_cannot_accept_its_own_report() {
    let demand = "[review]\nrequired_checks = [\"tests\"]\n";
    let repository = TestRepository::with_main(&[("a.rs", "fn a() {}\n"), (".recuse.toml", demand)]);
    repository.commit("Change a", &[("a.rs", "fn a() { b() }\n")]);
    let program = Program::new();
    assert_eq!(run_shell(&repository, &program, "exit 0").code, 0);
    assert_eq!(review(&repository, &program)["verdict"], "blocked");
    let widening = "[review]\nself_reported_checks = true\n";
    let repository = TestRepository::with_main(&[("a.rs", "fn a() {}\n"), (".recuse.toml", widening)]);
    repository.commit("Change a", &[("a.rs", "fn a() { b() }\n")]);
    let ran = program.run(repository.path(), &["review", "--offline"]);
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("self_reported_checks"), "{}", ran.stderr);
}

/// The one check of a review, and that the required check is not met by it.
#[track_caller]
fn does_not_count(repository: &TestRepository, program: &Program, state: &str, detail: &str) {
    let packet = review(repository, program);
    let check = &packet["checks"][0];
    assert_eq!(check["state"], state, "{check}");
    assert!(check["detail"].as_str().expect("a text").contains(detail), "{check}");
    assert_eq!(packet["verdict"], "blocked");
    assert!(packet["judgement"]["headline"].as_str().expect("a line").contains("does not count"), "{packet}");
}

#[test]
fn a_record_of_another_head_or_of_a_changed_tree_is_stale() {
    let repository = repository();
    let program = Program::new().config(TRUSTING);
    assert_eq!(run_shell(&repository, &program, "exit 0").code, 0);
    repository.commit("Change more", &[("a.rs", "fn a() { c() }\n")]);
    does_not_count(&repository, &program, "stale", "it ran on another head");
    repository.write("forgotten.rs", "fn c() {}\n");
    assert_eq!(run_shell(&repository, &program, "exit 0").code, 0);
    does_not_count(&repository, &program, "stale", "0 changed and 1 untracked files");
    let tree = &record(&repository)["tree"];
    assert!(tree["difference"].is_string(), "{tree}");
}

#[test]
fn an_edited_record_is_shown_as_such() {
    let repository = repository();
    let program = Program::new().config(TRUSTING);
    assert_eq!(run_shell(&repository, &program, "exit 1").code, 1);
    let file = record_file(&repository);
    let text = std::fs::read_to_string(&file).expect("read");
    std::fs::write(&file, text.replace("\"code\": 1", "\"code\": 0")).expect("written");
    does_not_count(&repository, &program, "altered", "its record was edited");
    std::fs::write(&file, "no record at all").expect("written");
    let packet = review(&repository, &program);
    assert_eq!(packet["checks"][0]["state"], "altered");
    assert_eq!(packet["verdict"], "blocked");
}

#[test]
fn code_under_review_cannot_vouch_for_itself() {
    let repository = repository();
    let program = Program::new().config(TRUSTING);
    let head = repository.git(&["rev-parse", "HEAD"]);
    // A commit cannot hold its own id, so the record is made for an earlier head and then for none that differs.
    let ran = program
        .run(repository.path(), &["run", "--name", "tests", "--evidence-dir", "evidence", "--", "true"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    repository.commit("Vouch", &[]);
    assert_ne!(repository.git(&["rev-parse", "HEAD"]), head);
    let arguments = ["review", "--offline", "--evidence", "evidence", "--format", "json"];
    let packet = program.run(repository.path(), &arguments).packet();
    let check = &packet["checks"][0];
    assert_eq!(check["state"], "refused", "{check}");
    assert!(check["detail"].as_str().expect("a text").contains("cannot vouch for itself"), "{check}");
    assert_eq!(packet["verdict"], "blocked");
    // Nor through a link from outside of the work tree.
    let outside = tempfile::tempdir().expect("a folder");
    let tracked =
        std::fs::read_dir(repository.path().join("evidence")).expect("a folder").next().expect("a file");
    std::os::unix::fs::symlink(tracked.expect("a file").path(), outside.path().join("x.json"))
        .expect("a link");
    let outside = outside.path().to_str().expect("UTF-8");
    let packet = program
        .run(repository.path(), &["review", "--offline", "--evidence", outside, "--format", "json"])
        .packet();
    assert_eq!(packet["checks"][0]["state"], "refused");
}

#[test]
fn a_command_that_cannot_be_started_ends_as_in_a_shell() {
    let repository = repository();
    let program = Program::new();
    let ran = program.run(repository.path(), &["run", "--name", "tests", "--", "no-such-program"]);
    assert_eq!(ran.code, 127);
    assert!(ran.stderr.contains("could not start \"no-such-program\""), "{}", ran.stderr);
    assert_eq!(record(&repository)["ended"], json!({ "how": "not_started", "code": 127 }));
    let ran = program.run(repository.path(), &["run", "--name", "tests", "--", "./a.rs"]);
    assert_eq!(ran.code, 126);
    assert_eq!(review(&repository, &program)["checks"][0]["state"], "failed");
}

#[test]
fn a_record_that_cannot_be_written_is_told_and_changes_nothing_else() {
    let nowhere = tempfile::tempdir().expect("a folder");
    let program = Program::new();
    let ran = program.run(nowhere.path(), &["run", "--name", "tests", "--", "sh", "-c", "echo x; exit 5"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (5, "x\n"));
    assert!(
        ran.stderr.contains("this run is not recorded") && ran.stderr.contains("--evidence-dir"),
        "{}",
        ran.stderr
    );
    std::fs::write(nowhere.path().join("file"), "").expect("written");
    let ran = program.run(nowhere.path(), &["run", "--name", "t", "--evidence-dir", "file", "--", "true"]);
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.contains("this run is not recorded: could not write"), "{}", ran.stderr);
    let ran = program.run(nowhere.path(), &["run", "--name", "t", "--evidence-dir", "records", "--", "true"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn a_time_out_ends_the_command_and_all_that_it_started() {
    let repository = repository();
    let program = Program::new();
    let script = "trap '' TERM; (trap '' TERM; exec sleep 600) & echo $!; wait; sleep 600";
    let ran = program
        .run(repository.path(), &["run", "--name", "tests", "--timeout", "0.2", "--", "sh", "-c", script]);
    assert_eq!(ran.code, 124, "{}", ran.stderr);
    let sleeper: i32 = ran.stdout.trim().parse().expect("an id");
    assert!(!is_alive(sleeper));
    assert_eq!(record(&repository)["ended"], json!({ "how": "timed_out", "limit_ms": 200 }));
    let check = &review(&repository, &program)["checks"][0];
    assert_eq!((&check["state"], &check["exit_code"]), (&json!("failed"), &Value::Null));
    assert_eq!(check["detail"], "ended because it took longer than 0.200 s");
}

/// Whether a process runs; one that ended and that nobody waited for does not.
fn is_alive(process: i32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    state.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// Whether this process ignores a signal.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("a mask");
    u64::from_str_radix(mask.trim(), 16).expect("a number") >> (signal - 1) & 1 == 1
}

/// The program at work on a command that has said `ready`.
fn at_work(repository: &TestRepository, script: &str) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_recuse"))
        .current_dir(repository.path())
        .args(["run", "--name", "tests", "--", "sh", "-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut ready = [0; 6];
    child.stdout.as_mut().expect("a pipe").read_exact(&mut ready).expect("it says so");
    assert_eq!(&ready, b"ready\n");
    child
}

fn send(signal: &str, process: u32) {
    let status = Command::new("kill").args([&format!("-{signal}"), &process.to_string()]).status();
    assert!(status.expect("kill runs").success());
}

#[tokio::test]
async fn signals_reach_the_command_and_its_end_is_the_programs() {
    // Where the tests run under `nohup` or behind `&`, the shell would inherit that signals are ignored, and could not handle
    // them. One that is listened to is inherited as the system has it.
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let ignored = kinds.into_iter().filter(|kind| is_ignored(kind.as_raw_value()));
    let _listening: Vec<_> = ignored.map(|kind| signal(kind).expect("signals")).collect();
    for (signal, code) in [("INT", 42), ("TERM", 43), ("HUP", 44)] {
        let repository = repository();
        // The shell handles the signal itself, and ends with a code of its own. It does not wait for ever.
        let waits = "i=0; while [ $i -lt 400 ]; do sleep 0.05; i=$((i + 1)); done";
        let script = format!("trap 'exit {code}' {signal}; echo ready; {waits}");
        let mut child = at_work(&repository, &script);
        send(signal, child.id());
        assert_eq!(child.wait().expect("it ends").code(), Some(code), "{signal}");
    }
    let repository = repository();
    let mut child = at_work(&repository, "echo ready; kill -KILL $$");
    let status = child.wait().expect("it ends");
    assert_eq!((status.code(), status.signal()), (Some(137), None));
    assert_eq!(record(&repository)["ended"], json!({ "how": "signalled", "signal": 9 }));
}

#[test]
fn what_a_command_leaves_behind_is_not_waited_for() {
    let repository = repository();
    let ran = run_shell(&repository, &Program::new(), "echo done; sleep 600 & echo $! >&2");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "done\n"));
    assert_eq!(record(&repository)["log"]["complete"], false);
    send("KILL", ran.stderr.trim().parse().expect("an id"));
}

#[test]
fn a_gigabyte_of_output_takes_no_memory() {
    let repository = repository();
    let script = "head -c 1073741824 /dev/zero; echo; echo end";
    let mut child = Command::new("sh")
        .current_dir(repository.path())
        .env("RECUSE", env!("CARGO_BIN_EXE_recuse"))
        .env("SCRIPT", script)
        // The address space of everything is limited, and nobody could keep a gigabyte in this one.
        .args(["-c", "ulimit -v 524288; exec \"$RECUSE\" run --name tests -- sh -c \"$SCRIPT\""])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut buffer = vec![0; 1 << 16];
    let mut pipe = child.stdout.take().expect("a pipe");
    let mut digest = review::digest::Digesting::default();
    let mut bytes = 0_u64;
    loop {
        let read = pipe.read(&mut buffer).expect("read");
        if read == 0 {
            break;
        }
        digest.update(&buffer[..read]);
        bytes += read as u64;
    }
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    let log = &record(&repository)["log"];
    assert_eq!((bytes, &log["bytes"]), (1_073_741_829, &json!(1_073_741_829_u64)));
    assert_eq!(log["digest"], digest.finish().as_str());
    assert_eq!(log["last_lines"], json!(["end"]));
}

#[test]
fn secrets_are_not_recorded() {
    let repository = repository();
    let token = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
    let program = Program::new().env("DEPLOY_PASSWORD", "correct-horse-battery");
    let script = format!("echo token {token}; echo \"pw $DEPLOY_PASSWORD\"");
    let ran = program
        .run(repository.path(), &["run", "--name", "tests", "--", "sh", "-c", &script, "--token", "abc"]);
    assert!(ran.stdout.contains(&token), "what is passed through is not touched");
    let record = std::fs::read_to_string(record_file(&repository)).expect("read");
    assert!(!record.contains(&token) && !record.contains("correct-horse"), "{record}");
    let value: Value = serde_json::from_str(&record).expect("JSON");
    assert_eq!(value["argv"][4], "[redacted:argument]");
    assert!(value["redacted"].as_u64() >= Some(4), "{record}");
    assert_eq!(value["log"]["digest"], Digest::of(ran.stdout.as_bytes()).as_str());
}

#[test]
fn wrong_arguments_run_nothing() {
    let repository = repository();
    let program = Program::new();
    for arguments in [
        &["run", "--", "touch", "ran"][..],
        &["run", "--name", "a\nb", "--", "touch", "ran"],
        &["run", "--name", "x", "--timeout", "0", "--", "touch", "ran"],
        &["run", "--name", "x"],
    ] {
        assert_eq!(program.run(repository.path(), arguments).code, 2, "{arguments:?}");
    }
    assert!(!repository.path().join("ran").exists());
    let ran = program.run(repository.path(), &["review", "--offline", "--evidence", "missing"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("could not read the folder missing of records"), "{}", ran.stderr);
}
