//! Anything that may be in a recording, in any order.
#![allow(dead_code, reason = "each suite uses its part")]
#![allow(unreachable_pub, reason = "a module that the suites share")]

use unwedge_trace::{
    AgentId, AgentKind, AgentState, Bound, Event, MarkKind, Mode, ObjectId, ObjectKind, Outcome,
    Point, Recording, Timestamp, What,
};

/// Marsaglia's xorshift64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    fn agent(&mut self) -> AgentId {
        AgentId(if self.below(40) == 0 { u32::MAX } else { self.below(7) as u32 })
    }

    fn object(&mut self) -> ObjectId {
        ObjectId(if self.below(40) == 0 { u32::MAX } else { self.below(9) as u32 })
    }

    fn point(&mut self) -> Point {
        let value = if self.below(30) == 0 { u64::MAX } else { self.below(5) };
        Point { object: self.object(), value }
    }

    fn text(&mut self) -> String {
        self.one_of(&[
            "",
            "batch 3",
            "a\u{7}b\"",
            "joins thread 1",
            "no breadcrumbs",
            "DEVICE_LOST",
            "ring status: fatal",
            "ring notify",
        ])
        .to_owned()
    }

    fn what(&mut self) -> What {
        match self.below(16) {
            0 => What::Agent {
                kind: self.one_of(&AGENT_KINDS),
                name: self.text(),
                pid: 1,
                tid: self.below(3) as u32,
            },
            1 => What::Object {
                object: self.object(),
                kind: self.one_of(&OBJECT_KINDS),
                handle: self.below(3),
                label: self.text(),
                shared: self.below(6) == 0,
            },
            2..=5 => What::WaitBegan {
                call: self.text(),
                points: (0..self.below(4)).map(|_| self.point()).collect(),
                mode: self.one_of(&[Mode::All, Mode::Any]),
                bound: self.one_of(&[Bound::Infinite, Bound::Ns(5), Bound::Polls(9)]),
            },
            6 => What::WaitEnded {
                outcome: self.one_of(&[Outcome::Reached, Outcome::TimedOut, Outcome::Failed]),
            },
            7..=9 => What::Owed {
                point: self.point(),
                after: (self.below(2) == 0).then(|| self.point()),
                via: (self.below(2) == 0).then(|| self.agent()),
            },
            10 => What::Signalled { point: self.point() },
            11 => What::Reset { object: self.object() },
            12 => What::State {
                state: self.one_of(&STATES),
                detail: self.text(),
                cpu: None,
                priority: None,
            },
            13 => What::Mark {
                kind: self.one_of(&MARKS),
                text: self.text(),
                objects: (0..self.below(3)).map(|_| self.object()).collect(),
            },
            14 if self.below(4) == 0 => What::Lost { count: u64::MAX },
            14 => What::Progress { what: self.text() },
            _ if self.below(2) == 0 => {
                What::Aliased { object: self.object(), same_as: self.object() }
            }
            _ => What::Coverage {
                kind: self.one_of(&OBJECT_KINDS),
                reached: self.next(),
                explained: self.next(),
            },
        }
    }

    /// A world of a few well-formed introductions and then anything.
    pub fn recording(&mut self) -> Recording {
        let mut events = Vec::new();
        for id in 0..self.below(7) {
            let kind = self.one_of(&AGENT_KINDS);
            let what = What::Agent { kind, name: String::new(), pid: 1, tid: id as u32 };
            events.push(Event::new(Timestamp(0), AgentId(id as u32), what));
        }
        for id in 0..self.below(9) {
            let kind = self.one_of(&OBJECT_KINDS);
            let object = ObjectId(id as u32);
            let what =
                What::Object { object, kind, handle: id, label: String::new(), shared: false };
            events.push(Event::new(Timestamp(0), AgentId(0), what));
        }
        for _ in 0..self.below(40) {
            let at = Timestamp(self.below(30) * 500_000_000);
            events.push(Event::new(at, self.agent(), self.what()));
        }
        Recording::new("chance", Timestamp(10_000_000_000), events)
    }
}

const AGENT_KINDS: [AgentKind; 7] = [
    AgentKind::HostThread,
    AgentKind::GpuQueue,
    AgentKind::PresentationEngine,
    AgentKind::GuestThread,
    AgentKind::KernelThread,
    AgentKind::RingHost,
    AgentKind::Outside,
];

/// Queues twice: of all things, they have the most to be told.
const OBJECT_KINDS: [ObjectKind; 18] = [
    ObjectKind::Fence,
    ObjectKind::BinarySemaphore,
    ObjectKind::TimelineSemaphore,
    ObjectKind::Event,
    ObjectKind::AutoResetEvent,
    ObjectKind::CountingSemaphore,
    ObjectKind::Channel,
    ObjectKind::Condition,
    ObjectKind::Block,
    ObjectKind::Timer,
    ObjectKind::Query,
    ObjectKind::Swapchain,
    ObjectKind::Queue,
    ObjectKind::Queue,
    ObjectKind::Mutex,
    ObjectKind::Futex,
    ObjectKind::Ring,
    ObjectKind::Other,
];

const STATES: [AgentState; 5] = [
    AgentState::Running,
    AgentState::Ready,
    AgentState::Blocked,
    AgentState::Exited,
    AgentState::Unknown,
];

const MARKS: [MarkKind; 5] = [
    MarkKind::Log,
    MarkKind::FailedCall,
    MarkKind::Injected,
    MarkKind::Unobserved,
    MarkKind::Warning,
];
