//! Git's smart HTTP, read only, by git's own program.

use std::process::Stdio;

use axum::body::{Body, Bytes};
use axum::http::Response;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::endpoint::{Endpoint, RepositoryKey};
use super::fault::Fault;
use super::server::{HangUp, Shared, reply};
use super::world::{Answered, Call};

/// Serves `/OWNER/NAME.git/…` to a token with `contents:read`, given as GitHub takes it: the password of any user.
pub(crate) async fn serve(shared: &Shared, parts: &Parts, body: Bytes) -> Result<Response<Body>, HangUp> {
    let path = parts.uri.path();
    let query = parts.uri.query().unwrap_or_default();
    let repository = {
        let mut world = shared.world();
        let authorization = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
        let basic = authorization.and_then(|value| value.strip_prefix("Basic "));
        let bearer = basic.and_then(|text| STANDARD.decode(text).ok()).and_then(|bytes| {
            let text = String::from_utf8(bytes).ok()?;
            let (_, password) = text.split_once(':')?;
            Some(format!("Bearer {password}"))
        });
        let authorization = bearer.as_deref().or(authorization);
        let mut names = path.trim_start_matches('/').splitn(3, '/');
        let owner = names.next().unwrap_or_default().to_owned();
        let name = names.next().unwrap_or_default().trim_end_matches(".git").to_owned();
        let Some((id, _)) = world.find(&RepositoryKey::Name(owner, name)) else {
            world.violations.push(format!("{} {path} is off the list", parts.method));
            drop(world);
            return Ok(reply(shared, Answered::not_found()));
        };
        let mut call = Call {
            endpoint: Some(Endpoint::Git),
            method: parts.method.to_string(),
            path: format!("{path}?{query}"),
            permissions: Vec::new(),
            body: serde_json::Value::Null,
        };
        // git asks without a credential first, where it has none in its configuration.
        let allowed = match authorization {
            None => Err(Answered::message(401, "Requires authentication")),
            Some(_) => world.caller(Endpoint::Git.right(), authorization).and_then(|caller| {
                call.permissions = caller.permissions();
                world.allow(&caller, Endpoint::Git.right(), id)
            }),
        };
        world.calls.push(call);
        if let Some(Fault::Status(status)) = world.switches.take_fault(Endpoint::Git) {
            drop(world);
            return Ok(reply(shared, Answered::message(status, "Server Error")));
        }
        match allowed {
            Ok(()) => world.repository(id).bare.path().to_owned(),
            Err(mut refusal) => {
                drop(world);
                refusal.headers.push(("www-authenticate", "Basic realm=\"GitHub\"".to_owned()));
                return Ok(reply(shared, refusal));
            }
        }
    };
    let inside = path.trim_start_matches('/').splitn(3, '/').nth(2).unwrap_or_default();
    let header =
        |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_PROJECT_ROOT", &repository)
        .env("PATH_INFO", format!("/{inside}"))
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|_| HangUp)?;
    let mut stdin = child.stdin.take().expect("it is piped");
    let write = async move { stdin.write_all(&body).await };
    // It may end without reading everything.
    let (_, output) = tokio::join!(write, child.wait_with_output());
    let output = output.map_err(|_| HangUp)?.stdout;
    let border = output.windows(4).position(|four| four == b"\r\n\r\n").ok_or(HangUp)?;
    let mut response = Response::builder();
    for line in String::from_utf8_lossy(&output[..border]).lines() {
        let Some((name, value)) = line.split_once(": ") else { continue };
        response = match name {
            "Status" => response.status(value.split(' ').next().unwrap_or("500")),
            _ => response.header(name, value),
        };
    }
    response.body(Body::from(output[border + 4..].to_vec())).map_err(|_| HangUp)
}
