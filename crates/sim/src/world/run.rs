//! What happens in a world as its time goes by? One of all the orders that are possible: the seed's.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use unwedge_trace::row::Batch;

use super::schedule::Cpu;
use super::step::{Readiness, Way, narrow_agent};
use super::tell::Teller;
use super::{Agent, Object, Operation, Plan, Source, Trigger, Variable, World};
use crate::random::Random;

/// Where an agent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It goes on.
    Running,
    /// It could go on, and its processor runs another.
    Ready,
    /// It waits.
    Waiting,
    /// It does nothing for a while, or for ever, and nobody is told why.
    Still,
    /// It is gone.
    Exited,
}

/// What can be seen of an agent at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<'r> {
    /// Who.
    pub agent: Agent,
    /// Its name.
    pub name: &'r str,
    /// Where it is.
    pub condition: Condition,
    /// The call that it waits in, and the labels of what it waits for.
    pub wait: Option<(&'r str, Vec<&'r str>)>,
    /// Since when, in nanoseconds of the world's time.
    pub since: u64,
    /// Operations that it has done.
    pub operations: u64,
}

/// What the run knows of an agent beside the world's state.
#[derive(Clone, Debug)]
pub(super) struct Doing {
    pub(super) condition: Condition,
    /// Entries of the agenda with another stamp are out of date.
    pub(super) stamp: u32,
    pub(super) since: u64,
    /// When its bounded wait times out.
    pub(super) deadline: Option<u64>,
    /// What is left of its operation's time, once that has begun.
    pub(super) left: Option<u64>,
    /// When the stretch of running that the agenda has for it began.
    pub(super) started: u64,
    /// How long a stretch of its operation that is, in nanoseconds.
    pub(super) planned: u64,
    /// It has been told that it is ready.
    pub(super) told_ready: bool,
    operations: u64,
}

/// Something that comes up: when, in which order, for whom.
type Entry = Reverse<(u64, u64, u16, u32)>;

/// A world whose time goes by.
#[derive(Debug)]
pub struct Run {
    pub(super) world: World,
    state: Vec<u8>,
    pub(super) teller: Teller,
    random: Random,
    agenda: BinaryHeap<Entry>,
    order: u64,
    pub(super) doing: Vec<Doing>,
    pub(super) cpus: Vec<Cpu>,
    /// Agents that stand at a wait for each object, and their stamps; then the same of each variable.
    watching: Vec<Vec<(Agent, u32)>>,
    occasions: Vec<u64>,
    struck: Vec<u64>,
}

impl Run {
    /// The world at its beginning.
    #[must_use]
    pub fn new(mut world: World, seed: u64) -> Self {
        let cpus = Cpu::of(&mut world);
        let state = world.initial_state();
        let doing = Doing {
            condition: Condition::Running,
            stamp: 0,
            since: 0,
            deadline: None,
            left: None,
            started: 0,
            planned: 0,
            told_ready: false,
            operations: 0,
        };
        let mut run = Self {
            state,
            teller: Teller::new(&world),
            random: Random::new(seed),
            agenda: BinaryHeap::new(),
            order: 0,
            doing: vec![doing; world.agents.len()],
            cpus,
            watching: vec![Vec::new(); world.objects.len() + world.variables.len()],
            occasions: vec![0; world.faults.len()],
            struck: vec![0; world.faults.len()],
            world,
        };
        run.start();
        run
    }

    fn start(&mut self) {
        for number in 0..self.world.agents.len() {
            let agent = Agent(narrow_agent(number));
            let spec = &self.world.agents[number];
            match (spec.trigger, spec.cpu) {
                (Trigger::Instructions { .. }, _) => {
                    self.doing[number].condition = Condition::Still;
                }
                (Trigger::Own, Some(cpu)) => {
                    self.doing[number].condition = Condition::Ready;
                    self.cpus[usize::from(cpu)].ready.push(agent);
                }
                (Trigger::Own, None) => self.at(0, agent),
            }
        }
        for cpu in 0..self.cpus.len() {
            self.pick(cpu, 0);
        }
    }

    /// Lets time go by until there are so many rows, or until nothing happens any more or not before `until` (nanoseconds of
    /// the world's time). `None` when nothing was left to happen.
    pub fn batch(&mut self, rows: usize, until: u64) -> Option<Batch> {
        while self.teller.rows.len() < rows {
            match self.agenda.peek() {
                Some(Reverse((time, ..))) if *time <= until => {}
                _ => break,
            }
            let Some(Reverse((time, _, agent, stamp))) = self.agenda.pop() else { break };
            if self.doing[usize::from(agent)].stamp == stamp {
                self.comes_up(Agent(agent), time, until, rows);
            }
        }
        if self.teller.rows.is_empty() { None } else { Some(self.teller.take(&self.world)) }
    }

    /// What its rows name, without rows: for whoever wants the tables of a world that has said nothing yet.
    #[must_use]
    pub fn tables(&mut self) -> Batch {
        self.teller.take(&self.world)
    }

    /// The world's time, in nanoseconds.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.teller.now
    }

    /// Whether nothing is left to happen: nothing that comes up would change anything.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let current = |entry: &Entry| {
            let Reverse((_, _, agent, stamp)) = entry;
            self.doing[usize::from(*agent)].stamp == *stamp
        };
        !self.agenda.iter().any(current)
    }

    /// Instructions that a processor has executed, counted up to when it last had to be looked at; 0 of one that is not there.
    #[must_use]
    pub fn instructions(&self, cpu: u8) -> u64 {
        self.cpus.get(usize::from(cpu)).map_or(0, Cpu::instructions)
    }

    /// The faults that struck, and how often.
    pub fn struck(&self) -> impl Iterator<Item = (&str, u64)> {
        let struck = self.world.faults.iter().zip(&self.struck);
        struck.filter(|(_, count)| **count > 0).map(|(fault, count)| (fault.name.as_str(), *count))
    }

    /// The rows of this agent are left out from here on: the source does not observe it.
    pub fn hide(&mut self, agent: Agent) {
        self.teller.hidden[usize::from(agent.0)] = true;
    }

    /// What can be seen of each agent now.
    #[must_use]
    pub fn look(&self) -> Vec<Seen<'_>> {
        let see = |(number, doing): (usize, &Doing)| {
            let agent = Agent(narrow_agent(number));
            let wait = match self.world.operation(&self.state, agent) {
                Operation::Wait(wait) if doing.condition == Condition::Waiting => {
                    let label =
                        |object: Object| &*self.world.objects[usize::from(object.0)].entry.label;
                    let labels = wait.targets.iter().map(|target| label(target.object)).collect();
                    Some((&*self.world.names[wait.call.0 as usize], labels))
                }
                _ => None,
            };
            let name = self.world.agent_name(agent);
            let (condition, since) = (doing.condition, doing.since);
            Seen { agent, name, condition, wait, since, operations: doing.operations }
        };
        self.doing.iter().enumerate().map(see).collect()
    }

    /// The agent's turn comes at `time`.
    pub(super) fn at(&mut self, time: u64, agent: Agent) {
        self.order += 1;
        let stamp = self.doing[usize::from(agent.0)].stamp;
        self.agenda.push(Reverse((time, self.order, agent.0, stamp)));
    }

    /// What was planned for the agent is not so any more.
    pub(super) fn unplan(&mut self, agent: Agent) {
        let doing = &mut self.doing[usize::from(agent.0)];
        doing.stamp = doing.stamp.wrapping_add(1);
    }

    fn comes_up(&mut self, agent: Agent, time: u64, until: u64, rows: usize) {
        self.teller.now = time;
        match self.doing[usize::from(agent.0)].condition {
            Condition::Running => self.go_on(agent, time, until, rows),
            Condition::Waiting | Condition::Still => {
                match self.world.agents[usize::from(agent.0)].trigger {
                    // A deadline, or the end of a sleep.
                    Trigger::Own => self.wake(agent, time),
                    Trigger::Instructions { cpu, .. } => {
                        self.interrupt_idle(usize::from(cpu), time);
                    }
                }
            }
            // It has grown older.
            Condition::Ready => {
                if let Some(cpu) = self.world.agents[usize::from(agent.0)].cpu {
                    self.pick(usize::from(cpu), time);
                }
            }
            Condition::Exited => {}
        }
    }

    /// Does one operation after the other until time has to go by, or others come first.
    fn go_on(&mut self, agent: Agent, mut time: u64, until: u64, rows: usize) {
        let cpu = self.world.agents[usize::from(agent.0)].cpu.map(usize::from);
        if let Some(cpu) = cpu {
            time = self.charge(cpu, agent, time);
            // An interrupt may have woken one of a higher priority.
            if self.doing[usize::from(agent.0)].condition != Condition::Running
                || self.yields(cpu, agent, time)
            {
                return;
            }
        }
        loop {
            self.teller.now = time;
            if let Some(left) = self.doing[usize::from(agent.0)].left {
                if left > 0 && !self.goes_on(agent, time, left, until, rows) {
                    return self.spend(agent, time, left);
                }
                time += left;
                self.teller.now = time;
                self.doing[usize::from(agent.0)].left = None;
                self.perform(agent, Way::Go, time);
                continue;
            }
            let Some(cost) = self.operate(agent, time) else { return };
            // What it did may have woken one of a higher priority.
            if self.doing[usize::from(agent.0)].condition != Condition::Running {
                return;
            }
            if cost > 0 && !self.goes_on(agent, time, cost, until, rows) {
                self.doing[usize::from(agent.0)].started = time;
                return self.at(time + cost, agent);
            }
            time += cost;
        }
    }

    /// Whether nothing comes up while the agent is busy for so long; then it has been.
    #[inline]
    fn goes_on(&mut self, agent: Agent, time: u64, cost: u64, until: u64, rows: usize) -> bool {
        let next = time.saturating_add(cost);
        let others = self.agenda.peek().is_some_and(|Reverse((other, ..))| *other <= next);
        if others || next > until || self.teller.rows.len() >= rows {
            return false;
        }
        let number = usize::from(agent.0);
        let Some(cpu) = self.world.agents[number].cpu.map(usize::from) else { return true };
        let undisturbed = self.execute_undisturbed(cpu, next, cost);
        if undisturbed {
            self.doing[number].started = next;
        }
        undisturbed
    }

    /// The rest of a computation, or as much of it as fits before its processor has something else to see to.
    fn spend(&mut self, agent: Agent, time: u64, left: u64) {
        let most = match self.world.agents[usize::from(agent.0)].cpu {
            Some(cpu) => left.min(self.stretch(usize::from(cpu), time)),
            None => left,
        };
        let doing = &mut self.doing[usize::from(agent.0)];
        (doing.left, doing.started, doing.planned) = (Some(left - most), time, most);
        self.at(time + most, agent);
    }

    /// Does one operation now; says what it cost, or `None` if the agent cannot go on.
    fn operate(&mut self, agent: Agent, time: u64) -> Option<u64> {
        let readiness = self.world.readiness(&self.state, agent);
        let timed_out = self.doing[usize::from(agent.0)].deadline.is_some_and(|at| at <= time);
        match readiness {
            Readiness::Can => {}
            Readiness::UntilTimeOut if timed_out => {
                self.perform(agent, Way::TimeOut, time);
                return Some(self.world.machine.operation_ns);
            }
            Readiness::UntilTimeOut | Readiness::Cannot => {
                self.block(agent, time);
                return None;
            }
            Readiness::Ended => {
                self.stop(agent, Condition::Exited, time);
                return None;
            }
        }
        let small = 1;
        match self.world.operation(&self.state, agent) {
            Operation::Compute { least, most } => {
                let cost = self.random.between(*least, *most);
                self.doing[usize::from(agent.0)].left = Some(cost);
                return Some(0);
            }
            Operation::Sleep { least, most } => {
                let until = time + self.random.between(*least, *most);
                self.doing[usize::from(agent.0)].left = Some(0);
                self.stop(agent, Condition::Still, time);
                self.at(until, agent);
                return None;
            }
            Operation::Choose(ways) => {
                let choice = choose(&mut self.random, ways);
                self.perform(agent, Way::Choice(choice), time);
                return Some(small);
            }
            Operation::Fault { fault, .. } => {
                let way = if self.strikes(usize::from(fault.0)) { Way::Strike } else { Way::Go };
                self.perform(agent, way, time);
                return Some(small);
            }
            Operation::Goto(_) => {
                self.perform(agent, Way::Go, time);
                return Some(0);
            }
            Operation::Set { .. }
            | Operation::Add { .. }
            | Operation::If { .. }
            | Operation::Until(_) => {
                self.perform(agent, Way::Go, time);
                return Some(small);
            }
            _ => {}
        }
        self.perform(agent, Way::Go, time);
        Some(self.world.machine.operation_ns)
    }

    /// How an agent that need not wait goes on; `None` if it would have to wait.
    pub(super) fn way(&mut self, agent: Agent) -> Option<Way> {
        match self.world.readiness(&self.state, agent) {
            Readiness::Can | Readiness::Ended => {}
            Readiness::UntilTimeOut | Readiness::Cannot => return None,
        }
        let fault = match self.world.operation(&self.state, agent) {
            Operation::Choose(ways) => return Some(Way::Choice(choose(&mut self.random, ways))),
            Operation::Fault { fault, .. } => usize::from(fault.0),
            _ => return Some(Way::Go),
        };
        Some(if self.strikes(fault) { Way::Strike } else { Way::Go })
    }

    /// The operation that the agent stands at.
    pub(super) fn operation_of(&self, agent: Agent) -> &Operation {
        self.world.operation(&self.state, agent)
    }

    /// Puts the agent at its beginning.
    pub(super) fn rewind(&mut self, agent: Agent) {
        let place = self.world.place_at(agent);
        self.state[place] = 0;
    }

    /// Early or late by at most so many.
    pub(super) fn drift(&mut self, most: u64) -> i64 {
        let most = i64::try_from(most).unwrap_or(i64::MAX / 2);
        i64::try_from(self.random.below(2 * most.unsigned_abs() + 1)).unwrap_or(0) - most
    }

    fn strikes(&mut self, fault: usize) -> bool {
        self.occasions[fault] += 1;
        let strikes = match self.world.faults[fault].plan {
            Plan::Never => false,
            Plan::Nth(n) => self.occasions[fault] == n,
            Plan::From(n) => self.occasions[fault] >= n,
            Plan::Chance(times) => self.random.in_a_million(times),
        };
        self.struck[fault] += u64::from(strikes);
        strikes
    }

    /// Does the operation and wakes those who waited for what it changed.
    pub(super) fn perform(&mut self, agent: Agent, way: Way, time: u64) {
        let doing = &mut self.doing[usize::from(agent.0)];
        (doing.deadline, doing.operations) = (None, doing.operations + 1);
        let changed = changes(self.world.operation(&self.state, agent), way);
        self.world.perform(&mut self.state, agent, way, &mut self.teller);
        match changed {
            Changed::Nothing => {}
            Changed::Object(object) => self.wake_watchers(usize::from(object.0), time),
            Changed::Variable(variable) => {
                self.wake_watchers(self.world.variable_at(variable), time)
            }
            Changed::Taken => self.wake_watchers_of_targets(agent, time),
            Changed::Ended(other) => {
                if let Some(cpu) = self.world.agents[usize::from(other.0)].cpu {
                    self.cpus[usize::from(cpu)].ready.retain(|ready| *ready != other);
                }
                self.stop(other, Condition::Exited, time);
            }
        }
    }

    /// A wait took tokens, which those may see who look for an object to be empty.
    fn wake_watchers_of_targets(&mut self, agent: Agent, time: u64) {
        let place = usize::from(self.state[self.world.place_at(agent)]);
        let program = &self.world.agents[usize::from(agent.0)].program;
        let Some(Operation::Wait(wait)) = place.checked_sub(1).and_then(|at| program.get(at))
        else {
            return;
        };
        let objects: Vec<_> = wait.targets.iter().map(|target| target.object).collect();
        for object in objects {
            self.wake_watchers(usize::from(object.0), time);
        }
    }

    /// Those who wait for this and can go on now do; first come, first served.
    fn wake_watchers(&mut self, at: usize, time: u64) {
        if self.watching[at].is_empty() {
            return;
        }
        let mut watching = std::mem::take(&mut self.watching[at]);
        watching.retain(|(agent, stamp)| {
            let current = self.doing[usize::from(agent.0)].stamp == *stamp;
            let can = current && self.world.readiness(&self.state, *agent) == Readiness::Can;
            if can {
                self.wake(*agent, time);
            }
            current && !can
        });
        self.watching[at].append(&mut watching);
    }

    /// The agent stands at something that is not so yet.
    fn block(&mut self, agent: Agent, time: u64) {
        let number = usize::from(agent.0);
        let deadline = self.doing[number].deadline;
        let again = deadline.is_some();
        self.stop(agent, Condition::Waiting, time);
        let stamp = self.doing[number].stamp;
        match self.world.operation(&self.state, agent) {
            Operation::Wait(wait) => {
                for target in &wait.targets {
                    watch(&mut self.watching[usize::from(target.object.0)], agent, stamp);
                    if let super::Operand::Variable(slack) = target.slack {
                        watch(&mut self.watching[self.world.variable_at(slack)], agent, stamp);
                    }
                }
                let bound = wait.bound;
                self.teller.waits(&self.world, &self.state, agent, wait);
                let at = if again { deadline } else { bound.map(|ns| time.saturating_add(ns)) };
                self.doing[number].deadline = at;
                if let Some(at) = at {
                    self.at(at, agent);
                }
            }
            Operation::Until(test) => {
                self.doing[number].condition = Condition::Still;
                let places = [
                    Some(match test.source {
                        Source::Variable(variable) => self.world.variable_at(variable),
                        Source::Object(object) => usize::from(object.0),
                    }),
                    match test.with {
                        super::Operand::Variable(variable) => {
                            Some(self.world.variable_at(variable))
                        }
                        super::Operand::Number(_) => None,
                    },
                ];
                for place in places.into_iter().flatten() {
                    watch(&mut self.watching[place], agent, stamp);
                }
            }
            _ => self.doing[number].condition = Condition::Still,
        }
        if let Some(cpu) = self.world.agents[number].cpu {
            self.pick(usize::from(cpu), time);
        }
    }

    /// The agent does not run any more; its processor is free.
    fn stop(&mut self, agent: Agent, condition: Condition, time: u64) {
        self.unplan(agent);
        let doing = &mut self.doing[usize::from(agent.0)];
        (doing.condition, doing.since) = (condition, time);
        if let Some(cpu) = self.world.agents[usize::from(agent.0)].cpu {
            let cpu = usize::from(cpu);
            if self.cpus[cpu].current == Some(agent) {
                self.cpus[cpu].current = None;
                if condition != Condition::Waiting {
                    self.pick(cpu, time);
                }
            }
        }
    }

    /// The agent can go on, or has to see whether it can.
    fn wake(&mut self, agent: Agent, time: u64) {
        self.unplan(agent);
        let doing = &mut self.doing[usize::from(agent.0)];
        doing.since = time;
        if let Some(cpu) = self.world.agents[usize::from(agent.0)].cpu {
            doing.condition = Condition::Ready;
            self.cpus[usize::from(cpu)].ready.push(agent);
            self.pick(usize::from(cpu), time);
        } else {
            doing.condition = Condition::Running;
            self.at(time, agent);
        }
    }
}

/// Adds an agent at the end of a queue; what is left of its earlier waits goes.
fn watch(watching: &mut Vec<(Agent, u32)>, agent: Agent, stamp: u32) {
    watching.retain(|(other, _)| *other != agent);
    watching.push((agent, stamp));
}

/// What an operation may have changed that others look at.
enum Changed {
    Nothing,
    Object(Object),
    Variable(Variable),
    Taken,
    Ended(Agent),
}

fn changes(operation: &Operation, way: Way) -> Changed {
    match operation {
        Operation::Signal(object)
        | Operation::Reset(object)
        | Operation::Renew(object)
        | Operation::Unlock(object)
        | Operation::Hold(object)
        | Operation::Release(object)
        | Operation::Owe { object, .. } => Changed::Object(*object),
        Operation::Set { variable, .. } | Operation::Add { variable, .. } => {
            Changed::Variable(*variable)
        }
        Operation::Wait(_) if way == Way::Go => Changed::Taken,
        Operation::End(other) => Changed::Ended(*other),
        _ => Changed::Nothing,
    }
}

fn choose(random: &mut Random, ways: &[(u32, u16)]) -> u8 {
    let all: u64 = ways.iter().map(|(share, _)| u64::from(*share)).sum();
    let mut at = random.below(all);
    for (place, (share, _)) in ways.iter().enumerate() {
        if at < u64::from(*share) {
            return u8::try_from(place).unwrap_or(0);
        }
        at -= u64::from(*share);
    }
    0
}
