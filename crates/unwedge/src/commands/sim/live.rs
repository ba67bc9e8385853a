//! How does a world look while it runs? On the whole terminal: who does what, since when, and what gets done.

mod screen;
mod view;

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use unwedge_analyze::Summary;
use unwedge_sim::scenarios::Size;
use unwedge_sim::world::Run;
use unwedge_trace::row::Batch;

use super::chosen::Chosen;
use super::world::{End, SILENCE_NS};
use super::{Sim, trace};
use crate::error::Error;
use crate::output::Outputs;
use view::View;

/// How the world is shown.
#[derive(Debug, Args)]
#[group(id = "showing", requires = "live", multiple = true)]
pub(crate) struct Showing {
    /// With --live: seconds of the world's time in a second; 0.1 is slow motion.
    #[arg(long, value_name = "X", default_value = "1", value_parser = speed)]
    speed: f64,
}

/// Slowest and fastest.
const SPEEDS: (f64, f64) = (1e-6, 1e6);

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.trim_end_matches(['x', '×']).parse().ok();
    let speed = speed.filter(|speed| (SPEEDS.0..=SPEEDS.1).contains(speed));
    speed.ok_or_else(|| "it is a number from 0.000001 to 1000000".to_owned())
}

/// Time between two pictures.
const FRAME: Duration = Duration::from_millis(50);
/// Of that, what the world may use: a world that is too fast for this is slowed down.
const WORK: Duration = Duration::from_millis(30);
/// Rows that are simulated at once.
const ROWS: usize = 1 << 12;

/// Shows the world until the user has seen enough; then says what `unwedge explain` would.
///
/// # Errors
/// When standard output is no terminal.
pub(super) fn execute(sim: &Sim, chosen: &Chosen) -> Result<ExitCode, Error> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        let why = "--live needs a terminal, and there is none".to_owned();
        return Err(Error::Sim {
            why,
            hint: "leave out --live, or write the trace with --out".to_owned(),
        });
    }
    let outputs = Outputs::open(sim.json.as_deref(), None, None)?;
    let world = chosen.world(Size::Full)?;
    let switches = chosen.words().replace(" --set ", "   ").trim_start().to_owned();
    let view = View::new(chosen.scenario.name, switches, sim.seed, sim.showing.speed);
    let mut show = Show::new(world.run(sim.seed), view);
    // Whatever ends the program, the terminal is put back as it was.
    let mut terminal = ratatui::try_init().map_err(failed)?;
    let shown = show.until_quit(&mut terminal);
    ratatui::restore();
    shown.map_err(failed)?;
    let end = show.end();
    let source = chosen.source(&format!(" --seed {} --events {}", sim.seed, end.events));
    let examination = trace::examine(&show.summary, &source, end);
    Ok(ExitCode::from(trace::say(&examination, &outputs, true)))
}

fn failed(error: io::Error) -> Error {
    Error::Sim {
        why: format!("the terminal cannot be used: {error}"),
        hint: "leave out --live".to_owned(),
    }
}

/// A world that is shown.
struct Show {
    run: Run,
    view: View,
    summary: Summary,
    /// The world's time, in nanoseconds; and when that was so.
    now: u64,
    at: Instant,
}

impl Show {
    fn new(mut run: Run, view: View) -> Self {
        let mut summary = Summary::default();
        summary.fold(&run.tables());
        Self { run, view, summary, now: 0, at: Instant::now() }
    }

    fn until_quit(&mut self, terminal: &mut ratatui::DefaultTerminal) -> io::Result<()> {
        let ended = terminations();
        self.at = Instant::now();
        loop {
            let begun = Instant::now();
            self.go_on();
            self.view.look(&self.run, self.now);
            terminal.draw(|frame| screen::draw(frame, &self.view))?;
            let left = FRAME.saturating_sub(begun.elapsed());
            // All keys that were pressed meanwhile, and at least a short rest.
            let mut rest = left.max(Duration::from_millis(5));
            while event::poll(rest)? {
                if self.key(&event::read()?) {
                    return Ok(());
                }
                rest = Duration::ZERO;
            }
            if ended.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
    }

    /// Lets as much of the world's time go by as was real time since the last picture.
    fn go_on(&mut self) {
        let passed = self.at.elapsed();
        self.at = Instant::now();
        if self.view.paused {
            return;
        }
        let until = self.now + (passed.as_secs_f64() * 1e9 * self.view.speed) as u64;
        let begun = Instant::now();
        while let Some(batch) = self.run.batch(ROWS, until) {
            self.take(&batch);
            if begun.elapsed() > WORK {
                self.view.is_late = true;
                self.now = self.now.max(self.run.now());
                return;
            }
        }
        self.view.is_late = false;
        self.now = until;
    }

    fn take(&mut self, batch: &Batch) {
        self.summary.fold(batch);
        self.view.take(batch);
    }

    /// Does what a key asks for; true if that is to end.
    fn key(&mut self, event: &Event) -> bool {
        let Event::Key(KeyEvent { code, modifiers, kind, .. }) = event else { return false };
        if *kind == KeyEventKind::Release {
            return false;
        }
        match code {
            KeyCode::Char('q') | KeyCode::Esc => return true,
            KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => return true,
            KeyCode::Char(' ') => self.view.paused = !self.view.paused,
            KeyCode::Char('+') | KeyCode::Right => self.faster(2.0),
            KeyCode::Char('-') | KeyCode::Left => self.faster(0.5),
            KeyCode::Down => self.view.scroll = self.view.scroll.saturating_add(1),
            KeyCode::Up => self.view.scroll = self.view.scroll.saturating_sub(1),
            _ => {}
        }
        false
    }

    fn faster(&mut self, times: f64) {
        self.view.speed = (self.view.speed * times).clamp(SPEEDS.0, SPEEDS.1);
    }

    /// How it ended: where nothing was left to happen, the world is watched as long as a trace of it would be.
    fn end(&mut self) -> End {
        let is_over = self.run.is_over();
        let silence = if is_over { SILENCE_NS } else { 0 };
        let now = self.now.max(self.run.now() + silence);
        End { events: self.summary.events(), now }
    }
}

/// Becomes true when the program is asked to end.
fn terminations() -> Arc<AtomicBool> {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in
        [signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP, signal_hook::consts::SIGINT]
    {
        // Where this cannot be had, the signal ends the program as ever.
        let _ = signal_hook::flag::register(signal, Arc::clone(&asked));
    }
    asked
}
