//! How is one terminal asked and watched? It runs the program that answers keys, and is known by its window.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::answer;
use super::contenders::Contender;
use super::screen::{HEIGHT, Region, Screen, WIDTH};
use crate::bounded;
use crate::programs::processor_time;

/// A terminal that shows nothing for so long does not work here.
const START_MAX: Duration = Duration::from_secs(20);
/// An answer to a key takes milliseconds.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// A long text takes seconds.
const TEXT_MAX: Duration = Duration::from_secs(60);
/// After this long a terminal has drawn what it will.
const SETTLED: Duration = Duration::from_millis(400);
/// Between two looks for something slow.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Between two looks at a text that passes: looking costs the server time, which it should draw in.
const PACE: Duration = Duration::from_millis(2);

/// Where the letters are, and what is round about.
const CORNER: Region = Region { x: 0, y: 0, width: 96, height: 48 };
/// Where the last lines end.
const BOTTOM: Region = Region {
    x: (WIDTH - 200).cast_signed(),
    y: (HEIGHT - 60).cast_signed(),
    width: 200,
    height: 60,
};

/// A terminal and its window.
pub(crate) struct Running<'s> {
    screen: &'s Screen,
    child: Child,
    window: u32,
    report: PathBuf,
    /// What is to be seen where an answer is awaited, first without and then with it.
    letters: Both,
    whole: Both,
    /// Whether the second of both is to be seen.
    letters_there: bool,
    whole_there: bool,
    // Removed when the terminal has ended.
    _home: tempfile::TempDir,
}

type Both = [Vec<u8>; 2];

/// What an answer took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered {
    /// From the key until all of it was to be seen.
    pub(crate) took: Duration,
    /// Processor time of the terminal and of the display server meanwhile, and a little longer.
    pub(crate) processor: Duration,
}

impl<'s> Running<'s> {
    /// Starts it, the `place`th, beside those with the known windows, and learns what its answers look like.
    pub(crate) fn start(
        screen: &'s Screen,
        contender: &Contender,
        place: u16,
        known: &[u32],
    ) -> Result<Self, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let home = tempfile::tempdir().map_err(|error| error.to_string())?;
        let report = home.path().join("size");
        let program =
            [own.as_os_str(), "terminal".as_ref(), "--answer".as_ref(), report.as_os_str()];
        let mut command = contender.command(&screen.name, home.path(), &program);
        let errors = File::create(home.path().join("errors")).map_err(|error| error.to_string())?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        let child = command.spawn().map_err(|error| error.to_string())?;
        let mut running = Self {
            screen,
            child,
            window: 0,
            report,
            letters: Both::default(),
            whole: Both::default(),
            letters_there: false,
            whole_there: false,
            _home: home,
        };
        running.find(known)?;
        screen.put(running.window, place)?;
        sleep(SETTLED);
        running.learn()?;
        Ok(running)
    }

    pub(crate) fn window(&self) -> u32 {
        self.window
    }

    /// Waits for its window.
    fn find(&mut self, known: &[u32]) -> Result<(), String> {
        let begin = Instant::now();
        while begin.elapsed() < START_MAX {
            if let Some(window) = self.screen.new_window(known)? {
                self.window = window;
                return Ok(());
            }
            if !matches!(self.child.try_wait(), Ok(None)) {
                let errors = self.report.with_file_name("errors");
                let errors = fs::read_to_string(errors).unwrap_or_default();
                return Err(format!("it ended at once: {}", errors.lines().next().unwrap_or("")));
            }
            sleep(LOOK_EVERY);
        }
        Err(format!("it showed no window within {START_MAX:?}"))
    }

    /// Sees what its answers look like. A terminal whose answers cannot be told apart has no figure.
    fn learn(&mut self) -> Result<(), String> {
        self.focus()?;
        self.size()?;
        self.tap(answer::CLEAR)?;
        sleep(2 * SETTLED);
        self.letters = self.both(answer::LETTERS, CORNER)?;
        self.whole = self.both(answer::SCREEN, BOTTOM)?;
        self.clear()
    }

    /// A part as it is after the second press of a key, and after the first.
    fn both(&self, key: u8, part: Region) -> Result<Both, String> {
        let after = || {
            self.tap(key)?;
            sleep(SETTLED);
            self.screen.look(self.window, part)
        };
        let (first, second, again) = (after()?, after()?, after()?);
        after()?;
        if first == second {
            return Err("its answers cannot be seen".to_owned());
        }
        if first != again {
            return Err("it shows the same answer otherwise each time".to_owned());
        }
        Ok([second, first])
    }

    /// An empty screen, on which nothing is owed.
    pub(crate) fn clear(&mut self) -> Result<(), String> {
        self.tap(answer::CLEAR)?;
        sleep(SETTLED);
        (self.letters_there, self.whole_there) = (false, false);
        Ok(())
    }

    /// Has keys go to it.
    pub(crate) fn focus(&self) -> Result<(), String> {
        self.screen.focus(self.window)?;
        sleep(LOOK_EVERY);
        Ok(())
    }

    /// Columns and rows, as the program in it is told. This is how it is known that keys reach that program.
    pub(crate) fn size(&self) -> Result<(u16, u16), String> {
        // Whatever came before does not count.
        let _ = fs::remove_file(&self.report);
        let begin = Instant::now();
        while begin.elapsed() < START_MAX {
            self.tap(answer::REPORT)?;
            sleep(SETTLED);
            let text = fs::read_to_string(&self.report).unwrap_or_default();
            let mut numbers = text.split_whitespace().map(str::parse);
            if let (Some(Ok(columns)), Some(Ok(rows))) = (numbers.next(), numbers.next()) {
                return Ok((columns, rows));
            }
        }
        Err("no key reaches the program in it".to_owned())
    }

    /// From the key until the letters have come or gone.
    pub(crate) fn letters(&mut self) -> Result<Answered, String> {
        self.letters_there = !self.letters_there;
        let wanted = &self.letters[usize::from(self.letters_there)];
        self.timed(answer::LETTERS, CORNER, wanted, Duration::ZERO, ANSWER_MAX)
    }

    /// From the key until the last line of a whole screen is there.
    pub(crate) fn whole(&mut self) -> Result<Answered, String> {
        self.whole_there = !self.whole_there;
        let wanted = &self.whole[usize::from(self.whole_there)];
        self.timed(answer::SCREEN, BOTTOM, wanted, Duration::ZERO, ANSWER_MAX)
    }

    /// From the key until what follows a long text is to be seen.
    pub(crate) fn text(&mut self, key: u8) -> Result<Answered, String> {
        self.clear()?;
        self.letters_there = true;
        self.timed(key, CORNER, &self.letters[1], PACE, TEXT_MAX)
    }

    fn timed(
        &self,
        key: u8,
        part: Region,
        wanted: &[u8],
        pace: Duration,
        limit: Duration,
    ) -> Result<Answered, String> {
        let code = self.screen.key(key)?;
        let before = self.processor();
        let pressed = self.screen.press(code)?;
        let seen = self.screen.until(self.window, part, wanted, pace, limit)?;
        self.screen.release(code)?;
        // What it does after the last pixel is there belongs to the answer as well.
        sleep(LOOK_EVERY);
        let seen = seen.ok_or_else(|| format!("its answer did not come within {limit:?}"))?;
        let processor = self.processor().saturating_sub(before);
        Ok(Answered { took: seen.saturating_duration_since(pressed), processor })
    }

    fn tap(&self, key: u8) -> Result<(), String> {
        let code = self.screen.key(key)?;
        self.screen.press(code)?;
        self.screen.release(code)
    }

    /// What terminal and display server have run so far.
    fn processor(&self) -> Duration {
        let of = |pid| processor_time(pid).unwrap_or(0);
        Duration::from_nanos(of(self.child.id()) + of(self.screen.pid()))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        bounded::end(&mut self.child);
    }
}
