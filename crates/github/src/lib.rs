//! GitHub's side: deliveries in, changes and posts out. GitHub's JSON stops here.
//!
//! What comes: [`webhook`] says whether a delivery is GitHub's, [`event`] what happened, [`command`] what somebody asks in
//! a comment; all three are plain functions. What goes: [`app`] mints tokens for one repository each, [`repository`]
//! reads and writes with one, [`change`] makes a [`review::Change`] of a pull request. Each call is a route of a closed
//! list, sent by one client that keeps the credential at the origin that the operator configured.

pub mod address;
pub mod app;
pub mod change;
pub mod command;
pub mod error;
pub mod event;
pub mod http;
mod json;
mod jwt;
mod pace;
pub mod repository;
mod route;
pub mod webhook;

pub use address::{ApiUrl, PlainHttp};
pub use app::{App, Credential, Token};
pub use error::{ApiError, ErrorKind, RateLimit};
pub use event::Event;
pub use http::{Connection, Limits, WriteGuard};
pub use repository::RepositoryApi;
