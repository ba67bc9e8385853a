//! How is an event a row of fixed size? For recordings too large to keep as events.
//!
//! A [`Batch`] is a stretch of a recording: rows, and the tables that their numbers point into. Rows name
//! agents, objects and texts by their place in the batch's own tables, so that stretches can be read by
//! several threads at once; what is one thing in several batches has the same [`Key`] in each.
//!
//! An event that has several points, or a mark on several objects, is several rows: the first, and a
//! [`Op::MorePoint`] or [`Op::MoreObject`] for each further one, directly behind it.

use std::collections::HashMap;

use crate::event::{
    AgentId, AgentKind, AgentState, Bound, Event, MarkKind, Mode, ObjectId, ObjectKind, Outcome,
    Point, Timestamp, What,
};

/// No agent, object or text.
pub const NONE: u32 = u32::MAX;

/// What a source calls a thing. Equal keys are one thing throughout a recording.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "jsonl", derive(serde::Serialize, serde::Deserialize))]
pub enum Key {
    /// A number: an id of a recording, a thread id, a handle.
    Number(u64),
    /// A text.
    Text(Box<str>),
}

/// What a row tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Op {
    /// `name`: the call; first point in `object` and `value`; `code`: [`wait_code`]; `amount`: the bound's number.
    WaitBegan = 1,
    /// One more point of the wait before: `object`, `value`.
    MorePoint = 2,
    /// `code`: the outcome.
    WaitEnded = 3,
    /// The point in `object` and `value`; after it `object2` and `value2`; via `agent2`.
    Owed = 4,
    /// The point in `object` and `value`.
    Signalled = 5,
    /// `object`.
    Reset = 6,
    /// `object` is `object2`.
    Aliased = 7,
    /// `code`: the state; `name`: the detail; `amount`: processor plus one, `value`: [`priority_value`].
    State = 8,
    /// `name`: what.
    Progress = 9,
    /// `code`: the kind; `name`: the text; `object`: the first object.
    #[default]
    Mark = 10,
    /// One more object of the mark before: `object`; `code` as there.
    MoreObject = 11,
    /// `amount`: how many.
    Lost = 12,
    /// `code`: the kind of object; `amount`: reached; `value`: explained.
    Coverage = 13,
}

impl Op {
    /// Every op, in the order of its number.
    pub const ALL: [Self; 13] = [
        Self::WaitBegan,
        Self::MorePoint,
        Self::WaitEnded,
        Self::Owed,
        Self::Signalled,
        Self::Reset,
        Self::Aliased,
        Self::State,
        Self::Progress,
        Self::Mark,
        Self::MoreObject,
        Self::Lost,
        Self::Coverage,
    ];

    /// The op with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }
}

/// One event, or a part of one. Numbers point into the tables of its [`Batch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    /// When, in nanoseconds on the recording's clock.
    pub at: u64,
    /// A point's value; see [`Op`].
    pub value: u64,
    /// See [`Op`].
    pub amount: u64,
    /// The other point's value.
    pub value2: u64,
    /// By whom: a place in [`Batch::agents`].
    pub agent: u32,
    /// A place in [`Batch::objects`], or [`NONE`].
    pub object: u32,
    /// A place in [`Batch::objects`], or [`NONE`].
    pub object2: u32,
    /// A place in [`Batch::agents`], or [`NONE`].
    pub agent2: u32,
    /// A place in [`Batch::names`], or [`NONE`].
    pub name: u32,
    /// What the row tells.
    pub op: Op,
    /// A small choice; see [`Op`].
    pub code: u8,
}

impl Row {
    /// A row of `agent` at `at` that names nothing yet.
    #[must_use]
    pub fn new(at: u64, agent: u32, op: Op) -> Self {
        Self {
            at,
            value: 0,
            amount: 0,
            value2: 0,
            agent,
            object: NONE,
            object2: NONE,
            agent2: NONE,
            name: NONE,
            op,
            code: 0,
        }
    }
}

/// The code of a wait: bits 0 and 1 the sort of bound (0 infinite, 1 nanoseconds, 2 polls), bit 2 "any one of the points",
/// bit 3 [`ENDS_WITH_NEXT_EVENT`].
#[must_use]
pub fn wait_code(bound: Bound, mode: Mode) -> u8 {
    let bound = match bound {
        Bound::Infinite => 0,
        Bound::Ns(_) => 1,
        Bound::Polls(_) => 2,
    };
    bound | u8::from(mode == Mode::Any) << 2
}

/// In a wait's code: the source records no end; the agent's next event of whatever kind shows that the wait was reached.
pub const ENDS_WITH_NEXT_EVENT: u8 = 1 << 3;

/// The bound and the mode of a wait from its code and amount.
#[must_use]
pub fn wait_from_code(code: u8, amount: u64) -> (Bound, Mode) {
    let bound = match code & 3 {
        1 => Bound::Ns(amount),
        2 => Bound::Polls(amount),
        _ => Bound::Infinite,
    };
    (bound, if code & 4 == 0 { Mode::All } else { Mode::Any })
}

/// A bound's number: nanoseconds, polls, or 0.
#[must_use]
pub fn bound_amount(bound: Bound) -> u64 {
    match bound {
        Bound::Infinite => 0,
        Bound::Ns(amount) | Bound::Polls(amount) => amount,
    }
}

/// A priority as a row holds it: 0 for none, else zigzag plus one.
#[must_use]
pub fn priority_value(priority: Option<i32>) -> u64 {
    priority
        .map_or(0, |priority| u64::from(((priority << 1) ^ (priority >> 31)).cast_unsigned()) + 1)
}

/// The other way round.
#[must_use]
pub fn priority_from_value(value: u64) -> Option<i32> {
    let zigzag = u32::try_from(value.checked_sub(1)?).ok()?;
    Some((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
}

/// An agent of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "jsonl", derive(serde::Serialize, serde::Deserialize))]
pub struct AgentEntry {
    /// What the source calls it.
    pub key: Key,
    /// Whether the source says what it is; if not, the rest is what is assumed.
    pub introduced: bool,
    /// What it is.
    pub kind: AgentKind,
    /// Its name. May be empty.
    pub name: Box<str>,
    /// Process id, 0 if none.
    pub pid: u32,
    /// Thread id, 0 if none.
    pub tid: u32,
}

impl AgentEntry {
    /// Takes in an introduction.
    pub fn introduce(&mut self, kind: AgentKind, name: &str, pid: u32, tid: u32) {
        let key = self.key.clone();
        self.describe(&Self { key, introduced: true, kind, name: name.into(), pid, tid });
    }

    /// Takes in what is said of it later: what that leaves open stays as it was.
    pub fn describe(&mut self, later: &Self) {
        if later.introduced {
            (self.introduced, self.kind) = (true, later.kind);
        }
        if later.pid != 0 {
            self.pid = later.pid;
        }
        if later.tid != 0 {
            self.tid = later.tid;
        }
        if !later.name.is_empty() && self.name != later.name {
            self.name.clone_from(&later.name);
        }
    }

    /// One of which nothing is known yet.
    #[must_use]
    pub fn unknown(key: Key) -> Self {
        let kind = AgentKind::Outside;
        Self { key, introduced: false, kind, name: "".into(), pid: 0, tid: 0 }
    }
}

/// An object of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "jsonl", derive(serde::Serialize, serde::Deserialize))]
pub struct ObjectEntry {
    /// What the source calls it.
    pub key: Key,
    /// Whether the source says what it is.
    pub introduced: bool,
    /// What it is.
    pub kind: ObjectKind,
    /// Its handle.
    pub handle: u64,
    /// Its debug name. May be empty.
    pub label: Box<str>,
    /// It came from, or went to, outside.
    pub shared: bool,
}

impl ObjectEntry {
    /// Takes in an introduction.
    pub fn introduce(&mut self, kind: ObjectKind, handle: u64, label: &str, shared: bool) {
        let key = self.key.clone();
        self.describe(&Self { key, introduced: true, kind, handle, label: label.into(), shared });
    }

    /// Takes in what is said of it later: what that leaves open stays as it was.
    pub fn describe(&mut self, later: &Self) {
        if later.introduced {
            if !self.introduced || later.kind != ObjectKind::Other {
                self.kind = later.kind;
            }
            self.introduced = true;
            if later.handle != 0 || self.handle == 0 {
                self.handle = later.handle;
            }
        }
        self.shared |= later.shared;
        if !later.label.is_empty() && self.label != later.label {
            self.label.clone_from(&later.label);
        }
    }

    /// One of which nothing is known yet.
    #[must_use]
    pub fn unknown(key: Key) -> Self {
        let kind = ObjectKind::Other;
        Self { key, introduced: false, kind, handle: 0, label: "".into(), shared: false }
    }
}

/// A stretch of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The rows, in the order of the input.
    pub rows: Vec<Row>,
    /// The agents that they name, in the order of their first use; no key twice.
    pub agents: Vec<AgentEntry>,
    /// The objects that they name, likewise.
    pub objects: Vec<ObjectEntry>,
    /// Calls, details, texts; none twice.
    pub names: Vec<Box<str>>,
}

/// Makes batches of events one by one.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    batch: Batch,
    agents: HashMap<AgentId, u32>,
    objects: HashMap<ObjectId, u32>,
    names: HashMap<Box<str>, u32>,
}

impl BatchBuilder {
    /// Rows so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batch.rows.len()
    }

    /// Whether nothing was added yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.rows.is_empty() && self.batch.agents.is_empty() && self.batch.objects.is_empty()
    }

    /// What was added since the last call.
    #[must_use]
    pub fn take(&mut self) -> Batch {
        std::mem::take(self).batch
    }

    /// Adds an event. Introductions go into the tables, everything else becomes rows.
    pub fn event(&mut self, event: &Event) {
        let agent = self.agent(event.agent);
        let row = |op| Row::new(event.at.0, agent, op);
        match &event.what {
            What::Agent { kind, name, pid, tid } => {
                self.batch.agents[agent as usize].introduce(*kind, name, *pid, *tid);
            }
            What::Object { object, kind, handle, label, shared } => {
                let object = self.object(*object);
                self.batch.objects[object as usize].introduce(*kind, *handle, label, *shared);
            }
            What::WaitBegan { call, points, mode, bound } => {
                let (name, code) = (self.name(call), wait_code(*bound, *mode));
                let first = self.point(points.first());
                let amount = bound_amount(*bound);
                self.push(Row { name, code, amount, ..with_point(row(Op::WaitBegan), first) });
                for point in points.iter().skip(1) {
                    let point = self.point(Some(point));
                    self.push(with_point(row(Op::MorePoint), point));
                }
            }
            What::WaitEnded { outcome } => {
                self.push(Row { code: outcome_code(*outcome), ..row(Op::WaitEnded) });
            }
            What::Owed { point, after, via } => {
                let (point, after) = (self.point(Some(point)), self.point(after.as_ref()));
                let agent2 = via.map_or(NONE, |via| self.agent(via));
                let (object2, value2) = after;
                self.push(Row { object2, value2, agent2, ..with_point(row(Op::Owed), point) });
            }
            What::Signalled { point } => {
                let point = self.point(Some(point));
                self.push(with_point(row(Op::Signalled), point));
            }
            What::Reset { object } => {
                let object = self.object(*object);
                self.push(Row { object, ..row(Op::Reset) });
            }
            What::Aliased { object, same_as } => {
                let (object, object2) = (self.object(*object), self.object(*same_as));
                self.push(Row { object, object2, ..row(Op::Aliased) });
            }
            What::Mark { kind, text, objects } => self.mark(row(Op::Mark), *kind, text, objects),
            other => self.plain(row(Op::Mark), other),
        }
    }

    /// The events that name no object.
    fn plain(&mut self, row: Row, what: &What) {
        let row = match what {
            What::State { state, detail, cpu, priority } => Row {
                op: Op::State,
                code: state_code(*state),
                name: self.name(detail),
                amount: cpu.map_or(0, |cpu| u64::from(cpu) + 1),
                value: priority_value(*priority),
                ..row
            },
            What::Progress { what } => Row { op: Op::Progress, name: self.name(what), ..row },
            What::Lost { count } => Row { op: Op::Lost, amount: *count, ..row },
            What::Coverage { kind, reached, explained } => Row {
                op: Op::Coverage,
                code: object_kind_code(*kind),
                amount: *reached,
                value: *explained,
                ..row
            },
            _ => return,
        };
        self.push(row);
    }

    fn mark(&mut self, row: Row, kind: MarkKind, text: &str, objects: &[ObjectId]) {
        let name = self.name(text);
        let object = objects.first().map_or(NONE, |object| self.object(*object));
        let row = Row { code: mark_code(kind), name, object, ..row };
        self.push(row);
        for object in objects.iter().skip(1) {
            let object = self.object(*object);
            self.push(Row { object, op: Op::MoreObject, name: NONE, ..row });
        }
    }

    fn push(&mut self, row: Row) {
        self.batch.rows.push(row);
    }

    fn point(&mut self, point: Option<&Point>) -> (u32, u64) {
        point.map_or((NONE, 0), |point| (self.object(point.object), point.value))
    }

    fn agent(&mut self, id: AgentId) -> u32 {
        let agents = &mut self.batch.agents;
        *self.agents.entry(id).or_insert_with(|| {
            agents.push(AgentEntry::unknown(Key::Number(u64::from(id.0))));
            place(agents.len())
        })
    }

    fn object(&mut self, id: ObjectId) -> u32 {
        let objects = &mut self.batch.objects;
        *self.objects.entry(id).or_insert_with(|| {
            objects.push(ObjectEntry::unknown(Key::Number(u64::from(id.0))));
            place(objects.len())
        })
    }

    fn name(&mut self, name: &str) -> u32 {
        if name.is_empty() {
            return NONE;
        }
        if let Some(place) = self.names.get(name) {
            return *place;
        }
        self.batch.names.push(name.into());
        let place = place(self.batch.names.len());
        self.names.insert(name.into(), place);
        place
    }
}

fn with_point(row: Row, (object, value): (u32, u64)) -> Row {
    Row { object, value, ..row }
}

/// The place of the last of `count` entries.
fn place(count: usize) -> u32 {
    u32::try_from(count - 1).unwrap_or(NONE)
}

impl Batch {
    /// The text at a place; empty for [`NONE`].
    #[must_use]
    pub fn name(&self, place: u32) -> &str {
        self.names.get(place as usize).map_or("", |name| name)
    }

    /// The events of the rows, with places in the tables as ids; introductions come first, at the first row's time.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        let at = Timestamp(self.rows.first().map_or(0, |row| row.at));
        let mut events = self.introductions(at);
        let mut rows = self.rows.as_slice();
        while let Some((first, rest)) = rows.split_first() {
            let more =
                rest.iter().take_while(|row| matches!(row.op, Op::MorePoint | Op::MoreObject));
            let count = more.count();
            if let Some(event) = self.event(first, &rest[..count]) {
                events.push(event);
            }
            rows = &rest[count..];
        }
        events
    }

    /// What the tables say, as events at `at`.
    #[must_use]
    pub fn introductions(&self, at: Timestamp) -> Vec<Event> {
        let agents = self.agents.iter().zip(0..).filter(|(agent, _)| agent.introduced);
        let agents = agents.map(|(agent, id)| {
            let (kind, name) = (agent.kind, agent.name.to_string());
            let (pid, tid) = (agent.pid, agent.tid);
            Event::new(at, AgentId(id), What::Agent { kind, name, pid, tid })
        });
        let objects = self.objects.iter().zip(0..).filter(|(object, _)| object.introduced);
        let objects = objects.map(|(object, id)| {
            let (kind, handle) = (object.kind, object.handle);
            let (label, shared) = (object.label.to_string(), object.shared);
            let object = ObjectId(id);
            Event::new(at, AgentId(0), What::Object { object, kind, handle, label, shared })
        });
        agents.chain(objects).collect()
    }

    /// The event of a row and of those that belong to it; none for a part without its first row.
    #[must_use]
    pub fn event(&self, row: &Row, more: &[Row]) -> Option<Event> {
        let what = match row.op {
            Op::WaitBegan => {
                let (bound, mode) = wait_from_code(row.code, row.amount);
                let points = std::iter::once(row).chain(more).filter_map(point_of).collect();
                What::WaitBegan { call: self.name(row.name).to_owned(), points, mode, bound }
            }
            Op::WaitEnded => What::WaitEnded { outcome: outcome_from_code(row.code) },
            Op::Owed => {
                let after = (row.object2 != NONE)
                    .then_some(Point { object: ObjectId(row.object2), value: row.value2 });
                let via = (row.agent2 != NONE).then_some(AgentId(row.agent2));
                What::Owed { point: point_of(row)?, after, via }
            }
            Op::Signalled => What::Signalled { point: point_of(row)? },
            Op::Reset => What::Reset { object: ObjectId(row.object) },
            Op::Aliased => {
                What::Aliased { object: ObjectId(row.object), same_as: ObjectId(row.object2) }
            }
            Op::State => What::State {
                state: state_from_code(row.code),
                detail: self.name(row.name).to_owned(),
                cpu: row.amount.checked_sub(1).and_then(|cpu| u32::try_from(cpu).ok()),
                priority: priority_from_value(row.value),
            },
            Op::Progress => What::Progress { what: self.name(row.name).to_owned() },
            Op::Mark => {
                let objects = std::iter::once(row).chain(more).map(|row| row.object);
                let objects = objects.filter(|object| *object != NONE).map(ObjectId).collect();
                let text = self.name(row.name).to_owned();
                What::Mark { kind: mark_from_code(row.code), text, objects }
            }
            Op::Lost => What::Lost { count: row.amount },
            Op::Coverage => What::Coverage {
                kind: object_kind_from_code(row.code),
                reached: row.amount,
                explained: row.value,
            },
            Op::MorePoint | Op::MoreObject => return None,
        };
        Some(Event::new(Timestamp(row.at), AgentId(row.agent), what))
    }
}

fn point_of(row: &Row) -> Option<Point> {
    (row.object != NONE).then_some(Point { object: ObjectId(row.object), value: row.value })
}

/// Numbers of the small choices, for rows and stores: once given, they never change. A number that this version does not
/// know reads as the last choice.
macro_rules! codes {
    ($kind:ident, $to:ident, $from:ident: $($variant:ident = $number:literal),+; else $other:ident) => {
        #[doc = concat!("The number of a choice of [`", stringify!($kind), "`].")]
        #[must_use]
        pub fn $to(kind: $kind) -> u8 {
            match kind { $($kind::$variant => $number,)+ }
        }

        #[doc = concat!("The [`", stringify!($kind), "`] of a number.")]
        #[must_use]
        pub fn $from(code: u8) -> $kind {
            match code { $($number => $kind::$variant,)+ _ => $kind::$other }
        }
    };
}

codes!(Outcome, outcome_code, outcome_from_code: Reached = 0, TimedOut = 1, Failed = 2; else Failed);
codes!(AgentState, state_code, state_from_code:
    Running = 0, Ready = 1, Blocked = 2, Exited = 3, Unknown = 4; else Unknown);
codes!(MarkKind, mark_code, mark_from_code: Log = 0, FailedCall = 1, Injected = 2, Unobserved = 3, Warning = 4; else Log);
codes!(AgentKind, agent_kind_code, agent_kind_from_code:
    HostThread = 0, GpuQueue = 1, PresentationEngine = 2, GuestThread = 3, KernelThread = 4, Task = 5,
    Interrupt = 6, RingHost = 7, Outside = 8; else Outside);
codes!(ObjectKind, object_kind_code, object_kind_from_code:
    Fence = 0, BinarySemaphore = 1, TimelineSemaphore = 2, Event = 3, AutoResetEvent = 4,
    CountingSemaphore = 5, Timer = 6, Channel = 7, Condition = 8, Query = 9, Swapchain = 10, Queue = 11,
    Device = 12, Mutex = 13, Futex = 14, Ring = 15, DmaFence = 16, Block = 17, Pipe = 18, Socket = 19,
    Other = 20; else Other);
