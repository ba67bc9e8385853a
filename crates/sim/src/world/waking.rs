//! Who goes to sleep, and who is woken by what another did?

use super::run::{Condition, Run};
use super::step::{Readiness, Way};
use super::{Agent, Object, Operation, Source, Variable};

impl Run {
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
    pub(super) fn block(&mut self, agent: Agent, time: u64) {
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
    pub(super) fn stop(&mut self, agent: Agent, condition: Condition, time: u64) {
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
    pub(super) fn wake(&mut self, agent: Agent, time: u64) {
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
