//! Who polls for ever what nobody signals, while nothing gets done?

use unwedge_trace::ObjectKind;

use super::stage::{MS, Stage};

pub(super) fn plant(stage: &mut Stage, shape: u64) {
    let kind = stage.pick(&[ObjectKind::AutoResetEvent, ObjectKind::Event, ObjectKind::Other]);
    let object = stage.object(kind);
    // Who signals it may be out of sight: nobody can be accused.
    stage.blame("UW014", false, &[object]);
    stage.shows_by_absence();
    stage.needs_standstill = true;
    let (rounds, call, every) = (stage.rounds(), stage.call(kind), stage.ms(8, 30));
    let agent = stage.victim(
        rounds,
        |p| p.sleep(4 * MS, 9 * MS),
        |p| {
            let (top, late) = (p.mark_here(), p.label());
            p.wait_for(call, &[object.into()], false, every, late);
            p.here(late);
            if shape == 2 {
                p.compute(MS / 2, MS);
            }
            p.go(top);
        },
    );
    stage.waits(agent, &[object]);
}
