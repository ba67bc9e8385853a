//! Is what programs print drawn as they meant it? Escape sequences in, quads out.

use std::fmt::Write as _;

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::Scroll;
use alacritty_terminal::term::Config;
use alacritty_terminal::term::test::TermSize;
use alacritty_terminal::vte::ansi::{Processor, StdSyncHandler};

use super::*;

const LAYOUT: Layout = Layout {
    cell: Measures { width: 10, height: 20, baseline: 15, underline: 17, stroke: 1 },
    margin: 5,
};

fn term(columns: usize, rows: usize, output: &str) -> Term<VoidListener> {
    let mut term = Term::new(Config::default(), &TermSize::new(columns, rows), VoidListener);
    Processor::<StdSyncHandler>::new().advance(&mut term, output.as_bytes());
    term
}

/// One line a quad. Every glyph is 8 by 12 pixels, a wide one 16; `u` is its character.
fn quads(term: &Term<VoidListener>, focused: bool) -> String {
    let mut picture = Picture::default();
    let mut ink = |glyph: Glyph| {
        let style = u16::from(glyph.bold) + 2 * u16::from(glyph.italic);
        let width = if glyph.wide { 16 } else { 8 };
        let u = u32::from(glyph.character) as u16;
        Some(Ink { u, v: style, width, height: 12, left: 1, top: 12 })
    };
    draw(&mut picture, term, LAYOUT, focused, &mut ink);
    let mut text = String::new();
    for quad in &picture.quads {
        let [r, g, b, a] = quad.colour;
        let Quad { x, y, width, height, .. } = quad;
        let what = match quad.filled {
            1 => "fill".to_owned(),
            _ => format!("{:?} style {}", char::from_u32(u32::from(quad.u)).expect("one"), quad.v),
        };
        writeln!(text, "{x},{y} {width}x{height} {r:02x}{g:02x}{b:02x}{a:02x} {what}")
            .expect("a string");
    }
    text
}

#[track_caller]
fn check(output: &str, expected: &str) {
    let shown = quads(&term(6, 2, output), true);
    assert_eq!(shown.trim(), expected.trim(), "{}", output.escape_debug());
}

const HIDE: &str = "\x1b[?25l";

#[test]
fn an_empty_screen_has_a_cursor_and_nothing_else() {
    check("", "5,5 10x20 e6c384ff fill");
    check(HIDE, "");
}

#[test]
fn text_has_its_colours_and_styles() {
    check(&format!("{HIDE}a"), "6,8 8x12 d7dae0ff 'a' style 0");
    check(&format!("{HIDE}\x1b[1;3;31ma"), "6,8 8x12 f08a92ff 'a' style 3");
    check(&format!("{HIDE}\x1b[38;5;196ma"), "6,8 8x12 ff0000ff 'a' style 0");
    check(&format!("{HIDE}\x1b[38;2;1;2;3ma"), "6,8 8x12 010203ff 'a' style 0");
    check(&format!("{HIDE}\x1b[4ma"), "6,8 8x12 d7dae0ff 'a' style 0\n5,22 10x1 d7dae0ff fill");
}

#[test]
fn grounds_of_one_colour_are_one_rectangle() {
    check(
        &format!("{HIDE}\x1b[41m  \x1b[42m  \x1b[7m\x1b[49m \x1b[0m"),
        "5,5 20x20 e06c75ff fill\n25,5 20x20 98c379ff fill\n45,5 10x20 d7dae0ff fill",
    );
}

#[test]
fn a_wide_character_is_drawn_once_over_two_cells() {
    check(&format!("{HIDE}宽"), "6,8 16x12 d7dae0ff '宽' style 0");
}

#[test]
fn a_combining_mark_is_drawn_over_its_letter() {
    check(
        &format!("{HIDE}e\u{301}"),
        "6,8 8x12 d7dae0ff 'e' style 0\n6,8 8x12 d7dae0ff '\\u{301}' style 0",
    );
}

#[test]
fn the_character_under_a_block_cursor_has_the_colour_of_the_ground() {
    check("a\x1b[D", "5,5 10x20 e6c384ff fill\n6,8 8x12 16181dff 'a' style 0");
    check("\x1b[6 q", "5,5 2x20 e6c384ff fill");
    check("\x1b[4 q", "5,23 10x2 e6c384ff fill");
}

#[test]
fn a_window_without_the_keyboard_has_a_hollow_cursor() {
    let shown = quads(&term(6, 2, ""), false);
    assert_eq!(shown.lines().count(), 4, "{shown}");
}

#[test]
fn past_lines_have_no_cursor() {
    let mut term = term(6, 2, "a\r\nb\r\nc");
    assert!(quads(&term, true).contains("'c'"));
    term.scroll_display(Scroll::Top);
    let shown = quads(&term, true);
    assert_eq!(shown, "6,8 8x12 d7dae0ff 'a' style 0\n6,28 8x12 d7dae0ff 'b' style 0\n");
}

#[test]
fn a_layout_counts_the_cells_that_fit() {
    assert_eq!(LAYOUT.pixels(80, 24), (810, 490));
    assert_eq!(LAYOUT.cells(810, 490), (80, 24));
    assert_eq!(LAYOUT.cells(809, 489), (79, 23));
    assert_eq!(LAYOUT.cells(0, 0), (2, 1));
}
