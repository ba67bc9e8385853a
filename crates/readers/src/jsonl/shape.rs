//! Which value of an event's line goes where in its rows?

use unwedge_trace::row::{BatchBuilder, Row};
use unwedge_trace::{Event, What};

use crate::template::{Class, Found, INDEX, SPANS_MAX, STEP, Span};

/// Where a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Time,
    Agent,
    Name,
    Object,
    Object2,
    Agent2,
    Value,
    Value2,
    Amount,
    Processor,
    Priority,
}

/// A value and where it goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Put {
    /// Its place among the values of the line.
    pub(super) slot: u8,
    /// Which of the event's rows.
    pub(super) row: u8,
    pub(super) target: Target,
}

impl Put {
    /// Whether the value is in the range that the model has for it.
    #[inline]
    pub(super) fn fits(self, span: Span, block: &[u8]) -> bool {
        match self.target {
            Target::Name => span.is_text,
            Target::Time | Target::Value | Target::Value2 | Target::Amount => span.is_whole,
            Target::Agent
            | Target::Agent2
            | Target::Object
            | Target::Object2
            | Target::Processor => span.is_whole && span.number <= u64::from(u32::MAX),
            Target::Priority => block
                .get(span.start as usize..span.end as usize)
                .is_some_and(|text| priority(text).is_some()),
        }
    }
}

/// A priority as JSON writes it.
pub(super) fn priority(text: &[u8]) -> Option<i32> {
    // "-0" is a float to the parser.
    std::str::from_utf8(text).ok().filter(|text| *text != "-0")?.parse().ok()
}

/// A sort of line.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// Its rows, without the values.
    pub(super) rows: Vec<Row>,
    /// The values, in the order in which a `BatchBuilder` asks for their places.
    pub(super) puts: Vec<Put>,
    /// The slots of the two values that every event has.
    pub(super) time: u8,
    pub(super) agent: u8,
}

/// Finds the places of values by their paths.
pub(super) struct Learner {
    rows: Vec<Row>,
    variant: &'static str,
    puts: Vec<Put>,
}

impl Learner {
    /// For the line of an event; none for the sorts that are always parsed.
    pub(super) fn new(event: &Event) -> Option<Self> {
        let variant = match &event.what {
            What::Agent { .. } | What::Object { .. } => return None,
            What::WaitBegan { .. } => "wait_began",
            What::WaitEnded { .. } => "wait_ended",
            What::Owed { .. } => "owed",
            What::Signalled { .. } => "signalled",
            What::Reset { .. } => "reset",
            What::Aliased { .. } => "aliased",
            What::State { .. } => "state",
            What::Progress { .. } => "progress",
            What::Mark { .. } => "mark",
            What::Lost { .. } => "lost",
            What::Coverage { .. } => "coverage",
        };
        let mut builder = BatchBuilder::default();
        builder.event(event);
        Some(Self { rows: builder.take().rows, variant, puts: vec![] })
    }

    /// What to do with a value; none when its place is not known.
    pub(super) fn class(&mut self, path: &str, found: Found<'_>) -> Option<Class> {
        let is_number = matches!(found, Found::Number(_));
        match (path, found) {
            ("at", Found::Number(_)) => return self.put(0, Target::Time),
            ("agent", Found::Number(_)) => return self.put(0, Target::Agent),
            _ => {}
        }
        let inner = path.strip_prefix(self.variant)?;
        if found == Found::Container {
            return Some(Class::Literal);
        }
        let mut steps = inner.strip_prefix(STEP)?.split(STEP);
        let (first, second, third) = (steps.next()?, steps.next(), steps.next());
        if steps.next().is_some() {
            return None;
        }
        let row = |index: Option<&str>| index?.strip_prefix(INDEX)?.parse::<u8>().ok();
        let target = match (self.variant, first, second, third, found) {
            // A name, for the row that is the first.
            ("wait_began", "call", None, None, Found::Text(_))
            | ("state", "detail", None, None, Found::Text(_))
            | ("progress", "what", None, None, Found::Text(_))
            | ("mark", "text", None, None, Found::Text(_)) => (0, Target::Name),
            ("wait_began", "points", index, Some("object"), _) if is_number => {
                (row(index)?, Target::Object)
            }
            ("wait_began", "points", index, Some("value"), _) if is_number => {
                (row(index)?, Target::Value)
            }
            ("mark", "objects", index, None, _) if is_number => (row(index)?, Target::Object),
            ("wait_began", "bound", Some("ns" | "polls"), None, _) if is_number => {
                (0, Target::Amount)
            }
            ("owed" | "signalled", "point", Some("object"), None, _)
            | ("reset" | "aliased", "object", None, None, _)
                if is_number =>
            {
                (0, Target::Object)
            }
            ("owed" | "signalled", "point", Some("value"), None, _) if is_number => {
                (0, Target::Value)
            }
            ("owed", "after", Some("object"), None, _) | ("aliased", "same_as", None, None, _)
                if is_number =>
            {
                (0, Target::Object2)
            }
            ("owed", "after", Some("value"), None, _) if is_number => (0, Target::Value2),
            ("owed", "via", None, None, _) if is_number => (0, Target::Agent2),
            ("state", "cpu", None, None, _) if is_number => (0, Target::Processor),
            ("state", "priority", None, None, _) if is_number => (0, Target::Priority),
            ("lost", "count", None, None, _) | ("coverage", "reached", None, None, _)
                if is_number =>
            {
                (0, Target::Amount)
            }
            ("coverage", "explained", None, None, _) if is_number => (0, Target::Value),
            // Choices, "next", null: another word is another sort of line.
            (_, _, _, _, Found::Text(_) | Found::Word(_)) => return Some(Class::Literal),
            _ => return None,
        };
        self.put(target.0, target.1)
    }

    fn put(&mut self, row: u8, target: Target) -> Option<Class> {
        let slot = u8::try_from(self.puts.len()).ok()?;
        let room = usize::from(slot) < SPANS_MAX && usize::from(row) < self.rows.len();
        room.then(|| self.puts.push(Put { slot, row, target }))?;
        Some(Class::Slot(slot))
    }

    /// The sort of line, if nothing is missing.
    pub(super) fn shape(self) -> Option<Shape> {
        let slot = |target| self.puts.iter().find(|put| put.target == target).map(|put| put.slot);
        let (time, agent) = (slot(Target::Time)?, slot(Target::Agent)?);
        let mut puts = self.puts;
        puts.sort_by_key(|put| (put.row, put.target));
        Some(Shape { rows: self.rows, puts, time, agent })
    }
}
