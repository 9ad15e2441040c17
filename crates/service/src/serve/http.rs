//! The server's side of HTTP: deliveries, health, metrics. Slow, huge and forged requests end before they cost anything.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use futures::StreamExt as _;
use github::webhook::Secrets;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use review::Digest;
use review::text::visible_line;
use store::{Received, Scope, Taken};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::timeout;

use super::clock::now_ms;
use super::dispatch::decide;
use super::intake::{Intake, NotTaken};
use super::{Core, stopped};
use crate::office::day_key;

/// The largest delivery. GitHub sends none above 25 MB.
const MAX_BODY_BYTES: usize = 25 * 1024 * 1024;

/// What the bodies that are being read may take together.
const BODIES_BYTES: usize = 128 * 1024 * 1024;

/// The unit in which that is handed out.
const PERMIT_BYTES: usize = 64 * 1024;

/// How long a request's headers may take, and its body.
const MAX_HEADER_TIME: Duration = Duration::from_secs(10);
const MAX_BODY_TIME: Duration = Duration::from_secs(20);

/// How many connections are open at once.
const MAX_CONNECTIONS: usize = 512;

/// How long open requests may take to end once the process stops.
const MAX_GOODBYE: Duration = Duration::from_secs(10);

struct Shared {
    core: Arc<Core>,
    secrets: Secrets,
    intake: Intake,
    bodies: Semaphore,
}

/// Serves until `shutdown` says true.
pub(crate) async fn serve(
    listener: &Arc<TcpListener>,
    core: Arc<Core>,
    secrets: Secrets,
    shutdown: watch::Receiver<bool>,
) -> Result<()> {
    let intake = Intake::start(core.clone());
    let bodies = Semaphore::new(BODIES_BYTES / PERMIT_BYTES);
    let shared = Arc::new(Shared { core, secrets, intake, bodies });
    let router = Router::new()
        .route("/webhook", post(webhook))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(shared);
    run(listener, router, shutdown).await
}

/// Accepts connections and lets a router answer them.
pub(crate) async fn run(
    listener: &Arc<TcpListener>,
    router: Router,
    mut shutdown: watch::Receiver<bool>,
) -> Result<()> {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let permit = tokio::select! {
            permit = connections.clone().acquire_owned() => permit?,
            () = stopped(&mut shutdown) => break,
        };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!("could not accept a connection: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = stopped(&mut shutdown) => break,
        };
        let service = TowerToHyperService::new(router.clone());
        let mut stopping = shutdown.clone();
        tokio::spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(MAX_HEADER_TIME)
                .serve_connection(TokioIo::new(stream), service);
            tokio::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stopped(&mut stopping) => {
                    connection.as_mut().graceful_shutdown();
                    timeout(MAX_GOODBYE, connection).await.unwrap_or(Ok(()))
                }
            };
            if let Err(error) = ended {
                tracing::debug!("a connection broke: {error}");
            }
            drop(permit);
        });
    }
    // Each open connection has one permit; the process waits for them, but not for ever.
    let all = u32::try_from(MAX_CONNECTIONS).unwrap_or(u32::MAX);
    let _ = timeout(MAX_GOODBYE, connections.acquire_many(all)).await;
    Ok(())
}

/// Takes a delivery. 2xx means that it is on disk, or that there is nothing to keep of it.
async fn webhook(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (status, outcome, words) = receive(&shared, request).await;
    shared.core.metrics.delivery(outcome);
    (status, format!("{words}\n")).into_response()
}

type Answer = (StatusCode, &'static str, &'static str);

async fn receive(shared: &Shared, request: Request) -> Answer {
    const TOO_LARGE: Answer = (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is above 25 MiB");
    const BUSY: Answer = (StatusCode::SERVICE_UNAVAILABLE, "busy", "too much at once; come again");
    let headers = request.headers().clone();
    let declared =
        header(&headers, header::CONTENT_LENGTH.as_str()).and_then(|length| length.parse::<usize>().ok());
    if declared.is_some_and(|size| size > MAX_BODY_BYTES) {
        return TOO_LARGE;
    }
    let Ok(read) = timeout(MAX_BODY_TIME, read_body(&shared.bodies, request.into_body())).await else {
        return (StatusCode::REQUEST_TIMEOUT, "slow", "the body took too long");
    };
    let (body, _room) = match read {
        Ok(read) => read,
        Err(Unread::TooLarge) => return TOO_LARGE,
        Err(Unread::NoRoom) => return BUSY,
        Err(Unread::Broken) => return (StatusCode::BAD_REQUEST, "broken", "the body broke off"),
    };
    let signature = header(&headers, "x-hub-signature-256").map(str::as_bytes);
    if let Err(rejected) = shared.secrets.verify(signature, &body) {
        tracing::debug!(%rejected, "a delivery was refused");
        return (StatusCode::UNAUTHORIZED, "unsigned", "the signature does not fit the body");
    }
    accept(shared, &headers, &body).await
}

/// Why a body was not read.
enum Unread {
    /// It is larger than any delivery.
    TooLarge,
    /// The bodies that are being read take all the room that there is.
    NoRoom,
    /// It ended in the middle.
    Broken,
}

/// Reads a body, and takes room for it as it comes: what a slow client only promises keeps nobody else out.
async fn read_body(room: &Semaphore, body: Body) -> Result<(Bytes, SemaphorePermit<'_>), Unread> {
    let mut taken = room.try_acquire().map_err(|_| Unread::NoRoom)?;
    let mut whole = Vec::new();
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| Unread::Broken)?;
        if whole.len() + part.len() > MAX_BODY_BYTES {
            return Err(Unread::TooLarge);
        }
        whole.extend_from_slice(&part);
        let needed = whole.len().div_ceil(PERMIT_BYTES).saturating_sub(taken.num_permits());
        let needed = u32::try_from(needed).map_err(|_| Unread::TooLarge)?;
        taken.merge(room.try_acquire_many(needed).map_err(|_| Unread::NoRoom)?);
    }
    Ok((Bytes::from(whole), taken))
}

/// Takes what is signed.
async fn accept(shared: &Shared, headers: &HeaderMap, body: &Bytes) -> Answer {
    let (Some(event), Some(delivery_id)) =
        (header(headers, "x-github-event"), header(headers, "x-github-delivery"))
    else {
        return (StatusCode::BAD_REQUEST, "no_headers", "X-GitHub-Event and X-GitHub-Delivery are missing");
    };
    if event.len() > 100 || delivery_id.len() > 100 {
        return (StatusCode::BAD_REQUEST, "no_headers", "X-GitHub-Event or X-GitHub-Delivery is too long");
    }
    let digest = Digest::of_parts([event.as_bytes(), body]);
    let now = now_ms();
    let parsed = github::event::parse(event, body);
    let decision = decide(&parsed, &digest, &shared.core.event_rules(), now);
    tracing::info!(delivery = %visible_line(delivery_id), event = %visible_line(event), decision.reason, "a delivery");
    if decision.orders.is_empty() {
        return (StatusCode::OK, "nothing_to_do", decision.reason);
    }
    let received = Received {
        delivery_id: delivery_id.to_owned(),
        body_digest: digest,
        event: event.to_owned(),
        at_ms: now,
        orders: decision.orders,
    };
    match shared.intake.take(received).await {
        Ok(Taken::New) => (StatusCode::ACCEPTED, "taken", decision.reason),
        Ok(Taken::KnownDelivery | Taken::KnownBody) => (StatusCode::OK, "known", "it was taken before"),
        Err(NotTaken::Busy) => (StatusCode::SERVICE_UNAVAILABLE, "busy", "too much at once; come again"),
        Err(NotTaken::NoDatabase) => {
            (StatusCode::SERVICE_UNAVAILABLE, "no_database", "it could not be written down; come again")
        }
    }
}

/// A header's text, where it is there once and printable: two might be read as one thing here and as another elsewhere.
fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (Some(only), None) => only.to_str().ok(),
        (None, _) | (Some(_), Some(_)) => None,
    }
}

/// Whether work can be done: the database answers.
async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    match shared.core.store.queue_counts(now_ms()).await {
        Ok(_) => (StatusCode::OK, "ready\n").into_response(),
        Err(error) => {
            tracing::warn!("not ready: {error:#}");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let Core { store, metrics, .. } = &*shared.core;
    let now = now_ms();
    let today = day_key(now.div_euclid(1_000));
    let counted =
        async { anyhow::Ok((store.queue_counts(now).await?, store.spent(Scope::Day, &today).await?)) };
    match counted.await {
        Ok((queue, spent)) => ([(header::CONTENT_TYPE, FORMAT)], metrics.text(&queue, spent)).into_response(),
        Err(error) => {
            tracing::warn!("nothing can be counted: {error:#}");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}
