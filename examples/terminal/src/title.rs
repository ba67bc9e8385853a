//! What does the window's title say? What the program asked for, and whether the picture is an old one. Pure.

use std::time::Duration;

use unwedge_wait::frame_loop::{Because, Turn};

/// Hitches shorter than this are not told.
const TOLD_AFTER: Duration = Duration::from_millis(400);
const NAME: &str = "unwedge-terminal";

/// The title and what it is made of.
#[derive(Debug, Default)]
pub(crate) struct Title {
    asked: Option<String>,
    trouble: Option<&'static str>,
}

impl Title {
    /// What the program in the terminal asks for; none is the terminal's own name.
    pub(crate) fn ask(&mut self, title: Option<String>) {
        self.asked = title;
    }

    /// What became of a frame, and for how long there has been trouble. Whether the title is another one now.
    pub(crate) fn took(&mut self, turn: &Turn, troubled_for: Option<Duration>) -> bool {
        let trouble = match turn {
            Turn::GaveUp(_) => Some("gave up on the GPU"),
            _ if troubled_for.is_none_or(|time| time < TOLD_AFTER) => None,
            Turn::Skipped { because: Because::Acquire | Because::OutOfDate, .. } => {
                Some("waiting for the display")
            }
            Turn::Skipped { .. } => Some("waiting for the GPU"),
            // A frame is on its way; that it arrives is not known yet.
            _ => self.trouble,
        };
        std::mem::replace(&mut self.trouble, trouble) != trouble
    }

    /// The title as it is shown.
    pub(crate) fn text(&self) -> String {
        let title = self.asked.as_deref().unwrap_or(NAME);
        match self.trouble {
            Some(why) => format!("{title} – no picture: {why}"),
            None => title.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_is_what_the_program_asks_for() {
        let mut title = Title::default();
        assert_eq!(title.text(), "unwedge-terminal");
        title.ask(Some("vi".into()));
        assert_eq!(title.text(), "vi");
        title.ask(None);
        assert_eq!(title.text(), "unwedge-terminal");
    }

    #[test]
    fn trouble_is_told_once_it_lasts_and_until_it_is_over() {
        let mut title = Title::default();
        let skipped = |because| Turn::Skipped { retry_in: Duration::ZERO, because };
        let long = Some(Duration::from_secs(1));
        assert!(!title.took(&skipped(Because::Fence), Some(Duration::from_millis(100))));
        assert!(title.took(&skipped(Because::Fence), long));
        assert_eq!(title.text(), "unwedge-terminal – no picture: waiting for the GPU");
        assert!(!title.took(&skipped(Because::Fence), long));
        assert!(!title.took(&Turn::Presented, long), "a frame that was presented may be stuck");
        assert!(title.took(&skipped(Because::Acquire), long));
        assert!(title.text().ends_with("waiting for the display"));
        assert!(title.took(&Turn::Resting(None), None));
        assert_eq!(title.text(), "unwedge-terminal");
        assert!(title.took(&Turn::GaveUp(Box::default()), long));
        assert!(title.text().ends_with("gave up on the GPU"));
    }
}
