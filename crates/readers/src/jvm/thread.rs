//! What do the lines of one thread say?

use std::hash::{DefaultHasher, Hash, Hasher};

use super::frames;

/// Locks of one thread that are kept.
const LOCKS_MAX: usize = 1000;

/// What a thread does, by `java.lang.Thread.State`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// A thread of the JVM itself, without a line for it.
    #[default]
    Internal,
    Runnable,
    /// Blocked on a monitor.
    Blocked,
    Waiting,
    /// Waiting with a bound that is not said.
    TimedWaiting,
    /// Not yet started, or ended.
    Other,
}

impl State {
    fn of(word: &str) -> Self {
        match word {
            "RUNNABLE" => Self::Runnable,
            "BLOCKED" => Self::Blocked,
            "WAITING" => Self::Waiting,
            "TIMED_WAITING" => Self::TimedWaiting,
            _ => Self::Other,
        }
    }
}

/// A lock that has an owner.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Lock {
    /// A monitor or a synchronizer, by its address.
    Address(u64),
    /// The initialisation of a class, or an object that the dump tells by its class and hash.
    Named(String),
}

/// What a thread waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A monitor that it is not in, or comes back to after `Object.wait`.
    Monitor(Lock),
    /// What `LockSupport.park` was given.
    Parked(Lock),
    /// To be notified; `None`: the dump does not know of what.
    Notified(Option<Lock>),
    /// That another thread has initialised the class.
    Initialised(Lock),
}

/// A thread of the dump.
#[derive(Clone, Debug, Default)]
pub(super) struct Thread {
    pub(super) name: String,
    pub(super) tid: u32,
    pub(super) state: State,
    pub(super) wanted: Option<Wanted>,
    /// The class of what it waits for.
    pub(super) class: String,
    /// It is a virtual thread.
    pub(super) is_virtual: bool,
    /// What it holds, by what the dump says.
    pub(super) held: Vec<Lock>,
    /// How many of these are monitors or classes, and not from the list of synchronizers.
    monitors: usize,
    /// The innermost frame that is not the platform's, or else the innermost one: `Shapes.abba (Shapes.java:14)`.
    pub(super) site: String,
    /// The platform's method that the site calls: `ReentrantLock.lock`.
    pub(super) call: String,
    /// The innermost frame is native code: whether it runs or waits there is not known.
    pub(super) native: bool,
    /// The processor time that it has used, as the dump writes it: `0.55ms`.
    cpu: String,
    /// A hash of all that says where it stands.
    pub(super) signature: u64,
    /// Since when it stands there, and whether an earlier dump shows it there too.
    pub(super) since: u64,
    pub(super) seen_before: bool,
    has_frames: bool,
    site_found: bool,
    /// The lines below name synchronizers that it owns.
    lists_owned: bool,
}

impl Thread {
    /// `"main" #1 [77] daemon prio=5 os_prio=0 cpu=1ms elapsed=2s tid=0x7f nid=0x2ae7 runnable  [0x7f]`
    pub(super) fn parse(line: &str) -> Option<Self> {
        if line.starts_with('#') {
            return Self::parse_brief(line);
        }
        let (name, rest) = line.strip_prefix('"')?.rsplit_once('"')?;
        let after = |mark| rest.split_once(mark).map(|(_, rest): (&str, &str)| rest);
        after(" tid=0x").or(after(" nid="))?;
        // One that carries a virtual thread has its number in brackets only.
        let number = after(" nid=").or(after(" ["))?.split([' ', ']']).next()?;
        let tid = match number.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        // A number that does not fit is no reason to lose a thread.
        let (name, tid) = (frames::cut(name).to_owned(), tid.unwrap_or(0));
        let cpu = after(" cpu=").and_then(|cpu| cpu.split(' ').next()).unwrap_or("");
        Some(Self { name, tid, cpu: frames::cut(cpu).to_owned(), ..Self::default() })
    }

    /// `#22 "render" virtual BLOCKED 2026-11-21T09:03:38.917335011Z`, as `Thread.dump_to_file` writes it.
    fn parse_brief(line: &str) -> Option<Self> {
        let (number, rest) = line.strip_prefix('#')?.split_once(" \"")?;
        let tid = number.parse::<u64>().ok()?;
        let (name, rest) = rest.rsplit_once('"')?;
        let mut words = rest.split_whitespace().peekable();
        let is_virtual = words.next_if_eq(&"virtual").is_some();
        let state = words.next().map_or(State::Internal, State::of);
        let (name, tid) = (frames::cut(name).to_owned(), u32::try_from(tid).unwrap_or(0));
        Some(Self { name, tid, state, is_virtual, ..Self::default() })
    }

    /// Takes a line below.
    pub(super) fn line(&mut self, line: &str) {
        let line = line.trim_start();
        if let Some(state) = line.strip_prefix("java.lang.Thread.State: ") {
            self.state = State::of(state.split(' ').next().unwrap_or(state));
        } else if let Some(frame) = line.strip_prefix("at ") {
            self.frame(frame);
        } else if line.starts_with("Locked ownable synchronizers:") {
            self.lists_owned = true;
        } else if let Some(lock) = line.strip_prefix("- ") {
            self.lock(lock);
        } else {
            return;
        }
        self.sign(line);
    }

    fn sign(&mut self, text: &str) {
        let mut hasher = DefaultHasher::new();
        (self.signature, text).hash(&mut hasher);
        self.signature = hasher.finish();
    }

    fn frame(&mut self, frame: &str) {
        let Some((method, place)) = frames::split(frame) else { return };
        if let Some(class) = method.strip_suffix(".<clinit>") {
            self.hold(initialisation(class));
        }
        let platform = frames::is_platform(method);
        if !self.has_frames {
            self.native = place == "Native Method";
        }
        if !self.site_found && (!platform || !self.has_frames) {
            self.site = format!("{method} ({place})");
        }
        if !self.site_found && platform {
            frames::short(method).clone_into(&mut self.call);
        }
        self.site_found |= !platform;
        self.has_frames = true;
    }

    /// A line that begins with a dash.
    fn lock(&mut self, line: &str) {
        let behind = |prefix| line.strip_prefix(prefix).map(str::trim_start);
        if self.lists_owned {
            if let (Some(lock), _) = frames::object(line) {
                self.hold(lock);
            }
        } else if let Some(class) = behind("waiting on the Class initialization monitor for ") {
            self.wanted = Some(Wanted::Initialised(initialisation(frames::cut(class))));
        } else if let Some(rest) = behind("waiting to lock ") {
            self.want(rest, Wanted::Monitor);
        } else if let Some(rest) = behind("parking to wait for ") {
            self.want(rest, Wanted::Parked);
        } else if let Some(rest) = behind("waiting to re-lock in wait() ") {
            // Some versions say this of every monitor that is waited on, notified or not.
            if self.state == State::Blocked {
                self.want(rest, Wanted::Monitor);
            }
        } else if let Some(rest) = behind("waiting on ") {
            let (lock, class) = frames::object(rest);
            self.class = class;
            self.wanted = Some(match lock {
                Some(lock) if self.state == State::Blocked => Wanted::Monitor(lock),
                lock => Wanted::Notified(lock),
            });
        } else if let Some((Some(lock), _)) = behind("locked ").map(frames::object) {
            self.hold(lock);
        }
    }

    fn want(&mut self, text: &str, wanted: fn(Lock) -> Wanted) {
        if let (Some(lock), class) = frames::object(text) {
            (self.wanted, self.class) = (Some(wanted(lock)), class);
        }
    }

    fn hold(&mut self, lock: Lock) {
        if self.held.len() < LOCKS_MAX && !self.held.contains(&lock) {
            self.held.push(lock);
            self.monitors += usize::from(!self.lists_owned);
        }
    }

    /// There is no room for what it holds.
    pub(super) fn forget_locks(&mut self) {
        (self.held, self.monitors) = (Vec::new(), 0);
    }

    /// All lines were taken. While it waits to be notified, or to come back, the monitor is free for others, though the
    /// frames say that it is locked.
    pub(super) fn complete(&mut self) {
        // Who waits uses no time until it is woken. On a monitor, it may look up now and then.
        if matches!(self.state, State::Waiting | State::TimedWaiting) {
            let cpu = std::mem::take(&mut self.cpu);
            self.sign(&cpu);
        }
        match &self.wanted {
            // Any of the monitors may be the one.
            Some(Wanted::Notified(None)) => {
                self.held.drain(..std::mem::take(&mut self.monitors));
            }
            Some(Wanted::Notified(Some(free)) | Wanted::Monitor(free)) => {
                self.held.retain(|lock| lock != free);
            }
            _ => {}
        }
    }
}

/// The initialisation of a class, which one thread does while others wait.
fn initialisation(class: &str) -> Lock {
    Lock::Named(format!("initialisation of {class}"))
}
