//! Connections: one task per account that follows the pure machine in [`state`], and one attempt at a
//! time that carries out what a session wants ([`attempt`]).

pub mod attempt;
pub mod failure;
mod fetch;
pub mod of_account;
pub mod state;
pub mod task;
