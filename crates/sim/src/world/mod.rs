//! What is a world? Agents with small programs over objects and variables, and nothing else.
//!
//! The same world is run in virtual time ([`Run`]), where it tells of itself in events, and explored in every
//! interleaving ([`Exploration`]). What an operation does is said once, in `step`; time is the run's, order the explorer's.

mod build;
mod exploration;
mod interrupt;
mod packed;
mod run;
mod schedule;
mod silent;
mod step;
mod tell;
mod waking;

use unwedge_trace::row::{AgentEntry, ObjectEntry};
use unwedge_trace::{AgentState, MarkKind};

use crate::lossy::Sight;

pub use build::{Label, Program, WorldBuilder};
pub use exploration::{Exploration, Replay, Step};
pub use packed::Packed;
pub use run::{Condition, Run, Seen};
pub use step::Way;

/// A place among a world's agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Agent(pub u16);

/// A place among a world's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Object(pub u16);

/// A place among a world's variables: memory that agents share without telling anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Variable(pub u16);

/// A place among a world's faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fault(pub u16);

/// A place among a world's texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Name(pub(crate) u32);

/// How an object behaves: its *discipline*. Its value is one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discipline {
    /// 0 or 1: a signal sets it, a reset clears it, a wait leaves it (fence, manual-reset event, query).
    Latch,
    /// Tokens, at most so many: a signal adds one, a wait takes one (auto-reset event: 1; semaphore, images).
    Tokens(u8),
    /// As tokens, but a signal that finds nobody waiting is gone (condition variable, pulsed event).
    Pulse,
    /// 0, or its owner plus one: a wait takes it, [`WorldBuilder`]'s `unlock` gives it back (mutex, critical section).
    Lock,
    /// Holds: a wait goes on at 0 (counted block).
    Count,
    /// What is owed and not yet signalled; a wait goes on when no more than its slack is left (timeline, queue, ring).
    Lag,
}

/// What is waited for of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The object.
    pub object: Object,
    /// Of a [`Discipline::Lag`]: how much may still be owed. Else 0.
    pub slack: Operand,
}

impl Target {
    /// The object, a [`Discipline::Lag`], with no more than this still owed: of a variable, what was owed after what is waited for.
    pub fn within(object: Object, slack: impl Into<Operand>) -> Self {
        Self { object, slack: slack.into() }
    }
}

impl From<Object> for Target {
    fn from(object: Object) -> Self {
        Self { object, slack: Operand::Number(0) }
    }
}

/// What a condition looks at: one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A variable.
    Variable(Variable),
    /// An object's value; see [`Discipline`].
    Object(Object),
}

impl From<Variable> for Source {
    fn from(variable: Variable) -> Self {
        Self::Variable(variable)
    }
}

impl From<Object> for Source {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

/// How a byte is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Is,
    /// Not equal.
    Not,
    /// Less.
    Below,
    /// Not less.
    AtLeast,
}

/// A condition on a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Test {
    pub(crate) source: Source,
    pub(crate) comparison: Comparison,
    pub(crate) with: Operand,
}

/// The other side of a comparison, or what is assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A number.
    Number(u8),
    /// What a variable holds.
    Variable(Variable),
}

impl From<u8> for Operand {
    fn from(number: u8) -> Self {
        Self::Number(number)
    }
}

impl From<Variable> for Operand {
    fn from(variable: Variable) -> Self {
        Self::Variable(variable)
    }
}

/// `source` compares so with `with`: `test(head, Comparison::Is, tail)`.
pub fn test(source: impl Into<Source>, comparison: Comparison, with: impl Into<Operand>) -> Test {
    Test { source: source.into(), comparison, with: with.into() }
}

/// A wait.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    pub(crate) call: Name,
    pub(crate) targets: Box<[Target]>,
    pub(crate) any: bool,
    /// Nanoseconds; `None` for ever.
    pub(crate) bound: Option<u64>,
    /// Where it goes on when the bound is met.
    pub(crate) timed_out: u16,
}

/// One operation. What it does to the state is in `step`, what it tells in `tell`, how long it takes in `run`.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Wait(Box<Wait>),
    Signal(Object),
    Reset(Object),
    Renew(Object),
    Unlock(Object),
    Hold(Object),
    Release(Object),
    Owe {
        debtor: Agent,
        object: Object,
        after: Option<Object>,
        via: bool,
    },
    Set {
        variable: Variable,
        to: Operand,
    },
    Add {
        variable: Variable,
        amount: u8,
        modulo: u8,
    },
    Until(Test),
    If {
        test: Test,
        to: u16,
    },
    Goto(u16),
    /// One of these, each as likely as its share says.
    Choose(Box<[(u32, u16)]>),
    Fault {
        fault: Fault,
        to: u16,
    },
    /// Uses its processor for so long.
    Compute {
        least: u64,
        most: u64,
    },
    /// Does nothing for so long.
    Sleep {
        least: u64,
        most: u64,
    },
    Progress {
        goal: u8,
        what: Name,
    },
    Mark {
        kind: MarkKind,
        text: Name,
        objects: Box<[Object]>,
    },
    State {
        state: AgentState,
        detail: Name,
    },
    Lose {
        events: u64,
    },
    /// Another agent is no more from here on, wherever it stands.
    End(Agent),
    /// Goes; of an interrupt's callback: the next one starts at the beginning.
    Exit,
    /// It is no more. The last of every program.
    Gone,
    /// Stands still for ever, without a word.
    Halt,
}

/// What sets an agent going, beside its own program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// It goes by itself.
    Own,
    /// Its program runs once each time that a processor has executed so many instructions, on whatever thread is there; it
    /// must not wait. The next interrupt is late or early by up to `drift` instructions.
    Instructions {
        /// Which processor.
        cpu: u8,
        /// How many instructions.
        every: u64,
        /// By how many at most an interrupt is early or late.
        drift: u64,
    },
}

/// An agent and its program.
#[derive(Clone, Debug)]
pub(crate) struct AgentSpec {
    pub(crate) entry: AgentEntry,
    /// The processor it shares, and its priority there: higher first.
    pub(crate) cpu: Option<u8>,
    pub(crate) priority: i32,
    pub(crate) trigger: Trigger,
    /// The world is done when all but its daemons have exited.
    pub(crate) daemon: bool,
    /// No source sees what it does.
    pub(crate) unobserved: bool,
    pub(crate) program: Vec<Operation>,
    /// For each operation: the explorer may take it together with the one before.
    pub(crate) silent: Vec<bool>,
    /// Variables of its own, for agents that are alike: the i-th of one is the i-th of the other.
    pub(crate) locals: Vec<Variable>,
}

/// An object.
#[derive(Clone, Debug)]
pub(crate) struct ObjectSpec {
    pub(crate) entry: ObjectEntry,
    pub(crate) discipline: Discipline,
    pub(crate) initial: u8,
}

/// A variable.
#[derive(Clone, Debug)]
pub(crate) struct VariableSpec {
    /// May be empty.
    pub(crate) name: Box<str>,
    /// Something else keeps its users apart.
    pub(crate) guarded: bool,
    pub(crate) initial: u8,
}

/// When a fault strikes a run. The explorer tries every occasion of any but [`Plan::Never`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// It does not.
    Never,
    /// At its n-th occasion, from 1.
    Nth(u64),
    /// From its n-th occasion on, at each.
    From(u64),
    /// By chance: so many times in a million.
    Chance(u32),
}

/// Something that can go wrong.
#[derive(Clone, Debug)]
pub(crate) struct FaultSpec {
    pub(crate) name: String,
    pub(crate) plan: Plan,
}

/// How a world's processors are shared out, and what its operations cost.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// What an operation takes, in nanoseconds; at least 1.
    pub operation_ns: u64,
    /// How long a thread runs before an equal one has its turn, in nanoseconds.
    pub quantum_ns: u64,
    /// Instructions in a microsecond of running: millions in a second.
    pub instructions_per_us: u64,
    /// A processor that has nothing to run executes an idle loop, whose instructions count; not while it skips to a deadline.
    pub idle_executes: bool,
    /// After so many nanoseconds of waiting for its processor a thread counts as one priority higher; `None`: never.
    pub aging_ns: Option<u64>,
    /// A scheduler that skips to the next deadline of a waiting thread rather than run one of lower priority, until that one
    /// is old enough.
    pub skips_to_deadlines: bool,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            operation_ns: 1_000,
            quantum_ns: 10_000_000,
            instructions_per_us: 1_000,
            idle_executes: false,
            aging_ns: None,
            skips_to_deadlines: false,
        }
    }
}

/// Agents, objects, variables, and what can go wrong. Made by [`WorldBuilder`].
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) agents: Vec<AgentSpec>,
    pub(crate) objects: Vec<ObjectSpec>,
    pub(crate) variables: Vec<VariableSpec>,
    pub(crate) faults: Vec<FaultSpec>,
    /// How many faults may strike while it is explored.
    pub(crate) faults_max: u8,
    pub(crate) names: Vec<Box<str>>,
    /// The empty text.
    pub(crate) blank: Name,
    /// The sorts of progress.
    pub(crate) goals: Vec<Box<str>>,
    /// Agents that are alike: which of them is which does not matter.
    pub(crate) alike: Vec<Vec<Agent>>,
    pub(crate) machine: Machine,
    /// How the source sees it that tells of a run.
    pub(crate) sight: Sight,
}

impl World {
    /// An agent's name, or what it is where it has none.
    #[must_use]
    pub fn agent_name(&self, agent: Agent) -> &str {
        &self.agents[usize::from(agent.0)].entry.name
    }

    /// The names of its sorts of progress, in the order of [`crate::Goals`]' bits.
    pub fn goals(&self) -> impl Iterator<Item = &str> {
        self.goals.iter().map(|goal| &**goal)
    }

    /// How many faults may strike while it is explored.
    #[must_use]
    pub fn faults_max(&self) -> u8 {
        self.faults_max
    }

    /// So many faults may strike while it is explored, whatever its builder said.
    pub fn set_faults_max(&mut self, most: u8) {
        self.faults_max = most;
    }

    /// How many agents it has.
    #[must_use]
    pub fn agents_len(&self) -> usize {
        self.agents.len()
    }
}
