//! Who issued a certificate and until when it is valid (RFC 5280, 4.1), for a person to read. What is
//! trusted is decided by rustls, before.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// What a person wants to know of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    /// The issuer's organisation, or its common name.
    pub issuer: Option<String>,
    /// The last moment it is valid.
    pub not_after: Timestamp,
}

const SEQUENCE: u8 = 0x30;
const OID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
/// Text types whose bytes are UTF-8 or a subset: `UTF8String`, `PrintableString`,
/// `IA5String`.
const TEXTS: [u8; 3] = [0x0c, 0x13, 0x16];
/// id-at-commonName, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// id-at-organizationName, 2.5.4.10.
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];

/// Reads a certificate; none if it is not one.
pub(super) fn read(der: &[u8]) -> Option<Certificate> {
    let (certificate, _) = expect(der, SEQUENCE)?;
    let (mut fields, _) = expect(certificate, SEQUENCE)?;
    if fields.first() == Some(&VERSION) {
        (_, _, fields) = element(fields)?;
    }
    let (_, _, fields) = element(fields)?; // serial number
    let (_, _, fields) = element(fields)?; // signature algorithm
    let (issuer, fields) = expect(fields, SEQUENCE)?;
    let (validity, _) = expect(fields, SEQUENCE)?;
    let (_, _, not_after) = element(validity)?;
    let (tag, text, _) = element(not_after)?;
    Some(Certificate {
        issuer: attribute(issuer, ORGANIZATION).or_else(|| attribute(issuer, COMMON_NAME)),
        not_after: time(tag, std::str::from_utf8(text).ok()?)?,
    })
}

/// One element (X.690, 8.1): its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        length = 0;
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 3 {
            return None;
        }
        for byte in rest.get(..count)? {
            length = (length << 8) | usize::from(*byte);
        }
        rest = rest.get(count..)?;
    }
    Some((tag, rest.get(..length)?, rest.get(length..)?))
}

fn expect(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(der)?;
    (tag == wanted).then_some((content, rest))
}

/// The first attribute of that type in a name.
fn attribute(mut name: &[u8], wanted: &[u8]) -> Option<String> {
    while !name.is_empty() {
        let (_, set, rest) = element(name)?;
        name = rest;
        let (pair, _) = expect(set, SEQUENCE)?;
        let (oid, pair) = expect(pair, OID)?;
        if oid == wanted {
            let (tag, text, _) = element(pair)?;
            return TEXTS
                .contains(&tag)
                .then(|| String::from_utf8_lossy(text).into_owned());
        }
    }
    None
}

/// RFC 5280, 4.1.2.5: years of two digits are 1950 to 2049.
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix('Z')?;
    let whole = match tag {
        GENERALIZED_TIME => text.to_owned(),
        UTC_TIME if text.get(..2)? < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        _ => return None,
    };
    let time = DateTime::strptime("%Y%m%d%H%M%S", whole).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}
