//! Which remarks are kept? The last ones of each sort.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use unwedge_trace::row::{NONE, Row};

use super::Stamp;

/// Failed calls, faults and what is not observed: that many last ones are kept.
const TELLING_MAX: usize = 2048;
/// Log lines about objects.
const ABOUT_MAX: usize = 1024;
/// Remarks that call an object fatal: a ring may fall silent long before the log does.
const FATAL_MAX: usize = 256;
/// Other log lines.
const PLAIN_MAX: usize = 64;
/// Objects of one mark.
const OBJECTS_MAX: usize = 256;

/// A remark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) stamp: Stamp,
    pub(super) by: u32,
    pub(super) code: u8,
    pub(super) text: u32,
    pub(super) objects: Vec<u32>,
}

/// Remarks by sort.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Marks {
    telling: VecDeque<Mark>,
    about: VecDeque<Mark>,
    #[serde(default)]
    fatal: VecDeque<Mark>,
    plain: VecDeque<Mark>,
}

/// The number of [`unwedge_trace::MarkKind::Log`].
const LOG: u8 = 0;

impl Marks {
    /// Adds a mark, which says that something is fatal or not.
    pub(super) fn add(&mut self, row: &Row, stamp: Stamp, says_fatal: bool) {
        let objects = if row.object == NONE { Vec::new() } else { vec![row.object] };
        let mark = Mark { stamp, by: row.agent, code: row.code, text: row.name, objects };
        if says_fatal && row.object != NONE {
            push(&mut self.fatal, mark, FATAL_MAX);
        } else if row.code != LOG {
            push(&mut self.telling, mark, TELLING_MAX);
        } else if row.object != NONE {
            push(&mut self.about, mark, ABOUT_MAX);
        } else {
            push(&mut self.plain, mark, PLAIN_MAX);
        }
    }

    /// Adds an object to the mark before.
    pub(super) fn add_object(&mut self, row: &Row) {
        let marks = if row.code == LOG { &mut self.about } else { &mut self.telling };
        let last = [marks.back_mut(), self.fatal.back_mut()].into_iter().flatten();
        if let Some(mark) = last.max_by_key(|mark| mark.stamp.seq)
            && mark.objects.len() < OBJECTS_MAX
        {
            mark.objects.push(row.object);
        }
    }

    /// Takes in those of the stretch that follows.
    pub(super) fn merge(&mut self, later: Self) {
        later.telling.into_iter().for_each(|mark| push(&mut self.telling, mark, TELLING_MAX));
        later.about.into_iter().for_each(|mark| push(&mut self.about, mark, ABOUT_MAX));
        later.fatal.into_iter().for_each(|mark| push(&mut self.fatal, mark, FATAL_MAX));
        later.plain.into_iter().for_each(|mark| push(&mut self.plain, mark, PLAIN_MAX));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Mark> {
        self.telling.iter().chain(&self.about).chain(&self.fatal).chain(&self.plain)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Mark> {
        let about = self.about.iter_mut().chain(&mut self.fatal);
        self.telling.iter_mut().chain(about).chain(&mut self.plain)
    }
}

fn push(marks: &mut VecDeque<Mark>, mark: Mark, most: usize) {
    if marks.len() >= most {
        marks.pop_front();
    }
    marks.push_back(mark);
}
