//! Who runs behind the screen? The pty, the program in it, and the grid of cells that its output makes.
//!
//! `alacritty_terminal`'s own thread reads the pty and moves the grid; it tells the event loop that there is something new.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use alacritty_terminal::Term;
use alacritty_terminal::event::{Event, EventListener, WindowSize};
use alacritty_terminal::event_loop::{EventLoop, EventLoopSender, Msg};
use alacritty_terminal::grid::{Dimensions, Scroll};
use alacritty_terminal::sync::FairMutex;
use alacritty_terminal::term::{Config, TermMode};
use alacritty_terminal::tty;
use winit::event_loop::EventLoopProxy;

use crate::screen::colours;

/// How large the screen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: u16,
    pub(crate) rows: u16,
    /// Of one cell, in pixels.
    pub(crate) cell_width: u16,
    /// Of one cell, in pixels.
    pub(crate) cell_height: u16,
}

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        self.screen_lines()
    }

    fn screen_lines(&self) -> usize {
        usize::from(self.rows)
    }

    fn columns(&self) -> usize {
        usize::from(self.columns)
    }
}

impl From<Size> for WindowSize {
    fn from(size: Size) -> Self {
        Self {
            num_lines: size.rows,
            num_cols: size.columns,
            cell_width: size.cell_width,
            cell_height: size.cell_height,
        }
    }
}

/// Carries what the pty's thread has to tell to the event loop.
#[derive(Clone, Debug)]
pub(crate) struct Teller {
    events: EventLoopProxy<Event>,
    /// Whether "something is new" is on its way: a busy program says so far more often than anybody looks.
    told: Arc<AtomicBool>,
}

impl EventListener for Teller {
    fn send_event(&self, event: Event) {
        if matches!(event, Event::Wakeup) && self.told.swap(true, Ordering::AcqRel) {
            return;
        }
        // Without an event loop there is nobody left to tell.
        let _ = self.events.send_event(event);
    }
}

/// What changed for the window.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// What is on the screen.
    Screen,
    /// The title; none is the terminal's own.
    Title(Option<String>),
    /// The program has ended, with this exit status.
    Ended(i32),
    /// Nothing that is to be seen.
    None,
}

/// The program and its screen.
pub(crate) struct Shell {
    pub(crate) term: Arc<FairMutex<Term<Teller>>>,
    sender: EventLoopSender,
    told: Arc<AtomicBool>,
    size: Size,
}

impl Shell {
    /// Starts `command`, or the user's shell if it is empty.
    pub(crate) fn start(
        command: &[String],
        size: Size,
        scrollback: usize,
        events: EventLoopProxy<Event>,
    ) -> io::Result<Self> {
        let told = Arc::new(AtomicBool::new(false));
        let teller = Teller { events, told: Arc::clone(&told) };
        let config = Config { scrolling_history: scrollback, ..Config::default() };
        let term = Arc::new(FairMutex::new(Term::new(config, &size, teller.clone())));
        let mut options = tty::Options { env: environment(), ..tty::Options::default() };
        if let Some((program, arguments)) = command.split_first() {
            options.shell = Some(tty::Shell::new(program.clone(), arguments.to_vec()));
        }
        let pty = tty::new(&options, size.into(), 0)?;
        let reader = EventLoop::new(Arc::clone(&term), teller, pty, true, false)?;
        let sender = reader.channel();
        // The thread ends with the program in the pty, or with this process: nobody waits for it.
        drop(reader.spawn());
        Ok(Self { term, sender, told, size })
    }

    /// Sends bytes to the program, as if typed.
    pub(crate) fn write(&self, bytes: impl Into<Cow<'static, [u8]>>) {
        // The pty's thread is gone when the program has ended; that is told by itself.
        let _ = self.sender.send(Msg::Input(bytes.into()));
    }

    /// Keys bring the present lines back into view; whether that changes what is seen.
    pub(crate) fn type_in(&self, bytes: Vec<u8>) -> bool {
        self.write(bytes);
        self.scroll(Scroll::Bottom)
    }

    /// Looks at past lines; whether that changes what is seen.
    pub(crate) fn scroll(&self, scroll: Scroll) -> bool {
        let mut term = self.term.lock();
        let before = term.grid().display_offset();
        term.scroll_display(scroll);
        before != term.grid().display_offset()
    }

    /// What the program has asked of the keyboard and the screen.
    pub(crate) fn mode(&self) -> TermMode {
        *self.term.lock().mode()
    }

    /// Gives pty and grid a new size.
    pub(crate) fn resize(&mut self, size: Size) {
        if size == self.size {
            return;
        }
        self.size = size;
        self.term.lock().resize(size);
        let _ = self.sender.send(Msg::Resize(size.into()));
    }

    /// Takes what the pty's thread has told, and answers the program where it asked something.
    pub(crate) fn take(&self, event: Event) -> Change {
        match event {
            Event::Wakeup => {
                // Before the grid is looked at: what comes while it is drawn is told anew.
                self.told.store(false, Ordering::Release);
                return Change::Screen;
            }
            Event::Title(title) => return Change::Title(Some(title)),
            Event::ResetTitle => return Change::Title(None),
            Event::ChildExit(status) => return Change::Ended(exit_status(status)),
            Event::PtyWrite(text) => self.write(text.into_bytes()),
            Event::ColorRequest(index, answer) => {
                let colour = self.term.lock().colors()[index];
                let colour = colour.unwrap_or_else(|| colours::standard(index));
                self.write(answer(colour).into_bytes());
            }
            Event::TextAreaSizeRequest(answer) => self.write(answer(self.size.into()).into_bytes()),
            // After the status, if it is known.
            Event::Exit => return Change::Ended(0),
            // The bell is silent, the cursor does not blink, and there is no clipboard.
            _ => {}
        }
        Change::None
    }
}

/// What programs look at to know what the terminal can.
fn environment() -> HashMap<String, String> {
    let pairs = [("TERM", "xterm-256color"), ("COLORTERM", "truecolor")];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// As a shell tells it: the status, or 128 and the signal.
fn exit_status(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}
