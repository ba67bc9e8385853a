//! How do the results of several threads come back in the order of the input, with only so many ahead?

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Longest sleep of a thread that waits for another one of ours, before it looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What may wait for its turn.
pub(super) struct Ahead<R> {
    /// Results.
    pub(super) results: usize,
    /// All of them together, as `weigh` has it; the next one is let in whatever it weighs. Bytes.
    pub(super) bytes: usize,
    pub(super) weigh: fn(&R) -> usize,
}

/// Runs the workers, each on a thread of its own, and gives their results to `join` in the order of their numbers,
/// on this thread. A worker is called until it has no more; numbers begin at 0 and none is left out. No more than `ahead`
/// lets in waits for its turn. `idle` is called now and then while there is nothing to join.
pub(super) fn in_order<R: Send, W: FnMut() -> Option<(u64, R)> + Send>(
    workers: Vec<W>,
    ahead: Ahead<R>,
    idle: impl Fn(),
    mut join: impl FnMut(R) -> ControlFlow<()>,
) {
    let window = Window::new(workers.len(), ahead);
    std::thread::scope(|scope| {
        for mut worker in workers {
            let window = &window;
            scope.spawn(move || {
                let _leaving = OnDrop(|| window.leave());
                while let Some((number, result)) = worker() {
                    if window.put(number, result).is_break() {
                        return;
                    }
                }
            });
        }
        // However this ends, the workers must not wait for room any more.
        let _closing = OnDrop(|| window.close());
        while let Some(result) = window.take(&idle) {
            if join(result).is_break() {
                return;
            }
        }
    });
}

/// Does something when it goes, also when that is because of a panic.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Results that are there, and whose turn it is.
struct Window<R> {
    state: Mutex<State<R>>,
    changed: Condvar,
    ahead: Ahead<R>,
}

struct State<R> {
    /// The number that is taken next.
    next: u64,
    waiting: BTreeMap<u64, R>,
    /// What those that wait weigh. Bytes.
    weight: usize,
    workers: usize,
    closed: bool,
}

impl<R> Window<R> {
    fn new(workers: usize, ahead: Ahead<R>) -> Self {
        let state = State { next: 0, waiting: BTreeMap::new(), weight: 0, workers, closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), ahead }
    }

    /// Puts a result in its place, as soon as that is within the window.
    fn put(&self, number: u64, result: R) -> ControlFlow<()> {
        let (results, weight) = (self.ahead.results.max(1) as u64, (self.ahead.weigh)(&result));
        let full = |state: &State<R>| {
            let heavy = number > state.next && state.weight + weight > self.ahead.bytes;
            !state.closed && (heavy || number >= state.next + results)
        };
        let mut state = self.wait_while(full, || ());
        if state.closed {
            return ControlFlow::Break(());
        }
        state.waiting.insert(number, result);
        state.weight += weight;
        if number == state.next {
            self.changed.notify_all();
        }
        ControlFlow::Continue(())
    }

    /// The next result; none when all workers have left, or it cannot come.
    fn take(&self, idle: &impl Fn()) -> Option<R> {
        let missing = |state: &State<R>| {
            state.workers > 0 && !state.closed && !state.waiting.contains_key(&state.next)
        };
        let mut state = self.wait_while(missing, idle);
        let next = state.next;
        let result = state.waiting.remove(&next)?;
        state.next += 1;
        state.weight -= (self.ahead.weigh)(&result);
        self.changed.notify_all();
        Some(result)
    }

    /// A worker has no more, or has panicked: then what it was to bring never comes.
    fn leave(&self) {
        let mut state = self.lock();
        state.workers -= 1;
        state.closed |= std::thread::panicking();
        drop(state);
        self.changed.notify_all();
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// The state once `not_yet` is false. Nobody waits here for somebody who waits here: the worker that has the
    /// next result always finds room for it.
    fn wait_while(
        &self,
        not_yet: impl Fn(&State<R>) -> bool,
        idle: impl Fn(),
    ) -> MutexGuard<'_, State<R>> {
        let mut state = self.lock();
        while not_yet(&state) {
            let woken = self.changed.wait_timeout(state, LOOK_AGAIN);
            let (again, timed_out) = woken.unwrap_or_else(PoisonError::into_inner);
            state = again;
            if timed_out.timed_out() {
                idle();
            }
        }
        state
    }

    /// A panic elsewhere leaves the state whole: every change to it is one step.
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// So many results, whatever they weigh.
    fn ahead<R>(results: usize) -> Ahead<R> {
        Ahead { results, bytes: usize::MAX, weigh: |_| 0 }
    }

    /// Workers that share the numbers up to `count`; `pause` makes some of them slow.
    fn numbers<'a>(
        shared: &'a AtomicU64,
        count: u64,
        pause: impl Fn(u64) -> u64 + Send + Copy + 'a,
    ) -> impl FnMut() -> Option<(u64, u64)> + Send + 'a {
        move || {
            let number = shared.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_micros(pause(number)));
            (number < count).then_some((number, number))
        }
    }

    #[test]
    fn results_come_in_order_whoever_is_slow() {
        for (threads, ahead) in [(1, 1), (2, 1), (3, 2), (8, 16)] {
            let shared = AtomicU64::new(0);
            let slow = |number: u64| if number.is_multiple_of(7) { 900 } else { 0 };
            let workers = (0..threads).map(|_| numbers(&shared, 200, slow)).collect();
            let mut got = Vec::new();
            in_order(
                workers,
                super::tests::ahead(ahead),
                || (),
                |number| {
                    got.push(number);
                    ControlFlow::Continue(())
                },
            );
            assert_eq!(got, (0..200).collect::<Vec<_>>(), "{threads} threads, {ahead} ahead");
        }
    }

    #[test]
    fn nobody_runs_further_ahead_than_the_window() {
        let (shared, joined) = (AtomicU64::new(0), AtomicU64::new(0));
        let worker = |_| {
            let mut next = numbers(&shared, 100, |_| 0);
            let joined = &joined;
            move || {
                let (number, _) = next()?;
                // Besides those in the window, each of the two workers has one in hand, and one was taken out.
                let most = joined.load(Ordering::SeqCst) + 4 + 2 + 1;
                assert!(number <= most, "{number} was taken on, of at most {most}");
                Some((number, ()))
            }
        };
        let workers = (0..2).map(worker).collect();
        in_order(
            workers,
            ahead(4),
            || (),
            |()| {
                joined.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_micros(200));
                ControlFlow::Continue(())
            },
        );
        assert_eq!(joined.load(Ordering::SeqCst), 100);
    }

    #[test]
    fn heavy_results_wait_with_their_workers_and_come_all_the_same() {
        for bytes in [0, 1, 100] {
            let shared = AtomicU64::new(0);
            let most = AtomicU64::new(0);
            let workers = (0..4).map(|_| numbers(&shared, 200, |_| 0)).collect();
            let ahead = Ahead { results: 1000, bytes, weigh: |_| 40 };
            let mut got = Vec::new();
            in_order(
                workers,
                ahead,
                || (),
                |number| {
                    // Two fit into a hundred; one more is let in out of turn, one is in each worker's hand.
                    let taken_on = shared.load(Ordering::SeqCst);
                    most.fetch_max(taken_on - number, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_micros(50));
                    got.push(number);
                    ControlFlow::Continue(())
                },
            );
            assert_eq!(got, (0..200).collect::<Vec<_>>(), "{bytes} bytes");
            assert!(most.load(Ordering::SeqCst) <= 4 + 3 + 1, "{most:?} taken on");
        }
    }

    #[test]
    fn an_early_end_stops_the_workers() {
        let shared = AtomicU64::new(0);
        let workers = (0..3).map(|_| numbers(&shared, u64::MAX, |_| 0)).collect();
        let mut left = 10;
        in_order(
            workers,
            ahead(4),
            || (),
            |_| {
                left -= 1;
                if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        assert_eq!(left, 0);
    }

    #[test]
    fn a_panic_ends_it_instead_of_hanging() {
        let panics = std::panic::catch_unwind(|| {
            let shared = AtomicU64::new(0);
            let workers = (0..2)
                .map(|_| {
                    let shared = &shared;
                    move || {
                        let number = shared.fetch_add(1, Ordering::Relaxed);
                        assert!(number != 5, "planted");
                        Some((number, ()))
                    }
                })
                .collect();
            in_order(workers, ahead(2), || (), |()| ControlFlow::Continue(()));
        });
        assert!(panics.is_err());
    }
}
