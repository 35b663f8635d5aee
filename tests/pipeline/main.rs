//! The whole path without a desktop: a real server on loopback, real sockets, a real store on disk, and a
//! clock that moves only when told.

mod custom;
mod gotify;
mod harness;
mod kill;
mod mercure;
mod outages;
mod pictures;
mod pusher;
mod relay;
mod way_back;
