//! How is a triangle started, and what did it live through?

use std::time::{Duration, Instant};

use winit::dpi::PhysicalSize;
use winit::window::Window;

/// What the command line says.
pub struct Options {
    /// End after so many frames; without it, when the window is closed.
    pub frames: u64,
    /// Present what is executed and nothing else. Only without raw waits.
    pub patient: bool,
    resize: bool,
}

impl Options {
    /// Understands `--frames N`, `--patient` and `--resize`, and nothing else.
    pub fn from_arguments() -> Result<Self, String> {
        let mut options = Self { frames: u64::MAX, patient: false, resize: false };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--patient" => options.patient = true,
                "--resize" => options.resize = true,
                "--frames" => {
                    let number = arguments.next().and_then(|word| word.parse().ok());
                    options.frames = number.ok_or("--frames needs a number")?;
                }
                _ => {
                    return Err(format!(
                        "{argument}: only --frames N, --patient and --resize are known"
                    ));
                }
            }
        }
        Ok(options)
    }
}

impl Options {
    /// Makes the window larger and smaller as a user would, if so asked.
    pub fn play(&self, window: &Window, frame: u64) {
        if self.resize && frame % 10 == 5 {
            let side = if frame % 20 == 5 { 400 } else { 500 };
            let _ = window.request_inner_size(PhysicalSize::new(side, side));
        }
    }
}

/// Counts what a user would notice.
#[derive(Default)]
pub struct Meter {
    pub presented: u64,
    pub skipped: u64,
    pub swapchains: u64,
    pub devices: u64,
    pub keys: u64,
    deaf: Duration,
    last: String,
}

impl Meter {
    /// Events were not taken since `begin`. Notes the longest such time.
    pub fn deaf_since(&mut self, begin: Instant) {
        self.deaf = self.deaf.max(begin.elapsed());
    }

    /// A frame was skipped. Says why, if it is not for the same reason as the last one.
    pub fn skip(&mut self, because: &dyn std::fmt::Display) {
        self.skipped += 1;
        let because = because.to_string();
        if because != self.last {
            eprintln!("skipped: {because}");
            self.last = because;
        }
    }

    /// One line for the end.
    pub fn tell(&self) {
        let Self { presented, skipped, swapchains, devices, keys, deaf, .. } = self;
        println!(
            "{presented} frames, {skipped} skipped; {swapchains} swapchains and {devices} devices made; \
             {keys} keys; never deaf for longer than {} ms",
            deaf.as_millis()
        );
    }
}
