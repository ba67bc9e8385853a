//! How does a frame loop come to wait for ever? Acquire, fence, submit and present, with their failures.

use unwedge_trace::{AgentKind, MarkKind, ObjectKind};

use super::{Scenario, Size};
use crate::switch::{Settings, Switch};
use crate::world::{Comparison, Discipline, World, WorldBuilder, test};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "frame-loop",
    about: "a frame loop whose driver drops notifications and whose acquires time out",
    story: "",
    switches: SWITCHES,
    build,
};

const SWITCHES: &[Switch] = &[
    Switch::flag(
        "reset-after-acquire",
        false,
        "the fence is reset after a successful acquire, not before it",
    ),
    Switch::fault("acquire-timeout", "an acquire times out"),
    Switch::fault(
        "drop-notification",
        "the driver drops the notification of a fence whose work is done",
    ),
];

const MS: u64 = 1_000_000;

fn build(settings: &Settings, _: Size) -> Result<World, String> {
    let mut world = WorldBuilder::new();
    let frames = world.goal("frames");
    let main = world.agent(AgentKind::HostThread, "main", 4100, 4100);
    let queue = world.agent(AgentKind::GpuQueue, "queue", 0, 0);
    let fence = world.object_with(ObjectKind::Fence, 0x5e, "frame", Discipline::Latch, 1);
    let batches = world.object(ObjectKind::Queue, 0x55d0, "");
    let (jobs, taken) = (world.variable(0), world.variable(0));
    let timeout = world.fault("acquire-timeout", settings.fault("acquire-timeout"));
    let dropped = world.fault("drop-notification", settings.fault("drop-notification"));
    world.daemon(queue);
    world.program(main, |p| {
        let (top, retry) = (p.mark_here(), p.label());
        p.wait("vkWaitForFences", &[fence.into()]);
        if !settings.flag("reset-after-acquire") {
            p.reset(fence);
        }
        p.may_fail(timeout, retry);
        if settings.flag("reset-after-acquire") {
            p.reset(fence);
        }
        p.compute(MS, 2 * MS);
        p.owe(queue, batches);
        p.owe_after(queue, fence, batches);
        p.add(jobs, 1, 4);
        p.progress(frames, "frame presented");
        p.go(top);
        p.here(retry);
        p.mark(MarkKind::FailedCall, "vkAcquireNextImageKHR returned VK_TIMEOUT", &[]);
        p.sleep(5 * MS, 5 * MS);
        p.go(top);
    });
    world.program(queue, |p| {
        let (top, next) = (p.mark_here(), p.label());
        p.until(test(jobs, Comparison::Not, taken));
        p.add(taken, 1, 4);
        p.compute(5 * MS, 12 * MS);
        p.signal(batches);
        p.may_fail(dropped, next);
        p.signal(fence);
        p.here(next);
        p.go(top);
    });
    Ok(world.build())
}
