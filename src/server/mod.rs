//! HTTP services: how connections come in and go out. What is answered lies in [`kgc`], and the
//! rules in the rooms below.

mod accept;
pub mod kgc;
mod tls;

pub use accept::{Limits, Listener, Stop};
pub use tls::{TlsError, server_config};
