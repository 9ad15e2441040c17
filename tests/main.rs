//! The one integration binary: decisions as tables, and the program through its door.

mod panel_table;
mod schema;
