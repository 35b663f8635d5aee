//! What Tauri has no words for, per operating system: how the program is called, how a window comes
//! forward, how large it is, and what its page may show.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::{REHEARSES, forgetful, light, measure, prepare, raise, tame};

#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(not(target_os = "linux"))]
pub use other::{REHEARSES, forgetful, light, measure, prepare, raise, tame};
