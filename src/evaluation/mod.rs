//! Figures of section 5.4: pictures that a person can look at; and what the keys of many images are worth.

pub mod figures;
pub mod keys;
mod panel;
