//! How often is the planted culprit the one that is named? The truth table, kept in docs/truth.md.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![allow(
    clippy::disallowed_methods,
    reason = "the table is compared with a file, and made again if so asked"
)]

mod cases;
mod judge;
mod table;

use std::thread;

use cases::Case;
use judge::{First, Judgement};

/// Planted roots that must be the first finding.
const FIRST_MIN: usize = 990;
/// Threads that judge.
const THREADS: usize = 2;

fn judge_all(cases: &[Case]) -> Vec<Judgement> {
    let share = cases.len().div_ceil(THREADS).max(1);
    thread::scope(|scope| {
        let judges: Vec<_> = cases
            .chunks(share)
            .map(|cases| scope.spawn(|| cases.iter().map(judge::judge).collect::<Vec<_>>()))
            .collect();
        judges.into_iter().flat_map(|judge| judge.join().expect("a judge")).collect()
    })
}

#[test]
fn the_planted_root_is_found_first_and_nobody_else_is_accused() {
    let wedges = judge_all(&cases::wedges());
    let healthy = judge_all(&cases::healthy());
    let hidden = judge_all(&cases::out_of_sight());
    let failures: Vec<&str> = [&wedges, &healthy, &hidden]
        .into_iter()
        .flatten()
        .filter_map(|judgement| judgement.failure.as_deref())
        .collect();
    let table = table::table(&wedges, &healthy, &hidden);
    println!("{table}");
    for failure in &failures {
        println!("{failure}\n");
    }
    let first = wedges.iter().filter(|j| j.first != First::Wrong).count();
    let accused = |list: &[Judgement]| list.iter().filter(|j| j.false_accusation).count();
    assert!(
        first >= FIRST_MIN,
        "the planted root is the first finding in {first} of {}",
        wedges.len()
    );
    assert_eq!(accused(&wedges), 0, "accusations where the right answer is another");
    assert_eq!(accused(&healthy) + accused(&hidden), 0, "accusations of nobody's fault");
    let found = healthy.iter().filter(|j| j.first != First::Right || !j.right_verdict).count();
    assert_eq!(found, 0, "findings in healthy worlds");
    if cases::first_seed() == 1 {
        table::keep(&table);
    }
}
