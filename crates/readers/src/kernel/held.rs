//! Who holds which lock? The list that lockdep prints of all held locks, and what can be concluded from it.
//!
//! Lockdep lists a lock from before it is acquired: the last lock of a task that sleeps in a lock's slow path is the
//! one it waits for, and those before it are held. It lists no locks of tasks that run, and does not say who reads.

use std::collections::BTreeMap;

use super::frames::{Sort, Trace, plain};

/// One lock of a task's list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// The lock's address, plain or hashed; none where the kernel does not print it.
    pub(super) address: Option<u64>,
    /// The name of its class: `rtnl_mutex`, `&type->s_umount_key#39`.
    pub(super) name: String,
    /// The functions that acquire it, inlined ones first.
    pub(super) sites: Vec<String>,
}

/// What tells one lock from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Address(u64),
    /// A lock that is the only one of its class.
    Name(String),
}

/// The locks of one task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Holder {
    /// How many it is said to have.
    pub(super) announced: usize,
    pub(super) entries: Vec<Entry>,
}

/// The last list of all held locks.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    /// When it was printed.
    pub(super) at: u64,
    pub(super) holders: BTreeMap<u32, Holder>,
    /// It is a list of all tasks, and its end was seen: who is not on it holds nothing.
    is_whole: bool,
}

/// Tasks of a list that are kept.
const HOLDERS_MAX: usize = 16_384;
/// Locks of a task: lockdep's own limit.
const ENTRIES_MAX: usize = 48;
/// Inlined functions of an acquisition that are kept.
const SITES_MAX: usize = 8;
const NAME_BYTES_MAX: usize = 128;

/// How a task stands to a lock that its list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Holds,
    Waits,
    /// The last of a list, of a task whose trace is not known.
    Either,
}

impl Snapshot {
    /// A new list begins.
    pub(super) fn begin(&mut self, at: u64) {
        self.at = at;
        self.holders.clear();
        self.is_whole = false;
    }

    /// The list of all tasks has ended.
    pub(super) fn end(&mut self) {
        self.is_whole = true;
    }

    /// A list of one task's locks, outside of a list of all.
    pub(super) fn lone_holder(&mut self, at: u64, pid: u32, announced: usize) {
        self.at = self.at.max(at);
        self.is_whole = false;
        self.holder(pid, announced);
    }

    /// `3 locks held by NAME/PID:`.
    pub(super) fn holder(&mut self, pid: u32, announced: usize) {
        if self.holders.len() < HOLDERS_MAX || self.holders.contains_key(&pid) {
            self.holders.insert(pid, Holder { announced, entries: Vec::new() });
        }
    }

    /// A lock of the list. With inlined functions, a lock has several lines of one number.
    pub(super) fn entry(&mut self, pid: u32, index: usize, entry: Entry) {
        let Some(holder) = self.holders.get_mut(&pid) else { return };
        if index + 1 == holder.entries.len() {
            let last = &mut holder.entries[index];
            if last.address == entry.address && last.sites.len() < SITES_MAX {
                last.sites.extend(entry.sites);
            }
        } else if index == holder.entries.len() && index < ENTRIES_MAX {
            holder.entries.push(entry);
        }
    }

    /// The lock that a task waits for, if it waits for a lock.
    pub(super) fn awaited(&self, pid: u32, trace: &Trace) -> Option<&Entry> {
        let last = self.holders.get(&pid)?.last()?;
        last.is_acquired_in(trace).then_some(last)
    }

    /// The one task that holds a lock, and whether that is only concluded from nobody else being left. None if there
    /// are several, or none is known for certain.
    pub(super) fn owner<'t>(
        &self,
        key: &Key,
        trace_of: impl Fn(u32) -> Option<&'t Trace>,
    ) -> Option<(u32, bool)> {
        let (mut holds, mut either) = (Vec::new(), Vec::new());
        for (pid, holder) in &self.holders {
            for index in holder.places_of(key) {
                match holder.stand(index, trace_of(*pid)) {
                    Stand::Holds => holds.push(*pid),
                    Stand::Waits => {}
                    Stand::Either => either.push(*pid),
                }
            }
        }
        holds.dedup();
        match (holds.as_slice(), either.as_slice()) {
            ([one], _) => Some((*one, false)),
            ([], [one]) if self.is_whole && !self.hides_locks() => Some((*one, true)),
            _ => None,
        }
    }

    /// All that are seen to hold a lock, or may.
    pub(super) fn candidates<'t>(
        &self,
        key: &Key,
        trace_of: impl Fn(u32) -> Option<&'t Trace>,
    ) -> Vec<u32> {
        let stands = |(pid, holder): (&u32, &Holder)| {
            let trace = trace_of(*pid);
            let mut places = holder.places_of(key);
            places.any(|index| holder.stand(index, trace) != Stand::Waits).then_some(*pid)
        };
        self.holders.iter().filter_map(stands).collect()
    }

    /// Whether there are tasks whose locks are not listed: those that run, and torn lists.
    pub(super) fn hides_locks(&self) -> bool {
        self.holders.values().any(|holder| holder.entries.len() < holder.announced)
    }
}

impl Holder {
    /// The lock that the task acquired last, if the list is whole.
    fn last(&self) -> Option<&Entry> {
        self.entries.last().filter(|_| self.entries.len() == self.announced)
    }

    fn places_of(&self, key: &Key) -> impl Iterator<Item = usize> {
        let of_key = |(index, entry): (usize, &Entry)| {
            entry.key().is_some_and(|other| other == *key).then_some(index)
        };
        self.entries.iter().enumerate().filter_map(of_key)
    }

    fn stand(&self, index: usize, trace: Option<&Trace>) -> Stand {
        if index + 1 < self.announced {
            return Stand::Holds;
        }
        match trace.and_then(Trace::blocked).map(|blocked| blocked.sort) {
            None => Stand::Either,
            Some(Sort::Semaphore | Sort::Thing(..)) => Stand::Holds,
            Some(Sort::Lock) => {
                let entry = self.entries.get(index).zip(trace);
                let waits = entry.is_some_and(|(entry, trace)| entry.is_acquired_in(trace));
                if waits { Stand::Waits } else { Stand::Either }
            }
        }
    }
}

impl Entry {
    /// What tells this lock from others; none if nothing does.
    pub(super) fn key(&self) -> Option<Key> {
        if let Some(address) = self.address {
            return Some(Key::Address(address));
        }
        // A class that is named after an expression has many locks; one named after a variable, one.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let single = self.name.bytes().all(plain)
            && ["_mutex", "_sem", "_rwsem"].iter().any(|end| self.name.ends_with(end));
        single.then(|| Key::Name(self.name.clone()))
    }

    fn is_acquired_in(&self, trace: &Trace) -> bool {
        self.sites.iter().any(|site| trace.acquires(&self.name, site))
    }
}

/// `3 locks held by NAME/PID:`, as name, pid and count.
pub(super) fn holder(text: &str) -> Option<(&str, u32, usize)> {
    let (count, rest) = text.split_once(" lock")?;
    let rest = rest.strip_prefix('s').unwrap_or(rest).strip_prefix(" held by ")?;
    let (name, pid) = rest.strip_suffix(':')?.rsplit_once('/')?;
    Some((name, pid.parse().ok()?, count.parse().ok()?))
}

/// `#0: ffffffff8dfba960 (rcu_read_lock){....}-{1:2}, at: rcu_lock_acquire+0x4/0x48`, as its number and itself.
pub(super) fn entry(text: &str) -> Option<(usize, Entry)> {
    let (index, rest) = text.strip_prefix('#')?.split_once(':')?;
    let index = index.parse().ok()?;
    let (class, site) = rest.split_once(", at: ")?;
    let (address, name) = class.split_once('(')?;
    let name = name.get(..name.rfind("){")?)?;
    let address = u64::from_str_radix(address.trim(), 16).ok().filter(|address| *address != 0);
    let mut site = site.trim();
    if let Some((_, after)) = site.strip_prefix("[<").and_then(|rest| rest.split_once(']')) {
        site = after.trim_start();
    }
    let end = site.find(['+', ' ']).unwrap_or(site.len());
    let site = plain(&site[..end]);
    let fits = |text: &str| text.len() <= NAME_BYTES_MAX;
    let sites = Some(site).filter(|site| fits(site)).map(str::to_owned).into_iter().collect();
    let end =
        name.char_indices().map(|(place, _)| place).take_while(|at| *at < NAME_BYTES_MAX).last();
    let name = if fits(name) { name } else { &name[..end.unwrap_or(0)] };
    Some((index, Entry { address, name: name.to_owned(), sites }))
}
