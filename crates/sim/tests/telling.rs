//! Does a world tell of its objects as a real source would?

use unwedge_sim::WorldBuilder;
use unwedge_trace::row::Op;
use unwedge_trace::{AgentKind, ObjectKind};

#[test]
fn what_takes_an_objects_place_is_an_object_of_its_own() {
    let mut world = WorldBuilder::new();
    let thread = world.agent(AgentKind::HostThread, "main", 1, 1);
    let fence = world.object(ObjectKind::Fence, 0x5e, "frame");
    world.program(thread, |p| {
        p.signal(fence);
        p.reset(fence);
        p.signal(fence);
        p.renew(fence);
        p.wait("vkWaitForFences", &[fence.into()]);
    });
    let batch = world.build().run(1).batch(100, u64::MAX).expect("something happens");
    let told: Vec<_> = batch.rows.iter().map(|row| (row.op, row.object, row.value)).collect();
    let expected =
        [(Op::Signalled, 0, 1), (Op::Reset, 0, 0), (Op::Signalled, 0, 2), (Op::WaitBegan, 1, 1)];
    assert_eq!(told, expected);
    assert_ne!(batch.objects[0].key, batch.objects[1].key);
    assert_ne!(batch.objects[0].handle, batch.objects[1].handle);
    assert_eq!(batch.objects[1].label, "frame".into());
}
