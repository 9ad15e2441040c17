//! The server of the GitHub App, and deliveries for those who try it.

use anyhow::anyhow;
use github::webhook::Secrets;
use review::CommitId;
use secrecy::SecretString;
use service::config::{Offline, Overrides};
use service::serve::{self, DryRun, Running, ServeError, Settings, simulate as simulation};
use service::tables::Tables;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::args::{ServeArgs, SimulateArgs};
use crate::commands::{environment, operator_file};
use crate::{Exit, Failure, terminal};

/// Serves until the process is told to stop.
pub(crate) async fn serve(args: &ServeArgs) -> Result<Exit, Failure> {
    let (file, source) = operator_file(&args.config.file).map_err(Failure::usage)?;
    let tables = match file.lineage.families.as_deref() {
        Some(path) => Tables::embedded().with_families(path).map_err(Failure::usage)?,
        None => Tables::embedded(),
    };
    let settings = Settings {
        file,
        overrides: Overrides {
            offline: if args.offline { Offline::Yes } else { Offline::No },
            models: args.config.models.clone(),
            prompts_folder: args.config.prompts.clone(),
            ..Overrides::default()
        },
        tables,
        version: env!("CARGO_PKG_VERSION"),
        dry_run: if args.dry_run { DryRun::Yes } else { DryRun::No },
        say: terminal::say,
    };
    let told = |running: Running<'_>| match running.setup_path {
        Some(path) => terminal::say(&format!(
            "no App is registered yet: open http://{}{path} (by the name under which GitHub reaches this server)",
            running.address
        )),
        None => {
            terminal::say(&format!(
                "receiving deliveries on http://{}/webhook; configuration: {source}",
                running.address
            ));
        }
    };
    let (stop, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::ours)?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        stop.send_replace(true);
        // Whoever asks twice is in a hurry.
        std::future::pending::<()>().await;
    });
    serve::serve(settings, &environment, stopped, &told).await.map_err(|error| match error {
        ServeError::Configuration(error) => Failure::usage(error),
        ServeError::Other(error) => Failure::ours(error),
    })?;
    Ok(Exit::Verdict(0))
}

/// Sends one delivery and says what the server answered.
pub(crate) async fn simulate(args: &SimulateArgs) -> Result<Exit, Failure> {
    let commit =
        |text: &str| CommitId::new(text).ok_or_else(|| Failure::usage(anyhow!("{text} is no commit's id")));
    let secret = environment("RECUSE_WEBHOOK_SECRET").ok_or_else(|| {
        Failure::usage(anyhow!("set RECUSE_WEBHOOK_SECRET to the secret that the server knows"))
    })?;
    let secrets = Secrets::new(&SecretString::from(secret), None).map_err(Failure::usage)?;
    let head = commit(&args.head)?;
    let url = match &args.url {
        Some(url) => url.clone(),
        None => simulation::default_url(&environment).map_err(Failure::usage)?,
    };
    let random = random()?;
    // As large as a number may be that every reader of JSON reads as it is.
    let comment_id = random.iter().take(6).fold(1, |id: u64, byte| id << 8 | u64::from(*byte));
    let happening = simulation::Happening {
        repository_id: args.repository_id,
        repository: args.repository.clone(),
        installation: args.installation,
        number: args.number,
        base: args.base.as_deref().map(commit).transpose()?.unwrap_or_else(|| head.clone()),
        head,
        login: args.login.clone(),
        comment: args.comment.clone().map(|text| simulation::Comment { id: comment_id, text }),
        action: args.action.clone(),
    };
    let delivery = simulation::delivery(&happening, &secrets).map_err(Failure::usage)?;
    let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let sent = reqwest::Client::new()
        .post(&url)
        .header("content-type", "application/json")
        .header("x-github-event", delivery.event)
        .header("x-github-delivery", &id)
        .header("x-hub-signature-256", &delivery.signature)
        .body(delivery.body)
        .send()
        .await;
    let answer = sent
        .map_err(|error| {
            let hint = if error.is_connect() {
                ": is `recuse serve` running there? --url names another address"
            } else {
                ""
            };
            anyhow::Error::new(error).context(format!("could not send the delivery to {url}{hint}"))
        })
        .map_err(Failure::ours)?;
    let status = answer.status();
    let words = answer.text().await.map_err(Failure::ours)?;
    terminal::write_result(&format!("{status}: {}\n", words.trim()), None).map_err(Failure::ours)?;
    Ok(if status.is_success() { Exit::Verdict(0) } else { Exit::NotGood })
}

fn random() -> Result<[u8; 16], Failure> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::ours(anyhow!("could not draw a random number: {error}")))?;
    Ok(bytes)
}
