//! What is one exploration? One explorer on one protocol of one size, in a process of its own, which says what it did.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stateright::{Checker as _, Model as _};
use unwedge_sim::explore::{Answer, Limits, explore};

use super::commit::Commit;
use super::protocol::{Ours, Protocol, Theirs};
use super::table::Table;

/// Explorations end within seconds.
pub(crate) const LIMIT: Duration = Duration::from_secs(300);
/// More than any of them needs.
const BYTES_MAX: u64 = 16 << 30;

/// Which explorer, with how many threads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Unwedge,
    UnwedgeAlone,
    Stateright,
}

pub(crate) const WAYS: [Way; 3] = [Way::Stateright, Way::Unwedge, Way::UnwedgeAlone];

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unwedge => "unwedge",
            Self::UnwedgeAlone => "unwedge, 1 thread",
            Self::Stateright => "stateright",
        }
    }

    /// As the command line has it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Unwedge => "unwedge",
            Self::UnwedgeAlone => "unwedge-alone",
            Self::Stateright => "stateright",
        }
    }

    fn threads(self) -> usize {
        if self == Self::UnwedgeAlone { 1 } else { 2 }
    }
}

/// Which protocol.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Commit,
    Table,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Table => "table",
        }
    }

    /// The protocol of a size, for a reader.
    pub(crate) fn said(self, size: u8) -> String {
        match self {
            Self::Commit => format!("two-phase commit, {size} managers"),
            Self::Table => format!("{size} philosophers"),
        }
    }
}

/// Explores once and prints what came of it, for the process that measures.
pub(crate) fn once(given: &[String]) -> Result<(), String> {
    let [way, kind, size] = given else { return Err("--once needs a way, a kind, a size".into()) };
    let way = WAYS.into_iter().find(|known| known.word() == way).ok_or("no such way")?;
    let size: u8 = size.parse().map_err(|_| format!("{size} is no size"))?;
    let said = match kind.as_str() {
        "commit" => run(way, Commit { managers: size }),
        "table" => run(way, Table { philosophers: size }),
        _ => Err(format!("there is no protocol {kind}")),
    }?;
    println!("{said}");
    Ok(())
}

fn run<P: Protocol>(way: Way, protocol: P) -> Result<Value, String> {
    match way {
        Way::Stateright => theirs(protocol, way.threads()),
        Way::Unwedge | Way::UnwedgeAlone => ours(protocol, way.threads()),
    }
}

fn ours<P: Protocol>(protocol: P, threads: usize) -> Result<Value, String> {
    let limits = Limits { threads, bytes_max: BYTES_MAX, ..Limits::default() };
    let begin = Instant::now();
    let explored = explore(&Ours(protocol), &limits, &mut |_| ControlFlow::Continue(()));
    let took = begin.elapsed();
    if !matches!(explored.answer, Answer::NoWedge) {
        return Err("these protocols do not wedge".to_owned());
    }
    let counts = explored.counts;
    Ok(said(counts.states, counts.transitions, took, Some(counts.bytes)))
}

fn theirs<P: Protocol>(protocol: P, threads: usize) -> Result<Value, String> {
    let begin = Instant::now();
    let checker = Theirs(protocol).checker().threads(threads).spawn_bfs();
    while !checker.is_done() {
        if begin.elapsed() > LIMIT {
            return Err("it did not end in time".to_owned());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let took = begin.elapsed();
    // It counts initial states among what it generates.
    let transitions = checker.state_count() as u64 - 1;
    Ok(said(checker.unique_state_count() as u64, transitions, took, None))
}

fn said(states: u64, transitions: u64, took: Duration, bytes: Option<u64>) -> Value {
    json!({
        "states": states,
        "transitions": transitions,
        "seconds": took.as_secs_f64(),
        "bytes": bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_explorers_see_the_same_states() {
        for (kind, size) in [(Kind::Commit, 3), (Kind::Table, 4)] {
            let seen = WAYS.map(|way| {
                let seen = match kind {
                    Kind::Commit => run(way, Commit { managers: size }),
                    Kind::Table => run(way, Table { philosophers: size }),
                };
                let seen = seen.unwrap();
                (seen["states"].clone(), seen["transitions"].clone())
            });
            assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
            assert!(seen[0].0.as_u64() > Some(80));
        }
    }
}
