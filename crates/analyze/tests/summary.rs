//! Do the summaries of a recording's parts merge into that of the whole, wherever it is cut?

mod common;
#[path = "common/random.rs"]
mod random;

use random::Random;
use unwedge_analyze::{Options, Summary};
use unwedge_trace::row::{Batch, BatchBuilder};
use unwedge_trace::{Event, NEXT, Recording, What};

fn batch(events: &[Event]) -> Batch {
    let mut builder = BatchBuilder::default();
    events.iter().for_each(|event| builder.event(event));
    builder.take()
}

/// The summary of the parts between the cuts, merged from the left or from the right.
fn merged(events: &[Event], cuts: &[usize], from_the_right: bool) -> Summary {
    let ends = cuts.iter().copied().chain([events.len()]);
    let starts = [0].into_iter().chain(cuts.iter().copied());
    let parts = starts.zip(ends).map(|(from, to)| Summary::of(&batch(&events[from..to])));
    let join = |mut one: Summary, other: Summary| {
        one.merge(other);
        one
    };
    let parts: Vec<Summary> = parts.collect();
    if from_the_right {
        let parts = parts.into_iter().rev();
        parts.reduce(|later, earlier| join(earlier, later)).unwrap_or_default()
    } else {
        parts.into_iter().reduce(join).unwrap_or_default()
    }
}

fn stored(summary: &Summary) -> String {
    format!("{:#?}", summary.clone().in_normal_form())
}

#[track_caller]
fn check(recording: &Recording, cuts: &[usize], about: &str) {
    let events = &recording.events;
    let whole = Summary::of(&batch(events));
    for from_the_right in [false, true] {
        let parts = merged(events, cuts, from_the_right);
        if parts != whole {
            let (parts, whole) = (stored(&parts), stored(&whole));
            let differing =
                parts.lines().zip(whole.lines()).enumerate().filter(|(_, (a, b))| a != b);
            let differing: Vec<_> = differing.take(5).collect();
            panic!(
                "{about}, cut at {cuts:?}, right {from_the_right}: {differing:#?}\n{:#?}",
                recording.events
            );
        }
        let now = Some(recording.header.now);
        let options = Options::default();
        let report = |summary: &Summary| summary.report("a test", now, &options);
        assert_eq!(report(&parts), report(&whole), "{about}, cut at {cuts:?}");
    }
}

/// The recording of a source that does not number two thirds of its signals.
fn hardly_numbered(random: &mut Random) -> Recording {
    let mut recording = random.recording();
    for event in &mut recording.events {
        let points = match &mut event.what {
            What::WaitBegan { points, .. } => points.as_mut_slice(),
            What::Owed { point, .. } | What::Signalled { point } => std::slice::from_mut(point),
            _ => &mut [],
        };
        for point in points {
            if random.below(3) > 0 {
                point.value = NEXT;
            }
        }
    }
    recording
}

#[test]
fn two_halves_are_the_whole_wherever_it_is_cut() {
    for seed in 1..=150u64 {
        let recording = hardly_numbered(&mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        for cut in 0..=recording.events.len() {
            check(&recording, &[cut], &format!("seed {seed}"));
        }
    }
}

#[test]
fn many_parts_are_the_whole_in_whatever_order_they_merge() {
    for seed in 1..=400u64 {
        let mut random = Random(seed.wrapping_mul(0xd134_2543_de82_ef95));
        let recording = hardly_numbered(&mut random);
        let length = recording.events.len() as u64 + 1;
        let mut cuts: Vec<usize> =
            (0..random.below(8) + 2).map(|_| random.below(length) as usize).collect();
        cuts.sort_unstable();
        check(&recording, &cuts, &format!("seed {seed}"));
    }
}
