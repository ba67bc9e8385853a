//! Where is room for a glyph in the atlas, and which parts of it has the GPU not seen yet? Pure.

/// A rectangle of the atlas, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Region {
    pub(crate) x: u16,
    pub(crate) y: u16,
    pub(crate) width: u16,
    pub(crate) height: u16,
}

/// One byte a pixel: how much of it the glyph covers.
pub(crate) struct Atlas {
    side: u16,
    pixels: Vec<u8>,
    shelves: Vec<Shelf>,
    dirty: Vec<Region>,
}

/// A row of glyphs of about the same height.
struct Shelf {
    y: u16,
    height: u16,
    /// Where the next glyph goes.
    x: u16,
}

/// The atlas has no room for this glyph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Atlas {
    pub(crate) fn new(side: u16) -> Self {
        let pixels = vec![0; usize::from(side) * usize::from(side)];
        let mut atlas = Self { side, pixels, shelves: Vec::new(), dirty: Vec::new() };
        atlas.dirty.push(atlas.whole());
        atlas
    }

    /// All of it.
    pub(crate) fn whole(&self) -> Region {
        Region { x: 0, y: 0, width: self.side, height: self.side }
    }

    /// Copies a glyph of `width` times `height` pixels to where there is room.
    pub(crate) fn insert(&mut self, width: u16, height: u16, glyph: &[u8]) -> Result<Region, Full> {
        debug_assert_eq!(glyph.len(), usize::from(width) * usize::from(height));
        let (x, y) = self.room(width, height).ok_or(Full)?;
        let region = Region { x, y, width, height };
        for (row, line) in glyph.chunks_exact(usize::from(width.max(1))).enumerate() {
            let first = (usize::from(y) + row) * usize::from(self.side) + usize::from(x);
            self.pixels[first..first + line.len()].copy_from_slice(line);
        }
        self.dirty.push(region);
        Ok(region)
    }

    /// Takes room on the lowest shelf that is high enough and not too high, or on a new one.
    fn room(&mut self, width: u16, height: u16) -> Option<(u16, u16)> {
        let side = self.side;
        let fits = |shelf: &&mut Shelf| {
            shelf.height >= height
                && shelf.height <= height.saturating_add(height / 4 + 1)
                && side - shelf.x >= width
        };
        if let Some(shelf) = self.shelves.iter_mut().filter(fits).min_by_key(|shelf| shelf.height) {
            let place = (shelf.x, shelf.y);
            shelf.x += width;
            return Some(place);
        }
        let y = self.shelves.last().map_or(0, |last| last.y + last.height);
        if width > side || height > side - y {
            return None;
        }
        self.shelves.push(Shelf { y, height, x: width });
        Some((0, y))
    }

    /// Forgets all glyphs. The pixels stay until others take their place.
    pub(crate) fn clear(&mut self) {
        self.shelves.clear();
    }

    /// The parts that changed since this was asked last.
    pub(crate) fn take_dirty(&mut self) -> std::vec::Drain<'_, Region> {
        self.dirty.drain(..)
    }

    /// The rows of a region, from above.
    pub(crate) fn rows(&self, region: Region) -> impl Iterator<Item = &[u8]> {
        (0..usize::from(region.height)).map(move |row| {
            let first = (usize::from(region.y) + row) * usize::from(self.side);
            let first = first + usize::from(region.x);
            &self.pixels[first..first + usize::from(region.width)]
        })
    }

    /// Its width and height.
    pub(crate) fn side(&self) -> u16 {
        self.side
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap(a: &Region, b: &Region) -> bool {
        a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
    }

    #[test]
    fn glyphs_never_overlap_and_keep_their_pixels() {
        let mut atlas = Atlas::new(64);
        let mut inside = Vec::new();
        for number in 0u8..=255 {
            let (width, height) = (u16::from(number % 7) + 1, u16::from(number % 5) + 6);
            let glyph = vec![number; usize::from(width * height)];
            match atlas.insert(width, height, &glyph) {
                Ok(region) => inside.push((region, number)),
                Err(Full) => break,
            }
        }
        assert!(inside.len() > 60, "only {} glyphs found room", inside.len());
        for (index, (region, number)) in inside.iter().enumerate() {
            assert!(region.x + region.width <= 64 && region.y + region.height <= 64);
            assert!(atlas.rows(*region).flatten().all(|pixel| pixel == number), "{region:?}");
            assert!(!inside[..index].iter().any(|(other, _)| overlap(region, other)));
        }
    }

    #[test]
    fn what_changed_is_told_once() {
        let mut atlas = Atlas::new(16);
        assert_eq!(atlas.take_dirty().collect::<Vec<_>>(), [atlas_whole()]);
        let region = atlas.insert(2, 3, &[1; 6]).expect("room");
        assert_eq!(atlas.take_dirty().collect::<Vec<_>>(), [region]);
        assert_eq!(atlas.take_dirty().count(), 0);
    }

    fn atlas_whole() -> Region {
        Region { x: 0, y: 0, width: 16, height: 16 }
    }

    #[test]
    fn a_full_atlas_has_room_again_once_it_is_cleared() {
        let mut atlas = Atlas::new(16);
        assert!(atlas.insert(16, 16, &[1; 256]).is_ok());
        assert_eq!(atlas.insert(1, 1, &[1]), Err(Full));
        atlas.clear();
        assert!(atlas.insert(1, 1, &[1]).is_ok());
        assert_eq!(atlas.insert(17, 1, &[1; 17]), Err(Full));
    }

    #[test]
    fn a_glyph_without_pixels_is_no_trouble() {
        assert!(Atlas::new(16).insert(0, 0, &[]).is_ok());
    }
}
