//! `recuse ci`: the change of an event, reviewed, and told in every way that the run has.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use git::{GitError, RangeRequest, Repository};
use github::{ApiError, ApiUrl, Credential, ErrorKind, Limits, PlainHttp, RepositoryApi};
use report::workflow::{annotation_commands, output, paused};
use report::{PacketName, TerminalOptions, markdown, sarif};
use review::attribution::Login;
use review::change::Source;
use review::judge::Check;
use review::merge::Verification;
use review::packet::{LensV1, PacketV1};
use review::panel::UnmetKind;
use secrecy::SecretString;
use service::authorship::Opened;
use service::ci::event::{CiRun, Origin, Provider, PullFacts, Wanted};
use service::ci::post::{Posting, post};
use service::config::BASE_FILE;
use service::evidence::folder_of;
use service::github_way::connect;
use service::review_one::review_one;
use service::signing::{SigningKey, beside};
use service::tables::Tables;

use crate::args::{CiArgs, Verbosity};
use crate::commands::{
    Gathered, Settings, configure, declarations, environment, failure, gather, gather_range, joined, request,
};
use crate::progress::Reporter;
use crate::pull::{of_the_platform, said};
use crate::{Exit, Failure, packets, terminal};

/// GitHub sends no larger event.
const MAX_EVENT_BYTES: u64 = 25 * 1024 * 1024;

/// GitHub shows no more of a step's summary than a mebibyte.
const MAX_SUMMARY_BYTES: u64 = 1024 * 1024;

/// Reviews what the run is about.
pub(crate) async fn run(args: &CiArgs, verbosity: Verbosity) -> Result<Exit, Failure> {
    let tables = std::thread::spawn(Tables::embedded);
    let run = CiRun::find(&environment, &|path| read_event(Path::new(path))).map_err(Failure::usage)?;
    let folder = args.request.change.repository.clone().unwrap_or_else(|| PathBuf::from("."));
    let here = Repository::open(&folder).and_then(|repository| repository.head_commit()).ok().flatten();
    run.refuse_a_forks_checkout(here.as_ref()).map_err(Failure::usage)?;
    let api = api(&run).map_err(Failure::usage)?;
    let gathered = change(args, &run, api.as_ref(), &folder, verbosity).await?;
    let Settings { config, written_by, signing_key } = configure(&args.request, &gathered, verbosity)?;
    let key = packets::signing_key(args.sign.as_deref(), signing_key.as_deref()).map_err(Failure::usage)?;
    let tables = joined(tables, config.families.as_deref())?;
    let declarations =
        declarations(&args.request.change, &written_by, &gathered, api.as_ref(), &tables).await?;
    let mut checks = checks(args, &gathered, &folder).map_err(Failure::usage)?;
    if let (Some(api), Wanted::Pull(pull)) = (&api, &run.wanted) {
        checks.extend(of_the_platform(api, &pull.head, &config.policy.required_checks).await);
    }
    let reporter = Reporter::new(verbosity);
    let progress = |progress: service::fan_out::Progress<'_>| reporter.tell(progress);
    let request = request(gathered, &checks, declarations, &config, &tables, &progress)?;
    let packet = review_one(&request).await.map_err(failure)?;
    let name = PacketName { digest: packet.digest(), seal: packets::seal(key.as_ref()) };
    let has_no_model = |lens: &LensV1| lens.unmet_kind == Some(UnmetKind::NoModel);
    if run.origin == Origin::Fork && packet.panel.lenses.iter().any(has_no_model) {
        terminal::say(
            "no model was asked. This change is from a fork: the platform gives its runs no secrets, and so no key",
        );
    }
    let files = write_files(args, &packet, &name, key.as_ref()).map_err(Failure::ours)?;
    let posted = match (&api, &run.wanted, args.no_post) {
        (Some(api), Wanted::Pull(pull), false) => {
            let posting = Posting {
                api,
                number: pull.number,
                head: &pull.head,
                login: &args.login,
                run_id: &packet.run.id,
            };
            said(post(&posting, &packet, &name).await)
        }
        (_, _, true) => vec!["nothing was posted: --no-post".to_owned()],
        (None, Wanted::Pull(_), false) => {
            vec!["nothing was posted: GITHUB_TOKEN is not set".to_owned()]
        }
        (_, Wanted::Range { .. } | Wanted::Default, false) => {
            vec!["nothing was posted: the run is about no pull request".to_owned()]
        }
    };
    for line in &posted {
        terminal::say(line);
    }
    tell_the_runner(&run, &packet, &name, &files).map_err(Failure::ours)?;
    Ok(Exit::Verdict(packet.judgement.exit_code))
}

fn read_event(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)
        .with_context(|| format!("could not read the event in {}", path.display()))?;
    file.take(MAX_EVENT_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_EVENT_BYTES {
        bail!("could not read the event in {}: it is larger than any that GitHub sends", path.display());
    }
    Ok(bytes)
}

/// GitHub by the workflow's token, where there is one.
fn api(run: &CiRun) -> Result<Option<RepositoryApi>> {
    let (Provider::GitHub { owner, name }, Some(token)) = (&run.provider, environment("GITHUB_TOKEN")) else {
        return Ok(None);
    };
    let address = match environment("GITHUB_API_URL") {
        Some(url) => ApiUrl::parse(&url, PlainHttp::LoopbackOnly).context("could not use GITHUB_API_URL")?,
        None => ApiUrl::github_com(),
    };
    let connection = connect(address, Limits::default())?;
    Ok(Some(RepositoryApi::new(connection, Credential::Personal(SecretString::from(token)), owner, name)))
}

/// The change that the arguments name, or else the event's.
async fn change(
    args: &CiArgs,
    run: &CiRun,
    api: Option<&RepositoryApi>,
    folder: &Path,
    verbosity: Verbosity,
) -> Result<Gathered, Failure> {
    let named = &args.request.change;
    let is_named = named.base.is_some()
        || named.head.is_some()
        || named.commit.is_some()
        || named.staged
        || named.diff.is_some()
        || named.stdin
        || named.pr.is_some();
    match &run.wanted {
        _ if is_named => gather(named, &args.request.config.file, verbosity).await,
        Wanted::Default => gather(named, &args.request.config.file, verbosity).await,
        Wanted::Range { bases, head } => in_repository(folder, bases, head, run, verbosity),
        Wanted::Pull(pull) => {
            let bases = [pull.base.to_string(), format!("refs/remotes/origin/{}", pull.base_ref)];
            let mut gathered = match (in_repository(folder, &bases, pull.head.as_str(), run, verbosity), api)
            {
                (Ok(gathered), _) => gathered,
                (Err(why), Some(api)) => {
                    if verbosity > Verbosity::Quiet {
                        let why = match Repository::open(folder) {
                            Err(GitError::NotARepository { .. }) => "nothing is checked out".to_owned(),
                            Ok(_) | Err(_) => why.to_string(),
                        };
                        terminal::say(&format!("reading the change by the API: {why}"));
                    }
                    by_api(api, pull).await?
                }
                (Err(why), None) => {
                    let error = anyhow!("{why}; with GITHUB_TOKEN set, no checkout is needed");
                    return Err(Failure::usage(error));
                }
            };
            gathered.change.title.clone_from(&pull.title);
            gathered.change.body.clone_from(&pull.body);
            gathered.change.branch = Some(pull.head_ref.clone());
            gathered.opened = opened(pull);
            if let Provider::GitHub { owner, name } = &run.provider {
                gathered.change.subject.source = Source::PullRequest {
                    repository: format!("{owner}/{name}"),
                    number: pull.number,
                    base_ref: pull.base_ref.clone(),
                    head_ref: pull.head_ref.clone(),
                };
            }
            Ok(gathered)
        }
    }
}

/// The change from the repository at hand, against the first base that is here.
fn in_repository(
    folder: &Path,
    bases: &[String],
    head: &str,
    run: &CiRun,
    verbosity: Verbosity,
) -> Result<Gathered, Failure> {
    let repository = Repository::open(folder).map_err(Failure::usage)?;
    let mut missing = None;
    for base in bases {
        let request = RangeRequest::BaseHead { base: Some(base.clone()), head: Some(head.to_owned()) };
        match repository.range(&request) {
            Ok(range) => return gather_range(repository, range, folder, verbosity),
            Err(error @ (GitError::UnknownRevision { .. } | GitError::NoMergeBase { .. })) => {
                missing.get_or_insert(error);
            }
            Err(error) => return Err(Failure::usage(error)),
        }
    }
    let missing = missing.map_or_else(|| "no base is named".to_owned(), |error| error.to_string());
    let depth = match run.provider {
        Provider::GitHub { .. } => "actions/checkout needs `fetch-depth: 0`",
        Provider::GitLab => "the job needs the variable `GIT_DEPTH: \"0\"`",
        Provider::Other => "the clone needs the history down to the base",
    };
    Err(Failure::usage(anyhow!("{missing}; {depth}")))
}

/// The change by the API alone.
async fn by_api(api: &RepositoryApi, facts: &PullFacts) -> Result<Gathered, Failure> {
    let mut pull = api.pull(facts.number).await.map_err(|error| unread(error, facts.number))?;
    if pull.head != facts.head {
        return Err(Failure::ours(anyhow!(
            "the pull request has moved on to {}; the run of that head reviews it",
            pull.head.short()
        )));
    }
    pull.base.clone_from(&facts.base);
    let change = github::change::gather(api, &pull).await.map_err(Failure::ours)?;
    let base_file = api.content(BASE_FILE, &pull.base).await.map_err(Failure::ours)?;
    Ok(Gathered {
        change,
        repository: None,
        repository_key: format!("{}/{}", api.owner(), api.name()),
        notes: Vec::new(),
        base: Some(pull.base),
        range: None,
        base_file,
        opened: None,
        pull: None,
    })
}

/// Why a pull request could not be read, and what it takes where the token may not.
fn unread(error: ApiError, number: u64) -> Failure {
    let what = format!("could not read pull request {number}");
    match error.kind {
        ErrorKind::NotFound | ErrorKind::Forbidden { .. } => Failure::usage(anyhow!(error).context(format!(
            "{what} with this token; without a checkout it takes `contents: read` and `pull-requests: read`"
        ))),
        _ => Failure::ours(anyhow!(error).context(what)),
    }
}

fn opened(pull: &PullFacts) -> Option<Opened> {
    let (login, id) = pull.author.clone()?;
    Some(Opened { login: Login { login, id }, labels: pull.labels.clone() })
}

/// The records that the arguments name, or else those of the repository at hand.
fn checks(args: &CiArgs, gathered: &Gathered, here: &Path) -> Result<Vec<Check>> {
    let at = Repository::open(here).ok();
    let own = at.as_ref().map(folder_of).filter(|folder| folder.is_dir());
    let Some(folder) = args.evidence.clone().or(own) else { return Ok(Vec::new()) };
    let at = at.as_ref().map(|repository| (repository, here));
    service::evidence::checks(&folder, gathered.change.subject.head.as_ref(), at)
}

/// What was written beside the output.
struct Files {
    packet: PathBuf,
    sarif: PathBuf,
}

fn write_files(
    args: &CiArgs,
    packet: &PacketV1,
    name: &PacketName,
    key: Option<&SigningKey>,
) -> Result<Files> {
    let folder = match (&args.out, environment("RUNNER_TEMP")) {
        (Some(folder), _) => folder.clone(),
        (None, Some(temporary)) => Path::new(&temporary).join("recuse"),
        (None, None) => PathBuf::from("recuse-out"),
    };
    // A change could bring a link of that name, and have us write elsewhere.
    if folder.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) {
        bail!("will not write to {}: it is a link", folder.display());
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    let write = |path: &Path, bytes: &[u8]| -> Result<()> {
        let mut new = tempfile::NamedTempFile::new_in(&folder)?;
        new.write_all(bytes)?;
        new.persist(path).with_context(|| format!("could not write {}", path.display()))?;
        Ok(())
    };
    let files = Files { packet: folder.join("packet.json"), sarif: folder.join("recuse.sarif") };
    let [ssh, dsse] = beside(&files.packet);
    packets::remove_stale([&ssh, &dsse])?;
    write(&files.packet, &packet.canonical_bytes())?;
    if let Some(key) = key {
        let signatures = key.sign(packet)?;
        write(&ssh, signatures.ssh.as_bytes())?;
        write(&dsse, signatures.dsse.as_bytes())?;
    }
    write(&files.sarif, format!("{:#}\n", sarif(packet, name)).as_bytes())?;
    write(&folder.join("summary.md"), markdown(packet, name).as_bytes())?;
    Ok(files)
}

/// Prints the result, and on GitHub tells the runner: annotations, summary, outputs.
fn tell_the_runner(run: &CiRun, packet: &PacketV1, name: &PacketName, files: &Files) -> Result<()> {
    let options = TerminalOptions {
        colour: report::Colour::Never,
        width: terminal::width(),
        verbosity: report::Verbosity::Normal,
    };
    let text = report::terminal(packet, name, &options);
    let Provider::GitHub { .. } = run.provider else { return terminal::write_result(&text, None) };
    let word = word()?;
    let (commands, left_out) = annotation_commands(packet);
    let mut stdout = paused(&text, &word);
    for command in commands {
        stdout.push_str(&command);
        stdout.push('\n');
    }
    if left_out > 0 {
        let more = if left_out == 1 { "claim is" } else { "claims are" };
        stdout.push_str(&format!(
            "{left_out} more {more} not annotated: GitHub shows ten of each level; the summary has them\n"
        ));
    }
    terminal::write_result(&stdout, None)?;
    if let Some(file) = environment("GITHUB_STEP_SUMMARY") {
        add_summary(Path::new(&file), &markdown(packet, name))?;
    }
    if let Some(file) = environment("GITHUB_OUTPUT") {
        let standing =
            packet.claims.iter().filter(|claim| claim.verification != Verification::Refuted).count();
        let micro = packet.ledger.micro_usd;
        let cost = format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000);
        let values = [
            ("verdict", packet.verdict.name().to_owned()),
            ("claims", standing.to_string()),
            ("cost-usd", cost),
            ("packet", files.packet.display().to_string()),
            ("sarif", files.sarif.display().to_string()),
        ];
        let text: String = values.iter().map(|(name, value)| output(name, value, &word)).collect();
        append(Path::new(&file), &text)?;
    }
    Ok(())
}

/// A word that nobody can guess.
fn word() -> Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("could not draw a word: {error}"))?;
    Ok(format!("recuse-{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}

/// Adds to the step's summary as far as there is room.
fn add_summary(file: &Path, text: &str) -> Result<()> {
    let before = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    let room = MAX_SUMMARY_BYTES.saturating_sub(before);
    if text.len() as u64 <= room {
        return append(file, text);
    }
    terminal::say("the step's summary has no room left for the review; the packet has all of it");
    Ok(())
}

fn append(file: &Path, text: &str) -> Result<()> {
    let open = std::fs::OpenOptions::new().create(true).append(true).open(file);
    open.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("could not write {}", file.display()))
}
