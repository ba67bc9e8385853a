//! What does a character look like? Draws it once into the atlas and remembers where.

mod atlas;
mod fonts;

use std::collections::HashMap;

use swash::scale::{Render, ScaleContext, Source};
use swash::zeno::{Angle, Format, Transform};

pub(crate) use atlas::{Atlas, Region};
pub(crate) use fonts::NoFont;
use fonts::{Fonts, Styled};

use crate::screen::{Glyph, Ink, Measures};

/// Width and height of the atlas, in pixels: some 5,000 glyphs of a usual size. Every device has images of that size
/// (Vulkan, table "Required Limits": maxImageDimension2D is at least 4096).
const SIDE: u16 = 1024;

/// The fonts, and what was drawn with them.
pub(crate) struct Glyphs {
    fonts: Fonts,
    context: ScaleContext,
    /// Pixels per em.
    size: f32,
    measures: Measures,
    known: HashMap<Glyph, Option<Ink>>,
    atlas: Atlas,
    /// Glyphs found no room since the atlas was cleared last.
    overflowed: bool,
}

impl Glyphs {
    /// `size` is in pixels per em.
    pub(crate) fn new(size: f32) -> Result<Self, NoFont> {
        let fonts = Fonts::of_the_machine()?;
        let measures = measure(&fonts, size).ok_or(NoFont)?;
        Ok(Self {
            fonts,
            context: ScaleContext::new(),
            size,
            measures,
            known: HashMap::new(),
            atlas: Atlas::new(SIDE),
            overflowed: false,
        })
    }

    /// Another size; all that was drawn is forgotten.
    pub(crate) fn resize(&mut self, size: f32) {
        if let Some(measures) = measure(&self.fonts, size) {
            (self.size, self.measures) = (size, measures);
            self.forget();
        }
    }

    pub(crate) fn measures(&self) -> Measures {
        self.measures
    }

    pub(crate) fn atlas(&self) -> &Atlas {
        &self.atlas
    }

    pub(crate) fn atlas_mut(&mut self) -> &mut Atlas {
        &mut self.atlas
    }

    /// Where the glyph is in the atlas; none if it has no shape, no font has it, or there is no room.
    pub(crate) fn ink(&mut self, glyph: Glyph) -> Option<Ink> {
        if let Some(known) = self.known.get(&glyph) {
            return *known;
        }
        let drawn = self.draw(glyph);
        if let Ok(ink) = drawn {
            self.known.insert(glyph, ink);
        }
        drawn.ok().flatten()
    }

    /// Whether glyphs found no room. Then all are forgotten, and the picture has to be drawn once more.
    pub(crate) fn make_room(&mut self) -> bool {
        let overflowed = self.overflowed;
        if overflowed {
            tracing::debug!(glyphs = self.known.len(), "the atlas is full and begins anew");
            self.forget();
        }
        overflowed
    }

    fn forget(&mut self) {
        self.known.clear();
        self.atlas.clear();
        self.overflowed = false;
    }

    fn draw(&mut self, glyph: Glyph) -> Result<Option<Ink>, atlas::Full> {
        let styled = self.fonts.face_of(glyph.character, glyph.bold, glyph.italic);
        // A character that no font has is the box that the regular one has for it.
        let styled = styled.unwrap_or_else(|| self.fonts.plain());
        let cells = if glyph.wide { 2.0 } else { 1.0 };
        let room = cells * f32::from(self.measures.width);
        let Some(image) = render(&mut self.context, &styled, glyph.character, self.size, room)
        else {
            return Ok(None);
        };
        let placement = image.placement;
        let (width, height) = (small(placement.width), small(placement.height));
        if width == 0 || height == 0 {
            return Ok(None);
        }
        let inserted = self.atlas.insert(width, height, &image.data);
        self.overflowed |= inserted.is_err();
        let Region { x, y, .. } = inserted?;
        let (left, top) = (near(placement.left), near(placement.top));
        Ok(Some(Ink { u: x, v: y, width, height, left, top }))
    }
}

/// Larger than the atlas is as good as any such size.
fn small(pixels: u32) -> u16 {
    u16::try_from(pixels).unwrap_or(u16::MAX)
}

fn near(pixels: i32) -> i16 {
    pixels.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

fn render(
    context: &mut ScaleContext,
    styled: &Styled,
    character: char,
    size: f32,
    room: f32,
) -> Option<swash::scale::image::Image> {
    let font = styled.face.font()?;
    let glyph = font.charmap().map(character);
    let advance = font.glyph_metrics(&[]).scale(size).advance_width(glyph);
    // Other fonts' glyphs are made to fit into the cell.
    let size = if advance > room * 1.05 { size * room / advance } else { size };
    let mut scaler = context.builder(font).size(size).hint(true).build();
    let mut render = Render::new(&[Source::Outline]);
    render.format(Format::Alpha);
    if styled.embolden {
        render.embolden(size / 28.0);
    }
    if styled.slant {
        let slant = Transform::skew(Angle::from_degrees(12.0), Angle::from_degrees(0.0));
        render.transform(Some(slant));
    }
    render.render(&mut scaler, glyph)
}

/// Measures a cell of the regular face.
fn measure(fonts: &Fonts, size: f32) -> Option<Measures> {
    let font = fonts.regular().font()?;
    let metrics = font.metrics(&[]).scale(size);
    let advance = font.glyph_metrics(&[]).scale(size).advance_width(font.charmap().map('m'));
    let stroke = metrics.stroke_size.round().max(1.0);
    let baseline = (metrics.ascent + metrics.leading / 2.0).round();
    let height = (baseline + metrics.descent + metrics.leading / 2.0).ceil();
    let underline = (baseline - metrics.underline_offset).round().min(height - stroke);
    // Sizes are bounded by the command line, and no cell is empty.
    let pixels = |measure: f32| measure.clamp(1.0, 1000.0) as u16;
    Some(Measures {
        width: pixels(advance.round()),
        height: pixels(height),
        baseline: pixels(baseline),
        underline: pixels(underline),
        stroke: pixels(stroke),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glyph(character: char) -> Glyph {
        Glyph { character, bold: false, italic: false, wide: false }
    }

    fn glyphs() -> Option<Glyphs> {
        let glyphs = Glyphs::new(16.0);
        if let Err(error) = &glyphs {
            eprintln!("skipped: {error}");
        }
        glyphs.ok()
    }

    #[test]
    fn a_letter_is_drawn_once_and_has_a_shape() {
        let Some(mut glyphs) = glyphs() else { return };
        let letter = glyphs.ink(glyph('g')).expect("every font has it");
        assert_eq!(glyphs.ink(glyph('g')), Some(letter));
        let Ink { u, v, width, height, .. } = letter;
        let region = Region { x: u, y: v, width, height };
        let covered: u32 =
            glyphs.atlas().rows(region).flatten().map(|pixel| u32::from(*pixel)).sum();
        assert!(covered > 255 * 10, "{covered}");
        let measures = glyphs.measures();
        assert!(letter.width <= measures.width + 1 && letter.height < measures.height);
        assert!(measures.baseline < measures.height && measures.underline < measures.height);
    }

    #[test]
    fn a_space_has_no_shape_and_styles_differ() {
        let Some(mut glyphs) = glyphs() else { return };
        assert_eq!(glyphs.ink(glyph(' ')), None);
        let plain = glyphs.ink(glyph('a'));
        let bold = glyphs.ink(Glyph { bold: true, ..glyph('a') });
        let italic = glyphs.ink(Glyph { italic: true, ..glyph('a') });
        assert!(plain != bold && bold != italic && plain != italic);
    }

    #[test]
    fn an_atlas_that_overflows_is_emptied() {
        let Some(mut glyphs) = glyphs() else { return };
        glyphs.resize(96.0);
        assert!(!glyphs.make_room());
        let shown = (0x21..0x250).filter_map(char::from_u32);
        let lost = shown.filter(|character| glyphs.ink(glyph(*character)).is_none()).count();
        assert!(lost > 100, "the atlas was never full");
        assert!(glyphs.make_room());
        assert!(!glyphs.make_room());
        assert!(glyphs.ink(glyph('m')).is_some());
    }
}
