//! Which engine does nothing though a batch is there?

use unwedge_trace::AgentState;

use super::device_busy::long;
use super::gpu::Relay;
use super::stage::Stage;

const IDLE: &str = "GPU utilisation 0 %";

pub(super) fn plant(stage: &mut Stage, shape: u64) {
    match shape {
        1 => long(stage, "UW006", true, Some((AgentState::Blocked, IDLE))),
        _ => behind(stage),
    }
}

/// A batch of another queue waits for what the one that stands still owes.
fn behind(stage: &mut Stage) {
    stage.guest = false;
    let relay = Relay::new(stage);
    let first = relay.first;
    stage.blame("UW006", true, &[relay.semaphore]);
    first.serves(stage, relay.rounds, &[relay.semaphore], |p| {
        first.takes(p);
        first.is_seen(p, AgentState::Blocked, IDLE);
    });
    relay.ends(stage, |p| first.submit(p, &[relay.semaphore]));
}
