//! What happens when? Events of the window and of the shell come in; what can be done at once is done, and frames are
//! drawn in between, in turns that never wait longer than a few milliseconds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alacritty_terminal::event::Event as ShellEvent;
use alacritty_terminal::grid::Scroll;
use alacritty_terminal::term::TermMode;
use unwedge_wait::Bound;
use unwedge_wait::frame_loop::{FrameLoop, Settings, Turn};
use winit::application::ApplicationHandler;
use winit::dpi::{LogicalSize, PhysicalSize};
use winit::event::{ElementState, KeyEvent, MouseScrollDelta, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoopProxy};
use winit::keyboard::ModifiersState;
use winit::raw_window_handle::HasDisplayHandle as _;
use winit::window::{Window, WindowId};

use crate::glyphs::Glyphs;
use crate::gpu::{Instance, Painter};
use crate::keys::{self, Meaning, Press};
use crate::options::Options;
use crate::pace::{Next, Pace};
use crate::screen::{self, Layout};
use crate::shell::{Change, Shell, Size};
use crate::stats::Stats;
use crate::title::Title;

/// Between the window's edge and the cells, in pixels before the display's scale.
const MARGIN: f64 = 6.0;
/// Lines for one step of the wheel.
const WHEEL_LINES: f64 = 3.0;
/// How long the last frames are waited for at the end.
const FINISH: Bound = Bound::from_millis(200);
/// Images are presented once they are drawn: some drivers wait for that in `vkQueuePresentKHR`, which knows no bound. So a turn waits for the
/// frame that it has drawn, longer than a software driver needs and not so long that a key would be felt to be late.
const FENCE: Bound = Bound::from_millis(25);

/// The terminal, before and while there is a window.
pub(crate) struct App {
    options: Options,
    events: EventLoopProxy<ShellEvent>,
    running: Option<Running>,
    /// None while it goes on.
    outcome: Option<Outcome>,
}

/// How the terminal ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The window was closed, or the program has ended with this status.
    Status(i32),
    /// It could not begin.
    Failed(String),
}

/// Whether anything of the GPU had to be left, because it was still in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    Nothing,
    GpuWork,
}

struct Running {
    window: Arc<Window>,
    shell: Shell,
    painter: Painter,
    frames: FrameLoop,
    layout: Layout,
    pace: Pace,
    title: Title,
    stats: Stats,
    font_size: u16,
    /// Of the display: pixels for each pixel that is asked for.
    scale: f64,
    modifiers: ModifiersState,
    focused: bool,
    /// The picture is older than what is to be seen.
    stale: bool,
    /// What of the wheel's way is less than a line, in lines.
    wheel: f64,
}

impl App {
    pub(crate) fn new(options: Options, events: EventLoopProxy<ShellEvent>) -> Self {
        Self { options, events, running: None, outcome: None }
    }

    /// Ends what is left to end, within a bound.
    pub(crate) fn finish(self) -> (Outcome, Left) {
        let outcome = self.outcome.unwrap_or(Outcome::Status(0));
        let Some(running) = self.running else { return (outcome, Left::Nothing) };
        let rest = running.frames.finish(FINISH);
        running.painter.finish(rest);
        let left = if rest.is_reached() { Left::Nothing } else { Left::GpuWork };
        (outcome, left)
    }

    fn start(&self, event_loop: &ActiveEventLoop) -> Result<Running, String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let options = &self.options;
        let scale = event_loop.primary_monitor().map_or(1.0, |monitor| monitor.scale_factor());
        let glyphs = Glyphs::new(pixels(options.font_size, scale)).map_err(|e| said(&e))?;
        let layout = layout(&glyphs, scale);
        let (width, height) = layout.pixels(options.columns, options.rows);
        let size = PhysicalSize::new(width, height);
        let attributes = Window::default_attributes()
            .with_title(Title::default().text())
            .with_inner_size(size.to_logical::<f64>(scale))
            .with_min_inner_size(LogicalSize::new(64.0, 32.0));
        let window = event_loop.create_window(attributes).map_err(|e| said(&e))?;
        let display = event_loop.display_handle().map_err(|e| said(&e))?.as_raw();
        let instance = Instance::new(display).map_err(|e| said(&e))?;
        let size = size_of(layout, window.inner_size());
        let scrollback = options.scrollback as usize;
        let shell = Shell::start(&options.execute, size, scrollback, self.events.clone())
            .map_err(|e| said(&e))?;
        let stats = Stats::to(options.stats.as_deref())
            .map_err(|e| format!("{}: {e}", options.stats.clone().unwrap_or_default().display()))?;
        let window = Arc::new(window);
        let painter = Painter::new(instance, Arc::clone(&window), glyphs);
        let mut running = Running {
            pace: Pace::new(refresh_interval(&window)),
            window,
            shell,
            painter,
            frames: FrameLoop::new(Settings {
                present_late: true,
                fence: FENCE,
                ..Settings::default()
            }),
            layout,
            title: Title::default(),
            stats,
            font_size: options.font_size,
            scale,
            modifiers: ModifiersState::empty(),
            focused: true,
            stale: true,
            wheel: 0.0,
        };
        running.rescale(running.window.scale_factor());
        Ok(running)
    }

    fn end(&mut self, event_loop: &ActiveEventLoop, outcome: Outcome) {
        // The first reason counts.
        self.outcome.get_or_insert(outcome);
        event_loop.exit();
    }
}

impl ApplicationHandler<ShellEvent> for App {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        if self.running.is_some() {
            return;
        }
        match self.start(event_loop) {
            Ok(running) => self.running = Some(running),
            Err(error) => self.end(event_loop, Outcome::Failed(error)),
        }
    }

    fn user_event(&mut self, event_loop: &ActiveEventLoop, event: ShellEvent) {
        let Some(running) = &mut self.running else { return };
        match running.shell.take(event) {
            Change::Screen => {
                running.stats.screen_changed();
                running.change();
            }
            Change::Title(title) => {
                running.title.ask(title);
                running.window.set_title(&running.title.text());
            }
            Change::Ended(status) => self.end(event_loop, Outcome::Status(status)),
            Change::None => {}
        }
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        let Some(running) = &mut self.running else { return };
        match event {
            WindowEvent::CloseRequested | WindowEvent::Destroyed => {
                self.end(event_loop, Outcome::Status(0));
            }
            event => running.take(event),
        }
    }

    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        let Some(running) = &mut self.running else { return };
        event_loop.set_control_flow(running.do_what_is_due());
    }
}

impl Running {
    fn take(&mut self, event: WindowEvent) {
        match event {
            WindowEvent::KeyboardInput { event, is_synthetic: false, .. } => self.key(&event),
            WindowEvent::ModifiersChanged(modifiers) => self.modifiers = modifiers.state(),
            WindowEvent::MouseWheel { delta, .. } => self.turn_wheel(delta),
            WindowEvent::Resized(size) => self.resize(size),
            WindowEvent::ScaleFactorChanged { scale_factor, .. } => self.rescale(scale_factor),
            WindowEvent::Focused(focused) => self.focus(focused),
            // The window system has lost what was shown.
            WindowEvent::RedrawRequested | WindowEvent::Occluded(false) => {
                self.pace.window_changed();
            }
            _ => {}
        }
    }

    /// Something else is to be seen.
    fn change(&mut self) {
        self.stale = true;
        self.pace.change();
    }

    fn key(&mut self, event: &KeyEvent) {
        if event.state != ElementState::Pressed {
            return;
        }
        let at = Instant::now();
        let press = Press {
            key: &event.logical_key,
            text: event.text.as_deref(),
            modifiers: self.modifiers,
        };
        match keys::meaning(press, self.shell.mode()) {
            Meaning::Bytes(bytes) => {
                self.stats.key(at);
                if self.shell.type_in(bytes) {
                    self.change();
                }
            }
            Meaning::Scroll(scroll) => self.scroll(scroll),
            Meaning::Nothing => {}
        }
    }

    fn scroll(&mut self, scroll: Scroll) {
        if self.shell.scroll(scroll) {
            self.change();
        }
    }

    fn turn_wheel(&mut self, delta: MouseScrollDelta) {
        self.wheel += match delta {
            MouseScrollDelta::LineDelta(_, steps) => f64::from(steps) * WHEEL_LINES,
            MouseScrollDelta::PixelDelta(way) => way.y / f64::from(self.layout.cell.height),
        };
        let lines = self.wheel.trunc();
        self.wheel -= lines;
        // A wheel does not turn so far.
        let lines = lines as i32;
        let mode = self.shell.mode();
        if !mode.contains(TermMode::ALT_SCREEN) {
            self.scroll(Scroll::Delta(lines));
        } else if mode.contains(TermMode::ALTERNATE_SCROLL) && lines != 0 {
            self.shell.write(keys::wheel_arrows(lines, mode));
        }
    }

    fn focus(&mut self, focused: bool) {
        self.focused = focused;
        if self.shell.mode().contains(TermMode::FOCUS_IN_OUT) {
            self.shell.write(if focused { &b"\x1b[I"[..] } else { &b"\x1b[O"[..] });
        }
        self.change();
    }

    /// The shell is told at once; the swapchain follows when it can.
    fn resize(&mut self, size: PhysicalSize<u32>) {
        if size.width > 0 && size.height > 0 {
            self.shell.resize(size_of(self.layout, size));
        }
        self.frames.resized();
        self.stale = true;
        self.pace.window_changed();
    }

    fn rescale(&mut self, scale: f64) {
        if (scale - self.scale).abs() < 0.01 {
            return;
        }
        self.scale = scale;
        self.painter.glyphs.resize(pixels(self.font_size, scale));
        self.layout = layout(&self.painter.glyphs, scale);
        self.resize(self.window.inner_size());
    }

    /// Draws, if it is time to, and says when to come back.
    fn do_what_is_due(&mut self) -> ControlFlow {
        let began = Instant::now();
        let turn = match self.pace.next(began) {
            Next::Draw => {
                self.refresh_picture();
                self.frames.turn(&mut self.painter, began)
            }
            Next::Tend => self.frames.tend(&mut self.painter, began),
            Next::Until(at) => return ControlFlow::WaitUntil(at),
            Next::Rest => return ControlFlow::Wait,
        };
        let now = Instant::now();
        self.took(&turn, now - began, now);
        match self.pace.next(now) {
            Next::Until(at) => ControlFlow::WaitUntil(at),
            Next::Rest => ControlFlow::Wait,
            // Events first.
            Next::Draw | Next::Tend => ControlFlow::WaitUntil(now),
        }
    }

    fn took(&mut self, turn: &Turn, thread: Duration, now: Instant) {
        self.pace.took(turn, now);
        if self.title.took(turn, self.frames.troubled_for(now)) {
            self.window.set_title(&self.title.text());
        }
        match turn {
            Turn::Presented => self.stats.frame_presented(thread, now),
            Turn::Skipped { .. } => self.stats.frame_skipped(),
            Turn::GaveUp(report) => {
                eprintln!("unwedge-terminal: {report}the terminal goes on without a picture");
            }
            Turn::NoArea | Turn::Resting(_) => {}
        }
    }

    /// Draws what is to be seen into the picture, if that changed.
    fn refresh_picture(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        let Painter { picture, glyphs, .. } = &mut self.painter;
        let term = self.shell.term.lock();
        let mut draw = |glyphs: &mut Glyphs| {
            let mut ink = |glyph| glyphs.ink(glyph);
            screen::draw(picture, &*term, self.layout, self.focused, &mut ink);
        };
        draw(glyphs);
        // Once more with an empty atlas. If that is too small for one screen, some glyphs are missing.
        if glyphs.make_room() {
            draw(glyphs);
        }
    }
}

/// The size of the font on the display.
fn pixels(font_size: u16, scale: f64) -> f32 {
    // Between 6 and a few hundred.
    (f64::from(font_size) * scale) as f32
}

fn layout(glyphs: &Glyphs, scale: f64) -> Layout {
    // As large as the scale of a display is.
    let margin = (MARGIN * scale).round() as u16;
    Layout { cell: glyphs.measures(), margin }
}

fn size_of(layout: Layout, window: PhysicalSize<u32>) -> Size {
    let (columns, rows) = layout.cells(window.width, window.height);
    Size { columns, rows, cell_width: layout.cell.width, cell_height: layout.cell.height }
}

/// How often the window's screen shows another picture; 60 times a second if it does not say.
fn refresh_interval(window: &Window) -> Duration {
    let monitor = window.current_monitor();
    let millihertz = monitor.and_then(|monitor| monitor.refresh_rate_millihertz());
    let millihertz = millihertz.unwrap_or(60_000).clamp(30_000, 240_000);
    Duration::from_micros(1_000_000_000 / u64::from(millihertz))
}
