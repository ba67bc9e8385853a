//! Which operations may the explorer take together with the one before? Those that no other agent can tell from doing nothing
//! at that moment: no order of them makes a difference.

use super::{
    AgentSpec, Discipline, Object, Operand, Operation, Plan, Source, Trigger, Variable, World,
};

impl World {
    /// Finds the silent operations of every program.
    ///
    /// # Panics
    /// When a program goes round by silent operations alone: it would never end.
    pub(super) fn find_silent(&mut self) {
        let users = users(&self.agents, self.variables.len());
        let inert = self.inert();
        for (agent, inert) in self.agents.iter_mut().zip(inert) {
            let own = |variable: &Variable| {
                let at = usize::from(variable.0);
                users[at] <= 1 || self.variables[at].guarded
            };
            let cpu = agent.cpu.is_some();
            let again = agent.trigger != Trigger::Own;
            let silent = |operation: &Operation| match operation {
                Operation::Exit => !again,
                other => is_silent(other, own, cpu),
            };
            let inert = agent.program.iter().zip(inert);
            agent.silent = inert.map(|(operation, inert)| inert || silent(operation)).collect();
            // One that does nothing else has its steps all the same.
            if goes_round_silently(agent) {
                agent.silent = agent.program.iter().map(silent).collect();
            }
            assert!(
                !goes_round_silently(agent),
                "the program of {:?} goes round without a step that others could see",
                agent.entry.name
            );
        }
    }

    /// For each operation of each agent, whether what it does makes no difference to anybody: it is on an object that nobody looks
    /// at, it owes what is not counted, or it is the occasion of a fault that never strikes.
    fn inert(&self) -> Vec<Vec<bool>> {
        let mut looked_at = vec![false; self.objects.len()];
        for operation in self.agents.iter().flat_map(|agent| &agent.program) {
            let looked = looked_at_by(operation);
            looked.into_iter().for_each(|object| looked_at[usize::from(object.0)] = true);
        }
        let inert = |operation: &Operation| match operation {
            Operation::Fault { fault, .. } => self.faults[usize::from(fault.0)].plan == Plan::Never,
            Operation::Owe { object, .. } => {
                let at = usize::from(object.0);
                let counts = [Discipline::Lag, Discipline::Count];
                !looked_at[at] || !counts.contains(&self.objects[at].discipline)
            }
            Operation::Signal(object) | Operation::Reset(object) => {
                !looked_at[usize::from(object.0)]
            }
            _ => false,
        };
        self.agents.iter().map(|agent| agent.program.iter().map(inert).collect()).collect()
    }
}

/// The objects whose values make a difference to the operation.
fn looked_at_by(operation: &Operation) -> Vec<Object> {
    match operation {
        Operation::Wait(wait) => wait.targets.iter().map(|target| target.object).collect(),
        Operation::Until(test) | Operation::If { test, .. } => match test.source {
            Source::Object(object) => vec![object],
            Source::Variable(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// By how many agents each variable is used.
fn users(agents: &[AgentSpec], variables: usize) -> Vec<usize> {
    let mut users = vec![0; variables];
    for agent in agents {
        let mut used = vec![false; variables];
        let mut uses = |variable: Variable| used[usize::from(variable.0)] = true;
        let operand = |operand: &Operand| match operand {
            Operand::Variable(variable) => Some(*variable),
            Operand::Number(_) => None,
        };
        for operation in &agent.program {
            match operation {
                Operation::Set { variable, to } => {
                    uses(*variable);
                    operand(to).into_iter().for_each(&mut uses);
                }
                Operation::Add { variable, .. } => uses(*variable),
                Operation::Wait(wait) => {
                    let slack = wait.targets.iter().filter_map(|target| operand(&target.slack));
                    slack.for_each(&mut uses);
                }
                Operation::Until(test) | Operation::If { test, .. } => {
                    if let Source::Variable(variable) = test.source {
                        uses(variable);
                    }
                    operand(&test.with).into_iter().for_each(&mut uses);
                }
                _ => {}
            }
        }
        used.into_iter().zip(&mut users).for_each(|(used, count)| *count += usize::from(used));
    }
    users
}

/// Nothing that another agent does makes a difference to it, nor it to them: it may be taken with the operation before.
fn is_silent(operation: &Operation, own: impl Fn(&Variable) -> bool, on_cpu: bool) -> bool {
    let own_operand = |operand: &Operand| match operand {
        Operand::Variable(variable) => own(variable),
        Operand::Number(_) => true,
    };
    match operation {
        Operation::Goto(_)
        | Operation::Compute { .. }
        | Operation::Mark { .. }
        | Operation::State { .. }
        | Operation::Lose { .. } => true,
        // A thread that sleeps leaves its processor to others.
        Operation::Sleep { .. } => !on_cpu,
        Operation::Set { variable, to } => own(variable) && own_operand(to),
        Operation::Add { variable, .. } => own(variable),
        Operation::If { test, .. } => {
            let source = match &test.source {
                Source::Variable(variable) => own(variable),
                Source::Object(_) => false,
            };
            source && own_operand(&test.with)
        }
        _ => false,
    }
}

/// Whether some way through the program comes back to where it was by silent operations only. A way that depends on a
/// variable of its own is taken for one that does, unless it changes that variable on its way.
fn goes_round_silently(agent: &AgentSpec) -> bool {
    let len = agent.program.len();
    let mut going = vec![0_u8; len];
    fn visit(agent: &AgentSpec, at: usize, going: &mut [u8]) -> bool {
        if at >= agent.program.len() || !agent.silent[at] || going[at] == 2 {
            return false;
        }
        if going[at] == 1 {
            return true;
        }
        going[at] = 1;
        let round = match &agent.program[at] {
            Operation::Goto(to) => visit(agent, usize::from(*to), going),
            Operation::Exit => false,
            // A loop over a counter of its own comes to its end; one that forgets to count does not, and is found when it
            // runs.
            Operation::If { .. } => false,
            _ => visit(agent, at + 1, going),
        };
        going[at] = 2;
        round
    }
    (0..len).any(|at| visit(agent, at, &mut going))
}
