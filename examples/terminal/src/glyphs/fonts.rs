//! Which font has this character? A monospaced one in four styles, and any other on the machine for what it lacks.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use fontdb::{Database, Family, ID, Query, Source, Style, Weight};
use swash::FontRef;

/// The first of these that is there is the terminal's.
const FAMILIES: [&str; 5] =
    ["DejaVu Sans Mono", "Liberation Mono", "Noto Sans Mono", "Ubuntu Mono", "FreeMono"];

/// A font file in memory.
pub(super) struct Face {
    data: Vec<u8>,
    index: usize,
}

impl Face {
    /// The font. It was one when it was read.
    pub(super) fn font(&self) -> Option<FontRef<'_>> {
        FontRef::from_index(&self.data, self.index)
    }

    pub(super) fn has(&self, character: char) -> bool {
        self.font().is_some_and(|font| font.charmap().map(character) != 0)
    }
}

/// A face, and what has to be made up because the family lacks the style.
#[derive(Clone)]
pub(super) struct Styled {
    pub(super) face: Arc<Face>,
    pub(super) embolden: bool,
    pub(super) slant: bool,
}

/// No font can be used for a terminal.
#[derive(Debug)]
pub(crate) struct NoFont;

impl fmt::Display for NoFont {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no monospaced font is installed (on Debian, fonts-dejavu-core has one)")
    }
}

impl std::error::Error for NoFont {}

/// The fonts of the machine.
pub(super) struct Fonts {
    database: Database,
    /// Regular, bold, italic, both.
    styles: [Styled; 4],
    others: HashMap<ID, Arc<Face>>,
}

impl Fonts {
    pub(super) fn of_the_machine() -> Result<Self, NoFont> {
        let mut database = Database::new();
        database.load_system_fonts();
        let regular = find(&database, Weight::NORMAL, Style::Normal).ok_or(NoFont)?.0;
        let styles = [(false, false), (true, false), (false, true), (true, true)];
        let styles = styles.map(|(bold, italic)| style(&database, &regular, bold, italic));
        Ok(Self { database, styles, others: HashMap::new() })
    }

    /// The face that cells are measured by.
    pub(super) fn regular(&self) -> &Face {
        &self.styles[0].face
    }

    /// The regular face as it is.
    pub(super) fn plain(&self) -> Styled {
        self.styles[0].clone()
    }

    /// The face to draw a character with; none has it if there is none.
    pub(super) fn face_of(&mut self, character: char, bold: bool, italic: bool) -> Option<Styled> {
        let styled = &self.styles[usize::from(bold) + 2 * usize::from(italic)];
        if styled.face.has(character) {
            return Some(styled.clone());
        }
        let face = self.other(character)?;
        Some(Styled { face, embolden: bold, slant: italic })
    }

    /// Looks through every font; the caller remembers the answer.
    fn other(&mut self, character: char) -> Option<Arc<Face>> {
        if let Some(face) = self.others.values().find(|face| face.has(character)) {
            return Some(Arc::clone(face));
        }
        let mut ids: Vec<(bool, ID)> = Vec::new();
        ids.extend(self.database.faces().map(|face| (!face.monospaced, face.id)));
        ids.sort_by_key(|(proportional, _)| *proportional);
        let has = |id: &ID| {
            let looked = self.database.with_face_data(*id, |data, index| {
                let font = FontRef::from_index(data, index as usize);
                font.is_some_and(|font| font.charmap().map(character) != 0)
            });
            looked.unwrap_or(false)
        };
        let id = ids.into_iter().map(|(_, id)| id).find(has)?;
        let face = Arc::new(load(&self.database, id)?);
        self.others.insert(id, Arc::clone(&face));
        Some(face)
    }
}

/// The family's face of a style, or its regular one with what it takes to look so.
fn style(database: &Database, regular: &Arc<Face>, bold: bool, italic: bool) -> Styled {
    let weight = if bold { Weight::BOLD } else { Weight::NORMAL };
    let slanted = if italic { Style::Oblique } else { Style::Normal };
    match find(database, weight, slanted) {
        Some((face, is_bold, is_slanted)) => {
            Styled { face, embolden: bold && !is_bold, slant: italic && !is_slanted }
        }
        None => Styled { face: Arc::clone(regular), embolden: bold, slant: italic },
    }
}

/// The nearest face of the first family that is there, and whether it is bold and slanted.
fn find(database: &Database, weight: Weight, style: Style) -> Option<(Arc<Face>, bool, bool)> {
    let families: Vec<Family<'_>> =
        FAMILIES.iter().map(|name| Family::Name(name)).chain([Family::Monospace]).collect();
    let query = Query { families: &families, weight, style, ..Query::default() };
    let id = database.query(&query)?;
    let info = database.face(id)?;
    let (bold, slanted) = (info.weight >= Weight::SEMIBOLD, info.style != Style::Normal);
    let face = load(database, id)?;
    // A font without letters is of no use.
    face.has('m').then(|| (Arc::new(face), bold, slanted))
}

fn load(database: &Database, id: ID) -> Option<Face> {
    let (source, index) = database.face_source(id)?;
    let data = match source {
        Source::File(path) => std::fs::read(path).ok()?,
        Source::Binary(data) | Source::SharedFile(_, data) => data.as_ref().as_ref().to_vec(),
    };
    let index = index as usize;
    FontRef::from_index(&data, index)?;
    Some(Face { data, index })
}
