//! Commands that a shell, or an interpreter, reads.

use code::{ExprKind, Language};
use review::Severity;

use super::danger::{Act, Danger, Given, Site};
use super::value::{Clean, Hole, Origin, Value};
use crate::catalogue::{Example, Needs, Rule};

pub(super) static INJECTION: Rule = Rule {
    id: "calls/command-injection",
    category: "security/injection",
    severity: Severity::Critical,
    summary: "a command line is put together from values and read by a shell",
    reason: "A shell takes ;, |, $( ) and line ends in a value as its own signs: whoever chooses the value runs \
             programs with the rights of this one. A list of arguments without a shell keeps each value one argument.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "media/title.py",
        beside: &[],
        before: Some("import subprocess\n\ndef title(url):\n    return ''\n"),
        after: "import subprocess\n\ndef title(url):\n    return subprocess.check_output('fetch-title ' + url, shell=True)\n",
    },
    good: Example {
        path: "media/title.py",
        beside: &[],
        before: Some("import subprocess\n\ndef title(url):\n    return ''\n"),
        after: "import subprocess\n\ndef title(url):\n    return subprocess.check_output(['fetch-title', '--', url])\n",
    },
};

/// Looks at each call that hands a command line to a shell.
pub(super) fn look(site: &Site<'_>, dangers: &mut Vec<Danger>) {
    let Act::Call { path, name, receiver, arguments, creates, .. } = &site.act else { return };
    let command = match site.language {
        Language::Python => python(path, name, arguments),
        Language::JavaScript | Language::TypeScript | Language::Tsx => script(path, arguments),
        Language::Java | Language::Kotlin => java(path, name, *receiver, arguments, *creates),
        Language::Go => shell_of_list(&["exec.Command", "exec.CommandContext"], path, arguments),
        Language::Ruby => ruby(path, arguments),
        Language::Php => first_of(
            &["system", "exec", "shell_exec", "passthru", "popen", "proc_open", "pcntl_exec", "`"],
            path,
            arguments,
        ),
        Language::C | Language::Cpp => {
            first_of(&["system", "popen", "std.system", "_popen", "_wsystem"], path, arguments)
        }
        Language::Rust => rust(name, *receiver, arguments),
        Language::Bash | Language::CSharp => None,
    };
    let command = command.or_else(|| remote(site, path, name, arguments));
    let Some((value, sure)) = command else { return };
    let Some(hole) = worst(&value) else { return };
    let severity = match (hole.origin, sure) {
        (Origin::Request, Sure::Shell) => Severity::Critical,
        (Origin::Request, Sure::Likely) => Severity::High,
        // Who calls it with what cannot be seen from here.
        (Origin::Parameter, _) => Severity::Medium,
        // A program may run what the one who starts it tells it to.
        (Origin::Local, _) => Severity::Low,
        (Origin::Unknown | Origin::Constant, _) => return,
    };
    let harm = "A value such as x; rm -rf ~ runs as a second command. Pass the arguments as a list without a shell, or \
                quote the value for it.";
    dangers.push(site.danger_of(&INJECTION, severity, hole, &value, harm));
}

/// Whether it is known that a shell reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sure {
    /// By the language's own library.
    Shell,
    /// By the name of a helper.
    Likely,
}

fn worst(value: &Value) -> Option<&Hole> {
    let hole = value.worst(Clean::SHELL)?;
    // A whole command that is handed through was put together by the caller.
    (hole.origin == Origin::Request || value.has_text()).then_some(hole)
}

fn is_true(given: &Given<'_>) -> bool {
    matches!(&given.expr.kind, ExprKind::Constant(text) if matches!(text.as_str(), "True" | "true" | "1"))
}

fn named<'a, 'g>(arguments: &'a [Given<'g>], name: &str) -> Option<&'a Given<'g>> {
    arguments.iter().find(|given| given.name == Some(name))
}

fn first(arguments: &[Given<'_>]) -> Option<Value> {
    arguments
        .iter()
        .find(|given| given.name.is_none_or(|name| matches!(name, "args" | "cmd" | "command")))
        .map(|given| given.value.clone())
}

fn first_of(names: &[&str], path: &str, arguments: &[Given<'_>]) -> Option<(Value, Sure)> {
    let path = path.trim_start_matches("std.").trim_start_matches("::");
    names.contains(&path).then(|| first(arguments))?.map(|value| (value, Sure::Shell))
}

fn python(path: &str, name: &str, arguments: &[Given<'_>]) -> Option<(Value, Sure)> {
    const ALWAYS: [&str; 9] = [
        "os.system",
        "os.popen",
        "commands.getoutput",
        "commands.getstatusoutput",
        "subprocess.getoutput",
        "subprocess.getstatusoutput",
        "popen2.popen3",
        "asyncio.create_subprocess_shell",
        "os.popen2",
    ];
    if ALWAYS.contains(&path) {
        return first(arguments).map(|value| (value, Sure::Shell));
    }
    let command = first(arguments)?;
    let is_subprocess = path.starts_with("subprocess.")
        || matches!(name, "Popen" | "check_output" | "check_call" | "create_subprocess_shell");
    if named(arguments, "shell").is_some_and(is_true) {
        return Some((command, Sure::Shell));
    }
    if is_subprocess {
        return shell_list(&command).map(|command| (command, Sure::Shell));
    }
    None
}

/// What a list of arguments gives a shell to read, if the program is one.
fn shell_list(value: &Value) -> Option<Value> {
    let items = value.items.as_ref()?;
    let program = items.first()?.known_text()?;
    let program = program.rsplit('/').next().unwrap_or(&program);
    let flag = items.get(1)?.known_text()?;
    let is_shell =
        matches!(program, "sh" | "bash" | "zsh" | "dash" | "ksh" | "cmd" | "cmd.exe" | "powershell" | "pwsh")
            && matches!(
                flag.to_ascii_lowercase().as_str(),
                "-c" | "/c" | "-lc" | "-ic" | "/k" | "-command" | "-ec" | "-exc"
            );
    is_shell.then(|| items.iter().skip(2).fold(Value::default(), |whole, item| whole.join(item)))
}

/// A program and its arguments as the arguments of a call.
fn shell_of_list(names: &[&str], path: &str, arguments: &[Given<'_>]) -> Option<(Value, Sure)> {
    if !names.contains(&path) {
        return None;
    }
    let skipped = usize::from(path.ends_with("Context"));
    let values: Vec<_> = arguments.iter().skip(skipped).map(|given| given.value.clone()).collect();
    let list = Value { items: Some(std::rc::Rc::new(values)), ..Value::default() };
    shell_list(&list).map(|command| (command, Sure::Shell))
}

fn script(path: &str, arguments: &[Given<'_>]) -> Option<(Value, Sure)> {
    const SHELLS: [&str; 9] = [
        "child_process.exec",
        "child_process.execSync",
        "cp.exec",
        "cp.execSync",
        "execSync",
        "childProcess.exec",
        "childProcess.execSync",
        "shell.exec",
        "shelljs.exec",
    ];
    let command = first(arguments)?;
    if SHELLS.contains(&path) {
        return Some((command, Sure::Shell));
    }
    // A bare name, where the import is not in sight.
    if matches!(path, "exec" | "execAsync" | "execPromise") {
        return Some((command, Sure::Likely));
    }
    let spawns = matches!(
        path.rsplit('.').next().unwrap_or(path),
        "spawn" | "spawnSync" | "execFile" | "execFileSync" | "execa" | "execaSync"
    );
    if spawns {
        let with_shell = arguments.iter().any(|given| {
            matches!(&given.expr.kind, ExprKind::Record(entries) if entries.iter().any(|(name, value)| {
                name == "shell" && !matches!(&value.kind, ExprKind::Constant(text) if text == "false")
            }))
        });
        let rest = arguments.get(1).map(|given| given.value.clone()).unwrap_or_default();
        if with_shell {
            return Some((command.join(&Value { items: None, ..rest }), Sure::Shell));
        }
        let mut items = vec![command];
        items.extend(rest.items.iter().flat_map(|items| items.iter().cloned()));
        let list = Value { items: Some(std::rc::Rc::new(items)), ..Value::default() };
        return shell_list(&list).map(|command| (command, Sure::Shell));
    }
    None
}

fn java(
    path: &str,
    name: &str,
    receiver: Option<&Value>,
    arguments: &[Given<'_>],
    creates: bool,
) -> Option<(Value, Sure)> {
    let of_runtime = receiver
        .and_then(|receiver| receiver.class.as_deref())
        .is_some_and(|class| class.contains("Runtime"));
    let runs = name == "exec" && (of_runtime || path.contains("untime"));
    if !(runs || (creates && name == "ProcessBuilder") || (name == "command" && arguments.len() == 1)) {
        return None;
    }
    let command = &arguments.first()?.value;
    // The environment of a program decides as much as its arguments.
    let environment = arguments.get(1).filter(|_| runs).map(|given| given.value.clone());
    if let Some(hole) = environment.as_ref().and_then(|value| value.worst(Clean::SHELL))
        && hole.origin == Origin::Request
    {
        return environment.map(|value| (value, Sure::Shell));
    }
    if command.items.is_some() {
        // A list is dangerous by its program: a shell, or whatever the request names.
        let shell = shell_list(command).or_else(|| {
            let items = command.items.as_ref()?;
            let program = items.first()?;
            let is_unknown = program.known_text().is_none();
            (is_unknown && items.iter().any(|item| item.origin() == Origin::Request))
                .then(|| Value { items: None, ..command.clone() })
        });
        return shell.map(|command| (command, Sure::Shell));
    }
    // `Runtime.exec` cuts the text at blanks itself: not a shell, but arguments can be added.
    Some((command.clone(), Sure::Likely))
}

fn ruby(path: &str, arguments: &[Given<'_>]) -> Option<(Value, Sure)> {
    let path = path.trim_start_matches("Kernel.").trim_start_matches("Process.");
    // With several arguments no shell is asked.
    let alone = arguments.iter().filter(|given| given.name.is_none()).count() == 1;
    let is_shell = matches!(path, "`")
        || alone
            && matches!(
                path,
                "system"
                    | "exec"
                    | "spawn"
                    | "IO.popen"
                    | "Open3.capture2"
                    | "Open3.capture2e"
                    | "Open3.capture3"
                    | "Open3.popen3"
                    | "open"
            );
    let command = first(arguments).filter(|command| command.items.is_none())?;
    // `open` starts a program only if its text begins with a pipe.
    if path == "open" && !command.prefix().starts_with('|') {
        return None;
    }
    is_shell.then_some((command, Sure::Shell))
}

/// `Command::new("sh").arg("-c").arg(line)`
fn rust(name: &str, receiver: Option<&Value>, arguments: &[Given<'_>]) -> Option<(Value, Sure)> {
    if name != "arg" && name != "args" {
        return None;
    }
    let before = receiver?.text_around_holes();
    let is_shell =
        ["sh-c", "bash-c", "cmd/C", "cmd/c", "powershell-Command"].iter().any(|start| before == *start);
    is_shell.then(|| first(arguments))?.map(|value| (value, Sure::Shell))
}

/// Helpers whose name says that they run a command line, here or on another machine.
fn remote(site: &Site<'_>, path: &str, name: &str, arguments: &[Given<'_>]) -> Option<(Value, Sure)> {
    if matches!(
        site.language,
        Language::C | Language::Cpp | Language::Rust | Language::Go | Language::Java | Language::Kotlin
    ) {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let words: Vec<_> = lower.split('_').filter(|word| !word.is_empty()).collect();
    let about = |known: &[&str]| words.iter().any(|word| known.contains(word));
    let runs_command = (about(&["run", "exec", "execute", "send", "call", "shell", "invoke"])
        && about(&["cmd", "command", "cli", "ssh", "shell", "remote"]))
        || matches!(lower.as_str(), "exec_command" | "runcommand" | "execcommand" | "runcmd" | "execcmd" | "shellexec" | "run_command")
        // A connection by SSH hands its text to the other side's shell.
        || name == "exec_command"
        || (matches!(lower.as_str(), "run" | "sudo" | "local") && path.starts_with("fabric"));
    if !runs_command {
        return None;
    }
    let command = first(arguments)?;
    // Where words are kept apart, nothing is read as a line.
    if command.items.is_some() {
        return None;
    }
    // A template of a command has a word, a blank and then what is filled in.
    let prefix = command.prefix();
    let starts_like_command = prefix
        .trim_start()
        .starts_with(|sign: char| sign.is_ascii_lowercase() || matches!(sign, '/' | '.' | '~'));
    let is_line =
        starts_like_command && prefix.contains(' ') && !prefix.contains(". ") && !prefix.ends_with(": ");
    is_line.then_some((command, Sure::Likely))
}
