//! Nodes that lie, before the program itself.

mod endless;
mod scene;
