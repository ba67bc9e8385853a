//! Which track does an agent have, and how does a packet get onto it?

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use prost::Message as _;
use unwedge_trace::{AgentId, AgentKind, Timestamp};

use super::super::words;
use super::proto::{
    Annotation, EventName, InternedData, ThreadDescriptor, Trace, TracePacket, TrackDescriptor,
    TrackEvent, Type,
};

/// The one sequence that all packets are of.
const SEQUENCE: u32 = 1;
/// Names that are written once; others stand in each of their events.
const NAMES_MAX: usize = 1 << 16;
/// The packets' flags.
const STATE_CLEARED: u32 = 1;
const STATE_NEEDED: u32 = 2;

/// The output, and what it knows already.
pub(super) struct Tracks<W: Write> {
    out: W,
    buffer: Vec<u8>,
    begun: bool,
    names: HashMap<String, u64>,
    described: HashSet<u64>,
    /// Threads that have a track: a second agent with the same numbers gets one by name.
    threads: HashSet<(u32, u32)>,
}

impl<W: Write> Tracks<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            buffer: Vec::new(),
            begun: false,
            names: HashMap::new(),
            described: HashSet::new(),
            threads: HashSet::new(),
        }
    }

    /// Makes the track of an agent: of a thread where it has a process and a thread's number, else one with its name.
    pub(super) fn introduce(
        &mut self,
        agent: AgentId,
        kind: AgentKind,
        name: &str,
        pid: u32,
        tid: u32,
    ) -> io::Result<()> {
        let known = |number: u32| i32::try_from(number).ok().filter(|number| *number > 0);
        let is_thread = matches!(kind, AgentKind::HostThread | AgentKind::KernelThread);
        let thread = known(pid).zip(known(tid)).filter(|_| is_thread);
        let thread = thread.filter(|_| self.threads.insert((pid, tid)));
        let words = words::agent_kind(kind);
        let descriptor = match thread {
            Some((pid, tid)) => TrackDescriptor {
                thread: Some(ThreadDescriptor {
                    pid: Some(pid),
                    tid: Some(tid),
                    thread_name: Some(name.to_owned()).filter(|name| !name.is_empty()),
                }),
                ..TrackDescriptor::default()
            },
            None => TrackDescriptor {
                name: Some(match (tid, name) {
                    (0, "") => format!("{words} {}", agent.0),
                    (0, name) => format!("{words} {name:?}"),
                    (tid, "") => format!("{words} {tid}"),
                    (tid, name) => format!("{words} {tid} {name:?}"),
                }),
                ..TrackDescriptor::default()
            },
        };
        self.describe(track(agent), descriptor)
    }

    /// A slice from one moment to another; arrows arrive at its end.
    pub(super) fn slice(
        &mut self,
        agent: AgentId,
        (from, to): (Timestamp, Timestamp),
        name: &str,
        category: &str,
        arrows: Vec<u64>,
        annotations: &[Annotation],
    ) -> io::Result<()> {
        self.event(agent, from, name, category, TrackEvent::new(Type::SliceBegin))?;
        let end = TrackEvent {
            track_uuid: Some(track(agent)),
            terminating_flow_ids: arrows,
            debug_annotations: annotations.to_vec(),
            ..TrackEvent::new(Type::SliceEnd)
        };
        // Time may go backwards in a recording; a slice must not.
        self.packet(to.max(from), end, None)
    }

    /// A state of an agent, on a track below its own.
    pub(super) fn state(
        &mut self,
        agent: AgentId,
        (from, to): (Timestamp, Timestamp),
        name: &str,
    ) -> io::Result<()> {
        self.ensure(agent)?;
        let uuid = state_track(agent);
        if !self.described.contains(&uuid) {
            let (name, parent_uuid) = (Some("state".to_owned()), Some(track(agent)));
            self.describe(
                uuid,
                TrackDescriptor { name, parent_uuid, ..TrackDescriptor::default() },
            )?;
        }
        let event = |r#type| TrackEvent { track_uuid: Some(uuid), ..TrackEvent::new(r#type) };
        let begin = TrackEvent { categories: vec!["state".to_owned()], ..event(Type::SliceBegin) };
        self.packet(from, begin, Some(name))?;
        self.packet(to.max(from), event(Type::SliceEnd), None)
    }

    /// Puts an event onto the track of an agent.
    pub(super) fn event(
        &mut self,
        agent: AgentId,
        at: Timestamp,
        name: &str,
        category: &str,
        event: TrackEvent,
    ) -> io::Result<()> {
        self.ensure(agent)?;
        let (track_uuid, categories) = (Some(track(agent)), vec![category.to_owned()]);
        self.packet(at, TrackEvent { track_uuid, categories, ..event }, Some(name))
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// An agent that was not introduced is one of which nothing is known.
    fn ensure(&mut self, agent: AgentId) -> io::Result<()> {
        if self.described.contains(&track(agent)) {
            return Ok(());
        }
        let name = Some(format!("agent {} (unknown)", agent.0));
        self.describe(track(agent), TrackDescriptor { name, ..TrackDescriptor::default() })
    }

    fn describe(&mut self, uuid: u64, descriptor: TrackDescriptor) -> io::Result<()> {
        self.described.insert(uuid);
        let track_descriptor = Some(TrackDescriptor { uuid: Some(uuid), ..descriptor });
        self.write(TracePacket { track_descriptor, ..TracePacket::default() })
    }

    fn packet(
        &mut self,
        at: Timestamp,
        mut event: TrackEvent,
        name: Option<&str>,
    ) -> io::Result<()> {
        let mut interned_data = None;
        if let Some(name) = name {
            let next = self.names.len() as u64 + 1;
            if let Some(iid) = self.names.get(name) {
                event.name_iid = Some(*iid);
            } else if self.names.len() < NAMES_MAX {
                self.names.insert(name.to_owned(), next);
                event.name_iid = Some(next);
                let event_names = vec![EventName { iid: Some(next), name: Some(name.to_owned()) }];
                interned_data = Some(InternedData { event_names });
            } else {
                event.name = Some(name.to_owned());
            }
        }
        let track_event = Some(event);
        self.write(TracePacket {
            timestamp: Some(at.0),
            track_event,
            interned_data,
            ..TracePacket::default()
        })
    }

    fn write(&mut self, packet: TracePacket) -> io::Result<()> {
        let first = !std::mem::replace(&mut self.begun, true);
        let packet = TracePacket {
            trusted_packet_sequence_id: Some(SEQUENCE),
            sequence_flags: Some(if first { STATE_CLEARED } else { STATE_NEEDED }),
            ..packet
        };
        self.buffer.clear();
        Trace { packet: vec![packet] }.encode(&mut self.buffer).map_err(io::Error::other)?;
        self.out.write_all(&self.buffer)
    }
}

/// The number of an agent's track; 0 is nobody's.
fn track(agent: AgentId) -> u64 {
    u64::from(agent.0) + 1
}

/// The number of the track of its states.
fn state_track(agent: AgentId) -> u64 {
    track(agent) | 1 << 40
}
