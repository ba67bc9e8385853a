//! Does `multi-scanout` wedge as incident 2 did, do the fixes mend what they mend, and no more than that?
#![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

use unwedge_sim::explore::{Answer, explore_all};
use unwedge_sim::scenarios::{self, Size};
use unwedge_sim::world::{Exploration, World};

/// Room for a state of two scanouts.
const BYTES: usize = 40;

#[track_caller]
fn world(size: Size, switches: &str) -> World {
    let scenario = scenarios::find("multi-scanout").expect("it is there");
    let mut settings = scenario.defaults();
    for switch in switches.split_whitespace() {
        let (name, value) = switch.split_once('=').expect("name=value");
        assert_eq!(settings.set(name, value), Ok(true), "{switch}");
    }
    (scenario.build)(&settings, size).expect("settings that can be")
}

fn explored(switches: &str) -> String {
    let world = world(Size::Small, switches);
    let model = Exploration::<BYTES>::new(&world).expect("there is room for a state");
    let exploration = explore_all(&model);
    format!("{:?} {}", exploration.counts, exploration.describe(&model))
}

#[test]
fn look() {
    for switches in [
        "",
        "draw-done=on",
        "draw-done=on skip-refresh-block=on",
        "draw-done=on block-deadline=on",
        "encoder=on",
        "encoder=on safety-timer=on",
        "fence=on",
        "fence=on fence-wait=compositor",
        "fence=on own-context=on",
        "client-exit=on",
        "draw-done=on client-exit=on encoder=on fence=on own-context=on block-deadline=on faults=4",
    ] {
        let t = std::time::Instant::now();
        println!("== {switches}: {}", explored(switches));
        println!("{:?}", t.elapsed());
    }
}
