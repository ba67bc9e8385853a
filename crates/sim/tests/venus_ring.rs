//! Can the small `venus-ring` wedge? With which switches, and on which shortest way?
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

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

/// With the fault and without the remedy it wedges; with both it cannot.
#[track_caller]
fn check(fault: &str, remedies: &[&str]) {
    let alone = format!("threads=1 {fault}");
    assert!(way(&alone).is_err(), "{alone}: no wedge");
    for remedy in remedies {
        let both = format!("{alone} {remedy}");
        if let Err(words) = way(&both) {
            panic!("{both} wedges:\n{}", words.join("\n"));
        }
    }
}

#[test]
fn without_faults_it_cannot_wedge() {
    for switches in ["", "fence-feedback=off", "channel=vtest", "relax=abort", "host-limit=2"] {
        assert!(way(&format!("threads=1 {switches}")).is_ok(), "{switches}");
    }
}

#[test]
fn without_barriers_both_sides_look_before_they_are_seen() {
    let words = way("threads=1 barrier=off").expect_err("a wedge");
    insta::assert_snapshot!(words.join("\n"), @r"
    vkcube goes on in mtx_lock for ring mutex
    vkcube sets later commands to 0
    vkcube has vkr-ring-1 owe vkr-shmem
    vkcube sets the queue's work to 1
    vkcube sets the guest's store buffer to 1
    vkcube looks whether the status is not 2: yes
    vkr-ring-1 looks whether the tail is not where it reads: no
    vkr-ring-1 takes one of several ways
    vkr-ring-1 resets ring notify
    vkr-ring-1 sees that the host's store buffer is 0
    vkr-ring-1 sets the host's store buffer to 2
    vkr-ring-1 looks whether the tail is not where it reads: no
    ");
}

#[test]
fn a_barrier_is_wanted_on_both_sides() {
    check("barrier=off", &["barrier=on", "bounded-park=on"]);
    check("barrier=guest", &["barrier=on"]);
    check("barrier=host", &["barrier=on"]);
    check("barrier=off fence-feedback=off", &["barrier=on"]);
}

#[test]
fn a_notification_that_comes_before_the_sleep_has_to_be_noted() {
    let words = way("threads=1 pending-flag=off").expect_err("a wedge");
    insta::assert_snapshot!(words.join("\n"), @r"
    vkcube goes on in mtx_lock for ring mutex
    vkcube sets later commands to 0
    vkcube has vkr-ring-1 owe vkr-shmem
    vkcube sets the queue's work to 1
    vkcube sets the guest's store buffer to 1
    vkr-ring-1 looks whether the tail is not where it reads: no
    vkr-ring-1 takes one of several ways
    vkr-ring-1 sees that the host's store buffer is 0
    vkr-ring-1 sets the host's store buffer to 2
    the guest's store buffer sees that the guest's store buffer is not 0
    the host's store buffer sees that the host's store buffer is not 0
    the host's store buffer sets the status to the host's store buffer
    the host's store buffer sets the host's store buffer to 0
    vkr-ring-1 sees that the host's store buffer is 0
    vkr-ring-1 looks whether the tail is not where it reads: no
    the guest's store buffer adds 1 to the tail
    the guest's store buffer sets the guest's store buffer to 0
    vkcube sees that the guest's store buffer is 0
    vkcube looks whether the status is not 2: no
    vkcube signals virtio-gpu queue
    qemu-system-aar sees that virtio-gpu queue is 1
    qemu-system-aar resets virtio-gpu queue
    qemu-system-aar signals ring notify
    ");
    check("pending-flag=off", &["pending-flag=on", "bounded-park=on"]);
}

#[test]
fn each_fault_wedges_and_each_remedy_mends_it() {
    check("drop-notify=on", &["bounded-park=on"]);
    check("lose-feedback=on", &["fence-feedback=off"]);
    check("creation-fails=on", &["fence-feedback=off"]);
    check("creation-fails=on channel=vtest", &["creation-checked=on"]);
    check("host-limit=1", &["creation-checked=on", "host-limit=2"]);
    check("roundtrip=off", &["roundtrip=on"]);
    check("host-dies=on", &["relax=lost", "relax=abort"]);
}

#[test]
fn a_second_thread_heals_a_missing_barrier_of_the_guest_but_not_of_the_host() {
    assert!(way("threads=2").is_ok());
    assert!(way("threads=2 barrier=host").is_ok());
    assert!(way("threads=2 barrier=guest").is_err());
    assert!(way("threads=2 barrier=off").is_err());
}
