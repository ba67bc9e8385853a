//! What interrupts a processor? Interrupts by instruction count, on whatever thread is there.

use unwedge_trace::{AgentKind, AgentState};

use super::run::Run;
use super::schedule::Cpu;
use super::step::narrow_agent;
use super::{Agent, AgentSpec, Name, Operation, Trigger, World};

/// Instructions are counted in thousandths: a machine executes a whole number of them in a microsecond, and time is in
/// nanoseconds.
const THOUSANDTHS: u64 = 1_000;

/// An interrupt by instruction count.
#[derive(Clone, Debug)]
pub(super) struct Interrupt {
    agent: Agent,
    every: u64,
    drift: u64,
    /// When it comes next, in thousandths of instructions.
    next: u64,
    /// For each agent, how it is told that the callback runs on that thread; and at last, that it runs on none.
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
        let on =
            |agent: &AgentSpec| format!("on thread {} \"{}\"", agent.entry.tid, agent.entry.name);
        let idle = "on an idle processor".to_owned();
        let borrowed: Vec<_> =
            world.agents.iter().map(on).chain([idle]).map(String::into_boxed_str).collect();
        for number in 0..world.agents.len() {
            if let Trigger::Instructions { cpu, every, drift } = world.agents[number].trigger {
                let first = u32::try_from(world.names.len()).unwrap_or(u32::MAX);
                world.names.extend(borrowed.iter().cloned());
                cpus[usize::from(cpu)].interrupts.push(Interrupt {
                    agent: Agent(narrow_agent(number)),
                    every: every.max(1) * THOUSANDTHS,
                    drift: drift * THOUSANDTHS,
                    next: every.max(1) * THOUSANDTHS,
                    borrowed: (first..).take(borrowed.len()).map(Name).collect(),
                });
            }
        }
        cpus
    }

    /// Instructions that were executed and counted.
    pub(super) fn instructions(&self) -> u64 {
        self.executed / THOUSANDTHS
    }
}

impl Run {
    /// How long the processor may run before an interrupt comes or the quantum ends, in nanoseconds; at least 1.
    pub(super) fn stretch(&self, cpu: usize, time: u64) -> u64 {
        let cpu = &self.cpus[cpu];
        let quantum = cpu.quantum_end.saturating_sub(time);
        let interrupt = self.until_interrupt(cpu);
        let alone = cpu.ready.is_empty();
        (if alone { interrupt } else { interrupt.min(quantum) }).max(1)
    }

    /// How long the processor has to run until an interrupt comes, in nanoseconds.
    fn until_interrupt(&self, cpu: &Cpu) -> u64 {
        let per_ns = self.world.machine.instructions_per_us.max(1);
        let next = cpu.interrupts.iter().map(|interrupt| interrupt.next).min();
        next.map_or(u64::MAX, |next| next.saturating_sub(cpu.executed).div_ceil(per_ns))
    }

    /// Whether the processor's thread goes on for so long, up to this moment, without an interrupt and within its quantum;
    /// then it has.
    #[inline]
    pub(super) fn execute_undisturbed(&mut self, cpu: usize, until: u64, cost: u64) -> bool {
        let cpu = &mut self.cpus[cpu];
        let instructions = cost.saturating_mul(self.world.machine.instructions_per_us);
        let executed = cpu.executed.saturating_add(instructions);
        let mut interrupts = cpu.interrupts.iter();
        if until >= cpu.quantum_end || interrupts.any(|interrupt| interrupt.next <= executed) {
            return false;
        }
        cpu.executed = executed;
        true
    }

    /// Counts the instructions that were executed up to now, and lets interrupts come; says when they are done.
    pub(super) fn charge(&mut self, cpu: usize, agent: Agent, time: u64) -> u64 {
        let doing = &mut self.doing[usize::from(agent.0)];
        let ran = time.saturating_sub(doing.started);
        (doing.started, doing.planned) = (time, 0);
        self.cpus[cpu].executed += ran * self.world.machine.instructions_per_us;
        if self.cpus[cpu].interrupts.is_empty() {
            return time;
        }
        let now = self.interrupts(cpu, Some(agent), time);
        self.doing[usize::from(agent.0)].started = now;
        now
    }

    /// Lets those interrupts come whose count is reached; says when they are done.
    fn interrupts(&mut self, cpu: usize, borrowed: Option<Agent>, time: u64) -> u64 {
        let mut now = time;
        for place in 0..self.cpus[cpu].interrupts.len() {
            if self.cpus[cpu].interrupts[place].next <= self.cpus[cpu].executed {
                now = self.interrupt(cpu, place, borrowed, now);
            }
        }
        now
    }

    /// The processor has nothing to run.
    pub(super) fn idle(&mut self, cpu: usize, time: u64) {
        let executes = self.world.machine.idle_executes && !self.cpus[cpu].interrupts.is_empty();
        if !executes || self.cpus[cpu].idle_since.is_some() {
            return;
        }
        self.cpus[cpu].idle_since = Some(time);
        self.plan_interrupt(cpu, time);
    }

    /// The next interrupt comes while the processor is idle, unless it gets something to run before.
    fn plan_interrupt(&mut self, cpu: usize, time: u64) {
        let after = self.until_interrupt(&self.cpus[cpu]);
        let next = self.cpus[cpu].interrupts.iter().min_by_key(|interrupt| interrupt.next);
        if let Some(agent) = next.map(|interrupt| interrupt.agent) {
            self.unplan(agent);
            self.at(time.saturating_add(after), agent);
        }
    }

    /// The processor has something to run again.
    pub(super) fn busy(&mut self, cpu: usize, time: u64) {
        let Some(since) = self.cpus[cpu].idle_since.take() else { return };
        let idled = time.saturating_sub(since);
        self.cpus[cpu].executed += idled * self.world.machine.instructions_per_us;
        for place in 0..self.cpus[cpu].interrupts.len() {
            self.unplan(self.cpus[cpu].interrupts[place].agent);
        }
    }

    /// An interrupt comes while its processor is idle.
    pub(super) fn interrupt_idle(&mut self, cpu: usize, time: u64) {
        self.busy(cpu, time);
        self.cpus[cpu].idle_since = Some(time);
        self.interrupts(cpu, None, time);
        if self.cpus[cpu].idle_since.is_some() {
            self.plan_interrupt(cpu, time);
        }
    }

    /// Runs an interrupt's callback on the thread that is there; says when that can go on.
    fn interrupt(&mut self, cpu: usize, place: usize, borrowed: Option<Agent>, time: u64) -> u64 {
        let executed = self.cpus[cpu].executed;
        let drift = self.cpus[cpu].interrupts[place].drift;
        let late = self.drift(drift);
        let interrupt = &mut self.cpus[cpu].interrupts[place];
        let next = (interrupt.next + interrupt.every).saturating_add_signed(late);
        interrupt.next = next.max(executed + THOUSANDTHS);
        let detail = match borrowed {
            Some(thread) => interrupt.borrowed[usize::from(thread.0)],
            None => interrupt.borrowed[interrupt.borrowed.len() - 1],
        };
        let agent = interrupt.agent;
        let (mut now, mut told) = (time, time);
        self.teller.now = told;
        if self.world.agents[usize::from(agent.0)].entry.kind == AgentKind::Interrupt {
            self.teller.scheduled(&self.world, agent, AgentState::Running, detail);
        }
        // A callback that never ends would end the machine: it is cut off.
        for _ in 0..u8::MAX {
            let Some(cost) = self.callback(agent, told) else { break };
            now += cost;
            // What others do meanwhile comes after it, so from there on it is told to be done at once.
            if self.nothing_before(now) {
                told = now;
            }
        }
        now
    }

    /// One operation of a callback, and what it takes. `None` at its end, and where it would have to wait, which it must not.
    fn callback(&mut self, agent: Agent, time: u64) -> Option<u64> {
        self.teller.now = time;
        let Some(way) = self.way(agent) else {
            self.rewind(agent);
            return None;
        };
        let ended = matches!(self.operation_of(agent), Operation::Exit);
        let cost = match self.operation_of(agent) {
            Operation::Compute { least, .. } => *least,
            _ => 1,
        };
        self.perform(agent, way, time);
        (!ended).then_some(cost)
    }
}
