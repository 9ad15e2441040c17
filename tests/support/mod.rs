//! What the stories share: a fake GitHub, a fake world of models, real repositories, and the program itself.

pub(crate) mod fake_github;
pub(crate) mod fake_models;
pub(crate) mod generated;
pub(crate) mod obeying;
pub(crate) mod oracle;
pub(crate) mod packets;
pub(crate) mod program;
pub(crate) mod repository;
pub(crate) mod server;
