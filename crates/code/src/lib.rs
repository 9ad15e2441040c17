//! Syntax as values: which language a file is in, and how complex its functions are.
//!
//! The parsers and the metrics are big-code-analysis's; its types do not leave this crate.

mod enclosing;
mod functions;
mod guard;
mod language;
mod nesting;

pub use enclosing::function_lines;
pub use functions::{CodeError, Cost, FunctionMetrics, MAX_SOURCE_BYTES, Report, functions};
pub use guard::{Lines, is_bounded};
pub use language::{Language, language_of};
