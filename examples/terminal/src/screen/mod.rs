//! What does the grid look like? Cells in, coloured rectangles out. Pure: the glyphs are asked for through a function.

pub(crate) mod colours;
mod lines;
#[cfg(test)]
mod tests;

use alacritty_terminal::Term;
use alacritty_terminal::event::EventListener;
use alacritty_terminal::grid::Indexed;
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::color::Colors;
use alacritty_terminal::term::{RenderableContent, RenderableCursor};
use alacritty_terminal::vte::ansi::{CursorShape, Rgb};

/// A rectangle: of one colour, or of the shape that a part of the atlas has. As the vertex shader reads it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quad {
    /// From the window's left edge, in pixels.
    pub(crate) x: i16,
    /// From the window's upper edge, in pixels.
    pub(crate) y: i16,
    pub(crate) width: i16,
    pub(crate) height: i16,
    /// Where the shape is in the atlas, in pixels; nought if there is none.
    pub(crate) u: u16,
    pub(crate) v: u16,
    /// One if all of the rectangle is filled, nought if it has a shape.
    pub(crate) filled: u16,
    pub(crate) padding: u16,
    /// Red, green, blue and how much of it covers what is below.
    pub(crate) colour: [u8; 4],
}

impl Quad {
    fn filled(x: i32, y: i32, width: i32, height: i32, colour: Rgb) -> Self {
        let Rgb { r, g, b } = colour;
        let [x, y, width, height] = [x, y, width, height].map(clamped);
        let (u, v, filled, padding) = (0, 0, 1, 0);
        Self { x, y, width, height, u, v, filled, padding, colour: [r, g, b, 255] }
    }

    fn inked(x: i32, y: i32, ink: Ink, colour: Rgb) -> Self {
        let (width, height) = (i32::from(ink.width), i32::from(ink.height));
        Self { u: ink.u, v: ink.v, filled: 0, ..Self::filled(x, y, width, height, colour) }
    }
}

/// No window is so large that this changes anything.
fn clamped(pixels: i32) -> i16 {
    pixels.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

/// A glyph as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Glyph {
    pub(crate) character: char,
    pub(crate) bold: bool,
    pub(crate) italic: bool,
    /// Whether it has two cells to fill.
    pub(crate) wide: bool,
}

/// A glyph as it lies in the atlas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ink {
    pub(crate) u: u16,
    pub(crate) v: u16,
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// From the left edge of the cell to that of the shape, in pixels.
    pub(crate) left: i16,
    /// From the base line up to the upper edge of the shape, in pixels.
    pub(crate) top: i16,
}

/// The measures of one cell, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measures {
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// From the upper edge of the cell down to the base line.
    pub(crate) baseline: u16,
    /// From the upper edge of the cell down to the underline.
    pub(crate) underline: u16,
    /// How thick lines are.
    pub(crate) stroke: u16,
}

/// Where the grid is in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) cell: Measures,
    /// Between the window's edge and the grid, in pixels.
    pub(crate) margin: u16,
}

impl Layout {
    /// How many columns and rows fit into so many pixels; at least the fewest that a grid can have.
    pub(crate) fn cells(&self, width: u32, height: u32) -> (u16, u16) {
        let fit = |pixels: u32, cell: u16, least: u32| {
            let cells = pixels.saturating_sub(2 * u32::from(self.margin)) / u32::from(cell).max(1);
            // At most a thousand.
            cells.clamp(least, 1000) as u16
        };
        (fit(width, self.cell.width, 2), fit(height, self.cell.height, 1))
    }

    /// How many pixels so many cells take.
    pub(crate) fn pixels(&self, columns: u16, rows: u16) -> (u32, u32) {
        let take =
            |cells: u16, cell: u16| u32::from(cells) * u32::from(cell) + 2 * u32::from(self.margin);
        (take(columns, self.cell.width), take(rows, self.cell.height))
    }

    /// Where a cell's upper left corner is.
    fn place(&self, (column, row): (i32, i32)) -> (i32, i32) {
        let margin = i32::from(self.margin);
        let (width, height) = (i32::from(self.cell.width), i32::from(self.cell.height));
        (margin + column * width, margin + row * height)
    }
}

/// All that is drawn in one frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Picture {
    /// What the window is cleared with: red, green, blue.
    pub(crate) ground: [u8; 3],
    /// In the order in which they are drawn.
    pub(crate) quads: Vec<Quad>,
}

/// Draws what `term` shows into `picture`, whose memory is used again. `focused` is whether the window has the keyboard.
pub(crate) fn draw<T: EventListener>(
    picture: &mut Picture,
    term: &Term<T>,
    layout: Layout,
    focused: bool,
    ink: &mut dyn FnMut(Glyph) -> Option<Ink>,
) {
    let content = term.renderable_content();
    let offset = i32::try_from(content.display_offset).unwrap_or(i32::MAX);
    let clear = colours::background(content.colors);
    let cursor = Cursor::of(&content, focused, offset);
    picture.ground = [clear.r, clear.g, clear.b];
    picture.quads.clear();
    // Grounds first: a glyph may reach into its neighbour's cell.
    let mut grounds = Grounds { layout, clear, open: None };
    for cell in term.grid().display_iter() {
        let (_, colour) = cursor.colours_of(&cell, content.colors);
        grounds.add(place_of(&cell, offset), colour, &mut picture.quads);
    }
    grounds.close(&mut picture.quads);
    for cell in content.display_iter {
        let (colour, _) = cursor.colours_of(&cell, content.colors);
        let at = layout.place(place_of(&cell, offset));
        draw_cell(&mut picture.quads, cell.cell, at, colour, layout.cell, ink);
    }
    cursor.draw(layout, &mut picture.quads);
}

/// Column and row on the screen.
fn place_of(cell: &Indexed<&Cell>, offset: i32) -> (i32, i32) {
    // A thousand at most.
    (cell.point.column.0 as i32, cell.point.line.0 + offset)
}

/// Neighbours of one colour become one rectangle.
struct Grounds {
    layout: Layout,
    /// What is there already.
    clear: Rgb,
    /// Where the rectangle begins, how many cells it has, its colour.
    open: Option<((i32, i32), i32, Rgb)>,
}

impl Grounds {
    fn add(&mut self, place: (i32, i32), colour: Rgb, quads: &mut Vec<Quad>) {
        if let Some(((column, row), cells, open)) = &mut self.open
            && *open == colour
            && (*column + *cells, *row) == place
        {
            *cells += 1;
            return;
        }
        self.close(quads);
        if colour != self.clear {
            self.open = Some((place, 1, colour));
        }
    }

    fn close(&mut self, quads: &mut Vec<Quad>) {
        let Some((place, cells, colour)) = self.open.take() else { return };
        let (x, y) = self.layout.place(place);
        let cell = self.layout.cell;
        let (width, height) = (cells * i32::from(cell.width), i32::from(cell.height));
        quads.push(Quad::filled(x, y, width, height, colour));
    }
}

/// The glyphs and lines of one cell.
fn draw_cell(
    quads: &mut Vec<Quad>,
    cell: &Cell,
    (x, y): (i32, i32),
    colour: Rgb,
    measures: Measures,
    ink: &mut dyn FnMut(Glyph) -> Option<Ink>,
) {
    if cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER) {
        return;
    }
    let wide = cell.flags.contains(Flags::WIDE_CHAR);
    let combining = cell.zerowidth().unwrap_or_default();
    for character in std::iter::once(&cell.c).chain(combining) {
        let shown = !matches!(character, ' ' | '\t' | '\u{a0}');
        if !shown || lines::draw(*character, (x, y), measures, colour, quads) {
            continue;
        }
        let bold = cell.flags.contains(Flags::BOLD);
        let italic = cell.flags.contains(Flags::ITALIC);
        if let Some(ink) = ink(Glyph { character: *character, bold, italic, wide }) {
            let top = y + i32::from(measures.baseline) - i32::from(ink.top);
            quads.push(Quad::inked(x + i32::from(ink.left), top, ink, colour));
        }
    }
    draw_rules(quads, cell.flags, (x, y), colour, measures);
}

/// The lines under and through a cell.
fn draw_rules(
    quads: &mut Vec<Quad>,
    flags: Flags,
    (x, y): (i32, i32),
    colour: Rgb,
    measures: Measures,
) {
    let cells = if flags.contains(Flags::WIDE_CHAR) { 2 } else { 1 };
    let (width, stroke) = (cells * i32::from(measures.width), i32::from(measures.stroke));
    let under = y + i32::from(measures.underline);
    // A curl, dots and dashes are a plain line here.
    if flags.intersects(Flags::ALL_UNDERLINES) {
        quads.push(Quad::filled(x, under, width, stroke, colour));
    }
    if flags.contains(Flags::DOUBLE_UNDERLINE) {
        quads.push(Quad::filled(x, under + 2 * stroke, width, stroke, colour));
    }
    if flags.contains(Flags::STRIKEOUT) {
        let through = y + i32::from(measures.baseline) * 2 / 3;
        quads.push(Quad::filled(x, through, width, stroke, colour));
    }
}

/// The cursor as it is seen.
struct Cursor {
    /// Column and row on the screen; none if it is hidden or among lines that are not shown.
    place: Option<(i32, i32)>,
    shape: CursorShape,
    colour: Rgb,
}

impl Cursor {
    fn of(content: &RenderableContent<'_>, focused: bool, offset: i32) -> Self {
        let RenderableCursor { shape, point } = content.cursor;
        // A window without the keyboard shows where it would be.
        let shape = match shape {
            CursorShape::Hidden => CursorShape::Hidden,
            _ if !focused => CursorShape::HollowBlock,
            shape => shape,
        };
        let shown = shape != CursorShape::Hidden && offset == 0;
        let place = shown.then_some((point.column.0 as i32, point.line.0));
        Self { place, shape, colour: colours::cursor(content.colors) }
    }

    /// A cell under a block has the colours of the block.
    fn colours_of(&self, cell: &Indexed<&Cell>, table: &Colors) -> (Rgb, Rgb) {
        let (text, ground) = colours::of_cell(cell.fg, cell.bg, cell.flags, table);
        let place = (cell.point.column.0 as i32, cell.point.line.0);
        if self.shape == CursorShape::Block && self.place == Some(place) {
            (ground, self.colour)
        } else {
            (text, ground)
        }
    }

    fn draw(&self, layout: Layout, quads: &mut Vec<Quad>) {
        let Some(place) = self.place else { return };
        let (x, y) = layout.place(place);
        let width = i32::from(layout.cell.width);
        let height = i32::from(layout.cell.height);
        let stroke = i32::from(layout.cell.stroke);
        let mut fill = |x, y, width, height| {
            quads.push(Quad::filled(x, y, width, height, self.colour));
        };
        match self.shape {
            CursorShape::Underline => fill(x, y + height - 2 * stroke, width, 2 * stroke),
            CursorShape::Beam => fill(x, y, 2 * stroke, height),
            CursorShape::HollowBlock => {
                fill(x, y, width, stroke);
                fill(x, y + height - stroke, width, stroke);
                fill(x, y + stroke, stroke, height - 2 * stroke);
                fill(x + width - stroke, y + stroke, stroke, height - 2 * stroke);
            }
            CursorShape::Block | CursorShape::Hidden => {}
        }
    }
}
