//! Does a world tell of its objects as a real source would?

use unwedge_sim::WorldBuilder;
use unwedge_sim::world::{Agent, Discipline, Machine, Replay};
use unwedge_trace::row::{NONE, Op, state_code};
use unwedge_trace::{AgentKind, AgentState, ObjectKind};

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

#[test]
fn a_token_that_is_there_is_taken_by_a_wait_that_is_told() {
    let mut world = WorldBuilder::new();
    let token = |kind| (kind, 0x10, "it", Discipline::Tokens(1), 1);
    let ops = |world: &mut WorldBuilder, (kind, handle, label, discipline, initial)| {
        let agent = world.agent(AgentKind::GuestThread, "thread", 1, 7);
        let object = world.object_with(kind, handle, label, discipline, initial);
        world.program(agent, |p| p.wait("KeWaitForSingleObject", &[object.into()]));
        agent
    };
    let event = ops(&mut world, token(ObjectKind::AutoResetEvent));
    let latch = ops(&mut world, (ObjectKind::Event, 0x11, "it", Discipline::Latch, 1));
    let rows = world.build().run(1).batch(100, u64::MAX).expect("something happens").rows;
    let told = |agent: Agent| -> Vec<Op> {
        let own = rows.iter().filter(|row| row.agent == u32::from(agent.0));
        own.map(|row| row.op).collect()
    };
    assert_eq!(told(event), [Op::WaitBegan, Op::WaitEnded, Op::State]);
    assert_eq!(told(latch), [Op::State], "a latch stays as it is");
}

#[test]
fn tokens_that_are_owed_at_one_time_have_numbers_of_their_own() {
    let mut world = WorldBuilder::new();
    let thread = world.agent(AgentKind::HostThread, "main", 1, 1);
    let engine = world.agent(AgentKind::PresentationEngine, "", 0, 0);
    let images = Discipline::Tokens(3);
    let swapchain = world.object_with(ObjectKind::Swapchain, 0x5c, "window", images, 3);
    world.program(thread, |p| {
        (0..3).for_each(|_| p.wait("vkAcquireNextImageKHR", &[swapchain.into()]));
        p.owe(engine, swapchain);
        p.owe(engine, swapchain);
        p.signal(swapchain);
        p.owe(engine, swapchain);
    });
    let batch = world.build().run(1).batch(100, u64::MAX).expect("something happens");
    let told = batch.rows.iter().filter(|row| row.object != NONE);
    let told: Vec<_> = told.map(|row| (row.op, row.value)).collect();
    assert_eq!(told, [(Op::Owed, 4), (Op::Owed, 5), (Op::Signalled, 4), (Op::Owed, 6)]);
}

#[test]
fn a_replay_tells_who_could_run_and_is_kept_from_it() {
    let mut world = WorldBuilder::new();
    world.machine(Machine { skips_to_deadlines: true, ..Machine::default() });
    let never = world.object(ObjectKind::Event, 0x10, "never");
    let (poller, worker) = (
        world.agent(AgentKind::GuestThread, "poller", 1, 7),
        world.agent(AgentKind::GuestThread, "worker", 1, 8),
    );
    world.on_cpu(poller, 4, 17);
    world.on_cpu(worker, 4, 0);
    world.program(poller, |p| {
        let over = p.label();
        p.wait_for("KeWaitForSingleObject", &[never.into()], false, 30_000_000, over);
        p.here(over);
    });
    world.program(worker, |p| p.signal(never));
    let world = world.build();
    let mut replay = Replay::new(&world);
    while let Some(step) = replay.steps().first().copied() {
        replay.take(step).expect("it was offered");
    }
    let rows = replay.finish().rows;
    let own = rows.iter().filter(|row| row.agent == u32::from(worker.0));
    let told: Vec<_> = own.map(|row| (row.op, row.code)).collect();
    let state = |state| (Op::State, state_code(state));
    let signalled = (Op::Signalled, 0);
    let (ready, running) = (state(AgentState::Ready), state(AgentState::Running));
    assert_eq!(told, [ready, running, signalled, state(AgentState::Exited)]);
}
