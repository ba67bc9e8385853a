//! A frame that waits for more than its image, and what is not this device's.

use ash::vk;
use unwedge_wait::frame::{Acquire, After, Frames, Presented, Recorded, Wait};
use unwedge_wait::{Bound, Error, Need, Waited, wait_fences};

use crate::dropped;
use crate::rig::{self, Rig};

const STAGES: vk::PipelineStageFlags = vk::PipelineStageFlags::FRAGMENT_SHADER;

fn recorded<'f>(frames: &'f mut Frames, device: &ash::Device) -> Recorded<'f> {
    let Ok(Wait::Ready(ready)) = frames.wait(Bound::ZERO) else { panic!("not executed") };
    let Ok(Acquire::Image(acquired)) = ready.acquire(Bound::ZERO) else { panic!("no image") };
    let recorded = acquired.record(|commands, target| {
        dropped::draw(commands, target, device);
        Ok::<(), Error>(())
    });
    recorded.unwrap()
}

#[test]
fn a_frame_waits_for_other_semaphores_before_it_is_executed() {
    let (rig, parts) = Rig::with_device("queues=1,check=abort,execute=early");
    let device = parts.device.clone();
    let mut timeline = vk::SemaphoreTypeCreateInfo::default()
        .semaphore_type(vk::SemaphoreType::TIMELINE)
        .initial_value(0);
    let info = vk::SemaphoreCreateInfo::default().push_next(&mut timeline);
    // SAFETY: the device has timeline semaphores.
    let semaphore = unsafe { device.create_semaphore(&info, None) }.unwrap();
    // SAFETY: all of it lives until the frames are destroyed.
    let mut frames = unsafe { Frames::new(parts, 1, &rig::swapchain(rig.surface)) }.unwrap();

    let after = [After { semaphore, value: 7, stages: STAGES }];
    // SAFETY: the host signals the semaphore below.
    let submitted = unsafe { recorded(&mut frames, &device).submit_after(&after) };
    assert_eq!(submitted.unwrap().present(), Ok(Presented::Shown));
    assert_eq!(frames.poll(), Ok(Waited::TimedOut), "its upload has not arrived");
    let signal = vk::SemaphoreSignalInfo::default().semaphore(semaphore).value(7);
    // SAFETY: the value grows.
    unsafe { device.signal_semaphore(&signal) }.unwrap();
    assert_eq!(frames.poll(), Ok(Waited::Reached));

    // SAFETY: nothing is submitted.
    let refused = unsafe { recorded(&mut frames, &device).submit_after(&[after[0]; 8]) };
    assert_eq!(refused.map(|_| ()), Err(Error::TooMany("semaphores to wait for", 7)));
    let next = recorded(&mut frames, &device).submit().unwrap();
    assert_eq!(next.present(), Ok(Presented::Shown), "the refused frame was brought to an end");

    assert_eq!(frames.destroy(Bound::ZERO), Ok(Waited::Reached));
    // SAFETY: nothing waits for it any more.
    unsafe { device.destroy_semaphore(semaphore, None) };
    rig.destroy();
}

/// The promise that a raw wait asks for is a real one: a driver that watches valid usage sees it broken.
#[test]
fn a_fence_of_another_device_is_what_the_unsafe_of_a_wait_is_about() {
    let (rig, parts) = Rig::with_device("check=quiet");
    let other = rig::try_device(&rig.instance).unwrap();
    // SAFETY: the device lives. What follows is wrong on purpose, on a driver that follows no stray handle.
    unsafe {
        let fence = other.create_fence(&vk::FenceCreateInfo::default(), None).unwrap();
        let _ = wait_fences(&parts.device, &[fence], Need::All, Bound::ZERO);
        let broken = fake_icd::violations(&rig.instance);
        assert_eq!(broken.len(), 1, "{broken:?}");
        other.destroy_fence(fence, None);
        other.destroy_device(None);
    }
    rig.destroy();
}
