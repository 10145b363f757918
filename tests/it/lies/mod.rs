//! Nodes that lie, before the program itself.

mod writing;
