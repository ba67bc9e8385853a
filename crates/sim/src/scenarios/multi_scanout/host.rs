//! What runs on the host? QEMU's main loop, its rendering contexts, the SPICE client and the encoder.

use unwedge_trace::{AgentState, MarkKind};

use super::{ASTRAY, Cast, Context, MS, SECOND, Scanout, Size};
use crate::switch::Settings;
use crate::world::{Comparison, Program, WorldBuilder, test};

/// QEMU's own deadline for a hold, after which it warns; here also the one after which a hold is given back.
const DEADLINE_NS: u64 = SECOND;

pub(super) fn write(world: &mut WorldBuilder, cast: &Cast, settings: &Settings, size: Size) {
    let refresh =
        Refresh { holds: !settings.flag("skip-refresh-block"), at_once: size == Size::Small };
    world.daemon(cast.qemu);
    world.program(cast.qemu, |p| main_loop(p, cast, refresh));
    world.daemon(cast.refresh);
    if !refresh.at_once {
        world.program(cast.refresh, |p| gui_timer(p, cast, refresh));
    }
    for context in &cast.contexts {
        world.program(context.queue, |p| renderer(p, cast, context));
    }
    let late = Late {
        warns: settings.choice("gl-block-timer") == "warns",
        releases: settings.flag("block-deadline")
            || settings.choice("gl-block-timer") == "releases",
        is_seen: settings.choice("client") == "observed",
    };
    let gives_up = settings.flag("block-deadline") || settings.flag("safety-timer");
    for scanout in &cast.scanouts {
        world.daemon(scanout.client);
        world.program(scanout.client, |p| client(p, cast, scanout, late));
        if let Some(agent) = scanout.encoder {
            world.daemon(agent);
            world.program(agent, |p| encoder(p, cast, scanout, gives_up));
        }
    }
}

/// Processes the control queue, one command after the other, and none while the renderer is blocked.
fn main_loop(p: &mut Program<'_>, cast: &Cast, refresh: Refresh) {
    let top = p.mark_here();
    p.until(test(cast.commands, Comparison::Not, 0));
    p.wait("virtio_gpu_process_cmdq", &[cast.block.into()]);
    let takes: Vec<_> = cast.scanouts.iter().map(|_| p.label()).collect();
    // The highest bit; if it is none of the others, it is scanout 0's.
    for (scanout, take) in cast.scanouts.iter().zip(&takes).skip(1).rev() {
        p.go_if(test(cast.commands, Comparison::AtLeast, scanout.bit()), *take);
    }
    for (scanout, take) in cast.scanouts.iter().zip(takes) {
        p.here(take);
        p.add(cast.commands, scanout.bit().wrapping_neg(), 0);
        let shows = p.label();
        p.go_if(test(scanout.is_drawn, Comparison::Is, 1), shows);
        p.set(scanout.is_drawn, 1);
        draws(p, cast, scanout);
        p.go(top);
        p.here(shows);
        p.set(scanout.is_drawn, 0);
        flushes(p, cast, scanout, refresh);
        p.go(top);
    }
}

/// Has a context execute what draws the frame. Commands are decoded one batch at a time.
fn draws(p: &mut Program<'_>, cast: &Cast, scanout: &Scanout) {
    let own = cast.contexts.get(usize::from(scanout.number));
    let context = own.unwrap_or(&cast.contexts[0]);
    p.until(test(context.work, Comparison::Is, 0));
    p.owe(context.queue, context.batches);
    p.owe_after(context.queue, scanout.fence, context.batches);
    let (astray, handed) = (p.label(), p.label());
    if own.is_none() {
        p.may_fail(cast.fence_astray, astray);
    }
    p.set(context.work, scanout.number + 1);
    if own.is_none() {
        p.go(handed);
        p.here(astray);
        p.set(context.work, ASTRAY);
    }
    p.here(handed);
}

/// Shows what was drawn: scanout 0 at the next refresh, any other by a blit that the client and the encoder are to take.
fn flushes(p: &mut Program<'_>, cast: &Cast, scanout: &Scanout, refresh: Refresh) {
    match scanout.encoder {
        None if refresh.at_once => refreshes(p, cast, refresh),
        None => p.set(cast.updates, 1),
        Some(encoder) => {
            p.owe(scanout.client, cast.block);
            p.owe(encoder, cast.block);
            p.add(scanout.handed, 1, 2);
        }
    }
    p.signal(scanout.fence);
}

/// What `spice_gl_refresh` does.
#[derive(Clone, Copy)]
struct Refresh {
    /// It takes a hold.
    holds: bool,
    /// It comes right after the update: of the main thread's orders, the one that the explorer has.
    at_once: bool,
}

/// `spice_gl_refresh` of console 0: nothing without an update, nor while its own hold is out.
fn gui_timer(p: &mut Program<'_>, cast: &Cast, refresh: Refresh) {
    let console = &cast.scanouts[0];
    let top = p.mark_here();
    p.until(test(cast.updates, Comparison::Is, 1));
    p.sleep(0, 16 * MS);
    p.until(test(console.handed, Comparison::Is, console.drawn));
    p.set(cast.updates, 0);
    refreshes(p, cast, refresh);
    p.go(top);
}

/// Has the client draw console 0's frame. Where it takes no hold for it, nobody waits for the answer.
fn refreshes(p: &mut Program<'_>, cast: &Cast, refresh: Refresh) {
    let console = &cast.scanouts[0];
    if refresh.holds {
        p.owe(console.client, cast.block);
        p.add(console.handed, 1, 2);
    }
}

/// Executes batches; a fence completes with its batch, unless it waits for another context's.
fn renderer(p: &mut Program<'_>, cast: &Cast, context: &Context) {
    let top = p.mark_here();
    p.until(test(context.work, Comparison::Not, 0));
    p.compute(MS, 4 * MS);
    p.signal(context.batches);
    let done: Vec<_> = context.serves(cast).iter().map(|_| p.label()).collect();
    let astray = p.label();
    if cast.contexts.len() == 1 {
        p.go_if(test(context.work, Comparison::Is, ASTRAY), astray);
    }
    // If it is none of the others, it is the first.
    for (scanout, done) in context.serves(cast).iter().zip(&done).skip(1) {
        p.go_if(test(context.work, Comparison::Is, scanout.number + 1), *done);
    }
    for (scanout, done) in context.serves(cast).iter().zip(done) {
        p.here(done);
        p.signal(scanout.fence);
        p.set(context.work, 0);
        p.go(top);
    }
    p.here(astray);
    p.set(context.work, 0);
    p.go(top);
}

/// What becomes of a hold that the client does not give back.
#[derive(Clone, Copy)]
struct Late {
    warns: bool,
    releases: bool,
    /// The source sees the client go.
    is_seen: bool,
}

/// The client's side of one display: takes a draw and sends `gl_draw_done`, with which QEMU gives back the hold.
///
/// A hold that the timer gives back is told as its holder's: its cookie says whose it was. The answer that comes after all finds
/// no cookie, so it makes no difference when it comes.
fn client(p: &mut Program<'_>, cast: &Cast, scanout: &Scanout, late: Late) {
    let (top, lost, gone) = (p.mark_here(), p.label(), p.label());
    p.until(test(scanout.handed, Comparison::Not, scanout.drawn));
    p.compute(MS, 4 * MS);
    p.may_fail(cast.client_exit, gone);
    p.may_fail(cast.draw_done, lost);
    let answer = p.mark_here();
    p.add(scanout.drawn, 1, 2);
    p.release(cast.block);
    p.go(top);
    p.here(lost);
    if late.warns || late.releases {
        p.sleep(DEADLINE_NS, DEADLINE_NS);
    }
    if late.warns {
        let text = "spice: no gl-draw-done within one second";
        p.mark(MarkKind::Warning, text, &[cast.block]);
    }
    if late.releases {
        p.go(answer);
    } else {
        p.halt();
    }
    p.here(gone);
    if late.is_seen {
        p.state(AgentState::Exited, "channel closed");
    }
    if !late.releases {
        p.halt();
        return;
    }
    let overdue = p.mark_here();
    p.sleep(DEADLINE_NS, DEADLINE_NS);
    p.add(scanout.drawn, 1, 2);
    p.release(cast.block);
    p.until(test(scanout.handed, Comparison::Not, scanout.drawn));
    p.go(overdue);
}

/// The encoder's session of one scanout: its completion callback gives back the hold and brings the service a frame.
fn encoder(p: &mut Program<'_>, cast: &Cast, scanout: &Scanout, gives_up: bool) {
    let (top, lost) = (p.mark_here(), p.label());
    p.until(test(scanout.handed, Comparison::Not, scanout.encoded));
    p.compute(4 * MS, 8 * MS);
    p.may_fail(cast.encoder_silent, lost);
    p.add(scanout.encoded, 1, 2);
    p.release(cast.block);
    p.signal(cast.video);
    p.go(top);
    p.here(lost);
    if !gives_up {
        p.halt();
        return;
    }
    p.sleep(DEADLINE_NS, DEADLINE_NS);
    p.add(scanout.encoded, 1, 2);
    p.release(cast.block);
    p.go(top);
}
