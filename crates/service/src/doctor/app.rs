//! What `recuse doctor` says of the GitHub App: its key, what it may and hears, whether deliveries arrive, and whether a
//! required check can come from anybody else.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use anyhow::{Result, anyhow};
use github::app::{DeliveryPage, Installation, Permission};
use github::repository::RequiredCheck;
use github::{App, Credential, ErrorKind, RepositoryApi};
use review::text::visible_line;
use store::DELIVERY_WINDOW_MS;

use super::{Diagnosis, Health, good, missing};
use crate::config::ServeSection;
use crate::places::{self, Environment};
use crate::serve::needs::{EVENTS, PERMISSIONS};
use crate::serve::{AppKeys, CHECK_NAME, app_keys, connection, recent_places};

/// The most repositories that are looked at where none is named.
const MOST_REPOSITORIES: usize = 10;

/// What reading a branch's rules takes.
const READER: [Permission; 2] = [Permission::MetadataRead, Permission::ContentsRead];

/// Looks at the App, if there is one; at one repository if it is named (`OWNER/NAME`), else at those that were reviewed
/// lately.
pub async fn examine_app(
    section: &ServeSection,
    repository: Option<&str>,
    environment: Environment<'_>,
) -> Vec<Diagnosis> {
    let remedy = "set RECUSE_APP_ID, RECUSE_APP_PRIVATE_KEY_FILE and RECUSE_WEBHOOK_SECRET, or register an App on the \
                  page that `recuse serve` names";
    let keys = match app_keys(environment) {
        Ok(Some(keys)) => keys,
        Ok(None) if repository.is_none() => return Vec::new(),
        Ok(None) => return vec![missing("app", "none is registered here".to_owned(), remedy)],
        Err(error) => return vec![missing("app", format!("{error:#}"), remedy)],
    };
    match look(section, &keys, repository, environment).await {
        Ok(all) => all,
        Err(error) => {
            let not_ours = error
                .downcast_ref::<github::ApiError>()
                .is_some_and(|error| matches!(error.kind, ErrorKind::Unauthorized | ErrorKind::NotFound));
            let remedy = if not_ours {
                "the number and the private key have to be of one App: both are on its page on GitHub"
            } else {
                "GitHub's API has to be reachable from here (RECUSE_GITHUB_URL), and this machine's clock right"
            };
            vec![missing("app", format!("app {}: {error:#}", keys.id), remedy)]
        }
    }
}

async fn look(
    section: &ServeSection,
    keys: &AppKeys,
    repository: Option<&str>,
    environment: Environment<'_>,
) -> Result<Vec<Diagnosis>> {
    let connection = connection(section, environment)?;
    let app = App::new(connection.clone(), keys.id, &keys.private_key)?;
    let described = app.describe().await?;
    let page = visible_line(&described.html_url);
    let mut all =
        vec![good("app", format!("{} is app {}; its key works", visible_line(&described.name), keys.id))];
    all.push(permissions("it", &described.permissions, &format!("change it on {page}")));
    all.push(events(&described.events, &page));
    all.push(webhook(app.webhook_url().await?.as_deref()));
    all.push(deliveries(&app.deliveries(None).await?));
    let installations = app.installations().await?.items;
    all.extend(installed(&installations, &page));
    let reader = Reader { connection: &connection, app: &app, app_id: keys.id };
    match repository {
        Some(name) => all.push(reader.of_named(name).await),
        None => all.extend(reader.of_recent(environment).await?),
    }
    Ok(all)
}

/// `read` is less than `write`; what GitHub may add is more.
fn allows(have: Option<&String>, need: &str) -> bool {
    have.is_some_and(|have| have == need || have != "read")
}

fn permissions(whose: &str, have: &BTreeMap<String, String>, remedy: &str) -> Diagnosis {
    let lacking: Vec<String> = PERMISSIONS
        .iter()
        .filter(|(name, need)| !allows(have.get(*name), need))
        .map(|(name, need)| format!("{name}: {need}"))
        .collect();
    if !lacking.is_empty() {
        return missing("app permissions", format!("{whose} lacks {}", lacking.join(", ")), remedy);
    }
    // Reading more than is needed does not put the code at risk; writing does.
    let needless: Vec<String> = have
        .iter()
        .filter(|(_, access)| *access != "read")
        .filter(|(name, access)| !PERMISSIONS.contains(&(name.as_str(), access.as_str())))
        .map(|(name, access)| format!("{}: {}", visible_line(name), visible_line(access)))
        .collect();
    if needless.is_empty() {
        return good("app permissions", format!("{whose} may do what it needs, and changes no code"));
    }
    weak("app permissions", format!("{whose} may do more than it needs: {}", needless.join(", ")), remedy)
}

fn weak(subject: &'static str, finding: String, remedy: &str) -> Diagnosis {
    Diagnosis { subject, state: Health::Weak, finding, remedy: Some(remedy.to_owned()) }
}

fn events(have: &[String], page: &str) -> Diagnosis {
    let unheard: Vec<&str> =
        EVENTS.into_iter().filter(|event| !have.iter().any(|heard| heard == event)).collect();
    let finding = format!("it does not hear of {}", unheard.join(", "));
    let remedy = format!("subscribe to them on {page}, under permissions and events");
    match unheard.as_slice() {
        [] => good("app events", "it hears of all that it acts on".to_owned()),
        // Without these nothing would ever be reviewed by itself.
        unheard if unheard.contains(&"pull_request") => missing("app events", finding, &remedy),
        _ => weak("app events", finding, &remedy),
    }
}

fn webhook(url: Option<&str>) -> Diagnosis {
    let Some(url) = url else {
        let remedy = "set its webhook's address to that of this server, ending with /webhook";
        return missing("webhook", "GitHub sends deliveries nowhere".to_owned(), remedy);
    };
    let parsed = host_of(url);
    let shown = visible_line(url);
    match parsed {
        Some(host) if is_local(&host) => weak(
            "webhook",
            format!("GitHub sends deliveries to {shown}, which only this machine reaches"),
            "give it an address that GitHub reaches",
        ),
        Some(_) if url.starts_with("https://") => {
            good("webhook", format!("GitHub sends deliveries to {shown}"))
        }
        Some(_) | None => weak(
            "webhook",
            format!("GitHub sends deliveries to {shown}, where others can read along"),
            "put TLS in front of the server and change the address to https",
        ),
    }
}

/// The host of an address.
fn host_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(six) => six.split(']').next()?,
        None => host.split(':').next()?,
    };
    Some(host.to_owned()).filter(|host| !host.is_empty())
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn deliveries(page: &DeliveryPage) -> Diagnosis {
    let total: BTreeSet<&str> = page.deliveries.iter().map(|delivery| delivery.guid.as_str()).collect();
    let arrived: BTreeSet<&str> = page
        .deliveries
        .iter()
        .filter(|delivery| delivery.status == "OK")
        .map(|delivery| delivery.guid.as_str())
        .collect();
    // Newest first.
    let last_failed = page.deliveries.iter().find(|delivery| !arrived.contains(delivery.guid.as_str()));
    let remedy =
        "its log on GitHub (advanced settings) has the answers; `recuse serve` asks for them again by itself";
    match last_failed {
        None if total.is_empty() => weak(
            "deliveries",
            "GitHub delivered nothing in the last days".to_owned(),
            "install the App where it should review, and open a pull request",
        ),
        None => good("deliveries", format!("the last {} arrived", total.len())),
        Some(failed) => {
            let lost = total.len() - arrived.len();
            let when = failed.delivered_at.map(|at| format!(" at {at}")).unwrap_or_default();
            let finding = format!(
                "{lost} of the last {} did not arrive; the last of them{when}: {}",
                total.len(),
                visible_line(&failed.status)
            );
            if arrived.is_empty() {
                missing("deliveries", finding, remedy)
            } else {
                weak("deliveries", finding, remedy)
            }
        }
    }
}

/// Where it is installed; each place that has less than the App asks for.
fn installed(installations: &[Installation], page: &str) -> Vec<Diagnosis> {
    if installations.is_empty() {
        let remedy = format!("install it: {page}/installations/new");
        return vec![missing("installations", "it is installed nowhere".to_owned(), &remedy)];
    }
    let names: Vec<String> = installations.iter().map(|one| visible_line(&one.account.login)).collect();
    let shown = names.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(5);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let mut all = vec![good("installations", format!("{shown}{more}"))];
    for (one, name) in installations.iter().zip(&names) {
        if one.is_suspended {
            let finding = format!("{name} has it suspended");
            all.push(weak("installations", finding, "whoever installed it can lift that"));
            continue;
        }
        let remedy = "its owner has to accept the new permissions, on GitHub under installed apps";
        let diagnosis = permissions(&format!("the installation of {name}"), &one.permissions, remedy);
        if diagnosis.state != Health::Good {
            all.push(diagnosis);
        }
    }
    all
}

/// What reads the rules of branches.
struct Reader<'a> {
    connection: &'a github::Connection,
    app: &'a App,
    app_id: u64,
}

impl Reader<'_> {
    async fn of_named(&self, name: &str) -> Diagnosis {
        let remedy = "write it as OWNER/NAME, and install the App there";
        let Some((owner, repository)) = name.split_once('/') else {
            return missing("required check", format!("{} is no OWNER/NAME", visible_line(name)), remedy);
        };
        match self.required(owner, repository).await {
            Ok((branch, required)) => required_check(name, &branch, &required, self.app_id),
            Err(error) => missing("required check", format!("{}: {error:#}", visible_line(name)), remedy),
        }
    }

    async fn of_recent(&self, environment: Environment<'_>) -> Result<Vec<Diagnosis>> {
        let store = store::open(&places::database_url(environment)?).await?;
        let places = recent_places(&store, 2 * DELIVERY_WINDOW_MS, MOST_REPOSITORIES).await;
        store.close().await;
        let mut all = Vec::new();
        for name in places? {
            all.push(self.of_named(&name).await);
        }
        if all.is_empty() {
            let finding = "not looked at: nothing was reviewed here lately".to_owned();
            all.push(weak("required check", finding, "name a repository: `recuse doctor --repo OWNER/NAME`"));
        }
        Ok(all)
    }

    /// The default branch, and what it requires.
    async fn required(&self, owner: &str, name: &str) -> Result<(String, Vec<RequiredCheck>)> {
        let installation = self.app.installation_of(owner, name).await?;
        let token = self.app.mint_by_name(installation, name, &READER).await?;
        let api = RepositoryApi::new(self.connection.clone(), Credential::Installation(token), owner, name);
        let branch = api.repository().await?.default_branch;
        if branch.is_empty() {
            return Err(anyhow!("GitHub names no default branch"));
        }
        let required = api.branch_rules(&branch).await?;
        Ok((branch, required))
    }
}

/// Whether what a branch requires can only come from us.
fn required_check(repository: &str, branch: &str, required: &[RequiredCheck], app_id: u64) -> Diagnosis {
    let branch = visible_line(branch);
    let of_name: Vec<&RequiredCheck> = required.iter().filter(|check| check.context == CHECK_NAME).collect();
    let pin = format!("choose this App as the source of `{CHECK_NAME}` in the branch's rules");
    let subject = "required check";
    if of_name.is_empty() {
        return weak(
            subject,
            format!("{repository}: {branch} does not require `{CHECK_NAME}`, so nothing waits for a review"),
            &format!("if merging is to wait for it, require the check `{CHECK_NAME}` from this App"),
        );
    }
    if of_name.iter().any(|check| check.app_id == Some(app_id)) {
        return good(subject, format!("{repository}: {branch} requires `{CHECK_NAME}` from this App alone"));
    }
    match of_name.iter().find_map(|check| check.app_id) {
        Some(other) => missing(
            subject,
            format!("{repository}: {branch} requires `{CHECK_NAME}` from app {other}, which is another one"),
            &pin,
        ),
        None => weak(
            subject,
            format!(
                "{repository}: {branch} takes `{CHECK_NAME}` from anybody: a workflow of the pull request could say it"
            ),
            &pin,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_only_this_machine_reaches_are_known() {
        for (url, host, local) in [
            ("https://recuse.example.com/webhook", Some("recuse.example.com"), false),
            ("http://127.0.0.1:8080/webhook", Some("127.0.0.1"), true),
            ("http://[::1]:8080/webhook", Some("::1"), true),
            ("http://localhost", Some("localhost"), true),
            ("https://user@hooks.example:443?x=/", Some("hooks.example"), false),
            ("nothing", None, false),
        ] {
            let found = host_of(url);
            assert_eq!(found.as_deref(), host, "{url}");
            assert_eq!(found.is_some_and(|host| is_local(&host)), local, "{url}");
        }
    }

    #[test]
    fn a_check_that_others_can_set_is_told() {
        let check = |app_id| RequiredCheck { context: "recuse".to_owned(), app_id };
        let other = RequiredCheck { context: "tests".to_owned(), app_id: None };
        let state = |required: &[RequiredCheck]| required_check("a/b", "main", required, 7).state;
        assert_eq!(state(&[]), Health::Weak);
        assert_eq!(state(&[other]), Health::Weak);
        assert_eq!(state(&[check(Some(7))]), Health::Good);
        assert_eq!(state(&[check(None), check(Some(7))]), Health::Good);
        assert_eq!(state(&[check(None)]), Health::Weak);
        assert_eq!(state(&[check(Some(8))]), Health::Missing);
    }

    #[test]
    fn what_may_be_too_little_or_too_much_is_named() {
        let have = |list: &[(&str, &str)]| -> BTreeMap<String, String> {
            list.iter().map(|(name, access)| ((*name).to_owned(), (*access).to_owned())).collect()
        };
        let mut all = PERMISSIONS.to_vec();
        assert_eq!(permissions("it", &have(&all), "").state, Health::Good);
        all.extend([("contents", "write"), ("members", "read"), ("workflows", "write")]);
        let more = permissions("it", &have(&all), "");
        assert_eq!(more.state, Health::Weak);
        assert_eq!(more.finding, "it may do more than it needs: contents: write, workflows: write");
        let less = permissions("it", &have(&[("metadata", "read"), ("checks", "read")]), "");
        assert_eq!(less.state, Health::Missing);
        assert_eq!(
            less.finding,
            "it lacks contents: read, pull_requests: write, issues: write, checks: write, statuses: read"
        );
    }
}
