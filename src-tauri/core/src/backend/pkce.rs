//! Proof that whoever fetches a token is who asked for it (RFC 7636).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// The secret that stays here until the end: 43 letters from 32 random bytes (RFC 7636, 4.1).
pub fn verifier(random: &[u8; 32]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(random)
}

/// What is shown of it at the beginning, by the method `S256` (RFC 7636, 4.2).
pub fn challenge(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{challenge, verifier};

    #[test]
    fn the_example_of_the_standard() {
        // RFC 7636, Appendix B.
        let random = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212,
            37, 77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let secret = verifier(&random);
        assert_eq!(secret, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(
            challenge(&secret),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
