//! When does the other side see a store? A store waits in a buffer of one slot, and gets into memory at any later moment.
//!
//! This is how a store and the load after it change places: the load is done while the store is still in the buffer. Nothing
//! else of weak memory is here: stores are seen in their order, and so are loads.

use unwedge_trace::AgentKind;

use super::Rig;
use crate::scenarios::Size;
use crate::world::{Comparison, Program, WorldBuilder, test};

/// How long a store stays in its buffer, in nanoseconds: less than a miss of all caches.
const STORE_NS: (u64, u64) = (20, 300);

/// The agents are no threads: nobody sees what they do, and they have nothing to tell.
pub(super) fn write(world: &mut WorldBuilder, rig: &Rig) {
    let memory = &rig.memory;

    let guest = world.agent(AgentKind::Outside, "the guest's store buffer", 0, 0);
    world.daemon(guest);
    world.program(guest, |p| {
        let top = p.mark_here();
        p.until(test(memory.tail_buffer, Comparison::Not, 0));
        takes_time(p, rig.set.size);
        p.add(memory.tail, 1, rig.set.slots);
        p.set(memory.tail_buffer, 0);
        p.go(top);
    });
    let host = world.agent(AgentKind::Outside, "the host's store buffer", 0, 0);
    world.daemon(host);
    world.program(host, |p| {
        let top = p.mark_here();
        p.until(test(memory.status_buffer, Comparison::Not, 0));
        takes_time(p, rig.set.size);
        p.set(memory.status, memory.status_buffer);
        p.set(memory.status_buffer, 0);
        p.go(top);
    });
}

fn takes_time(p: &mut Program<'_>, size: Size) {
    if size == Size::Full {
        p.sleep(STORE_NS.0, STORE_NS.1);
    }
}
