//! How a server that cannot start says so.

use super::*;
use crate::support::program::Program;

/// What is set otherwise, how it ends, and a word of what is said.
type Row<'a> = (&'a [(&'a str, &'a str)], i32, &'a str);

#[test]
fn what_it_was_given_and_cannot_use_is_a_mistake_of_whoever_gave_it() {
    let fake = fake();
    let folder = tempfile::TempDir::new().expect("a folder");
    let missing = folder.path().join("missing.pem").display().to_string();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = taken.local_addr().expect("an address").to_string();
    let no_key = [("RECUSE_APP_PRIVATE_KEY", "no key")];
    let no_file = [("RECUSE_APP_PRIVATE_KEY", ""), ("RECUSE_APP_PRIVATE_KEY_FILE", missing.as_str())];
    let table: [Row; 7] = [
        (&[("RECUSE_LISTEN", "nowhere")], 2, "give an address with a port"),
        (&[("RECUSE_GITHUB_URL", "nothing")], 2, "address is not a URL"),
        (&[("RECUSE_WEBHOOK_SECRET", "")], 2, "RECUSE_WEBHOOK_SECRET is not set"),
        (&[("RECUSE_APP_ID", "many")], 2, "RECUSE_APP_ID is no number"),
        (&no_key, 2, "could not use the private key"),
        (&no_file, 2, "could not read the App's private key"),
        (&[("RECUSE_LISTEN", &taken)], 2, "RECUSE_LISTEN or `listen` in [serve]"),
    ];
    for (changes, code, words) in table {
        let mut program = Program::new()
            .env("RECUSE_GITHUB_URL", &fake.api_url())
            .env("RECUSE_LISTEN", "127.0.0.1:0")
            .env("RECUSE_APP_ID", &APP_ID.to_string())
            .env("RECUSE_APP_PRIVATE_KEY", &fake.pem())
            .env("RECUSE_WEBHOOK_SECRET", "a secret");
        for (name, value) in changes {
            program = program.env(name, value);
        }
        let ran = program.run(folder.path(), &["serve", "--offline"]);
        assert_eq!(ran.code, code, "{changes:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{changes:?}: {}", ran.stderr);
    }
    fake.finish();
}

#[test]
fn a_delivery_that_is_simulated_goes_where_the_server_is_and_is_answered_for_itself() {
    use crate::support::fake_github::WEBHOOK_SECRET;
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    ended(&fake, &server, number);
    let folder = tempfile::TempDir::new().expect("a folder");
    let (number_text, head) = (number.to_string(), fake.head(1, number));
    let say = |listen: &str| {
        let program =
            Program::new().env("RECUSE_WEBHOOK_SECRET", WEBHOOK_SECRET).env("RECUSE_LISTEN", listen);
        let arguments = [
            "simulate",
            "--repository",
            "acme/shop",
            "--installation",
            "9",
            "--number",
            &number_text,
            "--head",
            &head,
            "--login",
            "ada",
            "--comment",
            "/recuse help",
        ];
        program.run(folder.path(), &arguments)
    };
    for times in 1..=2 {
        let ran = say(server.address());
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "202 Accepted: a command\n"), "{}", ran.stderr);
        server.until("it was answered", || ours(&fake, number).len() == 1 + times);
    }
    let ran = say("127.0.0.1:1");
    assert_eq!(ran.code, 4);
    assert!(
        ran.stderr.contains("is `recuse serve` running there? --url names another address"),
        "{}",
        ran.stderr
    );
    fake.finish();
}
