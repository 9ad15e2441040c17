//! The one integration binary: decisions as tables, and the program through its door.

mod door;
mod eval;
mod panel_table;
mod review;
mod schema;
mod support;
