//! Does everything arrive, once, if any call fails in any way, at any place, and if any two do?

use crate::faults::{self, Planned};
use crate::gpu::Driver;
use crate::program::{run, ways};

/// Every fault at every place where a program that meets these ones makes that call.
fn faults_after(driver: &Driver, planned: &[Planned]) -> Vec<Planned> {
    check(driver, planned);
    let counts = faults::counts();
    let places = |call| 1..=counts.get(&call).copied().unwrap_or(0);
    let at_places = |(call, fault)| places(call).map(move |place| (call, place, fault));
    ways().into_iter().flat_map(at_places).collect()
}

/// Runs under these faults; says which, if the run fails.
fn check(driver: &Driver, planned: &[Planned]) -> usize {
    let run = std::panic::AssertUnwindSafe(|| run(driver, planned));
    match std::panic::catch_unwind(run) {
        Ok(fired) => fired,
        Err(_) => panic!("it fails under {planned:?}"),
    }
}

fn each_alone(driver: &Driver) {
    let faults = faults_after(driver, &[]);
    for &fault in &faults {
        assert_eq!(check(driver, &[fault]), 1, "{fault:?} was not met");
    }
    println!("{} faults", faults.len());
    assert!(faults.len() > 60);
}

#[test]
fn everything_arrives_once_whatever_fails_where() {
    each_alone(&Driver::fake(""));
}

#[test]
fn everything_arrives_once_on_lavapipe_whatever_fails_where() {
    match Driver::lavapipe() {
        Ok(driver) => each_alone(driver),
        Err(reason) => println!("skipped: {reason}"),
    }
}

/// The second is at any place of the run under the first, also where only the answer to the first makes the call.
#[test]
fn everything_arrives_once_whatever_two_fail_where() {
    let driver = Driver::fake("");
    let mut pairs = Vec::new();
    for first in faults_after(&driver, &[]) {
        for second in faults_after(&driver, &[first]) {
            // One call fails in one way; and the two may have been tried the other way round.
            if (first.0, first.1) != (second.0, second.1) && !pairs.contains(&(second, first)) {
                pairs.push((first, second));
            }
        }
    }
    let both = pairs.iter().filter(|(first, second)| check(&driver, &[*first, *second]) == 2);
    let both = both.count();
    println!("{} pairs, of {both} of which both were met", pairs.len());
    assert!(both > 2_500, "only {both} pairs");
}
