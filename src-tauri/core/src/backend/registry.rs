//! All families.

use super::Backend;
use super::custom::Custom;
use super::gotify::Gotify;
use super::mercure::Mercure;
use super::nchan::Nchan;
use super::ntfy::Ntfy;
use super::pusher::Pusher;
use crate::model::BackendKind;

static BACKENDS: [&dyn Backend; 6] = [&Ntfy, &Gotify, &Mercure, &Pusher, &Nchan, &Custom];

/// Every family, the likeliest first.
pub fn backends() -> &'static [&'static dyn Backend] {
    &BACKENDS
}

/// The family of a kind.
pub fn backend(kind: BackendKind) -> &'static dyn Backend {
    match kind {
        BackendKind::Ntfy => &Ntfy,
        BackendKind::Gotify => &Gotify,
        BackendKind::Pusher => &Pusher,
        BackendKind::Mercure => &Mercure,
        BackendKind::Nchan => &Nchan,
        BackendKind::Custom => &Custom,
    }
}

#[cfg(test)]
mod tests {
    use super::{backend, backends};

    #[test]
    fn every_family_is_found_by_its_kind_and_can_be_set_up() {
        for family in backends() {
            assert_eq!(backend(family.kind()).kind(), family.kind());
            let can = family.capabilities();
            assert!(!can.name.is_empty() && !can.transports.is_empty());
            assert!(can.fields.iter().any(|field| field.name == "url"));
            for field in can.fields {
                assert!(!field.label.is_empty() && field.name.is_ascii());
            }
        }
    }
}
