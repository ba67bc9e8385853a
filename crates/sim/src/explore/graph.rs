//! What is kept of the search? States, the steps between them, and which goals each is known to reach.

use std::sync::atomic::{AtomicU32, Ordering};

use super::arena::{Arena, bytes_for};

/// States to a page.
pub(super) const PAGE: u32 = 512;

/// The steps from the states `PAGE × n` to `PAGE × (n + 1)`, as far as they have been explored.
#[derive(Default)]
pub(super) struct Page {
    /// How many states were known before the first of these was explored: the number of its first child, if it has any.
    pub(super) first_child: u32,
    /// Where in `targets` the steps of each explored state end.
    ends: Vec<u32>,
    /// Where steps lead; of a state that reaches all goals, none. Faults are not among them, as they count for nothing.
    targets: Vec<u32>,
}

impl Page {
    pub(super) fn explored(&self) -> u32 {
        self.ends.len() as u32
    }

    #[inline]
    pub(super) fn targets_of(&self, place: u32) -> &[u32] {
        let place = place as usize;
        let Some(end) = self.ends.get(place) else { return &[] };
        let begin = if place == 0 { 0 } else { self.ends[place - 1] };
        &self.targets[begin as usize..*end as usize]
    }

    /// Ends the steps of the next state: these, but each target once as far as a short look shows it.
    #[inline]
    pub(super) fn close_state(&mut self, targets: &[u32]) {
        const LOOK_BACK: usize = 16;
        let begin = self.targets.len();
        for target in targets {
            let written = &self.targets[begin..];
            let recent = &written[written.len().saturating_sub(LOOK_BACK)..];
            if !recent.contains(target) {
                self.targets.push(*target);
            }
        }
        self.ends.push(self.targets.len() as u32);
        if self.ends.len() == PAGE as usize {
            self.ends.shrink_to_fit();
            self.targets.shrink_to_fit();
        }
    }

    fn bytes(&self) -> u64 {
        (size_of::<Self>() + 4 * (self.ends.len() + self.targets.len())) as u64
    }
}

/// All that was found.
pub(super) struct Graph<S> {
    /// In the order in which one thread alone would meet them.
    pub(super) states: Arena<S>,
    /// For each state the goals that it is known to reach by steps.
    pub(super) reach: Arena<AtomicU32>,
    pages: Vec<Page>,
    page_bytes: u64,
    step_count: u64,
    /// Bytes that states point at.
    pub(super) heap_bytes: u64,
}

impl<S> Graph<S> {
    pub(super) fn new() -> Self {
        Self {
            states: Arena::new(),
            reach: Arena::new(),
            pages: Vec::new(),
            page_bytes: 0,
            step_count: 0,
            heap_bytes: 0,
        }
    }

    pub(super) fn add(&mut self, state: S, heap_bytes: usize) {
        self.states.push(state);
        self.reach.push(AtomicU32::new(0));
        self.heap_bytes += heap_bytes as u64;
    }

    pub(super) fn goals_of(&self, state: u32) -> u32 {
        self.reach.get(state).load(Ordering::Relaxed)
    }

    /// Where steps lead from a state; nothing for one that reaches all goals.
    pub(super) fn targets_of(&self, state: u32) -> &[u32] {
        let page = self.pages.get((state / PAGE) as usize);
        page.map_or(&[], |page| page.targets_of(state % PAGE))
    }

    pub(super) fn pages(&self) -> &[Page] {
        &self.pages
    }

    /// Lends out the page of a state that is to be explored; it must come back through [`Self::put_page`].
    pub(super) fn take_page(&mut self, state: u32, first_child: u32) -> Page {
        let number = (state / PAGE) as usize;
        if number == self.pages.len() {
            self.pages.push(Page { first_child, ..Page::default() });
        }
        let page = std::mem::take(&mut self.pages[number]);
        self.page_bytes -= page.bytes_once_kept();
        self.step_count -= page.targets.len() as u64;
        page
    }

    pub(super) fn put_page(&mut self, state: u32, page: Page) {
        self.page_bytes += page.bytes_once_kept();
        self.step_count += page.targets.len() as u64;
        self.pages[(state / PAGE) as usize] = page;
    }

    /// Bytes of all of it.
    pub(super) fn bytes(&self) -> u64 {
        self.states.bytes() + self.reach.bytes() + self.page_bytes + self.heap_bytes
    }

    /// Bytes of all of it, at most, with so many more states that have no steps yet.
    pub(super) fn bytes_with(&self, more: u64) -> u64 {
        let count = u64::from(self.states.len()) + more;
        bytes_for::<S>(count) + bytes_for::<u32>(count) + self.page_bytes + self.heap_bytes
    }

    /// Steps that are kept.
    pub(super) fn step_count(&self) -> u64 {
        self.step_count
    }
}

impl Page {
    /// A page that was just begun is not counted yet.
    fn bytes_once_kept(&self) -> u64 {
        if self.ends.is_empty() { 0 } else { self.bytes() }
    }
}
