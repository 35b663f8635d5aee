//! Servers that are not ours, as far as tests need them: on loopback, faithful to what is known of the real
//! ones, and obedient.

pub mod pusher;
pub mod tutorial;
