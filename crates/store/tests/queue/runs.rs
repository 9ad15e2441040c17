//! What a run leaves: steps until it is over, and packets for good.

use store::{Store, open};

use super::*;
use crate::databases::{postgres, sqlite};

promises! {
    a_step_is_kept_until_its_run_is_over
    the_first_value_of_a_step_stays
    packets_come_back_byte_for_byte_the_latest_first
    the_same_packet_is_kept_once
}

async fn a_step_is_kept_until_its_run_is_over(store: Store) {
    let (ask, other) = (Digest::of(b"ask"), Digest::of(b"other"));
    let every_byte: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    assert_eq!(store.step("run-oak", &ask).await.unwrap(), None);
    store.keep_step("run-oak", &ask, &every_byte, 1).await.unwrap();
    store.keep_step("run-oak", &other, b"", 1).await.unwrap();
    store.keep_step("run-elm", &ask, b"elm's", 1).await.unwrap();
    assert_eq!(store.step("run-oak", &ask).await.unwrap(), Some(every_byte));
    assert_eq!(store.step("run-oak", &other).await.unwrap(), Some(Vec::new()));
    assert!(store.has_steps("run-oak").await.unwrap() && !store.has_steps("run-fir").await.unwrap());
    store.forget_steps("run-oak").await.unwrap();
    assert!(!store.has_steps("run-oak").await.unwrap());
    assert_eq!(store.step("run-oak", &ask).await.unwrap(), None);
    assert_eq!(store.step("run-elm", &ask).await.unwrap(), Some(b"elm's".to_vec()));
}

async fn the_first_value_of_a_step_stays(store: Store) {
    let ask = Digest::of(b"ask");
    store.keep_step("run-oak", &ask, b"first", 1).await.unwrap();
    store.keep_step("run-oak", &ask, b"second", 2).await.unwrap();
    assert_eq!(store.step("run-oak", &ask).await.unwrap(), Some(b"first".to_vec()));
}

async fn packets_come_back_byte_for_byte_the_latest_first(store: Store) {
    assert_eq!(store.latest_packet("acme/shop#1").await.unwrap(), None);
    let every_byte: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let first = store.keep_packet("acme/shop#1", "a1", "run-oak", b"{}", 5).await.unwrap();
    // The clock of the next one is behind; what was kept last is the latest all the same.
    let second = store.keep_packet("acme/shop#1", "a2", "run-elm", &every_byte, 4).await.unwrap();
    store.keep_packet("acme/shop#2", "b1", "run-ash", b"[]", 6).await.unwrap();
    let latest = store.latest_packet("acme/shop#1").await.unwrap().expect("it was kept");
    let told = (latest.head.as_str(), latest.run_id.as_str(), latest.at_ms, &latest.digest);
    assert_eq!(told, ("a2", "run-elm", 4, &Digest::of(&every_byte)));
    assert_eq!(latest.bytes, every_byte);
    let all = store.packets_of("acme/shop#1").await.unwrap();
    assert_eq!(all.iter().map(|packet| &packet.digest).collect::<Vec<_>>(), [&second, &first]);
    assert_eq!((all[1].head.as_str(), all[1].run_id.as_str(), all[1].at_ms), ("a1", "run-oak", 5));
    assert!(store.packets_of("acme/shop#3").await.unwrap().is_empty());
}

async fn the_same_packet_is_kept_once(store: Store) {
    for at_ms in [1, 2] {
        store.keep_packet("acme/shop#1", "a1", "run-oak", b"{}", at_ms).await.unwrap();
    }
    let all = store.packets_of("acme/shop#1").await.unwrap();
    assert_eq!(all.iter().map(|packet| packet.at_ms).collect::<Vec<_>>(), [1]);
    // Two subjects may have one, each.
    store.keep_packet("acme/shop#2", "a1", "run-oak", b"{}", 3).await.unwrap();
    assert_eq!(store.packets_of("acme/shop#2").await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_altered_packet_is_an_error() {
    for database in [sqlite(), postgres().await] {
        let store = open(&database.url).await.unwrap();
        store.keep_packet("acme/shop#1", "a1", "run-oak", b"3 findings", 1).await.unwrap();
        store.keep_packet("acme/shop#2", "b1", "run-elm", b"0 findings", 1).await.unwrap();
        let swap = "UPDATE packets SET zlib = (SELECT p.zlib FROM packets p WHERE p.subject = $1) WHERE subject = $2";
        database.run(swap, &["acme/shop#2", "acme/shop#1"]).await;
        let error = format!("{:#}", store.latest_packet("acme/shop#1").await.unwrap_err());
        assert!(error.contains("was altered"), "{error}");
        store.close().await;
        database.remove().await;
    }
}
