//! Syntax as values: which language a file is in, how complex its functions are, and what they do step by step.
//!
//! The parsers and the metrics are big-code-analysis's; its types do not leave this crate.

mod enclosing;
mod functions;
mod guard;
mod language;
mod lower;
mod nesting;
mod parse;
mod steps;
mod types;

pub use enclosing::function_lines;
pub use functions::{FunctionMetrics, Report, functions};
pub use guard::{Lines, is_bounded};
pub use language::{Language, language_of};
pub use lower::steps;
pub use parse::{CodeError, Cost, MAX_SOURCE_BYTES};
pub use steps::{Argument, Call, Case, Expr, ExprKind, Function, Import, Parameter, Program, Step};
pub use types::is_number_type;
