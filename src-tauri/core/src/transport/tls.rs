//! One TLS setting for everything: the system's certificate authorities, ring, TLS 1.2 and up.

use super::TransportError;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// The settings for one kind of connection; clones share the authorities.
#[derive(Clone)]
pub(super) struct Tls {
    config: ClientConfig,
    /// This computer trusts nobody: no https can work.
    empty: bool,
}

impl Tls {
    /// With the system's authorities, or `SSL_CERT_FILE`'s. Reads files.
    pub(super) fn native() -> Result<Self, TransportError> {
        let mut roots = RootCertStore::empty();
        // Single broken certificates in the system's store are no reason to trust none.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::trusting(roots)
    }

    /// With these authorities.
    pub(super) fn trusting(roots: RootCertStore) -> Result<Self, TransportError> {
        let empty = roots.is_empty();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| TransportError::Tls(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { config, empty })
    }

    /// The settings, offering these protocols (RFC 7301).
    pub(super) fn config(&self, protocols: &[&[u8]]) -> ClientConfig {
        let mut config = self.config.clone();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        config
    }

    /// An error where https cannot work at all.
    pub(super) fn check(&self) -> Result<(), TransportError> {
        if self.empty {
            Err(TransportError::Tls(
                "this computer has no certificate authorities; install the package \
                 ca-certificates"
                    .to_owned(),
            ))
        } else {
            Ok(())
        }
    }
}
