//! Which lock orders does lockdep warn of? A possible deadlock is no hang: it becomes a remark.

/// A warning of lockdep, with the locks it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lockdep {
    pub(super) at: u64,
    /// "possible circular locking".
    what: &'static str,
    /// Who was about to acquire: `NAME/PID`.
    task: Option<String>,
    acquired: Option<String>,
    held: Option<String>,
    /// The chain between them, as lockdep prints it.
    chain: Vec<String>,
    expected: Expected,
}

/// What the next line tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expected {
    #[default]
    Nothing,
    Acquired,
    Held,
    Chain,
}

/// Warnings by the words that tell them, and what they are called.
const WARNINGS: [(&str, &str); 7] = [
    ("possible circular locking dependency detected", "possible circular locking"),
    ("possible recursive locking detected", "possible recursive locking"),
    (
        "possible irq lock inversion dependency detected",
        "possible lock inversion with an interrupt",
    ),
    ("inconsistent lock state", "inconsistent use of a lock"),
    ("-safe -> ", "lock order that is unsafe in an interrupt"),
    ("BUG: Invalid wait context", "lock of a wrong sort for its context"),
    ("bad unlock balance detected", "release of a lock that is not held"),
];
const NAME_CHARS_MAX: usize = 64;
const CHAIN_MAX: usize = 8;

impl Lockdep {
    /// The warning that a line begins.
    pub(super) fn begin(at: u64, text: &str) -> Option<Self> {
        let marked = ["WARNING: ", "[ INFO: ", "[ BUG: ", "INFO: ", "[ "];
        if !marked.iter().any(|mark| text.starts_with(mark)) {
            return None;
        }
        let says = |(words, _): &&(&str, &str)| {
            text.contains(words) && (*words != "-safe -> " || text.contains("lock order detected"))
        };
        let (_, what) = WARNINGS.iter().find(says)?;
        Some(Self { at, what, ..Self::default() })
    }

    /// Takes in a line; false if the report is over.
    pub(super) fn line(&mut self, text: &str) -> bool {
        let expected = std::mem::take(&mut self.expected);
        match expected {
            Expected::Acquired if self.acquired.is_none() => self.acquired = class(text),
            Expected::Held if self.held.is_none() => self.held = class(text),
            Expected::Chain if self.chain.is_empty() => {
                self.chain = text.split(" --> ").take(CHAIN_MAX).map(short).collect();
            }
            _ => {}
        }
        if let Some((task, _)) = text.split_once(" is trying to acquire lock:") {
            self.task = Some(short(task));
            self.expected = Expected::Acquired;
        } else if text.ends_with("already holding lock:") {
            self.expected = Expected::Held;
        } else if text.starts_with("Chain exists of:") {
            self.expected = Expected::Chain;
        }
        !text.starts_with("stack backtrace:")
    }

    /// The remark: `lockdep: possible circular locking: (&a->lock) -> (&b->lock) -> (&a->lock), by foo/123`.
    pub(super) fn says(&self) -> String {
        let names: Vec<String> = self.locks().map(|name| format!("({name})")).collect();
        let mut text = format!("lockdep: {}", self.what);
        if !names.is_empty() {
            text.push_str(&format!(": {}", names.join(" -> ")));
        }
        if names.len() > 1 {
            text.push_str(&format!(" -> {}", names[0]));
        }
        if let Some(task) = &self.task {
            text.push_str(&format!(", by {task}"));
        }
        text
    }

    /// The locks of the cycle, each once, from the one that is to be acquired.
    pub(super) fn locks(&self) -> impl Iterator<Item = &str> {
        let ends: Vec<&str> = self.acquired.iter().chain(&self.held).map(String::as_str).collect();
        let mut locks: Vec<&str> = self.chain.iter().map(String::as_str).collect();
        if locks.is_empty() {
            locks = ends;
            locks.dedup();
        }
        locks.into_iter()
    }
}

/// The name of the lock of `ffff888100 (&a->lock){+.+.}-{3:3}, at: foo+0x1/0x2`.
fn class(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('(')?;
    Some(short(rest.get(..rest.rfind("){")?)?))
}

fn short(name: &str) -> String {
    name.trim().chars().take(NAME_CHARS_MAX).collect()
}
