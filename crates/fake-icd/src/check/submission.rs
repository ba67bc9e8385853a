//! Submissions and presents: may these semaphores, fences and command buffers be used now, and what is pending afterwards?

use super::{Object, fence_to_signal, known};
use crate::command::State;
use crate::device::Device;
use crate::payload::Kind as PayloadKind;
use crate::queue::{Job, Work};
use crate::submit::Submission;
use crate::watched::Uses;
use crate::world::World;
use ash::vk::{self, Handle as _};
use std::collections::BTreeMap;

/// What will be true if the call succeeds.
#[derive(Default)]
pub(crate) struct Plan {
    /// For each job what it uses.
    pub(super) uses: Vec<Uses>,
    /// Binary semaphores: signalled, once all is executed?
    semaphores: BTreeMap<u64, bool>,
}

impl Plan {
    /// The call succeeded, and these are its jobs.
    pub(crate) fn accept(self, device: &Device, world: &mut World, jobs: &[Job]) {
        if !device.log.checks() {
            return;
        }
        for (handle, signalled) in self.semaphores {
            if let Some(semaphore) = world.semaphores.get_mut(&handle) {
                semaphore.will_be_signalled = signalled;
            }
        }
        for (mut uses, job) in self.uses.into_iter().zip(jobs) {
            uses.job = job.id;
            uses.name = match &job.work {
                Work::Batch(batch) => format!("batch {}", batch.number),
                Work::Present(_) => "a present".to_owned(),
                Work::Nothing => "a submission without batches".to_owned(),
            };
            world.watched.submitted(uses);
        }
    }

    /// Whether a binary semaphore will be signalled, as far as this call and all before it go. `None` if it is none of those, or is
    /// shared.
    fn will_be_signalled(&self, world: &World, handle: u64) -> Option<bool> {
        let semaphore = world.semaphores.get(&handle)?;
        let binary = semaphore.current().kind() == PayloadKind::Binary;
        let before = self.semaphores.get(&handle).copied();
        (binary && !semaphore.is_shared).then(|| before.unwrap_or(semaphore.will_be_signalled))
    }

    /// A wait for a semaphore.
    pub(super) fn wait(
        &mut self,
        device: &Device,
        world: &World,
        call: &str,
        semaphore: vk::Semaphore,
        rule: &'static str,
    ) {
        let handle = semaphore.as_raw();
        known(device, world, call, Object::Semaphore, handle);
        match self.will_be_signalled(world, handle) {
            Some(true) => drop(self.semaphores.insert(handle, false)),
            Some(false) => {
                let what = format!("{call}: nobody signals semaphore {handle:#x}");
                device.log.violation(rule, what);
            }
            None => {}
        }
    }

    /// A signal of a semaphore.
    fn signal(&mut self, device: &Device, world: &World, semaphore: vk::Semaphore) {
        const RULE: &str = "VUID-vkQueueSubmit-pSignalSemaphores-00067";
        let handle = semaphore.as_raw();
        known(device, world, "vkQueueSubmit", Object::Semaphore, handle);
        let Some(signalled) = self.will_be_signalled(world, handle) else { return };
        if signalled {
            let what = format!("vkQueueSubmit: semaphore {handle:#x} is signalled already");
            device.log.violation(RULE, what);
        }
        // A present is in no submission order: without a wait for its end, nothing says that it has taken the last signal.
        let presents = |uses: &Uses| uses.is_present && !uses.begun && uses.waits.contains(&handle);
        if let Some(user) = world.watched.user(presents) {
            let what = format!("vkQueueSubmit: {user} may still wait for semaphore {handle:#x}");
            device.log.violation(RULE, what);
        }
        self.semaphores.insert(handle, true);
    }
}

/// Batches are about to be submitted.
pub(crate) fn submission(
    device: &Device,
    world: &World,
    submissions: &[Submission<'_>],
    fence: vk::Fence,
) -> Plan {
    let mut plan = Plan::default();
    if !device.log.checks() || device.is_lost() {
        return plan;
    }
    let rules = ("VUID-vkQueueSubmit-fence-00063", "VUID-vkQueueSubmit-fence-00064");
    fence_to_signal(device, world, "vkQueueSubmit", fence, rules);
    for submission in submissions {
        let uses = batch(device, world, &mut plan, submission);
        plan.uses.push(uses);
    }
    if plan.uses.is_empty() {
        plan.uses.push(Uses::default());
    }
    if let Some(last) = plan.uses.last_mut() {
        last.fence = fence.as_raw();
    }
    plan
}

fn batch(device: &Device, world: &World, plan: &mut Plan, submission: &Submission<'_>) -> Uses {
    let mut uses = Uses::default();
    for &(semaphore, _) in &submission.waits {
        let rule = "VUID-vkQueueSubmit-pWaitSemaphores-03238";
        plan.wait(device, world, "vkQueueSubmit", semaphore, rule);
        uses.waits.push(semaphore.as_raw());
    }
    for buffer in &submission.command_buffers {
        command_buffer(device, world, plan, buffer);
        uses.command_buffers.push(buffer.address());
        for command in buffer.commands() {
            for handle in command.objects() {
                add(world, &mut uses, handle);
            }
        }
    }
    for &(semaphore, _) in &submission.signals {
        plan.signal(device, world, semaphore);
        uses.signals.push(semaphore.as_raw());
    }
    uses
}

/// Adds an object and what it is made of.
fn add(world: &World, uses: &mut Uses, handle: u64) {
    uses.objects.insert(handle);
    if let Some(view) = world.image_views.get(&handle) {
        add(world, uses, view.image.as_raw());
    }
    if let Some(image) = world.images.get(&handle) {
        uses.objects.insert(image.swapchain);
    }
    if let Some((memory, _)) = world.buffers.get(&handle).and_then(|buffer| buffer.bound) {
        uses.objects.insert(memory.as_raw());
    }
}

fn command_buffer(
    device: &Device,
    world: &World,
    plan: &Plan,
    buffer: &crate::command::CommandBuffer,
) {
    let (address, log) = (buffer.address(), &device.log);
    if !std::ptr::eq(buffer.device, device) {
        let what = format!("vkQueueSubmit: command buffer {address:#x} is none of this device");
        log.violation("foreign handle", what);
        return;
    }
    let mut recording = buffer.recording();
    match recording.state {
        State::Executable => {}
        State::Freed => {
            let what = format!("vkQueueSubmit: command buffer {address:#x} was freed");
            log.violation("stale handle", what);
        }
        state => {
            let what = format!("vkQueueSubmit: command buffer {address:#x} is {state:?}");
            log.violation("VUID-vkQueueSubmit-pCommandBuffers-00070", what);
        }
    }
    let executes = |uses: &Uses| uses.command_buffers.contains(&address);
    let again = world
        .watched
        .user(executes)
        .or_else(|| plan.uses.iter().any(executes).then_some("a batch of the same call"));
    let simultaneous = vk::CommandBufferUsageFlags::SIMULTANEOUS_USE;
    if let Some(user) = again.filter(|_| !recording.usage.contains(simultaneous)) {
        let what = format!("vkQueueSubmit: {user} executes command buffer {address:#x} already");
        log.violation("VUID-vkQueueSubmit-pCommandBuffers-00071", what);
    }
    if recording.usage.contains(vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT) {
        recording.state = State::Invalid;
    }
}
