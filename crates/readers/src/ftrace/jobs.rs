//! Which job of the GPU scheduler is queued, runs, is done, or waits for another's fence?

use unwedge_trace::{AgentState, Bound, Mode, Outcome, Point, What};

use super::World;
use super::fences::{Behind, Name, address, pair};
use super::fields::{decimal, last_field, word};
use super::line::Line;
use crate::Sink;

/// A job as an event names it.
struct Job<'a> {
    name: Name,
    number: u64,
    behind: Behind<'a>,
    /// The address of its fence, in old kernels.
    fence: Option<u64>,
}

/// `entity=…, id=…, fence=…, ring=…, …` of old kernels, `dev=…, fence=5:17, ring=…, …` of new ones.
fn parse(args: &str) -> Option<Job<'_>> {
    let fence = word(args, "fence=")?;
    let timeline = last_field(args, "ring=", ",")?;
    if let Some((name, number)) = pair(fence) {
        let driver = word(args, "dev=").unwrap_or_default();
        return Some(Job { name, number, behind: Behind { driver, timeline }, fence: None });
    }
    let name = Name::Entity(address(word(args, "entity=")?)?);
    let number = decimal(args, "id=")?;
    let behind = Behind { driver: "ring", timeline };
    Some(Job { name, number, behind, fence: Some(address(fence)?) })
}

/// A job is queued.
pub(super) fn queue(world: &mut World, line: &Line<'_>, args: &str, out: &mut Sink) -> Option<()> {
    let job = parse(args)?;
    let via = if line.interrupt { None } else { world.current(line, out) };
    let World { fences, numbers, .. } = world;
    if let Some(fence) = job.fence {
        fences.remember(fence, job.name, job.behind.timeline, job.number);
    }
    let context = fences.of(line.at, job.name, job.behind, numbers, out)?;
    let value = context.widen(job.number);
    context.promise(line.at, value, via, out);
    Some(())
}

/// A job is handed to the hardware.
pub(super) fn run(world: &mut World, line: &Line<'_>, args: &str, out: &mut Sink) -> Option<()> {
    let job = parse(args)?;
    let World { fences, numbers, .. } = world;
    if let Some(fence) = job.fence {
        fences.remember(fence, job.name, job.behind.timeline, job.number);
    }
    let context = fences.of(line.at, job.name, job.behind, numbers, out)?;
    let value = context.widen(job.number);
    context.promise(line.at, value, None, out);
    if let (Some(queue), Some(_)) = (context.queue, context.waits.take()) {
        out.event(line.at, queue, What::WaitEnded { outcome: Outcome::Reached });
    }
    let detail = format!("job {} was handed to the hardware", job.number);
    context.say(line.at, AgentState::Running, detail, out);
    Some(())
}

/// A job is done: `fence=… signaled`.
pub(super) fn done(world: &mut World, line: &Line<'_>, args: &str, out: &mut Sink) -> Option<()> {
    let fence = word(args, "fence=")?;
    let World { fences, numbers, .. } = world;
    let (name, number) = match pair(fence) {
        Some(pair) => pair,
        // One that was queued before the trace began is nobody's.
        None => match fences.job_done(address(fence)?) {
            Some(job) => job,
            None => return Some(()),
        },
    };
    let context = fences.of(line.at, name, Behind::default(), numbers, out)?;
    let value = context.widen(number);
    context.signal(line.at, value, out);
    if context.is_done() {
        context.say(line.at, AgentState::Blocked, "no job is queued".to_owned(), out);
    }
    Some(())
}

/// A job cannot run yet: `job ring=…, id=…, depends fence=…, context=…, seq=…` of old kernels, `fence=… depends on
/// unsignalled fence=…` of new ones. Its queue waits: the jobs behind it come later.
pub(super) fn depends(
    world: &mut World,
    line: &Line<'_>,
    args: &str,
    out: &mut Sink,
) -> Option<()> {
    let (job, dependency) = args.split_once("depends")?;
    let World { fences, numbers, .. } = world;
    let (name, on) = match pair(word(job, "fence=").unwrap_or_default()) {
        Some((name, _)) => (name, pair(word(dependency, "fence=")?)?),
        None => {
            // One that was queued before the trace began is nobody's.
            let id = decimal::<u64>(job, "id=")?;
            let ring = last_field(job, "ring=", ",")?;
            let Some(name) = fences.job_by_id(ring, id) else { return Some(()) };
            let known = address(word(dependency, "fence=")?);
            let known = known.and_then(|fence| fences.job(fence));
            let told = || {
                let context = Name::Context(decimal(dependency, "context=")?);
                Some((context, decimal(dependency, "seq=")?))
            };
            (name, known.or_else(told)?)
        }
    };
    let other = fences.of(line.at, on.0, Behind::default(), numbers, out)?;
    let value = other.widen(on.1);
    let point = other.point(value);
    wait(world, line, name, point, out)
}

fn wait(
    world: &mut World,
    line: &Line<'_>,
    name: Name,
    point: Point,
    out: &mut Sink,
) -> Option<()> {
    let World { fences, numbers, .. } = world;
    let context = fences.of(line.at, name, Behind::default(), numbers, out)?;
    let queue = context.queue?;
    if context.waits.replace(point).is_some() {
        out.event(line.at, queue, What::WaitEnded { outcome: Outcome::Reached });
    }
    let call = "dependency of a job".to_owned();
    let (points, mode, bound) = (vec![point], Mode::All, Bound::Infinite);
    out.event(line.at, queue, What::WaitBegan { call, points, mode, bound });
    Some(())
}
