//! Which characters are drawn as rectangles and not taken from a font? The lines and blocks that must meet those of the
//! neighbouring cells without a gap.

use alacritty_terminal::vte::ansi::Rgb;

use super::{Measures, Quad};

/// For U+2500 to U+257F: the arms up, right, down and left; 1 is light, 2 is heavy. What has none is left to the font.
/// From the names in the Unicode Character Database.
const ARMS: [&str; 8] = [
    "0101 0202 1010 2020 0000 0000 0000 0000 0000 0000 0000 0000 0110 0210 0120 0220",
    "0011 0012 0021 0022 1100 1200 2100 2200 1001 1002 2001 2002 1110 1210 2110 1120",
    "2120 2210 1220 2220 1011 1012 2011 1021 2021 2012 1022 2022 0111 0112 0211 0212",
    "0121 0122 0221 0222 1101 1102 1201 1202 2101 2102 2201 2202 1111 1112 1211 1212",
    "2111 1121 2121 2112 2211 1122 1221 2212 1222 2122 2221 2222 0000 0000 0000 0000",
    "0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000",
    "0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000",
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
            return false;
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
        for character in ['a', '╭', '═', '┄', '╳'] {
            assert_eq!(picture(character), None, "{character}");
        }
    }
}
