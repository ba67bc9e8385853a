//! Whatever is changed in a recording is noticed, and the agent that it was changed of is named.

use unwedge_analyze::diff::{Choice, Likeness, Options};
use unwedge_trace::{AgentId, Event, Outcome, Point, What};

use crate::script::{How, difference, events};

/// The same numbers in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

/// A few agents that do this and that; loops among it.
fn story(random: &mut Random) -> String {
    let agents = ["main", "worker", "poll", "gpu"];
    let objects = ["e1", "e2", "m1", "s1", "f1"];
    let mut script = String::new();
    for _ in 0..5 + random.below(60) {
        let most = 1 + random.below(agents.len());
        let agent = agents[random.below(most)];
        let object = objects[random.below(objects.len())];
        let stretch = match random.below(7) {
            0 => format!("{agent} waits {object}\n{agent} met\n"),
            1 => format!("{agent} polls {object}\n{agent} timeout\n"),
            2 => format!("{agent} signals {object}\n"),
            3 => format!("{agent} resets {object}\n{agent} did frame\n"),
            4 => format!("{agent} owes {object}\n{agent} signals {object}\n"),
            5 => format!("{agent} says hello\n"),
            _ => format!("{agent} waits {object}\n{agent} fails\n"),
        };
        let rounds = random.below(4);
        script.push_str(&stretch.repeat(1 + rounds * random.below(12)));
    }
    script
}

fn is_introduction(event: &Event) -> bool {
    matches!(event.what, What::Agent { .. } | What::Object { .. })
}

/// Changes, removes or inserts one event, and says whose, and whether what it is depends on time alone.
fn mutate(events: &mut Vec<Event>, random: &mut Random) -> (AgentId, bool) {
    let places: Vec<usize> =
        (0..events.len()).filter(|place| !is_introduction(&events[*place])).collect();
    let place = places[random.below(places.len())];
    let agent = events[place].agent;
    let soft = |what: &What| {
        matches!(what, What::WaitEnded { outcome: Outcome::Reached | Outcome::TimedOut })
    };
    let polls = |what: &What| matches!(what, What::WaitBegan { .. });
    match random.below(3) {
        0 => {
            let removed = events.remove(place);
            // A poll fewer is no divergence.
            (agent, soft(&removed.what) || polls(&removed.what))
        }
        1 => {
            let mut event = events[place].clone();
            event.what = What::Progress { what: "something new".to_owned() };
            events.insert(place, event);
            (agent, false)
        }
        _ => {
            let object = events.iter().rev().find_map(|event| match event.what {
                What::Object { object, .. } => Some(object),
                _ => None,
            });
            // Another number of the same signal is no other step.
            let signals = |what: &What| matches!(what, What::Signalled { .. });
            events[place].what = match object {
                Some(object) if !signals(&events[place].what) => {
                    What::Signalled { point: Point::next(object) }
                }
                _ => What::Progress { what: "something new".to_owned() },
            };
            (agent, false)
        }
    }
}

#[test]
fn a_recording_is_the_same_as_itself_and_differs_from_one_with_another_event() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let script = story(&mut random);
        let ours = events(&script, How::default());
        let batch = 1 + random.below(90);
        let (options, choice) = (Options::default(), Choice::default());
        let itself = difference((&ours, batch), (&ours, 64), &options, &choice);
        assert_eq!(itself.likeness, Likeness::Identical, "seed {seed}");

        let mut theirs = ours.clone();
        let (agent, timely) = mutate(&mut theirs, &mut random);
        let other = difference((&ours, batch), (&theirs, 64), &options, &choice);
        assert_ne!(other.likeness, Likeness::Identical, "seed {seed}");
        assert!(timely || !other.same, "seed {seed}: {:#?}", other.divergence);
        let name = ours.iter().find_map(|event| match &event.what {
            What::Agent { name, .. } if event.agent == agent => Some(name.clone()),
            _ => None,
        });
        let divergence = other.divergence.unwrap_or_else(|| panic!("seed {seed}"));
        let said =
            divergence.agent.unwrap_or_else(|| panic!("seed {seed}: {}", divergence.sentence));
        assert!(said.contains(&name.unwrap()), "seed {seed}: {said}");
    }
}
