//! Who runs on a processor? The ready thread of the highest priority; and what interrupts it.

use unwedge_trace::{AgentKind, AgentState};

use super::run::{Condition, Run};
use super::step::narrow_agent;
use super::{Agent, Name, Operation, Trigger, World};

/// A hardware thread.
#[derive(Clone, Debug, Default)]
pub(super) struct Cpu {
    pub(super) current: Option<Agent>,
    /// Threads that could run, in the order in which they became ready.
    pub(super) ready: Vec<Agent>,
    quantum_end: u64,
    instructions: u64,
    interrupts: Vec<Interrupt>,
}

/// An interrupt by instruction count.
#[derive(Clone, Debug)]
struct Interrupt {
    agent: Agent,
    every: u64,
    drift: u64,
    /// The count at which it comes next.
    next: u64,
    /// For each agent, how it is told that the callback runs on that thread.
    borrowed: Vec<Name>,
}

impl Cpu {
    /// The processors of a world.
    pub(super) fn of(world: &mut World) -> Vec<Self> {
        let used = world.agents.iter().filter_map(|agent| match agent.trigger {
            Trigger::Instructions { cpu, .. } => Some(cpu),
            Trigger::Own => agent.cpu,
        });
        let mut cpus = vec![Self::default(); used.max().map_or(0, |most| usize::from(most) + 1)];
        let borrowed: Vec<_> = world
            .agents
            .iter()
            .map(|agent| {
                format!("on thread {} \"{}\"", agent.entry.tid, agent.entry.name).into_boxed_str()
            })
            .collect();
        for number in 0..world.agents.len() {
            if let Trigger::Instructions { cpu, every, drift } = world.agents[number].trigger {
                let first = u32::try_from(world.names.len()).unwrap_or(u32::MAX);
                world.names.extend(borrowed.iter().cloned());
                cpus[usize::from(cpu)].interrupts.push(Interrupt {
                    agent: Agent(narrow_agent(number)),
                    every: every.max(1),
                    drift,
                    next: every.max(1),
                    borrowed: (first..).take(borrowed.len()).map(Name).collect(),
                });
            }
        }
        cpus
    }
}

impl Run {
    /// A thread's priority, raised by how long it has waited for its processor.
    fn effective(&self, agent: Agent, time: u64) -> i64 {
        let priority = i64::from(self.world.agents[usize::from(agent.0)].priority);
        let doing = &self.doing[usize::from(agent.0)];
        let waited = time.saturating_sub(doing.since);
        match self.world.machine.aging_ns {
            Some(aging) if doing.condition == Condition::Ready => {
                priority + i64::try_from(waited / aging.max(1)).unwrap_or(i64::MAX / 2)
            }
            _ => priority,
        }
    }

    /// The ready thread that would run: the first of those of the highest priority.
    fn best(&self, cpu: usize, time: u64) -> Option<(usize, i64)> {
        let ready = self.cpus[cpu].ready.iter().enumerate();
        let priorities = ready.map(|(place, agent)| (place, self.effective(*agent, time)));
        priorities.reduce(|best, other| if other.1 > best.1 { other } else { best })
    }

    /// The highest priority of a thread that waits with a deadline.
    fn waiting_with_deadline(&self, cpu: usize) -> Option<i64> {
        let agents = self.world.agents.iter().zip(&self.doing);
        let waiting = agents.filter(|(spec, doing)| {
            spec.cpu.is_some_and(|own| usize::from(own) == cpu)
                && doing.condition == Condition::Waiting
                && doing.deadline.is_some()
        });
        waiting.map(|(spec, _)| i64::from(spec.priority)).max()
    }

    /// Has the processor run whom it should.
    pub(super) fn pick(&mut self, cpu: usize, time: u64) {
        let Some((place, priority)) = self.best(cpu, time) else { return };
        let current = self.cpus[cpu].current;
        let own = |agent: Agent| i64::from(self.world.agents[usize::from(agent.0)].priority);
        if current.is_some_and(|current| own(current) >= priority) {
            return self.tell_ready(cpu);
        }
        let skips = self.world.machine.skips_to_deadlines
            && self.waiting_with_deadline(cpu).is_some_and(|waiting| waiting > priority);
        if skips {
            return self.tell_ready(cpu);
        }
        let agent = self.cpus[cpu].ready.remove(place);
        if let Some(current) = current {
            self.preempt(cpu, current, time);
        }
        self.cpus[cpu].current = Some(agent);
        self.cpus[cpu].quantum_end = time.saturating_add(self.world.machine.quantum_ns);
        let doing = &mut self.doing[usize::from(agent.0)];
        (doing.condition, doing.since, doing.started) = (Condition::Running, time, time);
        if std::mem::take(&mut doing.told_ready) {
            self.teller.scheduled(&self.world, agent, AgentState::Running, self.world.blank);
        }
        self.tell_ready(cpu);
        self.at(time, agent);
    }

    fn preempt(&mut self, cpu: usize, current: Agent, time: u64) {
        let number = usize::from(current.0);
        let ran = time.saturating_sub(self.doing[number].started);
        self.cpus[cpu].instructions += ran * self.world.machine.instructions_per_ns;
        self.unplan(current);
        let doing = &mut self.doing[number];
        // What was planned of it and did not happen is still to be done.
        if let Some(left) = &mut doing.left {
            *left += doing.planned.saturating_sub(ran);
        }
        (doing.condition, doing.since, doing.planned) = (Condition::Ready, time, 0);
        self.cpus[cpu].current = None;
        self.cpus[cpu].ready.insert(0, current);
    }

    /// The thread's quantum is over and an equal one is ready, or one that has grown older: that one runs now.
    pub(super) fn yields(&mut self, cpu: usize, agent: Agent, time: u64) -> bool {
        if time < self.cpus[cpu].quantum_end {
            return false;
        }
        let own = i64::from(self.world.agents[usize::from(agent.0)].priority);
        if self.best(cpu, time).is_none_or(|(_, priority)| priority < own) {
            self.cpus[cpu].quantum_end = time.saturating_add(self.world.machine.quantum_ns);
            return false;
        }
        self.unplan(agent);
        let doing = &mut self.doing[usize::from(agent.0)];
        (doing.condition, doing.since) = (Condition::Ready, time);
        self.cpus[cpu].current = None;
        self.cpus[cpu].ready.push(agent);
        self.pick(cpu, time);
        true
    }

    /// Those who could run and do not are told so, once.
    fn tell_ready(&mut self, cpu: usize) {
        for place in 0..self.cpus[cpu].ready.len() {
            let agent = self.cpus[cpu].ready[place];
            let told = &mut self.doing[usize::from(agent.0)].told_ready;
            if !std::mem::replace(told, true) {
                self.teller.scheduled(&self.world, agent, AgentState::Ready, self.world.blank);
            }
        }
    }

    /// How long the processor may run before an interrupt comes or the quantum ends, in nanoseconds; at least 1.
    pub(super) fn stretch(&self, cpu: usize, time: u64) -> u64 {
        let cpu = &self.cpus[cpu];
        let quantum = cpu.quantum_end.saturating_sub(time);
        let per_ns = self.world.machine.instructions_per_ns.max(1);
        let next = cpu.interrupts.iter().map(|interrupt| interrupt.next).min();
        let interrupt =
            next.map_or(u64::MAX, |next| next.saturating_sub(cpu.instructions).div_ceil(per_ns));
        let alone = cpu.ready.is_empty();
        (if alone { interrupt } else { interrupt.min(quantum) }).max(1)
    }

    /// Counts the instructions that were executed up to now, and lets interrupts come; says when they are done.
    pub(super) fn charge(&mut self, cpu: usize, agent: Agent, time: u64) -> u64 {
        let doing = &mut self.doing[usize::from(agent.0)];
        let ran = time.saturating_sub(doing.started);
        (doing.started, doing.planned) = (time, 0);
        self.cpus[cpu].instructions += ran * self.world.machine.instructions_per_ns;
        if self.cpus[cpu].interrupts.is_empty() {
            return time;
        }
        let mut now = time;
        for place in 0..self.cpus[cpu].interrupts.len() {
            if self.cpus[cpu].interrupts[place].next <= self.cpus[cpu].instructions {
                now = self.interrupt(cpu, place, agent, now);
            }
        }
        self.doing[usize::from(agent.0)].started = now;
        now
    }

    /// Runs an interrupt's callback on the thread that is there.
    fn interrupt(&mut self, cpu: usize, place: usize, borrowed: Agent, time: u64) -> u64 {
        let count = self.cpus[cpu].instructions;
        let drift = self.cpus[cpu].interrupts[place].drift;
        let late = self.drift(drift);
        let interrupt = &mut self.cpus[cpu].interrupts[place];
        interrupt.next = (count + interrupt.every).saturating_add_signed(late).max(count + 1);
        let (agent, detail) = (interrupt.agent, interrupt.borrowed[usize::from(borrowed.0)]);
        let mut now = time;
        self.teller.now = now;
        if self.world.agents[usize::from(agent.0)].entry.kind == AgentKind::Interrupt {
            self.teller.scheduled(&self.world, agent, AgentState::Running, detail);
        }
        // A callback that never ends would end the machine: it is cut off.
        for _ in 0..u8::MAX {
            self.teller.now = now;
            if !self.callback(agent, &mut now) {
                break;
            }
        }
        now
    }

    /// One operation of a callback. False at its end, and where it would have to wait, which it must not.
    fn callback(&mut self, agent: Agent, now: &mut u64) -> bool {
        let Some(way) = self.way(agent) else {
            self.rewind(agent);
            return false;
        };
        let ended = matches!(self.operation_of(agent), Operation::Exit);
        let cost = match self.operation_of(agent) {
            Operation::Compute { least, .. } => *least,
            _ => 1,
        };
        self.perform(agent, way, *now);
        *now += cost;
        !ended
    }
}
