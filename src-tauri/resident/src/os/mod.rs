//! What the operating system gives: the ports filled in.

#[cfg(target_os = "linux")]
pub mod around;
pub mod autostart;
#[cfg(target_os = "linux")]
pub mod bus;
pub mod clock;
pub mod doctor;
#[cfg(target_os = "linux")]
mod fd;
pub mod mandates;
pub mod memory;
pub mod network;
#[cfg(target_os = "linux")]
pub mod notifier;
pub mod open;
pub mod power;
#[cfg(target_os = "linux")]
pub mod proxies;
pub mod secrets;
#[cfg(target_os = "linux")]
pub mod sounds;
#[cfg(target_os = "linux")]
pub mod tray;
