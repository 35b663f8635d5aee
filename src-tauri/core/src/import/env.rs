//! Lines of a Laravel application's `.env` that say where its Pusher server is (Laravel, `config/broadcasting`
//! and Reverb's installer). The app's secret is not among what is read.

use crate::text::one_line;
use url::Url;

/// What builds for browsers put before a name.
const PREFIXES: [&str; 4] = ["VITE_", "MIX_", "NEXT_PUBLIC_", "NUXT_PUBLIC_"];
/// How deep one value may name another.
const DEEPEST: usize = 4;

/// Where the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Env {
    /// Its address, with the app's key in it.
    pub url: Url,
    /// A secret was among the lines.
    pub had_secret: bool,
}

/// Reads such lines; none if they are none.
///
/// # Errors
/// In words: they are such lines, and something is missing. No value is repeated but a host's.
pub fn read(text: &str) -> Option<Result<Env, String>> {
    let lines: Vec<(String, &str)> = text.lines().filter_map(line).collect();
    let is_ours = |name: &str| name.starts_with("PUSHER_") || name.starts_with("REVERB_");
    if !lines.iter().any(|(name, _)| is_ours(name)) {
        return None;
    }
    let had_secret = lines.iter().any(|(name, _)| name.ends_with("_SECRET"));
    Some(url(&lines).map(|url| Env { url, had_secret }))
}

/// `NAME=value`, without what may stand before it and around it.
fn line(text: &str) -> Option<(String, &str)> {
    let text = text.trim();
    let text = text.strip_prefix("export ").unwrap_or(text);
    let (name, value) = text.split_once('=')?;
    let name = name.trim();
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || !name.bytes().all(plain) {
        return None;
    }
    let name = PREFIXES
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name);
    Some((name.to_owned(), value.trim()))
}

/// A variable's value. The same one may be there for browsers again, as `"${NAME}"`.
fn value(lines: &[(String, &str)], name: &str, depth: usize) -> Option<String> {
    lines
        .iter()
        .filter(|(known, _)| known == name)
        .find_map(|(_, written)| {
            let quoted = ['"', '\''].into_iter().find_map(|quote| {
                let inner = written.strip_prefix(quote)?;
                inner.split_once(quote).map(|(inner, _)| inner)
            });
            let bare = quoted.unwrap_or_else(|| {
                let comment = written.find(" #").unwrap_or(written.len());
                written[..comment].trim()
            });
            let named = bare.strip_prefix("${").and_then(|it| it.strip_suffix('}'));
            let found = match named {
                Some(other) if depth < DEEPEST => value(lines, other, depth + 1)?,
                Some(_) => return None,
                None => bare.to_owned(),
            };
            (!found.is_empty() && found != "null").then_some(found)
        })
}

fn url(lines: &[(String, &str)]) -> Result<Url, String> {
    let get = |name: String| value(lines, &name, 0);
    let chosen =
        get("BROADCAST_CONNECTION".to_owned()).or_else(|| get("BROADCAST_DRIVER".to_owned()));
    let mut families = ["REVERB", "PUSHER"];
    if chosen.as_deref() == Some("pusher") {
        families.reverse();
    }
    let Some((family, key)) = families
        .into_iter()
        .find_map(|family| Some((family, get(format!("{family}_APP_KEY"))?)))
    else {
        return Err(
            "These lines have no app key. Paste the line PUSHER_APP_KEY=… (or REVERB_APP_KEY=…) too."
                .to_owned(),
        );
    };
    if !key
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
    {
        return Err("The app key in these lines cannot be one.".to_owned());
    }
    let cluster = get(format!("{family}_APP_CLUSTER"));
    let host = get(format!("{family}_HOST"));
    let scheme = match get(format!("{family}_SCHEME")).as_deref() {
        Some("http" | "ws") => "http",
        _ => "https",
    };
    let address = match (host, cluster) {
        (Some(host), _) => {
            let port = get(format!("{family}_PORT")).map(|port| format!(":{port}"));
            format!("{scheme}://{host}{}/app/{key}/", port.unwrap_or_default())
        }
        (None, Some(cluster)) if family == "PUSHER" => {
            format!("https://ws-{cluster}.pusher.com/app/{key}/")
        }
        _ => {
            return Err(format!(
                "These lines do not say where the server is. Paste the line {family}_HOST=… too{}.",
                if family == "PUSHER" {
                    ", or PUSHER_APP_CLUSTER=…"
                } else {
                    ""
                }
            ));
        }
    };
    Url::parse(&address).map_err(|_| {
        let host = value(lines, &format!("{family}_HOST"), 0).unwrap_or_default();
        format!(
            "The host “{}” in these lines is no host's name.",
            one_line(&host, 80)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::read;
    use proptest::prelude::*;

    #[test]
    fn lines_become_an_address() {
        for (text, address) in [
            (
                "PUSHER_APP_ID=1\nPUSHER_APP_KEY=abc123\nPUSHER_APP_SECRET=marker\nPUSHER_APP_CLUSTER=eu",
                "https://ws-eu.pusher.com/app/abc123/",
            ),
            (
                "REVERB_APP_KEY=\"k-1\"\nREVERB_HOST='ws.example.org'\nREVERB_PORT=443\nREVERB_SCHEME=https",
                "https://ws.example.org/app/k-1/",
            ),
            (
                "REVERB_APP_KEY=k1\r\nREVERB_HOST=localhost # here\r\nREVERB_PORT=8080\r\nREVERB_SCHEME=http",
                "http://localhost:8080/app/k1/",
            ),
            (
                "VITE_REVERB_APP_KEY=\"${REVERB_APP_KEY}\"\nREVERB_APP_KEY=k1\nVITE_REVERB_HOST=\"${REVERB_HOST}\"\n\
                 REVERB_HOST=h.test",
                "https://h.test/app/k1/",
            ),
            (
                "export PUSHER_APP_KEY=k1\nPUSHER_HOST=\nPUSHER_APP_CLUSTER=mt1",
                "https://ws-mt1.pusher.com/app/k1/",
            ),
            (
                "BROADCAST_CONNECTION=pusher\nREVERB_APP_KEY=r1\nREVERB_HOST=r.test\nPUSHER_APP_KEY=p1\n\
                 PUSHER_HOST=p.test\nPUSHER_PORT=6001",
                "https://p.test:6001/app/p1/",
            ),
        ] {
            let env = read(text).unwrap().unwrap();
            assert_eq!(env.url.as_str(), address, "{text}");
            assert_eq!(env.had_secret, text.contains("SECRET"));
        }
    }

    #[test]
    fn what_is_missing_is_said_and_no_secret_repeated() {
        for (text, says) in [
            ("PUSHER_APP_SECRET=marker", "no app key"),
            ("REVERB_APP_KEY=k1\nREVERB_APP_SECRET=marker", "REVERB_HOST"),
            ("PUSHER_APP_KEY=k1", "PUSHER_APP_CLUSTER"),
            ("PUSHER_APP_KEY=${PUSHER_APP_KEY}", "no app key"),
            ("PUSHER_APP_KEY=a/b", "cannot be one"),
            ("PUSHER_APP_KEY=k1\nPUSHER_HOST=a b", "a b"),
        ] {
            let error = read(text).unwrap().unwrap_err();
            assert!(error.contains(says) && !error.contains("marker"), "{error}");
        }
        for other in ["https://ntfy.sh/a?b=c", "", "a=b", "APP_KEY=x"] {
            assert!(read(other).is_none(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_lines_are_survived(text in "((VITE_)?(PUSHER|REVERB)_(APP_KEY|HOST|PORT|SCHEME|APP_CLUSTER)=\\PC{0,12}\n){0,6}") {
            let _ = read(&text);
        }
    }
}
