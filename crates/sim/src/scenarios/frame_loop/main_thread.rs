//! What does the terminal's main thread do? It takes keys, uploads glyphs, draws a frame, and has an answer to each failure.

use unwedge_trace::MarkKind;

use super::parts::{
    AfterFailure, CONSUME, EMPTY, FRAME, Faults, LOST, MS, NONE, Parts, Setup, Slot, UP, may_fail,
};
use crate::world::{Comparison, Label, Program, Target, test};

/// What the bounded waits wait at most: the incident's figures.
const FENCE_NS: u64 = 2_000 * MS;
const ACQUIRE_NS: u64 = 100 * MS;
/// Retries come 5 ms later each time, up to 100 ms.
const BACK_OFF_NS: u64 = 5 * MS;
const BACK_OFFS_MAX: u8 = 20;

/// Places that the code of every slot goes to.
struct Shared {
    /// A wait timed out.
    trouble: Label,
    /// The frame is skipped, and tried again after a while.
    skip: Label,
    acquire_timed_out: Label,
    out_of_date: Label,
    lost: Label,
}

struct Writer<'a> {
    parts: &'a Parts,
    faults: &'a Faults,
    setup: &'a Setup,
    shared: Shared,
    /// Where each slot begins.
    slots: Vec<Label>,
}

/// Writes the program.
pub(super) fn write(p: &mut Program<'_>, parts: &Parts, faults: &Faults, setup: &Setup) {
    let shared = Shared {
        trouble: p.label(),
        skip: p.label(),
        acquire_timed_out: p.label(),
        out_of_date: p.label(),
        lost: p.label(),
    };
    let slots = parts.slots.iter().map(|_| p.label()).collect();
    let writer = Writer { parts, faults, setup, shared, slots };
    writer.create_synchronisation(p);
    for number in 0..writer.slots.len() {
        writer.slot(p, number);
    }
    writer.failed_acquires(p);
    writer.trouble(p);
    writer.skip(p);
}

impl Writer<'_> {
    /// Fences are created signalled by whoever creates them, if at all.
    fn create_synchronisation(&self, p: &mut Program<'_>) {
        for slot in &self.parts.slots {
            if !self.setup.timeline && self.setup.created_signalled {
                p.signal(slot.done);
            }
            if self.setup.waits_for_use {
                p.signal(slot.unused);
            }
        }
    }

    /// One frame with the objects of this slot.
    fn slot(&self, p: &mut Program<'_>, number: usize) {
        let (parts, setup) = (self.parts, self.setup);
        let slot = &parts.slots[number];
        let next = self.slots[(number + 1) % self.slots.len()];
        p.here(self.slots[number]);
        p.set(parts.slot, narrow(number));
        self.keys(p);
        if number == 0 && setup.uploads {
            self.upload(p);
        }
        let call = if setup.timeline { "vkWaitSemaphores" } else { "vkWaitForFences" };
        // Of a timeline, the value that the frame before the last ones in flight reached.
        let slack = if setup.timeline { setup.frames - 1 } else { 0 };
        self.wait(p, call, Target::within(slot.done, slack), FENCE_NS);
        self.release(p, slot);
        self.reset(p, slot, false);
        self.acquire(p, slot, narrow(number));
        self.reset(p, slot, true);
        let (unrecorded, unsubmitted) = (p.label(), p.label());
        p.compute(MS, 2 * MS);
        may_fail(p, self.faults.record_fails, unrecorded);
        may_fail(p, self.faults.submit_fails, unsubmitted);
        self.submit(p, slot, FRAME);
        p.progress(parts.frames, "frame presented");
        self.calm(p);
        p.go(next);
        self.failed_frame(p, slot, (unrecorded, unsubmitted), next);
    }

    /// A key that has arrived is taken.
    fn keys(&self, p: &mut Program<'_>) {
        let none = p.label();
        p.go_if(test(self.parts.keys, Comparison::Is, 0), none);
        p.wait("read", &[self.parts.keys.into()]);
        p.progress(self.parts.input, "key handled");
        p.here(none);
    }

    /// Waits in a call, bounded or for ever as it is set; a time-out is trouble.
    fn wait(&self, p: &mut Program<'_>, call: &str, target: impl Into<Target>, ns: u64) {
        self.wait_or(p, call, target, ns, self.shared.trouble);
    }

    fn wait_or(
        &self,
        p: &mut Program<'_>,
        call: &str,
        target: impl Into<Target>,
        ns: u64,
        timed_out: Label,
    ) {
        if self.setup.bounded {
            p.wait_for(call, &[target.into()], false, ns, timed_out);
        } else {
            p.wait(call, &[target.into()]);
        }
    }

    fn reset(&self, p: &mut Program<'_>, slot: &Slot, after_acquire: bool) {
        if !self.setup.timeline && self.setup.reset_after_acquire == after_acquire {
            p.reset(slot.done);
        }
    }

    fn acquire(&self, p: &mut Program<'_>, slot: &Slot, number: u8) {
        let parts = self.parts;
        may_fail(p, self.faults.acquire_timeout, self.shared.acquire_timed_out);
        may_fail(p, self.faults.out_of_date, self.shared.out_of_date);
        let call = "vkAcquireNextImageKHR";
        if self.setup.waits_for_use {
            self.wait(p, call, slot.unused, ACQUIRE_NS);
        }
        self.wait(p, call, parts.swapchain, ACQUIRE_NS);
        if self.setup.waits_for_use {
            p.reset(slot.unused);
        }
        p.owe(parts.acquires, slot.available);
        p.until(test(parts.asked, Comparison::Is, 0));
        p.set(parts.asked, number + 1);
    }

    /// Hands the queue a job; says who owes what from then on.
    fn submit(&self, p: &mut Program<'_>, slot: &Slot, job: u8) {
        let parts = self.parts;
        p.owe(parts.queue, parts.batches);
        p.owe_after(parts.queue, slot.done, parts.batches);
        if job != EMPTY && self.setup.waits_for_use {
            p.owe(parts.queue, slot.unused);
        }
        if job == FRAME {
            p.owe_after(parts.queue, slot.rendered, parts.batches);
            p.owe_after(parts.engine, parts.swapchain, parts.batches);
        }
        p.set(slot.job, job);
        if self.faults.device_lost.is_some() {
            p.go_if(test(parts.down, Comparison::Is, LOST), self.shared.lost);
        }
    }

    /// Between reset and submit something failed: here is what the program does about it.
    fn failed_frame(
        &self,
        p: &mut Program<'_>,
        slot: &Slot,
        (unrecorded, unsubmitted): (Label, Label),
        next: Label,
    ) {
        if self.faults.record_fails.is_none() && self.faults.submit_fails.is_none() {
            return;
        }
        let answer = p.label();
        p.here(unrecorded);
        p.mark(
            MarkKind::FailedCall,
            "vkEndCommandBuffer returned VK_ERROR_OUT_OF_HOST_MEMORY",
            &[],
        );
        p.go(answer);
        p.here(unsubmitted);
        p.mark(MarkKind::FailedCall, "vkQueueSubmit returned VK_ERROR_OUT_OF_DEVICE_MEMORY", &[]);
        p.here(answer);
        match self.setup.after {
            AfterFailure::Nothing => {}
            AfterFailure::EmptySubmit => self.submit(p, slot, EMPTY),
            AfterFailure::Consume => self.submit(p, slot, CONSUME),
            AfterFailure::Release => {
                self.submit(p, slot, CONSUME);
                p.set(slot.unreleased, 1);
            }
            AfterFailure::SubmitAndPresent => {
                self.submit(p, slot, FRAME);
                p.go(next);
            }
        }
        p.go(self.shared.skip);
    }

    /// An image that was acquired in vain goes back once its batch is done (`vkReleaseSwapchainImagesEXT`).
    fn release(&self, p: &mut Program<'_>, slot: &Slot) {
        if self.setup.after != AfterFailure::Release {
            return;
        }
        let nothing = p.label();
        p.go_if(test(slot.unreleased, Comparison::Is, 0), nothing);
        p.set(slot.unreleased, 0);
        p.owe(self.parts.engine, self.parts.swapchain);
        p.owe(self.parts.engine, self.parts.presents);
        p.add(self.parts.given, 1, self.setup.images_round());
        p.here(nothing);
    }

    /// New glyphs, now and then; in the small world with each round of frames. What times out leaves the flag set, and is looked at again before the next frame.
    fn upload(&self, p: &mut Program<'_>) {
        let (parts, setup) = (self.parts, self.setup);
        let (needed, look, pending) = (p.label(), p.label(), p.label());
        let (timed_out, done) = (p.label(), p.label());
        if !setup.small {
            p.choose(&[(29, look), (1, needed)]);
        }
        p.here(needed);
        p.set(parts.dirty, 1);
        p.here(look);
        p.go_if(test(parts.dirty, Comparison::Is, 0), done);
        p.go_if(test(parts.pending, Comparison::Is, 1), pending);
        p.owe(parts.transfer, parts.transfers);
        p.owe_after(parts.transfer, parts.atlas, parts.transfers);
        p.set(parts.upload, 1);
        p.set(parts.pending, 1);
        p.here(pending);
        self.wait_or(p, "vkWaitForFences", parts.atlas, FENCE_NS, timed_out);
        p.reset(parts.atlas);
        p.set(parts.pending, 0);
        p.set(parts.dirty, 0);
        p.progress(parts.glyphs, "atlas uploaded");
        p.go(done);
        p.here(timed_out);
        if setup.recovery {
            self.wait_or(p, "vkQueueWaitIdle", parts.transfers, FENCE_NS, done);
            p.renew(parts.atlas);
            p.set(parts.pending, 0);
        }
        p.here(done);
    }

    /// A frame was drawn: all is well again.
    fn calm(&self, p: &mut Program<'_>) {
        if self.setup.recovery {
            p.set(self.parts.tries, 0);
        }
        if self.setup.bounded && !self.setup.small {
            p.set(self.parts.back_off, 0);
        }
    }

    fn failed_acquires(&self, p: &mut Program<'_>) {
        let parts = self.parts;
        let shared = &self.shared;
        if self.faults.acquire_timeout.is_some() {
            p.here(shared.acquire_timed_out);
            let text = "vkAcquireNextImageKHR returned VK_TIMEOUT";
            p.mark(MarkKind::FailedCall, text, &[parts.swapchain]);
            p.go(shared.skip);
        }
        if self.faults.out_of_date.is_some() {
            p.here(shared.out_of_date);
            let text = "vkAcquireNextImageKHR returned VK_ERROR_OUT_OF_DATE_KHR";
            p.mark(MarkKind::FailedCall, text, &[parts.swapchain]);
            self.wait_or(p, "vkDeviceWaitIdle", parts.batches, FENCE_NS, shared.skip);
            self.drain(p);
            p.renew(parts.swapchain);
            p.go(shared.skip);
        }
    }

    /// Nothing of the old swapchain is on its way to the screen any more. Where nobody asks, its end waits for that.
    fn drain(&self, p: &mut Program<'_>) {
        let call = if self.setup.bounded { "vkWaitForPresentKHR" } else { "vkCreateSwapchainKHR" };
        self.wait_or(p, call, self.parts.presents, ACQUIRE_NS, self.shared.skip);
    }

    /// A wait timed out: once more; then a new swapchain, or a new device.
    fn trouble(&self, p: &mut Program<'_>) {
        let parts = self.parts;
        let (device, rebuild) = (p.label(), p.label());
        if self.faults.device_lost.is_some() {
            p.here(self.shared.lost);
            let text = "vkQueueSubmit returned VK_ERROR_DEVICE_LOST";
            p.mark(MarkKind::FailedCall, text, &[parts.batches]);
            if self.setup.recovery {
                p.go(device);
            }
        }
        p.here(self.shared.trouble);
        if !self.setup.recovery {
            return p.go(self.shared.skip);
        }
        p.go_if(test(parts.tries, Comparison::AtLeast, 1), rebuild);
        p.set(parts.tries, 1);
        p.go(self.shared.skip);
        p.here(rebuild);
        p.set(parts.tries, 0);
        if self.faults.stall.is_some() || self.faults.device_lost.is_some() {
            p.go_if(test(parts.down, Comparison::Not, UP), device);
        }
        self.wait_or(p, "vkQueueWaitIdle", parts.batches, FENCE_NS, self.shared.skip);
        self.drain(p);
        self.renew(p);
        p.go(self.shared.skip);
        p.here(device);
        self.drain(p);
        self.renew(p);
        p.renew(parts.batches);
        parts.slots.iter().for_each(|slot| p.set(slot.job, NONE));
        p.set(parts.slot, 0);
        p.set(parts.down, UP);
        p.go(self.shared.skip);
    }

    /// A fresh swapchain, and fresh fences and semaphores: whatever state the old ones were left in.
    fn renew(&self, p: &mut Program<'_>) {
        p.until(test(self.parts.asked, Comparison::Is, 0));
        for slot in &self.parts.slots {
            if !self.setup.timeline {
                p.renew(slot.done);
            }
            p.renew(slot.available);
            p.renew(slot.rendered);
            if self.setup.waits_for_use {
                p.renew(slot.unused);
            }
            p.set(slot.unreleased, 0);
        }
        if self.setup.timeline {
            p.renew(self.parts.slots[0].done);
            p.set(self.parts.behind, 0);
        }
        self.create_synchronisation(p);
        p.renew(self.parts.swapchain);
    }

    /// The frame is skipped; keys are taken again after a while.
    fn skip(&self, p: &mut Program<'_>) {
        let parts = self.parts;
        p.here(self.shared.skip);
        if !self.setup.small && self.setup.bounded {
            let most = p.label();
            p.go_if(test(parts.back_off, Comparison::AtLeast, BACK_OFFS_MAX), most);
            p.add(parts.back_off, 1, 0);
            p.here(most);
            p.set(parts.waited, 0);
            let again = p.mark_here();
            p.sleep(BACK_OFF_NS, BACK_OFF_NS);
            p.add(parts.waited, 1, 0);
            p.go_if(test(parts.waited, Comparison::Below, parts.back_off), again);
        } else {
            p.sleep(BACK_OFF_NS, BACK_OFF_NS);
        }
        for (number, slot) in self.slots.iter().enumerate().skip(1) {
            p.go_if(test(parts.slot, Comparison::Is, narrow(number)), *slot);
        }
        p.go(self.slots[0]);
    }
}

/// There are three slots at most.
fn narrow(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}
