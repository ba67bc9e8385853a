//! The running part of the watch: finds black boxes, follows the schedule, says what was found.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use unwedge_analyze::{Report, Verdict};

use super::patient::{Examination, Patient};
use super::progress::Progress;
use super::roots::Roots;
use super::{BoxId, Due, WaitKey, Watch, left_open};
use crate::output::Outputs;
use crate::sources::observations::ProcessState;
use crate::{clock, terminal};

/// What to do about a wedge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OnWedge {
    /// Say what was found and go on watching.
    #[default]
    Report,
    /// Say what was found and end the program: exit status 124, or 125 if inconclusive.
    Kill,
    /// Let the wait return VK_ERROR_DEVICE_LOST, so that the program's own recovery runs.
    Fail,
}

/// How to watch.
pub(crate) struct Settings {
    /// Where black boxes appear.
    pub(crate) directory: PathBuf,
    /// Waits in flight for so long are examined. Nanoseconds.
    pub(crate) deadline: u64,
    /// What to do about a wedge.
    pub(crate) on_wedge: OnWedge,
    /// Only findings are printed.
    pub(crate) quiet: bool,
    /// Black boxes of ended processes are kept.
    pub(crate) keep: bool,
    /// Where reports go besides the terminal.
    pub(crate) outputs: Outputs,
}

/// The program is to be ended, and this is the exit status for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Killing {
    /// 124 for wedged, 125 for inconclusive.
    pub(crate) status: u8,
}

/// The coarse clock of the layer may make a wait seem so much younger than it is. Nanoseconds.
const COARSE: u64 = 50_000_000;
/// The shortest and the longest nap while black boxes are watched. Nanoseconds.
const NAP: (u64, u64) = (5_000_000, 50_000_000);
/// Folders are listed and counters read so often. Nanoseconds.
const SCAN_EVERY: u64 = 100_000_000;
const SECOND: u64 = 1_000_000_000;
/// A nap that lasted so much longer than asked for means that the watch itself was stopped.
const OVERSLEPT: u64 = 2 * SECOND;
/// Processes watched at one time.
const PATIENTS_MAX: usize = 256;

/// The watch over one folder of black boxes.
pub(crate) struct Shell {
    settings: Settings,
    watch: Watch,
    patients: BTreeMap<BoxId, Patient>,
    known: HashSet<PathBuf>,
    next_id: u32,
    scan_at: u64,
    second_at: u64,
    wake_at: u64,
    roots: Roots,
    progress: Progress,
    found: Option<Examination>,
    last: Option<Examination>,
}

impl Shell {
    /// Begins to watch.
    pub(crate) fn new(settings: Settings, now: u64) -> Self {
        let watch = Watch::new(settings.deadline);
        Self {
            settings,
            watch,
            patients: BTreeMap::new(),
            known: HashSet::new(),
            next_id: 0,
            scan_at: now,
            second_at: now + SECOND,
            wake_at: now,
            roots: Roots::default(),
            progress: Progress::default(),
            found: None,
            last: None,
        }
    }

    /// Does what is due `now`.
    pub(crate) fn tick(&mut self, now: u64) -> Option<Killing> {
        if now.saturating_sub(self.wake_at) > OVERSLEPT {
            self.watch.postpone(now, None);
        }
        if now >= self.scan_at {
            self.scan();
            self.scan_at = now + SCAN_EVERY.min(self.settings.deadline / 4);
        }
        let each_second = now >= self.second_at;
        if each_second {
            self.second_at = now + SECOND;
            self.each_second(now);
        }
        for patient in self.patients.values_mut() {
            patient.refresh();
        }
        let seen: Vec<_> = self.patients.iter().map(|(id, patient)| patient.seen(*id)).collect();
        let mut killing = None;
        for due in self.watch.step(now, &seen) {
            killing = killing.or(self.due(due));
        }
        self.plan(clock::now());
        killing
    }

    fn plan(&mut self, now: u64) {
        let nap = (self.settings.deadline / 20).clamp(NAP.0, NAP.1);
        let nap =
            if self.patients.is_empty() { SCAN_EVERY.min(self.settings.deadline / 4) } else { nap };
        let due = self.watch.next().unwrap_or(u64::MAX).max(now + 1_000_000);
        self.wake_at = (now + nap).min(due);
    }

    /// When [`Shell::tick`] wants to run again.
    pub(crate) fn wake_at(&self) -> u64 {
        self.wake_at
    }

    /// Processes that use Vulkan and live.
    pub(crate) fn live(&self) -> usize {
        self.patients.len()
    }

    /// Finds black boxes that are new.
    fn scan(&mut self) {
        let Ok(entries) = std::fs::read_dir(&self.settings.directory) else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            let is_box = path.extension().is_some_and(|extension| extension == "blackbox");
            if !is_box || self.known.contains(&path) || self.patients.len() >= PATIENTS_MAX {
                continue;
            }
            // One that is not complete yet will be at the next look.
            if let Ok(patient) = Patient::open(&path) {
                self.known.insert(path);
                self.patients.insert(BoxId(self.next_id), patient);
                self.next_id += 1;
                self.progress.process();
            }
        }
    }

    fn each_second(&mut self, now: u64) {
        for (id, patient) in &mut self.patients {
            patient.glance_at_locks(now);
            self.progress.take(*id, patient.threads(), &patient.swapchains());
        }
        for line in self.roots.reminders(now) {
            terminal::note(&line);
        }
        self.bury();
    }

    /// Finds processes that have begun, and lets go of those that have ended.
    pub(crate) fn look_around(&mut self) {
        self.scan();
        self.bury();
    }

    /// Lets go of processes that have ended.
    fn bury(&mut self) {
        let gone =
            self.patients.iter().filter(|(_, patient)| patient.state() == ProcessState::Gone);
        let gone: Vec<BoxId> = gone.map(|(id, _)| *id).collect();
        for id in gone {
            let Some(mut patient) = self.patients.remove(&id) else { continue };
            patient.refresh();
            self.progress.take(id, patient.threads(), &patient.swapchains());
            let left = |wait: &WaitKey| left_open(patient.threads(), wait);
            for line in self.roots.gone(id, left, clock::now()) {
                terminal::note(&line);
            }
            if self.found.is_none() && self.settings.outputs.any() {
                self.last = patient.autopsy(self.patience()).ok();
            }
            if !self.settings.keep {
                let _ = std::fs::remove_file(patient.path());
            }
        }
    }

    fn patience(&self) -> u64 {
        self.settings.deadline - COARSE.min(self.settings.deadline / 2)
    }

    fn due(&mut self, due: Due) -> Option<Killing> {
        match due {
            Due::Sample(id) => {
                if let Some(patient) = self.patients.get_mut(&id) {
                    patient.sample(clock::now());
                }
                None
            }
            Due::Examine(id) => self.examine(id),
            Due::Ended(wait, _) => {
                let patient = self.patients.get(&wait.id)?;
                if patient.state() == ProcessState::Running {
                    for line in self.roots.ended(wait, clock::now()) {
                        terminal::note(&line);
                    }
                }
                None
            }
        }
    }

    fn examine(&mut self, id: BoxId) -> Option<Killing> {
        let patience = self.patience();
        let now = clock::now();
        let patient = self.patients.get_mut(&id)?;
        match patient.state() {
            ProcessState::Gone => return None,
            ProcessState::Stopped => {
                self.watch.postpone(now, Some(id));
                return None;
            }
            ProcessState::Running | ProcessState::Unknown => {}
        }
        let examination = patient.examine(now, patience).ok()?;
        let news = self.say(id, examination, now);
        self.act(id, &news?)
    }

    /// Prints what is new in an examination, and keeps it. The report of what is new, if anything is.
    fn say(&mut self, id: BoxId, examination: Examination, now: u64) -> Option<Report> {
        if examination.report.findings.is_empty() {
            self.last = Some(examination);
            return None;
        }
        let mut news = examination.report.clone();
        news.findings.retain(|finding| {
            let tid = finding.waiter.as_ref().map_or(0, |waiter| waiter.tid);
            self.roots.is_new(id, finding, &self.watch.waits_of(id, tid), now)
        });
        let any = !news.findings.is_empty();
        if any {
            terminal::report(&news);
            self.settings.outputs.write_now(&examination);
        }
        self.found = Some(examination);
        any.then_some(news)
    }

    fn act(&mut self, id: BoxId, news: &Report) -> Option<Killing> {
        match self.settings.on_wedge {
            OnWedge::Report => None,
            OnWedge::Kill => {
                let status = if news.verdict == Verdict::Inconclusive { 125 } else { 124 };
                Some(Killing { status })
            }
            OnWedge::Fail => {
                let patient = self.patients.get(&id)?;
                for waiter in news.findings.iter().filter_map(|finding| finding.waiter.as_ref()) {
                    terminal::note(&match patient.fail(waiter.tid) {
                        Ok(Some(device)) => {
                            self.roots.failed(id, waiter.tid);
                            format!(
                                "failing the waits of device {device} with VK_ERROR_DEVICE_LOST"
                            )
                        }
                        Ok(None) => {
                            format!("thread {} is in no call that could be failed", waiter.tid)
                        }
                        Err(error) => {
                            format!("the layer cannot be asked to fail the wait: {error}")
                        }
                    });
                }
                None
            }
        }
    }

    /// The user has interrupted the program: what has not moved for a while is examined at once,
    /// before it dies, or as it was when it was last looked at.
    pub(crate) fn interrupted(&mut self) {
        let patience = SECOND.min(self.settings.deadline / 2);
        let now = clock::now();
        let ids: Vec<BoxId> = self.patients.keys().copied().collect();
        for id in ids {
            if !self.watch.waits_since(id, now.saturating_sub(patience)) {
                continue;
            }
            let Some(patient) = self.patients.get_mut(&id) else { continue };
            let examination = match patient.state() {
                ProcessState::Running => patient.examine(now, patience).ok(),
                _ => patient.examine_late(patience),
            };
            if let Some(examination) = examination {
                self.say(id, examination, now);
            }
        }
    }

    /// The program has ended, by itself or by a signal: the last line and the last reports.
    pub(crate) fn finish(mut self, by_signal: bool) {
        self.look_around();
        let codes = self.roots.codes().join(", ");
        let summary = self.progress.summary();
        if !self.settings.quiet {
            terminal::note(&match (&summary, codes.as_str()) {
                (Some(done), "") if by_signal => format!("{done}, no wedge seen"),
                (Some(done), "") => format!("{done}, nothing wrong"),
                (Some(done), codes) => format!("reported {codes}; {done}"),
                (None, _) => "the program did not use Vulkan, or its loader did not load the layer"
                    .to_owned(),
            });
        }
        let examination = self.found.or_else(|| self.last.map(acquitted));
        let nothing = || acquitted(Examination::nothing(clock::now()));
        if self.settings.outputs.any() {
            self.settings.outputs.write_last(&examination.unwrap_or_else(nothing));
        }
    }
}

/// A program that ended by itself was not wedged, whatever was in flight when it did.
fn acquitted(mut examination: Examination) -> Examination {
    let report = &mut examination.report;
    if !report.findings.is_empty() {
        report.findings.clear();
        report.graph = Default::default();
        for agent in &mut report.agents {
            agent.wedged = false;
        }
    }
    report.verdict = Verdict::Progressing;
    report.missing.clear();
    report.notes.push("the program ended by itself".to_owned());
    examination
}
