//! What is reset and not armed again? A fence before an acquire that fails, a query, a semaphore whose signal was skipped.

use unwedge_trace::{MarkKind, ObjectKind};

use super::gpu::{Gpu, Relay, frame};
use super::stage::{Stage, wait};

pub(super) fn plant(stage: &mut Stage, shape: u64) {
    stage.guest = false;
    match shape {
        1 => fence(stage, "vkAcquireNextImageKHR returned VK_TIMEOUT"),
        2 => fence(stage, "vkQueueSubmit returned VK_ERROR_OUT_OF_DEVICE_MEMORY"),
        3 => fence(stage, ""),
        4 => query(stage),
        _ => semaphore(stage),
    }
    stage.shows_by_absence();
}

/// The fence is reset, and what should have armed it failed (or, without a word, did not happen).
fn fence(stage: &mut Stage, failed: &str) {
    let (gpu, fence, rounds) = (Gpu::new(stage), stage.object(ObjectKind::Fence), stage.rounds());
    stage.blame("UW003", true, &[fence]);
    gpu.serves_for_ever(stage, &[fence]);
    let agent = stage.victim(
        rounds,
        |p| frame(p, &gpu, fence),
        |p| {
            if !failed.is_empty() {
                p.mark(MarkKind::FailedCall, failed, &[]);
            }
            wait(p, "vkWaitForFences", fence);
        },
    );
    stage.waits(agent, &[fence]);
}

/// The query is reset, and the batch that should have ended it was not submitted.
fn query(stage: &mut Stage) {
    let (gpu, query, rounds) = (Gpu::new(stage), stage.object(ObjectKind::Query), stage.rounds());
    stage.blame("UW003", true, &[query]);
    gpu.serves_for_ever(stage, &[query]);
    let call = stage.call(ObjectKind::Query);
    let agent = stage.victim(
        rounds,
        |p| {
            gpu.submit(p, &[query]);
            wait(p, call, query);
            p.reset(query);
        },
        |p| wait(p, call, query),
    );
    stage.waits(agent, &[query]);
}

/// One queue signals a semaphore for the other; the submit that would signal it again failed, the one that waits did not.
fn semaphore(stage: &mut Stage) {
    let relay = Relay::new(stage);
    stage.blame("UW003", true, &[relay.semaphore]);
    relay.first.serves_for_ever(stage, &[relay.semaphore]);
    relay.ends(stage, |p| {
        let text = "vkQueueSubmit returned VK_ERROR_OUT_OF_HOST_MEMORY";
        p.mark(MarkKind::FailedCall, text, &[]);
    });
}
