//! How is an input that comes only once read a second time? Its text is kept, as long as it is not too much.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::feed::{Block, Feed, Hold};
use super::{Body, Choice, Input, Source};
use crate::error::Error;

/// The text of an input, decompressed, once all of it was read.
pub(crate) struct Kept(Arc<Mutex<Text>>);

#[derive(Default)]
struct Text {
    bytes: Vec<u8>,
    is_too_long: bool,
}

/// Keeps what passes.
struct Keeping {
    feed: Box<dyn Feed>,
    text: Arc<Mutex<Text>>,
    bytes_max: usize,
}

impl Feed for Keeping {
    fn claim(&self, hold: &mut Hold, buffer: &mut Vec<u8>) -> Option<Block> {
        // Held while the block is claimed: so they are kept in order. A panic elsewhere leaves the text whole.
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        let block = self.feed.claim(hold, buffer)?;
        let lines = &buffer[block.lines.clone()];
        if text.bytes.len() + lines.len() > self.bytes_max {
            *text = Text { bytes: Vec::new(), is_too_long: true };
        }
        if !text.is_too_long {
            text.bytes.extend_from_slice(lines);
        }
        Some(block)
    }

    fn passed(&self) -> u64 {
        self.feed.passed()
    }

    fn total(&self) -> Option<u64> {
        self.feed.total()
    }
}

impl Input {
    /// Keeps the text, up to so many bytes, while it is read; nothing of a store, which lies ready.
    pub(crate) fn keep(self, bytes_max: usize) -> (Self, Kept) {
        let text = Arc::<Mutex<Text>>::default();
        let kept = Kept(Arc::clone(&text));
        let body = match self.body {
            Body::Text { feed, reading } => {
                Body::Text { feed: Box::new(Keeping { feed, text, bytes_max }), reading }
            }
            store @ Body::Store(_) => store,
        };
        (Self { body, ..self }, kept)
    }
}

impl Kept {
    /// The same input again, under the name of its path; none if it was too long to be kept.
    ///
    /// # Errors
    /// As for the first time.
    pub(crate) fn again(&self, path: &Path, choice: &Choice) -> Result<Option<Input>, Error> {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if text.is_too_long {
            return Ok(None);
        }
        let source = Source::of_text(path, std::mem::take(&mut text.bytes));
        Input::of(source.map_err(|refusal| refusal.of(path))?, choice).map(Some)
    }
}
