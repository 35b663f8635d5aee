//! Servers that behave like others' where those cannot be installed: on loopback only, from the facts that
//! their sources and documents state.

pub mod gotify;
