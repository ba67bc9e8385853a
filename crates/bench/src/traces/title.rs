//! What does a title on an emulated console do? Starts its threads, draws frames, feeds its workers; the same in a trace that
//! wedges and in one that does not.

use std::io::Write;

use super::cast::{self, THREADS, Thread};
use super::line::Lines;
use super::random::Random;

/// The deadline of the poller's waits.
pub(crate) const POLL_NS: u64 = 30_000_000;
/// Lines of [`Title::job`] and [`Title::block`].
pub(crate) const JOB_LINES: u64 = 12;

/// Imports that stand for work.
const WORK: [&str; 8] = [
    "RtlFillMemoryUlong",
    "KeQueryPerformanceFrequency",
    "MmGetPhysicalAddress",
    "NtReadFile",
    "XMAGetOutputBufferReadOffset",
    "VdGetSystemCommandBuffer",
    "KeRaiseIrqlToDpcLevel",
    "XamInputGetState",
];

/// The title, with the trace that it leaves.
pub(crate) struct Title<W> {
    pub(crate) lines: Lines<W>,
    pub(crate) random: Random,
    /// Whether the vsync interrupt's lines say which object its callback is to signal.
    pub(crate) producer_declared: bool,
}

impl<W: Write> Title<W> {
    /// Lets a little virtual time pass.
    fn step(&mut self) {
        self.lines.guest_ns += self.random.between(120, 4000);
    }

    fn scheduled(&mut self, thread: &Thread, kind: &str) {
        self.step();
        let line = self.lines.line(thread.tid, kind);
        drop(line.number("priority", thread.priority).number("hw_thread", thread.hw_thread));
    }

    pub(crate) fn ready(&mut self, tid: u8) {
        self.scheduled(of(tid), "thread.ready");
    }

    pub(crate) fn run(&mut self, tid: u8) {
        self.scheduled(of(tid), "thread.run");
    }

    fn call(&mut self, tid: u8, call: &str) {
        self.step();
        drop(self.lines.line(tid, "import.call").call(call));
    }

    fn returns(&mut self, tid: u8, call: &str) {
        self.step();
        drop(self.lines.line(tid, "import.return").call(call));
    }

    /// Two lines.
    pub(crate) fn work(&mut self, tid: u8) {
        let call = self.random.pick(&WORK);
        self.call(tid, call);
        self.returns(tid, call);
    }

    /// Three lines.
    fn wait(&mut self, tid: u8, object: u32) {
        self.call(tid, "KeWaitForSingleObject");
        self.step();
        drop(self.lines.line(tid, "wait.begin").call("KeWaitForSingleObject").object(object));
        self.scheduled(of(tid), "thread.block");
    }

    /// Four lines.
    fn wake(&mut self, tid: u8, object: u32) {
        self.ready(tid);
        self.run(tid);
        let line = self.lines.line(tid, "wait.end").call("KeWaitForSingleObject").object(object);
        drop(line.text("result", "success"));
        self.returns(tid, "KeWaitForSingleObject");
    }

    /// Three lines.
    fn signal(&mut self, tid: u8, object: u32) {
        let call = if cast::find(object).kind == "semaphore" {
            "KeReleaseSemaphore"
        } else {
            "KeSetEvent"
        };
        self.call(tid, call);
        self.step();
        drop(self.lines.line(tid, "object.signal").call(call).object(object));
        self.returns(tid, call);
    }

    /// Three lines.
    fn reset(&mut self, tid: u8, object: u32) {
        self.call(tid, "KeResetEvent");
        self.step();
        drop(self.lines.line(tid, "object.reset").call("KeResetEvent").object(object));
        self.returns(tid, "KeResetEvent");
    }

    /// Three lines.
    fn lock(&mut self, tid: u8, object: u32) {
        self.call(tid, "RtlEnterCriticalSection");
        self.step();
        drop(self.lines.line(tid, "critsec.enter").object(object));
        self.returns(tid, "RtlEnterCriticalSection");
    }

    /// Three lines.
    fn unlock(&mut self, tid: u8, object: u32) {
        self.call(tid, "RtlLeaveCriticalSection");
        self.step();
        drop(self.lines.line(tid, "critsec.leave").object(object));
        self.returns(tid, "RtlLeaveCriticalSection");
    }

    /// Ten lines: the loop that is nearly all of a wedged trace. `meanwhile` is what others do while it waits. Its waits are
    /// ended by the timer queue or by the interrupt, so the scheduler has no lines about them.
    pub(crate) fn poll(&mut self, waits_ns: u64, result: &str, meanwhile: impl FnOnce(&mut Self)) {
        const CALL: &str = "KeWaitForSingleObject";
        self.lock(cast::POLLER, cast::DISPLAY_LOCK);
        self.call(cast::POLLER, CALL);
        self.step();
        let line = self.lines.line(cast::POLLER, "wait.begin").call(CALL).object(cast::VSYNC_SEEN);
        drop(line.number("timeout_ns", POLL_NS));
        let end = self.lines.guest_ns + waits_ns;
        meanwhile(self);
        debug_assert!(self.lines.guest_ns <= end, "more was done in a wait than it lasts");
        self.lines.guest_ns = end;
        let line = self.lines.line(cast::POLLER, "wait.end").call(CALL).object(cast::VSYNC_SEEN);
        drop(line.text("result", result));
        self.returns(cast::POLLER, CALL);
        self.unlock(cast::POLLER, cast::DISPLAY_LOCK);
    }

    /// Two lines: the interrupt comes, and its callback runs to its end.
    pub(crate) fn vsync(&mut self) {
        self.step();
        let mut line = self.lines.line(cast::INTERRUPTS, "interrupt.begin").call("vsync");
        if self.producer_declared {
            line = line.object(cast::VSYNC_SEEN);
        }
        drop(line);
        self.step();
        let mut line = self.lines.line(cast::INTERRUPTS, "interrupt.end").call("vsync");
        if self.producer_declared {
            line = line.object(cast::VSYNC_SEEN);
        }
        drop(line);
    }

    /// [`JOB_LINES`]: the main thread feeds a waiting thread, which works and waits again.
    pub(crate) fn job(&mut self) {
        let worker = self.random.pick(&cast::WORKERS);
        self.fed(cast::MAIN, worker);
    }

    /// [`JOB_LINES`]: the thread that reads files has one more block to unpack.
    pub(crate) fn block(&mut self) {
        self.fed(cast::FILES, cast::UNPACK);
    }

    fn fed(&mut self, by: u8, tid: u8) {
        let object = of(tid).rest.unwrap_or(cast::JOBS);
        self.signal(by, object);
        self.wake(tid, object);
        self.work(tid);
        self.wait(tid, object);
    }

    /// Creates all threads and objects. In the end the render thread draws its first frame, the one that reads files reads, and
    /// the others are at rest, each object having been signalled once.
    pub(crate) fn start(&mut self) {
        for thread in &THREADS {
            self.create(thread);
        }
        for tid in [cast::MOVIE, cast::SHADERS] {
            self.work(tid);
            self.step();
            drop(self.lines.line(tid, "thread.exit"));
        }
        self.run(cast::RENDER);
        // Backwards, so that whoever feeds another is not at rest yet.
        let mut fed = Vec::new();
        let rests = THREADS.iter().rev().filter_map(|thread| Some((thread.tid, thread.rest?)));
        for (tid, object) in rests.filter(|(tid, _)| ![cast::MAIN, cast::FILES].contains(tid)) {
            self.wait(tid, object);
            if !fed.contains(&object) {
                fed.push(object);
                self.fed(cast::find(object).signaller, tid);
            }
        }
        self.wait(cast::FILES, cast::READS);
        self.signal(cast::MAIN, cast::READS);
        self.wake(cast::FILES, cast::READS);
        self.wait(cast::MAIN, cast::FRAME_DONE);
    }

    fn create(&mut self, thread: &Thread) {
        self.lines.guest_ns += self.random.between(200_000, 3_000_000);
        let line = self.lines.line(thread.tid, "thread.create").text("name", thread.name);
        drop(line.number("priority", thread.priority).number("hw_thread", thread.hw_thread));
        if ![cast::POLLER, cast::RENDER].contains(&thread.tid) {
            self.run(thread.tid);
        }
        if thread.tid == cast::MAIN {
            for object in &cast::OBJECTS {
                self.step();
                let line = self.lines.line(cast::MAIN, "object.create").object(object.handle);
                drop(line.text("type", object.kind));
            }
        }
    }

    /// The thread that reads files has read them all.
    pub(crate) fn files_are_read(&mut self) {
        self.wait(cast::FILES, cast::READS);
    }

    /// A frame, from when the render thread has drawn it to when it draws the next. `jobs` are fed in between.
    pub(crate) fn frame(&mut self, jobs: u64) {
        self.lock(cast::RENDER, cast::FRAME_LOCK);
        self.unlock(cast::RENDER, cast::FRAME_LOCK);
        self.step();
        drop(self.lines.line(cast::RENDER, "frame.swap"));
        self.signal(cast::RENDER, cast::FRAME_DONE);
        self.wait(cast::RENDER, cast::FRAME_WANTED);
        self.wake(cast::MAIN, cast::FRAME_DONE);
        self.reset(cast::MAIN, cast::FRAME_DONE);
        for _ in 0..jobs {
            self.job();
        }
        self.signal(cast::MAIN, cast::FRAME_WANTED);
        self.wait(cast::MAIN, cast::FRAME_DONE);
        self.wake(cast::RENDER, cast::FRAME_WANTED);
        self.work(cast::RENDER);
    }
}

/// The thread with this id, which is in the table.
fn of(tid: u8) -> &'static Thread {
    &THREADS[usize::from(tid) - 1]
}
