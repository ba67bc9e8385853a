//! `unwedge run`: runs a program and says why it hangs, if it does.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode, ExitStatus};

use clap::Args;
use rustix::process::Signal;

use crate::child::{self, Signals};
use crate::environment::Plan;
use crate::error::Error;
use crate::output::Outputs;
use crate::rundir::{self, RunDir};
use crate::watch::{Examination, Killing, OnWedge, Settings, Shell};
use crate::{clock, duration, inject, loader, terminal};

/// Exit status when unwedge itself fails.
pub(crate) const STATUS_FAILED: u8 = 126;

/// Runs a Vulkan program and says why it hangs, if it does.
///
/// The program is not changed, not stopped and not slowed down: a Vulkan layer notes its waits and
/// signals in shared memory, and unwedge looks at them from outside. A wait in flight for longer than
/// the deadline, on something that nobody will signal, is reported on standard error.
///
/// The exit status is the program's own, or 128 and the number of the signal that ended it; 124 if
/// unwedge ended it because it was wedged, 125 if it ended it without being sure, 126 if unwedge
/// itself failed.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Examine waits that are in flight for so long: 500ms, 5s, 2m; a plain number means seconds.
    #[arg(long, value_name = "DURATION", default_value = "5s", allow_hyphen_values = true)]
    deadline: String,

    /// What to do about a wedge, besides reporting it.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    on_wedge: OnWedge,

    /// Write the last report as JSON when the program ends; to standard output without FILE.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    json: Option<PathBuf>,

    /// Write the report as one HTML page, at the finding and at the end.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Write the events that the report was drawn from, as JSON Lines.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,

    /// Leave no breadcrumb in submits: nothing is added to them, but "still executing" and "finished, and
    /// its signal was lost" cannot be told apart.
    #[arg(long)]
    no_breadcrumbs: bool,

    /// Inject a fault, such as drop-signal:fence:n=3; may be given several times. See unwedge help inject.
    #[arg(long, value_name = "SPEC", allow_hyphen_values = true)]
    inject: Vec<String>,

    /// Print findings only: no line about progress at the end.
    #[arg(short, long)]
    quiet: bool,

    /// Keep the black boxes, for unwedge explain.
    #[arg(long)]
    keep: bool,

    /// The layer's library, if not the one beside this command.
    #[arg(long, value_name = "PATH", hide = true)]
    layer: Option<PathBuf>,

    /// The program and its arguments.
    #[arg(value_name = "PROGRAM", trailing_var_arg = true)]
    program: Vec<OsString>,
}

/// Deadlines outside of these make no sense. Nanoseconds.
const DEADLINE_MIN: u64 = 100_000_000;
/// Between a request to end and the order to.
const GRACE: u64 = 2_000_000_000;
/// What a program has left behind when it ended has so long to begin with Vulkan.
const LINGER: u64 = 1_000_000_000;
/// One look at all processes misses one that was forked during it by another that then went, and one
/// that is in the middle of an exec.
const LOOKS_IN_VAIN: u32 = 3;
/// Between such looks.
const BETWEEN_LOOKS: u64 = 10_000_000;
/// The longest nap while nothing is watched.
const NAP_MAX: u64 = 1_000_000_000;

impl Run {
    /// Runs the program to its end.
    ///
    /// # Errors
    /// Bad arguments, and a program that cannot be started.
    pub(crate) fn execute(&self) -> Result<ExitCode, Error> {
        let deadline = self.deadline()?;
        let faults = self.inject.iter().map(|text| inject::Spec::parse(text));
        let faults = inject::canonical(&faults.collect::<Result<Vec<_>, _>>()?);
        let outputs =
            Outputs::open(self.json.as_deref(), self.html.as_deref(), self.trace.as_deref())?;
        let program = self.program.first().ok_or(Error::NoProgram)?;
        let path = child::find(program, std::env::var_os("PATH"))?;
        let directory = self.directory();
        let variables = directory.as_ref().map(|directory| {
            let plan = Plan {
                directory: directory.path(),
                loader: loader::version(),
                breadcrumbs: !self.no_breadcrumbs,
                fail: self.on_wedge == OnWedge::Fail,
                deadline,
                inject: &faults,
            };
            plan.variables(|name| std::env::var_os(name))
        });
        let signals = Signals::catch().map_err(Error::Watch)?;
        let child = child::start(&path, &self.program, &variables.unwrap_or_default())?;
        let shell = match directory.as_ref() {
            Some(directory) => {
                let settings = Settings {
                    directory: directory.path().to_owned(),
                    deadline,
                    on_wedge: self.on_wedge,
                    quiet: self.quiet,
                    keep: self.keep,
                    outputs,
                };
                Some(Shell::new(settings, clock::now()))
            }
            None => {
                outputs.write_last(&Examination::unwatched(clock::now()));
                None
            }
        };
        let place = directory.as_ref().map(RunDir::path);
        let mut attendance = Attendance {
            child,
            signals,
            shell,
            place,
            killing: None,
            running: true,
            linger_until: None,
            looks_in_vain: 0,
        };
        let status = attendance.attend().map_err(Error::Watch)?;
        Ok(ExitCode::from(self.end(attendance, status)))
    }

    fn deadline(&self) -> Result<u64, Error> {
        let option = "--deadline";
        let deadline = duration::parse(&self.deadline);
        let deadline = deadline.map_err(|source| Error::Duration { option, source })?;
        if deadline < DEADLINE_MIN {
            let hint = "the shortest deadline is 100ms";
            return Err(Error::DurationRange {
                option,
                given: self.deadline.clone(),
                why: "too short",
                hint,
            });
        }
        Ok(deadline)
    }

    /// The folder of this run with the layer's manifest in it; `None`, said in one line, where the
    /// program has to run unwatched.
    fn directory(&self) -> Option<RunDir> {
        let library = match loader::library(self.layer.as_deref()) {
            Ok(library) => library,
            Err(error) => {
                terminal::warn(&format!("{error}; running unwatched"), error.hint().as_deref());
                return None;
            }
        };
        let xdg = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let (directory, refusals) = RunDir::make(&rundir::places(xdg.as_deref()), self.keep);
        let refused =
            refusals.iter().map(|refusal| format!("{}: {}", refusal.path.display(), refusal.why));
        let refused = refused.collect::<Vec<_>>().join("; ");
        let Some(directory) = directory else {
            let hint = "set XDG_RUNTIME_DIR to a folder of your own with some megabytes of room";
            terminal::warn(
                &format!("no folder for black boxes ({refused}); running unwatched"),
                Some(hint),
            );
            return None;
        };
        if !refused.is_empty() {
            terminal::note(&format!(
                "black boxes go to {} ({refused})",
                directory.path().display()
            ));
        }
        let manifest = directory.path().join(format!("{}.json", crate::environment::LAYER_NAME));
        match fs::write(&manifest, loader::manifest(&library).to_string()) {
            Ok(()) => Some(directory),
            Err(error) => {
                terminal::warn(
                    &format!("{}: {error}; running unwatched", manifest.display()),
                    None,
                );
                None
            }
        }
    }

    /// The last words, and the exit status.
    fn end(&self, attendance: Attendance<'_>, status: ExitStatus) -> u8 {
        let Attendance { shell, place, killing, .. } = attendance;
        if let (Some(signal), None) = (status.signal(), killing) {
            terminal::note(&format!("the program was ended by {}", child::signal_name(signal)));
        }
        if let Some(shell) = shell {
            shell.finish(status.signal().is_some());
        }
        if let (true, Some(place)) = (self.keep, place) {
            terminal::note(&format!("black boxes are kept in {}", place.display()));
        }
        killing.map_or_else(|| child::exit_status(status), |killing| killing.status)
    }
}

/// A program that runs, and the watch over it.
struct Attendance<'d> {
    child: Child,
    signals: Signals,
    shell: Option<Shell>,
    place: Option<&'d Path>,
    killing: Option<Killing>,
    running: bool,
    linger_until: Option<u64>,
    looks_in_vain: u32,
}

impl Attendance<'_> {
    /// Attends to the program, and to what came from it and still uses Vulkan, to the end.
    fn attend(&mut self) -> std::io::Result<ExitStatus> {
        let mut kill_at = None;
        let mut ended = None;
        loop {
            if ended.is_none() {
                ended = self.child.try_wait()?;
                // From here on its pid may name another process.
                self.running = ended.is_none();
            }
            if let Some(status) = ended
                && !self.goes_on_without_it(kill_at.is_some())
            {
                return Ok(status);
            }
            if self.signals(ended.is_some()) {
                return Ok(ended.unwrap_or_default());
            }
            let now = clock::now();
            match kill_at {
                None => {
                    self.killing = self.shell.as_mut().and_then(|shell| shell.tick(now));
                    if self.killing.is_some() {
                        terminal::note("ending the program");
                        self.signal_tree(Signal::TERM);
                        kill_at = Some(clock::now() + GRACE);
                    }
                }
                Some(at) if now >= at => {
                    self.signal_tree(Signal::KILL);
                    kill_at = Some(now + GRACE);
                }
                Some(_) => {}
            }
            self.sleep(kill_at);
        }
    }

    /// Whether processes that the ended program has started still use Vulkan, or may be about to.
    fn goes_on_without_it(&mut self, killing: bool) -> bool {
        let Some(shell) = self.shell.as_mut() else { return false };
        shell.look_around();
        let now = clock::now();
        let linger_until = *self.linger_until.get_or_insert(now + LINGER);
        let live = shell.live() > 0;
        let starting = || now < linger_until && self.place.is_some_and(child::any_left);
        if live || starting() {
            self.looks_in_vain = 0;
            return !(killing && self.signal_rest());
        }
        self.looks_in_vain += 1;
        self.looks_in_vain < LOOKS_IN_VAIN
    }

    /// The program has died of the signal to end; what came from it has no more time. Always `true`.
    fn signal_rest(&self) -> bool {
        self.signal_tree(Signal::KILL);
        true
    }

    /// Passes signals on; `true` when the user ends a watch over what a program has left behind.
    fn signals(&mut self, ended: bool) -> bool {
        let interrupted = self.signals.interrupted();
        let forward = self.signals.to_forward();
        if ended && (interrupted || forward.is_some()) {
            return true;
        }
        if let Some(signal) = forward {
            child::signal(self.child.id(), signal);
        }
        if let (true, None, Some(shell)) = (interrupted, self.killing, self.shell.as_mut()) {
            shell.interrupted();
        }
        false
    }

    fn signal_tree(&self, signal: Signal) {
        if let Some(place) = self.place {
            child::signal_tree(self.running.then(|| self.child.id()), place, signal);
        }
    }

    fn sleep(&mut self, kill_at: Option<u64>) {
        let now = clock::now();
        let wake_at = match (kill_at, &self.shell) {
            _ if self.looks_in_vain > 0 => now + BETWEEN_LOOKS,
            (Some(at), _) => at,
            (None, Some(shell)) => shell.wake_at(),
            (None, None) => now + NAP_MAX,
        };
        self.signals.sleep(wake_at.saturating_sub(now).min(NAP_MAX));
    }
}
