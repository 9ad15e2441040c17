//! Registering an App: a page that hands GitHub a manifest, and the keys that come back.
//!
//! Whoever registers the App owns what it sees, so the page opens only with a token that the operator's terminal shows.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use anyhow::{Result, anyhow};
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use github::Connection;
use github::app::convert_manifest;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use super::http;
use super::keys::{AppKeys, Room};
use super::needs::{EVENTS, PERMISSIONS};

/// A registration that is under way.
pub(crate) struct Setup {
    connection: Connection,
    file: PathBuf,
    token: String,
}

struct Page {
    setup: Setup,
    registered: mpsc::Sender<AppKeys>,
    /// Two people who come back at once would register two Apps.
    busy: Mutex<bool>,
}

impl Page {
    /// Nobody is registering any more; the next may try.
    fn is_free_again(&self) {
        *self.busy.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = false;
    }
}

impl Setup {
    /// Begins one; the keys will be kept in this file.
    pub(crate) fn new(connection: Connection, file: PathBuf) -> Result<Self> {
        let mut token = [0_u8; 16];
        getrandom::fill(&mut token).map_err(|error| anyhow!("could not draw a token: {error}"))?;
        Ok(Self { connection, file, token: token.iter().map(|byte| format!("{byte:02x}")).collect() })
    }

    /// Where the page is.
    pub(crate) fn path(&self) -> String {
        format!("/setup?token={}", self.token)
    }

    /// Shows the page until an App is registered; `None` when the process is to stop before.
    pub(crate) async fn until_registered(
        self,
        listener: &Arc<TcpListener>,
        mut shutdown: watch::Receiver<bool>,
    ) -> Result<Option<AppKeys>> {
        let (registered, mut keys) = mpsc::channel(1);
        let page = Arc::new(Page { setup: self, registered, busy: Mutex::new(false) });
        let router = Router::new()
            .route("/setup", get(form))
            .route("/setup/callback", get(callback))
            .route("/healthz", get(|| async { "ok\n" }))
            .route(
                "/readyz",
                get(|| async { (StatusCode::SERVICE_UNAVAILABLE, "no App is registered yet\n") }),
            )
            .with_state(page);
        let (stop, stopped) = watch::channel(false);
        let listener = listener.clone();
        let serving = tokio::spawn(async move { http::run(&listener, router, stopped).await });
        let keys = tokio::select! {
            keys = keys.recv() => keys,
            () = super::stopped(&mut shutdown) => None,
        };
        stop.send_replace(true);
        serving.await.map_err(|error| anyhow!("the setup page broke off: {error}"))??;
        Ok(keys)
    }
}

#[derive(Deserialize)]
struct FormQuery {
    token: Option<String>,
    organization: Option<String>,
}

#[derive(Deserialize)]
struct CallbackQuery {
    code: Option<String>,
    state: Option<String>,
}

fn same(given: Option<&String>, token: &str) -> bool {
    // Digests of both, so that the time of the comparison says nothing of the token.
    given.is_some_and(|given| review::Digest::of(given.as_bytes()) == review::Digest::of(token.as_bytes()))
}

async fn form(State(page): State<Arc<Page>>, headers: HeaderMap, Query(query): Query<FormQuery>) -> Response {
    let setup = &page.setup;
    if !same(query.token.as_ref(), &setup.token) {
        return told(
            StatusCode::FORBIDDEN,
            "Open the address that recuse serve printed: it ends with a token.",
        );
    }
    // Said here already, before anybody goes to GitHub for nothing.
    if let Err(error) = Room::make(&setup.file) {
        return no_room(&error);
    }
    let here = match own_address(&headers) {
        Some(here) => here,
        None => {
            return told(
                StatusCode::BAD_REQUEST,
                "The request does not say by which name this server is reached.",
            );
        }
    };
    let manifest = json!({
        "name": "recuse",
        "url": "https://github.com/recuse/recuse",
        "hook_attributes": { "url": format!("{here}/webhook"), "active": true },
        "redirect_url": format!("{here}/setup/callback"),
        "public": false,
        "default_permissions": PERMISSIONS.iter().copied().collect::<std::collections::BTreeMap<_, _>>(),
        "default_events": EVENTS,
    });
    let root = setup.connection.base().web_root();
    let is_name =
        |name: &&String| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let path = match query.organization.as_ref().filter(is_name) {
        Some(organization) => format!("organizations/{organization}/settings/apps/new"),
        None => "settings/apps/new".to_owned(),
    };
    let action = format!("{}/{path}?state={}", root.as_str().trim_end_matches('/'), setup.token);
    let body = format!(
        "<h1>Register recuse as a GitHub App</h1>\
         <p>GitHub will show what it may do: read code, and write checks and comments. It cannot change code, and it never \
         approves.</p>\
         <p>Deliveries will be sent to <code>{}</code>. GitHub has to reach that address.</p>\
         <form action=\"{}\" method=\"post\"><input type=\"hidden\" name=\"manifest\" value=\"{}\">\
         <button type=\"submit\">Register on GitHub</button></form>\
         <p>For an organization, add <code>&amp;organization=NAME</code> to this page's address.</p>",
        escaped(&format!("{here}/webhook")),
        escaped(&action),
        escaped(&manifest.to_string()),
    );
    html(StatusCode::OK, &body)
}

async fn callback(State(page): State<Arc<Page>>, Query(query): Query<CallbackQuery>) -> Response {
    let setup = &page.setup;
    if !same(query.state.as_ref(), &setup.token) {
        return told(StatusCode::FORBIDDEN, "This did not begin on the setup page.");
    }
    let Some(code) = query.code.filter(|code| code.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
    else {
        return told(StatusCode::BAD_REQUEST, "GitHub sent no code.");
    };
    {
        let mut busy = page.busy.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if std::mem::replace(&mut *busy, true) {
            return told(StatusCode::CONFLICT, "An App is being registered already.");
        }
    }
    let registered = match Room::make(&setup.file) {
        Ok(room) => register(setup, room, &code).await,
        Err(error) => {
            page.is_free_again();
            return no_room(&error);
        }
    };
    match registered {
        Ok((keys, address)) => {
            // Nobody else sends; the channel holds one.
            let _ = page.registered.send(keys).await;
            let body = format!(
                "<h1>recuse is registered</h1><p>Now <a href=\"{}/installations/new\">install it</a> where it should \
                 review.</p>",
                escaped(&address)
            );
            html(StatusCode::OK, &body)
        }
        Err(error) => {
            page.is_free_again();
            tracing::error!("the App was not registered: {error:#}");
            told(
                StatusCode::BAD_GATEWAY,
                "The App was not registered; the server's log says why. Begin again.",
            )
        }
    }
}

/// GitHub was asked for nothing: its code is good for an hour, and this page can be loaded again.
fn no_room(error: &anyhow::Error) -> Response {
    tracing::error!("there is no room for the App's keys: {error:#}");
    let body = format!(
        "<p>There is no room for the App's keys, which GitHub gives out only once, so it was not asked for them: {}.</p>\
         <p>Mend that, and load this page again.</p>",
        escaped(&format!("{error:#}"))
    );
    html(StatusCode::INTERNAL_SERVER_ERROR, &body)
}

/// Asks GitHub for the keys, which it gives out once, and keeps them where there is room for them.
async fn register(setup: &Setup, room: Room, code: &str) -> Result<(AppKeys, String)> {
    let app = convert_manifest(&setup.connection, code).await?;
    let secret = app.webhook_secret.ok_or_else(|| anyhow!("GitHub gave the App no webhook secret"))?;
    let keys = room.keep(app.id, &app.pem, &secret)?;
    Ok((keys, app.html_url))
}

/// By which name this server is reached: what a proxy in front of it says, or the request itself.
fn own_address(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let host = text("x-forwarded-host").or_else(|| text(header::HOST.as_str()))?;
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    let scheme = match text("x-forwarded-proto") {
        Some("https") => "https",
        Some(_) | None => "http",
    };
    host.chars().all(is_host).then(|| format!("{scheme}://{host}"))
}

fn told(status: StatusCode, words: &'static str) -> Response {
    html(status, &format!("<p>{words}</p>"))
}

fn html(status: StatusCode, body: &str) -> Response {
    const POLICY: &str =
        "default-src 'none'; style-src 'unsafe-inline'; form-action https: http:; frame-ancestors 'none'";
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>recuse</title>\
         <style>body{{font:16px/1.5 system-ui;max-width:42rem;margin:3rem auto;padding:0 1rem}}button{{font:inherit;padding:.5rem \
         1rem}}</style>{body}</html>"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, Html(page)).into_response()
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_s_own_name_cannot_smuggle_anything() {
        let named = |host: &str, scheme: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().expect("a header"));
            if let Some(scheme) = scheme {
                headers.insert("x-forwarded-proto", scheme.parse().expect("a header"));
            }
            own_address(&headers)
        };
        assert_eq!(named("a.example:80", None).as_deref(), Some("http://a.example:80"));
        assert_eq!(named("a.example", Some("https")).as_deref(), Some("https://a.example"));
        assert_eq!(named("a.example/x?\"", None), None);
        assert_eq!(own_address(&HeaderMap::new()), None);
    }

    #[test]
    fn what_is_shown_is_text() {
        assert_eq!(escaped("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    }
}
