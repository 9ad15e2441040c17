//! Databases for tests: a file in a temporary folder, or a new database of a running PostgreSQL.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use tempfile::TempDir;

/// A database of one test.
pub(crate) struct Database {
    /// What `open` is given.
    pub(crate) url: String,
    home: Home,
}

enum Home {
    Folder { _folder: TempDir },
    Server { url: String, name: String },
}

/// A new file.
pub(crate) fn sqlite() -> Database {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("state").join("ledger.db").display());
    Database { url, home: Home::Folder { _folder: folder } }
}

/// A new database of the server that `RECUSE_TEST_POSTGRES` names.
pub(crate) async fn postgres() -> Database {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let server = std::env::var("RECUSE_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!(
            "RECUSE_TEST_POSTGRES is not set: run scripts/test, which starts a PostgreSQL, or set it to the URL that \
             `scripts/postgres start DIR` prints"
        )
    });
    let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("recuse_test_{}_{count}_{nanoseconds}", std::process::id());
    let (base, _) = server.rsplit_once('/').expect("the URL ends in a database's name");
    execute(&server, &format!("CREATE DATABASE {name}"), &[]).await;
    Database { url: format!("{base}/{name}"), home: Home::Server { url: server, name } }
}

impl Database {
    /// Runs a statement past the store.
    pub(crate) async fn run(&self, sql: &str, values: &[&str]) {
        execute(&self.url, sql, values).await;
    }

    /// Removes it. A test that fails leaves it to be looked at.
    pub(crate) async fn remove(self) {
        match self.home {
            Home::Folder { .. } => {}
            Home::Server { url, name } => {
                execute(&url, &format!("DROP DATABASE {name} WITH (FORCE)"), &[]).await;
            }
        }
    }
}

async fn execute(url: &str, sql: &str, values: &[&str]) {
    install_default_drivers();
    let mut connection = AnyConnection::connect(url).await.expect("the test's own connection");
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for value in values {
        query = query.bind(*value);
    }
    query.execute(&mut connection).await.expect("the test's own statement");
    connection.close().await.expect("the test's own connection closes");
}
