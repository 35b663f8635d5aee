//! The tray's icon, drawn: a bell whose shape tells the state, so that nobody has to see colours. Light
//! with a dark rim, it shows on light and dark panels alike. Pure.

use ksni::Icon;

/// What the icon tells, most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// A critical notification is unread: a triangle with an exclamation mark.
    Critical,
    /// A connection needs the user, or none is there: a bell, struck through.
    Offline,
    /// Paused: a hollow bell with two bars.
    Paused,
    /// Something is unread: a full bell with a dot apart from it.
    Unread,
    /// Nothing: a hollow bell.
    Idle,
}

/// Edge lengths that panels ask for.
const SIZES: [u16; 5] = [16, 22, 24, 32, 48];
/// Samples along each edge of a pixel.
const FINE: u16 = 4;

const LIGHT: [u8; 3] = [0xf2, 0xf2, 0xf2];
const DARK: [u8; 3] = [0x2a, 0x2a, 0x2e];

/// The icon in all sizes.
pub fn draw(shape: Shape) -> Vec<Icon> {
    SIZES.iter().map(|&size| draw_one(shape, size)).collect()
}

fn draw_one(shape: Shape, size: u16) -> Icon {
    let edge = usize::from(size);
    let mut data = Vec::with_capacity(edge * edge * 4);
    let samples = f32::from(FINE * FINE);
    for row in 0..size {
        for column in 0..size {
            let (mut ink, mut rim) = (0.0_f32, 0.0_f32);
            for fine_row in 0..FINE {
                for fine_column in 0..FINE {
                    let at = |pixel: u16, fine: u16| {
                        (f32::from(pixel) + (f32::from(fine) + 0.5) / f32::from(FINE))
                            / f32::from(size)
                    };
                    let point = (at(column, fine_column), at(row, fine_row));
                    let distance = distance(shape, point);
                    if distance <= 0.0 {
                        ink += 1.0;
                    } else if distance <= 0.045 {
                        rim += 1.0;
                    }
                }
            }
            data.extend(pixel(ink / samples, rim / samples));
        }
    }
    Icon {
        width: i32::from(size),
        height: i32::from(size),
        data,
    }
}

/// ARGB, network byte order, of a pixel that is so much ink and so much rim.
fn pixel(ink: f32, rim: f32) -> [u8; 4] {
    let rim = rim * 0.7;
    let alpha = ink + rim;
    if alpha <= 0.0 {
        return [0; 4];
    }
    let mix = |light: u8, dark: u8| byte((f32::from(light) * ink + f32::from(dark) * rim) / alpha);
    [
        byte(alpha * 255.0),
        mix(LIGHT[0], DARK[0]),
        mix(LIGHT[1], DARK[1]),
        mix(LIGHT[2], DARK[2]),
    ]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is clamped to a byte"
)]
fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

type Point = (f32, f32);

/// How far a point of the unit square is from the shape; inside it is not positive.
fn distance(shape: Shape, at: Point) -> f32 {
    let hollow = |at| bell(at).max(-(bell(at) + 0.085));
    match shape {
        Shape::Idle => hollow(at).min(clapper(at)),
        Shape::Unread => {
            // The dot stands apart: what is near it is cut out of the bell.
            let dot = circle(at, (0.77, 0.23), 0.18);
            bell(at).min(clapper(at)).max(0.07 - dot).min(dot)
        }
        Shape::Paused => {
            let bar = |x: f32| rectangle(at, (x, 0.78), (0.055, 0.17));
            let bars = bar(0.68).min(bar(0.88));
            hollow(at).min(clapper(at)).max(0.07 - bars).min(bars)
        }
        Shape::Offline => {
            let stroke = segment(at, (0.16, 0.16), (0.84, 0.84)) - 0.05;
            hollow(at).min(clapper(at)).max(0.06 - stroke).min(stroke)
        }
        Shape::Critical => {
            let triangle = triangle(at);
            let mark = rectangle(at, (0.5, 0.52), (0.05, 0.17)).min(circle(at, (0.5, 0.8), 0.06));
            triangle.max(-mark)
        }
    }
}

/// A bell's body: a dome on a skirt that widens to the rim.
fn bell(at: Point) -> f32 {
    let (x, y) = ((at.0 - 0.5).abs(), at.1);
    let dome = circle(at, (0.5, 0.38), 0.28);
    // The skirt widens by a fifth from the dome to the rim.
    let half = 0.28 + 0.13 * ((y - 0.38) / 0.36).clamp(0.0, 1.0).powi(3);
    let skirt = (x - half).max(0.38 - y).max(y - 0.74);
    dome.min(skirt)
}

fn clapper(at: Point) -> f32 {
    circle(at, (0.5, 0.8), 0.11).max(0.8 - at.1)
}

fn circle(at: Point, middle: Point, radius: f32) -> f32 {
    (at.0 - middle.0).hypot(at.1 - middle.1) - radius
}

fn rectangle(at: Point, middle: Point, half: Point) -> f32 {
    ((at.0 - middle.0).abs() - half.0).max((at.1 - middle.1).abs() - half.1)
}

fn segment(at: Point, from: Point, to: Point) -> f32 {
    let (along, up) = (to.0 - from.0, to.1 - from.1);
    let part = ((at.0 - from.0) * along + (at.1 - from.1) * up) / (along * along + up * up);
    let part = part.clamp(0.0, 1.0);
    (at.0 - from.0 - part * along).hypot(at.1 - from.1 - part * up)
}

fn triangle(at: Point) -> f32 {
    let (x, y) = ((at.0 - 0.5).abs(), at.1);
    // The right edge runs from (0.5, 0.06) to (0.97, 0.93).
    let edge = (x * 0.87 - (y - 0.06) * 0.47) / 0.87_f32.hypot(0.47);
    edge.max(y - 0.93)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const ALL: [Shape; 5] = [
        Shape::Critical,
        Shape::Offline,
        Shape::Paused,
        Shape::Unread,
        Shape::Idle,
    ];

    /// Which pixels are there at all: what is left without colours.
    fn silhouette(icon: &Icon) -> Vec<bool> {
        icon.data.chunks(4).map(|pixel| pixel[0] > 127).collect()
    }

    #[test]
    fn every_size_is_whole() {
        for shape in ALL {
            let icons = draw(shape);
            assert_eq!(icons.len(), SIZES.len());
            for icon in icons {
                let pixels = usize::try_from(icon.width * icon.height).unwrap();
                assert_eq!(icon.data.len(), pixels * 4);
            }
        }
    }

    #[test]
    fn states_differ_in_shape_even_when_small() {
        for size in SIZES {
            let shapes: Vec<_> = ALL
                .iter()
                .map(|&shape| silhouette(&draw_one(shape, size)))
                .collect();
            let different: HashSet<_> = shapes.iter().collect();
            assert_eq!(different.len(), ALL.len());
            for (at, one) in shapes.iter().enumerate() {
                for other in &shapes[..at] {
                    let differing = one.iter().zip(other).filter(|(a, b)| a != b).count();
                    assert!(
                        differing * 25 > one.len(),
                        "{differing} of {} pixels",
                        one.len()
                    );
                }
            }
        }
    }

    #[test]
    fn nothing_is_cut_off_at_the_corners() {
        for shape in ALL {
            for icon in draw(shape) {
                let alphas: Vec<_> = icon.data.chunks(4).map(|pixel| pixel[0]).collect();
                assert_eq!(alphas[0], 0, "{shape:?}");
                assert!(alphas.contains(&255), "{shape:?} at {}", icon.width);
            }
        }
    }
}
