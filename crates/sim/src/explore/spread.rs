//! How is work done by several threads at once? The only place of this crate that knows of threads.
//!
//! Invariant: whoever does an item, and when, changes nothing about what comes of it. Items share nothing that is written,
//! except where each writer has places of its own or where the order of writing cannot be told afterwards.

use std::sync::{Mutex, PoisonError};
use std::thread;

/// Does `work` on each item, on up to `threads` threads, this one among them. Where the system gives no thread, the others
/// do the work.
///
/// # Panics
///
/// If `work` does, after the others have come to an end.
pub(super) fn spread<T: Send>(threads: usize, items: &mut [T], work: impl Fn(&mut T) + Sync) {
    let workers = threads.min(items.len());
    if workers < 2 {
        items.iter_mut().for_each(work);
        return;
    }
    let queue = Mutex::new(items.iter_mut());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        while let Some(item) = next() {
            work(item);
        }
    };
    thread::scope(|scope| {
        for _ in 1..workers {
            // A refusal leaves fewer workers, no less work done.
            let _ = thread::Builder::new().spawn_scoped(scope, run);
        }
        run();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_done_once_whatever_the_threads() {
        for threads in 0..5 {
            let mut items: Vec<u32> = (0..1000).collect();
            spread(threads, &mut items, |item| *item += 1);
            assert!(items.into_iter().eq(1..=1000), "{threads} threads");
        }
    }

    #[test]
    fn a_panic_of_the_work_comes_through() {
        let caught = std::panic::catch_unwind(|| {
            spread(3, &mut [1, 2, 3, 4], |item| assert!(*item != 3, "three"));
        });
        assert!(caught.is_err());
    }
}
