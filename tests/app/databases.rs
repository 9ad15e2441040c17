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
    assert_eq!(read + written, PRICE_OF_AN_ANSWER);
    Behaviour::Used(json!({ "prompt_tokens": read, "completion_tokens": written }), Box::new(behaviour))
}

/// What was spent or reserved on one thing.
#[derive(Debug)]
pub(super) struct Spent {
    pub(super) scope: Scope,
    pub(super) key: String,
    pub(super) micro_usd: u64,
}

/// Everything that anything was spent on.
pub(super) async fn spent(url: &str) -> Vec<Spent> {
    let store = store::open(url).await.expect("the database is there");
    let mut connection = AnyConnection::connect(url).await.expect("the database is there");
    let rows = sqlx::query("SELECT DISTINCT scope, key FROM spending_scopes ORDER BY scope, key")
        .fetch_all(&mut connection)
        .await
        .expect("the ledger can be read");
    connection.close().await.expect("it closes");
    let mut all = Vec::new();
    for row in rows {
        let (name, key): (String, String) = (row.get(0), row.get(1));
        let scopes = [Scope::Change, Scope::Author, Scope::Repository, Scope::Day];
        let scope = scopes.into_iter().find(|scope| scope.name() == name).expect("a scope that has sums");
        let micro_usd = store.spent(scope, &key).await.expect("the ledger can be read");
        all.push(Spent { scope, key, micro_usd });
    }
    store.close().await;
    all
}

/// What is wrong with the ledger: a cap that was passed, or less on one kind of thing than servers asked for.
pub(super) fn wrong_sums(spent: &[Spent], caps: &[(Scope, u64)], billed: u64) -> Vec<String> {
    let mut wrongs = Vec::new();
    for (scope, cap) in caps {
        let of_scope = || spent.iter().filter(|spent| spent.scope == *scope);
        for Spent { key, micro_usd, .. } in of_scope().filter(|spent| spent.micro_usd > *cap) {
            wrongs.push(format!("{micro_usd} micro-USD were spent on the {} {key}", scope.name()));
        }
        let total: u64 = of_scope().map(|spent| spent.micro_usd).sum();
        if total < billed {
            let name = scope.name();
            wrongs.push(format!("{total} micro-USD are written down by {name}, {billed} were asked for"));
        }
    }
    wrongs
}

#[test]
fn sums_that_pass_a_cap_or_leave_out_what_was_billed_are_wrong() {
    let of = |key: &str, micro_usd| Spent { scope: Scope::Day, key: key.to_owned(), micro_usd };
    let days = [of("day 1", 30), of("day 2", 20)];
    assert_eq!(wrong_sums(&days, &[(Scope::Day, 30)], 50), Vec::<String>::new());
    assert_eq!(wrong_sums(&days, &[(Scope::Day, 29)], 50), ["30 micro-USD were spent on the day day 1"]);
    assert_eq!(
        wrong_sums(&days, &[(Scope::Day, 30)], 51),
        ["50 micro-USD are written down by day, 51 were asked for"]
    );
}
