//! What do the goroutines of a dump wait for?
//!
//! A dump is one moment: [`NOW`] is its time, and a wait began as many minutes before as it says. It does not say who
//! holds a lock, or who could send on a channel, so a wait is accused only where the Go runtime itself has proved
//! that it never ends ([`Proof`]); all other waits have no points, or a lock whose holder is unknown.

mod events;
mod header;
mod stack;

use unwedge_trace::Timestamp;

use crate::{Format, LineReader, Reading, Sink};
use header::{Header, Status};
use stack::Stack;

/// a dump of goroutines.
pub const FORMAT: Format = Format { name: "go", title: "a dump of goroutines", detect, open };

/// Goroutines that are kept; the rest is counted.
const GOROUTINES_MAX: usize = 200_000;
/// What a profile with debug=1 begins with: it counts stacks and says no states.
const COUNTS: &[u8] = b"goroutine profile: total ";
/// The time of the dump: late enough for a wait of an hour. Nanoseconds.
const NOW: u64 = 3_600_000_000_000;

fn detect(start: &[u8]) -> bool {
    start.starts_with(COUNTS)
        || start.split(|byte| *byte == b'\n').any(|line| Header::parse(&text(line)).is_some())
}

fn open(start: &[u8]) -> Result<Reading, String> {
    if start.starts_with(COUNTS) {
        return Err("a goroutine profile with debug=1 says no states; take it with debug=2".into());
    }
    Ok(Reading::Lines(Box::<Reader>::default()))
}

/// A line as text, without what a terminal or a Windows log adds at its end.
fn text(line: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(line.trim_ascii_end())
}

/// Why it is certain that a wait never ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Proof {
    /// The scheduler found no goroutine that could run.
    AllAsleep,
    /// The same within one test bubble.
    Bubble,
    /// The garbage collector found that nothing that could run reaches what is waited for.
    Leaked,
    /// The channel is nil.
    NilChannel,
}

/// A goroutine as the dump shows it.
#[derive(Clone, Debug)]
struct Goroutine {
    header: Header,
    stack: Stack,
    /// It stands under the runtime's word that all are asleep, or all of its bubble.
    told: Option<Proof>,
}

impl Goroutine {
    fn proof(&self) -> Option<Proof> {
        // The runtime's own goroutines serve the others and are idle without them.
        let of_runtime = self.stack.start.starts_with("runtime.");
        match self.header.status {
            Status::NilReceive | Status::NilSend => Some(Proof::NilChannel),
            _ if self.header.leaked => Some(Proof::Leaked),
            _ if of_runtime => None,
            _ => self.told.filter(|proof| *proof != Proof::Bubble || self.header.in_bubble),
        }
    }

    /// Whether it was at work, and may be through with a lock that it holds in the next moment. Who takes the dump does
    /// not count, nor who waits for signals all the time.
    fn is_at_work(&self) -> bool {
        let busy =
            matches!(self.header.status, Status::Running | Status::Runnable | Status::Syscall);
        let serves = ["runtime.", "os/signal."];
        busy && !self.stack.takes_dump
            && !serves.iter().any(|package| self.stack.start.starts_with(package))
    }
}

/// Reads a dump line by line.
#[derive(Default)]
struct Reader {
    goroutines: Vec<Goroutine>,
    /// The lines belong to the last goroutine.
    inside: bool,
    /// What the runtime said about the goroutines that follow.
    told: Option<Proof>,
    left_out: u64,
    now: u64,
}

impl Reader {
    fn header(&mut self, header: Header) {
        self.inside = self.goroutines.len() < GOROUTINES_MAX;
        if self.inside {
            let told = self.told;
            self.goroutines.push(Goroutine { header, stack: Stack::default(), told });
        } else {
            self.left_out += 1;
        }
    }

    /// What stands between the goroutines.
    fn between(&mut self, line: &str) {
        if let Some(error) = line.strip_prefix("fatal error: ") {
            self.told = error.contains("all goroutines are asleep").then_some(Proof::AllAsleep);
        } else if let Some(panic) = line.strip_prefix("panic: ") {
            self.told = panic.starts_with("deadlock: ").then_some(Proof::Bubble);
        } else if line.starts_with("SIGQUIT: ") {
            self.told = None;
        }
    }
}

impl LineReader for Reader {
    fn is_of_one_moment(&self) -> bool {
        true
    }

    fn line(&mut self, line: &[u8], out: &mut Sink) {
        let line = text(line);
        if let Some(header) = Header::parse(&line) {
            return self.header(header);
        }
        if line.is_empty() {
            self.inside = false;
        } else if let Some(goroutine) = self.goroutines.last_mut().filter(|_| self.inside) {
            goroutine.stack.line(&line);
        } else {
            if line.starts_with("goroutine ") && line.contains('[') {
                out.complain(None, "this does not say what the goroutine does");
            }
            self.between(&line);
        }
    }

    fn finish(&mut self, out: &mut Sink) {
        let mut goroutines = std::mem::take(&mut self.goroutines);
        // Of a goroutine that a file shows more than once, the last view counts; no thread's own stack is one.
        let mut seen = std::collections::HashSet::new();
        goroutines.reverse();
        goroutines.retain(|goroutine| goroutine.header.id > 0 && seen.insert(goroutine.header.id));
        goroutines.reverse();
        let awake = goroutines.iter().any(|goroutine| {
            goroutine.told == Some(Proof::AllAsleep)
                && matches!(goroutine.header.status, Status::Running | Status::Runnable)
        });
        if awake {
            out.complaints.add(
                0,
                None,
                "it says that all goroutines are asleep and shows one that runs: not believed",
            );
            goroutines
                .iter_mut()
                .filter(|goroutine| goroutine.told == Some(Proof::AllAsleep))
                .for_each(|goroutine| goroutine.told = None);
        }
        if self.left_out > 0 {
            let text = format!("more than {GOROUTINES_MAX} goroutines; {} left out", self.left_out);
            out.complaints.add(0, None, text);
        }
        self.now = events::write(&goroutines, self.left_out, out);
    }

    fn now(&self) -> Option<Timestamp> {
        Some(Timestamp(self.now.max(NOW)))
    }
}
