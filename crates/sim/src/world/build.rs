//! How is a world written down? Objects and agents first, then each agent's program.

use std::collections::HashMap;

use unwedge_trace::row::{AgentEntry, Key, ObjectEntry};
use unwedge_trace::{AgentKind, AgentState, MarkKind, ObjectKind};

use crate::lossy::Sight;

use super::{
    Agent, AgentSpec, Discipline, Fault, FaultSpec, Machine, Name, Object, ObjectSpec, Operand,
    Operation, Plan, Target, Test, Trigger, Variable, VariableSpec, Wait, World,
};

/// A place in a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(u16);

/// Makes a [`World`].
#[derive(Debug, Default)]
pub struct WorldBuilder {
    agents: Vec<AgentSpec>,
    objects: Vec<ObjectSpec>,
    variables: Vec<VariableSpec>,
    faults: Vec<FaultSpec>,
    faults_max: Option<u8>,
    names: Vec<Box<str>>,
    places: HashMap<Box<str>, Name>,
    goals: Vec<Box<str>>,
    alike: Vec<Vec<Agent>>,
    machine: Machine,
    sight: Sight,
}

/// Places are numbers of 16 bits.
///
/// # Panics
/// A world has at most 65,535 of anything: more is an error of whoever wrote it.
fn place(len: usize) -> u16 {
    u16::try_from(len).unwrap_or_else(|_| panic!("a world has at most 65535 of anything"))
}

impl WorldBuilder {
    /// An empty world.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an agent. Its thread id is 0 where it has none, and so is its process id.
    pub fn agent(&mut self, kind: AgentKind, name: &str, pid: u32, tid: u32) -> Agent {
        let id = place(self.agents.len());
        let key = Key::Number(u64::from(id));
        let entry = AgentEntry { key, introduced: true, kind, name: name.into(), pid, tid };
        self.agents.push(AgentSpec {
            entry,
            cpu: None,
            priority: 0,
            trigger: Trigger::Own,
            daemon: false,
            unobserved: false,
            program: Vec::new(),
            silent: Vec::new(),
            locals: Vec::new(),
        });
        Agent(id)
    }

    /// The agent shares this processor, with this priority: higher first.
    pub fn on_cpu(&mut self, agent: Agent, cpu: u8, priority: i32) {
        let agent = &mut self.agents[usize::from(agent.0)];
        (agent.cpu, agent.priority) = (Some(cpu), priority);
    }

    /// What sets the agent going.
    pub fn triggered(&mut self, agent: Agent, trigger: Trigger) {
        self.agents[usize::from(agent.0)].trigger = trigger;
    }

    /// The agent serves others and need not come to an end.
    pub fn daemon(&mut self, agent: Agent) {
        self.agents[usize::from(agent.0)].daemon = true;
    }

    /// No source sees what the agent does: it tells nothing.
    pub fn unobserved(&mut self, agent: Agent) {
        self.agents[usize::from(agent.0)].unobserved = true;
    }

    /// These agents have the same program and nothing of their own but these variables, in the same order: which of them is
    /// which does not matter.
    pub fn alike(&mut self, agents: &[(Agent, &[Variable])]) {
        for (agent, locals) in agents {
            self.agents[usize::from(agent.0)].locals = locals.to_vec();
        }
        self.alike.push(agents.iter().map(|(agent, _)| *agent).collect());
    }

    /// Adds an object, with the discipline that its kind has in Vulkan or NT, and nothing signalled.
    pub fn object(&mut self, kind: ObjectKind, handle: u64, label: &str) -> Object {
        let discipline = match kind {
            ObjectKind::BinarySemaphore | ObjectKind::AutoResetEvent => Discipline::Tokens(1),
            ObjectKind::CountingSemaphore
            | ObjectKind::Channel
            | ObjectKind::Swapchain
            | ObjectKind::Pipe
            | ObjectKind::Socket => Discipline::Tokens(u8::MAX),
            ObjectKind::Condition | ObjectKind::Futex => Discipline::Pulse,
            ObjectKind::Mutex => Discipline::Lock,
            ObjectKind::Block => Discipline::Count,
            ObjectKind::TimelineSemaphore
            | ObjectKind::Queue
            | ObjectKind::Ring
            | ObjectKind::DmaFence => Discipline::Lag,
            _ => Discipline::Latch,
        };
        self.object_with(kind, handle, label, discipline, 0)
    }

    /// Adds an object with a discipline and an initial value.
    pub fn object_with(
        &mut self,
        kind: ObjectKind,
        handle: u64,
        label: &str,
        discipline: Discipline,
        initial: u8,
    ) -> Object {
        let id = place(self.objects.len());
        let key = Key::Number(u64::from(id));
        let label = label.into();
        let entry = ObjectEntry { key, introduced: true, kind, handle, label, shared: false };
        self.objects.push(ObjectSpec { entry, discipline, initial });
        Object(id)
    }

    /// The object came from outside, or went there.
    pub fn shared(&mut self, object: Object) {
        self.objects[usize::from(object.0)].entry.shared = true;
    }

    /// Adds a variable.
    pub fn variable(&mut self, initial: u8) -> Variable {
        self.variable_named("", initial)
    }

    /// Adds a variable with a name, by which the explorer's words call it.
    pub fn variable_named(&mut self, name: &str, initial: u8) -> Variable {
        self.variables.push(VariableSpec { name: name.into(), initial, guarded: false });
        Variable(place(self.variables.len() - 1))
    }

    /// Something else keeps agents apart who use this variable: whoever may look at it or change it is the only one who may, until
    /// it says otherwise through something that is seen. The explorer need not try both orders of what is never done at once. It
    /// takes the word for it.
    pub fn guarded(&mut self, variable: Variable) {
        self.variables[usize::from(variable.0)].guarded = true;
    }

    /// Adds something that can go wrong.
    pub fn fault(&mut self, name: &str, plan: Plan) -> Fault {
        self.faults.push(FaultSpec { name: name.to_owned(), plan });
        Fault(place(self.faults.len() - 1))
    }

    /// How many faults may strike while the world is explored; 1 if nothing is said.
    pub fn faults_max(&mut self, most: u8) {
        self.faults_max = Some(most);
    }

    /// Adds a sort of progress: something that must stay within reach.
    pub fn goal(&mut self, name: &str) -> u8 {
        self.goals.push(name.into());
        u8::try_from(self.goals.len() - 1).unwrap_or(u8::MAX)
    }

    /// How processors are shared out.
    pub fn machine(&mut self, machine: Machine) {
        self.machine = machine;
    }

    /// The source that tells of a run drops so many events of a million and says so, and does not see who signals objects of
    /// these kinds. What it misses depends on the seed alone, and changes nothing in the world.
    pub fn seen_through(&mut self, lost: u32, blind: &[ObjectKind], seed: u64) {
        self.sight = Sight { lost, blind: blind.to_vec(), seed };
    }

    /// Writes an agent's program. An agent without one stands still.
    pub fn program(&mut self, agent: Agent, write: impl FnOnce(&mut Program<'_>)) {
        let mut program =
            Program { world: self, operations: Vec::new(), labels: Vec::new(), agent };
        write(&mut program);
        let (mut operations, labels) = (program.operations, program.labels);
        operations.extend([Operation::Exit, Operation::Gone]);
        for operation in &mut operations {
            resolve(operation, &labels);
        }
        let agent = &mut self.agents[usize::from(agent.0)];
        let len = operations.len();
        assert!(
            len <= 256,
            "the program of {:?} has {len} operations: at most 256",
            agent.entry.name
        );
        agent.program = operations;
    }

    /// The world.
    ///
    /// # Panics
    /// When a program goes round without doing anything that others could see: it would never end.
    #[must_use]
    pub fn build(mut self) -> World {
        for agent in &mut self.agents {
            if agent.program.is_empty() {
                agent.program.push(Operation::Halt);
            }
        }
        let blank = self.name("");
        let mut world = World {
            blank,
            agents: self.agents,
            objects: self.objects,
            variables: self.variables,
            faults: self.faults,
            faults_max: self.faults_max.unwrap_or(1),
            names: self.names,
            goals: self.goals,
            alike: self.alike,
            machine: self.machine,
            sight: self.sight,
        };
        world.find_silent();
        world
    }

    pub(crate) fn name(&mut self, text: &str) -> Name {
        if let Some(name) = self.places.get(text) {
            return *name;
        }
        let name = Name(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(text.into());
        self.places.insert(text.into(), name);
        name
    }
}

/// Puts places in the program where labels stood.
fn resolve(operation: &mut Operation, labels: &[Option<u16>]) {
    let place = |to: &mut u16| {
        *to = labels.get(usize::from(*to)).copied().flatten().unwrap_or_else(|| {
            panic!("a program goes to a label that stands nowhere in it");
        });
    };
    match operation {
        Operation::Wait(wait) if wait.bound.is_some() => place(&mut wait.timed_out),
        Operation::If { to, .. } | Operation::Goto(to) | Operation::Fault { to, .. } => place(to),
        Operation::Choose(ways) => ways.iter_mut().for_each(|(_, to)| place(to)),
        _ => {}
    }
}

/// An agent's program, while it is written. Operations are done in the order in which they are written; after the last the
/// agent exits.
#[derive(Debug)]
pub struct Program<'w> {
    world: &'w mut WorldBuilder,
    operations: Vec<Operation>,
    labels: Vec<Option<u16>>,
    agent: Agent,
}

impl Program<'_> {
    /// A label that stands nowhere yet.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(place(self.labels.len() - 1))
    }

    /// Puts a label here.
    pub fn here(&mut self, label: Label) {
        self.labels[usize::from(label.0)] = Some(place(self.operations.len()));
    }

    /// A label that stands here.
    pub fn mark_here(&mut self) -> Label {
        let label = self.label();
        self.here(label);
        label
    }

    fn push(&mut self, operation: Operation) {
        self.operations.push(operation);
    }

    /// Waits for all of these, for ever. Of tokens it takes one each, of locks it becomes the owner.
    pub fn wait(&mut self, call: &str, targets: &[Target]) {
        self.wait_as(call, targets, false, None);
    }

    /// Waits for any one of these, for ever.
    pub fn wait_any(&mut self, call: &str, targets: &[Target]) {
        self.wait_as(call, targets, true, None);
    }

    /// Waits for all (or any) of these for so many nanoseconds at most, else goes on at the label.
    pub fn wait_for(
        &mut self,
        call: &str,
        targets: &[Target],
        any: bool,
        ns: u64,
        timed_out: Label,
    ) {
        self.wait_as(call, targets, any, Some((ns, timed_out)));
    }

    fn wait_as(&mut self, call: &str, targets: &[Target], any: bool, bound: Option<(u64, Label)>) {
        let call = self.world.name(call);
        let timed_out = bound.map_or(0, |(_, label)| label.0);
        let bound = bound.map(|(ns, _)| ns);
        let targets = targets.into();
        self.push(Operation::Wait(Box::new(Wait { call, targets, any, bound, timed_out })));
    }

    /// Waits for a lock, and then owns it.
    pub fn lock(&mut self, call: &str, lock: Object) {
        self.wait(call, &[lock.into()]);
    }

    /// Gives a lock back.
    pub fn unlock(&mut self, lock: Object) {
        self.push(Operation::Unlock(lock));
    }

    /// Signals an object: sets a latch, adds a token, pays one of what is owed.
    pub fn signal(&mut self, object: Object) {
        self.push(Operation::Signal(object));
    }

    /// Clears a latch, or takes all tokens away.
    pub fn reset(&mut self, object: Object) {
        self.push(Operation::Reset(object));
    }

    /// Destroys an object and puts a fresh one in its place, in the state in which it was made first. It has a handle of its own, and
    /// nobody owes it anything.
    pub fn renew(&mut self, object: Object) {
        self.push(Operation::Renew(object));
    }

    /// Takes one hold of a counted block.
    pub fn hold(&mut self, block: Object) {
        self.push(Operation::Hold(block));
    }

    /// Gives one hold of a counted block back; at none it does nothing.
    pub fn release(&mut self, block: Object) {
        self.push(Operation::Release(block));
    }

    /// `debtor` owes the object's next signal from here on; of a [`Discipline::Lag`], one more. Of a [`Discipline::Count`] it is
    /// given a hold, which it gives back by [`Program::release`].
    pub fn owe(&mut self, debtor: Agent, object: Object) {
        self.push(Operation::Owe { debtor, object, after: None, via: debtor != self.agent });
    }

    /// As [`Program::owe`]; it is reached as soon as the last that is owed of `after` is.
    pub fn owe_after(&mut self, debtor: Agent, object: Object, after: Object) {
        let via = debtor != self.agent;
        self.push(Operation::Owe { debtor, object, after: Some(after), via });
    }

    /// Assigns.
    pub fn set(&mut self, variable: Variable, to: impl Into<Operand>) {
        let to = to.into();
        self.push(Operation::Set { variable, to });
    }

    /// Counts a variable up, round at `modulo`.
    pub fn add(&mut self, variable: Variable, amount: u8, modulo: u8) {
        self.push(Operation::Add { variable, amount, modulo });
    }

    /// Goes on when this is so; nobody is told of the wait. For what happens inside a driver, a device, a memory.
    pub fn until(&mut self, test: Test) {
        self.push(Operation::Until(test));
    }

    /// Goes on at the label if this is so.
    pub fn go_if(&mut self, test: Test, to: Label) {
        self.push(Operation::If { test, to: to.0 });
    }

    /// Goes on at the label.
    pub fn go(&mut self, to: Label) {
        self.push(Operation::Goto(to.0));
    }

    /// Goes on at one of these labels, by chance, in these shares; the explorer tries each.
    pub fn choose(&mut self, ways: &[(u32, Label)]) {
        self.push(Operation::Choose(ways.iter().map(|(share, label)| (*share, label.0)).collect()));
    }

    /// If the fault strikes here, goes on at the label.
    pub fn may_fail(&mut self, fault: Fault, to: Label) {
        self.push(Operation::Fault { fault, to: to.0 });
    }

    /// Computes for so many nanoseconds.
    pub fn compute(&mut self, least: u64, most: u64) {
        self.push(Operation::Compute { least, most });
    }

    /// Does nothing for so many nanoseconds.
    pub fn sleep(&mut self, least: u64, most: u64) {
        self.push(Operation::Sleep { least, most });
    }

    /// Gets something done.
    pub fn progress(&mut self, goal: u8, what: &str) {
        let what = self.world.name(what);
        self.push(Operation::Progress { goal, what });
    }

    /// Leaves a remark.
    pub fn mark(&mut self, kind: MarkKind, text: &str, objects: &[Object]) {
        let text = self.world.name(text);
        self.push(Operation::Mark { kind, text, objects: objects.into() });
    }

    /// Tells what the agent is doing, as a scheduler or an engine would.
    pub fn state(&mut self, state: AgentState, detail: &str) {
        let detail = self.world.name(detail);
        self.push(Operation::State { state, detail });
    }

    /// Tells that so many events were dropped here.
    pub fn lose(&mut self, events: u64) {
        self.push(Operation::Lose { events });
    }

    /// Exits.
    pub fn exit(&mut self) {
        self.push(Operation::Exit);
    }

    /// Another agent is no more from here on, wherever it stands, as the threads of a process that aborts. What it holds stays held.
    pub fn end(&mut self, other: Agent) {
        self.push(Operation::End(other));
    }

    /// Stands still for ever, without a word.
    pub fn halt(&mut self) {
        self.push(Operation::Halt);
    }
}
