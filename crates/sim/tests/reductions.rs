//! Is the answer about a world the same with everything that makes its exploration smaller, and without? And does it agree
//! with what happens when the world runs?

use std::ops::ControlFlow;

use unwedge_sim::explore::{Answer, Exploration as Explored, Limits, explore};
use unwedge_sim::world::{
    Agent, Comparison, Condition, Discipline, Exploration, Object, Plan, Program, Variable, World,
    WorldBuilder, test,
};
use unwedge_sim::{Model, Random};
use unwedge_trace::{AgentKind, ObjectKind};

/// What random programs are about.
struct Things {
    objects: Vec<(Object, Discipline)>,
    shared: Variable,
    goal: u8,
    fault: unwedge_sim::world::Fault,
}

const DISCIPLINES: [Discipline; 6] = [
    Discipline::Latch,
    Discipline::Tokens(1),
    Discipline::Pulse,
    Discipline::Lock,
    Discipline::Count,
    Discipline::Lag,
];

/// An operation or two, by chance.
fn operation(
    p: &mut Program<'_>,
    random: &mut Random,
    things: &Things,
    (agent, own): (Agent, Variable),
) {
    let Some((object, discipline)) = random.pick(&things.objects).copied() else { return };
    match (random.below(9), discipline) {
        (0, Discipline::Lock) => {
            p.lock("lock", object);
            p.compute(1, 1);
            p.unlock(object);
        }
        (0, Discipline::Count) => {
            let over = p.label();
            p.go_if(test(object, Comparison::AtLeast, 2), over);
            p.hold(object);
            p.here(over);
        }
        (1, Discipline::Count) => p.release(object),
        (0 | 1, Discipline::Lag) => {
            let over = p.label();
            p.go_if(test(object, Comparison::AtLeast, 2), over);
            p.owe(agent, object);
            p.here(over);
        }
        (1, Discipline::Lock) => p.lock("lock", object),
        (0..=2, _) => p.wait("wait", &[object.into()]),
        (3, Discipline::Lock | Discipline::Count) | (4, _) => p.add(things.shared, 1, 3),
        (3, _) => p.signal(object),
        (5, _) => {
            let over = p.label();
            p.go_if(test(things.shared, Comparison::Is, 1), over);
            p.progress(things.goal, "on");
            p.here(over);
        }
        (6, _) => {
            let over = p.label();
            p.add(own, 1, 2);
            p.go_if(test(own, Comparison::Is, 0), over);
            p.until(test(things.shared, Comparison::Not, 2));
            p.here(over);
        }
        (7, _) => {
            let struck = p.label();
            p.may_fail(things.fault, struck);
            p.progress(things.goal, "on");
            p.here(struck);
            p.compute(1, 1);
        }
        _ => {
            let (one, other) = (p.label(), p.label());
            p.choose(&[(1, one), (1, other)]);
            p.here(one);
            p.wait_for("wait", &[object.into()], false, 1, other);
            p.here(other);
            p.sleep(1, 1);
        }
    }
}

/// A program that goes round, or comes to its end.
fn program(p: &mut Program<'_>, seed: u64, things: &Things, own: (Agent, Variable)) {
    let random = &mut Random::new(seed);
    // Each uses what is shared, so that it is shared.
    p.until(test(things.shared, Comparison::AtLeast, 0));
    let top = p.mark_here();
    for _ in 0..random.between(1, 4) {
        operation(p, random, things, own);
    }
    if random.below(3) > 0 {
        // Something that others see, or the program might go round in silence.
        p.add(things.shared, 1, 3);
        p.go(top);
    }
}

/// A small world: a few agents, of which two may be alike, with or without a processor.
fn world(seed: u64) -> World {
    let random = &mut Random::new(seed);
    let mut world = WorldBuilder::new();
    let objects = (0..2).filter_map(|_| {
        let discipline = *random.pick(&DISCIPLINES)?;
        Some((world.object_with(ObjectKind::Other, 1, "it", discipline, 0), discipline))
    });
    let objects = objects.collect();
    let things = Things {
        objects,
        shared: world.variable(0),
        goal: world.goal("on"),
        fault: world.fault("fault", Plan::Nth(1)),
    };
    let (twins, one_cpu) = (random.below(2) == 0, random.below(4) == 0);
    let programs = [random.number(), random.number()];
    let agents: Vec<(Agent, Variable)> =
        (0..3).map(|_| (world.agent(AgentKind::HostThread, "", 1, 1), world.variable(0))).collect();
    for (place, (agent, own)) in agents.iter().enumerate() {
        let seed =
            if place < 2 && twins { programs[0] } else { programs[1].wrapping_add(place as u64) };
        world.program(*agent, |p| program(p, seed, &things, (*agent, *own)));
        if one_cpu {
            world.on_cpu(*agent, 0, place as i32 / 2);
        }
    }
    if twins {
        world.alike(&[(agents[0].0, &[agents[0].1]), (agents[1].0, &[agents[1].1])]);
    }
    world.build()
}

fn explored<M: Model>(model: &M) -> Explored<M> {
    let limits = Limits { states_max: 300_000, ..Limits::default() };
    explore(model, &limits, &mut |_| ControlFlow::Continue(()))
}

/// Whether it wedges, and which goals are lost.
fn answer<M: Model>(explored: &Explored<M>) -> Option<bool> {
    match &explored.answer {
        Answer::Wedge(wedge) if wedge.cut.is_none() => Some(true),
        Answer::NoWedge => Some(false),
        _ => None,
    }
}

#[test]
fn reductions_change_nothing_about_the_answer() {
    let (mut wedged, mut fine, mut saved) = (0, 0, 0);
    for seed in 0..300 {
        let world = world(seed);
        let model = Exploration::<24>::new(&world).expect("a small world");
        let (reduced, plain) = (explored(&model), explored(&model.unreduced()));
        let (Some(one), Some(other)) = (answer(&reduced), answer(&plain)) else {
            panic!("world {seed} is too large");
        };
        assert_eq!(one, other, "world {seed}: {:?} {:?}", reduced.counts, plain.counts);
        assert!(reduced.counts.states <= plain.counts.states, "world {seed}");
        *(if one { &mut wedged } else { &mut fine }) += 1;
        saved += plain.counts.states - reduced.counts.states;
    }
    assert!(wedged > 60 && fine > 60, "both are tried: {wedged} wedged, {fine} fine");
    assert!(saved > 1_000, "the reductions reduce");
}

/// Whether a run of it came to a stand with agents that have not exited.
fn stands_still(world: &World, seed: u64) -> bool {
    let mut run = world.run(seed);
    let mut rows = 0;
    while rows < 500 {
        let Some(batch) = run.batch(100, 20_000) else { break };
        rows += batch.rows.len();
    }
    let over = rows < 500 && run.now() < 15_000;
    over && run.look().iter().any(|seen| seen.condition != Condition::Exited)
}

#[test]
fn where_a_run_stands_still_the_explorer_finds_a_wedge() {
    let mut stood = 0;
    for seed in 0..300 {
        let world = world(seed);
        if (0..4).any(|chance| stands_still(&world, chance)) {
            stood += 1;
            let model = Exploration::<24>::new(&world).expect("a small world");
            assert_eq!(answer(&explored(&model)), Some(true), "world {seed}");
        }
    }
    assert!(stood > 30, "some stand still: {stood}");
}
