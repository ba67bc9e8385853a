//! What does a trace look like that has no loop to be found? 24 threads, lines of all kinds, mixed; nobody is wedged.
//!
//! Whatever is open at the end is idle: the first thread, which never waits, has signalled every object and could again. Nobody
//! waits while holding a lock, so no circle can come about.

use std::io::Write;

use super::Wanted;
use super::line::{Lines, Written};
use super::objects::{Kind, Object, calls, objects};
use super::random::Random;

const THREADS: u8 = 24;
/// It is always free, and a signaller of everything.
const MAIN: u8 = 1;
const INTERRUPTS: u8 = 0;
/// It exits in the middle.
const SHORT_LIVED: u8 = 24;
/// No step writes more lines.
const STEP_LINES_MAX: u64 = 64;
/// Most objects of one wait.
const OBJECTS_MAX: u64 = 5;
const TIMEOUTS_NS: [u64; 6] = [100_000, 1_000_000, 5_000_000, 16_666_667, 30_000_000, 100_000_000];

/// An open wait.
struct Wait {
    call: &'static str,
    /// Places in the table of objects.
    on: Vec<usize>,
    all: bool,
    /// When it times out.
    end_ns: Option<u64>,
    /// Whether the scheduler's line said that it blocks.
    blocked: bool,
}

#[derive(Default)]
struct Thread {
    waits: Option<Wait>,
    /// A critical section or mutant that it holds.
    holds: Option<usize>,
    gone: bool,
}

impl Thread {
    fn is_free(&self) -> bool {
        self.waits.is_none() && !self.gone
    }
}

struct World<W> {
    lines: Lines<W>,
    random: Random,
    threads: Vec<Thread>,
    objects: Vec<Object>,
    calls: Vec<String>,
}

/// Writes the trace that is wanted.
pub(crate) fn write<W: Write>(wanted: &Wanted, out: W) -> Result<Written, String> {
    let build = "0.9.2+g4f1c2aa-release-lto-x86_64-linux-gnu";
    let mut world = World {
        lines: Lines::new(out, "xenon-rs", build, wanted.host_seed),
        random: Random::new(wanted.seed),
        threads: (0..=THREADS).map(|_| Thread::default()).collect(),
        objects: objects(),
        calls: calls(),
    };
    world.start();
    if world.lines.written.lines + STEP_LINES_MAX > wanted.events {
        return Err(format!(
            "too few events: at least {} are needed",
            world.lines.written.lines + STEP_LINES_MAX
        ));
    }
    while world.lines.written.lines + STEP_LINES_MAX <= wanted.events {
        world.step();
        let short_lived = &world.threads[usize::from(SHORT_LIVED)];
        let may_go = short_lived.is_free() && short_lived.holds.is_none();
        if may_go && world.lines.written.lines > wanted.events / 3 {
            world.threads[usize::from(SHORT_LIVED)].gone = true;
            drop(world.lines.line(SHORT_LIVED, "thread.exit"));
        }
    }
    while world.lines.written.lines < wanted.events {
        world.pass();
        drop(world.lines.line(MAIN, "frame.swap"));
    }
    world.lines.finish().map_err(|error| error.to_string())
}

impl<W: Write> World<W> {
    fn start(&mut self) {
        for tid in 1..=THREADS {
            self.pass();
            let line = self.lines.line(tid, "thread.create").text("name", &format!("worker_{tid}"));
            drop(line.number("priority", priority(tid)).number("hw_thread", u64::from(tid % 6)));
            self.scheduled(tid, "thread.run");
        }
        for place in 0..self.objects.len() {
            self.pass();
            let object = &self.objects[place];
            let line = self.lines.line(MAIN, "object.create").object(object.handle);
            drop(line.text("type", object.kind.name()));
            match object.kind {
                Kind::Auto | Kind::Semaphore => {
                    self.signal(MAIN, place);
                    self.objects[place].tokens = 1;
                }
                Kind::Event => {
                    self.signal(MAIN, place);
                    self.reset(MAIN, place);
                }
                Kind::Mutant | Kind::Timer | Kind::Section => {}
            }
        }
    }

    fn pass(&mut self) {
        self.lines.guest_ns += self.random.between(90, 9000);
    }

    fn scheduled(&mut self, tid: u8, kind: &str) {
        self.pass();
        let line = self.lines.line(tid, kind);
        drop(line.number("priority", priority(tid)).number("hw_thread", u64::from(tid % 6)));
    }

    fn call_and(&mut self, tid: u8, call: &str, inner: impl FnOnce(&mut Self)) {
        self.pass();
        drop(self.lines.line(tid, "import.call").call(call));
        inner(self);
        self.pass();
        drop(self.lines.line(tid, "import.return").call(call));
    }

    /// Something happens, somewhere.
    fn step(&mut self) {
        let tid = self.random.between(1, u64::from(THREADS) + 1) as u8;
        let now = self.lines.guest_ns;
        let over = |thread: &Thread| {
            thread.waits.as_ref().and_then(|wait| wait.end_ns).is_some_and(|end| end <= now)
        };
        if let Some(late) = (1..=THREADS).find(|tid| over(&self.threads[usize::from(*tid)])) {
            return self.end(late, "timeout", None);
        }
        let thread = &self.threads[usize::from(tid)];
        match self.random.below(20) {
            _ if thread.gone => {}
            turn if thread.waits.is_some() => {
                // Waits last for a few turns of the others.
                if turn < 5 {
                    self.satisfy(tid);
                }
            }
            0..=4 => self.imports(tid),
            5..=7 if thread.holds.is_some() => self.release(tid),
            5..=7 => self.enter(tid),
            8..=14 if thread.holds.is_none() && tid != MAIN => self.wait(tid),
            15 => {
                self.scheduled(tid, "thread.ready");
                self.scheduled(tid, "thread.run");
            }
            16 => self.interrupt(None),
            17 => {
                self.pass();
                drop(self.lines.line(tid, "frame.swap"));
            }
            _ => self.leave_token(tid),
        }
    }

    fn imports(&mut self, tid: u8) {
        let deep = self.random.below(4);
        let places: [usize; 3] =
            std::array::from_fn(|_| self.random.below(self.calls.len() as u64) as usize);
        let calls = places.map(|place| self.calls[place].clone());
        self.call_and(tid, &calls[0], |world| {
            if deep > 1 {
                world.call_and(tid, &calls[1], |_| {});
            }
            if deep > 2 {
                world.call_and(tid, &calls[2], |_| {});
            }
        });
    }

    /// Takes a critical section or a mutant that nobody holds.
    fn enter(&mut self, tid: u8) {
        let place = self.random.below(self.objects.len() as u64) as usize;
        let (kind, handle) = (self.objects[place].kind, self.objects[place].handle);
        if self.threads.iter().any(|thread| thread.holds == Some(place)) {
            return;
        }
        match kind {
            Kind::Section => self.call_and(tid, "RtlEnterCriticalSection", |world| {
                drop(world.lines.line(tid, "critsec.enter").object(handle));
            }),
            Kind::Mutant => {
                self.begin(tid, &[place], false, None, false);
                self.end(tid, "success", Some(place));
            }
            _ => return,
        }
        self.threads[usize::from(tid)].holds = Some(place);
    }

    fn release(&mut self, tid: u8) {
        let Some(place) = self.threads[usize::from(tid)].holds.take() else { return };
        if self.objects[place].kind == Kind::Mutant {
            return self.signal(tid, place);
        }
        let handle = self.objects[place].handle;
        self.call_and(tid, "RtlLeaveCriticalSection", |world| {
            drop(world.lines.line(tid, "critsec.leave").object(handle));
        });
    }

    /// Begins a wait for one object or several.
    fn wait(&mut self, tid: u8) {
        let count =
            if self.random.once_in(4) { self.random.between(2, OBJECTS_MAX + 1) } else { 1 };
        let mut on: Vec<usize> = Vec::new();
        for _ in 0..count {
            let place = self.random.below(self.objects.len() as u64) as usize;
            let object = &self.objects[place];
            let alone = count > 1 || matches!(object.kind, Kind::Event);
            let waitable = !matches!(object.kind, Kind::Section | Kind::Mutant);
            let crowded = object.alone || (alone && object.waiters > 0);
            let had = object.tokens > 0 && count > 1;
            if waitable && !crowded && !had && !on.contains(&place) {
                on.push(place);
            }
        }
        if on.is_empty() {
            return;
        }
        let timeout = match self.random.below(40) {
            0 => Some(0),
            1..=15 => Some(self.random.pick(&TIMEOUTS_NS)),
            _ => None,
        };
        let token = on.len() == 1 && self.objects[on[0]].tokens > 0;
        let blocks = !token && timeout != Some(0) && self.random.once_in(2);
        let all = on.len() > 1 && self.random.once_in(3);
        self.begin(tid, &on, all, timeout, blocks);
        if token {
            self.objects[on[0]].tokens -= 1;
            self.end(tid, "success", Some(on[0]));
        } else if timeout == Some(0) {
            self.end(tid, "timeout", None);
        }
    }

    fn begin(&mut self, tid: u8, on: &[usize], all: bool, timeout: Option<u64>, blocked: bool) {
        let call = match (on.len(), self.random.below(2)) {
            (1, 0) => "KeWaitForSingleObject",
            (1, _) => "NtWaitForSingleObjectEx",
            (_, 0) => "KeWaitForMultipleObjects",
            _ => "NtWaitForMultipleObjectsEx",
        };
        self.pass();
        drop(self.lines.line(tid, "import.call").call(call));
        self.pass();
        let line = self.lines.line(tid, "wait.begin").call(call);
        let line = if let [one] = on {
            line.object(self.objects[*one].handle)
        } else {
            let handles: Vec<u32> = on.iter().map(|place| self.objects[*place].handle).collect();
            line.objects(&handles).text("wait", if all { "all" } else { "any" })
        };
        drop(match timeout {
            Some(timeout) => line.number("timeout_ns", timeout),
            None => line,
        });
        let end_ns = timeout.map(|timeout| self.lines.guest_ns + timeout);
        for place in on {
            let object = &mut self.objects[*place];
            object.waiters += 1;
            object.alone = on.len() > 1 || object.kind == Kind::Event;
        }
        if blocked {
            self.scheduled(tid, "thread.block");
        }
        let wait = Wait { call, on: on.to_vec(), all, end_ns, blocked };
        self.threads[usize::from(tid)].waits = Some(wait);
    }

    /// Ends a wait. `reached` is the object that it got, where it is one.
    fn end(&mut self, tid: u8, result: &str, reached: Option<usize>) {
        let Some(wait) = self.threads[usize::from(tid)].waits.take() else { return };
        for place in &wait.on {
            self.objects[*place].waiters -= 1;
            self.objects[*place].alone = false;
        }
        if wait.blocked {
            self.scheduled(tid, "thread.ready");
            self.scheduled(tid, "thread.run");
        }
        let line = self.lines.line(tid, "wait.end").call(wait.call);
        let place = if let [one] = wait.on[..] { Some(one) } else { reached };
        let line = match place {
            Some(place) => line.object(self.objects[place].handle),
            None => line,
        };
        drop(line.text("result", result));
        self.pass();
        drop(self.lines.line(tid, "import.return").call(wait.call));
    }

    /// Signals what the thread waits for, and the thread wakes.
    fn satisfy(&mut self, tid: u8) {
        if self.random.once_in(400) {
            return self.end(tid, "failed", None);
        }
        let Some(wait) = &self.threads[usize::from(tid)].waits else { return };
        let (on, all) = (wait.on.clone(), wait.all);
        let signalled = if all { on } else { vec![self.random.pick(&on)] };
        for place in &signalled {
            match self.objects[*place].kind {
                // It does so by itself.
                Kind::Timer => {}
                _ if self.random.once_in(6) => self.interrupt(Some(*place)),
                _ => {
                    let by = self.somebody();
                    self.signal(by, *place);
                }
            }
        }
        self.end(tid, "success", if all { None } else { Some(signalled[0]) });
        for place in signalled {
            if self.objects[place].kind == Kind::Event {
                self.reset(tid, place);
            }
        }
    }

    /// A thread that can signal: the first that is tried and free, else the one that always is.
    fn somebody(&mut self) -> u8 {
        let tid = self.random.between(1, u64::from(THREADS) + 1) as u8;
        if self.threads[usize::from(tid)].is_free() { tid } else { MAIN }
    }

    fn interrupt(&mut self, place: Option<usize>) {
        let call = ["vsync", "audio", "disc", "timer"][self.random.below(4) as usize];
        self.pass();
        let handle = place.map(|place| self.objects[place].handle);
        let line = self.lines.line(INTERRUPTS, "interrupt.begin").call(call);
        drop(if let Some(handle) = handle { line.object(handle) } else { line });
        if let Some(place) = place {
            self.signal(INTERRUPTS, place);
        }
        self.pass();
        drop(self.lines.line(INTERRUPTS, "interrupt.end").call(call));
    }

    fn signal(&mut self, tid: u8, place: usize) {
        let object = &self.objects[place];
        let (call, handle) = (object.kind.signalled_by(self.random.below(2)), object.handle);
        self.call_and(tid, call, |world| {
            world.pass();
            drop(world.lines.line(tid, "object.signal").call(call).object(handle));
        });
    }

    fn reset(&mut self, tid: u8, place: usize) {
        let handle = self.objects[place].handle;
        self.call_and(tid, "NtClearEvent", |world| {
            drop(world.lines.line(tid, "object.reset").call("NtClearEvent").object(handle));
        });
    }

    /// Signals something that nobody waits for: the next waiter finds the token.
    fn leave_token(&mut self, tid: u8) {
        let place = self.random.below(self.objects.len() as u64) as usize;
        let object = &self.objects[place];
        let most = match object.kind {
            Kind::Auto => 1,
            Kind::Semaphore => 8,
            _ => 0,
        };
        if object.waiters == 0 && object.tokens < most {
            self.objects[place].tokens += 1;
            self.signal(tid, place);
        }
    }
}

fn priority(tid: u8) -> u64 {
    u64::from(tid) * 7 % 18
}
