//! How does the TOML of a profile become a plan?

use std::collections::HashMap;

use toml::{Table, Value};
use unwedge_trace::{AgentKind, AgentState, ObjectKind, Outcome};

use super::error::ProfileError;
use super::json::{Value as Json, Wanted};
use super::plan::{
    ACTIONS, Action, Agents, Events, FIELDS_MAX, Objects, Plan, Rule, Sign, Signs, Slot, Time,
    Unknown, Waits,
};
use super::section::Section;
use super::value::{Unit, nanoseconds};
use crate::template::STEP;

const AGENT_KINDS: &[(&str, AgentKind)] = &[
    ("host_thread", AgentKind::HostThread),
    ("gpu_queue", AgentKind::GpuQueue),
    ("presentation_engine", AgentKind::PresentationEngine),
    ("guest_thread", AgentKind::GuestThread),
    ("kernel_thread", AgentKind::KernelThread),
    ("task", AgentKind::Task),
    ("interrupt", AgentKind::Interrupt),
    ("ring_host", AgentKind::RingHost),
    ("outside", AgentKind::Outside),
];
const OBJECT_KINDS: &[(&str, ObjectKind)] = &[
    ("fence", ObjectKind::Fence),
    ("binary_semaphore", ObjectKind::BinarySemaphore),
    ("timeline_semaphore", ObjectKind::TimelineSemaphore),
    ("event", ObjectKind::Event),
    ("auto_reset_event", ObjectKind::AutoResetEvent),
    ("counting_semaphore", ObjectKind::CountingSemaphore),
    ("timer", ObjectKind::Timer),
    ("channel", ObjectKind::Channel),
    ("condition", ObjectKind::Condition),
    ("query", ObjectKind::Query),
    ("swapchain", ObjectKind::Swapchain),
    ("queue", ObjectKind::Queue),
    ("device", ObjectKind::Device),
    ("mutex", ObjectKind::Mutex),
    ("futex", ObjectKind::Futex),
    ("ring", ObjectKind::Ring),
    ("dma_fence", ObjectKind::DmaFence),
    ("block", ObjectKind::Block),
    ("pipe", ObjectKind::Pipe),
    ("socket", ObjectKind::Socket),
    ("other", ObjectKind::Other),
];
const STATES: &[(&str, AgentState)] = &[
    ("run", AgentState::Running),
    ("ready", AgentState::Ready),
    ("block", AgentState::Blocked),
    ("exit", AgentState::Exited),
];
const OUTCOMES: &[(&str, Outcome)] =
    &[("reached", Outcome::Reached), ("timed_out", Outcome::TimedOut), ("failed", Outcome::Failed)];
const UNITS: &[(&str, Option<i32>)] =
    &[("ns", Some(0)), ("us", Some(3)), ("ms", Some(6)), ("s", Some(9)), ("ticks", None)];

/// The fields that were named so far.
#[derive(Default)]
struct Fields {
    wanted: Wanted,
    names: Vec<(Box<str>, Box<str>)>,
    /// Those that were named twice.
    shared: Vec<u8>,
}

impl Fields {
    fn slot(&mut self, path: &[Box<str>]) -> Result<u8, ProfileError> {
        let template: Box<str> = path.join(STEP.to_string().as_str()).into();
        if let Some(known) = self.names.iter().position(|(_, name)| *name == template) {
            let slot = u8::try_from(known).unwrap_or(0);
            self.shared.push(slot);
            return Ok(slot);
        }
        if self.names.len() >= FIELDS_MAX {
            return Err(ProfileError::TooManyFields(FIELDS_MAX));
        }
        let slot = u8::try_from(self.names.len()).unwrap_or(0);
        self.names.push((path.join(".").into(), template));
        self.wanted.add(path, slot);
        Ok(slot)
    }

    fn take(&mut self, section: &mut Section, key: &'static str) -> Result<Slot, ProfileError> {
        section.field(key)?.map(|path| self.slot(&path)).transpose()
    }
}

/// A profile's name, title and plan.
pub(super) fn read(text: &str) -> Result<(String, String, Plan), ProfileError> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error
            .span()
            .map_or(1, |span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
        ProfileError::Syntax(format!("line {line}: {}", error.message().replace('\n', ", ")))
    })?;
    let mut root = Section::new("", table);
    let missing = |key: &str, why| ProfileError::Missing { key: key.to_owned(), why };
    let name = root.text("name")?.ok_or_else(|| missing("name", "what --format takes"))?;
    let title = root.text("title")?.unwrap_or_else(|| name.clone());
    let mut fields = Fields::default();
    let detect = root.section("detect")?;
    let (time, agents) = (root.section("time")?, root.section("agent")?);
    let (objects, event) = (root.section("object")?, root.section("event")?);
    let (wait, rules) = (root.section("wait")?, root.section("events")?);
    root.end()?;
    let time = read_time(time, &mut fields)?;
    let agents = read_agents(agents, &mut fields)?;
    let objects = read_objects(objects, &mut fields)?;
    let waits = read_waits(wait, &mut fields)?;
    let events = read_events(event, rules, &mut fields)?;
    let signs = read_signs(detect)?;
    let (wanted, fields) = (fields.wanted, fields.names);
    let mark = Rule::new(Action::Unlisted);
    let plan = Plan { wanted, fields, time, agents, objects, events, waits, signs, mark };
    Ok((name, title, plan))
}

fn read_unit(
    section: &mut Section,
    key: &'static str,
    rate_key: &'static str,
) -> Result<Unit, ProfileError> {
    let rate = section.number(rate_key)?;
    match section.choice(key, UNITS)? {
        None => Ok(Unit::Decimal(0)),
        Some(Some(power)) => Ok(Unit::Decimal(power)),
        Some(None) => {
            let why = "with the unit \"ticks\", how many make a second must be said";
            let key = section.key(rate_key);
            let rate = rate.ok_or(ProfileError::Missing { key: key.clone(), why })?;
            let rate = rate.parse().ok().filter(|rate| *rate > 0);
            let wanted = "a whole number of ticks per second";
            rate.map(Unit::TicksPerSecond).ok_or(ProfileError::WrongType { key, wanted })
        }
    }
}

fn read_time(mut section: Section, fields: &mut Fields) -> Result<Time, ProfileError> {
    let field = fields.take(&mut section, "field")?;
    let why = "the field with the time of each line";
    let key = section.key("field");
    field.ok_or(ProfileError::Missing { key, why })?;
    let unit = read_unit(&mut section, "unit", "ticks_per_second")?;
    let origin = section.number("origin")?.unwrap_or_else(|| "0".to_owned());
    let origin = nanoseconds(Json::Text(origin.as_bytes(), false), unit);
    let key = section.key("origin");
    let wanted = "a time that is not negative";
    let origin = origin.map_err(|_| ProfileError::WrongType { key, wanted })?;
    let clocks = [("host", false), ("virtual", true)];
    let is_virtual = section.choice("clock", &clocks)?.unwrap_or(false);
    section.end()?;
    Ok(Time { field, unit, origin, is_virtual })
}

fn read_agents(mut section: Section, fields: &mut Fields) -> Result<Agents, ProfileError> {
    let agents = Agents {
        field: fields.take(&mut section, "field")?,
        process: fields.take(&mut section, "process")?,
        fixed: section.number("fixed")?.map(Into::into),
        kind: section.choice("kind", AGENT_KINDS)?,
        kinds: section.words("kinds", AGENT_KINDS)?.unwrap_or_default(),
        kind_field: fields.take(&mut section, "kind_field")?,
        kind_names: section.words("kind_names", AGENT_KINDS)?.unwrap_or_default(),
        name: fields.take(&mut section, "name")?,
        priority: fields.take(&mut section, "priority")?,
        cpu: fields.take(&mut section, "cpu")?,
        detail: fields.take(&mut section, "detail")?,
    };
    if agents.field.is_none() && agents.fixed.is_none() {
        let why = "the field that says whose line it is, or agent.fixed";
        return Err(ProfileError::Missing { key: section.key("field"), why });
    }
    section.end()?;
    Ok(agents)
}

fn read_objects(mut section: Section, fields: &mut Fields) -> Result<Objects, ProfileError> {
    let objects = Objects {
        field: fields.take(&mut section, "field")?,
        list: fields.take(&mut section, "list")?,
        mode: fields.take(&mut section, "mode")?,
        value: fields.take(&mut section, "value")?,
        kind: section.choice("kind", OBJECT_KINDS)?,
        kind_field: fields.take(&mut section, "kind_field")?,
        kinds: section.words("kinds", OBJECT_KINDS)?.unwrap_or_default(),
        label: fields.take(&mut section, "label")?,
    };
    section.end()?;
    Ok(objects)
}

fn read_waits(mut section: Section, fields: &mut Fields) -> Result<Waits, ProfileError> {
    let infinite = match section.take("infinite") {
        None => Vec::new(),
        Some(Value::Array(list)) => list.iter().map(plain).collect(),
        Some(value) => vec![plain(&value)],
    };
    let results = section.words("results", OUTCOMES)?;
    let own = || OUTCOMES.iter().map(|(name, outcome)| ((*name).into(), *outcome)).collect();
    let waits = Waits {
        call: fields.take(&mut section, "call")?,
        bound: fields.take(&mut section, "bound")?,
        bound_unit: read_unit(&mut section, "bound_unit", "bound_ticks_per_second")?,
        infinite,
        result: fields.take(&mut section, "result")?,
        results: results.unwrap_or_else(own),
        duration: fields.take(&mut section, "duration")?,
        duration_unit: read_unit(&mut section, "duration_unit", "duration_ticks_per_second")?,
        stamp_is_end: section.choice("stamp", &[("end", true), ("begin", false)])?.unwrap_or(true),
        ends_with_next_event: section
            .choice("missing_end", &[("waiting", false), ("next_event", true)])?
            .unwrap_or(false),
    };
    section.end()?;
    Ok(waits)
}

/// A value as a line would write it.
fn plain(value: &Value) -> Box<str> {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).into()
}

fn read_events(
    mut section: Section,
    rules: Section,
    fields: &mut Fields,
) -> Result<Events, ProfileError> {
    let field = fields.take(&mut section, "field")?;
    let why = "the field with the name of what happened";
    field.ok_or(ProfileError::Missing { key: section.key("field"), why })?;
    let second = fields.take(&mut section, "second")?;
    let unknowns =
        [("mark", Unknown::Mark), ("ignore", Unknown::Ignore), ("complain", Unknown::Complain)];
    let unknown = section.choice("unknown", &unknowns)?.unwrap_or(Unknown::Mark);
    section.end()?;
    let (mut exact, mut beginnings) = (HashMap::new(), Vec::new());
    for (name, value) in rules.rest() {
        let rule = read_rule(&name, value, fields)?;
        match name.strip_suffix('*') {
            Some(beginning) => beginnings.push((beginning.into(), rule)),
            None => {
                exact.insert(name.into(), rule);
            }
        }
    }
    if exact.is_empty() && beginnings.is_empty() {
        let why = "what the names of events mean";
        return Err(ProfileError::Missing { key: "events".to_owned(), why });
    }
    beginnings.sort_by_key(|(name, _): &(Box<str>, Rule)| std::cmp::Reverse(name.len()));
    let mut all = exact.values().chain(beginnings.iter().map(|(_, rule)| rule));
    let introduces_agents = all.clone().any(|rule| rule.action == Action::IntroduceAgent);
    let introduces_objects = all.any(|rule| rule.action == Action::IntroduceObject);
    let shared = |slot: &u8| Some(*slot) == field || Some(*slot) == second;
    Ok(Events {
        field,
        second,
        unknown,
        exact,
        beginnings,
        field_is_used_otherwise: fields.shared.iter().any(shared),
        introduces_agents,
        introduces_objects,
    })
}

/// What a name is: a word, or a table with the word in `is`.
fn read_rule(name: &str, value: Value, fields: &mut Fields) -> Result<Rule, ProfileError> {
    let path = format!("events.{name}");
    let table = match value {
        Value::Table(table) => table,
        Value::String(_) => Table::from_iter([("is".to_owned(), value)]),
        _ => {
            let wanted = "a word such as \"signal\", or a table with the key \"is\"";
            return Err(ProfileError::WrongType { key: path, wanted });
        }
    };
    let mut section = Section::new(&path, table);
    let why = "what such a line is: wait_begin, signal, ...";
    let action = section.choice("is", ACTIONS)?;
    let action = action.ok_or(ProfileError::Missing { key: section.key("is"), why })?;
    let state = section.choice("state", STATES)?;
    let rule = Rule {
        action,
        state: state.unwrap_or(AgentState::Unknown),
        agent: fields.take(&mut section, "agent")?,
        object: fields.take(&mut section, "object")?,
        count: fields.take(&mut section, "count")?,
        optional: section.truth("optional")?,
        object_kind: section.choice("object_kind", OBJECT_KINDS)?,
        text: section.text("text")?.map(Into::into),
        call: section.text("call")?.map(Into::into),
        outcome: section.choice("result", OUTCOMES)?,
    };
    if action == Action::State && state.is_none() {
        let why = "run, ready, block or exit";
        return Err(ProfileError::Missing { key: section.key("state"), why });
    }
    if action == Action::Lost && rule.count.is_none() {
        let why = "the field that says how many events were lost";
        return Err(ProfileError::Missing { key: section.key("count"), why });
    }
    section.end()?;
    Ok(rule)
}

fn read_signs(section: Section) -> Result<Signs, ProfileError> {
    let (mut fields, mut signs) = (Fields::default(), Vec::new());
    for (field, value) in section.rest() {
        let path: Vec<Box<str>> = field.split('.').map(Into::into).collect();
        let text = match &value {
            Value::Boolean(true) => None,
            Value::String(_) | Value::Integer(_) => Some(plain(&value)),
            _ => {
                let wanted = "true for any value, a text or a whole number";
                return Err(ProfileError::WrongType { key: format!("detect.{field}"), wanted });
            }
        };
        signs.push(Sign { slot: fields.slot(&path)?, text });
    }
    Ok(Signs { wanted: fields.wanted, signs })
}
