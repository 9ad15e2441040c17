//! Opening a database: making it where it is missing, and bringing its tables up to date.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, AnyPool, Connection, Executor};
use tokio::time::timeout;

use crate::{Engine, Store};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Connections to SQLite. Its writers take turns anyway; here they queue for it, where several connections would
/// wait for each other by trying again and again (40 reservations at once took three times as long with four).
/// So no function may ask for a connection while it holds one.
const SQLITE_CONNECTIONS: u32 = 1;

/// Connections to PostgreSQL from one process. Its own default allows 100 in all.
const POSTGRES_CONNECTIONS: u32 = 8;

/// How long a database may take to answer at the start.
const PATIENCE: Duration = Duration::from_secs(10);

/// What every connection to SQLite begins with. FULL: what was acknowledged survives a power cut; with WAL, NORMAL
/// would not do that. Pruned receipts are overwritten, not only given free.
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                               PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;";

/// What every connection to PostgreSQL begins with. A process that stands still in the middle of a transaction (a machine that
/// sleeps, a frozen container) would hold up all others for as long; PostgreSQL ends its transaction instead.
const POSTGRES_SETTINGS: &str = "SET idle_in_transaction_session_timeout = '10s'";

/// Opens `sqlite:PATH` or `postgres://…` and runs the migrations that are missing.
///
/// A SQLite file is made if it is missing (0600), and so is its folder (0700): receipts hold source code.
/// Errors never hold the URL, since it may hold a password.
pub async fn open(url: &str) -> Result<Store> {
    install_default_drivers();
    if let Some(path) = url.strip_prefix("sqlite:") {
        open_sqlite(Path::new(path.strip_prefix("//").unwrap_or(path))).await
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        open_postgres(url).await
    } else {
        bail!("a database URL begins with sqlite: or postgres://");
    }
}

async fn open_sqlite(path: &Path) -> Result<Store> {
    if path.as_os_str() == ":memory:" {
        bail!("the database cannot be in memory: what was reserved or kept must outlive the process");
    }
    let path = create_private(path).with_context(|| format!("could not create {}", path.display()))?;
    let _lock = lock(path.with_added_extension("lock")).await?;
    let opened = async {
        let options: AnyConnectOptions = sqlite_url(&path)?.parse()?;
        check(&options, SQLITE_SETTINGS).await?;
        let pool = AnyPoolOptions::new()
            .max_connections(SQLITE_CONNECTIONS)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(|connection, _| {
                Box::pin(async { connection.execute(SQLITE_SETTINGS).await.map(drop) })
            })
            .connect_with(options)
            .await?;
        migrate(&pool).await?;
        anyhow::Ok(pool)
    };
    let pool = opened.await.with_context(|| format!("could not open the database {}", path.display()))?;
    Ok(Store { pool, engine: Engine::Sqlite })
}

async fn open_postgres(url: &str) -> Result<Store> {
    let options: AnyConnectOptions = url.parse().map_err(|_| anyhow!("the postgres URL is not a URL"))?;
    let opened = async {
        check(&options, POSTGRES_SETTINGS).await?;
        let pool = AnyPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .after_connect(|connection, _| {
                Box::pin(async { connection.execute(POSTGRES_SETTINGS).await.map(drop) })
            })
            .connect_with(options)
            .await?;
        migrate(&pool).await?;
        anyhow::Ok(pool)
    };
    let pool = opened.await.context("could not open the postgres database")?;
    Ok(Store { pool, engine: Engine::Postgres })
}

/// Connects once by itself. A pool tries what cannot work again and again, for half a minute.
async fn check(options: &AnyConnectOptions, statement: &'static str) -> Result<()> {
    let connected = timeout(PATIENCE, AnyConnection::connect_with(options)).await;
    let mut connection = connected.context("nobody answers")??;
    connection.execute(statement).await?;
    Ok(connection.close().await?)
}

async fn migrate(pool: &AnyPool) -> Result<()> {
    MIGRATIONS.run(pool).await.context("could not bring the tables up to date")
}

/// Makes the file and its folder where they are missing, for this user only; gives the path with no link in
/// its folders.
///
/// An existing database is not opened here: closing it again would drop the locks that SQLite holds on it for
/// another connection of this process.
fn create_private(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().context("the path has no file name")?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let path = fs::canonicalize(folder)?.join(name);
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error.into()),
        Ok(_) | Err(_) => Ok(path),
    }
}

/// Waits until nobody else is opening the database; the lock ends with the file.
///
/// sqlx has no lock for SQLite's migrations, and two processes may meet on a new file. The waiting is not done on a
/// thread of the runtime, where it could be in the way of whoever has the lock.
async fn lock(path: PathBuf) -> Result<File> {
    let what = format!("could not lock {}", path.display());
    let open_and_lock = move || {
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        file.lock()?;
        std::io::Result::Ok(file)
    };
    tokio::task::spawn_blocking(open_and_lock).await?.context(what)
}

/// The URL of a file, with everything escaped that a URL could take for something else.
fn sqlite_url(path: &Path) -> Result<String> {
    let path = path.to_str().context("the path of the database is not UTF-8")?;
    let mut url = String::from("sqlite://");
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => url.push(char::from(byte)),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    Ok(url)
}
