//! Resolves capabilities and permissions, and embeds icons, at build time.

use tauri_build::{AppManifest, Attributes};

fn main() {
    // The build script runs in the workspace's root: paths are from there.
    let attributes = Attributes::new()
        .capabilities_path_pattern("./src-tauri/window/capabilities/**/*")
        .app_manifest(
            AppManifest::new().permissions_path_pattern("./src-tauri/window/permissions/**/*"),
        );
    println!("cargo:rerun-if-changed=src-tauri/window/capabilities");
    println!("cargo:rerun-if-changed=src-tauri/window/permissions");
    if let Err(error) = tauri_build::try_build(attributes) {
        eprintln!("{error:#}");
        std::process::exit(1);
    }
}
