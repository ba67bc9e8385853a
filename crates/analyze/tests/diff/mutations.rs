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

/// Rows that no reader would make: places beyond the tables, parts without a first row, numbers of no choice.
#[test]
fn any_rows_are_compared_without_a_panic() {
    use unwedge_analyze::diff::{Side, compare};
    use unwedge_trace::row::{AgentEntry, Batch, Key, ObjectEntry, Op, Row};
    for seed in 0..300 {
        let mut random = Random(seed);
        let batch = |random: &mut Random| {
            let number = |random: &mut Random| u32::try_from(random.below(6)).unwrap();
            let place = |random: &mut Random| match random.below(4) {
                0 => u32::MAX,
                _ => number(random),
            };
            let mut batch = Batch::default();
            for key in 0..random.below(4) as u64 {
                batch.agents.push(AgentEntry::unknown(Key::Number(key)));
                batch.objects.push(ObjectEntry::unknown(Key::Text(key.to_string().into())));
                batch.names.push("call 7".into());
            }
            for _ in 0..random.below(300) {
                let op = Op::ALL[random.below(Op::ALL.len())];
                let mut row = Row::new(random.below(99) as u64, place(random), op);
                (row.object, row.object2, row.agent2) =
                    (place(random), place(random), place(random));
                (row.name, row.code) = (place(random), u8::try_from(random.below(256)).unwrap());
                (row.value, row.amount) =
                    (u64::MAX - random.below(3) as u64, random.below(3) as u64);
                batch.rows.push(row);
            }
            batch
        };
        let mut sides = [Side::new(&Options::default()), Side::new(&Options::default())];
        let batches: Vec<Batch> = (0..6).map(|_| batch(&mut random)).collect();
        batches.iter().enumerate().for_each(|(place, batch)| sides[place % 2].fold(batch));
        sides.iter_mut().for_each(|side| side.finish(None));
        for partial in [false, true] {
            let choice = Choice { partial, ..Choice::default() };
            let (mut difference, search) = compare(&sides[0], &sides[1], &choice);
            let mut in_a = search.in_a(&sides[0]);
            batches.iter().step_by(2).for_each(|batch| in_a.fold(batch));
            let mut in_b = search.in_b(&sides[1], &in_a);
            batches.iter().skip(1).step_by(2).for_each(|batch| in_b.fold(batch));
            difference.locate(&in_a, &in_b);
            assert_eq!(compare(&sides[0], &sides[0], &choice).0.likeness, Likeness::Identical);
        }
    }
}
