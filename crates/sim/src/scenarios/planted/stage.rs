//! Where is a plant set up? A world in the making, its dice, and who is known to be to blame.

use unwedge_trace::{AgentKind, ObjectKind};

use super::Truth;
use super::gpu::Gpu;
use crate::random::Random;
use crate::world::{
    Agent, Comparison, Discipline, Object, Program, Target, Variable, WorldBuilder, test,
};

pub(super) const MS: u64 = 1_000_000;

/// A world in the making.
pub(super) struct Stage {
    pub(super) world: WorldBuilder,
    pub(super) random: Random,
    pub(super) goal: u8,
    /// The process of the plant, and the one that is being furnished.
    pub(super) plant_pid: u32,
    pub(super) pid: u32,
    next_tid: u32,
    /// The program is one of an emulated machine.
    pub(super) guest: bool,
    /// Something goes wrong; else the rounds never end.
    pub(super) strikes: bool,
    /// Rounds before it happens, if that is set.
    rounds: u8,
    /// Handles, by object.
    handles: Vec<u64>,
    /// What holds up those behind the plant.
    grip: Grip,
    links: u64,
    truth: Truth,
    /// An accusation would need every other thread of the program to be quiet, and whether one is not.
    pub(super) needs_quiet: bool,
    pub(super) lively: bool,
    /// Nothing in the plant's program may get done once it struck.
    pub(super) needs_standstill: bool,
}

/// What those behind the plant need of whoever stands before them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Grip {
    /// Nobody is behind.
    Free,
    /// A lock, held during each round.
    Lock(Object),
    /// A signal at the end of each round.
    Signal(Object, ObjectKind),
}

impl Grip {
    /// A round begins, or the wait that never ends.
    pub(super) fn begin(self, p: &mut Program<'_>) {
        if let Self::Lock(lock) = self {
            p.lock("pthread_mutex_lock", lock);
        }
    }

    /// A round is over.
    pub(super) fn end(self, p: &mut Program<'_>) {
        match self {
            Self::Free => {}
            Self::Lock(lock) => p.unlock(lock),
            Self::Signal(object, _) => p.signal(object),
        }
    }
}

/// So many rounds, counted by whoever does them; in a world where nothing goes wrong, without end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rounds {
    counter: Variable,
    count: u8,
    strikes: bool,
}

impl Rounds {
    pub(super) fn of(self, p: &mut Program<'_>, body: impl FnOnce(&mut Program<'_>)) {
        if self.strikes && self.count == 0 {
            return;
        }
        let top = p.mark_here();
        body(p);
        if self.strikes {
            p.add(self.counter, 1, 0);
            p.go_if(test(self.counter, Comparison::Below, self.count), top);
        } else {
            p.go(top);
        }
    }
}

const THREADS: &[&str] = &[
    "main", "render", "worker", "loader", "ui", "decode", "audio", "io", "net", "scan", "upload",
    "pool-0", "pool-1", "present", "vblank", "",
];
const LABELS: &[&str] = &[
    "frame",
    "jobs",
    "ready",
    "done",
    "scene",
    "atlas",
    "upload",
    "queue lock",
    "state",
    "cache",
    "",
    "",
    "",
];

impl Stage {
    pub(super) fn new(plan: u64, strikes: bool, rounds: u8) -> Self {
        let mut random = Random::new(plan ^ 0x706c_616e_7465_6421);
        let mut world = WorldBuilder::new();
        let goal = world.goal("rounds");
        let pid = 1000 + u32::try_from(random.below(30_000)).unwrap_or(0);
        let (guest, links) = (random.below(3) == 0, random.below(4));
        Self {
            world,
            goal,
            plant_pid: pid,
            pid,
            next_tid: pid,
            guest,
            strikes,
            rounds,
            handles: Vec::new(),
            grip: Grip::Free,
            links,
            truth: Truth::default(),
            needs_quiet: false,
            lively: false,
            needs_standstill: false,
            random,
        }
    }

    /// What was planted, once all is set up.
    pub(super) fn truth(mut self) -> Truth {
        if !self.strikes {
            return Truth::default();
        }
        self.truth.conclusive &= !(self.needs_quiet && self.lively);
        self.truth
    }

    /// A number below `bound`, as an index.
    pub(super) fn below(&mut self, bound: u64) -> usize {
        usize::try_from(self.random.below(bound)).unwrap_or(0)
    }

    /// Milliseconds from `least` to `most`, in nanoseconds.
    pub(super) fn ms(&mut self, least: u64, most: u64) -> u64 {
        self.random.between(least * MS, most * MS)
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64)]
    }

    /// A thread of the program that is being furnished.
    pub(super) fn thread(&mut self) -> Agent {
        let kind = if self.guest { AgentKind::GuestThread } else { AgentKind::HostThread };
        self.agent(kind)
    }

    pub(super) fn agent(&mut self, kind: AgentKind) -> Agent {
        let (name, tid) = (self.pick(THREADS), self.next_tid);
        self.next_tid += 1 + u32::try_from(self.random.below(3)).unwrap_or(0);
        self.world.agent(kind, name, self.pid, tid)
    }

    /// An agent without a thread: a queue, an engine, an interrupt.
    pub(super) fn device(&mut self, kind: AgentKind, name: &str) -> Agent {
        self.world.agent(kind, name, 0, 0)
    }

    pub(super) fn object(&mut self, kind: ObjectKind) -> Object {
        let (handle, label) = (self.handle(), self.pick(LABELS));
        self.world.object(kind, handle, label)
    }

    pub(super) fn object_with(
        &mut self,
        kind: ObjectKind,
        discipline: Discipline,
        initial: u8,
    ) -> Object {
        let (handle, label) = (self.handle(), self.pick(LABELS));
        self.world.object_with(kind, handle, label, discipline, initial)
    }

    fn handle(&mut self) -> u64 {
        let handle = 0x1000 + 16 * (self.handles.len() as u64 + 64 * self.random.below(1 << 20));
        self.handles.push(handle);
        handle
    }

    /// Rounds before it happens: from a few to some dozen.
    pub(super) fn rounds(&mut self) -> u8 {
        let chosen = u8::try_from(self.random.between(2, 30)).unwrap_or(2);
        if self.rounds == 0 { chosen } else { self.rounds }
    }

    /// So many rounds.
    pub(super) fn count(&mut self, count: u8) -> Rounds {
        let counter = self.world.variable(0);
        Rounds { counter, count, strikes: self.strikes }
    }

    /// What is right to say of this world: the code, what it shows by, and the objects at the root.
    pub(super) fn blame(&mut self, code: &'static str, conclusive: bool, roots: &[Object]) {
        self.truth.code = Some(code);
        self.truth.conclusive = conclusive;
        self.truth.roots = roots.iter().map(|root| self.handles[usize::from(root.0)]).collect();
    }

    /// It shows by something that is not there.
    pub(super) fn shows_by_absence(&mut self) {
        self.truth.absence = true;
    }

    /// The agent waits for the root in the end, and for this directly.
    pub(super) fn waits(&mut self, agent: Agent, for_objects: &[Object]) {
        let handles = for_objects.iter().map(|object| self.handles[usize::from(object.0)]);
        self.truth.waiters.push((u32::from(agent.0), handles.collect()));
        self.takes_part(agent);
    }

    /// What the agent does is evidence.
    pub(super) fn takes_part(&mut self, agent: Agent) {
        self.truth.cast.push(u32::from(agent.0));
    }

    /// What those behind the plant will need of it.
    pub(super) fn grip(&mut self) -> Grip {
        self.grip = if self.links == 0 { Grip::Free } else { self.new_grip() };
        self.grip
    }

    fn new_grip(&mut self) -> Grip {
        match self.random.below(if self.guest { 3 } else { 4 }) {
            0 | 1 => Grip::Lock(self.object(ObjectKind::Mutex)),
            2 => {
                let kind =
                    self.pick(&[ObjectKind::Condition, ObjectKind::Channel, ObjectKind::Pipe]);
                Grip::Signal(self.object(kind), kind)
            }
            _ => {
                let kind = ObjectKind::TimelineSemaphore;
                Grip::Signal(self.object_with(kind, Discipline::Tokens(u8::MAX), 0), kind)
            }
        }
    }

    /// Those behind the plant: each does rounds of its own, in which it needs something of the one before it.
    pub(super) fn followers(&mut self) {
        let mut grip = self.grip;
        for left in (0..self.links).rev() {
            if matches!(grip, Grip::Free) {
                return;
            }
            let next = if left == 0 { Grip::Free } else { self.new_grip() };
            match grip {
                Grip::Signal(object, ObjectKind::TimelineSemaphore) => {
                    self.behind_queue(object, next);
                }
                Grip::Free | Grip::Lock(_) | Grip::Signal(..) => self.behind(grip, next),
            }
            grip = next;
        }
    }

    fn behind(&mut self, grip: Grip, next: Grip) {
        let (agent, work) = (self.thread(), self.ms(1, 3));
        let goal = self.goal;
        self.world.daemon(agent);
        self.world.program(agent, |p| {
            let top = p.mark_here();
            next.begin(p);
            match grip {
                Grip::Lock(lock) => {
                    p.lock("pthread_mutex_lock", lock);
                    p.compute(work / 2, work);
                    p.unlock(lock);
                }
                Grip::Signal(object, _) => p.wait("futex", &[object.into()]),
                Grip::Free => {}
            }
            next.end(p);
            p.progress(goal, "round done");
            if matches!(grip, Grip::Lock(_)) {
                p.sleep(work, 2 * work);
            }
            p.go(top);
        });
        if let Grip::Lock(object) | Grip::Signal(object, _) = grip {
            self.waits(agent, &[object]);
        }
    }

    /// A thread that waits for a batch of a queue that waits for a counter that the one before raises.
    fn behind_queue(&mut self, counter: Object, next: Grip) {
        let (agent, gpu) = (self.thread(), Gpu::new(self));
        let fence = self.object(ObjectKind::Fence);
        let goal = self.goal;
        self.world.daemon(agent);
        self.world.program(agent, |p| {
            let top = p.mark_here();
            next.begin(p);
            gpu.submit(p, &[fence]);
            p.wait("vkWaitForFences", &[fence.into()]);
            p.reset(fence);
            next.end(p);
            p.progress(goal, "batch done");
            p.go(top);
        });
        self.world.program(gpu.queue, |p| {
            let top = p.mark_here();
            gpu.takes(p);
            p.wait("batch", &[counter.into()]);
            gpu.passes(p, &[fence]);
            p.go(top);
        });
        self.waits(agent, &[fence]);
        self.waits(gpu.queue, &[counter]);
    }

    /// A thread of the plant that does its rounds and then waits for ever; `body` is the rounds' work.
    pub(super) fn victim(
        &mut self,
        rounds: u8,
        body: impl FnOnce(&mut Program<'_>),
        strike: impl FnOnce(&mut Program<'_>),
    ) -> Agent {
        let agent = self.thread();
        self.life(agent, rounds, body, strike);
        agent
    }

    /// A thread that uses a lock in its rounds, and waits for it in vain once another has it for good, which the variable says.
    pub(super) fn last_lock(&mut self, call: &str, lock: Object, held: Variable) {
        let rounds = self.rounds();
        let agent = self.victim(
            rounds,
            |p| {
                p.lock(call, lock);
                p.unlock(lock);
            },
            |p| {
                p.until(test(held, Comparison::Is, 1));
                p.lock(call, lock);
            },
        );
        self.waits(agent, &[lock]);
    }

    /// As [`Stage::victim`], of an agent that is there.
    pub(super) fn life(
        &mut self,
        agent: Agent,
        rounds: u8,
        body: impl FnOnce(&mut Program<'_>),
        strike: impl FnOnce(&mut Program<'_>),
    ) {
        let (grip, rounds) = (self.grip(), self.count(rounds));
        let (goal, work, pool) = (self.goal, self.ms(3, 20), self.pool());
        self.world.program(agent, |p| {
            rounds.of(p, |p| {
                grip.begin(p);
                body(p);
                p.compute(work / 2, work);
                grip.end(p);
                pool.into_iter().for_each(|jobs| p.signal(jobs));
                p.progress(goal, "round done");
                p.sleep(MS, 2 * MS);
            });
            grip.begin(p);
            strike(p);
        });
    }

    /// In some plants, workers who get a job in each round: once the rounds stop they have nothing to do, and are no part of it.
    fn pool(&mut self) -> Option<Object> {
        let workers = self.below(9).checked_sub(5)?;
        let jobs = self.object(ObjectKind::Channel);
        for _ in 0..workers {
            let (worker, call) = (self.thread(), self.call(ObjectKind::Channel));
            self.world.daemon(worker);
            self.world.program(worker, |p| {
                let top = p.mark_here();
                wait(p, call, jobs);
                p.compute(MS, 3 * MS);
                p.go(top);
            });
        }
        Some(jobs)
    }

    /// The call that waits for such an object.
    pub(super) fn call(&self, kind: ObjectKind) -> &'static str {
        match kind {
            ObjectKind::Fence => "vkWaitForFences",
            ObjectKind::TimelineSemaphore => "vkWaitSemaphores",
            ObjectKind::Query => "vkGetQueryPoolResults",
            ObjectKind::Swapchain => "vkAcquireNextImageKHR",
            ObjectKind::Queue => "vkQueueWaitIdle",
            _ if self.guest => "KeWaitForSingleObject",
            ObjectKind::Mutex => "pthread_mutex_lock",
            _ => "futex",
        }
    }
}

/// Waits for ever for one.
pub(super) fn wait(p: &mut Program<'_>, call: &str, object: Object) {
    p.wait(call, &[Target::from(object)]);
}
