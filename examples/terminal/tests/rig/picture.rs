//! What does the display show? Pixels, and what tests ask of them.

use std::io::Write as _;
use std::path::Path;

/// A picture of a display.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    /// Red, green and blue of each pixel, row by row.
    pub(crate) pixels: Vec<[u8; 3]>,
}

impl Picture {
    /// How many pixels have this colour.
    pub(crate) fn count(&self, colour: [u8; 3]) -> usize {
        self.pixels.iter().filter(|pixel| **pixel == colour).count()
    }

    /// How many have another one.
    pub(crate) fn other_than(&self, colour: [u8; 3]) -> usize {
        self.pixels.len() - self.count(colour)
    }

    /// The pixel at this place.
    pub(crate) fn at(&self, x: usize, y: usize) -> [u8; 3] {
        self.pixels[y * self.width + x]
    }

    /// The left edge of the colour's rectangle, its upper one, its width and its height.
    pub(crate) fn bounds(&self, colour: [u8; 3]) -> Option<(usize, usize, usize, usize)> {
        let places = || {
            let with = self.pixels.iter().enumerate().filter(|(_, pixel)| **pixel == colour);
            with.map(|(index, _)| (index % self.width, index / self.width))
        };
        let (left, right) = (places().map(|p| p.0).min()?, places().map(|p| p.0).max()?);
        let (top, bottom) = (places().map(|p| p.1).min()?, places().map(|p| p.1).max()?);
        Some((left, top, right - left + 1, bottom - top + 1))
    }

    /// As a file that image viewers read.
    pub(crate) fn save(&self, path: &Path) -> std::io::Result<()> {
        let height = self.pixels.len() / self.width.max(1);
        let mut file = std::fs::File::create(path)?;
        write!(file, "P6\n{} {height}\n255\n", self.width)?;
        file.write_all(self.pixels.as_flattened())
    }
}
