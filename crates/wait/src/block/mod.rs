//! Who keeps this from going on, and since when? A block that several parties may hold, each for so long at most.

mod hold;
mod state;

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub use hold::{Hold, Released};
use state::State;
pub use state::{Holder, Overstay};

use crate::bound::Deadline;
use crate::{Bound, Waited};

/// Something that must not go on while anybody holds it: a renderer while its pictures are read, say.
///
/// The usual counter of holds knows how many there are and no more. If one is never given back, everything stands still, and
/// nothing says whose it was. Here every hold has a name and a bound. A holder that overstays is named, and released if
/// the block's owner chose so. Clones are the same block, for any thread.
///
/// # A client that never answers
///
/// A display server blocks its renderer in two places: while a client reads the picture, until the client says that it is
/// done, and during a copy of its own. The client may never say it. The owner, once in each refresh, asks:
///
/// ```
/// use std::time::{Duration, Instant};
/// use unwedge_wait::{Block, Bound, Hold, Overstay, Released};
///
/// const ANSWER: Bound = Bound::from_secs(1);
/// const COPY: Bound = Bound::from_millis(50);
///
/// let renderer = Block::new("renderer", Overstay::Release);
/// let began = Instant::now();
///
/// // First path: the picture goes to the client, and the hold is kept until the client answers.
/// let until_draw_done: Hold = renderer.hold_at("display client, scanout 1", ANSWER, began);
/// // Second path: a copy. Its hold ends with the block of code, also by `?` or a panic.
/// {
///     let _copying = renderer.hold_at("surface copy", COPY, began);
///     assert_eq!(renderer.holders(began).len(), 2);
/// }
///
/// // A refresh soon after: the client may still answer.
/// let soon = began + Duration::from_millis(16);
/// assert!(renderer.is_held(soon));
/// assert!(renderer.overstayers(soon).is_empty());
///
/// // A refresh much later: the client is named, its hold is over, and the renderer goes on.
/// let late = began + Duration::from_millis(1_016);
/// for holder in renderer.enforce(late) {
///     assert_eq!(holder.to_string(), "\"display client, scanout 1\" has held it for 1.016s of 1s, 16ms too long");
/// }
/// assert!(!renderer.is_held(late));
///
/// // The answer comes after all. It ends nobody else's hold.
/// let next_frame = renderer.hold_at("display client, scanout 1", ANSWER, late);
/// assert_eq!(until_draw_done.release(), Released::Already);
/// assert!(next_frame.is_held());
/// ```
///
/// # Who notices, and when
///
/// A block has no thread of its own. It is looked at when somebody asks: [`Block::overstayers`], [`Block::enforce`],
/// [`Block::is_held`], [`Block::wait_free`], and each release. Whoever asks first once a hold is over makes a `tracing` event of
/// it, a warning, one for each hold (with the feature `tracing`). Holds are ended, under [`Overstay::Release`], by the
/// three that the owner asks with: `enforce`, `is_held` and `wait_free`; the others only look.
///
/// Times are arguments, so that what a program does about an overstayer can be tested without waiting for one.
/// [`Block::wait_free`] and the ways to hold and release without a time read the clock.
///
/// A hold is over as soon as its bound is used up: one of [`Bound::ZERO`] is over at once. One that is leaked
/// ([`std::mem::forget`]) can be ended by nobody but the owner; that is what the bound is for.
#[derive(Clone)]
pub struct Block {
    shared: Arc<Shared>,
}

struct Shared {
    name: Arc<str>,
    overstay: Overstay,
    state: Mutex<State>,
    /// Notified when there are no holds any more, and when a new one may be over sooner than the others.
    changed: Condvar,
}

impl Block {
    /// A block that nobody holds. The name is for people.
    pub fn new(name: impl Into<Arc<str>>, overstay: Overstay) -> Self {
        let (state, changed) = (Mutex::default(), Condvar::new());
        Self { shared: Arc::new(Shared { name: name.into(), overstay, state, changed }) }
    }

    /// The name that it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// What becomes of a holder that overstays.
    #[must_use]
    pub fn overstay(&self) -> Overstay {
        self.shared.overstay
    }

    /// Holds the block from now on, for at most `bound`. Never waits: any number of parties may hold it.
    ///
    /// The holder's name is for people; the same one may hold it several times.
    pub fn hold(&self, holder: impl Into<Arc<str>>, bound: Bound) -> Hold {
        self.hold_at(holder, bound, Instant::now())
    }

    /// [`Block::hold`], from a given time on.
    pub fn hold_at(&self, holder: impl Into<Arc<str>>, bound: Bound, now: Instant) -> Hold {
        let holder = holder.into();
        let mut state = self.lock();
        let id = state.hold(holder, bound, now);
        if state.waiting > 0 {
            self.shared.changed.notify_all();
        }
        drop(state);
        Hold::new(self.clone(), id)
    }

    /// Everybody who holds the block, the oldest hold first.
    #[must_use]
    pub fn holders(&self, now: Instant) -> Vec<Holder> {
        self.lock().holders(now)
    }

    /// Those of the [holders](Block::holders) whose time is over. Ends no hold.
    #[must_use]
    pub fn overstayers(&self, now: Instant) -> Vec<Holder> {
        self.look(now, false).0
    }

    /// Names those whose time is over, and ends their holds under [`Overstay::Release`]: they are the ones that were
    /// released. Under [`Overstay::Name`] they hold on, and are named again next time.
    pub fn enforce(&self, now: Instant) -> Vec<Holder> {
        self.look(now, self.releases()).0
    }

    /// Whether anybody holds the block, once overstayers were released, if they are to be.
    #[must_use]
    pub fn is_held(&self, now: Instant) -> bool {
        self.look(now, self.releases()).1
    }

    /// Waits until nobody holds the block, at most for `bound`. Under [`Overstay::Release`] that is at the latest when the
    /// last holder's time is over.
    ///
    /// Somebody may hold the block again by the time this returns: a thread that must not be blocked from then on needs
    /// a way of its own to keep others from holding it.
    pub fn wait_free(&self, bound: Bound) -> Waited {
        let mut state = self.lock();
        if state.is_free() {
            return Waited::Reached;
        }
        let deadline = Deadline::after(bound);
        loop {
            let now = Instant::now();
            let look = state.look(now, self.releases());
            self.notify_if_free(&state);
            if !look.news.is_empty() {
                // Nobody is told anything under the lock: who listens may ask this block.
                drop(state);
                self.tell(&look.news);
                state = self.lock();
            }
            if state.is_free() {
                return Waited::Reached;
            }
            let left = deadline.left().as_duration();
            if left.is_zero() {
                return Waited::TimedOut;
            }
            let sleep = state.next_over(now).map_or(left, |over| over.min(left));
            state.waiting += 1;
            let woken = self.shared.changed.wait_timeout(state, sleep);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
            state.waiting -= 1;
        }
    }

    fn has(&self, id: u64) -> bool {
        self.lock().has(id)
    }

    /// Ends a hold, if it is still there.
    fn end(&self, id: u64, now: Instant) -> Released {
        let mut state = self.lock();
        let ended = state.release(id, now);
        self.notify_if_free(&state);
        drop(state);
        match ended {
            Some(unnoticed) => {
                self.tell(unnoticed.as_slice());
                Released::Now
            }
            None => Released::Already,
        }
    }

    /// Those whose time is over, and whether anybody holds the block after that.
    fn look(&self, now: Instant, release: bool) -> (Vec<Holder>, bool) {
        let mut state = self.lock();
        let look = state.look(now, release);
        let held = !state.is_free();
        self.notify_if_free(&state);
        drop(state);
        self.tell(&look.news);
        (look.over, held)
    }

    fn releases(&self) -> bool {
        self.shared.overstay == Overstay::Release
    }

    fn notify_if_free(&self, state: &State) {
        if state.waiting > 0 && state.is_free() {
            self.shared.changed.notify_all();
        }
    }

    /// A thread that panicked under the lock left the holds as they are: each change of them is a single one.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says who has overstayed.
    #[cfg(feature = "tracing")]
    fn tell(&self, overstayers: &[Holder]) {
        for Holder { name, held_for, bound } in overstayers {
            tracing::warn!(
                target: "unwedge_wait",
                block = self.name(),
                holder = &**name,
                ?held_for,
                %bound,
                overstay = ?self.overstay(),
                "a holder overstays"
            );
        }
    }

    #[cfg(not(feature = "tracing"))]
    #[allow(clippy::unused_self, reason = "it has something to say with the feature `tracing`")]
    fn tell(&self, _overstayers: &[Holder]) {}
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holders = self.holders(Instant::now());
        f.debug_struct("Block")
            .field("name", &self.name())
            .field("overstay", &self.overstay())
            .field("holders", &holders)
            .finish()
    }
}
