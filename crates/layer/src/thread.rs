//! What is this thread doing? Its slot in the black box: the call in flight, polls, finished calls.
//!
//! Each slot has one writer, its thread. Nothing here blocks, allocates or takes a lock, except the
//! first call of a thread, which finds it a slot.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use ash::vk;
use unwedge_trace::blackbox::{
    Call, CallCells, FAILURES, RING_CALLS, SLOT_ANY, SLOT_HANDLES, THREAD_ALIVE, THREAD_EXITED,
    THREAD_FREE, ThreadCells, text_to_words,
};

use crate::{clock, memory};

#[derive(Clone, Copy)]
struct Place {
    cells: &'static ThreadCells,
    ring: &'static [CallCells],
}

struct Local {
    place: Cell<Option<Place>>,
    /// Where this thread's place was when its leaving was arranged.
    refused: Cell<bool>,
}

thread_local! {
    static LOCAL: Local = const { Local { place: Cell::new(None), refused: Cell::new(false) } };
    static LEAVING: Leaving = const { Leaving };
}

/// Marks the slot when the thread exits.
struct Leaving;

impl Drop for Leaving {
    fn drop(&mut self) {
        let place = LOCAL.try_with(|local| local.place.take()).ok().flatten();
        if let Some(place) = place {
            set(&place.cells.exited_at, clock::exact());
            set(&place.cells.slot_call, 0);
            set(&place.cells.poll_call, 0);
            place.cells.state.store(THREAD_EXITED, Ordering::Release);
        }
    }
}

#[inline]
fn set(cell: &AtomicU64, word: u64) {
    cell.store(word, Ordering::Relaxed);
}

#[inline]
fn get(cell: &AtomicU64) -> u64 {
    cell.load(Ordering::Relaxed)
}

/// Forgets this thread's slot: the black box was replaced.
pub(crate) fn forget() {
    let _ = LOCAL.try_with(|local| {
        local.place.set(None);
        local.refused.set(false);
    });
}

#[inline]
fn place() -> Option<Place> {
    LOCAL.try_with(|local| local.place.get()).ok().flatten().or_else(register)
}

#[cold]
fn register() -> Option<Place> {
    if LOCAL.try_with(|local| local.refused.get()).unwrap_or(true) {
        return None;
    }
    let blackbox = memory::blackbox();
    let threads = blackbox.threads();
    let claim = |wanted: u64| {
        threads.iter().position(|cells| {
            let (new, ok) = (THREAD_ALIVE, Ordering::AcqRel);
            cells.state.compare_exchange(wanted, new, ok, Ordering::Relaxed).is_ok()
        })
    };
    let Some(index) = claim(THREAD_FREE).or_else(|| claim(THREAD_EXITED)) else {
        let _ = LOCAL.try_with(|local| local.refused.set(true));
        blackbox.header().threads_lost.fetch_add(1, Ordering::Relaxed);
        return None;
    };
    let place = Place { cells: &threads[index], ring: blackbox.ring(index) };
    introduce(place);
    blackbox.header().threads_used.fetch_max(index as u64 + 1, Ordering::AcqRel);
    let _ = LOCAL.try_with(|local| local.place.set(Some(place)));
    let _ = LEAVING.try_with(|_| {});
    Some(place)
}

/// Fills a claimed slot. The ring's head goes on from a former owner's, whose calls stay readable
/// until they are overwritten; its times tell them apart.
fn introduce(place: Place) {
    let cells = place.cells;
    // SAFETY: gettid has no preconditions.
    set(&cells.tid, unsafe { libc::syscall(libc::SYS_gettid) } as u64);
    set(&cells.started_at, clock::exact());
    let resets = [
        &cells.exited_at,
        &cells.slot_call,
        &cells.poll_call,
        &cells.poll_count,
        &cells.poll_handle,
        &cells.progress_at,
        &cells.progress_call,
        &cells.progress_count,
        &cells.failures_head,
    ];
    for cell in resets {
        set(cell, 0);
    }
    for failure in &cells.failures {
        set(&failure[2], 0);
    }
    for call in place.ring {
        set(&call.at, 0);
    }
    set_name(cells);
}

fn set_name(cells: &ThreadCells) {
    let mut name = [0_u8; 16];
    // SAFETY: PR_GET_NAME writes at most 16 bytes, the last one zero.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    let text = String::from_utf8_lossy(&name[..end]);
    unwedge_trace::blackbox::store_words(&cells.name, &text_to_words::<2>(&text));
}

/// This thread's id as the black box has it.
pub(crate) fn tid() -> u64 {
    place().map_or(0, |place| get(&place.cells.tid))
}

/// A call that may block, from its start to its end.
pub(crate) struct InFlight {
    place: Option<Place>,
    call: Call,
    device: u64,
    handle: u64,
    began_at: u64,
}

/// Writes the slot: this thread is in `call` from now on. `objects` are handle and value pairs.
#[inline]
pub(crate) fn begin(
    call: Call,
    device: u64,
    timeout: u64,
    any: bool,
    objects: impl Iterator<Item = (u64, u64)>,
) -> InFlight {
    begin_at(clock::coarse(), call, device, timeout, any, objects)
}

/// As [`begin`], where the time is known already.
#[inline]
pub(crate) fn begin_at(
    now: u64,
    call: Call,
    device: u64,
    timeout: u64,
    any: bool,
    objects: impl Iterator<Item = (u64, u64)>,
) -> InFlight {
    let Some(place) = place() else {
        return InFlight { place: None, call, device, handle: 0, began_at: 0 };
    };
    let cells = place.cells;
    let began_at = now;
    let sequence = get(&cells.slot_sequence);
    set(&cells.slot_sequence, sequence.wrapping_add(1) | 1);
    fence(Ordering::Release);
    let mut count = 0;
    for (handle, value) in objects {
        if count < SLOT_HANDLES {
            set(&cells.slot_handles[count], handle);
            set(&cells.slot_values[count], value);
        }
        count += 1;
    }
    let handle = if count == 0 { 0 } else { get(&cells.slot_handles[0]) };
    set(&cells.slot_count, count as u64);
    set(&cells.slot_device, device);
    set(&cells.slot_began_at, began_at);
    set(&cells.slot_timeout, timeout);
    set(&cells.slot_flags, if any { SLOT_ANY } else { 0 });
    set(&cells.slot_call, call.word());
    cells.slot_sequence.store((sequence | 1).wrapping_add(1), Ordering::Release);
    InFlight { place: Some(place), call, device, handle, began_at }
}

impl InFlight {
    /// Clears the slot and files the call. `value` is whatever the call is about.
    #[inline]
    pub(crate) fn end(self, result: vk::Result, value: u64) {
        self.end_at(result, value, clock::coarse());
    }

    #[inline]
    fn end_at(self, result: vk::Result, value: u64, now: u64) {
        let Some(place) = self.place else { return };
        place.cells.slot_call.store(0, Ordering::Release);
        let duration = now.saturating_sub(self.began_at);
        let entry = Entry { at: self.began_at, duration, call: self.call, device: self.device };
        file(place, &entry, self.handle, value, result);
        if result.as_raw() < 0 {
            fail(place, self.call, result, self.handle, 0);
        }
    }

    /// As [`Self::end`], for a call that got something done when it succeeded.
    #[inline]
    pub(crate) fn end_progress(self, result: vk::Result, value: u64) {
        let now = clock::coarse();
        if result.as_raw() >= 0
            && !matches!(result, vk::Result::TIMEOUT | vk::Result::NOT_READY)
            && let Some(place) = self.place
        {
            set(&place.cells.progress_at, now);
            set(&place.cells.progress_call, self.call.word());
            set(&place.cells.progress_count, get(&place.cells.progress_count) + 1);
            set(&place.cells.poll_call, 0);
        }
        self.end_at(result, value, now);
    }

    /// As [`Self::end`], for a wait that may have run out or failed: then it counts as a poll, for a
    /// program that tries again for ever waits for ever.
    #[inline]
    pub(crate) fn end_wait(self, result: vk::Result, value: u64) {
        let ran_out = matches!(result, vk::Result::TIMEOUT | vk::Result::NOT_READY);
        if !ran_out && result.as_raw() >= 0 {
            return self.end_progress(result, value);
        }
        let Some(place) = self.place else { return };
        place.cells.slot_call.store(0, Ordering::Release);
        let again =
            get(&place.cells.poll_call) != 0 && get(&place.cells.poll_handle) == self.handle;
        if !ran_out && !again {
            fail(place, self.call, result, self.handle, 0);
        }
        let waited = clock::coarse().saturating_sub(self.began_at);
        unsuccessful(place, self.call, self.device, self.handle, value, waited);
    }
}

struct Entry {
    at: u64,
    duration: u64,
    call: Call,
    device: u64,
}

#[inline]
fn file(place: Place, entry: &Entry, handle: u64, value: u64, result: vk::Result) {
    let head = get(&place.cells.ring_head);
    let Some(cells) = place.ring.get((head % RING_CALLS as u64) as usize) else { return };
    set(&cells.at, entry.at);
    set(&cells.duration, entry.duration);
    set(&cells.call, entry.call.word());
    set(&cells.device, entry.device);
    set(&cells.handle, handle);
    set(&cells.value, value);
    set(&cells.result, result.as_raw() as i64 as u64);
    set(&cells.count, 1);
    place.cells.ring_head.store(head + 1, Ordering::Release);
}

/// Files a call that cannot block.
pub(crate) fn note(call: Call, device: u64, handle: u64, value: u64, result: vk::Result) {
    let Some(place) = place() else { return };
    let entry = Entry { at: clock::coarse(), duration: 0, call, device };
    file(place, &entry, handle, value, result);
    if result.as_raw() < 0 {
        fail(place, call, result, handle, 0);
    }
}

/// Keeps a call that failed, with up to two objects that it was to bring forward.
pub(crate) fn failed(call: Call, result: vk::Result, first: u64, second: u64) {
    if let Some(place) = place() {
        fail(place, call, result, first, second);
    }
}

fn fail(place: Place, call: Call, result: vk::Result, first: u64, second: u64) {
    let head = get(&place.cells.failures_head);
    let Some(cells) = place.cells.failures.get((head % FAILURES as u64) as usize) else { return };
    let words = [call.word(), result.as_raw() as i64 as u64, clock::coarse(), first, second];
    unwedge_trace::blackbox::store_words(cells, &words);
    place.cells.failures_head.store(head + 1, Ordering::Release);
}

/// A poll that found its object not there yet.
#[inline]
pub(crate) fn poll_missed(call: Call, device: u64, handle: u64, value: u64) {
    if let Some(place) = place() {
        unsuccessful(place, call, device, handle, value, 0);
    }
}

#[inline]
fn unsuccessful(place: Place, call: Call, device: u64, handle: u64, value: u64, waited: u64) {
    let cells = place.cells;
    if get(&cells.poll_call) == 0 {
        return start_run(cells, [call.word(), device, handle, value], waited);
    }
    if get(&cells.poll_handle) != handle {
        // Polls of several objects in turn: the first one stands for the run. A thread that gets
        // anything done ends the run, so this hides no progress.
        return;
    }
    if get(&cells.poll_value) != value {
        return start_run(cells, [call.word(), device, handle, value], waited);
    }
    let count = get(&cells.poll_count) + 1;
    set(&cells.poll_count, count);
    // Readers reckon with a note of every power of two below 256, and of every 256th.
    if waited != 0 || count & 0xff == 0 || count.is_power_of_two() {
        set(&cells.poll_waited_ns, get(&cells.poll_waited_ns) + waited);
        set(&cells.poll_last_at, clock::coarse());
    }
}

#[cold]
fn start_run(cells: &ThreadCells, words: [u64; 4], waited: u64) {
    let now = clock::coarse();
    set(&cells.poll_device, words[1]);
    set(&cells.poll_handle, words[2]);
    set(&cells.poll_value, words[3]);
    set(&cells.poll_first_at, now.saturating_sub(waited));
    set(&cells.poll_last_at, now);
    set(&cells.poll_count, 1);
    set(&cells.poll_waited_ns, waited);
    cells.poll_call.store(words[0], Ordering::Release);
}

/// A poll that found its object there.
#[inline]
pub(crate) fn poll_hit(call: Call) {
    let Some(place) = place() else { return };
    let cells = place.cells;
    if get(&cells.poll_call) != 0 {
        set(&cells.poll_call, 0);
        set(&cells.progress_at, clock::coarse());
        set(&cells.progress_call, call.word());
        set(&cells.progress_count, get(&cells.progress_count) + 1);
    }
}

#[cfg(test)]
mod tests;
