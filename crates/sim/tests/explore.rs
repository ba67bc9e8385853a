//! Does the explorer find every wedge, the shortest way into it, and no wedge where there is none?
#![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

#[path = "explore/graphs.rs"]
mod graphs;
#[path = "explore/locks.rs"]
mod locks;
#[path = "explore/reference.rs"]
mod reference;
#[allow(dead_code, reason = "its main is not called")]
#[path = "../examples/ring.rs"]
mod ring;
#[path = "explore/shapes.rs"]
mod shapes;
#[path = "explore/wakeups.rs"]
mod wakeups;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use unwedge_sim::Model;
use unwedge_sim::explore::{Answer, Bound, Counts, Exploration, Limits, Rest, explore, follow};

use graphs::Graph;

/// Explores with a number of threads.
fn explored<M: Model>(model: &M, threads: usize) -> Exploration<M> {
    let limits = Limits { threads, ..Limits::default() };
    explore(model, &limits, &mut |_| ControlFlow::Continue(()))
}

/// The answer in words. Threads change nothing, and the way can be gone again.
fn check<M: Model>(model: &M) -> String {
    let exploration = explored(model, 1);
    let text = exploration.describe(model);
    for threads in [0, 2, 3] {
        let other = explored(model, threads);
        assert_eq!(other.describe(model), text, "{threads} threads");
        assert_eq!(other.counts, exploration.counts, "{threads} threads");
    }
    if let Answer::Wedge(wedge) = &exploration.answer {
        let (initial, steps) =
            follow(model, wedge.start, &wedge.choices()).expect("the way can be gone");
        assert!(initial == wedge.initial);
        assert!(steps.last().map_or(&initial, |step| &step.after) == wedge.last());
        assert_eq!(steps.len(), wedge.path.len());
    }
    text
}

#[test]
fn a_wake_up_between_the_look_and_the_sleep_is_lost() {
    insta::assert_snapshot!(check(&wakeups::Sleeper { looks_again: false }), @"
    wedged after 3 actions, in 12 states
       1  sleeper: sees no work
       2  giver: gives work
       3  giver: wakes nobody
    no way leads to progress any more; it ends with
       4  sleeper: sleeps
    ");
}

#[test]
fn a_sleeper_that_looks_again_is_woken() {
    insta::assert_snapshot!(check(&wakeups::Sleeper { looks_again: true }), @"no wedge in 11 states");
}

#[test]
fn the_example_shows_a_wedge_and_that_the_fix_has_none() {
    assert!(include_str!("../examples/ring.rs").lines().count() < 80);
    insta::assert_snapshot!(ring::told(&ring::WRONG), @"
    wedged after 5 actions, in 54 states
       1  the producer writes slot 1 of 2
       2  the producer writes slot 2 of 2
       3  the consumer reads 2 of 2
       4  the consumer looks whether the producer sleeps
       5  the producer finds both full and sleeps
    no way leads to progress any more; it ends with
       6  the consumer frees 2
       7  the consumer wakes it if it saw it sleep
    ");
    insta::assert_snapshot!(ring::told(&ring::RIGHT), @"no wedge in 61 states");
    check(&ring::WRONG);
    check(&ring::RIGHT);
}

#[test]
fn two_locks_in_two_orders_deadlock() {
    let orders = vec![vec![0, 1], vec![1, 0]];
    insta::assert_snapshot!(check(&locks::Locks { orders, alike: false }), @"
    wedged after 2 actions, in 6 states
       1  agent 0 takes lock 0
       2  agent 1 takes lock 1
    nothing can happen any more
    ");
}

#[test]
fn two_locks_in_one_order_do_not() {
    let orders = vec![vec![0, 1], vec![0, 1]];
    insta::assert_snapshot!(check(&locks::Locks { orders, alike: false }), @"no wedge in 5 states");
}

#[test]
fn a_lock_taken_twice_is_a_deadlock_of_one() {
    let orders = vec![vec![0, 0]];
    insta::assert_snapshot!(check(&locks::Locks { orders, alike: false }), @"
    wedged after 0 actions, in 2 states
    no way leads to progress any more; it ends with
       1  agent 0 takes lock 0
    ");
}

#[test]
fn equal_agents_are_explored_once_with_the_same_answer() {
    for order in [vec![0, 1], vec![0, 1, 0]] {
        let orders = vec![order; 5];
        same_with_fewer_states(|alike| locks::Locks { orders: orders.clone(), alike });
    }
    same_with_fewer_states(|alike| shapes::Counters { ends: vec![4; 5], alike });
}

/// The model that takes equals for one gives the same answer as the one that does not.
fn same_with_fewer_states<M: Model>(model: impl Fn(bool) -> M) {
    let (all, alike) = (explored(&model(false), 1), explored(&model(true), 1));
    assert_eq!(said(&all), said(&alike));
    assert_eq!(alike.counts.depth, all.counts.depth);
    assert!(alike.counts.states * 3 < all.counts.states, "{:?}", alike.counts);
    check(&model(true));
}

#[test]
fn a_token_that_goes_round_is_fine() {
    insta::assert_snapshot!(check(&shapes::Token { stations: 5, can_be_lost: false }), @"no wedge in 5 states");
}

#[test]
fn a_fault_leads_in_and_is_said_to_be_one() {
    insta::assert_snapshot!(check(&shapes::Token { stations: 5, can_be_lost: true }), @"
    wedged after 1 action, in 6 states
       1  fault: the token of 0 is lost
    nothing can happen any more
    ");
}

/// Two agents that make way for each other, for ever.
#[test]
fn a_cycle_without_progress_is_a_livelock() {
    insta::assert_snapshot!(check(&shapes::Polite), @"
    wedged after 1 action, in 3 states
       1  the first changes sides
    no way leads to progress any more; it goes on for ever with
       2  both step aside
       3  both step aside
    and again from 2
    ");
}

#[test]
fn a_screen_that_stands_still_is_not_hidden_by_one_that_moves() {
    insta::assert_snapshot!(check(&shapes::Screens { goals: 2 }), @"
    wedged after 1 action, in 2 states
       1  screen 1 is blocked
    no way leads to goal 1 any more; it goes on for ever with
       2  screen 0 shows a frame
    and again from 2
    ");
    insta::assert_snapshot!(check(&shapes::Screens { goals: 1 }), @"no wedge in 2 states");
}

/// Edges as in `Graph::parse`: `>` is a step, `*` one that is progress, `!` a fault; `done` states are named apart.
#[test]
fn the_rule_holds_in_small() {
    let cases = [
        ("nothing happens", "", &[][..], "wedged after 0, 0 on"),
        ("done", "", &[0], "no wedge"),
        ("progress for ever", "0*0", &[], "no wedge"),
        ("progress once", "0*1", &[], "wedged after 1, 0 on"),
        ("progress once, then done", "0*1", &[1], "no wedge"),
        ("a self-loop is no way on", "0>0", &[], "wedged after 0, round to 0"),
        ("ends in a dead end", "0>1 1>2 0*0", &[], "wedged after 1, 1 on"),
        ("ends in the nearest dead end", "0*0 0>1 1>2 2>3 1>4", &[], "wedged after 1, 1 on"),
        ("ends in a round", "0*0 0>1 1>2 2>3 3>2", &[], "wedged after 1, round to 1"),
        ("a dead end beside a round", "0*0 0>1 1>1 1>2", &[], "wedged after 1, 1 on"),
        ("a fault leads in", "0*0 0!1", &[], "wedged after 1, 0 on"),
        ("a fault does not lead out", "0*0 0>1 1!0", &[], "wedged after 1, 0 on"),
        ("a fault is no progress", "0!0", &[], "wedged after 0, 0 on"),
        ("a step leads out of what a fault did", "0*0 0!1 1>0", &[], "no wedge"),
        ("done is left by a fault", "0!1", &[0], "wedged after 1, 0 on"),
        ("a step back to what is done", "0!1 1>0", &[0], "no wedge"),
        ("the shorter of two ways", "0*0 0>1 1*2 2*1 2>3 0>4 4*5 1>5", &[], "wedged after 2, 0 on"),
    ];
    for (name, edges, done, expected) in cases {
        let graph = Graph::parse(edges, done);
        check(&graph);
        assert_eq!(said(&explored(&graph, 1)), expected, "{name}");
    }
}

fn said<M: Model>(exploration: &Exploration<M>) -> String {
    match &exploration.answer {
        Answer::NoWedge => "no wedge".to_owned(),
        Answer::OutOfRoom(bound) => format!("not known: {bound}"),
        Answer::Wedge(wedge) => {
            let rest = match &wedge.rest {
                Rest::DeadEnd { steps } => format!("{} on", steps.len()),
                Rest::Livelock { back_to, .. } => format!("round to {back_to}"),
            };
            format!("wedged after {}, {rest}", wedge.path.len())
        }
    }
}

#[test]
fn random_graphs_get_the_answer_of_the_naive_way() {
    let mut sorts = BTreeMap::new();
    for seed in 0..600 {
        *sorts.entry(reference::compare(&Graph::random(seed))).or_insert(0) += 1;
    }
    // Or the comparison would say less than it seems to.
    for sort in ["no wedge", "dead end", "livelock", "some get on"] {
        assert!(sorts.get(sort).is_some_and(|count| *count >= 20), "{sorts:?}");
    }
}

#[test]
fn a_model_without_states_or_goals_cannot_wedge() {
    let nothing = Graph { begins: vec![], ..Graph::parse("0>0", &[]) };
    insta::assert_snapshot!(check(&nothing), @"no wedge in 0 states");
    let aimless = Graph { goals: 0, ..Graph::parse("0>1", &[]) };
    insta::assert_snapshot!(check(&aimless), @"no wedge in 2 states");
}

#[test]
fn every_initial_state_counts_and_the_way_says_which() {
    let graph = Graph { begins: vec![3, 1, 1, 0], ..Graph::parse("3*3 1*1 0*2", &[]) };
    let exploration = explored(&graph, 1);
    let Answer::Wedge(wedge) = &exploration.answer else { panic!("{}", check(&graph)) };
    assert_eq!((wedge.start, wedge.initial, wedge.path.len()), (3, 0, 1));
    assert_eq!(exploration.counts.states, 4);
}

/// Independent counters: wide levels, so that several threads have work. One is stuck once all are at their end.
fn counters(ends: &[u8]) -> shapes::Counters {
    shapes::Counters { ends: ends.to_vec(), alike: false }
}

#[test]
fn threads_change_nothing_on_wide_levels() {
    let model = counters(&[9, 9, 9, 9, 3]);
    check(&model);
    let exploration = explored(&model, 2);
    assert_eq!(said(&exploration), "wedged after 39, 0 on");
    // Each counter but for those at their end goes up: of 40,000 states, a tenth lack each of four, a quarter the last.
    let transitions = 5 * 40_000 - 4 * 4_000 - 10_000;
    let counts = Counts { states: 40_000, transitions, depth: 39, wedged: 1, ..exploration.counts };
    assert_eq!(exploration.counts, counts);
}

/// States are compared in full: a hash that cannot tell them apart hides none.
#[test]
fn states_with_one_hash_are_told_apart() {
    let model = shapes::Colliding { count: 700 };
    check(&model);
    let exploration = explored(&model, 2);
    assert_eq!(said(&exploration), "wedged after 699, 0 on");
    assert_eq!(exploration.counts.states, 700);
}

#[test]
fn a_bound_of_states_is_met_exactly_and_said() {
    let model = counters(&[9, 9, 9, 9]);
    let total = explored(&model, 1).counts.states;
    for max in [0, 1, 2, 3, 100, 5000, total - 1] {
        let limits = Limits { states_max: max, threads: 2, ..Limits::default() };
        let cut = explore(&model, &limits, &mut |_| ControlFlow::Continue(()));
        assert!(matches!(cut.answer, Answer::OutOfRoom(Bound::States(bound)) if bound == max));
        assert_eq!(cut.counts.states, max);
    }
    let limits = Limits { states_max: total, ..Limits::default() };
    let whole = explore(&model, &limits, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(whole.answer, Answer::Wedge(_)));
    let limits = Limits { states_max: 5000, ..Limits::default() };
    let cut = explore(&model, &limits, &mut |_| ControlFlow::Continue(()));
    insta::assert_snapshot!(cut.describe(&model), @"not known: the bound of 5000 states was met after 5000 states, 18 actions deep; no wedge among those explored");
}

#[test]
fn a_bound_of_bytes_holds() {
    let model = counters(&[9, 9, 9, 9, 9]);
    for bytes_max in [0, 10_000, 1_000_000] {
        let answer = |threads| {
            let limits = Limits { bytes_max, threads, ..Limits::default() };
            let cut = explore(&model, &limits, &mut |_| ControlFlow::Continue(()));
            assert!(matches!(cut.answer, Answer::OutOfRoom(Bound::Bytes(max)) if max == bytes_max));
            assert!(cut.counts.bytes <= bytes_max, "{:?}", cut.counts);
            cut.counts
        };
        assert_eq!(answer(1), answer(3));
        // It does not give up long before.
        assert!(answer(1).states >= bytes_max / 100, "{:?}", answer(1));
    }
}

/// A state that was not explored may lead out: only what cannot get there is accused.
#[test]
fn a_wedge_that_is_found_when_a_bound_is_met_is_one() {
    let graph = Graph::parse("0*0 0>1 0>2 2>3 3>4 4>5 5>0", &[]);
    for states_max in 1..=6 {
        let limits = Limits { states_max, ..Limits::default() };
        let cut = explore(&graph, &limits, &mut |_| ControlFlow::Continue(()));
        match &cut.answer {
            Answer::OutOfRoom(_) => assert!(states_max < 4),
            Answer::Wedge(wedge) => {
                assert_eq!(*wedge.last(), 1);
                assert_eq!(wedge.cut.is_some(), states_max < 6, "{states_max}");
            }
            Answer::NoWedge => panic!("{states_max}"),
        }
        assert!(cut.counts.wedged <= 1);
    }
}

#[test]
fn whoever_watches_may_stop_it() {
    let model = counters(&[9, 9, 9, 9]);
    let mut calls = Vec::new();
    let stopped = explore(&model, &Limits::default(), &mut |progress| {
        calls.push(*progress);
        if progress.states < 2000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert!(matches!(stopped.answer, Answer::OutOfRoom(Bound::Asked)));
    assert!(calls.is_sorted_by_key(|progress| (progress.states, progress.transitions)));
    assert!(calls.is_sorted_by_key(|progress| progress.depth));
    let last = calls.last().expect("a call");
    assert!(last.frontier > 0 && last.states == stopped.counts.states);
    assert!(stopped.counts.states < explored(&model, 1).counts.states);
}

#[test]
fn a_replay_of_another_model_is_refused() {
    let graph = Graph::parse("0>1 1>2 1*0", &[]);
    assert!(follow(&graph, 0, &[0, 1, 0]).is_some());
    assert!(follow(&graph, 0, &[0, 2]).is_none());
    assert!(follow(&graph, 0, &[0, 0, 0]).is_none());
    assert!(follow(&graph, 1, &[]).is_none());
}
