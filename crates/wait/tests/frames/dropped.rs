//! A frame that is dropped in any of its states leaves everything usable.

use ash::vk;
use unwedge_wait::Bound;
use unwedge_wait::frame::{Acquire, Frames, Presented, Target, Wait};

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
    use Until::{Acquired, Drawing, Presented as Whole, Recorded, Submitted, Waited};
    for until in [Waited, Acquired, Drawing, Recorded, Submitted, Whole] {
        for rounds in 1..6 {
            let (rig, parts) = Rig::with_device("");
            let device = parts.device.clone();
            // SAFETY: all of it lives until the end of this round.
            let mut frames =
                unsafe { Frames::new(parts, 2, &rig::swapchain(rig.surface)) }.unwrap();
            for _ in 0..rounds {
                let _ = frame(&mut frames, &device, until);
            }
            for _ in 0..8 {
                let shown = frame(&mut frames, &device, Whole);
                assert_eq!(shown, Some(Presented::Shown), "{until:?} {rounds}");
            }
            assert_eq!(frames.destroy(BOUND), Ok(unwedge_wait::Waited::Reached));
            rig.destroy();
        }
    }
}
