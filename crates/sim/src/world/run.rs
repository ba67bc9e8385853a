//! What happens in a world as its time goes by? One of all the orders that are possible: the seed's.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use unwedge_trace::row::Batch;

use super::schedule::Cpu;
use super::step::{Readiness, Way, narrow_agent};
use super::tell::Teller;
use super::{Agent, Operation, Plan, Trigger, World};
use crate::lossy::Lossy;
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
    /// The call that it waits in, and the labels of what it waits for, or the handles of what has none.
    pub wait: Option<(&'r str, Vec<String>)>,
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
    pub(super) operations: u64,
}

/// Something that comes up: when, in which order, for whom.
type Entry = Reverse<(u64, u64, u16, u32)>;

/// A world whose time goes by.
#[derive(Debug)]
pub struct Run {
    pub(super) world: World,
    pub(super) state: Vec<u8>,
    pub(super) teller: Teller,
    random: Random,
    agenda: BinaryHeap<Entry>,
    order: u64,
    pub(super) doing: Vec<Doing>,
    pub(super) cpus: Vec<Cpu>,
    /// Agents that stand at a wait for each object, and their stamps; then the same of each variable.
    pub(super) watching: Vec<Vec<(Agent, u32)>>,
    occasions: Vec<u64>,
    struck: Vec<u64>,
    lossy: Option<Lossy>,
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
            lossy: Lossy::of(&world.sight),
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
        if self.teller.rows.is_empty() {
            return None;
        }
        let mut batch = self.teller.take(&self.world);
        if let Some(lossy) = &mut self.lossy {
            let objects = &self.world.objects;
            lossy.pass(&mut batch.rows, |object| {
                objects.get(object as usize).map(|object| object.entry.kind)
            });
        }
        Some(batch)
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

    /// What can be seen of each agent now.
    #[must_use]
    pub fn look(&self) -> Vec<Seen<'_>> {
        let see = |(number, doing): (usize, &Doing)| {
            let agent = Agent(narrow_agent(number));
            let wait = match self.world.operation(&self.state, agent) {
                Operation::Wait(wait) if doing.condition == Condition::Waiting => {
                    let labels =
                        wait.targets.iter().map(|target| self.world.label(target.object)).collect();
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

    /// Whether nothing comes up until then.
    pub(super) fn nothing_before(&self, time: u64) -> bool {
        self.agenda.peek().is_none_or(|Reverse((next, ..))| *next > time)
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
            let free = self.charge(cpu, agent, time);
            // An interrupt may have woken one of a higher priority.
            if self.doing[usize::from(agent.0)].condition != Condition::Running {
                return;
            }
            if free > time {
                return self.at(free, agent);
            }
            if self.yields(cpu, agent, time) {
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
