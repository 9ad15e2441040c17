//! The way to GitHub, for whoever goes there: directly, or through the proxy that the environment names.

use github::http::{BadConnection, Proxy};
use github::{ApiUrl, Connection, Limits};

/// Makes the way to the API at an address, through `HTTPS_PROXY` or `ALL_PROXY` where one is set and `NO_PROXY` does not lead
/// past it, just as the models are reached.
///
/// # Errors
/// Where the proxy's address is none, or this machine has no working TLS.
pub fn connect(base: ApiUrl, limits: Limits) -> Result<Connection, BadConnection> {
    match models::Proxy::from_environment() {
        Some(models::Proxy { url, except }) => Connection::through(base, limits, &Proxy { url, except }),
        None => Connection::new(base, limits),
    }
}
