//! What was done to other review bots, tried on this one: models that obey, planted secrets, hostile names. The table of
//! all threats is `docs/security.md`.

mod canaries;
mod names;
mod obeying;
mod service;
mod table;
