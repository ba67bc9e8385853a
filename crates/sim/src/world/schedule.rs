//! Who runs on a processor? The ready thread of the highest priority.

use unwedge_trace::AgentState;

use super::Agent;
use super::interrupt::Interrupt;
use super::run::{Condition, Run};

/// A hardware thread.
#[derive(Clone, Debug, Default)]
pub(super) struct Cpu {
    pub(super) current: Option<Agent>,
    /// Threads that could run, in the order in which they became ready.
    pub(super) ready: Vec<Agent>,
    pub(super) quantum_end: u64,
    /// Thousandths of the instructions that it has executed.
    pub(super) executed: u64,
    pub(super) interrupts: Vec<Interrupt>,
    /// Since when it executes its idle loop.
    pub(super) idle_since: Option<u64>,
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
        let current = self.cpus[cpu].current;
        let Some((place, priority)) = self.best(cpu, time) else {
            return if current.is_none() {
                self.idle(cpu, time)
            };
        };
        let own = |agent: Agent| i64::from(self.world.agents[usize::from(agent.0)].priority);
        if current.is_some_and(|current| own(current) >= priority) {
            return self.tell_ready(cpu);
        }
        let skips = self.world.machine.skips_to_deadlines;
        let deadline = skips.then(|| self.waiting_with_deadline(cpu)).flatten();
        if let Some(deadline) = deadline.filter(|waiting| *waiting > priority) {
            self.tell_ready(cpu);
            return if current.is_none() {
                self.skip(cpu, deadline, time)
            };
        }
        let agent = self.cpus[cpu].ready.remove(place);
        self.busy(cpu, time);
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
        // It may have been planned to be looked at again.
        self.unplan(agent);
        self.at(time, agent);
    }

    /// The processor skips to the deadline of a thread of this priority, unless a ready one grows older than that.
    fn skip(&mut self, cpu: usize, priority: i64, time: u64) {
        let Some(aging) = self.world.machine.aging_ns else { return };
        let old_enough = |agent: &Agent| {
            let own = i64::from(self.world.agents[usize::from(agent.0)].priority);
            let steps = (priority - own).max(1).unsigned_abs();
            (self.doing[usize::from(agent.0)].since + steps * aging.max(1), *agent)
        };
        let next = self.cpus[cpu].ready.iter().map(old_enough).min();
        self.idle(cpu, time);
        if let Some((at, agent)) = next {
            self.unplan(agent);
            self.at(at.max(time), agent);
        }
    }

    fn preempt(&mut self, cpu: usize, current: Agent, time: u64) {
        let number = usize::from(current.0);
        let ran = time.saturating_sub(self.doing[number].started);
        self.cpus[cpu].executed += ran * self.world.machine.instructions_per_us;
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
}
