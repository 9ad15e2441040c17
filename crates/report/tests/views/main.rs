//! The views of one realistic packet, whole, and of packets full of hostile text.

mod comment;
mod fixture;
mod github;
mod hostile;
mod judged;
mod log;
mod shell;
