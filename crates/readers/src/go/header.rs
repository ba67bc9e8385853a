//! What does the line above a goroutine's stack say?

/// What a goroutine does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Running,
    Runnable,
    Syscall,
    /// A goroutine of the runtime that waits for work.
    Idle(String),
    Sleep,
    Receive,
    Send,
    NilReceive,
    NilSend,
    Select,
    SelectNothing,
    /// A semaphore of the runtime; up to Go 1.19 everything in package sync but Cond.
    Semaphore,
    /// A method of package sync: `sync.Mutex.Lock`.
    Sync(String),
    /// Something else: `IO wait`.
    Other(String),
}

impl Status {
    fn of(status: &str) -> Self {
        match status {
            "running" => Self::Running,
            "runnable" => Self::Runnable,
            "syscall" => Self::Syscall,
            "sleep" => Self::Sleep,
            "chan receive" => Self::Receive,
            "chan send" => Self::Send,
            "chan receive (nil chan)" => Self::NilReceive,
            "chan send (nil chan)" => Self::NilSend,
            "select" => Self::Select,
            "select (no cases)" => Self::SelectNothing,
            "semacquire" => Self::Semaphore,
            "idle"
            | "GC sweep wait"
            | "GC scavenge wait"
            | "finalizer wait"
            | "cleanup wait"
            | "trace reader (blocked)" => Self::Idle(status.to_owned()),
            _ if status.ends_with(" (idle)") => Self::Idle(status.to_owned()),
            _ if status.starts_with("sync.") => Self::Sync(status.to_owned()),
            _ => Self::Other(status.to_owned()),
        }
    }

    /// As the dump writes it.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Running => "running",
            Self::Runnable => "runnable",
            Self::Syscall => "syscall",
            Self::Sleep => "sleep",
            Self::Receive => "chan receive",
            Self::Send => "chan send",
            Self::NilReceive => "chan receive (nil chan)",
            Self::NilSend => "chan send (nil chan)",
            Self::Select => "select",
            Self::SelectNothing => "select (no cases)",
            Self::Semaphore => "semacquire",
            Self::Idle(name) | Self::Sync(name) | Self::Other(name) => name,
        }
    }
}

/// `goroutine 7 gp=0xc0 m=3 mp=0xc1 [chan receive (leaked), 5 minutes, locked to thread]:`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) id: u64,
    pub(super) status: Status,
    /// For how long, in whole minutes; 0 also if it is not said.
    pub(super) minutes: u32,
    /// The leak profile has found it.
    pub(super) leaked: bool,
    /// It belongs to a test bubble, and waits for what only the bubble can end.
    pub(super) in_bubble: bool,
}

/// Longest status that is kept, in bytes: real ones are far shorter.
const STATUS_BYTES_MAX: usize = 64;
/// Longest wait that is believed, in minutes: a century.
const MINUTES_MAX: u32 = 52_596_000;

impl Header {
    /// Reads a line, if it is such a line.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("goroutine ")?;
        let (id, rest) = rest.split_once(' ')?;
        let id = id.parse().ok()?;
        let (ids, rest) = rest.split_once('[')?;
        let known = |word: &str| ["gp=", "m=", "mp="].iter().any(|id| word.starts_with(id));
        if !ids.split_whitespace().all(known) {
            return None;
        }
        // Behind the bracket there may be labels in braces.
        let (inside, rest) = rest.split_once(']')?;
        if !rest.ends_with(':') {
            return None;
        }
        let mut parts = inside.split(", ");
        let mut status = parts.next()?;
        if status.len() > STATUS_BYTES_MAX {
            return None;
        }
        let (mut leaked, mut durable) = (false, false);
        loop {
            status = if let Some(bare) = status.strip_suffix(" (leaked)") {
                leaked = true;
                bare
            } else if let Some(bare) = status.strip_suffix(" (durable)") {
                durable = true;
                bare
            } else if let Some(bare) = status.strip_suffix(" (scan)") {
                bare
            } else {
                break;
            };
        }
        let (mut minutes, mut bubble) = (0, false);
        for part in parts {
            bubble |= part.starts_with("synctest bubble ");
            if let Some(count) = part.strip_suffix(" minutes") {
                minutes = count.parse().unwrap_or(0).min(MINUTES_MAX);
            }
        }
        let status = Status::of(status);
        Some(Self { id, status, minutes, leaked, in_bubble: durable && bubble })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_line_is_read() {
        let lines = [
            "goroutine 1 [running]:",
            "goroutine 7 [chan receive, 5 minutes]:",
            "goroutine 9 [semacquire, 2 minutes, locked to thread]:",
            "goroutine 18 gp=0xc000007500 m=nil [GC worker (idle)]:",
            "goroutine 19 gp=0xc000007500 m=3 mp=0xc000100008 [select (no cases)]:",
            "goroutine 20 [chan send (nil chan) (leaked)]:",
            "goroutine 21 [sync.WaitGroup.Wait (leaked) (scan)]:",
            "goroutine 22 [chan receive (durable), synctest bubble 1]:",
            "goroutine 23 [select] {request: \"a [b]: c\"}:",
        ];
        let read: Vec<String> = lines
            .iter()
            .map(|line| match Header::parse(line) {
                Some(header) => format!(
                    "{} {} {} min{}{}",
                    header.id,
                    header.status.name(),
                    header.minutes,
                    if header.leaked { " leaked" } else { "" },
                    if header.in_bubble { " in bubble" } else { "" }
                ),
                None => "no".to_owned(),
            })
            .collect();
        insta::assert_snapshot!(read.join("\n"), @r##"
    1 running 0 min
    7 chan receive 5 min
    9 semacquire 2 min
    18 GC worker (idle) 0 min
    19 select (no cases) 0 min
    20 chan send (nil chan) 0 min leaked
    21 sync.WaitGroup.Wait 0 min leaked
    22 chan receive 0 min in bubble
    23 select 0 min
    "##);
    }

    #[test]
    fn other_lines_are_none() {
        for line in [
            "goroutine profile: total 5",
            "goroutine 7 [chan",
            "goroutine x [running]:",
            "goroutine 7 was [seen]:",
            "goroutine running on other thread; stack unavailable",
            "goroutine 99999999999999999999 [running]:",
        ] {
            assert_eq!(Header::parse(line), None, "{line}");
        }
    }
}
