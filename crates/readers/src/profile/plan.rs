//! What does a profile say, as a reader uses it?

use unwedge_trace::{AgentKind, AgentState, ObjectKind, Outcome};

use super::json::{Value, Wanted};
use super::value::Unit;

/// Fields that a profile may name.
pub(super) const FIELDS_MAX: usize = 31;

/// The place of a field's value.
pub(super) type Slot = Option<u8>;

/// What a line of a given name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    WaitBegin,
    WaitEnd,
    Wait,
    Signal,
    Reset,
    Acquire,
    Release,
    IntroduceAgent,
    IntroduceObject,
    State,
    Progress,
    Mark,
    FailedCall,
    Lost,
    Ignore,
    /// A remark with the name itself: what a name without a rule is. No profile writes it.
    Unlisted,
}

/// As a profile writes them.
pub(super) const ACTIONS: &[(&str, Action)] = &[
    ("wait_begin", Action::WaitBegin),
    ("wait_end", Action::WaitEnd),
    ("wait", Action::Wait),
    ("signal", Action::Signal),
    ("reset", Action::Reset),
    ("acquire", Action::Acquire),
    ("release", Action::Release),
    ("introduce_agent", Action::IntroduceAgent),
    ("introduce_object", Action::IntroduceObject),
    ("state", Action::State),
    ("progress", Action::Progress),
    ("mark", Action::Mark),
    ("failed_call", Action::FailedCall),
    ("lost", Action::Lost),
    ("ignore", Action::Ignore),
];

/// What a name means.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) action: Action,
    pub(super) state: AgentState,
    /// Instead of the profile's.
    pub(super) agent: Slot,
    pub(super) object: Slot,
    pub(super) count: Slot,
    /// An object may be missing; then the line says nothing.
    pub(super) optional: bool,
    /// What every object of such a line is.
    pub(super) object_kind: Option<ObjectKind>,
    pub(super) text: Option<Box<str>>,
    pub(super) call: Option<Box<str>>,
    pub(super) outcome: Option<Outcome>,
}

impl Rule {
    /// A rule without anything special.
    pub(super) fn new(action: Action) -> Self {
        Self {
            action,
            state: AgentState::Unknown,
            agent: None,
            object: None,
            count: None,
            optional: false,
            object_kind: None,
            text: None,
            call: None,
            outcome: None,
        }
    }
}

/// What becomes of names that no rule has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    Mark,
    Ignore,
    Complain,
}

#[derive(Clone, Debug)]
pub(super) struct Time {
    pub(super) field: Slot,
    pub(super) unit: Unit,
    /// Nanoseconds that are subtracted.
    pub(super) origin: u64,
    /// The clock is the guest's or the simulation's own.
    pub(super) is_virtual: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Agents {
    pub(super) field: Slot,
    pub(super) process: Slot,
    pub(super) fixed: Option<Box<str>>,
    pub(super) kind: Option<AgentKind>,
    pub(super) kinds: Vec<(Box<str>, AgentKind)>,
    pub(super) kind_field: Slot,
    pub(super) kind_names: Vec<(Box<str>, AgentKind)>,
    pub(super) name: Slot,
    pub(super) priority: Slot,
    pub(super) cpu: Slot,
    pub(super) detail: Slot,
}

#[derive(Clone, Debug)]
pub(super) struct Objects {
    pub(super) field: Slot,
    pub(super) list: Slot,
    pub(super) mode: Slot,
    pub(super) value: Slot,
    pub(super) kind: Option<ObjectKind>,
    pub(super) kind_field: Slot,
    pub(super) kinds: Vec<(Box<str>, ObjectKind)>,
    pub(super) label: Slot,
}

#[derive(Clone, Debug)]
pub(super) struct Events {
    pub(super) field: Slot,
    pub(super) second: Slot,
    pub(super) unknown: Unknown,
    /// Whole names.
    pub(super) exact: std::collections::HashMap<Box<str>, Rule>,
    /// Beginnings of names, the longest first.
    pub(super) beginnings: Vec<(Box<str>, Rule)>,
    /// A field of the name is also something else: such lines are always parsed.
    pub(super) field_is_used_otherwise: bool,
    pub(super) introduces_agents: bool,
    pub(super) introduces_objects: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Waits {
    pub(super) call: Slot,
    pub(super) bound: Slot,
    pub(super) bound_unit: Unit,
    pub(super) infinite: Vec<Box<str>>,
    pub(super) result: Slot,
    pub(super) results: Vec<(Box<str>, Outcome)>,
    pub(super) duration: Slot,
    pub(super) duration_unit: Unit,
    /// A line with a duration has the time of the wait's end, not of its beginning.
    pub(super) stamp_is_end: bool,
    pub(super) ends_with_next_event: bool,
}

/// A condition of a line's field.
#[derive(Clone, Debug)]
pub(super) struct Sign {
    pub(super) slot: u8,
    /// The field's text; none if any value will do.
    pub(super) text: Option<Box<str>>,
}

/// How the format is recognised.
#[derive(Clone, Debug)]
pub(super) struct Signs {
    pub(super) wanted: Wanted,
    /// All of them must be there; their slots count from 0.
    pub(super) signs: Vec<Sign>,
}

/// All of it.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) wanted: Wanted,
    /// The fields' names by slot, keys joined with dots, for complaints; and joined as a path of a template.
    pub(super) fields: Vec<(Box<str>, Box<str>)>,
    pub(super) time: Time,
    pub(super) agents: Agents,
    pub(super) objects: Objects,
    pub(super) events: Events,
    pub(super) waits: Waits,
    pub(super) signs: Signs,
    /// What a name without a rule is.
    pub(super) mark: Rule,
}

impl Plan {
    /// The rule for a name; none if it has none.
    pub(super) fn rule(&self, name: &str) -> Option<&Rule> {
        let beginning = || {
            let mut rules = self.events.beginnings.iter();
            rules.find(|(beginning, _)| name.starts_with(&**beginning)).map(|(_, rule)| rule)
        };
        self.events.exact.get(name).or_else(beginning)
    }

    /// Whether lines of a rule ask for the value in a slot. What is not asked for may be skipped.
    pub(super) fn asks(&self, rule: Option<&Rule>, slot: u8) -> bool {
        let rule = match (rule, self.events.unknown) {
            (Some(rule), _) => rule,
            (None, Unknown::Mark) => &self.mark,
            (None, Unknown::Ignore | Unknown::Complain) => return false,
        };
        let (agents, objects, waits) = (&self.agents, &self.objects, &self.waits);
        let about_objects =
            [rule.object, objects.field, objects.list, objects.value, objects.kind_field];
        let own: &[Slot] = match rule.action {
            Action::Ignore => return false,
            Action::WaitBegin | Action::Wait => {
                &[objects.mode, waits.call, waits.bound, waits.result, waits.duration]
            }
            Action::WaitEnd => &[waits.result],
            Action::IntroduceAgent => &[agents.kind_field],
            Action::IntroduceObject => &[objects.label],
            Action::State => &[agents.cpu, agents.priority, agents.detail],
            Action::Progress | Action::Mark | Action::FailedCall => &[waits.call, waits.result],
            Action::Lost => &[rule.count],
            Action::Unlisted => &[],
            Action::Signal | Action::Reset | Action::Acquire | Action::Release => &[],
        };
        let always = [self.time.field, agents.field, rule.agent, agents.process, agents.name];
        let no_objects = matches!(
            rule.action,
            Action::WaitEnd
                | Action::IntroduceAgent
                | Action::State
                | Action::Lost
                | Action::Unlisted
        ) || (matches!(rule.action, Action::Progress | Action::Mark)
            && rule.object.is_none());
        let slot = Some(slot);
        always.contains(&slot)
            || own.contains(&slot)
            || (!no_objects && about_objects.contains(&slot))
    }

    /// The value in a slot.
    #[inline]
    pub(super) fn value<'a>(slot: Slot, values: &[Value<'a>]) -> Value<'a> {
        slot.and_then(|slot| values.get(usize::from(slot))).copied().unwrap_or_default()
    }

    /// A field's name, for a complaint.
    pub(super) fn field(&self, slot: Slot) -> &str {
        slot.and_then(|slot| self.fields.get(usize::from(slot))).map_or("", |(name, _)| name)
    }
}
