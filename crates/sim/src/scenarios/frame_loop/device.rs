//! What do the driver and the device do? Two queues, the presentation engine, and where the keys come from.

use unwedge_trace::AgentState;

use super::parts::{
    EMPTY, FRAME, Faults, LOST, MS, NONE, Parts, STALLED, Setup, Slot, UP, US, may_fail,
};
use crate::world::{Comparison, Label, Program, WorldBuilder, test};

/// A screen of 60 Hz.
const REFRESH_NS: u64 = 16_667 * US;

/// Writes the programs of all that is not the program.
pub(super) fn write(world: &mut WorldBuilder, parts: &Parts, faults: &Faults, setup: &Setup) {
    world.program(parts.queue, |p| queue(p, parts, faults, setup));
    if setup.uploads {
        world.program(parts.transfer, |p| transfer(p, parts, faults));
    }
    world.program(parts.engine, |p| engine(p, parts, faults, setup));
    world.program(parts.acquires, |p| acquires(p, parts));
    world.program(parts.keyboard, |p| keyboard(p, parts, setup));
}

/// Executes what is submitted, slot after slot: a slot has its turn until it has presented.
fn queue(p: &mut Program<'_>, parts: &Parts, faults: &Faults, setup: &Setup) {
    let slots: Vec<_> = parts.slots.iter().map(|_| p.label()).collect();
    let (stalled, lost, dead) = (p.label(), p.label(), p.label());
    for (number, slot) in parts.slots.iter().enumerate() {
        let (execute, frame) = (p.label(), p.label());
        p.here(slots[number]);
        p.until(test(slot.job, Comparison::Not, NONE));
        p.go_if(test(slot.job, Comparison::Is, EMPTY), execute);
        p.wait("vkQueueSubmit", &[slot.available.into()]);
        if setup.waits_for_use {
            p.signal(slot.unused);
        }
        p.here(execute);
        may_fail(p, faults.stall, stalled);
        may_fail(p, faults.device_lost, lost);
        p.go_if(test(slot.job, Comparison::Is, FRAME), frame);
        p.compute(20 * US, 50 * US);
        finish(p, parts, faults, setup, slot);
        p.go(slots[number]);
        p.here(frame);
        p.compute(5 * MS, 12 * MS);
        p.signal(slot.rendered);
        p.wait("vkQueuePresentKHR", &[slot.rendered.into()]);
        p.owe(parts.engine, parts.presents);
        p.add(parts.given, 1, setup.images_round());
        finish(p, parts, faults, setup, slot);
        p.go(slots[(number + 1) % slots.len()]);
    }
    if faults.stall.is_some() {
        p.here(stalled);
        p.state(AgentState::Blocked, "GPU utilisation 0 %");
        p.set(parts.down, STALLED);
        p.go(dead);
    }
    if faults.device_lost.is_some() {
        p.here(lost);
        p.state(AgentState::Exited, "device lost");
        p.set(parts.down, LOST);
    }
    if faults.stall.is_some() || faults.device_lost.is_some() {
        p.here(dead);
        p.until(test(parts.down, Comparison::Is, UP));
        p.state(AgentState::Running, "a new device");
        p.go(slots[0]);
    }
}

/// The batch is done, and if the driver does not drop it, the notification has come: a queue that is idle has nothing on its way
/// that could reach a fence made afterwards.
fn finish(p: &mut Program<'_>, parts: &Parts, faults: &Faults, setup: &Setup, slot: &Slot) {
    let (dropped, told) = (p.label(), p.label());
    p.set(slot.job, NONE);
    may_fail(p, faults.drop_notification, dropped);
    p.signal(slot.done);
    if faults.drop_notification.is_some() {
        if setup.timeline {
            catch_up(p, parts, slot, told);
        }
        p.here(dropped);
        if setup.timeline {
            p.add(parts.behind, 1, 0);
        }
    }
    p.here(told);
    p.signal(parts.batches);
}

/// A timeline's later value shows those whose notification was dropped, too.
fn catch_up(p: &mut Program<'_>, parts: &Parts, slot: &Slot, told: Label) {
    let more = p.mark_here();
    p.go_if(test(parts.behind, Comparison::Is, 0), told);
    p.add(parts.behind, u8::MAX, 0);
    p.signal(slot.done);
    p.go(more);
}

/// Executes atlas uploads.
fn transfer(p: &mut Program<'_>, parts: &Parts, faults: &Faults) {
    let (top, dropped) = (p.mark_here(), p.label());
    p.until(test(parts.upload, Comparison::Is, 1));
    p.set(parts.upload, 0);
    p.compute(300 * US, MS);
    may_fail(p, faults.upload_timeout, dropped);
    p.signal(parts.atlas);
    p.here(dropped);
    p.signal(parts.transfers);
    p.go(top);
}

/// Shows an image, and hands it back after it was shown.
fn engine(p: &mut Program<'_>, parts: &Parts, faults: &Faults, setup: &Setup) {
    let (top, withhold) = (p.mark_here(), p.label());
    p.until(test(parts.given, Comparison::Not, parts.shown));
    may_fail(p, faults.withhold_images, withhold);
    p.sleep(REFRESH_NS, REFRESH_NS);
    p.add(parts.shown, 1, setup.images_round());
    p.signal(parts.swapchain);
    p.signal(parts.presents);
    p.go(top);
    if faults.withhold_images.is_some() {
        p.here(withhold);
        p.state(AgentState::Blocked, "holds the images and hands out none");
        p.halt();
    }
}

/// Signals the semaphore of an acquire.
fn acquires(p: &mut Program<'_>, parts: &Parts) {
    let top = p.mark_here();
    p.until(test(parts.asked, Comparison::Not, NONE));
    let slots: Vec<_> = parts.slots.iter().map(|_| p.label()).collect();
    for (number, slot) in slots.iter().enumerate().skip(1) {
        let asked = u8::try_from(number + 1).unwrap_or(u8::MAX);
        p.go_if(test(parts.asked, Comparison::Is, asked), *slot);
    }
    for (slot, label) in parts.slots.iter().zip(slots) {
        p.here(label);
        p.signal(slot.available);
        p.set(parts.asked, NONE);
        p.go(top);
    }
}

/// Keys arrive.
fn keyboard(p: &mut Program<'_>, parts: &Parts, setup: &Setup) {
    let top = p.mark_here();
    if setup.small {
        p.until(test(parts.keys, Comparison::Is, 0));
    }
    p.sleep(80 * MS, 200 * MS);
    p.signal(parts.keys);
    p.go(top);
}
