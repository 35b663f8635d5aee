//! Everything that decides. No D-Bus, no keyring, no Tauri: those are [`ports`], filled by the
//! resident.
//!
//! Who may import whom: `engine` knows every other module; `backend`, `transport`, `store`, `policy`, `import`
//! and `settings` know `model` and not each other. Everybody may know `text`, which knows nobody; `picture`
//! knows nobody either, and only `engine` knows it.

pub mod backend;
pub mod engine;
pub mod import;
pub mod model;
pub mod picture;
pub mod policy;
pub mod ports;
pub mod settings;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod transport;
