//! Which shapes of a root are known? One file a shape, one line a shape in the table.

mod block_held;
mod deadlock;
mod debtor_gone;
mod debtor_starved;
mod device_busy;
mod device_stalled;
mod images_withheld;
mod livelock;
mod lost_wakeup;
mod never_submitted;
mod not_a_wait;
mod outside_debtor;
mod reset_without_submit;
mod ring_stalled;
mod signal_lost;
mod silent_producer;

use unwedge_trace::ObjectId;

use crate::evidence::{self, Fact};
use crate::replay::State;
use crate::story::Story;

/// What a root turned out to be.
pub(crate) struct Cause {
    /// The whole finding as one sentence, without a full stop.
    pub(crate) sentence: String,
    /// Facts beyond those that every chain brings.
    pub(crate) facts: Vec<Fact>,
    /// What to do.
    pub(crate) remedy: String,
    /// The evidence, if it is complete, suffices for "wedged".
    pub(crate) conclusive: bool,
    /// It rests on something not being on record, so a lost event could overturn it.
    pub(crate) absence: bool,
    /// What one would have to know for more.
    pub(crate) missing: Vec<String>,
}

impl Cause {
    /// A conclusive cause.
    fn wedged(sentence: String, remedy: &str) -> Self {
        Self {
            sentence,
            facts: Vec::new(),
            remedy: remedy.to_owned(),
            conclusive: true,
            absence: false,
            missing: Vec::new(),
        }
    }

    /// A cause that accuses nobody for certain, and what would have to be known.
    fn doubtful(sentence: String, missing: String, remedy: &str) -> Self {
        Self { conclusive: false, missing: vec![missing], ..Self::wedged(sentence, remedy) }
    }
}

/// Says whether a root has the shape, and tells it.
type Matcher = fn(&Story<'_, '_>) -> Option<Cause>;

/// A kind of finding, under its stable code.
#[derive(Clone, Copy, Debug)]
pub struct FindingKind {
    /// `UWnnn`.
    pub code: &'static str,
    /// Its short name.
    pub name: &'static str,
    matcher: Matcher,
}

const fn kind(code: &'static str, name: &'static str, matcher: Matcher) -> FindingKind {
    FindingKind { code, name, matcher }
}

static CATALOGUE: [FindingKind; 16] = [
    kind("UW001", "deadlock", deadlock::matches),
    kind("UW002", "never submitted", never_submitted::matches),
    kind("UW003", "reset without submit", reset_without_submit::matches),
    kind("UW004", "signal lost", signal_lost::matches),
    kind("UW005", "device busy", device_busy::matches),
    kind("UW006", "device stalled", device_stalled::matches),
    kind("UW007", "debtor gone", debtor_gone::matches),
    kind("UW008", "debtor starved", debtor_starved::matches),
    kind("UW009", "lost wake-up", lost_wakeup::matches),
    kind("UW010", "images withheld", images_withheld::matches),
    kind("UW011", "ring stalled", ring_stalled::matches),
    kind("UW012", "block held", block_held::matches),
    kind("UW013", "silent producer", silent_producer::matches),
    kind("UW014", "livelock", livelock::matches),
    kind("UW015", "outside debtor", outside_debtor::matches),
    kind(NOT_A_WAIT, "not a wait", not_a_wait::matches),
];

/// Told only where nothing else is found.
pub(crate) const NOT_A_WAIT: &str = "UW016";

/// Every kind of finding, in the order of the codes.
#[must_use]
pub fn catalogue() -> &'static [FindingKind] {
    &CATALOGUE
}

/// What is on record about an object that the chain does not lead to.
fn about(state: &State<'_>, object: ObjectId) -> Vec<Fact> {
    let mut facts = Vec::new();
    evidence::object_facts(state, object, &mut facts);
    facts
}

/// The first kind whose shape the root has.
pub(crate) fn classify(story: &Story<'_, '_>) -> Option<(&'static FindingKind, Cause)> {
    CATALOGUE.iter().find_map(|kind| Some((kind, (kind.matcher)(story)?)))
}
