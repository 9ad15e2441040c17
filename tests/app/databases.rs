//! Where the processes of a story keep what they know, and what their ledger says in the end.

#[allow(dead_code, reason = "the store's tests do more with a database")]
#[path = "../../crates/store/tests/databases/mod.rs"]
mod of_the_store;

use serde_json::json;
use sqlx::{AnyConnection, Connection as _, Row as _};
use store::Scope;

pub(super) use of_the_store::Database;

use crate::support::fake_models::Behaviour;

/// The two kinds of databases that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    Sqlite,
    Postgres,
}

impl On {
    /// A new one. It panics where `RECUSE_TEST_POSTGRES` names no PostgreSQL.
    pub(super) async fn new_database(self) -> Database {
        match self {
            Self::Sqlite => of_the_store::sqlite(),
            Self::Postgres => of_the_store::postgres().await,
        }
    }
}

/// What a server that is paid by [`billed`] asks for one answer at one USD per million tokens, in micro-USD.
pub(super) const PRICE_OF_AN_ANSWER: u64 = 2_500;

/// A behaviour that says it used so many tokens as an answer costs micro-USD.
pub(super) fn billed(behaviour: Behaviour) -> Behaviour {
    let (read, written) = (2_000, 500);
    assert_eq!(read + written, PRICE_OF_AN_ANSWER, "one micro-USD for each token");
    Behaviour::Used(json!({ "prompt_tokens": read, "completion_tokens": written }), Box::new(behaviour))
}

/// What became of the questions that a server was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Questions {
    /// Those that were worked on, whether anybody heard the answer or not.
    pub(super) answered: usize,
    /// Those that were turned away, which costs nothing.
    pub(super) refused: usize,
}

/// What the ledger says.
#[derive(Debug)]
pub(super) struct Ledger {
    /// What was spent or reserved on each thing.
    sums: Vec<Sum>,
    /// What each call counts at, in micro-USD.
    calls: Vec<u64>,
}

#[derive(Debug)]
struct Sum {
    scope: Scope,
    key: String,
    micro_usd: u64,
}

impl Ledger {
    /// All of a database's.
    pub(super) async fn read(url: &str) -> Self {
        let store = store::open(url).await.expect("the database is there");
        let mut connection = AnyConnection::connect(url).await.expect("the database is there");
        let things = sqlx::query("SELECT DISTINCT scope, key FROM spending_scopes ORDER BY scope, key")
            .fetch_all(&mut connection)
            .await
            .expect("the ledger can be read");
        let calls = sqlx::query("SELECT COALESCE(actual_micro_usd, reserved_micro_usd) FROM spending")
            .fetch_all(&mut connection)
            .await
            .expect("the ledger can be read");
        connection.close().await.expect("it closes");
        let calls = calls.iter().map(|row| u64::try_from(row.get::<i64, _>(0)).expect("a sum")).collect();
        let mut sums = Vec::new();
        for thing in things {
            let (name, key): (String, String) = (thing.get(0), thing.get(1));
            let scopes = [Scope::Change, Scope::Author, Scope::Repository, Scope::Day];
            let scope = scopes.into_iter().find(|scope| scope.name() == name).expect("a scope that has sums");
            let micro_usd = store.spent(scope, &key).await.expect("the ledger can be read");
            sums.push(Sum { scope, key, micro_usd });
        }
        store.close().await;
        Self { sums, calls }
    }

    /// What is wrong with it: a cap that was passed on any day, an answer that a server wants to be paid for and that is not
    /// written down, or for less, or a call that was written off as free although the server did not refuse it. What nobody
    /// knows the price of counts at more, so that sums alone would hide one that is missing.
    pub(super) fn wrongs(&self, caps: &[(Scope, u64)], asked: Questions) -> Vec<String> {
        let mut wrongs = Vec::new();
        for (scope, cap) in caps {
            let (name, of_scope) = (scope.name(), || self.sums.iter().filter(|sum| sum.scope == *scope));
            for Sum { key, micro_usd, .. } in of_scope().filter(|sum| sum.micro_usd > *cap) {
                wrongs.push(format!("{micro_usd} micro-USD were spent on the {name} {key}"));
            }
            let (total, of_calls): (u64, u64) =
                (of_scope().map(|sum| sum.micro_usd).sum(), self.calls.iter().sum());
            if total != of_calls {
                wrongs.push(format!("{total} micro-USD are written down by {name}, {of_calls} by call"));
            }
        }
        let Questions { answered, refused } = asked;
        let paid = self.calls.iter().filter(|call| **call >= PRICE_OF_AN_ANSWER).count();
        let free = self.calls.len() - paid;
        if paid < answered {
            wrongs.push(format!("{paid} calls are paid for, {answered} were answered"));
        }
        if free > refused {
            wrongs.push(format!("{free} calls are not paid for, {refused} were refused"));
        }
        wrongs
    }
}

#[test]
fn a_ledger_that_passes_a_cap_or_leaves_out_what_was_answered_is_wrong() {
    let of = |key: &str, micro_usd| Sum { scope: Scope::Day, key: key.to_owned(), micro_usd };
    let ledger = |first, second| Ledger {
        sums: vec![of("day 1", 3_000), of("day 2", 2_500)],
        calls: vec![first, second],
    };
    let caps = [(Scope::Day, 3_000)];
    let both = Questions { answered: 2, refused: 0 };
    let one = Questions { answered: 1, refused: 0 };
    assert_eq!(ledger(3_000, 2_500).wrongs(&caps, both), Vec::<String>::new());
    let passed = ledger(3_000, 2_500).wrongs(&[(Scope::Day, 2_999)], both);
    assert_eq!(passed, ["3000 micro-USD were spent on the day day 1"]);
    let apart = ledger(3_000, 2_501).wrongs(&caps, both);
    assert_eq!(apart, ["5500 micro-USD are written down by day, 5501 by call"]);
    let cheap = ledger(5_500, 0).wrongs(&caps, Questions { refused: 1, ..both });
    assert_eq!(cheap, ["1 calls are paid for, 2 were answered"]);
    let free = ledger(5_500, 0).wrongs(&caps, one);
    assert_eq!(free, ["1 calls are not paid for, 0 were refused"]);
}
