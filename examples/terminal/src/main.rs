//! A small terminal emulator that goes on while the GPU is wedged.
//!
//! Invariant: one thread takes events and draws, and no wait on it is without a bound. Only the pty is read on another one.

mod app;
mod glyphs;
mod gpu;
mod keys;
mod options;
mod pace;
mod screen;
mod shell;
mod stats;
mod title;

use clap::Parser as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use winit::error::EventLoopError;
use winit::event_loop::EventLoop;

use app::{App, Left, Outcome};
use options::Options;

/// The command line, or the machine, does not allow to begin.
const FAILED: i32 = 2;

fn main() {
    let options = Options::parse();
    let (outcome, left) =
        run(options).unwrap_or_else(|error| (Outcome::Failed(error), Left::Nothing));
    let status = match outcome {
        Outcome::Status(status) => status,
        Outcome::Failed(error) => {
            eprintln!("error: {error}");
            FAILED
        }
    };
    match left {
        Left::Nothing => std::process::exit(status),
        // SAFETY: it ends the process. Drivers have exit handlers that wait for work which, here, may never be done; ours
        // has written all that it had to.
        Left::GpuWork => unsafe { libc::_exit(status) },
    }
}

fn run(options: Options) -> Result<(Outcome, Left), String> {
    let filter: Targets =
        options.log.parse().map_err(|error| format!("--log {}: {error}", options.log))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    tracing_subscriber::registry().with(lines).with(filter).init();
    let event_loop = EventLoop::with_user_event().build().map_err(|error| match error {
        // What it says beside is where in winit it happened.
        EventLoopError::Os(_) => {
            "no display can be reached; DISPLAY or WAYLAND_DISPLAY names one".to_owned()
        }
        error => error.to_string(),
    })?;
    let mut app = App::new(options, event_loop.create_proxy());
    event_loop.run_app(&mut app).map_err(|error| error.to_string())?;
    Ok(app.finish())
}
