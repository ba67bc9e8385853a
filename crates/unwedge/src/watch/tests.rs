//! The schedule, checked step by step on made-up thread slots.

use unwedge_trace::blackbox::{Call, ThreadRecord, Words as _};

use super::*;

const MS: u64 = 1_000_000;
const ID: BoxId = BoxId(1);

fn thread(tid: u64) -> ThreadRecord {
    let mut thread = ThreadRecord::take(&mut &[][..]);
    (thread.tid, thread.state) = (tid, THREAD_ALIVE);
    thread
}

fn waiting(tid: u64, sequence: u64, began_ms: u64) -> ThreadRecord {
    let mut thread = thread(tid);
    thread.slot_call = Call::WaitForFences.word();
    (thread.slot_sequence, thread.slot_began_at) = (sequence, began_ms * MS);
    thread
}

fn step(watch: &mut Watch, now_ms: u64, threads: &[ThreadRecord]) -> Vec<Due> {
    let threads: Vec<_> = threads.iter().copied().enumerate().collect();
    watch.step(now_ms * MS, &[Seen { id: ID, threads: &threads, locks: &[] }])
}

/// The moments, in milliseconds, at which a wait that begins at 0 is sampled and examined.
fn moments(deadline_ms: u64, until_ms: u64) -> Vec<(u64, char)> {
    let mut watch = Watch::new(deadline_ms * MS);
    let mut moments = Vec::new();
    let mut now = 0;
    while now <= until_ms {
        for due in step(&mut watch, now, &[waiting(7, 2, 0)]) {
            moments.push((now, if due == Due::Sample(ID) { 's' } else { 'e' }));
        }
        now = (watch.next().expect("a wait") / MS).max(now + 1);
    }
    moments
}

#[test]
fn a_wait_is_sampled_from_half_its_deadline_and_examined_at_it() {
    let expected = [(500, 's'), (750, 's'), (970, 's'), (1000, 'e'), (1500, 's')];
    assert_eq!(moments(1000, 1600), expected);
}

#[test]
fn a_short_deadline_is_sampled_from_the_start() {
    let expected = [
        (0, 's'),
        (250, 's'),
        (270, 's'),
        (300, 'e'),
        (1000, 's'),
        (1250, 's'),
        (1270, 's'),
        (1300, 'e'),
    ];
    assert_eq!(moments(300, 1300), expected);
}

#[test]
fn another_wait_of_the_same_thread_starts_anew() {
    let mut watch = Watch::new(1000 * MS);
    assert_eq!(step(&mut watch, 100, &[waiting(7, 2, 0)]), []);
    for frame in 1..100 {
        let now = frame * 100;
        let due = step(&mut watch, now + 1, &[waiting(7, 2 + 2 * frame, now)]);
        assert_eq!(due, [], "frame {frame}");
    }
}

#[test]
fn one_stuck_thread_among_busy_ones_is_due() {
    let mut watch = Watch::new(1000 * MS);
    for frame in 0..10 {
        step(&mut watch, frame * 100, &[waiting(7, 2 + 2 * frame, frame * 100), waiting(8, 2, 0)]);
    }
    assert_eq!(
        step(&mut watch, 1000, &[waiting(7, 90, 999), waiting(8, 2, 0)]),
        [Due::Examine(ID)]
    );
}

#[test]
fn a_wait_that_was_examined_is_told_when_it_ends() {
    let mut watch = Watch::new(1000 * MS);
    assert_eq!(step(&mut watch, 1000, &[waiting(7, 2, 0)]), [Due::Examine(ID)]);
    let mut writing = waiting(7, 3, 0);
    writing.slot_call = 0;
    assert_eq!(
        step(&mut watch, 1050, &[writing]),
        [],
        "a slot that is being written tells nothing"
    );
    let key = WaitKey { id: ID, tid: 7, kind: WaitKind::Call { sequence: 2 } };
    assert_eq!(step(&mut watch, 1100, &[thread(7)]), [Due::Ended(key, 0)]);
    assert_eq!(watch.next(), None);
}

#[test]
fn a_stopped_process_gets_its_deadline_again() {
    let mut watch = Watch::new(1000 * MS);
    step(&mut watch, 900, &[waiting(7, 2, 0)]);
    watch.postpone(60_000 * MS, Some(ID));
    assert_eq!(step(&mut watch, 60_100, &[waiting(7, 2, 0)]), []);
    assert_eq!(step(&mut watch, 61_000, &[waiting(7, 2, 0)]), [Due::Examine(ID)]);
}

#[test]
fn a_lock_is_due_like_a_call() {
    let mut watch = Watch::new(1000 * MS);
    let locks = [LockSeen { tid: 7, address: 64, since: 500 * MS }];
    let mut at = |now: u64| watch.step(now * MS, &[Seen { id: ID, threads: &[], locks: &locks }]);
    assert_eq!(at(600), []);
    assert_eq!(at(1500), [Due::Examine(ID)]);
}

/// Polls as (count, first, last, milliseconds inside), looked at 1000 ms after 0.
fn check_polls(polls: (u64, u64, u64, u64), expected: bool) {
    let mut thread = thread(7);
    thread.poll_call = Call::GetFenceStatus.word();
    thread.poll_count = polls.0;
    (thread.poll_first_at, thread.poll_last_at) = (polls.1 * MS, polls.2 * MS);
    thread.poll_waited_ns = polls.3 * MS;
    assert_eq!(is_run_of_polls(&thread, 10_000 * MS), expected, "{polls:?}");
}

#[test]
fn only_dense_or_waiting_polls_are_a_wait() {
    check_polls((1_000_000, 0, 9990, 0), true);
    check_polls((100, 0, 9990, 0), true);
    check_polls((99, 0, 9990, 0), false);
    check_polls((10, 0, 9500, 9500), true);
    check_polls((10, 0, 9500, 400), false);
    check_polls((1_000_000, 0, 8000, 0), false);
    check_polls((1, 9900, 9990, 90), false);
}
