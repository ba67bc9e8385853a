//! Named threads, and sleeping.
use std::thread;
use std::time::Duration;

use crate::{Outcome, Stop};

/// One thread: its name and what it does.
pub(crate) type Role<'a> = (&'a str, &'a (dyn Fn() -> Outcome + Sync));

/// Runs every role on a thread of its own, and ends when all have ended: with the first failure, if any.
pub(crate) fn together(roles: &[Role]) -> Outcome {
    thread::scope(|scope| {
        let mut started = Vec::new();
        for &(name, run) in roles {
            started.push(thread::Builder::new().name(name.into()).spawn_scoped(scope, run)?);
        }
        let ends = started
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(Stop::failed("a thread panicked"))));
        // Joins them all before it looks for a failure.
        ends.collect::<Vec<Outcome>>().into_iter().collect()
    })
}

pub(crate) fn sleep_ms(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}
