//! What runs in the virtual machine? A compositor for all scanouts, a commit worker for each, and a service that needs frames.

use unwedge_trace::MarkKind;

use super::{Cast, MS, SECOND, Scanout};
use crate::world::{Comparison, Program, Target, WorldBuilder, test};

/// How long D-Bus waits for a service to come up. From the incident.
const ACTIVATION_NS: u64 = 120 * SECOND;
const FENCE_WAIT: &str = "dma_fence_default_wait";

pub(super) fn write(world: &mut WorldBuilder, cast: &Cast) {
    world.program(cast.compositor, |p| compositor(p, cast));
    for scanout in &cast.scanouts {
        world.daemon(scanout.worker);
        world.program(scanout.worker, |p| commit_worker(p, cast, scanout));
    }
    world.daemon(cast.bridge);
    world.program(cast.bridge, |p| bridge(p, cast));
}

/// Draws for whichever scanout has shown its last frame.
fn compositor(p: &mut Program<'_>, cast: &Cast) {
    let flips: Vec<Target> = cast.scanouts.iter().map(|scanout| scanout.flip.into()).collect();
    let top = p.mark_here();
    p.wait_any("poll", &flips);
    p.compute(2 * MS, 5 * MS);
    let draws: Vec<_> = cast.scanouts.iter().map(|_| p.label()).collect();
    // If it is none of the others, it is scanout 0.
    for (scanout, draw) in cast.scanouts.iter().zip(&draws).skip(1) {
        p.go_if(test(scanout.flip, Comparison::Is, 1), *draw);
    }
    for (scanout, draw) in cast.scanouts.iter().zip(&draws) {
        p.here(*draw);
        p.reset(scanout.flip);
        p.owe(scanout.worker, scanout.flip);
        command(p, cast, scanout);
        if let Some(commit) = scanout.commit {
            p.wait(FENCE_WAIT, &[scanout.fence.into()]);
            p.set(commit, 1);
        }
        p.go(top);
    }
}

/// Puts a command with a fence into the device's control queue.
fn command(p: &mut Program<'_>, cast: &Cast, scanout: &Scanout) {
    p.owe(cast.qemu, scanout.fence);
    p.add(cast.commands, scanout.bit(), 0);
}

/// Waits for a frame to be drawn, has it shown, and tells the compositor.
fn commit_worker(p: &mut Program<'_>, cast: &Cast, scanout: &Scanout) {
    let top = p.mark_here();
    if let Some(commit) = scanout.commit {
        p.until(test(commit, Comparison::Is, 1));
        p.set(commit, 0);
    } else {
        p.until(test(scanout.flip, Comparison::Is, 0));
        p.wait(FENCE_WAIT, &[scanout.fence.into()]);
    }
    command(p, cast, scanout);
    p.wait(FENCE_WAIT, &[scanout.fence.into()]);
    // The next vertical blank.
    p.sleep(0, 16 * MS);
    p.progress(scanout.goal, "frame shown");
    if scanout.number == 1 {
        let up = p.label();
        p.go_if(test(cast.is_up, Comparison::Is, 1), up);
        p.set(cast.is_up, 1);
        p.signal(cast.ready);
        p.here(up);
    }
    p.signal(scanout.flip);
    p.go(top);
}

/// Is activated once the desktop has shown a frame, and answers as long as encoded frames come.
fn bridge(p: &mut Program<'_>, cast: &Cast) {
    let (activate, failed) = (p.mark_here(), p.label());
    p.wait_for("StartServiceByName", &[cast.ready.into()], false, ACTIVATION_NS, failed);
    let serve = p.mark_here();
    p.wait("recv", &[cast.video.into()]);
    p.progress(cast.service, "port 9876 answered with a frame");
    p.go(serve);
    p.here(failed);
    p.mark(
        MarkKind::FailedCall,
        "StartServiceByName(org.gnome.Shell.Screencast) timed out after 120 s",
        &[],
    );
    p.sleep(5 * SECOND, 5 * SECOND);
    p.go(activate);
}
