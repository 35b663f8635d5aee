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
    let way = Way {
        proxy: match way.proxy.as_str() {
            "system" => String::new(),
            "none" => "direct".to_owned(),
            _ => way.proxy,
        },
        ..way
    };
    if !matches!(way.proxy.as_str(), "" | "direct") {
        let url = Url::parse(&way.proxy)
            .ok()
            .filter(|url| url.has_host())
            .filter(|url| ["http", "https", "socks5", "socks5h"].contains(&url.scheme()))
            .ok_or(
                "A proxy is an address such as http://proxy.example:3128 or \
                 socks5h://127.0.0.1:1080; “none” means none, and “system” the system’s settings.",
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

/// Which proxy a request takes. Without `Debug`, as an address of the desktop's may have a password in it.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Through {
    /// None.
    Direct,
    /// What the environment says (`HTTPS_PROXY` and the like, with `NO_PROXY`), and on other systems than
    /// Linux the system's settings.
    Environment,
    /// The one that the account names.
    Named(String),
    /// The one that the desktop names.
    Desktop(String),
}

/// What is known without asking the desktop: what the account names is before the environment, which is before
/// the desktop. None: the desktop is to be asked.
pub(super) fn through(
    proxy: &str,
    url: &Url,
    is_loopback: bool,
    environment: impl Fn(&str) -> bool,
) -> Option<Through> {
    let of_scheme: &[&str] = match url.scheme() {
        "https" => &["HTTPS_PROXY", "https_proxy"],
        // A server's `HTTP_PROXY` may be a header of its client (httpoxy).
        _ if environment("REQUEST_METHOD") => &["http_proxy"],
        _ => &["HTTP_PROXY", "http_proxy"],
    };
    let of_all = ["ALL_PROXY", "all_proxy"];
    match proxy {
        "direct" => Some(Through::Direct),
        // Nobody else must see what is meant for this computer.
        "" if is_loopback => Some(Through::Direct),
        "" if of_scheme
            .iter()
            .chain(&of_all)
            .any(|name| environment(name)) =>
        {
            Some(Through::Environment)
        }
        "" => None,
        address => Some(Through::Named(address.to_owned())),
    }
}

/// Whether a variable of the environment says something.
pub(super) fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// The first of the desktop's answers that can be taken.
pub(super) fn by_desktop(answers: &[String]) -> Through {
    let proxy = |scheme: &str, rest: &str| {
        let address = format!("{scheme}://{rest}");
        let has_host = Url::parse(&address).is_ok_and(|url| url.has_host());
        has_host.then_some(Through::Desktop(address))
    };
    let usable = |answer: &String| {
        let (scheme, rest) = answer.trim().split_once("://")?;
        match scheme.to_ascii_lowercase().as_str() {
            "direct" => Some(Through::Direct),
            // The proxy looks names up, as the desktop's other programs have it do.
            "socks" | "socks5" | "socks5h" => proxy("socks5h", rest),
            "socks4" | "socks4a" => proxy("socks4a", rest),
            scheme @ ("http" | "https") => proxy(scheme, rest),
            _ => None,
        }
    };
    answers
        .iter()
        .find_map(usable)
        .unwrap_or(Through::Environment)
}

/// A client that takes this way.
pub(super) fn client(
    builder: ClientBuilder,
    through: &Through,
    credential: &Credential,
) -> Result<ClientBuilder, TransportError> {
    let (address, except) = match through {
        Through::Direct => return Ok(builder.no_proxy()),
        Through::Environment => return Ok(builder),
        // Whoever names a proxy means it, also for what NO_PROXY would leave out.
        Through::Named(address) => (address, None),
        Through::Desktop(address) => (address, NoProxy::from_env()),
    };
    let proxy = Proxy::all(address)
        .map_err(|_| TransportError::Connect("the proxy's address cannot be used".to_owned()))?;
    let signed_in = credential
        .proxy
        .as_deref()
        .and_then(|both| both.split_once(':'));
    let proxy = match signed_in {
        Some((user, password)) => proxy.basic_auth(user, password),
        None => proxy,
    };
    Ok(builder.no_proxy().proxy(proxy.no_proxy(except)))
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
    fn words_for_no_proxy_and_the_systems_are_kept_as_one() {
        for (entered, kept) in [
            ("system", ""),
            ("", ""),
            ("none", "direct"),
            (" direct ", "direct"),
        ] {
            assert_eq!(check(&way(entered, "")).unwrap().proxy, kept, "{entered}");
        }
    }

    #[test]
    fn the_accounts_word_is_before_the_environments_and_that_before_the_desktops() {
        let of = |proxy: &str, url: &str, loopback: bool, set: &[&str]| {
            let url = Url::parse(url).unwrap();
            through(proxy, &url, loopback, |name| set.contains(&name))
        };
        let named = || Some(Through::Named("http://p:1".to_owned()));
        let secure = "https://ntfy.example/";
        let clear = "http://ntfy.example/";
        let environment = Some(Through::Environment);
        for (proxy, url, loopback, set, wanted) in [
            ("http://p:1", secure, false, &["HTTPS_PROXY"][..], named()),
            ("http://p:1", clear, true, &[], named()),
            (
                "direct",
                secure,
                false,
                &["HTTPS_PROXY"],
                Some(Through::Direct),
            ),
            (
                "",
                clear,
                true,
                &["http_proxy", "ALL_PROXY"],
                Some(Through::Direct),
            ),
            ("", secure, false, &["https_proxy"], environment.clone()),
            ("", secure, false, &["all_proxy"], environment.clone()),
            ("", clear, false, &["HTTP_PROXY"], environment.clone()),
            ("", clear, false, &["HTTP_PROXY", "REQUEST_METHOD"], None),
            ("", secure, false, &["HTTP_PROXY", "NO_PROXY"], None),
            ("", clear, false, &["HTTPS_PROXY"], None),
            ("", secure, false, &[], None),
        ] {
            let found = of(proxy, url, loopback, set);
            assert!(found == wanted, "{proxy} {url} {set:?}");
        }
    }

    #[test]
    fn the_first_answer_of_the_desktop_that_can_be_taken_is() {
        let desktop = |address: &str| Through::Desktop(address.to_owned());
        for (answers, wanted) in [
            (&[][..], Through::Environment),
            (&["direct://"], Through::Direct),
            (&["http://10.0.0.1:3128/"], desktop("http://10.0.0.1:3128/")),
            (&["HTTP://p:3128", "direct://"], desktop("http://p:3128")),
            (&["socks://p:1080"], desktop("socks5h://p:1080")),
            (&["socks5://p:1080"], desktop("socks5h://p:1080")),
            (&["socks4://p:1080"], desktop("socks4a://p:1080")),
            (
                &["ftp://p:21", "http://", "p:1", "direct://"],
                Through::Direct,
            ),
            (&["ftp://p:21"], Through::Environment),
        ] {
            let answers: Vec<String> = answers.iter().map(ToString::to_string).collect();
            assert!(by_desktop(&answers) == wanted, "{answers:?}");
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
