//! Where the built programs are.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::Result;

/// The environment variable that names the folder with the built programs.
pub const BIN_DIR_VARIABLE: &str = "TIDINGS_BIN_DIR";

/// The path of a built program: in the folder that [`BIN_DIR_VARIABLE`] names, else in
/// `target/release`.
///
/// # Errors
/// The program isn't there; the message says how to build it.
pub fn binary(name: &str) -> Result<PathBuf> {
    let folder = env::var_os(BIN_DIR_VARIABLE).map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release"),
        PathBuf::from,
    );
    let path = folder.join(name);
    path.canonicalize().map_err(|_| {
        format!(
            "{} is not built. `cargo xtask test` builds it and runs these tests; \
             {BIN_DIR_VARIABLE} names another folder.",
            path.display()
        )
        .into()
    })
}
