//! What do the frames of a goroutine say: where it began, where it stands, and what it waits for?

/// Longest name that is kept, in bytes.
const NAME_BYTES_MAX: usize = 160;

/// What matters of a stack.
#[derive(Clone, Debug, Default)]
pub(super) struct Stack {
    /// The function that the goroutine was started with.
    pub(super) start: String,
    /// The innermost function that is not the runtime's or sync's, and its line: `main.work (main.go:12)`.
    pub(super) site: String,
    /// The method of package sync that the site calls: `sync.Mutex.Lock`.
    pub(super) sync: Option<String>,
    /// The address of what is waited for.
    pub(super) address: Option<u64>,
    /// It is writing this dump.
    pub(super) takes_dump: bool,
    /// The address of the semaphore that is waited for, for want of a better one.
    semaphore: Option<u64>,
    /// The frame whose line comes next is the site.
    site_next: bool,
    /// The rest tells who started the goroutine.
    ended: bool,
}

impl Stack {
    /// Takes a line of the stack.
    pub(super) fn line(&mut self, line: &str) {
        if let Some(place) = line.strip_prefix('\t') {
            return self.place(place);
        }
        if line.starts_with("created by ") {
            self.ended = true;
            return;
        }
        let Some((name, arguments)) = line.strip_suffix(')').and_then(|line| line.rsplit_once('('))
        else {
            return;
        };
        if !self.ended && !name.is_empty() {
            self.frame(cut(name), arguments);
        }
    }

    /// What is waited for, as an address.
    pub(super) fn address(&self) -> Option<u64> {
        self.address.or(self.semaphore)
    }

    fn frame(&mut self, name: &str, arguments: &str) {
        self.site_next = false;
        self.takes_dump |= name == "runtime.Stack"
            || name.starts_with("runtime/pprof.")
            || name == "runtime/debug.Stack";
        if self.site.is_empty() {
            if is_inner(name) {
                self.inner(name, argument(arguments));
            } else {
                name.clone_into(&mut self.site);
                self.site_next = true;
            }
        }
        let wraps = name == "runtime.goexit"
            || name == "runtime.main"
            || name.rsplit('.').next().is_some_and(|last| last.starts_with("gowrap"));
        if !wraps || self.start.is_empty() {
            name.clone_into(&mut self.start);
        }
    }

    /// A frame of the runtime or of package sync, above the site.
    fn inner(&mut self, name: &str, address: Option<u64>) {
        let method = name.strip_prefix("internal/").unwrap_or(name);
        if let Some((kind, method)) =
            method.strip_prefix("sync.(*").and_then(|rest| rest.split_once(")."))
        {
            self.sync = Some(format!("sync.{kind}.{method}"));
            // Within a condition's wait the lock is taken again, and within a writer's lock another.
            self.address = self.address.or(address);
        } else if name.starts_with("runtime.chanrecv")
            || name.starts_with("runtime.chansend")
            || name == "sync.runtime_notifyListWait"
        {
            self.address = self.address.or(address);
        } else if name == "runtime.semacquire1" {
            self.semaphore = address;
        }
    }

    fn place(&mut self, place: &str) {
        if !std::mem::take(&mut self.site_next) {
            return;
        }
        let place = place.split(" +0x").next().unwrap_or(place);
        let file = place.rsplit(['/', '\\']).next().unwrap_or(place);
        self.site = format!("{} ({})", self.site, cut(file.trim_end()));
    }
}

/// Whether the frame belongs to the waiting itself.
fn is_inner(name: &str) -> bool {
    ["runtime.", "sync.", "internal/sync."].iter().any(|package| name.starts_with(package))
}

/// The first argument, if it is an address that the runtime vouches for: a `?` marks those that may be stale.
fn argument(arguments: &str) -> Option<u64> {
    let first = arguments.split(", ").next()?;
    let digits = first.strip_prefix("0x")?;
    u64::from_str_radix(digits, 16).ok().filter(|address| *address > 0)
}

/// At most so much of a name, at a character's end.
fn cut(name: &str) -> &str {
    let end = (0..=NAME_BYTES_MAX.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    &name[..end.unwrap_or(0)]
}
