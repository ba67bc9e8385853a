//! What can happen in a world, in whatever order? The world as a model for the explorer, and one way through it as a trace.

use std::marker::PhantomData;

use unwedge_trace::AgentState;
use unwedge_trace::row::Batch;

use super::packed::Packed;
use super::run::Run;
use super::step::{Readiness, Silence, Way, narrow_agent};
use super::tell::Teller;
use super::{Agent, Comparison, Object, Operand, Operation, Plan, Source, Test, Variable, World};
use crate::model::{Action, Goals, Model};

/// What one agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Step {
    /// Who.
    pub agent: Agent,
    /// How it goes on.
    pub way: Way,
}

/// A world whose every order is to be tried. `BYTES` is the room for a state: see [`Exploration::new`].
#[derive(Clone, Copy, Debug)]
pub struct Exploration<'w, const BYTES: usize> {
    world: &'w World,
    reduced: bool,
    room: PhantomData<[u8; BYTES]>,
}

impl<'w, const BYTES: usize> Exploration<'w, BYTES> {
    /// `None` if a state of the world does not fit into `BYTES` bytes; see [`World::state_bytes`].
    #[must_use]
    pub fn new(world: &'w World) -> Option<Self> {
        let fits = world.state_len() <= BYTES;
        fits.then_some(Self { world, reduced: true, room: PhantomData })
    }

    /// The same without what makes it smaller: each operation is a step of its own, and agents that are alike are told
    /// apart. The answer is the same; this is for those who doubt it, as the tests do.
    #[must_use]
    pub fn unreduced(self) -> Self {
        Self { reduced: false, ..self }
    }

    /// Does what follows an agent's step without anybody else having a say.
    fn settle(&self, state: &mut [u8], agent: Agent) {
        if self.reduced {
            settle(self.world, state, agent, &mut Silence);
        }
    }
}

fn settle(world: &World, state: &mut [u8], agent: Agent, tell: &mut impl super::step::Tell) {
    let spec = &world.agents[usize::from(agent.0)];
    // `build` refuses programs that go round silently, but for loops over a counter, which this bounds.
    for _ in 0..=u16::MAX {
        let place = usize::from(state[world.place_at(agent)]);
        if !spec.silent[place] {
            return;
        }
        world.perform(state, agent, Way::Go, tell);
    }
}

impl World {
    /// How many bytes a state of it has.
    #[must_use]
    pub fn state_bytes(&self) -> usize {
        self.state_len()
    }

    fn first_state(&self, tell: &mut impl super::step::Tell) -> Vec<u8> {
        let mut state = self.initial_state();
        for agent in 0..self.agents.len() {
            settle(self, &mut state, Agent(narrow_agent(agent)), tell);
        }
        state
    }

    fn steps(&self, state: &[u8], steps: &mut Vec<Step>) {
        for number in 0..self.agents.len() {
            let agent = Agent(narrow_agent(number));
            if !self.is_picked(state, agent) {
                continue;
            }
            let mut can = |way| steps.push(Step { agent, way });
            match self.readiness(state, agent) {
                Readiness::UntilTimeOut => can(Way::TimeOut),
                Readiness::Can => match self.operation(state, agent) {
                    Operation::Choose(ways) => {
                        (0..ways.len()).for_each(|way| can(Way::Choice(way.to_le_bytes()[0])));
                    }
                    Operation::Fault { fault, .. } => {
                        can(Way::Go);
                        let planned = self.faults[usize::from(fault.0)].plan != Plan::Never;
                        if planned && state[self.faults_at()] > 0 {
                            can(Way::Strike);
                        }
                    }
                    _ => can(Way::Go),
                },
                Readiness::Ended | Readiness::Cannot => {}
            }
        }
    }

    /// Whether the agent's processor would run it: no thread of a higher priority keeps it from that.
    fn is_picked(&self, state: &[u8], agent: Agent) -> bool {
        let spec = &self.agents[usize::from(agent.0)];
        let Some(cpu) = spec.cpu else { return true };
        if self.machine.aging_ns.is_some() {
            return true;
        }
        let mut others = self.agents.iter().enumerate();
        !others.any(|(number, other)| {
            other.cpu == Some(cpu)
                && other.priority > spec.priority
                && self.occupies(state, Agent(narrow_agent(number)))
        })
    }

    /// Whether the agent keeps its processor from those of a lower priority.
    fn occupies(&self, state: &[u8], agent: Agent) -> bool {
        match self.readiness(state, agent) {
            Readiness::Can => !matches!(self.operation(state, agent), Operation::Sleep { .. }),
            Readiness::UntilTimeOut => self.machine.skips_to_deadlines,
            Readiness::Cannot | Readiness::Ended => false,
        }
    }

    fn sort_of(&self, state: &[u8], step: Step) -> Action {
        match (self.operation(state, step.agent), step.way) {
            (_, Way::Strike) => Action::Fault,
            (Operation::Progress { goal, .. }, _) => Action::Step(Goals(1 << goal.min(&31))),
            _ => Action::Step(Goals::NONE),
        }
    }

    fn words(&self, state: &[u8], step: Step) -> String {
        let spec = &self.agents[usize::from(step.agent.0)];
        let name = if spec.entry.name.is_empty() { "an agent" } else { &spec.entry.name };
        let label = |object: Object| self.label(object);
        let text = |name: super::Name| &*self.names[name.0 as usize];
        let what = match self.operation(state, step.agent) {
            Operation::Wait(wait) => {
                let labels: Vec<_> =
                    wait.targets.iter().map(|target| label(target.object)).collect();
                let how = if step.way == Way::TimeOut { "times out" } else { "goes on" };
                format!("{how} in {} for {}", text(wait.call), labels.join(", "))
            }
            Operation::Signal(object) => format!("signals {}", label(*object)),
            Operation::Reset(object) => format!("resets {}", label(*object)),
            Operation::Renew(object) => format!("puts a fresh {} in its place", label(*object)),
            Operation::Unlock(object) => format!("unlocks {}", label(*object)),
            Operation::Hold(object) => format!("takes a hold of {}", label(*object)),
            Operation::Release(object) => format!("gives back its hold of {}", label(*object)),
            Operation::Owe { debtor, object, .. } => {
                format!("has {} owe {}", self.agent_name(*debtor), label(*object))
            }
            Operation::Progress { what, .. } => format!("gets on: {}", text(*what)),
            Operation::Fault { fault, .. } if step.way == Way::Strike => {
                format!("meets a fault: {}", self.faults[usize::from(fault.0)].name)
            }
            Operation::Fault { fault, .. } => {
                format!("is spared by {}", self.faults[usize::from(fault.0)].name)
            }
            Operation::End(other) => format!("ends {}", self.agent_name(*other)),
            Operation::Choose(_) => "takes one of several ways".to_owned(),
            Operation::Until(test) => format!("sees that {}", self.test_words(test)),
            Operation::If { test, .. } => {
                let answer = if self.holds(state, test) { "yes" } else { "no" };
                format!("looks whether {}: {answer}", self.test_words(test))
            }
            Operation::Set { variable, to } => {
                format!("sets {} to {}", self.variable_name(*variable), self.operand_words(*to))
            }
            Operation::Add { variable, amount, .. } => {
                format!("adds {amount} to {}", self.variable_name(*variable))
            }
            Operation::Exit => "starts anew".to_owned(),
            _ => "goes on".to_owned(),
        };
        format!("{name} {what}")
    }

    fn variable_name(&self, variable: Variable) -> String {
        match &*self.variables[usize::from(variable.0)].name {
            "" => format!("variable {}", variable.0),
            name => name.to_owned(),
        }
    }

    fn operand_words(&self, operand: Operand) -> String {
        match operand {
            Operand::Number(number) => number.to_string(),
            Operand::Variable(variable) => self.variable_name(variable),
        }
    }

    fn test_words(&self, test: &Test) -> String {
        let source = match test.source {
            Source::Variable(variable) => self.variable_name(variable),
            Source::Object(object) => self.label(object),
        };
        let compares = match test.comparison {
            Comparison::Is => "is",
            Comparison::Not => "is not",
            Comparison::Below => "is below",
            Comparison::AtLeast => "is at least",
        };
        format!("{source} {compares} {}", self.operand_words(test.with))
    }

    pub(super) fn label(&self, object: Object) -> String {
        let entry = &self.objects[usize::from(object.0)].entry;
        if entry.label.is_empty() {
            format!("{:#x}", entry.handle)
        } else {
            entry.label.to_string()
        }
    }
}

impl<const BYTES: usize> Model for Exploration<'_, BYTES> {
    type State = Packed<BYTES>;
    type Action = Step;

    fn init_states(&self) -> Vec<Self::State> {
        let state = if self.reduced {
            self.world.first_state(&mut Silence)
        } else {
            self.world.initial_state()
        };
        vec![Packed::new(&state)]
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>) {
        self.world.steps(state, actions);
    }

    fn next_state(&self, state: &Self::State, step: &Step) -> Option<Self::State> {
        let mut next = *state;
        self.world.perform(&mut next, step.agent, step.way, &mut Silence);
        self.settle(&mut next, step.agent);
        Some(next)
    }

    fn sort(&self, state: &Self::State, step: &Step) -> Action {
        self.world.sort_of(state, *step)
    }

    fn goals(&self) -> Goals {
        Goals::first(u32::try_from(self.world.goals.len()).unwrap_or(u32::MAX))
    }

    fn is_done(&self, state: &Self::State) -> bool {
        let mut agents = self.world.agents.iter().enumerate();
        agents.all(|(number, spec)| {
            let agent = Agent(narrow_agent(number));
            spec.daemon || matches!(self.world.operation(state, agent), Operation::Gone)
        })
    }

    fn representative(&self, mut state: Self::State) -> Self::State {
        if self.reduced {
            self.world.sort_alike(&mut state);
        }
        state
    }

    fn describe(&self, state: &Self::State, step: &Step) -> String {
        self.world.words(state, *step)
    }
}

impl World {
    /// Puts agents that are alike into the order of what they are doing and what they own.
    fn sort_alike(&self, state: &mut [u8]) {
        for group in &self.alike {
            // Insertion sort: there is a handful of them.
            for end in 1..group.len() {
                let mut at = end;
                while at > 0 && self.does(state, group[at]).lt(self.does(state, group[at - 1])) {
                    let (one, other) = (group[at - 1], group[at]);
                    let locals = self.agents[usize::from(one.0)].locals.len();
                    for local in 0..=locals {
                        state.swap(self.local_at(one, local), self.local_at(other, local));
                    }
                    self.swap_owners(state, one, other);
                    at -= 1;
                }
            }
        }
    }

    /// Where a state has an agent's place in its program, and after that its own variables.
    fn local_at(&self, agent: Agent, local: usize) -> usize {
        match local.checked_sub(1) {
            None => self.place_at(agent),
            Some(local) => self.variable_at(self.agents[usize::from(agent.0)].locals[local]),
        }
    }

    /// All that a state has of an agent.
    fn does<'s>(&'s self, state: &'s [u8], agent: Agent) -> impl Iterator<Item = u8> + 's {
        let locals = 0..=self.agents[usize::from(agent.0)].locals.len();
        let own = (agent.0 + 1).to_le_bytes()[0];
        let locks = self.objects.iter().zip(state);
        let locks = locks.filter(|(object, _)| object.discipline == super::Discipline::Lock);
        let locals = locals.map(move |local| state[self.local_at(agent, local)]);
        locals.chain(locks.map(move |(_, owner)| u8::from(*owner == own)))
    }

    fn swap_owners(&self, state: &mut [u8], one: Agent, other: Agent) {
        let (one, other) = ((one.0 + 1).to_le_bytes()[0], (other.0 + 1).to_le_bytes()[0]);
        let locks = self.objects.iter().zip(state.iter_mut());
        for (object, owner) in locks {
            if object.discipline == super::Discipline::Lock {
                if *owner == one {
                    *owner = other;
                } else if *owner == other {
                    *owner = one;
                }
            }
        }
    }
}

/// One way through a world, step by step, as a trace.
#[derive(Debug)]
pub struct Replay<'w> {
    world: &'w World,
    state: Vec<u8>,
    teller: Teller,
    /// Agents that have been told to be ready.
    ready: Vec<bool>,
}

/// What a step of a replay takes, in nanoseconds of the world's time.
const STEP_NS: u64 = 1_000_000;

impl<'w> Replay<'w> {
    /// The world at its beginning.
    #[must_use]
    pub fn new(world: &'w World) -> Self {
        let mut teller = Teller::new(world);
        let state = world.first_state(&mut teller);
        let ready = vec![false; world.agents.len()];
        let mut replay = Self { world, state, teller, ready };
        replay.tell_waits();
        replay
    }

    /// What could happen now.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        self.world.steps(&self.state, &mut steps);
        steps
    }

    /// Everybody who can takes a step, and nothing goes wrong. False if nobody can.
    pub fn turn(&mut self) -> bool {
        let mut any = false;
        for agent in 0..self.world.agents.len() {
            let agent = Agent(narrow_agent(agent));
            let own = |step: &Step| step.agent == agent && step.way != Way::Strike;
            if let Some(step) = self.steps().into_iter().find(own) {
                any |= self.take(step).is_some();
            }
        }
        any
    }

    /// Takes a step; says it in words, or `None` if it cannot be taken here.
    pub fn take(&mut self, step: Step) -> Option<String> {
        if !self.steps().contains(&step) {
            return None;
        }
        self.teller.now += STEP_NS;
        let words = self.world.words(&self.state, step);
        if std::mem::take(&mut self.ready[usize::from(step.agent.0)]) {
            let blank = self.world.blank;
            self.teller.scheduled(self.world, step.agent, AgentState::Running, blank);
        }
        self.world.perform(&mut self.state, step.agent, step.way, &mut self.teller);
        settle(self.world, &mut self.state, step.agent, &mut self.teller);
        self.tell_waits();
        Some(words)
    }

    /// The trace so far.
    #[must_use]
    pub fn finish(mut self) -> Batch {
        self.teller.take(self.world)
    }

    /// The world's time, in nanoseconds.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.teller.now
    }

    /// Whoever stands at a wait by now has begun to wait; whoever is kept from its processor is ready.
    fn tell_waits(&mut self) {
        for number in 0..self.world.agents.len() {
            let agent = Agent(narrow_agent(number));
            if let Operation::Wait(wait) = self.world.operation(&self.state, agent)
                && !self.world.is_reached(&self.state, wait)
            {
                self.teller.waits(self.world, &self.state, agent, wait);
            }
            let kept = || {
                self.world.readiness(&self.state, agent) == Readiness::Can
                    && !self.world.is_picked(&self.state, agent)
            };
            if !self.ready[number] && kept() {
                self.ready[number] = true;
                let blank = self.world.blank;
                self.teller.scheduled(self.world, agent, AgentState::Ready, blank);
            }
        }
    }
}

impl World {
    /// A run of it.
    #[must_use]
    pub fn run(&self, seed: u64) -> Run {
        Run::new(self.clone(), seed)
    }
}
