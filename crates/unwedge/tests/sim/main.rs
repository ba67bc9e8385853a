//! `unwedge sim` from outside: worlds that are run, written, explored and replayed.
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

mod bad;
mod explore;
mod pages;
mod place;
mod trace;

use unwedge_sim::scenarios;

use place::Place;

#[test]
fn the_list_names_every_scenario_in_one_line_each() {
    let place = Place::new();
    let list = place.ok(&["sim", "--list"]);
    assert_eq!(list.lines().count(), scenarios::all().len(), "{list}");
    for (line, scenario) in list.lines().zip(scenarios::all()) {
        assert!(line.starts_with(scenario.name) && line.ends_with(scenario.about), "{line}");
    }
}

#[test]
fn the_help_and_the_list_of_one_scenario_tell_each_of_its_switches() {
    let place = Place::new();
    // However wide a terminal is, words are the same.
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let help = words(&place.ok(&["sim", "--help"]));
    for scenario in scenarios::all() {
        let list = words(&place.ok(&["sim", scenario.name, "--list"]));
        assert!(list.contains(&words(scenario.story)), "{list}");
        for switch in scenario.switches {
            let set = format!("{}={}", switch.name, switch.default());
            for text in [&help, &list] {
                assert!(text.contains(&set), "{set}: {text}");
                assert!(text.contains(switch.about), "{set}: {text}");
            }
        }
    }
}
