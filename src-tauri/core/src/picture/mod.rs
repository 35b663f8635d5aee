//! A publisher's picture, made anew: nothing of the bytes that came from elsewhere is kept or shown.
//!
//! Told by its first bytes, never by what a server calls it; decoded within limits; scaled; written as PNG
//! (RFC 2083), without what cameras and editors add. Only the first image of an animation is kept. What is
//! no PNG, JPEG, GIF or WebP is refused, SVG too: it is a program more than a picture.

#[cfg(test)]
mod tests;

use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::{CompressionType, FilterType as Filter, PngDecoder, PngEncoder};
use image::codecs::webp::WebPDecoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageError, Limits};
use std::io::Cursor;

/// The most of a file that is read, in bytes.
pub const LARGEST_FILE: usize = 5 * 1024 * 1024;
/// The longest edge that is decoded, in pixels.
const LONGEST_EDGE: u32 = 10_000;
/// The most pixels that are decoded: what a good camera makes.
const MOST_PIXELS: u64 = 32 * 1024 * 1024;
/// The most memory that decoding takes, in bytes.
const MOST_MEMORY: u64 = 160 * 1024 * 1024;
/// The longest that a picture may be as PNG, in bytes: in base64 it has to fit on a line of the contract.
const LARGEST_PNG: usize = 2 * 1024 * 1024 + 512 * 1024;

/// What a picture is for, which says how large it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Use {
    /// Beside a title: 256 pixels at most.
    Icon,
    /// To be looked at: 1600 pixels at most.
    Preview,
}

impl Use {
    /// Its longest edge, in pixels.
    fn edge(self) -> u32 {
        match self {
            Self::Icon => 256,
            Self::Preview => 1600,
        }
    }
}

/// Why there is no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Its first bytes are those of no format that is shown.
    #[error("it is no PNG, JPEG, GIF or WebP picture")]
    Format,
    /// It would take too much memory to look at.
    #[error("it has too many pixels")]
    TooLarge,
    /// It cannot be decoded.
    #[error("it is damaged")]
    Damaged,
}

impl From<ImageError> for Unfit {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::TooLarge,
            _ => Self::Damaged,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Png,
    Jpeg,
    Gif,
    WebP,
}

/// By the first bytes (WHATWG MIME Sniffing, 6.1).
fn format(bytes: &[u8]) -> Option<Format> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(Format::Png)
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some(Format::Jpeg)
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        Some(Format::Gif)
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some(Format::WebP)
    } else {
        None
    }
}

/// The picture in `bytes` as a PNG for this use, never larger than it was.
///
/// # Errors
/// It is none, too large, or damaged.
pub fn remade(bytes: &[u8], wanted: Use) -> Result<Vec<u8>, Unfit> {
    let input = Cursor::new(bytes);
    let decoded = match format(bytes).ok_or(Unfit::Format)? {
        Format::Png => decode(PngDecoder::with_limits(input, limits())?)?,
        Format::Jpeg => decode(JpegDecoder::new(input)?)?,
        Format::Gif => decode(GifDecoder::new(input)?)?,
        Format::WebP => decode(WebPDecoder::new(input)?)?,
    };
    let mut edge = wanted.edge();
    let mut picture = within(decoded, edge, FilterType::Triangle);
    loop {
        let png = png(&picture)?;
        if png.len() <= LARGEST_PNG {
            return Ok(png);
        }
        edge = edge * 3 / 4;
        picture = within(picture, edge, FilterType::Triangle);
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_EDGE);
    limits.max_image_height = Some(LONGEST_EDGE);
    limits.max_alloc = Some(MOST_MEMORY);
    limits
}

fn decode(mut decoder: impl ImageDecoder) -> Result<DynamicImage, Unfit> {
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS || decoder.total_bytes() > MOST_MEMORY {
        return Err(Unfit::TooLarge);
    }
    decoder.set_limits(limits())?;
    // A picture whose camera does not say how it was held is shown as it is.
    let turned = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder)?;
    if let Some(turned) = turned {
        picture.apply_orientation(turned);
    }
    Ok(picture)
}

/// Not longer than `edge`, in colours of 8 bits.
fn within(picture: DynamicImage, edge: u32, filter: FilterType) -> DynamicImage {
    let picture = if picture.width().max(picture.height()) > edge {
        picture.resize(edge, edge, filter)
    } else {
        picture
    };
    if picture.color().has_alpha() {
        DynamicImage::ImageRgba8(picture.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(picture.into_rgb8())
    }
}

fn png(picture: &DynamicImage) -> Result<Vec<u8>, Unfit> {
    let mut png = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut png, CompressionType::Default, Filter::Adaptive);
    picture.write_with_encoder(encoder)?;
    Ok(png)
}
