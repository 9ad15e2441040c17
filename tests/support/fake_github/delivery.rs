//! Deliveries: what is sent to the webhook, when, how often, and the log of it that the API shows.
//!
//! By default each is sent at once. A test that wants them late, twice, out of order or not at all holds them back and
//! sends them itself.

use std::sync::Arc;

use github::webhook::Secrets;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::record;
use super::render::{TIME, node_id};
use super::server::Shared;
use super::world::{Answered, World};

/// An event that was sent, or is to be.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// `X-GitHub-Delivery`.
    pub(crate) guid: String,
    /// `X-GitHub-Event`.
    pub(crate) event: String,
    /// The exact bytes.
    pub(crate) body: Vec<u8>,
    /// What lists of deliveries say of it: action, installation and repository.
    pub(crate) listed: [Value; 3],
}

/// One attempt at one.
struct Attempt {
    id: u64,
    guid: String,
    is_redelivery: bool,
    status: String,
    status_code: u16,
}

/// Whether deliveries are sent as they come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    AtOnce,
    Held,
}

/// Why an event is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It happened.
    ByTheEvent,
    /// Somebody asked for it again.
    ByTheApi,
}

/// All deliveries.
pub(crate) struct Outbox {
    receiver: Option<(String, Arc<Secrets>)>,
    sending: Sending,
    deliveries: Vec<Delivery>,
    attempts: Vec<Attempt>,
    /// Told and not yet sent or held.
    fresh: Vec<String>,
    under_way: watch::Sender<usize>,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            receiver: None,
            sending: Sending::AtOnce,
            deliveries: Vec::new(),
            attempts: Vec::new(),
            fresh: Vec::new(),
            under_way: watch::Sender::new(0),
        }
    }
}

impl Outbox {
    pub(crate) fn send_to(&mut self, url: &str, secrets: Secrets) {
        self.receiver = Some((url.to_owned(), Arc::new(secrets)));
    }

    pub(crate) fn url(&self) -> Option<&str> {
        self.receiver.as_ref().map(|(url, _)| url.as_str())
    }

    pub(crate) fn set_sending(&mut self, sending: Sending) {
        self.sending = sending;
    }

    pub(crate) fn all(&self) -> &[Delivery] {
        &self.deliveries
    }

    pub(crate) fn under_way(&self) -> watch::Receiver<usize> {
        self.under_way.subscribe()
    }

    /// How often an event arrived and was taken.
    pub(crate) fn times_taken(&self, guid: &str) -> usize {
        self.attempts.iter().filter(|attempt| attempt.guid == guid && attempt.status == "OK").count()
    }
}

impl World {
    /// Tells of an event; its guid. [`Shared::flush`] sends it.
    pub(crate) fn tell(
        &mut self,
        event: &str,
        repository: Option<u64>,
        sender: &str,
        mut payload: Value,
    ) -> String {
        payload["sender"] = self.user_json(sender);
        if let Some(repository) = repository {
            payload["repository"] = self.repository_json(repository);
            if let Some(installation) = self.installation_of(repository) {
                payload["installation"] =
                    json!({"id": installation, "node_id": node_id("INS", installation)});
            }
        }
        record::delivery(event, &payload);
        let number = self.next_id();
        let guid = format!("{number:08x}-0000-4000-8000-{number:012x}");
        let body = payload.to_string().into_bytes();
        self.outbox.fresh.push(guid.clone());
        let listed = [&payload["action"], &payload["installation"]["id"], &payload["repository"]["id"]];
        let listed = listed.map(Value::clone);
        self.outbox.deliveries.push(Delivery { guid: guid.clone(), event: event.to_owned(), body, listed });
        guid
    }

    /// `GET /app/hook/deliveries`, newest first.
    pub(crate) fn deliveries_json(&self, per_page: usize, cursor: Option<&str>, address: &str) -> Answered {
        let newest: Vec<_> = self.outbox.attempts.iter().rev().collect();
        let begin =
            match cursor.map(|cursor| cursor.strip_prefix("v1_").and_then(|id| id.parse::<u64>().ok())) {
                None => 0,
                Some(Some(id)) => newest.iter().position(|attempt| attempt.id == id).unwrap_or(newest.len()),
                Some(None) => return Answered::message(422, "Invalid cursor"),
            };
        let page = newest.iter().skip(begin).take(per_page).map(|attempt| {
            let delivery = self.outbox.deliveries.iter().find(|delivery| delivery.guid == attempt.guid);
            let delivery = delivery.expect("an attempt belongs to a delivery");
            let [action, installation, repository] = &delivery.listed;
            json!({"id": attempt.id, "guid": attempt.guid, "delivered_at": TIME,
                "redelivery": attempt.is_redelivery, "duration": 0.1, "status": attempt.status,
                "status_code": attempt.status_code, "event": delivery.event, "action": action,
                "installation_id": installation, "repository_id": repository})
        });
        let mut answer = Answered::ok(page.collect());
        if let Some(next) = newest.get(begin + per_page) {
            let link = format!(
                "<{address}/app/hook/deliveries?per_page={per_page}&cursor=v1_{}>; rel=\"next\"",
                next.id
            );
            answer.headers.push(("link", link));
        }
        answer
    }
}

impl Shared {
    /// Sends what was told, unless it is held.
    pub(crate) fn flush(&self) {
        let (fresh, sending) = {
            let mut world = self.world();
            (std::mem::take(&mut world.outbox.fresh), world.outbox.sending)
        };
        if sending == Sending::AtOnce {
            fresh.iter().for_each(|guid| self.send(guid, Asked::ByTheEvent));
        }
    }

    /// Sends an event, whether it was sent before or not.
    pub(crate) fn send(&self, guid: &str, asked: Asked) {
        let (delivery, receiver) = {
            let world = self.world();
            let delivery = world.outbox.deliveries.iter().find(|delivery| delivery.guid == guid);
            (delivery.cloned().expect("a delivery of this guid"), world.outbox.receiver.clone())
        };
        let Some((url, secrets)) = receiver else { return };
        self.world().outbox.under_way.send_modify(|count| *count += 1);
        let shared = self.clone();
        self.runtime.spawn(async move {
            let request = shared.client.post(&url).header("content-type", "application/json");
            let request = request
                .header("user-agent", "GitHub-Hookshot/fake")
                .header("x-github-event", &delivery.event)
                .header("x-github-delivery", &delivery.guid)
                .header("x-github-hook-installation-target-type", "integration")
                .header("x-hub-signature-256", secrets.sign(&delivery.body));
            let (status, status_code) = match request.body(delivery.body.clone()).send().await {
                Ok(answer) if answer.status().is_success() => ("OK".to_owned(), answer.status().as_u16()),
                Ok(answer) => {
                    let code = answer.status().as_u16();
                    (format!("Invalid HTTP Response: {code}"), code)
                }
                Err(error) if error.is_timeout() => ("timed out".to_owned(), 0),
                Err(_) => ("failed to connect to host".to_owned(), 0),
            };
            shared.world().log_attempt(&delivery.guid, asked, status, status_code);
            shared.world().outbox.under_way.send_modify(|count| *count -= 1);
        });
    }
}

impl World {
    /// Writes down that an event did not arrive.
    pub(crate) fn drop_delivery(&mut self, guid: &str) {
        self.log_attempt(guid, Asked::ByTheEvent, "failed to connect to host".to_owned(), 0);
    }

    fn log_attempt(&mut self, guid: &str, asked: Asked, status: String, status_code: u16) {
        let id = self.next_id();
        let guid = guid.to_owned();
        self.outbox.attempts.push(Attempt {
            id,
            guid,
            is_redelivery: asked == Asked::ByTheApi,
            status,
            status_code,
        });
    }

    /// The event of an attempt.
    pub(crate) fn guid_of_attempt(&self, id: u64) -> Option<String> {
        self.outbox.attempts.iter().find(|attempt| attempt.id == id).map(|attempt| attempt.guid.clone())
    }
}
