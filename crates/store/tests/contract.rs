//! What the store promises, on both databases: each promise is one function, run on SQLite in a temporary folder and
//! on a fresh database of the PostgreSQL that `RECUSE_TEST_POSTGRES` names.

#![expect(clippy::unwrap_used, reason = "where the store fails, the test does")]

mod databases;

use std::future::Future;

use databases::{Database, postgres, sqlite};
use review::Digest;
use review::packet::ReceiptKindV1;
use store::{
    Booking, Fetched, OverCap, Pruned, ReceiptFolder, Receipts, Reservation, Reserved, Scope, Store, ToKeep,
    TokensUsed, open,
};

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
    a_receipt_nobody_kept_is_missing
    pruning_leaves_the_digest_with_when_and_why
    what_is_kept_again_is_not_the_oldest_any_more
    several_receipts_are_kept_together_or_not_at_all
    a_receipt_is_found_by_its_first_digits
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

/// More than any receipt here.
const MOST: u64 = 8 * 1024 * 1024;

async fn keep(store: &Store, bytes: &[u8], at_ms: i64) -> Digest {
    let digest = Digest::of(bytes);
    let one = ToKeep { kind: ReceiptKindV1::Reply, bytes, digest: &digest };
    store.keep(&[one], at_ms).await.unwrap();
    digest
}

async fn receipts_come_back_byte_for_byte(store: Store) {
    let random: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let all = [
        &b""[..],
        b"\0",
        b"'); DROP TABLE receipts; --",
        "caf\u{e9}".as_bytes(),
        &random,
        &[b'a'; 4_000_000],
    ];
    for body in all {
        let digest = keep(&store, body, 1).await;
        assert_eq!(store.fetch(&digest, MOST).await.unwrap(), Fetched::Kept(body.to_vec()));
    }
    let too_long = store.fetch(&Digest::of(&random), 99_999).await.unwrap();
    assert_eq!(too_long, Fetched::Altered("it has more than 99999 bytes".into()));
}

async fn the_same_bytes_are_kept_once(store: Store) {
    let keepers = [1, 2, 3, 4].map(|at_ms| {
        let store = store.clone();
        tokio::spawn(async move { keep(&store, b"the same", at_ms).await })
    });
    for keeper in keepers {
        assert_eq!(keeper.await.unwrap(), Digest::of(b"the same"));
    }
    let rows = store.receipts().await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].kind.as_str(), rows[0].bytes), ("reply", 8));
}

async fn a_receipt_nobody_kept_is_missing(store: Store) {
    assert_eq!(store.fetch(&Digest::of(b"never seen"), MOST).await.unwrap(), Fetched::Missing);
}

async fn pruning_leaves_the_digest_with_when_and_why(store: Store) {
    let (old, new) = (keep(&store, b"old", 1_000).await, keep(&store, b"new", 2_000).await);
    let pruned = Pruned { at_ms: 5_000, because: "it's over".into() };
    assert_eq!(store.prune_receipts(2_000, &pruned).await.unwrap(), 1);
    assert_eq!(store.fetch(&old, MOST).await.unwrap(), Fetched::Pruned(pruned.clone()));
    assert_eq!(store.fetch(&new, MOST).await.unwrap(), Fetched::Kept(b"new".to_vec()));
    // What is pruned is pruned once: the first time and reason stand.
    let later = Pruned { at_ms: 6_000, because: "again".into() };
    assert_eq!(store.prune_receipts(2_000, &later).await.unwrap(), 0);
    let rows = store.receipts().await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.bytes, row.kept_at_ms, row.pruned.as_ref())).collect();
    assert_eq!(told, [(3, 2_000, None), (3, 1_000, Some(&pruned))]);
}

async fn what_is_kept_again_is_not_the_oldest_any_more(store: Store) {
    let (table, reply) = (keep(&store, b"a table", 1).await, keep(&store, b"a reply", 2).await);
    assert_eq!(keep(&store, b"a table", 9).await, table);
    let pruned = Pruned { at_ms: 9, because: "old".into() };
    assert_eq!(store.prune_receipts(9, &pruned).await.unwrap(), 1);
    assert_eq!(store.fetch(&table, MOST).await.unwrap(), Fetched::Kept(b"a table".to_vec()));
    assert_eq!(store.fetch(&reply, MOST).await.unwrap(), Fetched::Pruned(pruned));
    // And what was pruned is there again when it is kept again.
    keep(&store, b"a reply", 10).await;
    assert_eq!(store.fetch(&reply, MOST).await.unwrap(), Fetched::Kept(b"a reply".to_vec()));
    assert!(store.receipts().await.unwrap().iter().all(|row| row.pruned.is_none()));
}

async fn several_receipts_are_kept_together_or_not_at_all(store: Store) {
    let digests = [Digest::of(b"one"), Digest::of(b"two")];
    let kept = |index: usize, bytes: &'static [u8]| ToKeep {
        kind: ReceiptKindV1::Prompt,
        bytes,
        digest: &digests[index],
    };
    store.keep(&[kept(1, b"two"), kept(0, b"one"), kept(1, b"two")], 1).await.unwrap();
    assert_eq!(store.receipts().await.unwrap().len(), 2);
    store.keep(&[], 1).await.unwrap();
}

async fn a_receipt_is_found_by_its_first_digits(store: Store) {
    let digest = keep(&store, b"one", 1).await;
    let receipts = Receipts::Database(store);
    assert_eq!(receipts.beginning_with(&digest.as_str()[..8]).await.unwrap(), std::slice::from_ref(&digest));
    assert_eq!(receipts.beginning_with("").await.unwrap(), [digest]);
    for nothing in ["zz", "%", "'", "_"] {
        assert_eq!(receipts.beginning_with(nothing).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_folder_keeps_what_a_database_keeps_in_files_that_gunzip_reads() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("receipts/of/a/run");
    let folder = ReceiptFolder::make(&path).unwrap();
    let digest = Digest::of(b"a prompt");
    let receipts = Receipts::Folder(folder.clone());
    let one = ToKeep { kind: ReceiptKindV1::Prompt, bytes: b"a prompt", digest: &digest };
    receipts.keep(&[one], 1).await.unwrap();
    receipts.keep(&[one], 2).await.unwrap();
    assert_eq!(receipts.fetch(&digest, MOST).await.unwrap(), Fetched::Kept(b"a prompt".to_vec()));
    assert_eq!(receipts.beginning_with(&digest.as_str()[..9]).await.unwrap(), std::slice::from_ref(&digest));
    let file = path.join(format!("{digest}.gz"));
    let shown = std::process::Command::new("gzip").args(["-dc"]).arg(&file).output().unwrap();
    assert_eq!(shown.stdout, b"a prompt");
    for (bytes, how) in [(&b"no gzip"[..], "decompressed"), (b"", "decompressed")] {
        std::fs::write(&file, bytes).unwrap();
        let fetched = receipts.fetch(&digest, MOST).await.unwrap();
        assert!(matches!(&fetched, Fetched::Altered(why) if why.contains(how)), "{fetched:?}");
    }
    // Bytes of another receipt, under this one's name.
    let other = Digest::of(b"other");
    folder.keep(&other, b"other").unwrap();
    std::fs::copy(path.join(format!("{other}.gz")), &file).unwrap();
    let altered = Fetched::Altered("its bytes have another digest".into());
    assert_eq!(receipts.fetch(&digest, MOST).await.unwrap(), altered);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(receipts.fetch(&digest, MOST).await.unwrap(), Fetched::Missing);
    let pruned = Pruned { at_ms: 7, because: "after 30 days".into() };
    folder.note(&digest, &pruned).unwrap();
    assert_eq!(receipts.fetch(&digest, MOST).await.unwrap(), Fetched::Pruned(pruned));
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
    let digest = keep(&first, b"exit 0", 1).await;
    let second = open(&database.url).await.unwrap();
    assert_eq!(second.spent(Scope::Day, "2026-11-21").await.unwrap(), 9);
    assert_eq!(second.fetch(&digest, MOST).await.unwrap(), Fetched::Kept(b"exit 0".to_vec()));
    first.close().await;
    second.close().await;
    database.remove().await;
}

#[tokio::test]
async fn an_altered_receipt_is_told_as_such_on_sqlite() {
    an_altered_receipt_is_told_as_such(sqlite()).await;
}

#[tokio::test]
async fn an_altered_receipt_is_told_as_such_on_postgres() {
    an_altered_receipt_is_told_as_such(postgres().await).await;
}

async fn an_altered_receipt_is_told_as_such(database: Database) {
    let store = open(&database.url).await.unwrap();
    let (honest, other) = (keep(&store, b"3 findings", 1).await, keep(&store, b"0 findings", 1).await);
    let swap =
        "UPDATE receipts SET zlib = (SELECT r.zlib FROM receipts r WHERE r.digest = $1) WHERE digest = $2";
    database.run(swap, &[other.as_str(), honest.as_str()]).await;
    let is_altered = |fetched: Fetched| matches!(fetched, Fetched::Altered(_));
    assert!(is_altered(store.fetch(&honest, MOST).await.unwrap()));
    // A size that was made smaller cuts the bytes off, and that is noticed too.
    database.run("UPDATE receipts SET size = 3 WHERE digest = $1", &[other.as_str()]).await;
    assert!(is_altered(store.fetch(&other, MOST).await.unwrap()));
    store.close().await;
    database.remove().await;
}

#[tokio::test]
async fn receipts_of_before_there_was_retention_count_as_the_oldest() {
    for database in [sqlite(), postgres().await] {
        let store = open(&database.url).await.unwrap();
        let digest = keep(&store, b"exit 0", 5).await;
        store.close().await;
        // As the first version made it.
        for undo in [
            "DROP INDEX receipts_by_time",
            "ALTER TABLE receipts DROP COLUMN kept_at_ms",
            "ALTER TABLE receipts DROP COLUMN pruned_at_ms",
            "ALTER TABLE receipts DROP COLUMN pruned_because",
            "DELETE FROM _sqlx_migrations WHERE version = 2",
        ] {
            database.run(undo, &[]).await;
        }
        let store = open(&database.url).await.unwrap();
        assert_eq!(store.fetch(&digest, MOST).await.unwrap(), Fetched::Kept(b"exit 0".to_vec()));
        let pruned = Pruned { at_ms: 9, because: "after 30 days".into() };
        assert_eq!(store.prune_receipts(1, &pruned).await.unwrap(), 1);
        assert_eq!(store.fetch(&digest, MOST).await.unwrap(), Fetched::Pruned(pruned));
        store.close().await;
        database.remove().await;
    }
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
