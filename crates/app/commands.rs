//! What each command does: read what was asked for, call the service, print.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow};
use git::{GitError, MAX_DIFF_BYTES, RangeRequest, Repository, ResolvedRange};
use github::RepositoryApi;
use report::{PacketName, Seal, TerminalOptions, json, markdown, sarif};
use review::attribution::{AuthorshipInput, Declaration, Note};
use review::judge::Check;
use review::packet::PacketV1;
use review::{Change, CommitId, RepoPath};
use service::authorship::{
    AuthorshipRequest, Opened, declaration, declared_in_description, notes, who_wrote,
};
use service::config::{self, BASE_FILE, BaseSettings, Config, Offline, OperatorFile, Overrides};
use service::evidence::folder_of;
use service::fan_out::Clock;
use service::office::KeepReceipts;
use service::places::user_config;
use service::preview::preview;
use service::prompts::{Prompts, PromptsError};
use service::review_one::{ReviewRequest, Tables, decide, review_one};
use service::steps::Steps;
use service::{doctor, init, models_check, roster};

use crate::args::{
    AttributeArgs, ChangeArgs, ClassifyArgs, Cli, Command, ConfigArgs, DoctorArgs, FileArgs, Format,
    InitArgs, ListFormat, ModelsArgs, ModelsCommand, PanelArgs, PromptsCommand, RequestArgs, ReviewArgs,
    SchemaName, Verbosity,
};
use crate::packets::{self, Keeping, Kept};
use crate::progress::Reporter;
use crate::pull::{PullAt, gather_pull};
use crate::{
    Exit, Failure, ci, evaluation, evidence, explain, jsonl, manual, pull, receipts, replay, rules, serving,
    terminal,
};

/// Runs a command.
pub(crate) async fn run(cli: Cli) -> Result<Exit, Failure> {
    let verbosity = cli.verbosity();
    match cli.command {
        Command::Review(args) => review(&args, verbosity).await,
        Command::Ci(args) => ci::run(&args, verbosity).await,
        Command::Run(args) => evidence::run(&args).await,
        Command::Classify(args) => classify(&args, verbosity).await,
        Command::Attribute(args) => attribute(&args, verbosity).await,
        Command::Panel(args) => panel(&args, verbosity).await,
        Command::Serve(args) => serving::serve(&args).await,
        Command::Simulate(args) => serving::simulate(&args).await,
        Command::Models(args) => models(&args).await,
        Command::Eval(args) => evaluation::run(&args, verbosity).await,
        Command::Verify(args) => packets::verify(&args, verbosity).await,
        Command::Keygen(args) => packets::keygen(&args),
        Command::Replay(args) => replay::run(&args, verbosity).await,
        Command::Receipts { what } => receipts::run(what).await,
        Command::Doctor(args) => doctor(&args).await,
        Command::Init(args) => initialize(&args),
        Command::Prompts { what } => prompts(what),
        Command::Rules(command) => rules::run(&command),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { folder } => manual::pages(folder.as_deref()),
        Command::Schema { what } => schema(what),
    }
}

pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

async fn review(args: &ReviewArgs, verbosity: Verbosity) -> Result<Exit, Failure> {
    let tables = std::thread::spawn(Tables::embedded);
    let mut gathered = gather(&args.request.change, &args.request.config.file, verbosity).await?;
    let pull = gathered.pull.take();
    let Settings { config, written_by, signing_key } = configure(&args.request, &gathered, verbosity)?;
    let keeping = Keeping::of(args, signing_key.as_deref()).map_err(Failure::usage)?;
    let tables = joined(tables, config.families.as_deref())?;
    let reporter = Reporter::new(verbosity);
    let progress = |progress: service::fan_out::Progress<'_>| reporter.tell(progress);
    let api = pull.as_ref().map(PullAt::api);
    let declarations = declarations(&args.request.change, &written_by, &gathered, api, &tables).await?;
    let mut checks = checks(args, &gathered)?;
    if let Some(pull) = &pull {
        checks.extend(pull.checks(&config.policy.required_checks).await);
    }
    let keep = match &args.receipts {
        Some(folder) => KeepReceipts::InFolder(folder.clone()),
        None => KeepReceipts::InDatabase,
    };
    let request = ReviewRequest {
        receipts: &keep,
        ..request(gathered, &checks, declarations, &config, &tables, &progress)?
    };
    if args.preview {
        let preview = preview(&request).await.map_err(failure)?;
        return print(
            &args.request.change,
            &explain::preview(&preview, &tables, preview_format(args.format)?),
        );
    }
    let packet = review_one(&request).await.map_err(failure)?;
    let kept = keeping.keep(&packet, verbosity).map_err(Failure::ours)?;
    if let Some(pull) = pull.filter(|_| args.post) {
        let name = PacketName { digest: packet.digest(), seal: keeping.seal() };
        pull::tell(&pull, &packet, &name).await.map_err(Failure::ours)?;
    }
    if kept != Kept::AsTheResult {
        let text = view(&packet, keeping.seal(), args.format, verbosity);
        terminal::write_result(&text, args.request.change.output.as_deref()).map_err(Failure::ours)?;
    }
    Ok(Exit::Verdict(packet.judgement.exit_code))
}

/// A preview is no packet, so it has none of a packet's other views.
fn preview_format(format: Format) -> Result<ListFormat, Failure> {
    match format {
        Format::Text => Ok(ListFormat::Text),
        Format::Json => Ok(ListFormat::Json),
        Format::Markdown | Format::Sarif => Err(Failure::usage(anyhow!(
            "--preview prints text or json; markdown and sarif are views of a review"
        ))),
    }
}

async fn panel(args: &PanelArgs, verbosity: Verbosity) -> Result<Exit, Failure> {
    let tables = std::thread::spawn(Tables::embedded);
    let gathered = gather(&args.request.change, &args.request.config.file, verbosity).await?;
    let Settings { config, written_by, .. } = configure(&args.request, &gathered, verbosity)?;
    let tables = joined(tables, config.families.as_deref())?;
    let api = gathered.pull.as_ref().map(PullAt::api);
    let declarations = declarations(&args.request.change, &written_by, &gathered, api, &tables).await?;
    let request = request(gathered, &[], declarations, &config, &tables, &|_| ())?;
    let decided = decide(&request).await.map_err(failure)?;
    print(&args.request.change, &explain::panel(&decided, &tables, args.format))
}

async fn classify(args: &ClassifyArgs, verbosity: Verbosity) -> Result<Exit, Failure> {
    let gathered = gather(&args.change, &FileArgs { config: None }, verbosity).await?;
    let classification = review::classify::classify(&gathered.change, &Tables::embedded().classify);
    print(&args.change, &explain::classification(&gathered.change, &classification, args.format))
}

async fn attribute(args: &AttributeArgs, verbosity: Verbosity) -> Result<Exit, Failure> {
    let tables = std::thread::spawn(Tables::embedded);
    let (file, _) = operator_file(&args.file).map_err(Failure::usage)?;
    if args.jsonl {
        return attribute_lines(args, &joined(tables, file.lineage.families.as_deref())?);
    }
    let gathered = gather(&args.change, &args.file, verbosity).await?;
    let base = base_settings(&gathered, verbosity).map_err(Failure::usage)?;
    let tables = joined(tables, file.lineage.families.as_deref())?;
    let api = gathered.pull.as_ref().map(PullAt::api);
    let declarations = declarations(&args.change, &base.written_by, &gathered, api, &tables).await?;
    let authorship = who_wrote(&AuthorshipRequest {
        change: &gathered.change,
        repository: gathered.repository.as_ref(),
        notes: &gathered.notes,
        declarations: &declarations,
        opened: gathered.opened.as_ref(),
        tables: &tables,
    });
    let authorship = authorship.map_err(Failure::ours)?;
    let text = explain::attribution(&authorship, &gathered.change, &tables.families, args.format);
    print(&args.change, &text)
}

/// The most lines that are named as no records; their number is told in any case.
const MAX_NAMED_LINES: usize = 20;

/// Answers records on standard input. A line that is none does not keep the others from being answered.
fn attribute_lines(args: &AttributeArgs, tables: &Tables) -> Result<Exit, Failure> {
    let output = terminal::result_writer(args.change.output.as_deref()).map_err(Failure::ours)?;
    let wrong = jsonl::attribute_lines(std::io::stdin().lock(), output, &tables.agents, &tables.families);
    let wrong = wrong.map_err(Failure::ours)?;
    let Some((line, problem)) = wrong.first() else { return Ok(Exit::Verdict(0)) };
    let others: Vec<String> =
        wrong.iter().skip(1).take(MAX_NAMED_LINES - 1).map(|(line, _)| line.to_string()).collect();
    let more = match others.len() {
        0 => String::new(),
        1 => format!(", nor is line {}", others[0]),
        _ => format!(", nor are the lines {}", others.join(", ")),
    };
    let unnamed = match wrong.len().saturating_sub(MAX_NAMED_LINES) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    Err(Failure::usage(anyhow!(
        "line {line} of standard input is no record: {problem}{more}{unnamed}; the rest was answered"
    )))
}

async fn models(args: &ModelsArgs) -> Result<Exit, Failure> {
    let config_args = match &args.command {
        Some(ModelsCommand::Check(config)) => config,
        None => &args.config,
    };
    let (config, _) = operator_config(config_args)?;
    let tables = joined(std::thread::spawn(Tables::embedded), config.families.as_deref())?;
    let configured = roster::is_configured(&config.models, &tables.catalogue, &environment);
    let engines = match configured {
        true => roster::list(&config, &tables, &environment).await.map_err(failure)?,
        false => Vec::new(),
    };
    let text = match &args.command {
        Some(ModelsCommand::Check(_)) => {
            let warnings = models_check::check(&engines, &tables.catalogue, &tables.families, now()?);
            explain::model_warnings(&warnings, engines.len() + tables.catalogue.models.len())
        }
        None => {
            let author = args.written_by.as_deref().map(|who| {
                let declarations = [declaration(who.trim(), &tables)];
                let input = AuthorshipInput { declarations: &declarations, ..AuthorshipInput::default() };
                review::attribution::attribute(&input, &tables.agents, &tables.families)
            });
            explain::models(&engines, author.as_ref(), args.format)
        }
    };
    terminal::write_result(&text, None).map_err(Failure::ours)?;
    Ok(Exit::Verdict(0))
}

/// The tables, with the operator's families.
pub(crate) fn joined(tables: JoinHandle<Tables>, families: Option<&Path>) -> Result<Tables, Failure> {
    let tables = tables.join().map_err(|_| Failure::ours(anyhow!("could not read the built-in tables")))?;
    match families {
        Some(path) => tables.with_families(path).map_err(Failure::usage),
        None => Ok(tables),
    }
}

fn print(args: &ChangeArgs, text: &str) -> Result<Exit, Failure> {
    terminal::write_result(text, args.output.as_deref()).map_err(Failure::ours)?;
    Ok(Exit::Verdict(0))
}

/// The change, and where it is from.
pub(crate) struct Gathered {
    pub(crate) change: Change,
    pub(crate) repository: Option<Repository>,
    /// The repository's folder, for the ledger.
    pub(crate) repository_key: String,
    pub(crate) notes: Vec<Note>,
    /// The tip of the base branch.
    pub(crate) base: Option<CommitId>,
    pub(crate) range: Option<ResolvedRange>,
    /// The base's configuration, where there is no range to read it by.
    pub(crate) base_file: Option<Vec<u8>>,
    /// What the platform says of it.
    pub(crate) opened: Option<Opened>,
    /// Where it is told, if it is a pull request that was named.
    pub(crate) pull: Option<PullAt>,
}

impl Gathered {
    /// A change without history: neither range nor platform stands behind it.
    fn alone(change: Change, repository: Option<Repository>, repository_key: String) -> Self {
        Self {
            base: change.subject.base.clone(),
            change,
            repository,
            repository_key,
            notes: Vec::new(),
            range: None,
            base_file: None,
            opened: None,
            pull: None,
        }
    }
}

/// Reads the change that the arguments name.
pub(crate) async fn gather(
    args: &ChangeArgs,
    file: &FileArgs,
    verbosity: Verbosity,
) -> Result<Gathered, Failure> {
    if let Some(place) = &args.pr {
        return gather_pull(place, file, verbosity).await;
    }
    if args.stdin || args.diff.is_some() {
        let bytes = read_diff(args.diff.as_deref()).map_err(Failure::usage)?;
        let change = review::diff::change_from_patch(&bytes);
        return Ok(Gathered::alone(change, None, String::new()));
    }
    let folder = args.repository.clone().unwrap_or_else(|| PathBuf::from("."));
    let repository = Repository::open(&folder).map_err(|error| match error {
        error @ GitError::NotARepository { .. } => Failure::usage(anyhow!(
            "{error}; pass a diff with --diff or --stdin, or a pull request with --pr"
        )),
        error => Failure::usage(error),
    })?;
    if args.staged {
        let change = repository.gather_staged().map_err(Failure::usage)?;
        return Ok(Gathered::alone(change, Some(repository), key_of(&folder)));
    }
    let request = match (&args.commit, &args.base, &args.head) {
        (Some(commit), _, _) => RangeRequest::Commit(commit.clone()),
        (None, None, None) => RangeRequest::Default,
        (None, base, head) => RangeRequest::BaseHead { base: base.clone(), head: head.clone() },
    };
    let range = repository.range(&request).map_err(Failure::usage)?;
    gather_range(repository, range, &folder, verbosity)
}

/// Reads what lies between two commits of a repository in a folder.
pub(crate) fn gather_range(
    repository: Repository,
    range: ResolvedRange,
    folder: &Path,
    verbosity: Verbosity,
) -> Result<Gathered, Failure> {
    if verbosity > Verbosity::Quiet {
        terminal::say(&format!("reviewing {}", range.words()));
    }
    let change = repository.gather(&range).map_err(Failure::usage)?;
    let notes = notes(&repository, &change).map_err(Failure::usage)?;
    let alone = Gathered::alone(change, Some(repository), key_of(folder));
    Ok(Gathered { notes, base: range.base.clone(), range: Some(range), ..alone })
}

/// What a repository in a folder is called in the ledger.
fn key_of(folder: &Path) -> String {
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned()).to_string_lossy().into_owned()
}

/// Reads a diff from a file or from standard input, at most as much as is reviewed.
pub(crate) fn read_diff(file: Option<&Path>) -> Result<Vec<u8>> {
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

/// The configuration in force, and who the base says writes the changes.
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) written_by: Vec<String>,
    /// The operator's, by the configuration.
    pub(crate) signing_key: Option<PathBuf>,
}

/// Merges the configuration, and narrows it by the base's.
pub(crate) fn configure(
    args: &RequestArgs,
    gathered: &Gathered,
    verbosity: Verbosity,
) -> Result<Settings, Failure> {
    let (file, _) = operator_file(&args.config.file).map_err(Failure::usage)?;
    let signing_key = file.signing_key.clone();
    let overrides = Overrides {
        independence: args.independence,
        fail_on: args.fail_on,
        lenses: (!args.lenses.is_empty()).then(|| args.lenses.iter().copied().collect()),
        max_usd: args.max_usd,
        max_seconds: args.max_seconds,
        offline: if args.offline { Offline::Yes } else { Offline::No },
        models: args.config.models.clone(),
        prompts_folder: args.config.prompts.clone(),
    };
    let mut config = config::merge(file, &overrides).map_err(Failure::usage)?;
    if let (Some(folder), Some(_)) = (&config.prompts_folder, &gathered.repository) {
        keep_out_of_the_work_tree(folder, args.change.repository.as_deref()).map_err(Failure::usage)?;
    }
    let base = base_settings(gathered, verbosity).map_err(Failure::usage)?;
    config.narrow(base.policy).map_err(Failure::usage)?;
    Ok(Settings { config, written_by: base.written_by, signing_key })
}

/// The configuration without a change: the operator's file and the models that flags name.
fn operator_config(args: &ConfigArgs) -> Result<(Config, String), Failure> {
    let (file, source) = operator_file(&args.file).map_err(Failure::usage)?;
    let overrides = Overrides { models: args.models.clone(), ..Overrides::default() };
    Ok((config::merge(file, &overrides).map_err(Failure::usage)?, source))
}

/// The operator's file and where it is from; nothing where there is none.
pub(crate) fn operator_file(args: &FileArgs) -> Result<(OperatorFile, String)> {
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
    let mut file = config::read_operator_file(&text, &name)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let named = [
        &mut file.lineage.families,
        &mut file.prompts_folder,
        &mut file.signing_key,
        &mut file.serve.cache_folder,
    ];
    for named in named.into_iter().flatten() {
        *named = folder.join(&*named);
    }
    Ok((file, format!("read from {name}")))
}

/// Refuses prompts that the author of the change could have written.
fn keep_out_of_the_work_tree(prompts: &Path, repository: Option<&Path>) -> Result<()> {
    let repository = repository.unwrap_or_else(|| Path::new("."));
    let (Ok(prompts), Ok(here)) = (prompts.canonicalize(), repository.canonicalize()) else { return Ok(()) };
    match here.ancestors().find(|folder| folder.join(".git").exists()) {
        Some(root) if prompts.starts_with(root) => Err(anyhow!(
            "could not use the prompts in {}: they are in the work tree under review, whose author could have \
             written them; keep them outside of it",
            prompts.display()
        )),
        Some(_) | None => Ok(()),
    }
}

/// What `.recuse.toml` of the base asks for. The head's copy is never in force; where it differs, that is said.
fn base_settings(gathered: &Gathered, verbosity: Verbosity) -> Result<BaseSettings> {
    let read = |bytes: &[u8]| config::read_base_file(&String::from_utf8_lossy(bytes));
    let (Some(repository), Some(range)) = (&gathered.repository, &gathered.range) else {
        return gathered.base_file.as_deref().map_or_else(|| Ok(BaseSettings::default()), read);
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
    in_base.as_deref().map_or_else(|| Ok(BaseSettings::default()), read)
}

/// What the operator's flag, the base's file and a description by somebody with write access say about the author.
pub(crate) async fn declarations(
    args: &ChangeArgs,
    base: &[String],
    gathered: &Gathered,
    api: Option<&RepositoryApi>,
    tables: &Tables,
) -> Result<Vec<Declaration>, Failure> {
    if args.written_by.as_ref().is_some_and(|who| who.trim().is_empty()) {
        return Err(Failure::usage(anyhow!("--written-by needs `human`, a model's name or a tool's")));
    }
    let named = args.written_by.iter().chain(base);
    let mut declarations: Vec<Declaration> = named.map(|who| declaration(who.trim(), tables)).collect();
    if let (Some(api), Some(opened)) = (api, &gathered.opened) {
        match declared_in_description(api, opened, &gathered.change.body, tables).await {
            Ok(more) => declarations.extend(more),
            Err(error) => terminal::say(&format!(
                "what the description declares is taken for anybody's word: {error}; it takes a token that may read who may write"
            )),
        }
    }
    Ok(declarations)
}

/// Seconds since 1970.
pub(crate) fn now() -> Result<i64, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(Failure::ours)?;
    Ok(i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}

/// What was run on the head, by the records that the arguments name.
fn checks(args: &ReviewArgs, gathered: &Gathered) -> Result<Vec<Check>, Failure> {
    let Some(named) = &args.evidence else { return Ok(Vec::new()) };
    let folder = match (named, &gathered.repository) {
        (Some(folder), _) => folder.clone(),
        (None, Some(repository)) => folder_of(repository),
        (None, None) => {
            return Err(Failure::usage(anyhow!("--evidence needs a folder where there is no repository")));
        }
    };
    let here = args.request.change.repository.as_deref().unwrap_or(Path::new("."));
    let at = gathered.repository.as_ref().map(|repository| (repository, here));
    service::evidence::checks(&folder, gathered.change.subject.head.as_ref(), at).map_err(Failure::usage)
}

/// What a review starts from.
pub(crate) fn request<'a>(
    gathered: Gathered,
    checks: &'a [Check],
    declarations: Vec<Declaration>,
    config: &'a Config,
    tables: &'a Tables,
    progress: &'a (dyn Fn(service::fan_out::Progress<'_>) + Sync),
) -> Result<ReviewRequest<'a>, Failure> {
    let mut id = [0_u8; 16];
    getrandom::fill(&mut id).map_err(|error| Failure::ours(anyhow!("could not draw a run id: {error}")))?;
    Ok(ReviewRequest {
        base: gathered.base,
        change: gathered.change,
        repository: gathered.repository,
        notes: gathered.notes,
        declarations,
        opened: gathered.opened,
        store: None,
        steps: Steps::NotKept,
        checks,
        repository_key: gathered.repository_key,
        config,
        tables,
        environment: &environment,
        receipts: &KeepReceipts::InDatabase,
        run_id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
        now: now()?,
        clock: Clock::Running,
        version: env!("CARGO_PKG_VERSION"),
        progress,
    })
}

/// A wrong configuration is the user's, everything else is ours.
pub(crate) fn failure(error: anyhow::Error) -> Failure {
    let is_theirs = error.is::<service::roster::RosterError>() || error.is::<PromptsError>();
    if is_theirs { Failure::usage(error) } else { Failure::ours(error) }
}

fn view(packet: &PacketV1, seal: Seal, format: Format, verbosity: Verbosity) -> String {
    let name = PacketName { digest: packet.digest(), seal };
    match format {
        Format::Text => {
            let options = TerminalOptions {
                colour: terminal::colour_of_stdout(),
                width: terminal::width(),
                verbosity: verbosity.of_views(),
            };
            report::terminal(packet, &name, &options)
        }
        Format::Markdown => markdown(packet, &name),
        Format::Json => json(packet),
        Format::Sarif => format!("{:#}\n", sarif(packet, &name)),
    }
}

fn prompts(what: PromptsCommand) -> Result<Exit, Failure> {
    let folder = |args: &ConfigArgs| -> Result<Option<PathBuf>, Failure> {
        let configured = operator_file(&args.file).map_err(Failure::usage)?.0.prompts_folder;
        Ok(args.prompts.clone().or(configured))
    };
    let (text, exit) = match what {
        PromptsCommand::List(config) => {
            let prompts = Prompts::load(folder(&config)?.as_deref()).map_err(Failure::usage)?;
            (explain::prompts(&prompts), Exit::Verdict(0))
        }
        PromptsCommand::Show { id, config } => {
            let prompts = Prompts::load(folder(&config)?.as_deref()).map_err(Failure::usage)?;
            let wanted = id.strip_suffix(".md").unwrap_or(&id);
            let Some(template) = prompts.templates.iter().find(|template| template.id == wanted) else {
                let known: Vec<&str> = prompts.templates.iter().map(|template| &*template.id).collect();
                return Err(Failure::usage(anyhow!(
                    "there is no prompt {id}: there are {}",
                    known.join(", ")
                )));
            };
            (template.text.clone(), Exit::Verdict(0))
        }
        PromptsCommand::Check { folder: named, config } => {
            let folder = if named.is_some() { named } else { folder(&config)? };
            match Prompts::load(folder.as_deref()) {
                Ok(prompts) => (explain::good_prompts(&prompts), Exit::Verdict(0)),
                Err(wrong @ PromptsError::Wrong(_)) => (format!("{wrong}\n"), Exit::NotGood),
                Err(error) => return Err(Failure::usage(error)),
            }
        }
    };
    terminal::write_result(&text, None).map_err(Failure::ours)?;
    Ok(exit)
}

async fn doctor(args: &DoctorArgs) -> Result<Exit, Failure> {
    let (mut config, source) = operator_config(&args.config)?;
    config.policy.offline |= args.offline;
    let (file, _) = operator_file(&args.config.file).map_err(Failure::usage)?;
    let tables = joined(std::thread::spawn(Tables::embedded), config.families.as_deref())?;
    let app = doctor::examine_app(&file.serve, args.repository.as_deref(), &environment).await;
    let mut diagnoses = doctor::examine(Path::new("."), &config, &source, &tables, &environment).await;
    if !app.is_empty() {
        // A server reads repositories by GitHub, and needs none where it stands.
        diagnoses.retain(|one| one.subject != doctor::REPOSITORY || one.state != doctor::Health::Missing);
    }
    diagnoses.extend(app);
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
