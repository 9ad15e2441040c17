//! From a server without an App to its first packet: the setup page, as a person and their browser meet it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use reqwest::redirect::Policy;
use service::serve::needs::{EVENTS, PERMISSIONS};

use crate::support::fake_github::{Endpoint, FakeGitHub, NEW_WEBHOOK_SECRET, OpenPull};
use crate::support::server::{Home, Server};

/// A browser: cookies do not matter, redirects are looked at.
fn browser() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().expect("a client")
}

async fn page(url: &str) -> (u16, String) {
    let answer = browser().get(url).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

/// What stands between two texts.
fn between<'t>(text: &'t str, begin: &str, end: &str) -> &'t str {
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("no {begin} in {text}"));
    rest.split_once(end).expect("an end").0
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

fn root(server: &Server) -> String {
    let url = reqwest::Url::parse(&server.webhook).expect("an address");
    format!("http://{}:{}", url.host_str().expect("a host"), url.port().expect("a port"))
}

/// Presses the button of the page; where GitHub leads back to.
async fn press(form: &str) -> String {
    let action = unescaped(between(form, "action=\"", "\""));
    let manifest = unescaped(between(form, "name=\"manifest\" value=\"", "\""));
    let body = reqwest::Url::parse_with_params("http://x/", [("manifest", &manifest)]).expect("a form");
    let request = browser().post(action).header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body(body.query().expect("a field").to_owned()).send().await.expect("an answer");
    assert_eq!(answer.status(), 302);
    answer.headers()["location"].to_str().expect("an address").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_registered_on_the_page_and_reviews_at_once() {
    let fake = FakeGitHub::start();
    let home = Home::without_app(&fake, "[serve]\nlease_seconds = 1\n");
    let server = home.serve(&["--offline"]);
    let (root, setup) = (root(&server), server.webhook.clone());
    assert_eq!(page(&format!("{root}/healthz")).await.0, 200);
    assert_eq!(page(&format!("{root}/readyz")).await.0, 503);
    assert_eq!(page(&format!("{root}/webhook")).await.0, 404);

    // Whoever does not see the operator's terminal sees no form.
    for stranger in ["/setup", "/setup?token=", "/setup?token=0123456789abcdef0123456789abcdef"] {
        let (status, text) = page(&format!("{root}{stranger}")).await;
        assert_eq!(status, 403, "{stranger}");
        assert!(!text.contains("manifest"), "{text}");
    }
    let forged = page(&format!("{root}/setup/callback?code={}&state=guess", fake.manifest_code())).await;
    assert_eq!((forged.0, fake.count(Endpoint::ConvertManifest)), (403, 0));

    let (status, form) = page(&setup).await;
    assert_eq!(status, 200, "{form}");
    assert!(form.contains(&format!("{root}/webhook")), "{form}");
    let back = press(&form).await;
    // A code that GitHub does not know is no end of it.
    let (_, token) = setup.split_once("token=").expect("it ends with a token");
    let unknown = page(&format!("{root}/setup/callback?code=unknown&state={token}")).await;
    assert_eq!(unknown.0, 502, "{}", unknown.1);
    let (status, done) = page(&back).await;
    assert_eq!(status, 200, "{done}");
    assert!(done.contains("/installations/new"), "{done}");

    let manifest = &fake.manifests()[0];
    assert_eq!(manifest["public"], false);
    assert_eq!(manifest["default_events"], serde_json::json!(EVENTS));
    let asked = manifest["default_permissions"].as_object().expect("permissions");
    assert_eq!(asked.len(), PERMISSIONS.len());
    assert!(PERMISSIONS.iter().all(|(name, access)| asked[*name] == *access), "{asked:?}");

    server.until("it serves as the App", || server.said().contains("receiving deliveries"));
    let keys = home.path().join(".local/state/recuse/app.json");
    let mode = std::fs::metadata(&keys).expect("it is kept").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for secret in [NEW_WEBHOOK_SECRET, "PRIVATE KEY"] {
        assert!(!server.said().contains(secret), "{}", server.said());
    }
    // There is no page any more, neither for a second App nor for the first one again.
    for late in [&setup, &back] {
        assert_eq!(page(late).await.0, 404, "{late}");
    }
    assert_eq!(page(&format!("{root}/readyz")).await.0, 200);
    let number = fake.open_pull(1, &OpenPull::default());
    server.until("its packet is there", || !fake.comments(1, number).is_empty());

    // The next start finds the keys.
    assert!(server.terminate().success());
    let again = home.serve(&["--offline"]);
    assert!(again.webhook.ends_with("/webhook"), "{}", again.webhook);
    fake.finish();
}

/// What keeps keys from being kept, by its name: how it comes about, and how it goes away.
type Obstacle = (&'static str, fn(&Path), fn(&Path));

const OBSTACLES: [Obstacle; 3] = [
    // As of another server that was set up meanwhile.
    (
        "already: start recuse serve again",
        |keys| std::fs::write(keys, "another's").expect("written"),
        |keys| std::fs::remove_file(keys).expect("removed"),
    ),
    (
        "already: start recuse serve again",
        |keys| std::fs::create_dir(keys).expect("a folder"),
        |keys| std::fs::remove_dir(keys).expect("removed"),
    ),
    (
        "could not write beside",
        |keys| {
            std::fs::remove_dir_all(folder(keys)).expect("removed");
            std::fs::write(folder(keys), "no folder").expect("written");
        },
        |keys| std::fs::remove_file(folder(keys)).expect("removed"),
    ),
];

fn folder(keys: &Path) -> &Path {
    keys.parent().expect("a file is in a folder")
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_could_not_be_kept_are_not_asked_for_and_nothing_is_overwritten() {
    for (words, arises, goes_away) in OBSTACLES {
        let fake = FakeGitHub::start();
        let home = Home::without_app(&fake, "");
        let server = home.serve(&["--offline"]);
        let setup = server.webhook.clone();
        let keys = home.path().join(".local/state/recuse/app.json");
        let (_, form) = page(&setup).await;
        let back = press(&form).await;
        std::fs::create_dir_all(folder(&keys)).expect("a folder");
        arises(&keys);
        // Nobody is sent to GitHub for nothing, and whoever comes back from there has lost nothing.
        for url in [&setup, &back] {
            let (status, text) = page(url).await;
            assert_eq!(status, 500, "{text}");
            assert!(text.contains(words) && text.contains("load this page again"), "{text}");
        }
        server.until("the log says so too", || server.said().matches(words).count() == 2);
        assert_eq!(fake.count(Endpoint::ConvertManifest), 0, "{words}");
        if keys.is_file() {
            assert_eq!(std::fs::read_to_string(&keys).expect("it is there"), "another's");
        }
        goes_away(&keys);
        let (status, done) = page(&back).await;
        assert_eq!(status, 200, "{done}");
        assert_eq!(fake.count(Endpoint::ConvertManifest), 1, "{words}");
        let names = std::fs::read_dir(folder(&keys)).expect("a folder");
        let names = names.map(|entry| entry.expect("an entry").file_name());
        let drafts: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with("app.json.")).collect();
        assert!(drafts.is_empty(), "{drafts:?}");
        fake.finish();
    }
}

#[test]
fn the_page_about_the_app_says_what_it_may_do_and_what_can_be_set() {
    let page = include_str!("../docs/app.md");
    for (name, access) in PERMISSIONS {
        assert!(page.contains(&format!("| `{name}` | {access} |")), "{name}");
    }
    assert_eq!(
        page.lines().filter(|line| line.contains("| write |") || line.contains("| read |")).count(),
        PERMISSIONS.len()
    );
    for word in EVENTS.into_iter().chain([
        "RECUSE_APP_ID",
        "RECUSE_APP_PRIVATE_KEY",
        "RECUSE_APP_PRIVATE_KEY_FILE",
        "RECUSE_WEBHOOK_SECRET",
        "RECUSE_WEBHOOK_SECRET_PREVIOUS",
        "RECUSE_GITHUB_URL",
        "RECUSE_LISTEN",
        "RECUSE_DATABASE_URL",
        "RECUSE_WRITE_INTERVAL_MS",
    ]) {
        assert!(page.contains(&format!("`{word}`")), "{word}");
    }
}
