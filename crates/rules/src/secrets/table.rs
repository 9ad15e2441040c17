//! The table of formats, by what the issuers make.
//!
//! Rows state what issuers document of their tokens: prefix, alphabet, length, checksum. Where an issuer says
//! nothing of the length, the row asks for the least that a guess-proof token has.

mod code_hosts;
mod generic;

use super::format::Format;

/// Every format, the specific ones first.
pub(super) fn all() -> impl Iterator<Item = &'static Format> {
    [code_hosts::FORMATS, generic::FORMATS].into_iter().flatten()
}
