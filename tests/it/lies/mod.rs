//! Nodes that lie, before the program itself.

mod copied;
mod endless;
mod reading;
mod scene;
mod table;
