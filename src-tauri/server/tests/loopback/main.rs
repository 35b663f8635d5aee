//! The server over real sockets, as clients meet it.

mod access;
mod account;
mod lifetime;
mod limits;
mod publishing;
mod scheduling;
mod sockets;
mod subscribing;
mod support;
