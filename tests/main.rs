//! The one integration binary: decisions as tables, and the program through its door.

mod app;
mod authorship;
mod ci;
mod doctor;
mod door;
mod eval;
mod evidence;
mod github;
mod panel_at_work;
mod panel_table;
mod prompts;
mod pull;
mod replay;
mod review;
mod rule_examples;
mod schema;
mod setup;
mod support;
mod tamper;
mod threats;
mod verify;
