//! TLS settings: the system's certificate authorities, ring, TLS 1.2 and up; and for a way of its own, more
//! authorities, one pinned certificate, a client certificate.

use super::TransportError;
use crate::model::hexadecimal;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use sha2::{Digest as _, Sha256};
use std::sync::{Arc, Mutex, PoisonError};

/// What is trusted besides the system's authorities, and who we are.
#[derive(Debug, Default)]
pub(super) struct Trust {
    /// More authorities.
    pub extra: Vec<CertificateDer<'static>>,
    /// The SHA-256 of the only certificate that is accepted.
    pub pin: Option<[u8; 32]>,
    /// Our own certificate.
    pub identity: Option<Identity>,
}

/// A client certificate with its key.
#[derive(Debug)]
pub(super) struct Identity {
    /// The certificate, and who issued it.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
}

/// The settings for one kind of connection; clones share the authorities.
#[derive(Clone)]
pub(super) struct Tls {
    config: ClientConfig,
    verifier: Arc<Verifier>,
    /// This computer trusts nobody: no https can work.
    empty: bool,
}

impl Tls {
    /// The system's authorities, or `SSL_CERT_FILE`'s. Reads files.
    pub(super) fn native_roots() -> RootCertStore {
        let mut roots = RootCertStore::empty();
        // Single broken certificates in the system's store are no reason to trust none.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    }

    /// With the system's authorities. Reads files.
    pub(super) fn native() -> Result<Self, TransportError> {
        Self::trusting(Self::native_roots(), Trust::default())
    }

    /// With these authorities, and what an account trusts besides.
    pub(super) fn trusting(mut roots: RootCertStore, trust: Trust) -> Result<Self, TransportError> {
        let wrong = |error: rustls::Error| TransportError::Tls(error.to_string());
        roots.add_parsable_certificates(trust.extra);
        let provider = Arc::new(ring::default_provider());
        let empty = roots.is_empty() && trust.pin.is_none();
        let verifier = Arc::new(Verifier::new(roots, trust.pin, &provider)?);
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(wrong)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::<Verifier>::clone(&verifier));
        let config = match trust.identity {
            Some(Identity { chain, key }) => {
                builder.with_client_auth_cert(chain, key).map_err(wrong)?
            }
            None => builder.with_no_client_auth(),
        };
        Ok(Self {
            config,
            verifier,
            empty,
        })
    }

    /// The settings, offering these protocols (RFC 7301).
    pub(super) fn config(&self, protocols: &[&[u8]]) -> ClientConfig {
        let mut config = self.config.clone();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        config
    }

    /// The SHA-256, in hexadecimal, of the last certificate that nobody vouched for.
    pub(super) fn refused(&self) -> Option<String> {
        let refused = self.verifier.refused.lock();
        refused.unwrap_or_else(PoisonError::into_inner).clone()
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

/// Accepts what authorities vouch for; or, with a pin, exactly one certificate: its user compared it, so
/// its name, issuer and dates no longer matter.
#[derive(Debug)]
struct Verifier {
    usual: Option<Arc<WebPkiServerVerifier>>,
    pin: Option<[u8; 32]>,
    algorithms: WebPkiSupportedAlgorithms,
    /// See [`Tls::refused`].
    refused: Mutex<Option<String>>,
}

impl Verifier {
    fn new(
        roots: RootCertStore,
        pin: Option<[u8; 32]>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, TransportError> {
        let usual = if roots.is_empty() {
            None
        } else {
            let builder =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
            let usual = builder
                .build()
                .map_err(|error| TransportError::Tls(error.to_string()))?;
            Some(usual)
        };
        Ok(Self {
            usual,
            pin,
            algorithms: provider.signature_verification_algorithms,
            refused: Mutex::default(),
        })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let fingerprint: [u8; 32] = Sha256::digest(end_entity).into();
        let result = match (self.pin, &self.usual) {
            (Some(pin), _) if pin == fingerprint => Ok(ServerCertVerified::assertion()),
            (Some(_), _) => Err(CertificateError::ApplicationVerificationFailure.into()),
            (None, Some(usual)) => {
                usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            (None, None) => Err(CertificateError::UnknownIssuer.into()),
        };
        if result.is_err() {
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(hexadecimal(&fingerprint));
        }
        result
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
