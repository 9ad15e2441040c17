//! The App: its tokens, its installations, its registration.

use github::app::{Permission, convert_manifest};
use github::repository::Rest;
use github::{App, Credential, ErrorKind, RepositoryApi};
use secrecy::ExposeSecret as _;

use super::{PERMISSIONS, app, connection, limits, shop};
use crate::support::fake_github::{APP_ID, APP_SLUG, Endpoint, FakeGitHub, OpenPull};

#[tokio::test]
async fn a_token_is_for_one_repository_and_a_few_permissions() {
    let fake = FakeGitHub::start();
    let number = fake.open_pull(1, &OpenPull::default());
    fake.add_repository(2, "acme", "depot");
    fake.install(9, "acme", &[1, 2]);
    let asked = [Permission::ContentsRead, Permission::PullRequestsRead];
    let token = app(&fake).mint(9, 1, &asked).await.unwrap();
    let secret = token.secret.expose_secret().to_owned();
    assert!(secret.starts_with("ghs_77_") && secret.matches('.').count() == 2 && secret.len() > 500);
    let shown = format!("{token:?} {:?}", Credential::Installation(token.clone()));
    assert!(!shown.contains(&secret), "{shown}");
    let shop = RepositoryApi::new(
        connection(&fake, limits()),
        Credential::Installation(token.clone()),
        "acme",
        "shop",
    );
    assert_eq!(shop.pull(number).await.unwrap().title, "Sell apples");
    assert!(!format!("{shop:?}").contains(&secret));
    // It may not write, and it does not reach the other repository.
    let refused = shop.create_comment(number, "Hello").await.unwrap_err();
    assert!(matches!(refused.kind, ErrorKind::Forbidden { .. }), "{refused}");
    let other =
        RepositoryApi::new(connection(&fake, limits()), Credential::Installation(token), "acme", "depot");
    assert_eq!(other.repository().await.unwrap_err().kind, ErrorKind::NotFound);
    let call = fake.calls().into_iter().find(|call| call.endpoint == Some(Endpoint::Pull)).unwrap();
    assert_eq!(call.permissions, ["contents:read", "metadata:read", "pull_requests:read"]);
    fake.finish();
}

#[tokio::test]
async fn what_cannot_be_minted_says_why() {
    let fake = FakeGitHub::start();
    fake.add_repository(2, "acme", "depot");
    let app = app(&fake);
    let elsewhere = app.mint(9, 2, &PERMISSIONS).await.unwrap_err();
    assert!(matches!(&elsewhere.kind, ErrorKind::Invalid { message } if message.contains("not accessible")));
    assert_eq!(app.mint(404, 1, &PERMISSIONS).await.unwrap_err().kind, ErrorKind::NotFound);
    fake.revoke_permission(9, "checks");
    let missing = app.mint(9, 1, &PERMISSIONS).await.unwrap_err();
    assert!(matches!(&missing.kind, ErrorKind::Invalid { message } if message.contains("not granted")));
    fake.suspend(9);
    let suspended = app.mint(9, 1, &PERMISSIONS).await.unwrap_err();
    assert!(matches!(&suspended.kind, ErrorKind::Forbidden { message } if message.contains("suspended")));
    fake.uninstall(9);
    let gone = app.mint(9, 1, &PERMISSIONS).await.unwrap_err();
    assert_eq!(gone.kind, ErrorKind::NotFound);
    assert_eq!(
        gone.to_string(),
        "could not mint an installation token (POST /app/installations/9/access_tokens): github knows nothing there, \
         or does not show it to this credential"
    );
    fake.finish();
}

#[tokio::test]
async fn an_expired_token_is_told_as_such() {
    let fake = FakeGitHub::start();
    let shop = shop(&fake).await;
    fake.expire_tokens();
    assert_eq!(shop.repository().await.unwrap_err().kind, ErrorKind::Unauthorized);
    fake.finish();
}

#[tokio::test]
async fn another_apps_number_is_not_accepted() {
    let fake = FakeGitHub::start();
    let other = App::new(connection(&fake, limits()), APP_ID + 1, &fake.pem().into()).unwrap();
    assert_eq!(other.describe().await.unwrap_err().kind, ErrorKind::Unauthorized);
    assert_eq!(fake.take_violations(), ["the app's token is wrong: it is not issued by the app"]);
    fake.finish();
}

#[tokio::test]
async fn the_app_knows_itself_and_where_it_is_installed() {
    let fake = FakeGitHub::start();
    fake.deliver_to("http://127.0.0.1:1/webhook");
    let app = app(&fake);
    let described = app.describe().await.unwrap();
    assert_eq!((described.id, described.slug.as_str()), (APP_ID, APP_SLUG));
    assert_eq!(described.permissions["checks"], "write");
    assert!(described.events.contains(&"pull_request".to_owned()));
    assert_eq!(app.webhook_url().await.unwrap().as_deref(), Some("http://127.0.0.1:1/webhook"));
    assert_eq!(app.installation_of("acme", "shop").await.unwrap(), 9);
    assert_eq!(app.installation_of("acme", "none").await.unwrap_err().kind, ErrorKind::NotFound);
    for id in 100..250 {
        fake.install(id, "acme", &[]);
    }
    fake.suspend(249);
    let all = app.installations().await.unwrap();
    assert_eq!((all.items.len(), all.rest), (151, github::repository::Rest::Nothing));
    assert!(all.items.iter().all(|one| one.is_suspended == (one.id == 249)));
    fake.finish();
}

#[tokio::test]
async fn a_manifests_code_becomes_an_app_once_and_no_credential_is_sent() {
    let fake = FakeGitHub::start();
    let connection = connection(&fake, limits());
    let code = fake.manifest_code();
    let new = convert_manifest(&connection, &code).await.unwrap();
    let shown = format!("{new:?}");
    assert!(!shown.contains("PRIVATE KEY") && !shown.contains("a-new-webhook-secret"), "{shown}");
    assert_eq!(new.webhook_secret.as_ref().unwrap().expose_secret(), "a-new-webhook-secret");
    let app = App::new(connection.clone(), new.id, &new.pem).unwrap();
    assert_eq!(app.describe().await.unwrap().slug, new.slug);
    let again = convert_manifest(&connection, &code).await.unwrap_err();
    assert_eq!(again.kind, ErrorKind::NotFound);
    assert!(!again.to_string().contains(&code), "{again}");
    fake.finish();
}

#[tokio::test]
async fn what_an_installation_reaches_is_listed_with_a_token_that_may_nothing_else() {
    let fake = FakeGitHub::start();
    let ids: Vec<u64> = (1..=105).collect();
    for id in &ids[1..] {
        fake.add_repository(*id, "acme", &format!("shop{id}"));
    }
    fake.install(9, "acme", &ids);
    let app = app(&fake);
    let reached = app.reached(9).await.unwrap();
    assert_eq!((reached.items.len(), reached.rest), (105, Rest::Nothing));
    assert_eq!((reached.items[1].owner.as_str(), reached.items[1].name.as_str()), ("acme", "shop2"));
    let pages: Vec<_> =
        fake.calls().into_iter().filter(|call| call.endpoint == Some(Endpoint::Reached)).collect();
    assert_eq!(pages.len(), 2);
    assert!(pages.iter().all(|page| page.permissions == ["metadata:read"]), "{pages:?}");
    fake.suspend(9);
    assert!(matches!(app.reached(9).await.unwrap_err().kind, ErrorKind::Forbidden { .. }));
    fake.uninstall(9);
    assert_eq!(app.reached(9).await.unwrap_err().kind, ErrorKind::NotFound);
    fake.finish();
}

#[tokio::test]
async fn an_enterprise_among_the_installations_is_listed_by_its_slug() {
    let fake = FakeGitHub::start();
    fake.add_enterprise("oak-works");
    fake.install(10, "oak-works", &[]);
    let installations = app(&fake).installations().await.unwrap().items;
    let names: Vec<_> = installations.iter().map(|one| (one.id, one.account.login.as_str())).collect();
    assert_eq!(names, [(9, "acme"), (10, "oak-works")]);
    fake.finish();
}
