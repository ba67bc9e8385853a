//! Many runs of the triangles, several at a time: which of them went otherwise than they should?

use std::ffi::OsString;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::rig;
use crate::table::{Fault, Raw};
use crate::watched::{Told, Watch};

/// The program that is run, beside the command.
pub(crate) const PROGRAM: &str = "examples/triangle";

/// The same before it was moved to `unwedge-wait`.
const BEFORE: &str = "examples/triangle_raw";

/// So many frames each run presents, all but a few of them after the faults.
const FRAMES: u32 = 40;

/// How many run at a time. Most of their time they wait for the next rung.
const AT_A_TIME: usize = 8;

/// The program with some faults.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    faults: Vec<String>,
    patient: bool,
    struck: Option<usize>,
}

impl Run {
    /// Frames are presented as soon as they are submitted.
    pub(crate) fn at_once(faults: Vec<String>) -> Self {
        Self { faults, patient: false, struck: None }
    }

    /// Frames are presented once they are executed.
    pub(crate) fn patient(faults: Vec<String>) -> Self {
        Self { faults, patient: true, struck: None }
    }

    /// So many faults must have struck.
    pub(crate) fn struck(self, count: usize) -> Self {
        Self { struck: Some(count), ..self }
    }

    fn told(&self) -> Option<Told> {
        let options: Vec<&str> =
            self.faults.iter().flat_map(|fault| ["--inject", fault.as_str()]).collect();
        let mut words = vec![rig::built(PROGRAM).into_os_string(), "--frames".into()];
        words.push(OsString::from(FRAMES.to_string()));
        words.extend(self.patient.then(|| OsString::from("--patient")));
        Some(Watch::new(&options).on_display(true)?.program(words))
    }

    /// What is wrong with how it went.
    fn complaint(&self, told: &Told) -> Option<String> {
        let went_on = told.status == Some(0)
            && told.stdout.contains(&format!("{FRAMES} frames, "))
            && told.report["verdict"] == "progressing"
            && told.codes().is_empty()
            && self.struck.is_none_or(|struck| told.faults().len() == struck);
        let faults = self.faults.join(" --inject ");
        (!went_on).then(|| format!("--inject {faults}, struck {:?}\n{}", told.faults(), told.all()))
    }
}

/// Each must present its frames and end by itself, and nobody is accused.
pub(crate) fn go_on(what: &str, runs: &[Run]) {
    each(what, runs, |run| run.told().and_then(|told| run.complaint(&told)));
}

/// What the program does that waits without a bound: what the table says.
pub(crate) fn without_bounds(faults: &[Fault]) {
    each("single faults, before the program was moved", faults, |fault| {
        let spec = fault.at(5);
        let watch = Watch::new(&["--deadline=2s", "--on-wedge=kill", "--inject", &spec]);
        let frames = FRAMES.to_string();
        let words = [rig::built(BEFORE).into_os_string(), "--frames".into(), frames.into()];
        let told = watch.on_display(true)?.program(words);
        let became = match told.status {
            Some(0) => Raw::GoesOn,
            Some(101) => Raw::Dies,
            _ => Raw::Hangs,
        };
        (became != fault.raw).then(|| format!("{spec}: {became:?}\n{}", told.all()))
    });
}

/// Has every one of them tried, several at a time.
fn each<T: Sync>(what: &str, all: &[T], complaint: impl Fn(&T) -> Option<String> + Sync) {
    if rig::on_real_device() || rig::display().is_none() {
        eprintln!("skipped: this needs a window on the tests' display");
        return;
    }
    let (next, complaints) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let complaint = complaint(one);
                    complaints.lock().expect("nobody panicked").extend(complaint);
                }
            });
        }
    });
    let complaints = complaints.into_inner().expect("nobody panicked");
    println!("{}: {} runs in {:.1} s", what, all.len(), begin.elapsed().as_secs_f64());
    assert!(
        complaints.is_empty(),
        "{} of {} went otherwise:\n{}",
        complaints.len(),
        all.len(),
        complaints.join("\n\n")
    );
}
