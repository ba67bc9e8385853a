//! What could not be read? The first complaints word for word, the rest as a number.

use unwedge_trace::Complaint;
use unwedge_trace::jsonl::COMPLAINTS_MAX;

/// What was wrong with the lines of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaints {
    first: Vec<Complaint>,
    more: u64,
}

impl Complaints {
    /// Adds one about a line, counted from 1 (0: the input as a whole), and a column in bytes from 1. `text` is in
    /// lower case and has no full stop.
    pub fn add(&mut self, line: u64, column: Option<usize>, text: impl Into<String>) {
        if self.first.len() >= COMPLAINTS_MAX {
            self.more += 1;
            return;
        }
        let mut text = text.into();
        if let Some(column) = column {
            text.push_str(&format!(", column {column}"));
        }
        self.first.push(Complaint { line, text });
    }

    /// Takes in those of a later stretch, whose line 1 comes after `lines_before` lines.
    pub fn append(&mut self, later: Self, lines_before: u64) {
        for mut complaint in later.first {
            if is_said_once(&complaint) && self.first.iter().any(is_said_once) {
                continue;
            }
            if complaint.line > 0 {
                complaint.line += lines_before;
            }
            if self.first.len() < COMPLAINTS_MAX {
                self.first.push(complaint);
            } else {
                self.more += 1;
            }
        }
        self.more += later.more;
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.first.len() as u64 + self.more
    }

    /// The first ones.
    #[must_use]
    pub fn first(&self) -> &[Complaint] {
        &self.first
    }

    /// How many are not among the first.
    #[must_use]
    pub fn more(&self) -> u64 {
        self.more
    }
}

/// Whether it holds for all that follows, so that stretches of one input say it together once.
fn is_said_once(complaint: &Complaint) -> bool {
    complaint.text.contains("(said once)")
}
