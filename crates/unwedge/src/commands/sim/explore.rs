//! Can a world wedge, and what is the shortest way there? Every order of a small instance is tried, and every fault.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use unwedge_analyze::Summary;
use unwedge_sim::explore::{self, Answer, Bound, Counts, Limits, Progress, Rest};
use unwedge_sim::scenarios::Size;
use unwedge_sim::switch::Value as Switched;
use unwedge_sim::world::{Exploration, Plan};
use unwedge_sim::{Goals, World};

use super::chosen::Chosen;
use super::way::{Taken, Way, steps_to_json};
use super::{Sim, replay, trace};
use crate::error::Error;
use crate::output::Target;
use crate::watch::Examination;
use crate::{report, terminal};

/// How far to go.
#[derive(Debug, Args)]
#[group(id = "exploring", requires = "explore", multiple = true)]
pub(crate) struct Exploring {
    /// With --explore: keep so many states at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    states_max: Option<u64>,

    /// With --explore: use so much memory at most, for example 512M or 16G.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    memory_max: Option<u64>,

    /// With --explore: so many faults may strike, each at any occasion. By default 1, or what the scenario says.
    #[arg(long, value_name = "N")]
    faults: Option<u8>,

    /// With --explore: write the way into the wedge, for --replay.
    #[arg(long, value_name = "FILE")]
    pub(super) replay_out: Option<PathBuf>,
}

/// Memory, where nothing is said. Bytes.
const MEMORY: u64 = 4 << 30;
/// What is over sooner needs no bar.
const QUIET: Duration = Duration::from_secs(1);
/// What takes less has no speed that is worth telling. Seconds.
const MEASURED_MIN: f64 = 0.1;

/// What came of it.
struct Explored {
    answer: Found,
    counts: Counts,
    seconds: f64,
}

/// Can it wedge?
enum Found {
    Wedge { way: Way, lost: Goals, cut: Option<Bound> },
    NoWedge,
    OutOfRoom(Bound),
}

/// Explores the scenario's small instance, and prints what came of it.
///
/// # Errors
/// When the instance has no room in a state, or a file cannot be written.
pub(super) fn execute(sim: &Sim, chosen: &Chosen) -> Result<ExitCode, Error> {
    let json = sim.json.as_deref().map(|path| Target::open("--json", path)).transpose()?;
    let mut world = chosen.world(Size::Small)?;
    if let Some(faults) = sim.exploring.faults {
        world.set_faults_max(faults);
    }
    let explored = explore_world(&world, &sim.exploring)?;
    let answer = Told { chosen, world: &world, explored: &explored };
    let wedge = answer.wedge();
    if !matches!(json, Some(Target::Stdout)) {
        print(&answer.text(wedge.as_ref()));
    }
    if let Some(target) = json {
        let text = format!("{:#}\n", answer.json(wedge.as_ref()));
        target.write("answer", text.as_bytes());
    }
    answer.write(sim, wedge.as_ref())?;
    Ok(ExitCode::from(match explored.answer {
        Found::NoWedge => 0,
        Found::Wedge { .. } => 1,
        Found::OutOfRoom(_) => 3,
    }))
}

/// Whoever closes standard output has read enough.
pub(super) fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// A state has room for so many bytes: the first that fits.
macro_rules! with_room {
    ($bytes:expr, $explore:ident($world:expr, $limits:expr), $($room:literal)+) => {
        match $bytes {
            $(..=$room => $explore::<$room>($world, $limits),)+
            _ => None,
        }
    };
}

fn explore_world(world: &World, exploring: &Exploring) -> Result<Explored, Error> {
    let limits = Limits {
        states_max: exploring.states_max.unwrap_or(u64::MAX),
        bytes_max: exploring.memory_max.unwrap_or(MEMORY),
        threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    };
    let bytes = world.state_bytes();
    let explored = with_room!(bytes, explore_in(world, &limits), 16 24 32 48 64 96 128 192 256);
    explored.ok_or_else(|| Error::Sim {
        why: format!("a state of this world has {bytes} bytes, and there is room for 256"),
        hint: "make the instance smaller with its switches".to_owned(),
    })
}

fn explore_in<const BYTES: usize>(world: &World, limits: &Limits) -> Option<Explored> {
    let model = Exploration::<BYTES>::new(world)?;
    let asked = interrupts();
    let (began, bar) = (Instant::now(), Bar::new(limits));
    let explored = explore::explore(&model, limits, &mut |progress| {
        bar.at(progress);
        if asked.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    bar.finish();
    let seconds = began.elapsed().as_secs_f64();
    let answer = match explored.answer {
        Answer::NoWedge => Found::NoWedge,
        Answer::OutOfRoom(bound) => Found::OutOfRoom(bound),
        Answer::Wedge(wedge) => {
            let actions =
                |steps: &[explore::Step<_>]| steps.iter().map(|step| step.action).collect();
            let path = actions(&wedge.path);
            let (then, back_to) = match &wedge.rest {
                Rest::DeadEnd { steps } => (actions(steps), None),
                Rest::Livelock { steps, back_to } => (actions(steps), Some(*back_to)),
            };
            let way = Way { path, then, back_to };
            Found::Wedge { way, lost: wedge.lost, cut: wedge.cut }
        }
    };
    Some(Explored { answer, counts: explored.counts, seconds })
}

/// Becomes true at the first Ctrl-C; the second ends the program.
fn interrupts() -> Arc<AtomicBool> {
    let asked = Arc::new(AtomicBool::new(false));
    let signal = signal_hook::consts::SIGINT;
    // Where this cannot be had, Ctrl-C ends the program as ever.
    let _ = signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&asked));
    let _ = signal_hook::flag::register(signal, Arc::clone(&asked));
    asked
}

/// A wedge that was found: what happens on the way, and what the analysis says of that.
pub(super) struct Wedged<'e> {
    pub(super) way: &'e Way,
    pub(super) taken: Taken,
    pub(super) source: String,
    pub(super) examination: Examination,
}

impl<'e> Wedged<'e> {
    /// Judges what was taken.
    pub(super) fn new(way: &'e Way, taken: Taken, source: String) -> Self {
        let examination = trace::examine(&Summary::of(&taken.batch), &source, taken.end);
        Self { way, taken, source, examination }
    }

    /// The steps and the finding.
    pub(super) fn text(&self) -> String {
        let mut text = self.way.text(&self.taken.words);
        text.push('\n');
        text += &report::text(&self.examination.report, terminal::style(&io::stdout()));
        text
    }

    /// The same as fields.
    pub(super) fn add_to(&self, answer: &mut Value) {
        let (path, then) = self.taken.words.split_at(self.way.path.len());
        answer["steps"] = steps_to_json(&self.way.path, path);
        answer["then"] = steps_to_json(&self.way.then, then);
        answer["back_to"] = json!(self.way.back_to);
        // A report has string keys only and no type that refuses to serialise.
        answer["report"] = serde_json::to_value(&self.examination.report).unwrap_or_default();
    }
}

/// An answer, for whoever asked.
struct Told<'e> {
    chosen: &'e Chosen,
    world: &'e World,
    explored: &'e Explored,
}

impl<'e> Told<'e> {
    fn wedge(&self) -> Option<Wedged<'e>> {
        let Found::Wedge { way, .. } = &self.explored.answer else { return None };
        let Ok(taken) = way.take(self.world) else {
            unreachable!("the explorer has gone this way through this world")
        };
        Some(Wedged::new(way, taken, self.chosen.source(" --explore")))
    }

    fn text(&self, wedge: Option<&Wedged<'_>>) -> String {
        let mut text = String::new();
        let states = report::many(self.explored.counts.states, "state");
        // Writing to a String cannot fail.
        let _ = match (&self.explored.answer, wedge) {
            (Found::Wedge { way, lost, cut }, Some(wedge)) => {
                let steps = report::many(way.path.len() as u64, "step");
                let lost = self.goals(*lost);
                let _ = writeln!(text, "wedge: after {steps} {lost} can never be reached again\n");
                let _ = writeln!(text, "{}", wedge.text());
                match cut {
                    Some(bound) => writeln!(
                        text,
                        "not everything was explored, for {bound} was met: there may be a shorter way"
                    ),
                    None => Ok(()),
                }
            }
            (Found::OutOfRoom(bound), _) => {
                let raise = match bound {
                    Bound::States(_) => "; raise it with --states-max",
                    Bound::Bytes(_) => "; raise it with --memory-max",
                    Bound::Asked => "",
                };
                writeln!(
                    text,
                    "not known: no wedge in {states}, but {bound} was met before all were explored{raise}"
                )
            }
            _ => {
                let goals = self.goals(Goals::first(u32::MAX));
                writeln!(text, "no wedge in {states}: from each of them {goals} can be reached")
            }
        };
        text + &self.counts()
    }

    /// The names of goals.
    fn goals(&self, some: Goals) -> String {
        let named = self.world.goals().enumerate().filter(|(bit, _)| some.0 >> bit & 1 == 1);
        let names: Vec<_> = named.map(|(_, name)| format!("\"{name}\"")).collect();
        names.join(" and ")
    }

    /// Fault switches that are not off: the explorer tries each at any occasion.
    fn faults(&self) -> Vec<&'static str> {
        let faults =
            self.chosen.settings.iter().filter(
                |(_, value)| matches!(value, Switched::Fault(plan) if *plan != Plan::Never),
            );
        faults.map(|(switch, _)| switch.name).collect()
    }

    fn counts(&self) -> String {
        let Explored { counts, seconds, .. } = self.explored;
        let (transitions, depth) = (report::many(counts.transitions, "transition"), counts.depth);
        let states = report::many(counts.states, "state");
        let mut text = format!("explored: {states}, {transitions}, {depth} deep");
        if counts.wedged > 0 {
            let _ = write!(text, "; {} wedged", report::grouped(counts.wedged));
        }
        let _ = write!(text, "; {}", report::duration(seconds * 1e3));
        if *seconds >= MEASURED_MIN {
            let _ = write!(text, " ({:.2} M states/s)", counts.states as f64 / seconds / 1e6);
        }
        let _ = match counts.bytes {
            bytes @ ..1_048_576 => writeln!(text, ", {} KiB", bytes.div_ceil(1024)),
            bytes => writeln!(text, ", {:.1} MiB", bytes as f64 / f64::from(1 << 20)),
        };
        let (faults, most) = (self.faults(), self.world.faults_max());
        let _ = if faults.is_empty() || most == 0 {
            writeln!(
                text,
                "faults: none was tried; a fault switch that is not off is tried at every occasion"
            )
        } else {
            let times = report::many(u64::from(most), "fault");
            writeln!(text, "faults: {}, at every occasion; {times} at most", faults.join(", "))
        };
        text
    }

    fn json(&self, wedge: Option<&Wedged<'_>>) -> Value {
        let Explored { counts, seconds, answer } = self.explored;
        let (word, bound) = match answer {
            Found::Wedge { cut, .. } => ("wedge", *cut),
            Found::NoWedge => ("no_wedge", None),
            Found::OutOfRoom(bound) => ("not_known", Some(*bound)),
        };
        let mut json = replay::header("unwedge_explore", self.chosen, self.world);
        json["answer"] = json!(word);
        json["bound"] = json!(bound.map(|bound| bound.to_string()));
        json["counts"] = json!({
            "states": counts.states,
            "transitions": counts.transitions,
            "depth": counts.depth,
            "wedged": counts.wedged,
            "bytes": counts.bytes,
            "seconds": seconds,
        });
        if let Some(wedge) = wedge {
            if let Found::Wedge { lost, .. } = answer {
                let named = self.world.goals().enumerate();
                let lost = named.filter(|(bit, _)| lost.0 >> bit & 1 == 1).map(|(_, name)| name);
                json["lost"] = lost.collect();
            }
            wedge.add_to(&mut json);
        }
        json
    }

    /// Writes what was asked for into files.
    fn write(&self, sim: &Sim, wedge: Option<&Wedged<'_>>) -> Result<(), Error> {
        let files = [&sim.out, &sim.exploring.replay_out].into_iter().flatten();
        let Some(wedge) = wedge else {
            for path in files {
                terminal::note(&format!(
                    "{}: nothing is written, for there is no wedge",
                    path.display()
                ));
            }
            return Ok(());
        };
        if let Some(path) = &sim.out {
            trace::write(path, sim.force, &wedge.source, &wedge.taken.batch, wedge.taken.end)?;
        }
        if let Some(path) = &sim.exploring.replay_out {
            write_replay(
                path,
                &replay::to_text(self.chosen, self.world, wedge.way, &wedge.taken.words),
            )?;
        }
        Ok(())
    }
}

fn write_replay(path: &Path, text: &str) -> Result<(), Error> {
    Target::open("--replay-out", path)?.write("replay", text.as_bytes());
    Ok(())
}

/// Bytes in `512M`, `1.5GiB`, or a plain number.
fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || "it is not a size such as 512M or 16G".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().trim_end_matches(['b', 'B']).trim_end_matches('i').to_uppercase();
    let scale = match unit.as_str() {
        "" => 1_u64,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let bytes = number * scale as f64;
    // Below 2^63 by the filter.
    Some(bytes as u64).filter(|_| (1.0..9e18).contains(&bytes)).ok_or_else(wrong)
}

/// A bar on the terminal, if it takes longer than a second.
struct Bar {
    began: Instant,
    bar: Option<ProgressBar>,
}

impl Bar {
    fn new(limits: &Limits) -> Self {
        let known = (limits.states_max < u64::MAX).then_some(limits.states_max);
        let bar = io::stderr().is_terminal().then(|| {
            let template = match known {
                Some(_) => "exploring {wide_bar} {human_pos}/{human_len} states, {msg}",
                None => "exploring {spinner} {human_pos} states, {msg}",
            };
            // A template that cannot be read shows the library's own.
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::with_draw_target(known, ProgressDrawTarget::hidden()).with_style(style)
        });
        Self { began: Instant::now(), bar }
    }

    fn at(&self, progress: &Progress) {
        let Some(bar) = &self.bar else { return };
        let passed = self.began.elapsed();
        if passed < QUIET {
            return;
        }
        if bar.is_hidden() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let speed = progress.states as f64 / passed.as_secs_f64() / 1e6;
        let (depth, left) = (progress.depth, report::grouped(progress.frontier));
        bar.set_message(format!("{depth} deep, {left} to look at, {speed:.2} M states/s"));
        bar.set_position(progress.states);
    }

    fn finish(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        let read = |text: &str| bytes(text).ok();
        assert_eq!(read("512M"), Some(512 << 20));
        assert_eq!(read("1.5GiB"), Some(3 << 29));
        assert_eq!(read("16g"), Some(16 << 30));
        assert_eq!(read("4096"), Some(4096));
        assert_eq!(read("64 kB"), Some(64 << 10));
        for bad in ["", "G", "much", "-1G", "0", "1X", "1.2.3M", "99999999T"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
