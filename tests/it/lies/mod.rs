//! Nodes that lie, before the program itself.

mod numbers;
mod relayed;
mod rules;
mod writing;
