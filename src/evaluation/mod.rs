//! Figures of section 5.4: pictures for people, and statistics of the keys of many images.

pub mod figures;
pub mod keys;
mod panel;
