//! Does a block hold together when threads use it at once, and does whoever waits for it wake up in time?

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use unwedge_wait::{Block, Bound, Overstay, Released, Waited};

use crate::model::Random;

/// Long enough for whatever should happen, on a busy machine.
const SOON: Bound = Bound::from_secs(30);

/// What is not to be waited for to the end.
const LONG: Bound = Bound::from_secs(600);

const THREADS: u64 = 4;
const HOLDS: usize = 3_000;

/// Whatever the threads do, a hold ends once: by its release, or by force, and then its release says so.
#[test]
fn every_hold_ends_once() {
    let block = Block::new("block", Overstay::Release);
    let (released, already, forced) =
        (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let working = AtomicUsize::new(usize::try_from(THREADS).unwrap());
    thread::scope(|scope| {
        for seed in 0..THREADS {
            let (block, released, already, working) =
                (block.clone(), &released, &already, &working);
            scope.spawn(move || {
                let mut random = Random(seed);
                for _ in 0..HOLDS {
                    let hold = block.hold("worker", Bound::from_nanos(random.below(4_000)));
                    if random.below(2) == 0 {
                        thread::yield_now();
                    }
                    match hold.release() {
                        Released::Now => released.fetch_add(1, SeqCst),
                        Released::Already => already.fetch_add(1, SeqCst),
                    };
                }
                working.fetch_sub(1, SeqCst);
            });
        }
        let (block, forced, working) = (&block, &forced, &working);
        scope.spawn(move || {
            while working.load(SeqCst) > 0 {
                forced.fetch_add(block.enforce(Instant::now()).len(), SeqCst);
                // Time is no matter here, so what is over may lie in the future.
                let later = Instant::now() + Duration::from_micros(2);
                forced.fetch_add(block.enforce(later).len(), SeqCst);
            }
        });
    });
    let (released, already, forced) =
        (released.into_inner(), already.into_inner(), forced.into_inner());
    println!("{released} released, {already} were already, {forced} by force");
    assert_eq!(already, forced);
    assert_eq!(released + already, HOLDS * usize::try_from(THREADS).unwrap());
    assert!(!block.is_held(Instant::now()));
}

#[test]
fn who_waits_is_woken_by_the_last_release() {
    for policy in [Overstay::Name, Overstay::Release] {
        let block = Block::new("block", policy);
        let holds = [block.hold("first", LONG), block.hold("second", LONG)];
        let waiters = [start_waiting(&block), start_waiting(&block)];
        for hold in holds {
            thread::sleep(Duration::from_millis(5));
            drop(hold);
        }
        for waiter in waiters {
            assert_eq!(waiter.recv_timeout(SOON.as_duration()), Ok(Waited::Reached));
        }
    }
}

#[test]
fn who_waits_wakes_up_for_the_deadline_of_a_holder_that_is_to_be_released() {
    let block = Block::new("block", Overstay::Release);
    std::mem::forget(block.hold("client", Bound::from_millis(20)));
    let began = Instant::now();
    let waiter = start_waiting(&block);
    assert_eq!(waiter.recv_timeout(SOON.as_duration()), Ok(Waited::Reached));
    assert!(began.elapsed() >= Duration::from_millis(19), "it was released too early");
}

/// The deadline that counts is of a hold that began while somebody was already waiting.
#[test]
fn who_waits_learns_of_a_deadline_that_came_after() {
    let block = Block::new("block", Overstay::Release);
    let first = block.hold("first", LONG);
    let waiter = start_waiting(&block);
    thread::sleep(Duration::from_millis(5));
    std::mem::forget(block.hold("client", Bound::from_millis(20)));
    drop(first);
    assert_eq!(waiter.recv_timeout(SOON.as_duration()), Ok(Waited::Reached));
}

#[test]
fn a_holder_that_is_only_named_is_waited_for_until_the_bound() {
    let block = Block::new("block", Overstay::Name);
    let _hold = block.hold("client", Bound::from_millis(2));
    let bound = Bound::from_millis(30);
    let began = Instant::now();
    assert_eq!(block.wait_free(bound), Waited::TimedOut);
    assert!(began.elapsed() >= bound.as_duration());
}

/// Wake-ups that are none of the waiter's business do not make its bound longer, nor end it early.
#[test]
fn interruptions_neither_lengthen_nor_shorten_a_wait() {
    let block = Block::new("block", Overstay::Name);
    let _hold = block.hold("client", LONG);
    let bound = Bound::from_millis(60);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(SeqCst) {
                // Each new hold wakes those who wait.
                drop(block.hold("other", LONG));
                thread::sleep(Duration::from_micros(200));
            }
        });
        let began = Instant::now();
        let waited = block.wait_free(bound);
        let took = began.elapsed();
        done.store(true, SeqCst);
        assert_eq!(waited, Waited::TimedOut);
        assert!(took >= bound.as_duration() && took < SOON.as_duration(), "{took:?}");
    });
}

#[test]
fn a_thread_that_ends_by_a_panic_releases() {
    let block = Block::new("block", Overstay::Name);
    let (sender, held) = mpsc::channel();
    let holder = block.clone();
    thread::spawn(move || {
        let _hold = holder.hold("worker", LONG);
        sender.send(holder.is_held(Instant::now())).unwrap();
        // Unlike `panic!`, this prints nothing.
        std::panic::resume_unwind(Box::new("the worker failed"));
    });
    assert_eq!(held.recv_timeout(SOON.as_duration()), Ok(true));
    assert_eq!(block.wait_free(SOON), Waited::Reached);
}

/// Waits for the block in a thread of its own; the outcome comes through the channel.
fn start_waiting(block: &Block) -> mpsc::Receiver<Waited> {
    let (sender, receiver) = mpsc::channel();
    let block = block.clone();
    thread::spawn(move || sender.send(block.wait_free(LONG)));
    receiver
}
