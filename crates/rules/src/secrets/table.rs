//! The table of formats, by what the issuers make.
//!
//! Rows state what issuers document of their tokens: prefix, alphabet, length, checksum. Where an issuer says
//! nothing of the length, the row asks for what is seen, and for the entropy of something drawn by lot.

mod cloud;
mod code_hosts;
mod generic;
mod models;
mod services;

use super::format::Format;

/// Every format, those with the narrowest patterns first.
pub(super) fn all() -> impl Iterator<Item = &'static Format> {
    [code_hosts::FORMATS, cloud::FORMATS, models::FORMATS, services::FORMATS, generic::FORMATS]
        .into_iter()
        .flatten()
}
