//! The built program, as its users and their scripts meet it. The programs run in real
//! time: waiting for them needs the real clock, always with a limit.
#![allow(clippy::disallowed_methods)]

#[cfg(target_os = "linux")]
mod around;
mod command_line;
#[cfg(target_os = "linux")]
mod desktop;
mod preferences;
#[cfg(target_os = "linux")]
mod proxies;
mod resident;
#[cfg(target_os = "linux")]
mod sounds;
mod support;
