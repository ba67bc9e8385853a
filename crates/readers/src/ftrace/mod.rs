//! What do the events of the kernel's tracer say about who waits?
//!
//! Text of ftrace (`trace`, `trace_pipe`), of `trace-cmd report`, and of the HTML pages that systrace makes of it.
//! Tasks are agents; so is the queue behind a context of fences. The scheduler tells who runs and who sleeps, system
//! calls and fences tell what for. A task that sleeps for an unknown reason is told as asleep and in no wait.
//!
//! Invariant: every table is bounded; what finds no room is counted and said at the end.

mod calls;
mod fences;
mod fields;
mod futex;
mod jobs;
mod line;
mod locks;
mod page;
mod sched;
mod summary;
mod tasks;

use unwedge_trace::{AgentId, AgentKind, MarkKind, Timestamp, What};

pub use calls::BOUND_UNKNOWN;

use crate::{Format, LineReader, Reading, Sink};
use line::Line;
use page::Page;
use tasks::{Named, Numbers, Task, Tasks};

/// ftrace text or trace-cmd report.
pub const FORMAT: Format =
    Format { name: "ftrace", title: "ftrace text or trace-cmd report", detect, open };

/// The agent that stands for the trace itself, and for whoever the kernel does not name.
const TRACER: AgentId = AgentId(0);
/// Lines looked at to recognise the format.
const DETECT_LINES_MAX: usize = 400;

fn detect(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(start);
    if page::is_page(&text) {
        return page::holds_trace(&text);
    }
    let (mut events, mut others) = (0, 0);
    for line in text.lines().take(DETECT_LINES_MAX) {
        if line.trim_start().starts_with("# tracer:") {
            return true;
        }
        match Line::parse(line) {
            Some(_) => events += 1,
            None if is_event_less(line) => {}
            None => others += 1,
        }
    }
    events > others
}

fn open(start: &[u8]) -> Result<Reading, String> {
    let page = page::is_page(&String::from_utf8_lossy(start)).then(Page::default);
    Ok(Reading::Lines(Box::new(Reader { page, ..Reader::default() })))
}

/// Comments, headers and stacks: lines that belong to a trace and are no events.
fn is_event_less(line: &str) -> bool {
    let line = line.trim();
    line.is_empty()
        || line.starts_with('#')
        || line.starts_with("=>")
        || line.starts_with("cpus=")
        || line.starts_with("version =")
        || line.starts_with("CPU ") && line.ends_with("is empty")
        || (line.starts_with('<') && line.ends_with("stack trace>"))
}

/// Reads line after line.
#[derive(Debug, Default)]
struct Reader {
    /// The HTML page around the trace, if it is one.
    page: Option<Page>,
    world: World,
    /// The time of the last line so far.
    last_at: u64,
    /// Events that the header says were overwritten, until the first event gives them a time.
    overwritten: u64,
    introduced: bool,
}

/// All that is known so far.
#[derive(Debug, Default)]
struct World {
    tasks: Tasks,
    numbers: Numbers,
    futexes: futex::Futexes,
    locks: locks::Locks,
    fences: fences::Fences,
    told: summary::Told,
    unused: summary::Unused,
}

impl LineReader for Reader {
    fn line(&mut self, line: &[u8], out: &mut Sink) {
        let text = String::from_utf8_lossy(line);
        let text = match &mut self.page {
            None => text.trim_end(),
            Some(page) => match page.line(&text) {
                Some(text) => text,
                None => return,
            },
        };
        if let Some(line) = Line::parse(text) {
            self.last_at = self.last_at.max(line.at);
            self.begin(line.at, out);
            self.world.event(&line, out);
        } else if let Some(count) = lost(text) {
            self.begin(self.last_at, out);
            out.event(self.last_at, TRACER, What::Lost { count });
        } else if let Some(count) = overwritten(text) {
            self.overwritten = count;
        } else if !is_event_less(text) && self.page.is_none() {
            out.complain(None, "not an event of the tracer");
        }
    }

    fn finish(&mut self, out: &mut Sink) {
        let at = self.last_at;
        self.world.futexes.finish(&self.world.tasks, at, out);
        locks::finish(&mut self.world, out);
        self.world.unused.finish(at, out);
        let World { tasks, futexes, locks, fences, .. } = &self.world;
        let left_out = [
            (tasks.left_out, "tasks"),
            (futexes.left_out, "futexes"),
            (locks.left_out, "locks"),
            (fences.left_out, "fences"),
        ];
        for (count, what) in left_out.into_iter().filter(|(count, _)| *count > 0) {
            let text = format!("{what} beyond a number: {count} events about them were left out");
            summary::mark(at, MarkKind::Unobserved, text, out);
        }
    }

    fn now(&self) -> Option<Timestamp> {
        (self.last_at > 0).then_some(Timestamp(self.last_at))
    }
}

impl Reader {
    /// What comes before the first event.
    fn begin(&mut self, at: u64, out: &mut Sink) {
        if !std::mem::replace(&mut self.introduced, true) {
            let (kind, name) = (AgentKind::Outside, "kernel".to_owned());
            out.event(at, TRACER, What::Agent { kind, name, pid: 0, tid: 0 });
        }
        let count = std::mem::take(&mut self.overwritten);
        if count > 0 {
            out.event(at, TRACER, What::Lost { count });
        }
    }
}

/// `CPU:1 [LOST 123 EVENTS]`, `CPU:1 [123 EVENTS DROPPED]`, or without a number, which is one at least.
fn lost(text: &str) -> Option<u64> {
    let (_, text) = text.trim().strip_prefix("CPU")?.split_once('[')?;
    let says = text.contains("LOST") || text.contains("DROPPED");
    let number = text.split([' ', ']']).find_map(|word| word.parse().ok());
    says.then_some(number.unwrap_or(1))
}

/// `# entries-in-buffer/entries-written: 100/250   #P:2`: the rest was overwritten.
fn overwritten(text: &str) -> Option<u64> {
    let (_, numbers) = text.split_once("entries-in-buffer/entries-written:")?;
    let (kept, written) = numbers.trim().split_once('/')?;
    let written: u64 = written.split(' ').next()?.parse().ok()?;
    Some(written.saturating_sub(kept.trim().parse().ok()?))
}

impl World {
    /// The task that a line comes from.
    fn task(&mut self, line: &Line<'_>, out: &mut Sink) -> Option<&mut Task> {
        let named = Named { name: line.name, tid: line.tid, process: line.process };
        self.tasks.of(line.at, named, &mut self.numbers, out)
    }

    fn current(&mut self, line: &Line<'_>, out: &mut Sink) -> Option<AgentId> {
        self.task(line, out).map(|task| task.agent)
    }

    /// Takes in one event.
    fn event(&mut self, line: &Line<'_>, out: &mut Sink) {
        if !line.rest.starts_with("sched_switch") {
            let named = Named { name: line.name, tid: line.tid, process: line.process };
            self.tasks.seen(line.at, named, line.cpu, &mut self.numbers, out);
        }
        if let Some(call) = calls::parse(line.rest) {
            if !calls::apply(self, line, call, out) {
                self.unused.count("sys_*");
            }
            return;
        }
        let Some((name, args)) = line.rest.split_once(':') else {
            return self.unused.count(line.rest);
        };
        let args = args.trim();
        if self
            .scheduling(line, name, args, out)
            .or_else(|| self.waiting(line, name, args, out))
            .is_none()
        {
            self.unused.count(name);
        }
    }

    /// What the scheduler of tasks says.
    fn scheduling(
        &mut self,
        line: &Line<'_>,
        name: &str,
        args: &str,
        out: &mut Sink,
    ) -> Option<()> {
        match name {
            "sched_switch" => sched::switch(self, line, args, out),
            "sched_wakeup" | "sched_waking" => sched::wakeup(self, line, args, false, out),
            "sched_wakeup_new" => sched::wakeup(self, line, args, true, out),
            "sched_process_fork" => sched::fork(self, line, args, out),
            "sched_process_exec" => sched::exec(self, line, args, out),
            "sched_process_exit" => sched::exit(self, line, args, out),
            "sched_process_free" => sched::free(self, line, args, out),
            "sched_blocked_reason" => sched::blocked_reason(self, line, args, out),
            _ => None,
        }
    }

    /// What locks, fences and jobs say.
    fn waiting(&mut self, line: &Line<'_>, name: &str, args: &str, out: &mut Sink) -> Option<()> {
        match name {
            "contention_begin" => locks::contention_begin(self, line, args, out),
            "contention_end" => locks::contention_end(self, line, args, out),
            "lock_acquire" => locks::step(self, line, args, locks::Step::Acquire, out),
            "lock_contended" => locks::step(self, line, args, locks::Step::Contended, out),
            "lock_acquired" => locks::step(self, line, args, locks::Step::Acquired, out),
            "lock_release" => locks::step(self, line, args, locks::Step::Release, out),
            "dma_fence_init" => fences::step(self, line, args, fences::Step::Init, out),
            "dma_fence_emit" => fences::step(self, line, args, fences::Step::Emit, out),
            "dma_fence_signaled" => fences::step(self, line, args, fences::Step::Signaled, out),
            "dma_fence_wait_start" => fences::step(self, line, args, fences::Step::WaitStart, out),
            "dma_fence_wait_end" => fences::step(self, line, args, fences::Step::WaitEnd, out),
            "drm_sched_job" | "drm_sched_job_queue" => jobs::queue(self, line, args, out),
            "drm_run_job" | "drm_sched_job_run" => jobs::run(self, line, args, out),
            "drm_sched_process_job" | "drm_sched_job_done" => jobs::done(self, line, args, out),
            "drm_sched_job_wait_dep" | "drm_sched_job_unschedulable" => {
                jobs::depends(self, line, args, out)
            }
            _ => None,
        }
    }
}
