//! Findings about the same thing become one claim.
