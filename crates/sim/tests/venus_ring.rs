//! Can the small `venus-ring` wedge? With which switches, and on which shortest way?

use std::ops::ControlFlow;

use unwedge_sim::Model;
use unwedge_sim::explore::{Answer, Limits, explore};
use unwedge_sim::scenarios::{self, Size};
use unwedge_sim::world::{Exploration, World};

/// Room for a state of the small world.
const BYTES: usize = 64;

#[track_caller]
fn world(switches: &str) -> World {
    let scenario = scenarios::find("venus-ring").expect("the scenario");
    let mut settings = scenario.defaults();
    for switch in switches.split_whitespace() {
        let (name, value) = switch.split_once('=').expect("name=value");
        assert!(settings.set(name, value).expect("a value"), "no switch {name}");
    }
    (scenario.build)(&settings, Size::Small).expect("these settings can be")
}

/// The shortest way into a wedge in words, or how many states there are without one.
#[track_caller]
fn way(switches: &str) -> Result<u64, Vec<String>> {
    let world = world(switches);
    let model = Exploration::<BYTES>::new(&world).expect("a state fits");
    let limits = Limits { threads: 2, ..Limits::default() };
    let explored = explore(&model, &limits, &mut |_| ControlFlow::Continue(()));
    match explored.answer {
        Answer::NoWedge => Ok(explored.counts.states),
        Answer::Wedge(wedge) => {
            let mut before = wedge.initial;
            let words = wedge.path.iter().map(|step| {
                let words = model.describe(&before, &step.action);
                before = step.after;
                words
            });
            Err(words.collect())
        }
        Answer::OutOfRoom(bound) => panic!("{switches}: {bound} was met"),
    }
}

#[test]
fn probe() {
    for switches in std::env::var("PROBE").expect("x").split(';') {
        let world = world(switches);
        let start = std::time::Instant::now();
        let got = way(switches);
        println!("== {switches} bytes {} {:?}", world.state_bytes(), start.elapsed());
        match got {
            Ok(n) => println!("no wedge in {n}"),
            Err(words) => println!("{} steps\n  {}", words.len(), words.join("\n  ")),
        }
    }
}
