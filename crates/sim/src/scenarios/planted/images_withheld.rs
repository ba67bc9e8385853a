//! Who has the images? A program that acquires and never presents, or an engine that gives none back.

use unwedge_trace::{AgentKind, AgentState, ObjectKind};

use super::stage::{MS, Stage, wait};
use crate::world::{Comparison, Discipline, test};

pub(super) fn plant(stage: &mut Stage, shape: u64) {
    stage.guest = false;
    let images = 2 + u8::try_from(stage.below(3)).unwrap_or(0);
    let swapchain = stage.object_with(ObjectKind::Swapchain, Discipline::Tokens(images), images);
    let engine = stage.device(AgentKind::PresentationEngine, "");
    let (presented, given) = (stage.world.variable(0), stage.world.variable(0));
    let withheld = match shape {
        1 => None,
        2 => Some((AgentState::Blocked, "the compositor is idle")),
        _ => Some((AgentState::Unknown, "Wayland")),
    };
    stage.blame("UW010", shape != 3, &[swapchain]);
    if shape == 1 {
        stage.shows_by_absence();
    }
    stage.world.daemon(engine);
    let (rounds, every) = (stage.rounds(), stage.ms(4, 12));
    let count = stage.count(rounds);
    stage.world.program(engine, |p| {
        let give = |p: &mut crate::world::Program<'_>| {
            p.until(test(presented, Comparison::Not, given));
            p.add(given, 1, 0);
            p.sleep(every / 2, every);
            p.signal(swapchain);
        };
        if let Some((state, detail)) = withheld {
            count.of(p, give);
            p.state(state, detail);
        } else {
            let top = p.mark_here();
            give(p);
            p.go(top);
        }
        p.halt();
    });
    stage.takes_part(engine);
    let call = stage.call(ObjectKind::Swapchain);
    // An engine that withholds ends the rounds by itself.
    let rounds = if shape == 1 { rounds } else { 200 };
    let agent = stage.victim(
        rounds,
        |p| {
            wait(p, call, swapchain);
            p.owe(engine, swapchain);
            p.add(presented, 1, 0);
        },
        |p| {
            for _ in 0..=images {
                wait(p, call, swapchain);
                p.compute(MS, 2 * MS);
            }
        },
    );
    stage.waits(agent, &[swapchain]);
}
