//! Does a world do what its programs say, the same for the same seed?

use unwedge_sim::explore::explore_all;
use unwedge_sim::scenarios::{self, Size};
use unwedge_sim::world::{
    Agent, Comparison, Discipline, Exploration, Machine, Object, Plan, Program, Run, Target,
    Trigger, World, WorldBuilder, test,
};
use unwedge_trace::row::{Op, Row};
use unwedge_trace::{AgentKind, ObjectKind};

const MS: u64 = 1_000_000;

/// The rows of a run until nothing happens any more, or until so many nanoseconds have gone by.
fn rows(world: &World, until: u64) -> Vec<Row> {
    let mut run = world.run(1);
    let mut rows = Vec::new();
    while let Some(batch) = run.batch(10_000, until) {
        rows.extend(batch.rows);
    }
    rows
}

/// When each progress of an agent was made, in milliseconds.
fn progress(rows: &[Row], agent: Agent) -> Vec<u64> {
    let made = rows.iter().filter(|row| row.op == Op::Progress && row.agent == u32::from(agent.0));
    made.map(|row| row.at / MS).collect()
}

/// Threads that compute for so many milliseconds and then say so, on one processor, with these priorities.
fn threads(machine: Machine, jobs: &[(i32, u64)]) -> (World, Vec<Agent>) {
    let mut world = WorldBuilder::new();
    world.machine(machine);
    let goal = world.goal("done");
    let agents = jobs.iter().map(|(priority, ms)| {
        let agent = world.agent(AgentKind::GuestThread, "thread", 1, 7);
        world.on_cpu(agent, 0, *priority);
        world.program(agent, |p| {
            p.compute(ms * MS, ms * MS);
            p.progress(goal, "done");
        });
        agent
    });
    let agents = agents.collect();
    (world.build(), agents)
}

#[test]
fn the_same_seed_tells_the_same() {
    for scenario in scenarios::all() {
        let tell = |seed| {
            let world =
                (scenario.build)(&scenario.defaults(), Size::Full).expect("defaults can be");
            world.run(seed).batch(2_000, u64::MAX).expect("something happens").rows
        };
        assert_eq!(tell(1), tell(1), "{}", scenario.name);
    }
}

#[test]
fn time_never_goes_back() {
    for scenario in scenarios::all() {
        let world = (scenario.build)(&scenario.defaults(), Size::Full).expect("defaults can be");
        let rows = world.run(3).batch(20_000, u64::MAX).expect("something happens").rows;
        assert!(rows.is_sorted_by_key(|row| row.at), "{}", scenario.name);
    }
}

#[test]
fn how_a_run_is_cut_into_batches_makes_no_difference() {
    for scenario in scenarios::all() {
        let world = (scenario.build)(&scenario.defaults(), Size::Full).expect("defaults can be");
        let tell = |size: usize| {
            let mut run: Run = world.run(5);
            let mut rows = Vec::new();
            while rows.len() < 3_000 {
                let Some(batch) = run.batch(size, u64::MAX) else { break };
                rows.extend(batch.rows);
            }
            rows.truncate(3_000);
            rows
        };
        let whole = tell(3_000);
        for size in [1, 7, 100] {
            assert!(tell(size) == whole, "{} by {size}", scenario.name);
        }
    }
}

#[test]
fn the_thread_of_the_highest_priority_runs_first() {
    let (world, agents) = threads(Machine::default(), &[(1, 10), (9, 20), (5, 30)]);
    let rows = rows(&world, u64::MAX);
    let ends: Vec<_> = agents.iter().map(|agent| progress(&rows, *agent)).collect();
    assert_eq!(ends, [vec![60], vec![20], vec![50]]);
}

#[test]
fn equal_threads_take_turns_by_the_quantum() {
    let machine = Machine { quantum_ns: 10 * MS, ..Machine::default() };
    let (world, agents) = threads(machine, &[(1, 15), (1, 15)]);
    let rows = rows(&world, u64::MAX);
    let ends: Vec<_> = agents.iter().map(|agent| progress(&rows, *agent)).collect();
    assert_eq!(ends, [vec![25], vec![30]]);
}

#[test]
fn a_thread_that_was_preempted_keeps_what_it_has_done() {
    let mut world = WorldBuilder::new();
    let goal = world.goal("done");
    let event = world.object(ObjectKind::AutoResetEvent, 0x10, "go");
    let (low, high, timer) = (
        world.agent(AgentKind::GuestThread, "low", 1, 7),
        world.agent(AgentKind::GuestThread, "high", 1, 8),
        world.agent(AgentKind::Interrupt, "timer", 0, 0),
    );
    world.on_cpu(low, 0, 1);
    world.on_cpu(high, 0, 2);
    world.program(low, |p| {
        p.compute(100 * MS, 100 * MS);
        p.progress(goal, "done");
    });
    world.program(high, |p| {
        p.wait("KeWaitForSingleObject", &[event.into()]);
        p.compute(30 * MS, 30 * MS);
        p.progress(goal, "done");
    });
    world.program(timer, |p| {
        p.sleep(40 * MS, 40 * MS);
        p.signal(event);
    });
    let rows = rows(&world.build(), u64::MAX);
    assert_eq!((progress(&rows, high), progress(&rows, low)), (vec![70], vec![130]));
}

/// A poller of high priority with a deadline, and a worker of low priority, on one processor.
fn poller_and_worker(aging_ns: Option<u64>, skips_to_deadlines: bool) -> (World, Agent) {
    let mut world = WorldBuilder::new();
    world.machine(Machine { aging_ns, skips_to_deadlines, ..Machine::default() });
    let goal = world.goal("done");
    let never = world.object(ObjectKind::Event, 0x10, "never");
    let (poller, worker) = (
        world.agent(AgentKind::GuestThread, "poller", 1, 7),
        world.agent(AgentKind::GuestThread, "worker", 1, 8),
    );
    world.on_cpu(poller, 0, 17);
    world.on_cpu(worker, 0, 0);
    world.program(poller, |p| {
        let top = p.mark_here();
        p.wait_for("KeWaitForSingleObject", &[never.into()], false, 30 * MS, top);
    });
    world.program(worker, |p| {
        p.compute(MS, MS);
        p.progress(goal, "done");
    });
    (world.build(), worker)
}

#[test]
fn a_scheduler_that_skips_to_deadlines_starves_unless_threads_age() {
    let made = |aging, skips| {
        let (world, worker) = poller_and_worker(aging, skips);
        progress(&rows(&world, 5_000 * MS), worker)
    };
    assert_eq!(made(None, false), [1], "an idle processor runs whoever is ready");
    assert_eq!(made(None, true), [0; 0]);
    // Seventeen priorities of 10 ms each, and not only then when a deadline comes.
    assert_eq!(made(Some(10 * MS), true), [171]);
}

#[test]
fn interrupts_come_by_instructions_that_were_executed() {
    let mut world = WorldBuilder::new();
    world.machine(Machine { instructions_per_us: 2_000, ..Machine::default() });
    let goal = world.goal("interrupts");
    let thread = world.agent(AgentKind::GuestThread, "thread", 1, 7);
    world.on_cpu(thread, 0, 1);
    world.program(thread, |p| {
        p.compute(50 * MS, 50 * MS);
        p.sleep(1_000 * MS, 1_000 * MS);
        p.compute(50 * MS, 50 * MS);
    });
    let vsync = world.agent(AgentKind::Interrupt, "vsync", 0, 0);
    world.triggered(vsync, Trigger::Instructions { cpu: 0, every: 20 * MS, drift: 0 });
    world.program(vsync, |p| p.progress(goal, "vsync"));
    let rows = rows(&world.build(), u64::MAX);
    // Every 10 ms of running; while the thread sleeps nothing is executed.
    assert_eq!(progress(&rows, vsync), [10, 20, 30, 40, 50, 1060, 1070, 1080, 1090, 1100]);
}

/// A thread that waits for an interrupt, one of a lower priority that computes, and the interrupt.
fn waiter_and_interrupt(idle_executes: bool) -> (World, [Agent; 3]) {
    let mut world = WorldBuilder::new();
    world.machine(Machine { idle_executes, ..Machine::default() });
    let goal = world.goal("done");
    let event = world.object(ObjectKind::AutoResetEvent, 0x10, "go");
    let (high, low, vsync) = (
        world.agent(AgentKind::GuestThread, "high", 1, 7),
        world.agent(AgentKind::GuestThread, "low", 1, 8),
        world.agent(AgentKind::Interrupt, "vsync", 0, 0),
    );
    world.on_cpu(high, 0, 2);
    world.on_cpu(low, 0, 1);
    world.program(high, |p| {
        let top = p.mark_here();
        p.wait("KeWaitForSingleObject", &[event.into()]);
        p.compute(15 * MS, 15 * MS);
        p.progress(goal, "high");
        p.go(top);
    });
    world.program(low, |p| {
        p.compute(33 * MS, 33 * MS);
        p.progress(goal, "low");
    });
    world.triggered(vsync, Trigger::Instructions { cpu: 0, every: 20 * MS, drift: 0 });
    world.program(vsync, |p| {
        p.signal(event);
        p.progress(goal, "vsync");
    });
    (world.build(), [high, low, vsync])
}

#[test]
fn an_interrupt_that_wakes_a_higher_priority_takes_the_processor_from_the_thread_it_borrowed() {
    let (world, [high, low, vsync]) = waiter_and_interrupt(false);
    let rows = rows(&world, 400 * MS);
    // The low one runs from 0 to 20, from 35 to 40, from 55 to 60 and from 75 on.
    assert_eq!(progress(&rows, vsync), [20, 40, 60]);
    assert_eq!(progress(&rows, high), [35, 55, 75]);
    assert_eq!(progress(&rows, low), [78]);
}

#[test]
fn an_idle_processor_executes_where_the_machine_says_so() {
    let (world, [high, _, vsync]) = waiter_and_interrupt(true);
    let rows = rows(&world, 150 * MS);
    assert_eq!(progress(&rows, vsync), [20, 40, 60, 80, 100, 120, 140]);
    assert_eq!(progress(&rows, high), [35, 55, 75, 95, 115, 135]);
}

#[test]
fn an_unobserved_agent_tells_nothing() {
    let mut world = WorldBuilder::new();
    let goal = world.goal("done");
    let agents = [one_of(&mut world), one_of(&mut world)];
    for agent in agents {
        world.program(agent, |p| p.progress(goal, "done"));
    }
    world.unobserved(agents[0]);
    let rows = rows(&world.build(), u64::MAX);
    assert!(!rows.is_empty() && rows.iter().all(|row| row.agent == u32::from(agents[1].0)));
}

/// What two agents do to an object of a discipline, and in which order they get on.
#[track_caller]
fn check(
    discipline: Discipline,
    initial: u8,
    one: impl Fn(&mut Program<'_>, Object),
    other: impl Fn(&mut Program<'_>, Object),
    expected: (Option<u64>, Option<u64>),
) {
    let mut world = WorldBuilder::new();
    let goal = world.goal("done");
    let object = world.object_with(ObjectKind::Other, 0x10, "it", discipline, initial);
    let agents = [one_of(&mut world), one_of(&mut world)];
    world.program(agents[0], |p| {
        one(p, object);
        p.progress(goal, "done");
    });
    world.program(agents[1], |p| {
        other(p, object);
        p.progress(goal, "done");
    });
    let rows = rows(&world.build(), u64::MAX);
    let ends = agents.map(|agent| progress(&rows, agent).first().copied());
    assert_eq!((ends[0], ends[1]), expected, "{discipline:?}");
}

fn one_of(world: &mut WorldBuilder) -> Agent {
    world.agent(AgentKind::HostThread, "thread", 1, 7)
}

fn wait(p: &mut Program<'_>, object: Object) {
    p.wait("wait", &[object.into()]);
}

fn after(ms: u64, then: impl Fn(&mut Program<'_>, Object)) -> impl Fn(&mut Program<'_>, Object) {
    move |p, object| {
        p.sleep(ms * MS, ms * MS);
        then(p, object);
    }
}

#[test]
fn each_discipline_is_what_it_says() {
    let signal = |p: &mut Program<'_>, object| p.signal(object);
    let nothing = |_: &mut Program<'_>, _: Object| {};
    check(Discipline::Latch, 0, wait, after(5, signal), (Some(5), Some(5)));
    check(Discipline::Latch, 1, wait, wait, (Some(0), Some(0)));
    check(Discipline::Tokens(1), 1, wait, wait, (Some(0), None));
    check(Discipline::Tokens(2), 0, after(5, wait), signal, (Some(5), Some(0)));
    check(Discipline::Pulse, 0, after(5, wait), signal, (None, Some(0)));
    check(Discipline::Pulse, 0, wait, after(5, signal), (Some(5), Some(5)));
    check(Discipline::Lock, 0, after(1, wait), after(0, wait), (None, Some(0)));
    let hold = |p: &mut Program<'_>, object| {
        p.lock("lock", object);
        p.sleep(9 * MS, 9 * MS);
        p.unlock(object);
    };
    check(Discipline::Lock, 0, after(1, wait), hold, (Some(9), Some(9)));
    let held = |p: &mut Program<'_>, object| {
        p.hold(object);
        p.hold(object);
        p.sleep(3 * MS, 3 * MS);
        p.release(object);
        p.sleep(3 * MS, 3 * MS);
        p.release(object);
    };
    check(Discipline::Count, 0, after(1, wait), held, (Some(6), Some(6)));
    check(Discipline::Count, 0, wait, nothing, (Some(0), Some(0)));
    check(Discipline::Lag, 2, wait, after(2, signal), (None, Some(2)));
    check(Discipline::Lag, 1, wait, after(2, signal), (Some(2), Some(2)));
}

#[test]
fn a_hold_may_be_taken_on_behalf_of_who_gives_it_back() {
    let mut world = WorldBuilder::new();
    let goal = world.goal("done");
    let block = world.object(ObjectKind::Block, 0x10, "block");
    let [taker, holder] = [(); 2].map(|()| one_of(&mut world));
    world.program(taker, |p| {
        p.owe(holder, block);
        p.wait("wait", &[block.into()]);
        p.progress(goal, "done");
    });
    world.program(holder, |p| {
        p.sleep(4 * MS, 4 * MS);
        p.release(block);
    });
    let rows = rows(&world.build(), u64::MAX);
    assert_eq!(progress(&rows, taker), [4]);
    let owed = rows.iter().find(|row| row.op == Op::Owed).expect("the hold is told");
    assert_eq!((owed.agent, owed.agent2), (u32::from(holder.0), u32::from(taker.0)));
}

#[test]
fn what_makes_no_difference_makes_no_states() {
    let states = |idly: bool| {
        let mut world = WorldBuilder::new();
        let goal = world.goal("done");
        let fence = world.object(ObjectKind::Fence, 0x10, "frame");
        let crumbs = world.object(ObjectKind::Queue, 0x20, "");
        let fault = world.fault("never", Plan::Never);
        for _ in 0..2 {
            let agent = one_of(&mut world);
            world.program(agent, |p| {
                if idly {
                    let end = p.label();
                    p.owe(agent, fence);
                    p.owe(agent, crumbs);
                    p.signal(crumbs);
                    p.may_fail(fault, end);
                    p.here(end);
                }
                p.signal(fence);
                wait(p, fence);
                p.progress(goal, "done");
            });
        }
        let world = world.build();
        let model = Exploration::<8>::new(&world).expect("there is room for a state");
        explore_all(&model).counts.states
    };
    assert_eq!(states(true), states(false));
}

#[test]
fn a_token_goes_to_who_has_waited_longest() {
    let mut world = WorldBuilder::new();
    let goal = world.goal("done");
    let event = world.object(ObjectKind::AutoResetEvent, 0x10, "go");
    let [second, first, signaller] = [(); 3].map(|()| one_of(&mut world));
    for (agent, ms) in [(second, 2), (first, 1)] {
        world.program(agent, |p| {
            p.sleep(ms * MS, ms * MS);
            p.wait("wait", &[event.into()]);
            p.progress(goal, "done");
        });
    }
    world.program(signaller, |p| {
        for _ in 0..2 {
            p.sleep(10 * MS, 10 * MS);
            p.signal(event);
        }
    });
    let rows = rows(&world.build(), u64::MAX);
    assert_eq!((progress(&rows, first), progress(&rows, second)), (vec![10], vec![20]));
}

#[test]
fn a_bounded_wait_that_is_not_satisfied_times_out_when_it_said() {
    let mut world = WorldBuilder::new();
    let goal = world.goal("done");
    let never = world.object(ObjectKind::Event, 0x10, "never");
    let thread = one_of(&mut world);
    world.program(thread, |p| {
        let late = p.label();
        p.wait_for("wait", &[never.into()], false, 7 * MS, late);
        p.halt();
        p.here(late);
        p.progress(goal, "late");
    });
    assert_eq!(progress(&rows(&world.build(), u64::MAX), thread), [7]);
}

#[test]
fn hidden_waits_see_what_others_write() {
    let mut world = WorldBuilder::new();
    let goal = world.goal("done");
    let (head, tail) = (world.variable(0), world.variable(0));
    let [reader, writer] = [(); 2].map(|()| one_of(&mut world));
    world.program(reader, |p| {
        p.until(test(tail, Comparison::Not, head));
        p.progress(goal, "done");
    });
    world.program(writer, |p| {
        p.sleep(4 * MS, 4 * MS);
        p.add(tail, 1, 4);
    });
    let rows = rows(&world.build(), u64::MAX);
    assert_eq!(progress(&rows, reader), [4]);
    assert!(rows.iter().all(|row| row.op != Op::WaitBegan), "nobody is told of a hidden wait");
}

#[test]
#[should_panic(expected = "goes round without a step")]
fn a_program_that_goes_round_in_silence_is_refused() {
    let mut world = WorldBuilder::new();
    let thread = one_of(&mut world);
    world.program(thread, |p| {
        let top = p.mark_here();
        p.compute(1, 1);
        p.go(top);
    });
    let _ = world.build();
}

#[test]
fn a_thread_that_another_ends_is_gone_wherever_it_stands() {
    let mut world = WorldBuilder::new();
    let goal = world.goal("done");
    let never = world.object(ObjectKind::Event, 0x10, "never");
    let [waiter, sleeper, killer] = [(); 3].map(|()| one_of(&mut world));
    world.program(waiter, |p| p.wait("wait", &[never.into()]));
    world.program(sleeper, |p| {
        p.sleep(9 * MS, 9 * MS);
        p.progress(goal, "done");
    });
    world.program(killer, |p| {
        p.sleep(4 * MS, 4 * MS);
        p.end(waiter);
        p.end(sleeper);
    });
    let rows = rows(&world.build(), u64::MAX);
    assert!(progress(&rows, sleeper).is_empty());
    let exits = rows.iter().filter(|row| row.op == Op::State).map(|row| (row.agent, row.at / MS));
    let agents = [waiter, sleeper, killer].map(|agent| (u32::from(agent.0), 4));
    assert_eq!(exits.collect::<Vec<_>>(), agents);
}

#[test]
fn a_wait_for_one_of_several_duties_goes_on_when_that_one_is_done() {
    let mut world = WorldBuilder::new();
    let goal = world.goal("done");
    let ring = world.object(ObjectKind::Ring, 0x10, "ring");
    let later = world.variable(0);
    let [first, second, host] = [(); 3].map(|()| one_of(&mut world));
    world.program(first, |p| {
        p.owe(host, ring);
        p.wait("wait", &[Target::within(ring, later)]);
        p.progress(goal, "done");
    });
    world.program(second, |p| {
        p.sleep(2 * MS, 2 * MS);
        p.owe(host, ring);
        p.add(later, 1, 0);
        p.wait("wait", &[ring.into()]);
        p.progress(goal, "done");
    });
    world.program(host, |p| {
        for _ in 0..2 {
            p.sleep(10 * MS, 10 * MS);
            p.signal(ring);
        }
    });
    let rows = rows(&world.build(), u64::MAX);
    assert_eq!((progress(&rows, first), progress(&rows, second)), (vec![10], vec![20]));
    let waits = rows.iter().filter(|row| row.op == Op::WaitBegan).map(|row| row.value);
    assert_eq!(waits.collect::<Vec<_>>(), [1, 2], "each is told what it waits for");
}
