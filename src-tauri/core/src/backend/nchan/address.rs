//! Addresses and names.

use crate::backend::Address;
use url::Url;

/// The longest name of a channel, in bytes (Nchan, `nchan_max_channel_id_length`).
const LONGEST_CHANNEL: usize = 1024;
/// Where nginx configurations usually have a channel's name in the query (`nchan_channel_id $arg_id`).
const PARAMETERS: [&str; 4] = ["id", "channel", "channel_id", "ch"];
/// Stands in an address for a channel's name.
const CHANNEL: &str = "{channel}";

/// A subscriber's address is one as a whole: any path may be a channel, and a query belongs to it.
pub(super) fn take_apart(pasted: &Url) -> Address {
    let scheme = match pasted.scheme() {
        "ws" => "http",
        "wss" => "https",
        same => same,
    };
    let rest = &pasted.as_str()[pasted.scheme().len()..];
    let mut base = Url::parse(&format!("{scheme}{rest}")).unwrap_or_else(|_| pasted.clone());
    // Only an address without a host has nothing to take these from.
    let _ = base.set_username("");
    let _ = base.set_password(None);
    base.set_fragment(None);
    Address {
        base,
        topics: Vec::new(),
        options: String::new(),
    }
}

/// What a channel is called if nobody says: as its address does.
pub(super) fn channel_of(base: &Url) -> String {
    let parameter = base
        .query_pairs()
        .find(|(name, value)| PARAMETERS.contains(&name.as_ref()) && !value.is_empty())
        .map(|(_, value)| value.into_owned());
    let step = || {
        let step = base.path_segments()?.rfind(|step| !step.is_empty())?;
        // Decoded as a form's value, where nothing is left out.
        let step = step.replace('+', "%2B");
        let (value, _) = url::form_urlencoded::parse(step.as_bytes()).next()?;
        Some(value.into_owned())
    };
    parameter
        .or_else(step)
        .filter(|name| check_channel(name).is_ok())
        .or_else(|| base.host_str().map(str::to_owned))
        .unwrap_or_default()
}

pub(super) fn check_channel(channel: &str) -> Result<(), String> {
    if channel.trim().is_empty() {
        Err("A channel needs a name.".to_owned())
    } else if channel.len() > LONGEST_CHANNEL {
        Err(format!(
            "A channel's name has at most {LONGEST_CHANNEL} bytes."
        ))
    } else if channel.chars().any(char::is_control) {
        Err("A channel's name has no line breaks or other control characters.".to_owned())
    } else {
        Ok(())
    }
}

/// The address at which a channel tells about itself, in `template`, which may have `{channel}` in it.
pub(super) fn about(template: &str, channel: &str) -> Option<Url> {
    let channel: String = url::form_urlencoded::byte_serialize(channel.as_bytes())
        .collect::<String>()
        .replace('+', "%20");
    let url = Url::parse(&template.trim().replace(CHANNEL, &channel)).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
    (is_web && url.username().is_empty() && url.password().is_none()).then_some(url)
}

/// Whether each channel has an address of its own.
pub(super) fn is_of_each(template: &str) -> bool {
    template.contains(CHANNEL)
}
