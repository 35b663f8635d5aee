//! The whole path without a desktop: a real server on loopback, real sockets, a real store on disk, and a
//! clock that moves only when told.

mod clean_end;
mod custom;
mod gotify;
mod harness;
mod import;
mod kill;
mod mercure;
mod ntfy_account;
mod outages;
mod pictures;
mod policy;
mod pusher;
mod relay;
mod topics;
mod way_back;
mod week;
