//! How a server is reached where that is not as everywhere: a proxy, certificate authorities of its
//! own, one pinned certificate, a client certificate.

use super::TransportError;
use super::tls::{Identity, Trust};
use crate::model::{Credential, Way};
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use reqwest::{ClientBuilder, NoProxy, Proxy};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::path::Path;
use url::Url;

/// A certificate file has a handful of certificates.
const LONGEST_FILE: u64 = 1024 * 1024;

/// A way that can be taken, in the form in which it is kept; an error says what to change.
pub fn check(way: &Way) -> Result<Way, String> {
    let way = Way {
        proxy: way.proxy.trim().to_owned(),
        authorities: way.authorities.trim().to_owned(),
        pin: bare_pin(&way.pin),
        certificate: way.certificate.trim().to_owned(),
    };
    if !matches!(way.proxy.as_str(), "" | "direct") {
        let url = Url::parse(&way.proxy)
            .ok()
            .filter(|url| url.has_host())
            .filter(|url| ["http", "https", "socks5", "socks5h"].contains(&url.scheme()))
            .ok_or(
                "A proxy is an address such as http://proxy.example:3128 or \
                 socks5h://127.0.0.1:1080; “direct” means none.",
            )?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "Leave user name and password out of the proxy’s address and enter them beside it."
                    .to_owned(),
            );
        }
    }
    if !way.pin.is_empty() && pin(&way.pin).is_none() {
        return Err("A pinned certificate is its SHA-256: 64 hexadecimal digits.".to_owned());
    }
    if !way.authorities.is_empty() {
        authorities(&way.authorities)?;
    }
    if !way.certificate.is_empty() {
        read(&way.certificate)?;
    }
    Ok(way)
}

/// As tools print it: with colons, spaces, capitals.
fn bare_pin(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && *c != ':')
        .collect::<String>()
        .to_ascii_lowercase()
}

fn pin(text: &str) -> Option<[u8; 32]> {
    let mut pin = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in pin.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(pin)
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    let problem = |why: &dyn std::fmt::Display| format!("The file {path} cannot be read: {why}.");
    let size = fs::metadata(path).map_err(|error| problem(&super::fault::plain(&error)))?;
    if !size.is_file() || size.len() > LONGEST_FILE {
        return Err(problem(&"it is no certificate file"));
    }
    fs::read(path).map_err(|error| problem(&super::fault::plain(&error)))
}

fn authorities(path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(format!(
            "The file {path} has no certificate in it. It has to be a PEM file, with BEGIN CERTIFICATE."
        )),
    }
}

/// What is trusted on this way, and who we are on it. Reads files.
pub(super) fn trust(way: &Way, credential: &Credential) -> Result<Trust, TransportError> {
    let extra = if way.authorities.is_empty() {
        Vec::new()
    } else {
        authorities(&way.authorities).map_err(|says| words(&says))?
    };
    let identity = if way.certificate.is_empty() {
        None
    } else {
        let password = credential.certificate.as_deref().unwrap_or_default();
        Some(identity(&way.certificate, password).map_err(|says| words(&says))?)
    };
    Ok(Trust {
        extra,
        pin: pin(&way.pin),
        identity,
    })
}

/// Errors of TLS are told as what follows a colon.
fn words(says: &str) -> TransportError {
    TransportError::Tls(says.trim_end_matches('.').to_owned())
}

fn identity(path: &str, password: &str) -> Result<Identity, String> {
    let bytes = read(path)?;
    let is_pkcs12 = Path::new(path).extension().is_some_and(|ending| {
        ending.eq_ignore_ascii_case("p12") || ending.eq_ignore_ascii_case("pfx")
    });
    if is_pkcs12 {
        return from_pkcs12(&bytes, password).ok_or_else(|| {
            format!(
                "The client certificate {path} cannot be opened. Is its password right, and is there a \
                 key in it?"
            )
        });
    }
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let key = PrivateKeyDer::from_pem_slice(&bytes);
    match (chain, key) {
        (Ok(chain), Ok(key)) if !chain.is_empty() => Ok(Identity { chain, key }),
        _ => Err(format!(
            "The client certificate {path} needs a certificate and its key, without a password, in one PEM \
             file; or take a PKCS#12 file (.p12)."
        )),
    }
}

/// RFC 7292.
fn from_pkcs12(bytes: &[u8], password: &str) -> Option<Identity> {
    let store = KeyStore::from_pkcs12(bytes, password, Pkcs12ImportPolicy::Relaxed).ok()?;
    let (_, chain) = store.private_key_chain()?;
    let key = PrivateKeyDer::try_from(chain.key().as_der().to_vec()).ok()?;
    let chain = chain
        .certs()
        .iter()
        .map(|certificate| CertificateDer::from(certificate.as_der().to_vec()))
        .collect();
    Some(Identity { chain, key })
}

/// A client that takes this way.
pub(super) fn through(
    builder: ClientBuilder,
    way: &Way,
    credential: &Credential,
    is_loopback: bool,
) -> Result<ClientBuilder, TransportError> {
    match way.proxy.as_str() {
        // A proxy of the system must not see what is meant for this computer.
        "" if is_loopback => Ok(builder.no_proxy()),
        "" => Ok(builder),
        "direct" => Ok(builder.no_proxy()),
        address => {
            let proxy = Proxy::all(address).map_err(|_| {
                TransportError::Connect("the proxy's address cannot be used".to_owned())
            })?;
            let proxy = match credential
                .proxy
                .as_deref()
                .and_then(|both| both.split_once(':'))
            {
                Some((user, password)) => proxy.basic_auth(user, password),
                None => proxy,
            };
            // Whoever names a proxy means it, also for what NO_PROXY would leave out.
            Ok(builder.no_proxy().proxy(proxy.no_proxy(None::<NoProxy>)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(proxy: &str, pin: &str) -> Way {
        Way {
            proxy: proxy.to_owned(),
            pin: pin.to_owned(),
            ..Way::default()
        }
    }

    #[test]
    fn proxies_are_addresses_without_passwords() {
        for good in [
            "",
            "direct",
            "http://proxy.example:3128",
            "socks5://127.0.0.1:1080",
            " socks5h://[::1]:1080 ",
        ] {
            assert_eq!(check(&way(good, "")).unwrap().proxy, good.trim(), "{good}");
        }
        for bad in [
            "proxy.example:3128",
            "ftp://proxy.example",
            "http://",
            "http://u:marker@proxy.example",
        ] {
            let says = check(&way(bad, "")).unwrap_err();
            assert!(
                says.ends_with('.') && !says.contains("marker"),
                "{bad}: {says}"
            );
        }
    }

    #[test]
    fn a_pin_is_taken_as_tools_print_it() {
        let colons = ["AB"; 32].join(":");
        assert_eq!(check(&way("", &colons)).unwrap().pin, "ab".repeat(32));
        assert_eq!(pin(&"ab".repeat(32)), Some([0xab; 32]));
        for bad in ["ab", &"xy".repeat(32), &"ab".repeat(33), &"ä".repeat(32)] {
            assert!(check(&way("", bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn files_that_are_none_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let empty = path("empty.pem", "hello");
        for authorities in ["/no/such/file", &empty, "/"] {
            let bad = Way {
                authorities: authorities.to_owned(),
                ..Way::default()
            };
            assert!(check(&bad).unwrap_err().contains(authorities));
        }
        for certificate in [empty, path("empty.p12", "hello")] {
            let bad = Way {
                certificate: certificate.clone(),
                ..Way::default()
            };
            let Err(TransportError::Tls(says)) = trust(&bad, &Credential::default()) else {
                panic!("{certificate} is no certificate");
            };
            assert!(says.contains(&certificate), "{says}");
        }
    }
}
