//! How is a trace read in one go, and its events said a line each?
#![allow(clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use unwedge_readers::{Complaints, Reading, Sink, ftrace};
use unwedge_trace::{AgentId, Bound, Event, NEXT, ObjectId, Point, Timestamp, What};

macro_rules! samples {
    ($($name:literal),+ $(,)?) => {
        /// Every sample, by name.
        pub(crate) const SAMPLES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../samples/ftrace/", $name)))),+];
    };
}

samples!(
    "contention.txt",
    "fence_never_emitted.txt",
    "fence_never_signalled.txt",
    "fence_signalled.txt",
    "healthy.txt",
    "jobs_new.txt",
    "jobs_old.txt",
    "kernel_locks.txt",
    "lives.txt",
    "lost.txt",
    "old_page.html",
    "page.html",
    "pi_deadlock.txt",
    "pi_refused.txt",
    "starved.txt",
    "syscalls.txt",
    "trace_cmd.txt",
);

/// What was read of an input.
pub(crate) struct Read {
    pub(crate) events: Vec<Event>,
    pub(crate) complaints: Complaints,
    pub(crate) now: Timestamp,
}

/// Reads a whole input.
pub(crate) fn read(bytes: &[u8]) -> Read {
    let Ok(Reading::Lines(mut reader)) = (ftrace::FORMAT.open)(bytes) else {
        panic!("ftrace is read line by line");
    };
    let mut out = Sink::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        out.line += 1;
        reader.line(line, &mut out);
    }
    reader.finish(&mut out);
    let now = reader.now().unwrap_or_default();
    Read { events: out.events, complaints: out.complaints, now }
}

impl Read {
    /// Every event on a line, with names for numbers.
    pub(crate) fn told(&self) -> String {
        let mut names = Names::default();
        let mut text = String::new();
        for event in &self.events {
            names.learn(event);
            let (seconds, agent) = (event.at.0 as f64 / 1e9, names.agent(event.agent));
            let _ = writeln!(text, "{seconds:.6} {agent}: {}", names.say(&event.what));
        }
        for complaint in self.complaints.first() {
            let _ = writeln!(text, "{complaint}");
        }
        let _ = writeln!(text, "now {:.6}", self.now.0 as f64 / 1e9);
        text
    }
}

#[derive(Default)]
struct Names {
    agents: BTreeMap<AgentId, String>,
    objects: BTreeMap<ObjectId, String>,
}

impl Names {
    fn learn(&mut self, event: &Event) {
        match &event.what {
            What::Agent { name, tid, .. } => {
                let name = if *tid == 0 { name.clone() } else { format!("{name}-{tid}") };
                self.agents.insert(event.agent, name);
            }
            What::Object { object, kind, handle, .. } => {
                self.objects.insert(*object, format!("{kind:?} {handle:#x}"));
            }
            _ => {}
        }
    }

    fn agent(&self, id: AgentId) -> String {
        self.agents.get(&id).cloned().unwrap_or_else(|| format!("unknown agent {}", id.0))
    }

    fn object(&self, id: ObjectId) -> String {
        self.objects.get(&id).cloned().unwrap_or_else(|| format!("unknown object {}", id.0))
    }

    fn point(&self, point: Point) -> String {
        let value = if point.value == NEXT { "next".to_owned() } else { point.value.to_string() };
        format!("{} to reach {value}", self.object(point.object))
    }

    fn say(&self, what: &What) -> String {
        match what {
            What::Agent { kind, pid, .. } => format!("is a {kind:?} of process {pid}"),
            What::Object { object, label, shared, .. } => {
                let shared = if *shared { ", shared" } else { "" };
                format!("has {} {label:?}{shared}", self.object(*object))
            }
            What::WaitBegan { call, points, bound, .. } => {
                let points: Vec<_> = points.iter().map(|point| self.point(*point)).collect();
                let bound = match bound {
                    Bound::Ns(_) if *bound == ftrace::BOUND_UNKNOWN => " for some time".to_owned(),
                    Bound::Ns(ns) => format!(" for {ns} ns"),
                    Bound::Infinite | Bound::Polls(_) => String::new(),
                };
                format!("waits in {call} for [{}]{bound}", points.join(", "))
            }
            What::WaitEnded { outcome } => format!("wait ended: {outcome:?}"),
            What::Owed { point, via, .. } => {
                let via = via.map_or(String::new(), |via| format!(" via {}", self.agent(via)));
                format!("owes {}{via}", self.point(*point))
            }
            What::Signalled { point } => format!("signals {}", self.point(*point)),
            What::State { state, detail, cpu, priority } => {
                format!("{state:?} {detail:?} cpu {cpu:?} priority {priority:?}")
            }
            What::Mark { kind, text, objects } => {
                let objects: Vec<_> = objects.iter().map(|id| self.object(*id)).collect();
                format!("{kind:?} {text:?} about [{}]", objects.join(", "))
            }
            other => format!("{other:?}"),
        }
    }
}
