//! What does a world tell of itself? Rows of the event model, and nothing that a real source could not have seen.

use unwedge_trace::row::{
    Batch, Key, NONE, ObjectEntry, Op, Row, mark_code, outcome_code, priority_value, state_code,
    wait_code,
};
use unwedge_trace::{AgentState, Bound, MarkKind, Mode, NEXT, ObjectKind, Outcome};

use super::step::Tell;
use super::{Agent, Discipline, Name, Object, ObjectSpec, Operation, Target, Wait, World};

/// What was told of an object so far.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    /// Signals.
    signals: u64,
    /// What was owed, or taken.
    duties: u64,
    /// Of tokens: the highest that somebody took on.
    owed: u64,
}

impl Told {
    fn at_first(object: &ObjectSpec) -> Self {
        let initial = u64::from(object.initial);
        match object.discipline {
            Discipline::Lag => Self { duties: initial, ..Self::default() },
            _ => Self { signals: initial, owed: initial, ..Self::default() },
        }
    }
}

/// How far apart the handles are of an object and of what takes its place: more than a scenario's own handles are.
const FRESH_HANDLES: u64 = 1 << 32;

/// Makes rows of what agents do, at a time that whoever drives them sets.
#[derive(Debug)]
pub(crate) struct Teller {
    /// Nanoseconds of the world's time.
    pub(crate) now: u64,
    pub(crate) rows: Vec<Row>,
    told: Vec<Told>,
    /// Where each object stands in the tables.
    places: Vec<u32>,
    /// What took the place of objects: in the tables they come behind those that the world began with.
    fresh: Vec<ObjectEntry>,
    /// Agents whose wait has been told.
    waiting: Vec<bool>,
    /// Whether the rows of each agent are left out: it is not observed.
    hidden: Vec<bool>,
}

impl Teller {
    pub(crate) fn new(world: &World) -> Self {
        Self {
            now: 0,
            rows: Vec::new(),
            told: world.objects.iter().map(Told::at_first).collect(),
            places: (0..).take(world.objects.len()).collect(),
            fresh: Vec::new(),
            waiting: vec![false; world.agents.len()],
            hidden: world.agents.iter().map(|agent| agent.unobserved).collect(),
        }
    }

    /// What was told since the last call.
    pub(crate) fn take(&mut self, world: &World) -> Batch {
        Batch {
            rows: std::mem::take(&mut self.rows),
            agents: world.agents.iter().map(|agent| agent.entry.clone()).collect(),
            objects: world
                .objects
                .iter()
                .map(|object| &object.entry)
                .chain(&self.fresh)
                .cloned()
                .collect(),
            names: world.names.clone(),
        }
    }

    #[inline]
    fn push(&mut self, agent: Agent, row: Row) {
        if !self.hidden[usize::from(agent.0)] {
            self.rows.push(row);
        }
    }

    #[inline]
    fn row(&self, agent: Agent, op: Op) -> Row {
        Row::new(self.now, u32::from(agent.0), op)
    }

    /// The agent stands at a wait that is not satisfied. Told once.
    pub(crate) fn waits(&mut self, world: &World, state: &[u8], agent: Agent, wait: &Wait) {
        if std::mem::replace(&mut self.waiting[usize::from(agent.0)], true) {
            return;
        }
        let mode = if wait.any { Mode::Any } else { Mode::All };
        let bound = wait.bound.map_or(Bound::Infinite, Bound::Ns);
        let mut row = Row {
            name: wait.call.0,
            code: wait_code(bound, mode),
            amount: wait.bound.unwrap_or(0),
            ..self.row(agent, Op::WaitBegan)
        };
        for (place, target) in wait.targets.iter().enumerate() {
            if place > 0 {
                row = self.row(agent, Op::MorePoint);
            }
            row.object = self.place(target.object);
            row.value = self.awaited(world, state, target);
            self.push(agent, row);
        }
        if wait.targets.is_empty() {
            self.push(agent, row);
        }
    }

    /// The value that a wait waits for.
    fn awaited(&self, world: &World, state: &[u8], target: &Target) -> u64 {
        let at = usize::from(target.object.0);
        let (object, told) = (&world.objects[at], self.told[at]);
        if !is_numbered(object.entry.kind) {
            return NEXT;
        }
        match object.discipline {
            Discipline::Latch => told.signals + u64::from(state[at] == 0),
            Discipline::Lag => {
                told.duties.saturating_sub(u64::from(world.operand(state, target.slack)))
            }
            _ => told.duties + 1,
        }
    }

    #[inline]
    fn place(&self, object: Object) -> u32 {
        self.places[usize::from(object.0)]
    }

    /// An agent's state, as the scheduler has it.
    pub(crate) fn scheduled(
        &mut self,
        world: &World,
        agent: Agent,
        state: AgentState,
        detail: Name,
    ) {
        let spec = &world.agents[usize::from(agent.0)];
        let row = Row {
            code: state_code(state),
            name: detail.0,
            amount: spec.cpu.map_or(0, |cpu| u64::from(cpu) + 1),
            value: priority_value(spec.cpu.map(|_| spec.priority)),
            ..self.row(agent, Op::State)
        };
        self.push(agent, row);
    }

    fn point(&self, world: &World, object: Object, value: u64, row: Row) -> Row {
        let at = usize::from(object.0);
        let value = if is_numbered(world.objects[at].entry.kind) { value } else { NEXT };
        Row { object: self.place(object), value, ..row }
    }

    fn owed(&mut self, world: &World, by: Agent, operation: &Operation) {
        let Operation::Owe { debtor, object, after, via } = operation else { return };
        let at = usize::from(object.0);
        let told = &mut self.told[at];
        let value = match world.objects[at].discipline {
            Discipline::Lag => {
                told.duties += 1;
                told.duties
            }
            // Two that are owed at one time are two, the next one and the one after it; but where there is room for one
            // token only, both are the next.
            Discipline::Tokens(most) => {
                let last = told.signals + u64::from(most);
                told.owed = (told.owed.max(told.signals) + 1).min(last);
                told.owed
            }
            _ => told.signals + 1,
        };
        let mut row = self.point(world, *object, value, self.row(*debtor, Op::Owed));
        if let Some(after) = after {
            let value = self.told[usize::from(after.0)].duties;
            let point = self.point(world, *after, value, row);
            (row.object2, row.value2) = (point.object, point.value);
        }
        row.agent2 = if *via { u32::from(by.0) } else { NONE };
        self.push(*debtor, row);
    }
}

/// Whether a kind's points are numbered; else they are the next signal, whatever its number.
fn is_numbered(kind: ObjectKind) -> bool {
    matches!(
        kind,
        ObjectKind::Fence
            | ObjectKind::BinarySemaphore
            | ObjectKind::TimelineSemaphore
            | ObjectKind::Query
            | ObjectKind::Swapchain
            | ObjectKind::Queue
            | ObjectKind::Ring
            | ObjectKind::DmaFence
    )
}

impl Tell for Teller {
    fn reached(&mut self, world: &World, state: &[u8], agent: Agent, wait: &Wait) {
        let lock = |target: &Target| {
            let at = usize::from(target.object.0);
            matches!(world.objects[at].discipline, Discipline::Lock)
        };
        // Who finds a token there and takes it need not wait; but that it is gone must be known, and only its wait tells.
        let takes = |target: &Target| {
            let object = &world.objects[usize::from(target.object.0)];
            matches!(object.discipline, Discipline::Tokens(_)) && !is_numbered(object.entry.kind)
        };
        if !self.waiting[usize::from(agent.0)] && wait.targets.iter().any(takes) {
            self.waits(world, state, agent, wait);
        }
        if self.waiting[usize::from(agent.0)] {
            self.waiting[usize::from(agent.0)] = false;
            let row =
                Row { code: outcome_code(Outcome::Reached), ..self.row(agent, Op::WaitEnded) };
            self.push(agent, row);
        }
        for target in wait.targets.iter().filter(|target| lock(target)) {
            let row = self.point(world, target.object, NEXT, self.row(agent, Op::Owed));
            self.push(agent, row);
        }
    }

    fn timed_out(&mut self, _: &World, agent: Agent, _: &Wait) {
        self.waiting[usize::from(agent.0)] = false;
        let row = Row { code: outcome_code(Outcome::TimedOut), ..self.row(agent, Op::WaitEnded) };
        self.push(agent, row);
    }

    fn signalled(&mut self, world: &World, agent: Agent, object: Object, before: u8) {
        let at = usize::from(object.0);
        let told = &mut self.told[at];
        if world.objects[at].discipline != Discipline::Latch || before == 0 {
            told.signals += 1;
        }
        // What nobody owed, such as a signal from the host, raises the value all the same.
        told.duties = match world.objects[at].discipline {
            Discipline::Lag => told.duties.max(told.signals),
            _ => told.duties,
        };
        let value = told.signals;
        let row = self.point(world, object, value, self.row(agent, Op::Signalled));
        self.push(agent, row);
    }

    fn reset(&mut self, world: &World, agent: Agent, object: Object) {
        // A wait that takes a token tells so by its end; only a binary semaphore is consumed by another operation.
        let at = usize::from(object.0);
        if world.objects[at].discipline != Discipline::Latch {
            self.told[at].duties += 1;
            if world.objects[at].entry.kind != ObjectKind::BinarySemaphore {
                return;
            }
        }
        let row = Row { object: self.place(object), ..self.row(agent, Op::Reset) };
        self.push(agent, row);
    }

    fn renewed(&mut self, world: &World, object: Object) {
        let (at, spec) = (usize::from(object.0), &world.objects[usize::from(object.0)]);
        let place = world.objects.len() + self.fresh.len();
        let handle = FRESH_HANDLES.wrapping_mul(self.fresh.len() as u64 + 1);
        let handle = spec.entry.handle.wrapping_add(handle);
        self.fresh.push(ObjectEntry {
            key: Key::Number(place as u64),
            handle,
            ..spec.entry.clone()
        });
        self.places[at] = u32::try_from(place).unwrap_or(NONE);
        self.told[at] = Told::at_first(spec);
    }

    fn did(&mut self, world: &World, agent: Agent, operation: &Operation) {
        let row = match operation {
            Operation::Owe { .. } => return self.owed(world, agent, operation),
            Operation::Hold(object) => self.point(world, *object, NEXT, self.row(agent, Op::Owed)),
            Operation::Progress { what, .. } => {
                Row { name: what.0, ..self.row(agent, Op::Progress) }
            }
            Operation::State { state, detail } => {
                return self.scheduled(world, agent, *state, *detail);
            }
            Operation::Lose { events } => Row { amount: *events, ..self.row(agent, Op::Lost) },
            Operation::Exit
                if world.agents[usize::from(agent.0)].trigger == super::Trigger::Own =>
            {
                Row { code: state_code(AgentState::Exited), ..self.row(agent, Op::State) }
            }
            Operation::End(other) => {
                Row { code: state_code(AgentState::Exited), ..self.row(*other, Op::State) }
            }
            Operation::Mark { kind, text, objects } => {
                return self.mark(agent, *kind, *text, objects);
            }
            _ => return,
        };
        let by = match operation {
            Operation::End(other) => *other,
            _ => agent,
        };
        self.push(by, row);
    }
}

impl Teller {
    fn mark(&mut self, agent: Agent, kind: MarkKind, text: Name, objects: &[Object]) {
        let object = objects.first().map_or(NONE, |object| self.place(*object));
        let row = Row { code: mark_code(kind), name: text.0, object, ..self.row(agent, Op::Mark) };
        self.push(agent, row);
        for object in objects.iter().skip(1) {
            let object = self.place(*object);
            self.push(agent, Row { object, op: Op::MoreObject, name: NONE, ..row });
        }
    }
}
