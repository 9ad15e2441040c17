//! The one page of GitHub that recuse sends a browser to: the registration of an App by its manifest.

use axum::body::{Body, Bytes};
use axum::http::Response;
use axum::http::request::Parts;
use serde_json::Value;

use github::webhook::Secrets;

use super::server::{Shared, raw};

/// What an App that is registered by its manifest is given to check deliveries with.
pub(crate) const NEW_WEBHOOK_SECRET: &str = "a-new-webhook-secret";

/// Registers the App that a form brings, as somebody does who presses the button at once; `None` for any other page.
pub(crate) fn serve(shared: &Shared, parts: &Parts, body: &Bytes) -> Option<Response<Body>> {
    let is_form = parts.uri.path().ends_with("/settings/apps/new") && parts.method == "POST";
    if !is_form {
        return None;
    }
    let fields = |text: &str| -> Vec<(String, String)> {
        let url = reqwest::Url::parse(&format!("http://x/?{text}")).expect("a query");
        url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    };
    let find = |fields: &[(String, String)], wanted: &str| {
        fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
    };
    let state = find(&fields(parts.uri.query().unwrap_or_default()), "state").unwrap_or_default();
    let manifest = find(&fields(&String::from_utf8_lossy(body)), "manifest").unwrap_or_default();
    let manifest: Value = serde_json::from_str(&manifest).unwrap_or_default();
    let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let (Some(hook), Some(back)) = (text("/hook_attributes/url"), text("/redirect_url")) else {
        return Some(raw(422, &[("content-type", "text/plain")], Body::from("an invalid manifest")));
    };
    let mut world = shared.world();
    let code = format!("code-{}", world.next_id());
    world.manifest_codes.insert(code.clone());
    world.manifests.push(manifest);
    let secrets = Secrets::new(&NEW_WEBHOOK_SECRET.into(), None).expect("it is not empty");
    world.outbox.send_to(&hook, secrets);
    Some(raw(302, &[("location", &format!("{back}?code={code}&state={state}"))], Body::empty()))
}
