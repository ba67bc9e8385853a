//! Is an overstayer told of once, as an event that says who and of what, and outside of the lock?

use std::time::Instant;

use unwedge_wait::{Block, Bound, Overstay};

use crate::after;
use crate::log::Log;

/// A log that looks at the block while it is told of it.
fn log(block: &Block) -> Log {
    let block = block.clone();
    Log::meanwhile(move || _ = block.holders(Instant::now()))
}

#[test]
fn an_event_says_who_overstays_of_what() {
    let (block, now) = (Block::new("renderer", Overstay::Name), Instant::now());
    let log = log(&block);
    tracing::subscriber::with_default(log.clone(), || {
        let _hold = block.hold_at("client", Bound::from_millis(100), now);
        assert_eq!(block.enforce(after(now, 130)).len(), 1);
        // The last look is the release, at a time of the clock: it was said before.
    });
    assert_eq!(
        log.take(),
        [
            "WARN a holder overstays block=\"renderer\" holder=\"client\" held_for=130ms bound=100ms \
              overstay=Name"
        ]
    );
}

#[test]
fn each_hold_is_told_of_once_by_whoever_looks_first() {
    type Look = fn(&Block, Instant);
    let looks: [(&str, Look); 4] = [
        ("overstayers", |block, now| _ = block.overstayers(now)),
        ("enforce", |block, now| _ = block.enforce(now)),
        ("is_held", |block, now| _ = block.is_held(now)),
        ("wait_free", |block, _| _ = block.wait_free(Bound::ZERO)),
    ];
    for policy in crate::POLICIES {
        for (name, look) in looks {
            let (block, now) = (Block::new("renderer", policy), Instant::now());
            let log = log(&block);
            tracing::subscriber::with_default(log.clone(), || {
                let first = block.hold_at("client", Bound::ZERO, now);
                let second = block.hold_at("client", Bound::ZERO, now);
                assert_eq!(log.take().len(), 0, "{name}");
                look(&block, now);
                assert_eq!(log.take().len(), 2, "{name}");
                for (_, look) in looks {
                    look(&block, now);
                }
                drop((first, second));
                assert_eq!(log.take().len(), 0, "{name}");
            });
        }
    }
}

#[test]
fn a_release_that_nobody_looked_before_tells_of_itself() {
    let (block, now) = (Block::new("renderer", Overstay::Name), Instant::now());
    let log = log(&block);
    tracing::subscriber::with_default(log.clone(), || {
        let hold = block.hold_at("client", Bound::from_millis(100), now);
        assert_eq!(hold.release_at(after(now, 99)), unwedge_wait::Released::Now);
        assert_eq!(log.take().len(), 0);
        let hold = block.hold_at("client", Bound::from_millis(100), now);
        assert_eq!(hold.release_at(after(now, 100)), unwedge_wait::Released::Now);
        assert_eq!(log.take().len(), 1);
    });
}
