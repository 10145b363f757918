//! Nodes that lie, before the program itself.

mod copied;
mod endless;
mod numbers;
mod reading;
mod relayed;
mod rules;
mod scene;
mod table;
pub(crate) mod views;
mod writing;
