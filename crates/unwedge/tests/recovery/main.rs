//! Does a program that stands on `unwedge-wait` present frames again after every fault that can meet one? A real program, on a real driver
//! and a real display, with faults from `unwedge run --inject`.
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

#[path = "../rig/mod.rs"]
mod rig;
#[path = "../rig/watched.rs"]
mod watched;

mod many;
mod table;
mod valid;

use many::{Run, go_on};
use table::{Ends, FAULTS};
use watched::Watch;

/// The frames at which a fault strikes alone.
const POSITIONS: std::ops::RangeInclusive<u32> = 1..=6;

#[test]
fn a_frame_comes_after_every_fault_at_every_position() {
    let faults = FAULTS.iter().filter(|fault| fault.at_once == Ends::Well);
    let runs: Vec<Run> = faults
        .flat_map(|fault| POSITIONS.map(|n| Run::at_once(vec![fault.at(n)]).struck(1)))
        .collect();
    go_on("single faults, presented at once", &runs);
}

#[test]
fn a_patient_program_goes_on_even_where_presenting_waits_for_the_gpu() {
    let run = |n| {
        move |fault: &table::Fault| {
            let strikes = usize::from(fault.patient != Ends::Untouched);
            Run::patient(vec![fault.at(n)]).struck(strikes)
        }
    };
    let runs: Vec<Run> = POSITIONS.flat_map(|n| FAULTS.iter().map(run(n))).collect();
    go_on("single faults, presented when executed", &runs);
}

/// Every pair of kinds, half of them in the same frame and half one after the other: what recovers from one fault meets the other.
#[test]
fn a_frame_comes_after_two_faults() {
    let mut runs = Vec::new();
    for (number, first) in FAULTS.iter().enumerate() {
        for (distance, second) in (1..).zip(&FAULTS[number + 1..]) {
            runs.push(Run::patient(vec![first.at(3), second.at(3 + distance % 2)]));
        }
    }
    go_on("pairs of faults, presented when executed", &runs);
}

/// All work of a lost device counts as done, so the program may destroy the device at once: what was held must not keep it.
#[test]
fn a_frame_comes_after_a_device_that_is_lost_while_a_batch_is_held_for_ever() {
    let held = |n| vec!["hold-submit:n=3".to_owned(), format!("device-lost:wait:n={n}")];
    let runs: Vec<Run> = [5, 8, 12].map(|n| Run::patient(held(n)).struck(2)).into();
    go_on("a lost device with a held batch", &runs);
}

/// Else the others would prove nothing. The page on moving a program has this as a table.
#[test]
fn the_same_program_with_raw_waits_hangs_or_dies() {
    many::without_bounds(FAULTS);
}

/// The exceptions of the table are real: the driver keeps the thread inside of presenting, and no library can take it back.
#[test]
fn what_no_library_can_cure_is_named() {
    for fault in FAULTS.iter().filter(|fault| fault.at_once == Ends::InsidePresent) {
        let spec = fault.at(5);
        let options = ["--deadline=2s", "--on-wedge=kill", "--inject", &spec];
        let Some(watch) = Watch::new(&options).on_display(true) else { return };
        let told = watch.program([
            rig::built(many::PROGRAM).as_os_str(),
            "--frames".as_ref(),
            "40".as_ref(),
        ]);
        assert_ne!(
            told.status,
            Some(0),
            "{spec} has a cure: the table is too modest\n{}",
            told.all()
        );
        told.says(&["vkQueuePresentKHR"]);
    }
}
