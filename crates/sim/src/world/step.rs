//! What does an operation do? The one place that says so, for the run and for the explorer alike.
//!
//! A state is bytes: a value for each object, one for each variable, a place in its program for each agent, and the faults
//! that may still strike.

use super::{
    Agent, Comparison, Discipline, Object, Operand, Operation, Source, Target, Test, Wait, World,
};

/// How an agent goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Way {
    /// It does its operation.
    Go,
    /// Its bounded wait times out.
    TimeOut,
    /// It takes this one of several ways.
    Choice(u8),
    /// A fault strikes.
    Strike,
}

/// Whether an agent can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// It can.
    Can,
    /// It waits for what is not there, but not for ever.
    UntilTimeOut,
    /// It waits for what is not there.
    Cannot,
    /// It is at its end.
    Ended,
}

/// Is told of what agents do, in the order in which they do it.
pub(crate) trait Tell {
    fn reached(&mut self, world: &World, state: &[u8], agent: Agent, wait: &Wait);
    fn timed_out(&mut self, world: &World, agent: Agent, wait: &Wait);
    /// `object`'s value was `before`.
    fn signalled(&mut self, world: &World, agent: Agent, object: Object, before: u8);
    fn reset(&mut self, world: &World, agent: Agent, object: Object);
    fn renewed(&mut self, world: &World, object: Object);
    /// An operation that is its own telling.
    fn did(&mut self, world: &World, agent: Agent, operation: &Operation);
}

/// Nobody listens.
pub(crate) struct Silence;

impl Tell for Silence {
    #[inline]
    fn reached(&mut self, _: &World, _: &[u8], _: Agent, _: &Wait) {}
    #[inline]
    fn timed_out(&mut self, _: &World, _: Agent, _: &Wait) {}
    #[inline]
    fn signalled(&mut self, _: &World, _: Agent, _: Object, _: u8) {}
    #[inline]
    fn reset(&mut self, _: &World, _: Agent, _: Object) {}
    #[inline]
    fn renewed(&mut self, _: &World, _: Object) {}
    #[inline]
    fn did(&mut self, _: &World, _: Agent, _: &Operation) {}
}

impl World {
    /// The bytes of a state.
    pub(crate) fn state_len(&self) -> usize {
        self.objects.len() + self.variables.len() + self.agents.len() + 1
    }

    /// The state that it starts in.
    pub(crate) fn initial_state(&self) -> Vec<u8> {
        let objects = self.objects.iter().map(|object| object.initial);
        let variables = self.variables.iter().map(|variable| variable.initial);
        let places = std::iter::repeat_n(0, self.agents.len());
        objects.chain(variables).chain(places).chain([self.faults_max]).collect()
    }

    #[inline]
    pub(crate) fn variable_at(&self, variable: super::Variable) -> usize {
        self.objects.len() + usize::from(variable.0)
    }

    #[inline]
    pub(crate) fn place_at(&self, agent: Agent) -> usize {
        self.objects.len() + self.variables.len() + usize::from(agent.0)
    }

    #[inline]
    pub(crate) fn faults_at(&self) -> usize {
        self.state_len() - 1
    }

    #[inline]
    pub(crate) fn operation<'w>(&'w self, state: &[u8], agent: Agent) -> &'w Operation {
        let program = &self.agents[usize::from(agent.0)].program;
        &program[usize::from(state[self.place_at(agent)])]
    }

    #[inline]
    pub(crate) fn operand(&self, state: &[u8], operand: Operand) -> u8 {
        match operand {
            Operand::Number(number) => number,
            Operand::Variable(variable) => state[self.variable_at(variable)],
        }
    }

    /// Whether it is so.
    #[inline]
    pub(crate) fn holds(&self, state: &[u8], test: &Test) -> bool {
        let value = match test.source {
            Source::Variable(variable) => state[self.variable_at(variable)],
            Source::Object(object) => state[usize::from(object.0)],
        };
        let with = self.operand(state, test.with);
        match test.comparison {
            Comparison::Is => value == with,
            Comparison::Not => value != with,
            Comparison::Below => value < with,
            Comparison::AtLeast => value >= with,
        }
    }

    /// Whether a wait for this alone would go on.
    #[inline]
    fn is_there(&self, state: &[u8], target: &Target) -> bool {
        let value = state[usize::from(target.object.0)];
        match self.objects[usize::from(target.object.0)].discipline {
            Discipline::Latch | Discipline::Tokens(_) | Discipline::Pulse => value > 0,
            Discipline::Lock | Discipline::Count => value == 0,
            Discipline::Lag => value <= self.operand(state, target.slack),
        }
    }

    /// Whether a wait is satisfied.
    #[inline]
    pub(crate) fn is_reached(&self, state: &[u8], wait: &Wait) -> bool {
        let mut targets = wait.targets.iter();
        if wait.any {
            targets.any(|target| self.is_there(state, target))
        } else {
            targets.all(|target| self.is_there(state, target))
        }
    }

    /// Whether an agent can go on.
    #[inline]
    pub(crate) fn readiness(&self, state: &[u8], agent: Agent) -> Readiness {
        match self.operation(state, agent) {
            Operation::Wait(wait) if self.is_reached(state, wait) => Readiness::Can,
            Operation::Wait(wait) if wait.bound.is_some() => Readiness::UntilTimeOut,
            Operation::Until(test) if self.holds(state, test) => Readiness::Can,
            Operation::Wait(_) | Operation::Until(_) | Operation::Halt => Readiness::Cannot,
            Operation::Gone => Readiness::Ended,
            _ => Readiness::Can,
        }
    }

    /// Does the agent's operation in this way, which must be open to it.
    #[inline]
    pub(crate) fn perform(&self, state: &mut [u8], agent: Agent, way: Way, tell: &mut impl Tell) {
        let operation = self.operation(state, agent);
        let place = self.place_at(agent);
        let mut next = state[place] + 1;
        match operation {
            Operation::Wait(wait) if way == Way::TimeOut => {
                next = narrow(wait.timed_out);
                tell.timed_out(self, agent, wait);
            }
            Operation::Wait(wait) => {
                // Before anything is taken: it tells what was waited for.
                tell.reached(self, state, agent, wait);
                self.take(state, agent, wait, tell);
            }
            Operation::Signal(object) => self.signal(state, agent, *object, tell),
            Operation::Reset(object) => {
                state[usize::from(object.0)] = 0;
                tell.reset(self, agent, *object);
            }
            Operation::Renew(object) => {
                state[usize::from(object.0)] = self.objects[usize::from(object.0)].initial;
                tell.renewed(self, *object);
            }
            Operation::Unlock(object) => {
                let before = std::mem::take(&mut state[usize::from(object.0)]);
                tell.signalled(self, agent, *object, before);
            }
            Operation::Release(object) => {
                let before = state[usize::from(object.0)];
                state[usize::from(object.0)] = before.saturating_sub(1);
                if before > 0 {
                    tell.signalled(self, agent, *object, before);
                }
            }
            Operation::Goto(to) => next = narrow(*to),
            Operation::If { test, to } if self.holds(state, test) => next = narrow(*to),
            Operation::Choose(ways) => {
                if let Way::Choice(choice) = way {
                    next = ways.get(usize::from(choice)).map_or(next, |(_, to)| narrow(*to));
                }
            }
            Operation::Fault { to, .. } if way == Way::Strike => {
                next = narrow(*to);
                let left = self.faults_at();
                state[left] = state[left].saturating_sub(1);
                tell.did(self, agent, operation);
            }
            Operation::End(other) => {
                let end = self.agents[usize::from(other.0)].program.len() - 1;
                let place = self.place_at(*other);
                if std::mem::replace(&mut state[place], narrow(narrow_agent(end)))
                    != narrow(narrow_agent(end))
                {
                    tell.did(self, agent, operation);
                }
            }
            other => {
                self.plain(state, other);
                tell.did(self, agent, other);
            }
        }
        if matches!(operation, Operation::Exit) {
            let spec = &self.agents[usize::from(agent.0)];
            let again = spec.trigger != super::Trigger::Own;
            next = if again { 0 } else { narrow(narrow_agent(spec.program.len() - 1)) };
        }
        state[place] = next;
    }

    /// Operations that change one byte at most.
    #[inline]
    fn plain(&self, state: &mut [u8], operation: &Operation) {
        match operation {
            Operation::Set { variable, to } => {
                state[self.variable_at(*variable)] = self.operand(state, *to);
            }
            Operation::Add { variable, amount, modulo } => {
                let at = self.variable_at(*variable);
                let sum = u16::from(state[at]) + u16::from(*amount);
                let modulo = if *modulo == 0 { 256 } else { u16::from(*modulo) };
                state[at] = narrow(sum % modulo);
            }
            Operation::Hold(object) => {
                let value = &mut state[usize::from(object.0)];
                *value = value.saturating_add(1);
            }
            Operation::Owe { object, .. } => {
                let at = usize::from(object.0);
                if matches!(self.objects[at].discipline, Discipline::Lag | Discipline::Count) {
                    state[at] = state[at].saturating_add(1);
                }
            }
            _ => {}
        }
    }

    /// What a satisfied wait takes.
    #[inline]
    fn take(&self, state: &mut [u8], agent: Agent, wait: &Wait, tell: &mut impl Tell) {
        for target in &wait.targets {
            if wait.any && !self.is_there(state, target) {
                continue;
            }
            let at = usize::from(target.object.0);
            match self.objects[at].discipline {
                Discipline::Tokens(_) | Discipline::Pulse => {
                    state[at] -= 1;
                    tell.reset(self, agent, target.object);
                }
                // Who it is matters to the explorer only, whose worlds are small.
                Discipline::Lock => state[at] = narrow(agent.0 + 1).max(1),
                Discipline::Latch | Discipline::Count | Discipline::Lag => {}
            }
            if wait.any {
                break;
            }
        }
    }

    #[inline]
    fn signal(&self, state: &mut [u8], agent: Agent, object: Object, tell: &mut impl Tell) {
        let at = usize::from(object.0);
        let before = state[at];
        state[at] = match self.objects[at].discipline {
            Discipline::Latch => 1,
            Discipline::Tokens(most) => before.saturating_add(1).min(most),
            Discipline::Pulse => {
                before.saturating_add(1).min(narrow_len(self.waiters(state, object)))
            }
            Discipline::Lock | Discipline::Count => before,
            Discipline::Lag => before.saturating_sub(1),
        };
        tell.signalled(self, agent, object, before);
    }

    /// How many agents stand at a wait for the object.
    fn waiters(&self, state: &[u8], object: Object) -> usize {
        let agents = (0..self.agents.len()).map(|agent| Agent(narrow_agent(agent)));
        let waits = |agent: &Agent| match self.operation(state, *agent) {
            Operation::Wait(wait) => wait.targets.iter().any(|target| target.object == object),
            _ => false,
        };
        agents.filter(waits).count()
    }
}

/// `build` has seen to it that places and agents fit.
#[inline]
fn narrow(value: u16) -> u8 {
    value.to_le_bytes()[0]
}

fn narrow_len(value: usize) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

/// An agent's place as a number of 16 bits: `build` has seen to it that it fits.
#[inline]
pub(crate) fn narrow_agent(value: usize) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}
