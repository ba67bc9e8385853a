//! A frame that is dropped in any of its states leaves everything usable.

use ash::vk;
use unwedge_wait::frame::{Acquire, Frames, PresentWhen, Presented, Target, Wait};
use unwedge_wait::{Bound, Waited};

use crate::rig::{self, Rig};

const BOUND: Bound = Bound::from_secs(10);

/// How far a frame gets before it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Until {
    Waited,
    Acquired,
    Drawing,
    Recorded,
    Submitted,
    Presented,
}

pub fn draw(commands: vk::CommandBuffer, target: &Target, device: &ash::Device) {
    let range = vk::ImageSubresourceRange::default()
        .aspect_mask(vk::ImageAspectFlags::COLOR)
        .level_count(1)
        .layer_count(1);
    let barrier = vk::ImageMemoryBarrier::default()
        .image(target.image)
        .old_layout(vk::ImageLayout::UNDEFINED)
        .new_layout(vk::ImageLayout::PRESENT_SRC_KHR)
        .subresource_range(range);
    let stage = vk::PipelineStageFlags::COLOR_ATTACHMENT_OUTPUT;
    let none = vk::DependencyFlags::empty();
    // SAFETY: the command buffer is being recorded.
    unsafe { device.cmd_pipeline_barrier(commands, stage, stage, none, &[], &[], &[barrier]) };
}

fn frame(frames: &mut Frames, device: &ash::Device, until: Until) -> Option<Presented> {
    let Wait::Ready(ready) = frames.wait(BOUND).unwrap() else { panic!("the fence timed out") };
    if until == Until::Waited {
        return None;
    }
    let Acquire::Image(acquired) = ready.acquire(BOUND).unwrap() else { panic!("no image") };
    if until == Until::Acquired {
        return None;
    }
    let recorded = acquired.record(|commands, target| {
        draw(commands, target, device);
        if until == Until::Drawing { Err("no") } else { Ok(()) }
    });
    let Ok(recorded) = recorded else {
        assert_eq!(until, Until::Drawing);
        return None;
    };
    if until == Until::Recorded {
        return None;
    }
    let submitted = recorded.submit().unwrap();
    if until == Until::Submitted {
        return None;
    }
    Some(submitted.present().unwrap())
}

#[test]
fn frames_go_on_after_one_that_was_dropped_in_any_state() {
    for when in [PresentWhen::Submitted, PresentWhen::Executed(BOUND)] {
        check(when);
    }
}

fn check(when: PresentWhen) {
    use Until::{Acquired, Drawing, Presented as Whole, Recorded, Submitted};
    for until in [Until::Waited, Acquired, Drawing, Recorded, Submitted, Whole] {
        for rounds in 1..6 {
            let (rig, parts) = Rig::with_device("check=abort");
            let device = parts.device.clone();
            // SAFETY: all of it lives until the end of this round.
            let mut frames =
                unsafe { Frames::new(parts, 2, &rig::swapchain(rig.surface)) }.unwrap();
            frames.set_present_when(when);
            for _ in 0..rounds {
                let _ = frame(&mut frames, &device, until);
            }
            for _ in 0..8 {
                let shown = frame(&mut frames, &device, Whole);
                assert_eq!(shown, Some(Presented::Shown), "{until:?} {rounds} {when:?}");
            }
            assert_eq!(frames.destroy(BOUND), Ok(Waited::Reached));
            rig.destroy();
        }
    }
}

#[test]
fn a_frame_that_is_never_executed_is_not_presented_either() {
    let (rig, parts) = Rig::with_device("stall=3,check=abort");
    let device = parts.device.clone();
    // SAFETY: what is in use is left as it is.
    let mut frames = unsafe { Frames::new(parts, 2, &rig::swapchain(rig.surface)) }.unwrap();
    frames.set_present_when(PresentWhen::Executed(BOUND));
    for _ in 0..2 {
        assert_eq!(frame(&mut frames, &device, Until::Presented), Some(Presented::Shown));
    }
    frames.set_present_when(PresentWhen::Executed(Bound::ZERO));
    assert_eq!(frame(&mut frames, &device, Until::Presented), Some(Presented::Later));
    for _ in 0..4 {
        assert_eq!(frames.poll(), Ok(Waited::TimedOut));
        assert!(matches!(frames.wait(Bound::ZERO), Ok(Wait::TimedOut)), "its image is still owed");
    }
    assert_eq!(frames.renew(Bound::ZERO), Ok(Waited::TimedOut));
    assert_eq!(frames.destroy(Bound::ZERO), Ok(Waited::TimedOut));
}
