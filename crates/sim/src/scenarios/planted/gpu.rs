//! What does a plant use of a GPU? A queue, its batches, and who submits them.

use unwedge_trace::{AgentKind, ObjectKind};

use super::stage::{MS, Stage, wait};
use crate::world::{Agent, Comparison, Object, Program, Variable, test};

/// A queue. What is submitted and not yet begun is between two variables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gpu {
    pub(super) queue: Agent,
    pub(super) batches: Object,
    jobs: Variable,
    taken: Variable,
    /// How long a batch takes at most. Nanoseconds.
    time: u64,
}

impl Gpu {
    pub(super) fn new(stage: &mut Stage) -> Self {
        let batches = stage.object(ObjectKind::Queue);
        Self::with(stage, batches)
    }

    /// A queue whose batches are this object's points.
    pub(super) fn with(stage: &mut Stage, batches: Object) -> Self {
        let name = stage.pick(&["graphics", "compute", "transfer", ""]);
        let queue = stage.device(AgentKind::GpuQueue, name);
        stage.world.daemon(queue);
        let (jobs, taken) = (stage.world.variable(0), stage.world.variable(0));
        Self { queue, batches, jobs, taken, time: stage.ms(1, 8) }
    }

    /// The thread submits a batch that signals these.
    pub(super) fn submit(&self, p: &mut Program<'_>, signals: &[Object]) {
        p.owe(self.queue, self.batches);
        for object in signals {
            p.owe_after(self.queue, *object, self.batches);
        }
        p.add(self.jobs, 1, 0);
    }

    /// The queue begins the next batch as soon as there is one.
    pub(super) fn takes(&self, p: &mut Program<'_>) {
        p.until(test(self.jobs, Comparison::Not, self.taken));
        p.add(self.taken, 1, 0);
    }

    /// The queue executes the batch and signals these.
    pub(super) fn passes(&self, p: &mut Program<'_>, signals: &[Object]) {
        p.compute(self.time / 2, self.time);
        p.signal(self.batches);
        for object in signals {
            p.signal(*object);
        }
    }

    /// The queue executes so many batches, each of which signals these, and then does something else.
    pub(super) fn serves(
        &self,
        stage: &mut Stage,
        rounds: u8,
        signals: &[Object],
        strike: impl FnOnce(&mut Program<'_>),
    ) {
        let rounds = stage.count(rounds);
        stage.world.program(self.queue, |p| {
            rounds.of(p, |p| {
                self.takes(p);
                self.passes(p, signals);
            });
            strike(p);
            p.halt();
        });
        stage.takes_part(self.queue);
    }

    /// The queue executes whatever comes.
    pub(super) fn serves_for_ever(&self, stage: &mut Stage, signals: &[Object]) {
        stage.world.program(self.queue, |p| {
            let top = p.mark_here();
            self.takes(p);
            self.passes(p, signals);
            p.go(top);
        });
        stage.takes_part(self.queue);
    }

    /// What a watcher sees of the engine, a few times a second from here on.
    pub(super) fn is_seen(
        &self,
        p: &mut Program<'_>,
        state: unwedge_trace::AgentState,
        detail: &str,
    ) {
        let top = p.mark_here();
        p.state(state, detail);
        p.sleep(200 * MS, 300 * MS);
        // A step that others could see, or the loop would be none.
        p.until(test(self.batches, Comparison::AtLeast, 0));
        p.go(top);
    }
}

/// The body of a round: submit, wait for the fence, reset it.
pub(super) fn frame(p: &mut Program<'_>, gpu: &Gpu, fence: Object) {
    gpu.submit(p, &[fence]);
    p.wait("vkWaitForFences", &[fence.into()]);
    p.reset(fence);
}

/// A thread whose frames get on, and which waits in vain for the fence of its last one.
pub(super) fn last_frame(stage: &mut Stage, gpu: &Gpu, fence: Object, rounds: u8) {
    let agent = stage.victim(
        rounds,
        |p| frame(p, gpu, fence),
        |p| {
            gpu.submit(p, &[fence]);
            wait(p, "vkWaitForFences", fence);
        },
    );
    stage.waits(agent, &[fence]);
}

/// Two queues: each batch of the second waits for a semaphore that a batch of the first signals, and a thread that submits to both
/// waits for the second's fence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Relay {
    pub(super) first: Gpu,
    second: Gpu,
    pub(super) semaphore: Object,
    fence: Object,
    pub(super) rounds: u8,
}

impl Relay {
    pub(super) fn new(stage: &mut Stage) -> Self {
        let (first, second) = (Gpu::new(stage), Gpu::new(stage));
        let (semaphore, fence) =
            (stage.object(ObjectKind::BinarySemaphore), stage.object(ObjectKind::Fence));
        let rounds = stage.rounds();
        Self { first, second, semaphore, fence, rounds }
    }

    /// After the rounds the thread does `last` in place of its submit to the first queue, and waits in vain.
    pub(super) fn ends(self, stage: &mut Stage, last: impl FnOnce(&mut Program<'_>)) {
        let Self { first, second, semaphore, fence, rounds } = self;
        stage.world.program(second.queue, |p| {
            let top = p.mark_here();
            second.takes(p);
            p.wait("batch", &[semaphore.into()]);
            second.passes(p, &[fence]);
            p.go(top);
        });
        stage.waits(second.queue, &[semaphore]);
        let agent = stage.victim(
            rounds,
            |p| {
                first.submit(p, &[semaphore]);
                frame(p, &second, fence);
            },
            |p| {
                last(p);
                second.submit(p, &[fence]);
                wait(p, "vkWaitForFences", fence);
            },
        );
        stage.waits(agent, &[fence]);
    }
}
