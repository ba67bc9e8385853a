//! Which characters are drawn as rectangles and not taken from a font? The lines and blocks that must meet those of the
//! neighbouring cells without a gap.

use alacritty_terminal::vte::ansi::Rgb;

use super::{Measures, Quad};

/// For U+2500 to U+257F: the arms up, right, down and left; 1 is light, 2 is heavy, 3 is double. What has
/// none is left to the font. From the names in the Unicode Character Database.
const ARMS: [&str; 8] = [
    "0101 0202 1010 2020 0000 0000 0000 0000 0000 0000 0000 0000 0110 0210 0120 0220",
    "0011 0012 0021 0022 1100 1200 2100 2200 1001 1002 2001 2002 1110 1210 2110 1120",
    "2120 2210 1220 2220 1011 1012 2011 1021 2021 2012 1022 2022 0111 0112 0211 0212",
    "0121 0122 0221 0222 1101 1102 1201 1202 2101 2102 2201 2202 1111 1112 1211 1212",
    "2111 1121 2121 2112 2211 1122 1221 2212 1222 2122 2221 2222 0000 0000 0000 0000",
    "0303 3030 0310 0130 0330 0013 0031 0033 1300 3100 3300 1003 3001 3003 1310 3130",
    "3330 1013 3031 3033 0313 0131 0333 1303 3101 3303 1313 3131 3333 0000 0000 0000",
    "0000 0000 0000 0000 0001 1000 0100 0010 0002 2000 0200 0020 0201 1020 0102 2010",
];

/// For U+2596 to U+259F: which quarters are filled; upper left 1, upper right 2, lower left 4, lower right 8.
const QUARTERS: [u8; 10] = [4, 8, 1, 13, 9, 7, 11, 2, 6, 14];

/// Draws the character into its cell if it is one of these; whether it is.
pub(super) fn draw(
    character: char,
    at: (i32, i32),
    measures: Measures,
    colour: Rgb,
    quads: &mut Vec<Quad>,
) -> bool {
    let cell = Place { at, measures, colour };
    match u32::from(character) {
        code @ 0x2500..=0x257f => cell.arms(code - 0x2500, quads),
        code @ 0x2580..=0x259f => cell.block(code, quads),
        _ => false,
    }
}

const DOUBLE: i32 = 3;

struct Place {
    at: (i32, i32),
    measures: Measures,
    colour: Rgb,
}

impl Place {
    fn size(&self) -> (i32, i32) {
        (i32::from(self.measures.width), i32::from(self.measures.height))
    }

    fn fill(&self, x: i32, y: i32, width: i32, height: i32, quads: &mut Vec<Quad>) {
        quads.push(Quad::filled(self.at.0 + x, self.at.1 + y, width, height, self.colour));
    }

    fn arms(&self, index: u32, quads: &mut Vec<Quad>) -> bool {
        // Less than 128, by the range above.
        let row = ARMS[(index / 16) as usize].as_bytes();
        let first = (index % 16) as usize * 5;
        let [up, right, down, left] = [0, 1, 2, 3].map(|arm| i32::from(row[first + arm] - b'0'));
        if up + right + down + left == 0 {
            return self.arc(index, quads);
        }
        if [up, right, down, left].contains(&DOUBLE) {
            self.doubles([up, right, down, left], quads);
            return true;
        }
        let (width, height) = self.size();
        let stroke = i32::from(self.measures.stroke);
        let middle = |size: i32, weight: i32| (size - weight * stroke) / 2;
        // Each arm goes on over the middle as far as the arms across are thick, so that corners are whole.
        let (across, along) = (up.max(down).max(1), left.max(right).max(1));
        let over_x = middle(width, across) + across * stroke;
        let over_y = middle(height, along) + along * stroke;
        if left > 0 {
            self.fill(0, middle(height, left), over_x, left * stroke, quads);
        }
        if right > 0 {
            let x = middle(width, across);
            self.fill(x, middle(height, right), width - x, right * stroke, quads);
        }
        if up > 0 {
            self.fill(middle(width, up), 0, up * stroke, over_y, quads);
        }
        if down > 0 {
            let y = middle(height, along);
            self.fill(middle(width, down), y, down * stroke, height - y, quads);
        }
        true
    }

    /// Lines of which some are double: two light ones with a light one's room between them, which stop at the lines across that they meet.
    fn doubles(&self, [up, right, down, left]: [i32; 4], quads: &mut Vec<Quad>) {
        let (width, height) = self.size();
        let stroke = i32::from(self.measures.stroke);
        let (x, y) = ((width - stroke) / 2, (height - stroke) / 2);
        for (side, beside, opposite) in [(-stroke, up, down), (stroke, down, up)] {
            for (arm, across, to_the_left) in [(left, right, true), (right, left, false)] {
                let Some(side) = parallel(arm, side) else { continue };
                let (from, to) =
                    reach(arm, across, [beside, opposite], to_the_left, (x, width), stroke);
                self.fill(from, y + side, to - from, stroke, quads);
            }
        }
        for (side, beside, opposite) in [(-stroke, left, right), (stroke, right, left)] {
            for (arm, across, upwards) in [(up, down, true), (down, up, false)] {
                let Some(side) = parallel(arm, side) else { continue };
                let (from, to) =
                    reach(arm, across, [beside, opposite], upwards, (y, height), stroke);
                self.fill(x + side, from, stroke, to - from, quads);
            }
        }
    }

    /// A rounded corner, of light lines: U+256D to U+2570.
    fn arc(&self, index: u32, quads: &mut Vec<Quad>) -> bool {
        let (to_the_right, downwards) = match index {
            0x6d => (true, true),
            0x6e => (false, true),
            0x6f => (false, false),
            0x70 => (true, false),
            _ => return false,
        };
        let (width, height) = self.size();
        let stroke = i32::from(self.measures.stroke);
        let (x, y) = ((width - stroke) / 2, (height - stroke) / 2);
        let radius = width / 2 - stroke;
        // The quarter of a circle in squares of a stroke, from the end of one line to that of the other.
        for step in 0..=2 * radius {
            let angle =
                f64::from(step) / f64::from(2 * radius.max(1)) * std::f64::consts::FRAC_PI_2;
            let along = |part: f64| ((1.0 - part) * f64::from(radius)).round() as i32;
            let (across, down) = (along(angle.cos()), along(angle.sin()));
            let place_x = if to_the_right { x + across } else { x - across };
            let place_y = if downwards { y + down } else { y - down };
            self.fill(place_x, place_y, stroke, stroke, quads);
        }
        let (from, to) = if to_the_right { (x + radius, width) } else { (0, x + stroke - radius) };
        self.fill(from, y, to - from, stroke, quads);
        let (from, to) = if downwards { (y + radius, height) } else { (0, y + stroke - radius) };
        self.fill(x, from, stroke, to - from, quads);
        true
    }

    fn block(&self, code: u32, quads: &mut Vec<Quad>) -> bool {
        let (width, height) = self.size();
        let eighths = |size: i32, count: u32| (size * count as i32 + 4) / 8;
        match code {
            0x2580 => self.fill(0, 0, width, eighths(height, 4), quads),
            0x2581..=0x2588 => {
                let part = eighths(height, code - 0x2580);
                self.fill(0, height - part, width, part, quads);
            }
            0x2589..=0x258f => self.fill(0, 0, eighths(width, 0x2590 - code), height, quads),
            0x2590 => {
                let part = eighths(width, 4);
                self.fill(part, 0, width - part, height, quads);
            }
            0x2591..=0x2593 => {
                self.fill(0, 0, width, height, quads);
                // A quarter, a half, three quarters.
                let cover = (code - 0x2590) * 64;
                if let Some(quad) = quads.last_mut() {
                    quad.colour[3] = cover as u8;
                }
            }
            0x2594 => self.fill(0, 0, width, eighths(height, 1), quads),
            0x2595 => {
                let part = eighths(width, 1);
                self.fill(width - part, 0, part, height, quads);
            }
            _ => self.quarters(QUARTERS[(code - 0x2596) as usize], quads),
        }
        true
    }

    fn quarters(&self, filled: u8, quads: &mut Vec<Quad>) {
        let (width, height) = self.size();
        let (x, y) = ((width + 1) / 2, (height + 1) / 2);
        let all = [
            (0, 0, x, y),
            (x, 0, width - x, y),
            (0, y, x, height - y),
            (x, y, width - x, height - y),
        ];
        for (bit, (x, y, width, height)) in all.into_iter().enumerate() {
            if filled & (1 << bit) != 0 {
                self.fill(x, y, width, height, quads);
            }
        }
    }
}

/// How far from the middle a line of the arm is, of the two that are asked for: a light arm has one, in the middle.
fn parallel(arm: i32, side: i32) -> Option<i32> {
    match arm {
        DOUBLE => Some(side),
        0 => None,
        // Once.
        _ if side < 0 => Some(0),
        _ => None,
    }
}

/// From where to where a line of an arm goes, along its axis: `middle` is where a light line across would be.
fn reach(
    arm: i32,
    going_on: i32,
    [beside, opposite]: [i32; 2],
    backwards: bool,
    (middle, size): (i32, i32),
    stroke: i32,
) -> (i32, i32) {
    let near = match (arm, beside, opposite) {
        // A double line bends with the double line across on its side, or goes round the outside.
        (DOUBLE, DOUBLE, _) => stroke,
        (DOUBLE, _, DOUBLE) if going_on != DOUBLE => -stroke,
        // A light line ends at the first double line across, or goes through, or makes the corner with the farther one.
        (1, DOUBLE, DOUBLE) if going_on == 0 => stroke,
        (1, DOUBLE, _) | (1, _, DOUBLE) if going_on == 0 => -stroke,
        _ => 0,
    };
    if backwards { (0, middle - near + stroke) } else { (middle + near, size) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEASURES: Measures =
        Measures { width: 8, height: 16, baseline: 12, underline: 13, stroke: 1 };

    /// The cell as text: a letter for each pixel that is covered, a half-covered one in small.
    fn picture(character: char) -> Option<Vec<String>> {
        let mut quads = Vec::new();
        let colour = Rgb { r: 1, g: 2, b: 3 };
        draw(character, (0, 0), MEASURES, colour, &mut quads).then(|| {
            let mut pixels = vec![vec!['.'; 8]; 16];
            for quad in quads {
                for y in quad.y..quad.y + quad.height {
                    for x in quad.x..quad.x + quad.width {
                        pixels[y as usize][x as usize] =
                            if quad.colour[3] == 255 { '#' } else { 'o' };
                    }
                }
            }
            pixels.into_iter().map(|row| row.into_iter().collect()).collect()
        })
    }

    #[test]
    fn lines_reach_the_edges_and_meet_in_the_middle() {
        let corner = picture('┌').expect("drawn");
        assert_eq!(corner[6], "........");
        assert_eq!(corner[7], "...#####");
        assert_eq!(corner[8], "...#....");
        assert_eq!(corner[15], "...#....");
        let cross = picture('┼').expect("drawn");
        assert_eq!((&*cross[0], &*cross[7], &*cross[15]), ("...#....", "########", "...#...."));
        let heavy = picture('━').expect("drawn");
        assert_eq!(heavy.iter().filter(|row| *row == "########").count(), 2);
    }

    #[test]
    fn double_lines_go_round_corners_and_stop_at_each_other() {
        let corner = picture('╔').expect("drawn");
        let expected = ["........", "..######", "..#.....", "..#.####", "..#.#...", "..#.#..."];
        assert_eq!(corner[5..11], expected);
        let tee = picture('╟').expect("drawn");
        assert_eq!(tee[6..9], ["..#.#...", "..#.####", "..#.#..."]);
        let cross = picture('╬').expect("drawn");
        assert_eq!(cross[5..10], ["..#.#...", "###.####", "........", "###.####", "..#.#..."]);
    }

    #[test]
    fn round_corners_join_lines_in_the_middle() {
        let corner = picture('╭').expect("drawn");
        let line = picture('─').expect("drawn");
        let row = corner.iter().position(|row| row.contains('#')).expect("there is ink");
        assert!(line[row].starts_with('#') && corner[row].ends_with("##"), "{corner:#?}");
        assert!(corner[row].starts_with("....#"), "{corner:#?}");
        assert_eq!(corner[15], "...#....");
    }

    #[test]
    fn blocks_fill_their_part_of_the_cell() {
        let filled = |character| {
            let rows = picture(character).expect("drawn");
            rows.concat().chars().filter(|pixel| *pixel != '.').count()
        };
        let cases = [('█', 128), ('▀', 64), ('▁', 16), ('▐', 64), ('▏', 16), ('▖', 32), ('▟', 96)];
        for (character, pixels) in cases {
            assert_eq!(filled(character), pixels, "{character}");
        }
        assert!(picture('▒').expect("drawn").concat().contains('o'));
    }

    #[test]
    fn what_has_no_straight_arms_is_left_to_the_font() {
        for character in ['a', '┄', '╳'] {
            assert_eq!(picture(character), None, "{character}");
        }
    }
}
