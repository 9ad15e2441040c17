//! The arguments.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use review::policy::{Gate, Independence};
use review::{Digest, Lens, Severity};

use crate::{evidence, pull};

/// An independent reviewer of changes: no model reviews its own family's work.
#[derive(Debug, Parser)]
#[command(name = "recuse", version = env!("RECUSE_VERSION"), max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Say more on stderr; twice for debugging
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Print the verdict and the claims only, and no progress
    #[arg(short, long, global = true)]
    quiet: bool,
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    Quiet,
    Normal,
    Verbose,
    Debug,
}

impl Cli {
    /// How much is said; quiet wins.
    pub(crate) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, 1) => Verbosity::Verbose,
            (false, _) => Verbosity::Debug,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Review a change and print the evidence packet
    Review(Box<ReviewArgs>),
    /// Review the change that a run of CI is about, and tell it in every way that the run has
    Ci(Box<CiArgs>),
    /// Run a command, keep its output and its exit code, and record both as evidence for reviews
    Run(RunArgs),
    /// Say what a change is and which lenses would look at it
    Classify(Box<ClassifyArgs>),
    /// Say who wrote a change, and why we think so
    Attribute(Box<AttributeArgs>),
    /// Say who would review a change, who is recused, and why; no model is asked
    Panel(Box<PanelArgs>),
    /// Serve the GitHub App: deliveries in, packets out
    Serve(ServeArgs),
    /// Send a signed delivery to a server, as GitHub would
    Simulate(SimulateArgs),
    /// List the models that can be asked: families, prices, and who would be recused
    Models(ModelsArgs),
    /// Measure reviews on changes whose issues are known
    Eval(Box<EvalArgs>),
    /// Check a packet: what follows from it, its signature, and what the repository and the receipts say
    Verify(VerifyArgs),
    /// Make a key that signs packets
    Keygen(KeygenArgs),
    /// Decide again from what was recorded, and compare with the packet; no model is asked
    Replay(ReplayArgs),
    /// List, show, export or delete what is kept of reviews
    Receipts {
        #[command(subcommand)]
        what: ReceiptsCommand,
    },
    /// Say what is set up and what is missing
    Doctor(DoctorArgs),
    /// Write commented configuration files
    Init(InitArgs),
    /// List, show or check the prompts that models are asked with
    Prompts {
        #[command(subcommand)]
        what: PromptsCommand,
    },
    /// Say what the rules look for, and why
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Print completions for a shell
    Completions {
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write the pages of all commands to a folder
    Man {
        /// Where the pages go: recuse.1, recuse-review.1 and so on
        #[arg(long, value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Print a JSON Schema
    Schema {
        #[arg(value_enum)]
        what: SchemaName,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PromptsCommand {
    /// Every prompt file: id, version, digest, and whether it is the operator's
    List(ConfigArgs),
    /// One prompt file
    Show {
        /// The id, as `list` names it
        id: String,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Whether a folder of prompt files can be used; each problem with file and line
    Check {
        /// The folder [default: the configuration's, or the built-in files]
        #[arg(long, value_name = "DIR", conflicts_with = "prompts")]
        folder: Option<PathBuf>,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// List the rules
    List {
        /// How the list is printed
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
        /// Only the rules of this lens
        #[arg(long, value_name = "LENS", value_parser = lens)]
        lens: Option<Lens>,
    },
    /// Show one rule: what it finds, why, and an example of what it reports and of what it leaves alone
    Show {
        /// The rule's id, as `recuse rules list` has it
        id: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The packet
    #[arg(value_name = "PACKET")]
    pub(crate) packet: PathBuf,
    /// The folder where its receipts are, instead of the database
    #[arg(long, value_name = "DIR")]
    pub(crate) receipts: Option<PathBuf>,
    /// Decide what stands before the replies again too, from this repository's objects
    #[arg(short = 'C', long = "repo", value_name = "DIR")]
    pub(crate) repository: Option<PathBuf>,
    /// Say what another policy would have decided: an operator's file, whose sections `review` and `path` count
    #[arg(long, value_name = "FILE")]
    pub(crate) with: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReceiptsCommand {
    /// What the database keeps, the latest first
    List,
    /// Delete what was kept for longer than the policy says; digests stay, with when and why
    Prune {
        /// Older than so many days [default: `keep_days` of the configuration]
        #[arg(long, value_name = "DAYS")]
        older_than: Option<u32>,
        #[command(flatten)]
        file: FileArgs,
    },
    /// Print what is kept under a digest
    Show {
        /// The digest, or its first eight digits or more
        #[arg(value_name = "DIGEST")]
        digest: String,
        /// The folder where it is, instead of the database
        #[arg(long, value_name = "DIR")]
        receipts: Option<PathBuf>,
    },
    /// Copy all receipts of a packet into a folder
    Export {
        /// The packet
        #[arg(value_name = "PACKET")]
        packet: PathBuf,
        /// The folder, which is made
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SchemaName {
    /// The evidence packet
    Packet,
    /// The operator's configuration
    Config,
    /// The base branch's `.recuse.toml`
    BaseConfig,
}

/// Which change.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which change (default: this branch against its default branch)")]
pub(crate) struct ChangeArgs {
    /// The base: a branch, tag or commit
    #[arg(long, value_name = "REF")]
    pub(crate) base: Option<String>,
    /// The head: a branch, tag or commit [default: HEAD]
    #[arg(long, value_name = "REF")]
    pub(crate) head: Option<String>,
    /// One commit against its first parent
    #[arg(long, value_name = "REF", conflicts_with_all = ["base", "head"])]
    pub(crate) commit: Option<String>,
    /// The index against HEAD
    #[arg(long, conflicts_with_all = ["base", "head", "commit"])]
    pub(crate) staged: bool,
    /// A diff in a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["base", "head", "commit", "staged"])]
    pub(crate) diff: Option<PathBuf>,
    /// A diff on standard input
    #[arg(long, conflicts_with_all = ["base", "head", "commit", "staged", "diff"])]
    pub(crate) stdin: bool,
    /// A pull request on GitHub, read with GITHUB_TOKEN: OWNER/REPO#NUMBER, or its address
    #[arg(long, value_name = "PULL", value_parser = pull::place,
          conflicts_with_all = ["base", "head", "commit", "staged", "diff", "stdin", "repository"])]
    pub(crate) pr: Option<pull::PullPlace>,
    /// The repository [default: the current folder's]
    #[arg(short = 'C', long = "repo", value_name = "DIR")]
    pub(crate) repository: Option<PathBuf>,
    /// Who wrote it, on your word: `human`, a model's name or a tool's
    #[arg(long, value_name = "WHO")]
    pub(crate) written_by: Option<String>,
    /// Where the result goes, instead of standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Result")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, in a terminal
    Text,
    /// For a comment
    Markdown,
    /// The packet
    Json,
    /// For code scanning
    Sarif,
}

#[derive(Debug, Args)]
pub(crate) struct ReviewArgs {
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// Records of `recuse run` that count as checks [default without DIR: those in the repository's own folder]
    #[arg(long, value_name = "DIR", num_args = 0..=1, help_heading = "How it is reviewed")]
    pub(crate) evidence: Option<Option<PathBuf>>,
    /// Also write the packet there, in its canonical form, whose SHA-256 is its name
    #[arg(long, value_name = "FILE", conflicts_with = "preview", help_heading = "What is kept")]
    pub(crate) packet: Option<PathBuf>,
    /// Sign the packet that is written, with this private key: FILE.sig (SSH) and FILE.dsse.json stand beside it
    #[arg(long, value_name = "KEY", conflicts_with = "preview", help_heading = "What is kept")]
    pub(crate) sign: Option<PathBuf>,
    /// A folder where the receipts are kept, instead of the database
    #[arg(long, value_name = "DIR", help_heading = "What is kept")]
    pub(crate) receipts: Option<PathBuf>,
    /// Say who would be asked how much and what it could cost, and ask nobody
    #[arg(long, help_heading = "How it is reviewed")]
    pub(crate) preview: bool,
    /// Post the comment and the check run on the pull request, as far as GITHUB_TOKEN may
    #[arg(long, requires = "pr", conflicts_with = "preview", help_heading = "Result")]
    pub(crate) post: bool,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Result")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct PanelArgs {
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = ListFormat::Text, help_heading = "Result")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct ClassifyArgs {
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = ListFormat::Text, help_heading = "Result")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Look at what this repository requires before merging, too; else at those that were reviewed lately
    #[arg(long = "repo", value_name = "OWNER/NAME")]
    pub(crate) repository: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Do everything but write on GitHub
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Ask no model: the rules only
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// Where the server receives deliveries
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080/webhook")]
    pub(crate) url: String,
    /// The repository
    #[arg(long, value_name = "OWNER/NAME")]
    pub(crate) repository: String,
    /// The repository's id
    #[arg(long, value_name = "ID", default_value_t = 1)]
    pub(crate) repository_id: u64,
    /// The installation's id
    #[arg(long, value_name = "ID", default_value_t = 1)]
    pub(crate) installation: u64,
    /// The pull request
    #[arg(long, value_name = "N")]
    pub(crate) number: u64,
    /// Its head
    #[arg(long, value_name = "SHA")]
    pub(crate) head: String,
    /// Its base [default: the head]
    #[arg(long, value_name = "SHA")]
    pub(crate) base: Option<String>,
    /// Who does it
    #[arg(long, value_name = "LOGIN", default_value = "octocat")]
    pub(crate) login: String,
    /// What happened to the pull request
    #[arg(long, value_name = "ACTION", default_value = "opened", conflicts_with = "comment")]
    pub(crate) action: String,
    /// A comment instead, such as `/recuse why`
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
}

/// Which change, and how it is reviewed.
#[derive(Debug, Args)]
pub(crate) struct RequestArgs {
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Rules only: no model is asked
    #[arg(long, help_heading = "How it is reviewed")]
    pub(crate) offline: bool,
    /// A lens that models look through; repeat for several [default: all]
    #[arg(long = "lens", value_name = "LENS", value_parser = lens, help_heading = "How it is reviewed")]
    pub(crate) lenses: Vec<Lens>,
    /// How strictly reviewers must be unrelated to the author: require, prefer or off
    #[arg(long, value_name = "POLICY", value_parser = independence, help_heading = "How it is reviewed")]
    pub(crate) independence: Option<Independence>,
    /// The severity from which on a claim makes the exit code 1, or `never` [default: high]
    #[arg(long, value_name = "SEVERITY", value_parser = gate, help_heading = "How it is reviewed")]
    pub(crate) fail_on: Option<Gate>,
    /// The most that it may cost
    #[arg(long, value_name = "USD", help_heading = "How it is reviewed")]
    pub(crate) max_usd: Option<f64>,
    /// The most that it may take
    #[arg(long, value_name = "SECONDS", help_heading = "How it is reviewed")]
    pub(crate) max_seconds: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct CiArgs {
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// Records of `recuse run` that count as checks [default: those in the repository's own folder]
    #[arg(long, value_name = "DIR", help_heading = "How it is reviewed")]
    pub(crate) evidence: Option<PathBuf>,
    /// Where packet.json, recuse.sarif and summary.md go [default: recuse in RUNNER_TEMP, else recuse-out]
    #[arg(long, value_name = "DIR", help_heading = "What is told")]
    pub(crate) out: Option<PathBuf>,
    /// Post nothing, whatever the token may
    #[arg(long, help_heading = "What is told")]
    pub(crate) no_post: bool,
    /// Whom GITHUB_TOKEN writes as; an earlier comment is found by that
    #[arg(long, value_name = "LOGIN", default_value = "github-actions[bot]", help_heading = "What is told")]
    pub(crate) login: String,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// What the run is called, in packets and in `required_checks`
    #[arg(long, value_name = "NAME", value_parser = evidence::name)]
    pub(crate) name: String,
    /// The most that it may take: seconds, or a number with s, m or h; then the command is ended, and 124 is its exit code
    #[arg(long, value_name = "TIME", value_parser = evidence::time)]
    pub(crate) timeout: Option<Duration>,
    /// Where the record goes [default: recuse/evidence in the repository's own folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) evidence_dir: Option<PathBuf>,
    /// The command and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The packet
    #[arg(value_name = "PACKET")]
    pub(crate) packet: PathBuf,
    /// The repository that the change is in
    #[arg(short = 'C', long = "repo", value_name = "DIR")]
    pub(crate) repository: Option<PathBuf>,
    /// The diff, where the review was of one
    #[arg(long, value_name = "FILE", conflicts_with = "repository")]
    pub(crate) diff: Option<PathBuf>,
    /// Who may have signed it: a public key or a file of allowed signers; repeat for several
    #[arg(long = "key", value_name = "FILE")]
    pub(crate) keys: Vec<PathBuf>,
    /// A signature, SSH or DSSE; repeat for several [default: PACKET.sig and PACKET.dsse.json, where they are]
    #[arg(long = "signature", value_name = "FILE")]
    pub(crate) signatures: Vec<PathBuf>,
    /// Where the receipts are: a folder, or `store` for this user's database
    #[arg(long, value_name = "DIR|store")]
    pub(crate) receipts: Option<PathBuf>,
    /// What its digest should be
    #[arg(long, value_name = "SHA-256", value_parser = digest)]
    pub(crate) digest: Option<Digest>,
    #[command(flatten)]
    pub(crate) file: FileArgs,
}

#[derive(Debug, Args)]
pub(crate) struct KeygenArgs {
    /// Where the private key goes; the public one goes beside it, as FILE.pub [default: signing_key in the user's
    /// configuration folder]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct FileArgs {
    /// The operator's configuration [default: recuse/config.toml in the user's configuration folder]
    #[arg(long, value_name = "FILE", env = "RECUSE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct AttributeArgs {
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// Read commits from standard input, one JSON record a line, and write who wrote each, one a line
    #[arg(long, conflicts_with_all = ["base", "head", "commit", "staged", "diff", "stdin", "written_by", "format"])]
    pub(crate) jsonl: bool,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = ListFormat::Text, help_heading = "Result")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ModelsCommand>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Mark who would be recused if this tool or model had written a change
    #[arg(long, value_name = "WHO")]
    pub(crate) written_by: Option<String>,
    /// How the list is printed
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// Warn about prices older than 60 days and names whose family is not known
    Check(ConfigArgs),
}

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// A folder of cases, each a folder with diff.patch, meta.json and gold.json
    #[arg(value_name = "CASES", required_unless_present = "ranges", conflicts_with = "ranges")]
    pub(crate) cases: Option<PathBuf>,
    /// Instead: ranges of a repository, a commit or BASE..HEAD a line; known issues are what later commits undid
    #[arg(long, value_name = "FILE")]
    pub(crate) ranges: Option<PathBuf>,
    /// The repository of the ranges [default: the current folder's]
    #[arg(short = 'C', long = "repo", value_name = "DIR", requires = "ranges")]
    pub(crate) repository: Option<PathBuf>,
    /// Up to where later commits are read
    #[arg(long, value_name = "REF", default_value = "HEAD", requires = "ranges")]
    pub(crate) until: String,
    /// Where packets, predictions, replies and the report are kept; a run is taken up again from there
    #[arg(long, value_name = "DIR", default_value = "recuse-eval")]
    pub(crate) out: PathBuf,
    /// Seat these models for every lens, as far as they are unrelated to each other; wins over --model
    #[arg(long, value_name = "PROVIDER/NAME,…", value_delimiter = ',')]
    pub(crate) panel: Vec<String>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Rules only: no model is asked
    #[arg(long, conflicts_with = "panel", help_heading = "How it is reviewed")]
    pub(crate) offline: bool,
    /// A lens that models look through; repeat for several [default: all]
    #[arg(long = "lens", value_name = "LENS", value_parser = lens, help_heading = "How it is reviewed")]
    pub(crate) lenses: Vec<Lens>,
    /// How strictly reviewers must be unrelated to the author: require, prefer or off
    #[arg(long, value_name = "POLICY", value_parser = independence, help_heading = "How it is reviewed")]
    pub(crate) independence: Option<Independence>,
    /// The most that the whole evaluation may cost, what earlier runs paid for its cases included
    #[arg(long, value_name = "USD", help_heading = "How it is reviewed")]
    pub(crate) max_usd: Option<f64>,
    /// The most that one review may take
    #[arg(long, value_name = "SECONDS", help_heading = "How it is reviewed")]
    pub(crate) max_seconds: Option<u32>,
    /// The most cases at once; with --max-usd they go one after another
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) jobs: usize,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t = EvalFormat::Text)]
    pub(crate) format: EvalFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvalFormat {
    /// For people, in a terminal
    Text,
    /// The report
    Json,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct ConfigArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// A model to ask; repeat for several
    #[arg(long = "model", value_name = "PROVIDER/NAME", env = "RECUSE_MODELS", value_delimiter = ',')]
    pub(crate) models: Vec<String>,
    /// A folder of prompt files that are used instead of the built-in ones at the same relative path
    #[arg(long = "prompts", value_name = "DIR")]
    pub(crate) prompts: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Only the repository's `.recuse.toml`
    #[arg(long, conflicts_with = "user")]
    pub(crate) repository: bool,
    /// Only the operator's configuration
    #[arg(long)]
    pub(crate) user: bool,
}

fn lens(name: &str) -> Result<Lens, String> {
    let known = Lens::ALL.map(Lens::name).join(", ");
    Lens::from_name(name).ok_or_else(|| format!("the lenses are {known}"))
}

fn digest(hex: &str) -> Result<Digest, String> {
    let hex = hex.strip_prefix("sha256:").unwrap_or(hex);
    Digest::new(hex).ok_or_else(|| "a SHA-256 has 64 lower-case hex digits".to_owned())
}

fn independence(name: &str) -> Result<Independence, String> {
    let all = [Independence::Require, Independence::Prefer, Independence::Off];
    all.into_iter().find(|one| one.name() == name).ok_or_else(|| "it is require, prefer or off".to_owned())
}

fn gate(name: &str) -> Result<Gate, String> {
    let all = [Gate::Low, Gate::Medium, Gate::High, Gate::Critical, Gate::Never];
    let known = Severity::WORST_FIRST.map(Severity::name).join(", ");
    all.into_iter().find(|gate| gate.name() == name).ok_or_else(|| format!("it is {known} or never"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
