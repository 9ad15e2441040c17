//! What the store promises, on both databases: each promise is one function, run on SQLite in a temporary folder and
//! on a fresh database of the PostgreSQL that `RECUSE_TEST_POSTGRES` names.

#![expect(clippy::unwrap_used, reason = "where the store fails, the test does")]

mod databases;

use std::future::Future;

use databases::{Database, postgres, sqlite};
use review::Digest;
use store::{Booking, OverCap, ReceiptKind, Reservation, Reserved, Scope, Store, TokensUsed, open};

/// Runs a promise on a database and removes the database.
async fn check<F: Future<Output = ()>>(database: Database, promise: impl FnOnce(Store) -> F) {
    let store = open(&database.url).await.expect("the database opens");
    promise(store.clone()).await;
    store.close().await;
    database.remove().await;
}

macro_rules! promises {
    ($($promise:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $promise() {
                crate::check(crate::sqlite(), super::$promise).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $promise() {
                crate::check(crate::postgres().await, super::$promise).await;
            })*
        }
    };
}

// Behind the macro, which it uses.
mod queue;

promises! {
    a_reservation_counts_at_once_and_at_its_whole_sum
    a_settled_call_counts_at_what_it_cost
    settling_twice_is_harmless_and_changing_the_sum_is_not
    a_cap_lets_in_what_fits_exactly_and_nothing_more
    every_cap_holds_and_the_answer_names_the_one_in_the_way
    a_refused_reservation_leaves_nothing_behind
    callers_who_race_never_pass_a_cap
    racing_reservations_and_settlements_add_up
    text_is_kept_as_it_is_and_never_becomes_sql
    a_sum_that_no_ledger_can_hold_is_an_error
    receipts_come_back_byte_for_byte
    the_same_bytes_are_kept_once
    a_receipt_nobody_kept_is_none
}

fn booking(scope: Scope, key: &str, limit_micro_usd: Option<u64>) -> Booking {
    Booking { scope, key: key.to_owned(), limit_micro_usd }
}

async fn reserve(store: &Store, micro_usd: u64, bookings: &[Booking]) -> Reserved {
    let wanted = Reservation { run_id: "run-oak", engine: "openai/sol", micro_usd, bookings, at_ms: 1 };
    store.reserve(&wanted).await.expect("the ledger answers")
}

async fn a_reservation_counts_at_once_and_at_its_whole_sum(store: Store) {
    let bookings = [booking(Scope::Change, "acme/shop#1", None), booking(Scope::Day, "2026-11-21", None)];
    assert!(matches!(reserve(&store, 700, &bookings).await, Reserved::Yes(_)));
    assert!(matches!(reserve(&store, 300, &bookings[1..]).await, Reserved::Yes(_)));
    assert_eq!(store.spent(Scope::Change, "acme/shop#1").await.unwrap(), 700);
    assert_eq!(store.spent(Scope::Day, "2026-11-21").await.unwrap(), 1000);
    // Nothing was booked on these.
    assert_eq!(store.spent(Scope::Day, "2026-11-22").await.unwrap(), 0);
    assert_eq!(store.spent(Scope::Author, "acme/shop#1").await.unwrap(), 0);
}

async fn a_settled_call_counts_at_what_it_cost(store: Store) {
    let bookings = [booking(Scope::Repository, "acme/shop", Some(1000))];
    let Reserved::Yes(first) = reserve(&store, 900, &bookings).await else { panic!("fits") };
    assert!(matches!(reserve(&store, 900, &bookings).await, Reserved::No(_)));
    let tokens = TokensUsed { input: 10, cached_input: 4, cache_write: 0, output: 3, reasoning: 1 };
    store.settle(first, 100, Some(tokens), 2).await.unwrap();
    assert_eq!(store.spent(Scope::Repository, "acme/shop").await.unwrap(), 100);
    let Reserved::Yes(second) = reserve(&store, 900, &bookings).await else { panic!("fits now") };
    // A call may cost more than was thought: the ledger holds what is true.
    store.settle(second, 5000, None, 3).await.unwrap();
    assert_eq!(store.spent(Scope::Repository, "acme/shop").await.unwrap(), 5100);
}

async fn settling_twice_is_harmless_and_changing_the_sum_is_not(store: Store) {
    let Reserved::Yes(id) = reserve(&store, 50, &[booking(Scope::Author, "kim", None)]).await else {
        panic!("no cap")
    };
    store.settle(id, 20, None, 2).await.unwrap();
    store.settle(id, 20, None, 3).await.unwrap();
    let error = store.settle(id, 0, None, 4).await.unwrap_err().to_string();
    assert!(error.contains("was settled at 20"), "{error}");
    assert_eq!(store.spent(Scope::Author, "kim").await.unwrap(), 20);
}

async fn a_cap_lets_in_what_fits_exactly_and_nothing_more(store: Store) {
    let bookings = [booking(Scope::Change, "acme/shop#1", Some(100))];
    assert!(matches!(reserve(&store, 60, &bookings).await, Reserved::Yes(_)));
    assert!(matches!(reserve(&store, 41, &bookings).await, Reserved::No(_)));
    assert!(matches!(reserve(&store, 40, &bookings).await, Reserved::Yes(_)));
    assert!(matches!(reserve(&store, 1, &bookings).await, Reserved::No(_)));
    assert!(matches!(reserve(&store, 0, &bookings).await, Reserved::Yes(_)));
}

async fn every_cap_holds_and_the_answer_names_the_one_in_the_way(store: Store) {
    reserve(&store, 500, &[booking(Scope::Day, "2026-11-21", None)]).await;
    let table = [
        (Scope::Call, "", 99, 0),
        (Scope::Change, "acme/shop#1", 99, 0),
        (Scope::Author, "kim", 99, 0),
        (Scope::Repository, "acme/shop", 99, 0),
        (Scope::Day, "2026-11-21", 599, 500),
    ];
    for (scope, key, limit, spent) in table {
        let others = [Scope::Change, Scope::Author, Scope::Repository, Scope::Day];
        let mut bookings: Vec<_> = others
            .into_iter()
            .filter(|other| *other != scope)
            .map(|other| booking(other, "elsewhere", Some(1000)))
            .collect();
        bookings.push(booking(scope, key, Some(limit)));
        let over = OverCap {
            scope,
            key: key.to_owned(),
            spent_micro_usd: spent,
            wanted_micro_usd: 100,
            limit_micro_usd: limit,
        };
        assert_eq!(reserve(&store, 100, &bookings).await, Reserved::No(over));
    }
}

async fn a_refused_reservation_leaves_nothing_behind(store: Store) {
    let bookings = [booking(Scope::Change, "acme/shop#1", None), booking(Scope::Day, "2026-11-21", Some(10))];
    assert!(matches!(reserve(&store, 11, &bookings).await, Reserved::No(_)));
    assert_eq!(store.spent(Scope::Change, "acme/shop#1").await.unwrap(), 0);
    assert_eq!(store.spent(Scope::Day, "2026-11-21").await.unwrap(), 0);
}

async fn callers_who_race_never_pass_a_cap(store: Store) {
    let callers = (0..40).map(|caller| {
        let store = store.clone();
        tokio::spawn(async move {
            // Keys in different orders, so that locks taken one by one would meet crosswise.
            let mut bookings = vec![
                booking(Scope::Day, "2026-11-21", Some(1000)),
                booking(Scope::Author, if caller % 2 == 0 { "kim" } else { "lee" }, Some(600)),
                booking(Scope::Change, "acme/shop#1", None),
            ];
            if caller % 3 == 0 {
                bookings.reverse();
            }
            matches!(reserve(&store, 70, &bookings).await, Reserved::Yes(_))
        })
    });
    let mut let_in = 0;
    for caller in callers.collect::<Vec<_>>() {
        let_in += u64::from(caller.await.unwrap());
    }
    // 14 times 70 is 980; a fifteenth would be 1,050.
    assert_eq!(let_in, 14);
    assert_eq!(store.spent(Scope::Day, "2026-11-21").await.unwrap(), 980);
    assert_eq!(store.spent(Scope::Change, "acme/shop#1").await.unwrap(), 980);
    for author in ["kim", "lee"] {
        assert!(store.spent(Scope::Author, author).await.unwrap() <= 600);
    }
}

async fn racing_reservations_and_settlements_add_up(store: Store) {
    let callers = (0..30).map(|caller| {
        let store = store.clone();
        tokio::spawn(async move {
            let bookings = [booking(Scope::Day, "2026-11-21", Some(1_000_000))];
            let Reserved::Yes(id) = reserve(&store, 1000, &bookings).await else {
                panic!("far from the cap")
            };
            if caller % 3 != 0 {
                store.settle(id, 10, Some(TokensUsed::default()), 2).await.unwrap();
            }
            id
        })
    });
    let mut ids = std::collections::BTreeSet::new();
    for caller in callers.collect::<Vec<_>>() {
        ids.insert(caller.await.unwrap());
    }
    assert_eq!(ids.len(), 30, "every reservation has its own name");
    // 10 were left at 1,000, 20 were settled at 10.
    assert_eq!(store.spent(Scope::Day, "2026-11-21").await.unwrap(), 10_200);
}

async fn text_is_kept_as_it_is_and_never_becomes_sql(store: Store) {
    for key in ["'; DROP TABLE spending; --", "%", "_", "acme/shop#1 ", "Ünïcode \u{202e}", ""] {
        reserve(&store, 5, &[booking(Scope::Author, key, None)]).await;
        assert_eq!(store.spent(Scope::Author, key).await.unwrap(), 5, "{key:?}");
    }
}

async fn a_sum_that_no_ledger_can_hold_is_an_error(store: Store) {
    let wanted = Reservation { run_id: "r", engine: "e", micro_usd: u64::MAX, bookings: &[], at_ms: 1 };
    let error = format!("{:#}", store.reserve(&wanted).await.unwrap_err());
    assert!(error.contains("too large for the ledger"), "{error}");
    // Nothing keeps the ledger locked after an error.
    assert!(matches!(reserve(&store, 1, &[]).await, Reserved::Yes(_)));
}

async fn receipts_come_back_byte_for_byte(store: Store) {
    let every_byte: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let bodies: [&[u8]; 4] = [b"", b"\0", "{\"findings\":[]}".as_bytes(), &every_byte];
    for body in bodies {
        let digest = store.keep(ReceiptKind::Reply, body).await.unwrap();
        assert_eq!(digest, Digest::of(body));
        assert_eq!(store.fetch(&digest).await.unwrap().as_deref(), Some(body));
    }
}

async fn the_same_bytes_are_kept_once(store: Store) {
    let keepers = (0..8).map(|keeper| {
        let store = store.clone();
        let kind = if keeper % 2 == 0 { ReceiptKind::Prompt } else { ReceiptKind::File };
        tokio::spawn(async move { store.keep(kind, b"the same").await.unwrap() })
    });
    for keeper in keepers.collect::<Vec<_>>() {
        assert_eq!(keeper.await.unwrap(), Digest::of(b"the same"));
    }
    assert_eq!(store.fetch(&Digest::of(b"the same")).await.unwrap().as_deref(), Some(&b"the same"[..]));
}

async fn a_receipt_nobody_kept_is_none(store: Store) {
    assert_eq!(store.fetch(&Digest::of(b"never seen")).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_reserved_and_kept_is_there_after_opening_again_on_sqlite() {
    what_was_reserved_and_kept_is_there_after_opening_again(sqlite()).await;
}

#[tokio::test]
async fn what_was_reserved_and_kept_is_there_after_opening_again_on_postgres() {
    what_was_reserved_and_kept_is_there_after_opening_again(postgres().await).await;
}

async fn what_was_reserved_and_kept_is_there_after_opening_again(database: Database) {
    // The first one is not closed: a process may be killed anywhere.
    let first = open(&database.url).await.unwrap();
    reserve(&first, 9, &[booking(Scope::Day, "2026-11-21", None)]).await;
    let digest = first.keep(ReceiptKind::Log, b"exit 0").await.unwrap();
    let second = open(&database.url).await.unwrap();
    assert_eq!(second.spent(Scope::Day, "2026-11-21").await.unwrap(), 9);
    assert_eq!(second.fetch(&digest).await.unwrap().as_deref(), Some(&b"exit 0"[..]));
    first.close().await;
    second.close().await;
    database.remove().await;
}

#[tokio::test]
async fn an_altered_receipt_is_an_error_on_sqlite() {
    an_altered_receipt_is_an_error(sqlite()).await;
}

#[tokio::test]
async fn an_altered_receipt_is_an_error_on_postgres() {
    an_altered_receipt_is_an_error(postgres().await).await;
}

async fn an_altered_receipt_is_an_error(database: Database) {
    let store = open(&database.url).await.unwrap();
    let honest = store.keep(ReceiptKind::Reply, b"3 findings").await.unwrap();
    let other = store.keep(ReceiptKind::Reply, b"0 findings").await.unwrap();
    let swap =
        "UPDATE receipts SET zlib = (SELECT r.zlib FROM receipts r WHERE r.digest = $1) WHERE digest = $2";
    database.run(swap, &[other.as_str(), honest.as_str()]).await;
    let error = store.fetch(&honest).await.unwrap_err().to_string();
    assert!(error.contains("was altered"), "{error}");
    // A size that was made smaller cuts the bytes off, and that is noticed too.
    database.run("UPDATE receipts SET size = 3 WHERE digest = $1", &[other.as_str()]).await;
    assert!(store.fetch(&other).await.is_err());
    store.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_share_a_database_never_pass_a_cap() {
    for database in [sqlite(), postgres().await] {
        // To the database, pools are as separate as processes are.
        let mut stores = Vec::new();
        for _ in 0..4 {
            stores.push(open(&database.url).await.unwrap());
        }
        let callers = (0..40).map(|caller| {
            let store = stores[caller % stores.len()].clone();
            tokio::spawn(async move {
                reserve(&store, 70, &[booking(Scope::Day, "2026-11-21", Some(1000))]).await
            })
        });
        let mut let_in = 0;
        for caller in callers.collect::<Vec<_>>() {
            let_in += u64::from(matches!(caller.await.unwrap(), Reserved::Yes(_)));
        }
        assert_eq!(let_in, 14);
        assert_eq!(stores[0].spent(Scope::Day, "2026-11-21").await.unwrap(), 980);
        for store in stores {
            store.close().await;
        }
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_open_a_new_database_together_all_succeed() {
    for database in [sqlite(), postgres().await] {
        let openers = (0..8).map(|_| {
            let url = database.url.clone();
            tokio::spawn(async move { open(&url).await.map_err(|error| format!("{error:#}")) })
        });
        for opener in openers.collect::<Vec<_>>() {
            opener.await.unwrap().unwrap().close().await;
        }
        database.remove().await;
    }
}

#[tokio::test]
async fn a_new_file_and_its_folder_are_for_this_user_only() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    // Characters that mean something in a URL are only characters in a path.
    let path = folder.path().join("state 50%3F #1?mode=memory/ledger.db");
    let store = open(&format!("sqlite:{}", path.display())).await.unwrap();
    reserve(&store, 1, &[]).await;
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for entry in path.parent().unwrap().read_dir().unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    assert!(path.exists());
    store.close().await;
}

#[tokio::test]
async fn a_url_that_cannot_be_opened_is_an_error_without_its_password() {
    let refused = [
        ("mysql://root:hunter2@localhost/x", "begins with sqlite: or postgres://"),
        ("hunter2", "begins with sqlite: or postgres://"),
        ("sqlite::memory:", "cannot be in memory"),
        ("sqlite:", "no file name"),
        ("sqlite:/proc/none/ledger.db", "could not create"),
        ("postgres://kim:hunter2@[bad/x", "not a URL"),
        ("postgres://kim:hunter2@127.0.0.1:1/x", "could not open the postgres database"),
    ];
    for (url, expected) in refused {
        let error = format!("{:#}", open(url).await.unwrap_err());
        assert!(error.contains(expected), "{url}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "not a database, and long enough to be looked at".repeat(40)).unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(open(&format!("sqlite:{}", path.display())).await.is_err());
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
