//! What runs: configuration, prompts, and the story of one review.
//!
//! Everything that decides is in `review`; here the decisions meet git, the models and the store. `service` is the
//! only crate that starts concurrent work, and it prints nothing: whoever calls it is told by values.

pub mod asks;
pub mod authorship;
pub mod briefing;
pub mod ci;
pub mod config;
pub mod doctor;
pub mod eval;
pub mod evidence;
pub mod examination;
pub mod fan_out;
pub mod github_way;
pub mod head_checks;
pub mod init;
mod metered;
pub mod models_check;
pub mod office;
pub mod places;
pub mod preview;
pub mod prompts;
pub mod pull;
pub mod receipts;
pub mod replay;
mod replies;
pub mod review_one;
pub mod roster;
pub mod rules_pass;
pub mod serve;
pub mod signing;
pub mod steps;
pub mod tables;
pub mod toml_error;
pub mod verify;
