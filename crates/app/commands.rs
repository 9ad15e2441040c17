//! What each command does: read what was asked for, call the service, print.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow};
use git::{MAX_DIFF_BYTES, RangeRequest, Repository, ResolvedRange};
use report::{TerminalOptions, json, markdown, sarif};
use review::attribution::{Declaration, Note};
use review::packet::PacketV1;
use review::policy::BasePolicy;
use review::{Change, CommitId, RepoPath};
use service::config::{self, BASE_FILE, Config, Offline, OperatorFile, Overrides};
use service::places::user_config;
use service::review_one::{ReviewRequest, Tables, decide, review_one, who_wrote};
use service::{doctor, init};

use crate::args::{
    ChangeArgs, Cli, Command, ConfigArgs, Format, InitArgs, ReviewArgs, SchemaName, Verbosity,
};
use crate::progress::Reporter;
use crate::{Exit, Failure, explain, rules, terminal};

/// Runs a command.
pub(crate) async fn run(cli: Cli) -> Result<Exit, Failure> {
    let verbosity = cli.verbosity();
    match cli.command {
        Command::Review(args) => review(&args, verbosity).await,
        Command::Classify(args) => classify(&args, verbosity),
        Command::Attribute(args) => attribute(&args, verbosity),
        Command::Panel(args) => panel(&args, verbosity).await,
        Command::Doctor(args) => doctor(&args).await,
        Command::Init(args) => initialize(&args),
        Command::Rules(command) => rules::run(&command),
        Command::Schema { what } => schema(what),
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

async fn review(args: &ReviewArgs, verbosity: Verbosity) -> Result<Exit, Failure> {
    let tables = std::thread::spawn(Tables::embedded);
    let gathered = gather(&args.change, verbosity)?;
    let config = configure(args, &gathered, verbosity)?;
    let tables = tables.join().map_err(|_| Failure::ours(anyhow!("could not read the built-in tables")))?;
    let reporter = Reporter::new(verbosity);
    let progress = |progress: service::fan_out::Progress<'_>| reporter.tell(progress);
    let request = request(gathered, &args.change, &config, &tables, &progress)?;
    let packet = review_one(&request).await.map_err(failure)?;
    let text = view(&packet, args.change.format, verbosity);
    terminal::write_result(&text, args.change.output.as_deref()).map_err(Failure::ours)?;
    Ok(Exit::Verdict(packet.judgement.exit_code))
}

async fn panel(args: &ReviewArgs, verbosity: Verbosity) -> Result<Exit, Failure> {
    let tables = std::thread::spawn(Tables::embedded);
    let gathered = gather(&args.change, verbosity)?;
    let config = configure(args, &gathered, verbosity)?;
    let tables = tables.join().map_err(|_| Failure::ours(anyhow!("could not read the built-in tables")))?;
    let request = request(gathered, &args.change, &config, &tables, &|_| ())?;
    let decided = decide(&request).await.map_err(failure)?;
    print(&args.change, &explain::panel(&decided, args.change.format)?)
}

fn classify(args: &ChangeArgs, verbosity: Verbosity) -> Result<Exit, Failure> {
    let gathered = gather(args, verbosity)?;
    let classification = review::classify::classify(&gathered.change, &Tables::embedded().classify);
    print(args, &explain::classification(&gathered.change, &classification, args.format)?)
}

fn attribute(args: &ChangeArgs, verbosity: Verbosity) -> Result<Exit, Failure> {
    let gathered = gather(args, verbosity)?;
    let tables = Tables::embedded();
    let declaration = declaration(args, &tables)?;
    let attribution = who_wrote(&gathered.change, &gathered.notes, declaration.as_ref(), &tables);
    print(args, &explain::attribution(&attribution, args.format)?)
}

fn print(args: &ChangeArgs, text: &str) -> Result<Exit, Failure> {
    terminal::write_result(text, args.output.as_deref()).map_err(Failure::ours)?;
    Ok(Exit::Verdict(0))
}

/// The change, and where it is from.
struct Gathered {
    change: Change,
    repository: Option<Repository>,
    notes: Vec<Note>,
    range: Option<ResolvedRange>,
}

fn gather(args: &ChangeArgs, verbosity: Verbosity) -> Result<Gathered, Failure> {
    if args.stdin || args.diff.is_some() {
        let bytes = read_diff(args.diff.as_deref()).map_err(Failure::usage)?;
        let change = review::diff::change_from_patch(&bytes);
        return Ok(Gathered { change, repository: None, notes: Vec::new(), range: None });
    }
    let folder = args.repository.clone().unwrap_or_else(|| PathBuf::from("."));
    let repository = Repository::open(&folder).map_err(Failure::usage)?;
    if args.staged {
        let change = repository.gather_staged().map_err(Failure::usage)?;
        return Ok(Gathered { change, repository: Some(repository), notes: Vec::new(), range: None });
    }
    let request = match (&args.commit, &args.base, &args.head) {
        (Some(commit), _, _) => RangeRequest::Commit(commit.clone()),
        (None, None, None) => RangeRequest::Default,
        (None, base, head) => RangeRequest::BaseHead { base: base.clone(), head: head.clone() },
    };
    let range = repository.range(&request).map_err(Failure::usage)?;
    if verbosity > Verbosity::Quiet {
        terminal::say(&format!("reviewing {}", range.words()));
    }
    let change = repository.gather(&range).map_err(Failure::usage)?;
    let commits: Vec<CommitId> = change.commits.iter().map(|commit| commit.id.clone()).collect();
    let notes = repository.ai_notes(&commits).map_err(Failure::usage)?;
    let notes = notes.into_iter().map(|(commit, text)| Note { commit, text }).collect();
    Ok(Gathered { change, repository: Some(repository), notes, range: Some(range) })
}

/// Reads a diff from a file or from standard input, at most as much as is reviewed.
fn read_diff(file: Option<&Path>) -> Result<Vec<u8>> {
    let limit = MAX_DIFF_BYTES;
    let mut bytes = Vec::new();
    let name = match file {
        Some(path) => {
            let opened =
                std::fs::File::open(path).with_context(|| format!("could not open {}", path.display()))?;
            opened
                .take(limit + 1)
                .read_to_end(&mut bytes)
                .with_context(|| format!("could not read {}", path.display()))?;
            path.display().to_string()
        }
        None => {
            std::io::stdin()
                .lock()
                .take(limit + 1)
                .read_to_end(&mut bytes)
                .context("could not read standard input")?;
            "standard input".to_owned()
        }
    };
    if bytes.len() as u64 > limit {
        return Err(anyhow!("{name} has more than {} MiB; split the diff", limit / 1024 / 1024));
    }
    Ok(bytes)
}

/// Merges the configuration, and narrows it by the base's.
fn configure(args: &ReviewArgs, gathered: &Gathered, verbosity: Verbosity) -> Result<Config, Failure> {
    let (file, _) = operator_file(&args.config).map_err(Failure::usage)?;
    let overrides = Overrides {
        independence: args.independence,
        fail_on: args.fail_on,
        lenses: (!args.lenses.is_empty()).then(|| args.lenses.iter().copied().collect()),
        max_usd: args.max_usd,
        max_seconds: args.max_seconds,
        offline: if args.offline { Offline::Yes } else { Offline::No },
        models: args.config.models.clone(),
    };
    let mut config = config::merge(file, &overrides).map_err(Failure::usage)?;
    let base = base_policy(gathered, verbosity).map_err(Failure::usage)?;
    config.policy = config.policy.narrowed(&base).map_err(Failure::usage)?;
    Ok(config)
}

/// The operator's file and where it is from; nothing where there is none.
fn operator_file(args: &ConfigArgs) -> Result<(OperatorFile, String)> {
    let path = match &args.config {
        Some(path) => path.clone(),
        None => match user_config(&environment).filter(|path| path.exists()) {
            Some(path) => path,
            None => {
                return Ok((
                    OperatorFile::default(),
                    "defaults; `recuse init` writes a file to change them".to_owned(),
                ));
            }
        },
    };
    let name = path.display().to_string();
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("could not read the configuration {name}"))?;
    Ok((config::read_operator_file(&text, &name)?, format!("read from {name}")))
}

/// What `.recuse.toml` of the base asks for. The head's copy is never in force; where it differs, that is said.
fn base_policy(gathered: &Gathered, verbosity: Verbosity) -> Result<BasePolicy> {
    let (Some(repository), Some(range)) = (&gathered.repository, &gathered.range) else {
        return Ok(BasePolicy::default());
    };
    let file = RepoPath::from(BASE_FILE);
    let in_base = match &range.base {
        Some(base) => repository.read_at(base, &file)?.into_bytes(),
        None => None,
    };
    let in_head = repository.read_at(&range.head, &file)?.into_bytes();
    if in_head != in_base && verbosity > Verbosity::Quiet {
        terminal::say(&format!("{BASE_FILE} differs from {}'s; the base's is in force", range.base_ref));
    }
    match in_base {
        Some(bytes) => config::read_base_file(&String::from_utf8_lossy(&bytes)),
        None => Ok(BasePolicy::default()),
    }
}

fn declaration(args: &ChangeArgs, tables: &Tables) -> Result<Option<Declaration>, Failure> {
    let Some(who) = &args.written_by else { return Ok(None) };
    if who.trim().is_empty() {
        return Err(Failure::usage(anyhow!("--written-by needs `human`, a model's name or a tool's")));
    }
    Ok(Some(service::review_one::declaration(who.trim(), tables)))
}

fn request<'a>(
    gathered: Gathered,
    args: &ChangeArgs,
    config: &'a Config,
    tables: &'a Tables,
    progress: &'a (dyn Fn(service::fan_out::Progress<'_>) + Sync),
) -> Result<ReviewRequest<'a>, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(Failure::ours)?;
    let mut id = [0_u8; 16];
    getrandom::fill(&mut id).map_err(|error| Failure::ours(anyhow!("could not draw a run id: {error}")))?;
    Ok(ReviewRequest {
        change: gathered.change,
        repository: gathered.repository,
        notes: gathered.notes,
        declaration: declaration(args, tables)?,
        config,
        tables,
        environment: &environment,
        run_id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
        now: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
        version: env!("CARGO_PKG_VERSION"),
        progress,
    })
}

/// A wrong configuration is the user's, everything else is ours.
fn failure(error: anyhow::Error) -> Failure {
    if error.is::<service::roster::RosterError>() { Failure::usage(error) } else { Failure::ours(error) }
}

fn view(packet: &PacketV1, format: Format, verbosity: Verbosity) -> String {
    let digest = packet.digest();
    match format {
        Format::Text => {
            let options = TerminalOptions {
                colour: terminal::colour_of_stdout(),
                width: terminal::width(),
                verbosity: match verbosity {
                    Verbosity::Quiet => report::Verbosity::Quiet,
                    Verbosity::Normal => report::Verbosity::Normal,
                    Verbosity::Verbose | Verbosity::Debug => report::Verbosity::Verbose,
                },
            };
            report::terminal(packet, &digest, &options)
        }
        Format::Markdown => markdown(packet, &digest),
        Format::Json => json(packet),
        Format::Sarif => format!("{:#}\n", sarif(packet, &digest)),
    }
}

async fn doctor(args: &ConfigArgs) -> Result<Exit, Failure> {
    let (file, source) = operator_file(args).map_err(Failure::usage)?;
    let overrides = Overrides { models: args.models.clone(), ..Overrides::default() };
    let config = config::merge(file, &overrides).map_err(Failure::usage)?;
    let tables = Tables::embedded();
    let diagnoses = doctor::examine(Path::new("."), &config, &source, &tables, &environment).await;
    let text = explain::diagnoses(&diagnoses);
    terminal::write_result(&text, None).map_err(Failure::ours)?;
    let missing = diagnoses.iter().any(|diagnosis| diagnosis.state == doctor::Health::Missing);
    Ok(if missing { Exit::NotGood } else { Exit::Verdict(0) })
}

fn initialize(args: &InitArgs) -> Result<Exit, Failure> {
    let both = !args.repository && !args.user;
    let user = if args.user || both { user_config(&environment) } else { None };
    let root = if args.repository || both { repository_root() } else { None };
    if args.repository && root.is_none() {
        return Err(Failure::usage(anyhow!("could not find a repository's work tree here")));
    }
    let written = init::init(user.as_deref(), root.as_deref()).map_err(Failure::ours)?;
    terminal::write_result(&explain::written(&written), None).map_err(Failure::ours)?;
    Ok(Exit::Verdict(0))
}

/// The work tree's root: the nearest folder upwards that holds `.git`.
fn repository_root() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

fn schema(what: SchemaName) -> Result<Exit, Failure> {
    let schema = match what {
        SchemaName::Packet => PacketV1::json_schema(),
        SchemaName::Config => config::operator_schema(),
        SchemaName::BaseConfig => config::base_schema(),
    };
    let text = serde_json::to_string_pretty(&schema).map_err(Failure::ours)?;
    terminal::write_result(&format!("{text}\n"), None).map_err(Failure::ours)?;
    Ok(Exit::Verdict(0))
}
