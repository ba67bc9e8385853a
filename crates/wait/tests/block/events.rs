//! Is an overstayer told of once, as an event that says who and of what, and outside of the lock?

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use unwedge_wait::{Block, Bound, Overstay};

use crate::after;

/// Keeps each event as a line, and looks at a block while it is told, as a program's log might.
#[derive(Clone, Default)]
struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    looks_at: Option<Block>,
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        if let Some(block) = &self.looks_at {
            let _ = block.holders(Instant::now());
        }
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.lines.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Log {
    fn of(block: &Block) -> Self {
        Self { lines: Arc::default(), looks_at: Some(block.clone()) }
    }

    /// How many events there were since last asked.
    fn count(&self) -> usize {
        std::mem::take(&mut *self.lines.lock().unwrap()).len()
    }
}

#[test]
fn an_event_says_who_overstays_of_what() {
    let (block, now) = (Block::new("renderer", Overstay::Name), Instant::now());
    let log = Log::of(&block);
    tracing::subscriber::with_default(log.clone(), || {
        let _hold = block.hold_at("client", Bound::from_millis(100), now);
        assert_eq!(block.enforce(after(now, 130)).len(), 1);
        // The last look is the release, at a time of the clock: it was said before.
    });
    let lines = log.lines.lock().unwrap().clone();
    assert_eq!(
        lines,
        [
            "WARN message=a holder overstays block=\"renderer\" holder=\"client\" held_for=130ms bound=100ms \
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
            let log = Log::of(&block);
            tracing::subscriber::with_default(log.clone(), || {
                let first = block.hold_at("client", Bound::ZERO, now);
                let second = block.hold_at("client", Bound::ZERO, now);
                assert_eq!(log.count(), 0, "{name}");
                look(&block, now);
                assert_eq!(log.count(), 2, "{name}");
                for (_, look) in looks {
                    look(&block, now);
                }
                drop((first, second));
                assert_eq!(log.count(), 0, "{name}");
            });
        }
    }
}

#[test]
fn a_release_that_nobody_looked_before_tells_of_itself() {
    let (block, now) = (Block::new("renderer", Overstay::Name), Instant::now());
    let log = Log::of(&block);
    tracing::subscriber::with_default(log.clone(), || {
        let hold = block.hold_at("client", Bound::from_millis(100), now);
        assert_eq!(hold.release_at(after(now, 99)), unwedge_wait::Released::Now);
        assert_eq!(log.count(), 0);
        let hold = block.hold_at("client", Bound::from_millis(100), now);
        assert_eq!(hold.release_at(after(now, 100)), unwedge_wait::Released::Now);
        assert_eq!(log.count(), 1);
    });
}
