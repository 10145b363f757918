//! Nodes that lie, before the program itself.

mod copied;
mod endless;
mod numbers;
mod reading;
mod relayed;
mod rules;
mod scene;
mod table;
mod writing;
