//! Servers that are not ours, as far as tests need them: on loopback only, faithful to what is known of the
//! real ones, and obedient.

pub mod gotify;
pub mod mercure;
pub mod pusher;
mod request;
pub mod tutorial;
