//! What an operator's program is given and what it may do.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use models::{CommandLine, CommandModel, Finish, Message, Model, ModelError, Prompt, Reply};
use review::Digest;

use crate::support::{class, prompt};

fn shell(script: &str, arguments: &[&str]) -> CommandLine {
    let head = ["-c", script, "sh"].map(str::to_owned);
    CommandLine {
        program: PathBuf::from("/bin/sh"),
        arguments: head.into_iter().chain(arguments.iter().map(|&argument| argument.to_owned())).collect(),
        environment: vec![("PATH".to_owned(), "/usr/bin:/bin".into())],
        limit: Duration::from_secs(20),
    }
}

async fn ask(command: CommandLine, prompt: &Prompt) -> Result<Reply, ModelError> {
    CommandModel::new(command).ask(prompt).await
}

async fn said(script: &str) -> String {
    ask(shell(script, &[]), &prompt("diff")).await.unwrap().content.text().to_owned()
}

#[tokio::test]
async fn the_prompt_comes_on_standard_input_and_the_answer_on_standard_output() {
    let mut prompt = prompt("diff\n");
    prompt.messages.push(Message::Assistant { text: "{".to_owned(), tool_calls: Vec::new() });
    prompt.messages.push(Message::User("Once more.".to_owned()));
    let reply = ask(shell("echo talk >&2; cat", &[]), &prompt).await.unwrap();
    let written = "You review.\n\ndiff\n\n\nYou answered:\n\n{\n\nOnce more.";
    assert_eq!(reply.content.text(), written);
    assert_eq!(reply.finish, Finish::Complete);
    assert_eq!((&*reply.raw, &*reply.request), (written.as_bytes(), written.as_bytes()));
    assert_eq!(reply.request_sha256, Digest::of(written.as_bytes()));
    assert_eq!((reply.usage, reply.served_model, reply.request_id), (None, None, None));
}

#[tokio::test]
async fn it_gets_the_environment_that_is_listed_and_an_empty_folder_that_is_gone_afterwards() {
    let mut command = shell("env; pwd; ls -A", &[]);
    command.environment.push(("OAK_KEY".to_owned(), "sk-oak".into()));
    let reply = ask(command, &prompt("diff")).await.unwrap();
    let mut lines: Vec<&str> = reply.content.text().lines().collect();
    // The shell itself sets these.
    lines.retain(|line| !["PWD=", "OLDPWD=", "SHLVL=", "_="].iter().any(|own| line.starts_with(own)));
    lines.sort_unstable();
    let [folder, oak, path] = lines[..] else { panic!("{lines:?}") };
    assert_eq!([oak, path].map(|line| line.split('=').next().unwrap()), ["OAK_KEY", "PATH"]);
    assert!(folder.contains("recuse-command-") && !Path::new(folder).exists(), "{folder}");
}

#[tokio::test]
async fn a_program_that_does_not_read_may_answer_all_the_same() {
    let long = prompt(&"+ let x = 1;\n".repeat(100_000));
    assert_eq!(ask(shell("echo '{}'", &[]), &long).await.unwrap().content.text(), "{}");
    assert_eq!(said("true").await, "");
    assert_eq!(said("printf '\\377{}'").await, "\u{fffd}{}");
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_and_never_tried_again() {
    let table = [
        ("exit 3", "command exit status: 3: it says nothing"),
        ("echo 'no such model: oak' >&2; exit 1", "command exit status: 1: no such model: oak"),
        ("kill -9 $$", "command signal: 9 (SIGKILL): it says nothing"),
        ("yes", "too large"),
    ];
    for (script, expected) in table {
        let error = ask(shell(script, &[]), &prompt("diff")).await.err().unwrap();
        assert_eq!(class(&error), expected, "{script}");
        assert!(!error.is_transient());
    }
    let missing = CommandLine { program: PathBuf::from("/nowhere/agent"), ..shell("", &[]) };
    let error = ask(missing, &prompt("diff")).await.err().unwrap();
    assert_eq!(class(&error), "command it could not be started: entity not found");
    let mut with_tools = prompt("diff");
    with_tools.messages.push(Message::ToolResult { call_id: String::new(), content: String::new() });
    assert_eq!(class(&ask(shell("cat", &[]), &with_tools).await.err().unwrap()), "request");
}

#[tokio::test]
async fn neither_prompt_nor_key_gets_into_an_error() {
    let mut command = shell("echo \"key $OAK_KEY\" >&2; exit 1", &[]);
    command.environment.push(("OAK_KEY".to_owned(), "sk-oak-0123456789".into()));
    let error = ask(command, &prompt("diff")).await.err().unwrap().to_string();
    assert!(error.ends_with("key [OAK_KEY]"), "{error}");
    let line = "let secret_sauce = mix(flour, water, 42); // our recipe";
    let error = ask(shell("cat >&2; exit 1", &[]), &prompt(line)).await.err().unwrap().to_string();
    assert!(error.contains("repeats the request") && !error.contains("sauce"), "{error}");
}

/// A pipe by name that somebody else's process holds open, and what happens to it.
struct Held {
    folder: tempfile::TempDir,
    opened: Receiver<()>,
    let_go: Receiver<()>,
}

impl Held {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let ((tell_opened, opened), (tell_let_go, let_go)) = (channel(), channel());
        std::thread::spawn(move || {
            // Waits for somebody who opens it for writing, and then for the last of them to be gone.
            let mut pipe = std::fs::File::open(path).unwrap();
            let _ = tell_opened.send(());
            pipe.read_to_end(&mut Vec::new()).unwrap();
            let _ = tell_let_go.send(());
        });
        Self { folder, opened, let_go }
    }

    fn path(&self) -> String {
        self.folder.path().join("pipe").display().to_string()
    }
}

/// Waits for a message. The test's clock stands still meanwhile.
async fn told(receiver: Receiver<()>) {
    let wait = move || receiver.recv_timeout(Duration::from_secs(30));
    tokio::task::spawn_blocking(wait).await.unwrap().expect("it happens");
}

/// Starts a grandchild that holds the pipe for good.
const HOLDS: &str = "sleep 1000 > \"$1\" & ";

#[tokio::test(start_paused = true)]
async fn it_is_killed_with_its_children_when_its_time_is_over() {
    let held = Held::new();
    let command = shell(&format!("{HOLDS} wait"), &[&held.path()]);
    let (prompt, limit) = (prompt("diff"), command.limit);
    let time_passes = async {
        told(held.opened).await;
        tokio::time::advance(limit).await;
        told(held.let_go).await;
    };
    let (result, ()) = tokio::join!(ask(command, &prompt), time_passes);
    let error = result.err().unwrap();
    assert_eq!(class(&error), "timeout Exit");
    assert!(!error.is_transient());
}

#[tokio::test]
async fn it_is_killed_with_its_children_when_the_caller_gives_up() {
    let held = Held::new();
    let command = shell(&format!("{HOLDS} wait"), &[&held.path()]);
    let prompt = prompt("diff");
    tokio::select! {
        _ = ask(command, &prompt) => panic!("it waits for its child"),
        () = told(held.opened) => {}
    }
    told(held.let_go).await;
}

#[tokio::test]
async fn what_it_leaves_behind_is_killed_and_not_waited_for() {
    let held = Held::new();
    // The grandchild has the answer's pipe open too, and the program ends once it has begun.
    let script = "sleep 1000 3> \"$1\" & echo '{}'; exec 3> \"$1\"";
    let command = shell(script, &[&held.path()]);
    let prompt = prompt("diff");
    let (reply, ()) = tokio::join!(ask(command, &prompt), told(held.let_go));
    assert_eq!(reply.unwrap().content.text(), "{}");
}
