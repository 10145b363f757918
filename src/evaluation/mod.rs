//! Figures of section 5.4: pictures that a person can look at.

pub mod figures;
mod panel;
