//! What is new about an account's secrets: its password, and the values of its extra headers.

use super::invalid;
use crate::model::{Account, Credential, is_token};
use tidings_api::{ErrorView, Secret};

/// Secrets that replace those that are kept; what is none stays, what is empty is none any more.
#[derive(Debug, Default)]
pub struct NewSecrets {
    /// The password or token.
    pub secret: Option<Secret>,
    /// `user:password` for the proxy.
    pub proxy: Option<Secret>,
    /// The password of the client certificate's file.
    pub certificate: Option<Secret>,
    /// All headers; one without a value keeps the one that it has.
    pub headers: Option<Vec<(String, Option<Secret>)>>,
}

impl NewSecrets {
    /// Whether anything is new.
    pub fn any(&self) -> bool {
        self.secret.is_some()
            || self.proxy.is_some()
            || self.certificate.is_some()
            || self.headers.is_some()
    }

    /// Puts them into what is kept.
    ///
    /// # Errors
    /// A header is to keep a value that cannot be found.
    pub fn put(self, credential: &mut Credential) -> Result<(), ErrorView> {
        for (new, kept) in [
            (self.secret, &mut credential.secret),
            (self.proxy, &mut credential.proxy),
            (self.certificate, &mut credential.certificate),
        ] {
            if let Some(new) = new {
                *kept = Some(new.reveal().to_owned()).filter(|text| !text.is_empty());
            }
        }
        let Some(headers) = self.headers else {
            return Ok(());
        };
        let mut all = Vec::new();
        for (name, value) in headers {
            let name = name.trim().to_owned();
            let value = match value {
                Some(value) => value.reveal().to_owned(),
                None => credential
                    .headers
                    .iter()
                    .find(|(known, _)| known.eq_ignore_ascii_case(&name))
                    .map(|(_, value)| value.clone())
                    .ok_or_else(|| {
                        invalid(format!(
                            "The value of the header {name} is not kept any more. Type it anew."
                        ))
                    })?,
            };
            all.push((name, value));
        }
        credential.headers = all;
        Ok(())
    }
}

/// The names of an account's new headers.
///
/// # Errors
/// In words: a name cannot be one (RFC 9110, 5.6.2), is there twice, or has no value.
pub fn names(
    before: &Account,
    headers: &[(String, Option<Secret>)],
) -> Result<Vec<String>, ErrorView> {
    let mut names = Vec::<String>::new();
    for (name, value) in headers {
        let name = name.trim();
        if !is_token(name) {
            return Err(invalid(format!(
                "“{name}” is no name of a header. It has letters, digits and hyphens."
            )));
        }
        if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Err(invalid(format!("The header {name} is there twice.")));
        }
        let kept = before
            .header_names
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name));
        if value.is_none() && !kept {
            return Err(invalid(format!("The header {name} needs a value.")));
        }
        if value
            .as_ref()
            .is_some_and(|value| value.reveal().chars().any(|c| c.is_control() && c != '\t'))
        {
            return Err(invalid(format!(
                "The value of the header {name} has a line end in it."
            )));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}
