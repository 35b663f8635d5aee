//! Real pictures of every format, made here, and everything that only looks like one.

use super::*;
use image::{ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::*;

const ALL: [ImageFormat; 4] = [
    ImageFormat::Png,
    ImageFormat::Jpeg,
    ImageFormat::Gif,
    ImageFormat::WebP,
];

fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("it is written");
    bytes.into_inner()
}

fn red(width: u32, height: u32) -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_pixel(width, height, Rgb([200, 10, 10])))
}

fn read(png: &[u8]) -> DynamicImage {
    image::load_from_memory_with_format(png, ImageFormat::Png).expect("a PNG")
}

#[test]
fn every_format_becomes_a_png_that_is_not_longer_than_its_use() {
    for format in ALL {
        let bytes = written(&red(2000, 500), format);
        for (wanted, width, height) in [(Use::Icon, 256, 64), (Use::Preview, 1600, 400)] {
            let remade = read(&remade(&bytes, wanted).expect("a picture"));
            assert_eq!((remade.width(), remade.height()), (width, height));
            let Rgb([red, green, _]) = *remade.to_rgb8().get_pixel(width / 2, height / 2);
            assert!(red > 180 && green < 30, "{format:?} keeps its colour");
        }
        let small = read(&remade(&written(&red(20, 10), format), Use::Icon).expect("a picture"));
        assert_eq!((small.width(), small.height()), (20, 10), "never larger");
    }
}

#[test]
fn what_can_be_seen_through_stays_so() {
    let glass = DynamicImage::ImageRgba8(RgbaImage::from_pixel(8, 8, Rgba([1, 2, 3, 0])));
    let remade = read(&remade(&written(&glass, ImageFormat::Png), Use::Icon).expect("a picture"));
    assert_eq!(remade.to_rgba8().get_pixel(4, 4)[3], 0);
}

#[test]
fn nothing_of_the_original_bytes_is_kept() {
    let mut bytes = written(&red(9, 9), ImageFormat::Png);
    bytes.extend_from_slice(b"<script>marker</script>");
    let remade = remade(&bytes, Use::Icon).expect("a picture");
    assert!(!remade.windows(6).any(|window| window == b"marker"));
}

/// What a camera notes about how it was held is done, and then gone with all its other notes.
#[test]
fn a_picture_is_turned_as_it_was_taken() {
    let plain = written(&red(40, 20), ImageFormat::Jpeg);
    // TIFF 6.0, section 2: one entry, orientation (0x0112), value 6: turn by 90 degrees.
    let exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    let mut turned = plain[..2].to_vec();
    turned.extend([0xff, 0xe1, length[0], length[1]]);
    turned.extend(exif);
    turned.extend(&plain[2..]);
    let remade = remade(&turned, Use::Preview).expect("a picture");
    assert!(!remade.windows(4).any(|window| window == b"Exif"));
    let remade = read(&remade);
    assert_eq!((remade.width(), remade.height()), (20, 40));
}

#[test]
fn what_is_no_picture_is_refused_whatever_it_is_called() {
    let bmp = b"BM\x1e\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\x01\0\x01\0\x01\0\x18\0\0\0\xff\0";
    for bytes in [
        &b""[..],
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
        b"<?xml version='1.0'?><svg/>",
        b"<!doctype html><img src=x>",
        b"%PDF-1.7",
        b"II*\0\x08\0\0\0",
        b"\0\0\x01\0\x01\0",
        b"RIFF\x10\0\0\0WAVEfmt ",
        bmp,
    ] {
        assert_eq!(remade(bytes, Use::Icon), Err(Unfit::Format), "{bytes:?}");
    }
    for format in ALL {
        let whole = written(&red(64, 64), format);
        assert_eq!(remade(&whole[..20], Use::Icon), Err(Unfit::Damaged));
    }
}

/// A few hundred bytes that ask for gigabytes.
#[test]
fn a_small_file_with_huge_dimensions_is_refused_before_it_takes_memory() {
    let mut png = written(&red(1, 1), ImageFormat::Png);
    for edges in [[60_000, 60_000], [10_001, 1], [9_000, 9_000]] {
        let [width, height] = edges.map(u32::to_be_bytes);
        png[16..20].copy_from_slice(&width);
        png[20..24].copy_from_slice(&height);
        let sum = crc(&png[12..29]).to_be_bytes();
        png[29..33].copy_from_slice(&sum);
        assert_eq!(remade(&png, Use::Icon), Err(Unfit::TooLarge), "{edges:?}");
    }
    let mut gif = written(&red(1, 1), ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[0xff; 4]);
    assert_eq!(remade(&gif, Use::Icon), Err(Unfit::TooLarge));
    let mut jpeg = written(&red(8, 8), ImageFormat::Jpeg);
    let frame = jpeg
        .windows(2)
        .position(|two| two == [0xff, 0xc0])
        .expect("a baseline frame");
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    assert_eq!(remade(&jpeg, Use::Icon), Err(Unfit::TooLarge));
}

/// PNG, annex D.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            if sum & 1 == 1 {
                0xedb8_8320 ^ (sum >> 1)
            } else {
                sum >> 1
            }
        })
    })
}

#[test]
fn a_busy_picture_is_made_smaller_until_it_fits_on_a_line() {
    // A different colour at every point, which no compression helps against.
    let mut state = 1_u32;
    let noise = RgbImage::from_fn(1600, 1600, |_, _| {
        Rgb(std::array::from_fn(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        }))
    });
    let noise = DynamicImage::ImageRgb8(noise);
    let remade = remade(&written(&noise, ImageFormat::Jpeg), Use::Preview).expect("a picture");
    assert!(remade.len() <= LARGEST_PNG);
    assert!(read(&remade).width() < 1600);
    let line = remade.len().div_ceil(3) * 4 + 1024;
    assert!(line < tidings_api::wire::MAX_LINE);
}

proptest! {
    /// Whatever follows the first bytes, it is a picture or refused, and never a panic.
    #[test]
    fn any_bytes_behind_a_beginning_are_survived(
        format in 0..ALL.len(),
        kept in 0..400_usize,
        rest in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut bytes = written(&red(24, 24), ALL[format]);
        bytes.truncate(kept);
        bytes.extend(rest);
        if let Ok(png) = remade(&bytes, Use::Icon) {
            prop_assert!(read(&png).width() <= 256);
        }
    }
}
