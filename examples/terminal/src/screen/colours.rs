//! Which colour does a cell mean? Sixteen of its own, the cube and the greys of xterm, and any other by its three parts.

use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::color::Colors;
use alacritty_terminal::vte::ansi::{Color, NamedColor, Rgb};

/// What a screen is filled with where nothing is said.
pub(crate) const BACKGROUND: Rgb = rgb(0x16, 0x18, 0x1d);
const FOREGROUND: Rgb = rgb(0xd7, 0xda, 0xe0);
const CURSOR: Rgb = rgb(0xe6, 0xc3, 0x84);

/// The sixteen, chosen so that each reads well on [`BACKGROUND`].
const SIXTEEN: [Rgb; 16] = [
    rgb(0x2b, 0x2f, 0x38),
    rgb(0xe0, 0x6c, 0x75),
    rgb(0x98, 0xc3, 0x79),
    rgb(0xe5, 0xc0, 0x7b),
    rgb(0x61, 0xaf, 0xef),
    rgb(0xc6, 0x78, 0xdd),
    rgb(0x56, 0xb6, 0xc2),
    rgb(0xc8, 0xcc, 0xd4),
    rgb(0x6b, 0x73, 0x82),
    rgb(0xf0, 0x8a, 0x92),
    rgb(0xb3, 0xd8, 0x97),
    rgb(0xf2, 0xd4, 0x9b),
    rgb(0x8a, 0xc6, 0xf5),
    rgb(0xd7, 0x9b, 0xe8),
    rgb(0x7c, 0xcf, 0xd9),
    rgb(0xff, 0xff, 0xff),
];

const fn rgb(r: u8, g: u8, b: u8) -> Rgb {
    Rgb { r, g, b }
}

/// What an index of the grid's table means unless the program has changed it.
pub(crate) fn standard(index: usize) -> Rgb {
    match index {
        0..=15 => SIXTEEN[index],
        16..=231 => cube(index - 16),
        232..=255 => {
            // At most 238.
            let grey = (8 + 10 * (index - 232)) as u8;
            rgb(grey, grey, grey)
        }
        257 => BACKGROUND,
        258 => CURSOR,
        259..=266 => dim(SIXTEEN[index - 259]),
        268 => dim(FOREGROUND),
        _ => FOREGROUND,
    }
}

/// Six steps of each part.
fn cube(index: usize) -> Rgb {
    let part = |step: usize| if step == 0 { 0 } else { (55 + 40 * step) as u8 };
    rgb(part(index / 36), part(index / 6 % 6), part(index % 6))
}

fn dim(colour: Rgb) -> Rgb {
    let part = |part: u8| (u16::from(part) * 2 / 3) as u8;
    rgb(part(colour.r), part(colour.g), part(colour.b))
}

/// The colours of a cell: first of its text, then of its ground.
pub(crate) fn of_cell(text: Color, ground: Color, flags: Flags, table: &Colors) -> (Rgb, Rgb) {
    let text = of_text(text, flags, table);
    let ground = resolve(ground, table);
    let (text, ground) =
        if flags.contains(Flags::INVERSE) { (ground, text) } else { (text, ground) };
    if flags.contains(Flags::HIDDEN) { (ground, ground) } else { (text, ground) }
}

/// Bold makes the first eight bright, as most terminals do; dim makes any darker.
fn of_text(colour: Color, flags: Flags, table: &Colors) -> Rgb {
    let colour = match colour {
        Color::Named(name) if flags.contains(Flags::BOLD) && (name as usize) < 8 => {
            Color::Named(name.to_bright())
        }
        other => other,
    };
    let plain = resolve(colour, table);
    if flags.contains(Flags::DIM) { dim(plain) } else { plain }
}

/// A colour as the table has it.
pub(crate) fn resolve(colour: Color, table: &Colors) -> Rgb {
    let at = |index: usize| table[index].unwrap_or_else(|| standard(index));
    match colour {
        Color::Spec(rgb) => rgb,
        Color::Indexed(index) => at(usize::from(index)),
        Color::Named(name) => at(name as usize),
    }
}

/// The cursor's own colour.
pub(crate) fn cursor(table: &Colors) -> Rgb {
    resolve(Color::Named(NamedColor::Cursor), table)
}

/// What the whole screen is cleared with.
pub(crate) fn background(table: &Colors) -> Rgb {
    resolve(Color::Named(NamedColor::Background), table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cube_and_the_greys_are_those_of_xterm() {
        assert_eq!(standard(16), rgb(0, 0, 0));
        assert_eq!(standard(196), rgb(255, 0, 0));
        assert_eq!(standard(231), rgb(255, 255, 255));
        assert_eq!(standard(110), rgb(135, 175, 215));
        assert_eq!(standard(232), rgb(8, 8, 8));
        assert_eq!(standard(255), rgb(238, 238, 238));
    }

    #[test]
    fn flags_change_the_colours_of_a_cell() {
        let table = Colors::default();
        let (red, plain) = (Color::Named(NamedColor::Red), Color::Named(NamedColor::Background));
        let of = |flags| of_cell(red, plain, flags, &table);
        assert_eq!(of(Flags::empty()), (SIXTEEN[1], BACKGROUND));
        assert_eq!(of(Flags::BOLD), (SIXTEEN[9], BACKGROUND));
        assert_eq!(of(Flags::INVERSE), (BACKGROUND, SIXTEEN[1]));
        assert_eq!(of(Flags::DIM), (dim(SIXTEEN[1]), BACKGROUND));
        assert_eq!(of(Flags::HIDDEN), (BACKGROUND, BACKGROUND));
    }

    #[test]
    fn a_program_may_change_the_table() {
        let mut table = Colors::default();
        table[1] = Some(rgb(1, 2, 3));
        assert_eq!(resolve(Color::Indexed(1), &table), rgb(1, 2, 3));
        assert_eq!(resolve(Color::Spec(rgb(4, 5, 6)), &table), rgb(4, 5, 6));
    }
}
