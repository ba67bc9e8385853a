//! Are blocks held, named and released as they say, by whoever, in whatever order?
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

#[cfg(feature = "tracing")]
mod events;
#[cfg(feature = "tracing")]
#[path = "../log/mod.rs"]
mod log;
mod model;
mod threads;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use unwedge_wait::{Block, Bound, Overstay, Released, Waited};

const POLICIES: [Overstay; 2] = [Overstay::Name, Overstay::Release];

/// So many milliseconds after `start`.
fn after(start: Instant, millis: u64) -> Instant {
    start + Duration::from_millis(millis)
}

fn names(holders: &[unwedge_wait::Holder]) -> Vec<&str> {
    holders.iter().map(|holder| &*holder.name).collect()
}

#[test]
fn it_is_held_until_the_last_of_its_holds_ends() {
    for policy in POLICIES {
        let (block, now) = (Block::new("renderer", policy), Instant::now());
        assert!(!block.is_held(now));
        let refresh = block.hold_at("refresh", Bound::from_secs(1), now);
        let copy = block.clone().hold_at("copy", Bound::from_secs(1), now);
        let same_name = block.hold_at(String::from("copy"), Bound::from_secs(1), now);
        assert_eq!(names(&block.holders(now)), ["refresh", "copy", "copy"]);
        drop(copy);
        assert_eq!(refresh.release_at(now), Released::Now);
        assert!(block.is_held(now) && same_name.is_held());
        assert_eq!(same_name.block().name(), "renderer");
        drop(same_name);
        assert!(!block.is_held(now));
    }
}

#[test]
fn a_holder_is_over_as_soon_as_its_bound_is_used_up() {
    let (block, now) = (Block::new("renderer", Overstay::Name), Instant::now());
    let _hold = block.hold_at("client", Bound::from_millis(100), now);
    assert!(block.overstayers(after(now, 99)).is_empty());
    assert_eq!(names(&block.overstayers(after(now, 100))), ["client"]);
    let holders = block.holders(after(now, 99));
    assert_eq!((holders[0].is_over(), holders[0].over_by()), (false, None));
    assert_eq!(holders[0].to_string(), "\"client\" has held it for 99ms of 100ms");
    let holders = block.holders(after(now, 130));
    assert_eq!(holders[0].over_by(), Some(Duration::from_millis(30)));
    assert_eq!(holders[0].to_string(), "\"client\" has held it for 130ms of 100ms, 30ms too long");
}

#[test]
fn a_bound_of_zero_is_over_at_once_and_a_clock_that_goes_back_is_no_overstay() {
    let (block, now) = (Block::new("renderer", Overstay::Release), Instant::now());
    let _hold = block.hold_at("client", Bound::ZERO, now);
    assert!(!block.is_held(now));
    let _hold = block.hold_at("client", Bound::from_millis(1), after(now, 1_000));
    assert!(block.is_held(now));
    assert_eq!(block.holders(now)[0].held_for, Duration::ZERO);
}

#[test]
fn an_overstayer_that_is_only_named_holds_on() {
    let (block, now) = (Block::new("renderer", Overstay::Name), Instant::now());
    let hold = block.hold_at("client", Bound::from_millis(100), now);
    for millis in [100, 200, 300] {
        assert_eq!(names(&block.enforce(after(now, millis))), ["client"]);
        assert!(block.is_held(after(now, millis)) && hold.is_held());
    }
    assert_eq!(hold.release_at(after(now, 400)), Released::Now);
}

#[test]
fn an_overstayer_is_released_when_the_owner_looks_and_not_before() {
    let (block, now) = (Block::new("renderer", Overstay::Release), Instant::now());
    let client = block.hold_at("client", Bound::from_millis(100), now);
    let copy = block.hold_at("copy", Bound::from_millis(300), now);
    // To look at the overstayers is not to release them.
    assert_eq!(names(&block.overstayers(after(now, 200))), ["client"]);
    assert_eq!(names(&block.holders(after(now, 200))), ["client", "copy"]);
    assert_eq!(names(&block.enforce(after(now, 200))), ["client"]);
    assert!(!client.is_held() && copy.is_held());
    assert!(block.enforce(after(now, 200)).is_empty());
    assert!(block.is_held(after(now, 200)));
    assert!(!block.is_held(after(now, 300)));
    assert_eq!(client.release(), Released::Already);
    assert_eq!(copy.release(), Released::Already);
}

/// The release of somebody who was released by force must not count for who holds it now.
#[test]
fn a_late_release_ends_nobody_elses_hold() {
    let (block, now) = (Block::new("renderer", Overstay::Release), Instant::now());
    for late_release in [true, false] {
        let late = block.hold_at("client", Bound::ZERO, now);
        assert!(!block.is_held(now));
        let next = block.hold_at("client", Bound::from_secs(1), now);
        if late_release {
            assert_eq!(late.release_at(now), Released::Already);
        } else {
            drop(late);
        }
        assert!(next.is_held() && block.is_held(now));
    }
    assert!(!block.is_held(now));
}

#[test]
fn a_holder_that_panics_releases() {
    let (block, now) = (Block::new("renderer", Overstay::Name), Instant::now());
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let _hold = block.hold_at("copy", Bound::from_secs(1), now);
        assert!(block.is_held(now));
        // Unlike `panic!`, this prints nothing.
        resume_unwind(Box::new("the copy failed"));
    }));
    assert!(outcome.is_err());
    assert!(!block.is_held(now));
}

#[test]
fn a_leaked_hold_is_what_the_bound_is_for() {
    for policy in POLICIES {
        let (block, now) = (Block::new("renderer", policy), Instant::now());
        std::mem::forget(block.hold_at("client", Bound::from_millis(5), now));
        assert!(block.is_held(now));
        assert_eq!(names(&block.enforce(after(now, 5))), ["client"]);
        assert_eq!(block.is_held(after(now, 5)), policy == Overstay::Name);
    }
}

#[test]
fn a_wait_for_a_free_block_returns_at_once_and_a_zero_bound_only_looks() {
    for policy in POLICIES {
        let block = Block::new("renderer", policy);
        assert_eq!(block.wait_free(Bound::MAX), Waited::Reached);
        assert_eq!(block.wait_free(Bound::ZERO), Waited::Reached);
        let hold = block.hold("client", Bound::MAX);
        assert_eq!(block.wait_free(Bound::ZERO), Waited::TimedOut);
        assert_eq!(block.wait_free(Bound::from_millis(1)), Waited::TimedOut);
        drop(hold);
        let _over_at_once = block.hold("client", Bound::ZERO);
        let expected = if policy == Overstay::Release { Waited::Reached } else { Waited::TimedOut };
        assert_eq!(block.wait_free(Bound::ZERO), expected);
    }
}

#[test]
fn it_can_be_printed_with_its_holders() {
    let block = Block::new("renderer", Overstay::Release);
    let hold = block.hold("client", Bound::MAX);
    let printed = format!("{block:?} {hold:?}");
    for part in ["renderer", "Release", "client", "Hold"] {
        assert!(printed.contains(part), "{printed}");
    }
}

#[test]
fn it_may_be_used_by_any_thread() {
    fn any_thread<T: Send + Sync + 'static>() {}
    any_thread::<Block>();
    any_thread::<unwedge_wait::Hold>();
}
