//! Which rows does a line become, given the values of its fields?
//!
//! The one place where this is decided: lines of a known sort and parsed lines both come here.

use std::borrow::Cow;

use unwedge_trace::row::{
    AgentEntry, ENDS_WITH_NEXT_EVENT, Key, NONE, ObjectEntry, Op, Row, bound_amount, mark_code,
    outcome_code, priority_value, state_code, wait_code,
};
use unwedge_trace::{AgentKind, Bound, MarkKind, Mode, NEXT, Outcome};

use super::json::Value;
use super::plan::{Action, Plan, Rule, Slot};
use super::value::{NoTime, nanoseconds, signed, whole, with_key};
use crate::template::{KeyRef, Sure, Tables};

/// A line that is being read.
pub(super) struct Line<'l, 'v> {
    pub(super) plan: &'l Plan,
    pub(super) rule: &'l Rule,
    /// The name of what happened.
    pub(super) event: &'l str,
    pub(super) values: &'l [Value<'v>],
}

impl<'v> Line<'_, 'v> {
    /// Adds the rows, and gives the line's time if it was asked for.
    ///
    /// # Errors
    /// What is wrong with which field; then there are no rows.
    pub(super) fn apply(&self, tables: &mut Tables<'_>) -> Result<Option<u64>, String> {
        match self.rule.action {
            Action::Ignore => return Ok(None),
            Action::IntroduceAgent => return self.introduce_agent(tables).map(|()| None),
            Action::IntroduceObject => return self.introduce_object(tables).map(|()| None),
            _ => {}
        }
        let at = self.at()?;
        match self.rule.action {
            Action::WaitBegin => self.wait(tables, at, None)?,
            Action::Wait => {
                let (field, unit) = (self.plan.waits.duration, self.plan.waits.duration_unit);
                let ns = nanoseconds(self.value(field), unit);
                let ns = ns.map_err(|why| self.bad(field, why.words()))?;
                self.wait(tables, at, Some(ns))?;
            }
            Action::WaitEnd => {
                let code = outcome_code(self.outcome()?);
                let agent = self.agent(tables)?;
                tables.rows().push(Row { code, ..Row::new(at, agent, Op::WaitEnded) });
            }
            Action::Signal | Action::Release => self.each_point(tables, at, Op::Signalled)?,
            Action::Acquire => self.each_point(tables, at, Op::Owed)?,
            Action::Reset => self.each_point(tables, at, Op::Reset)?,
            Action::State => self.state(tables, at)?,
            Action::Progress | Action::Mark | Action::FailedCall | Action::Unlisted => {
                self.remark(tables, at)?;
            }
            Action::Lost => {
                let field = self.rule.count;
                let amount = whole(self.value(field));
                let amount = amount.ok_or_else(|| self.bad(field, "not a whole number"))?;
                let agent = self.agent(tables)?;
                tables.rows().push(Row { amount, ..Row::new(at, agent, Op::Lost) });
            }
            Action::Ignore | Action::IntroduceAgent | Action::IntroduceObject => {}
        }
        Ok(Some(at))
    }

    #[inline]
    fn value(&self, slot: Slot) -> Value<'v> {
        Plan::value(slot, self.values)
    }

    fn bad(&self, slot: Slot, what: &str) -> String {
        let field = self.plan.field(slot);
        match self.value(slot) {
            Value::Missing => format!("field {field:?} is missing"),
            _ => format!("field {field:?} is {what}"),
        }
    }

    #[inline]
    fn at(&self) -> Result<u64, String> {
        let time = &self.plan.time;
        let at = nanoseconds(self.value(time.field), time.unit);
        at.and_then(|at| at.checked_sub(time.origin).ok_or(NoTime::Negative))
            .map_err(|why| format!("time: {}", self.bad(time.field, why.words())))
    }

    /// Whose line it is.
    #[inline]
    fn agent(&self, tables: &mut Tables<'_>) -> Result<u32, String> {
        let agents = &self.plan.agents;
        let field = self.rule.agent.or(agents.field);
        let value = match (self.value(field), &agents.fixed) {
            (Value::Missing | Value::Text(b"", _), Some(fixed)) => {
                Value::Text(fixed.as_bytes(), false)
            }
            (value, _) => value,
        };
        let process = self.value(agents.process);
        let place = with_key(value, |key| key.map(|key| self.agent_place(tables, key, process)));
        let place = place.map_err(|what| self.bad(field, what))?;
        let place = place.ok_or_else(|| self.bad(field, "empty"))??;
        if !self.plan.events.introduces_agents && agents.name.is_some() {
            self.name_agent(tables, place);
        }
        Ok(place)
    }

    #[inline]
    fn agent_place(
        &self,
        tables: &mut Tables<'_>,
        key: KeyRef<'_>,
        process: Value<'v>,
    ) -> Result<u32, String> {
        if process == Value::Missing {
            return Ok(tables.agent(key, |owned| self.new_agent(owned, key, None)));
        }
        let place = with_key(process, |process| match (process, key) {
            (Some(KeyRef::Number(pid)), KeyRef::Number(tid))
                if pid >> 32 == 0 && tid >> 32 == 0 =>
            {
                let both = KeyRef::Number(pid << 32 | tid);
                tables.agent(both, |owned| self.new_agent(owned, key, process))
            }
            (None, _) => tables.agent(key, |owned| self.new_agent(owned, key, None)),
            (Some(pid), _) => {
                let both = format!("{}/{}", words(pid), words(key));
                let make = |owned| self.new_agent(owned, key, process);
                tables.agent(KeyRef::Text(&both), make)
            }
        });
        place.map_err(|what| self.bad(self.plan.agents.process, what))
    }

    /// An agent's entry when it is first met.
    fn new_agent(&self, owned: Key, key: KeyRef<'_>, process: Option<KeyRef<'_>>) -> AgentEntry {
        let agents = &self.plan.agents;
        let small = |key| match key {
            Some(KeyRef::Number(number)) => u32::try_from(number).unwrap_or(0),
            _ => 0,
        };
        let own = words(key);
        let by_key = agents.kinds.iter().find(|(name, _)| **name == *own).map(|(_, kind)| *kind);
        let kind = by_key.or(agents.kind);
        let name = if let KeyRef::Text(text) = key { text.into() } else { "".into() };
        AgentEntry {
            introduced: kind.is_some(),
            kind: kind.unwrap_or(AgentKind::Outside),
            name,
            pid: small(process),
            tid: small(Some(key)),
            ..AgentEntry::unknown(owned)
        }
    }

    fn name_agent(&self, tables: &mut Tables<'_>, place: u32) {
        let Some(name) = self.value(self.plan.agents.name).text() else { return };
        let news = !name.is_empty() && tables.agent_name(place) != Some(&*name);
        if let Some(entry) = news.then(|| tables.agent_entry(place)).flatten() {
            entry.name = (*name).into();
        }
    }

    fn introduce_agent(&self, tables: &mut Tables<'_>) -> Result<(), String> {
        let place = self.agent(tables)?;
        self.name_agent(tables, place);
        let word = self.value(self.plan.agents.kind_field).text();
        let kinds = &self.plan.agents.kind_names;
        let kind = word.and_then(|word| kinds.iter().find(|(name, _)| **name == *word));
        if let Some(entry) = tables.agent_entry(place) {
            entry.introduced = true;
            entry.kind = kind.map_or(entry.kind, |(_, kind)| *kind);
        }
        Ok(())
    }

    fn introduce_object(&self, tables: &mut Tables<'_>) -> Result<(), String> {
        let field = self.rule.object.or(self.plan.objects.field);
        let label = self.value(self.plan.objects.label).text().filter(|label| !label.is_empty());
        let kind = self.object_kind().or(self.rule.object_kind);
        let place = with_key(self.value(field), |key| key.map(|key| self.object(tables, key)));
        let place = place.map_err(|what| self.bad(field, what))?;
        let place = place.ok_or_else(|| self.bad(field, "empty"))?;
        if let Some(entry) = tables.object_entry(place, Sure::Told) {
            entry.introduced = true;
            entry.kind = kind.unwrap_or(entry.kind);
            entry.label = label.map_or_else(|| entry.label.clone(), |label| (*label).into());
        }
        Ok(())
    }

    /// What the line says that its object is.
    fn object_kind(&self) -> Option<unwedge_trace::ObjectKind> {
        let word = self.value(self.plan.objects.kind_field).text()?;
        self.plan.objects.kinds.iter().find(|(name, _)| **name == *word).map(|(_, kind)| *kind)
    }

    /// The place of an object that the line names.
    #[inline]
    fn object(&self, tables: &mut Tables<'_>, key: KeyRef<'_>) -> u32 {
        let objects = &self.plan.objects;
        let place = tables.object(key, |owned| {
            let (handle, label) = match key {
                KeyRef::Number(number) => (number, "".into()),
                KeyRef::Text(text) => (0, text.into()),
            };
            let unknown = ObjectEntry::unknown(owned);
            let kind = objects.kind.unwrap_or(unknown.kind);
            ObjectEntry { introduced: objects.kind.is_some(), kind, handle, label, ..unknown }
        });
        let mut kind = self.rule.object_kind;
        if !self.plan.events.introduces_objects && objects.kind_field.is_some() {
            kind = self.object_kind().or(kind);
        }
        if let Some(kind) = kind
            && let Some(entry) = tables.object_entry(place, Sure::FromUse)
        {
            (entry.introduced, entry.kind) = (true, kind);
        }
        place
    }

    /// Every object that the line names, one after the other.
    #[inline]
    fn each_object(
        &self,
        tables: &mut Tables<'_>,
        mut each: impl FnMut(&mut Tables<'_>, u32),
    ) -> Result<u32, String> {
        let objects = &self.plan.objects;
        let (list, one) = (self.value(objects.list), self.rule.object.or(objects.field));
        let (field, value) = match (self.rule.object, list) {
            (Some(_), _) | (None, Value::Missing) => (one, self.value(one)),
            (None, list) => (objects.list, list),
        };
        let mut count = 0;
        let done = value.for_each(|value| {
            let place = with_key(value, |key| key.map(|key| self.object(tables, key)))?;
            if let Some(place) = place {
                count += 1;
                each(tables, place);
            }
            Ok(())
        });
        done.map_err(|what: &str| self.bad(field, what)).map(|()| count)
    }

    /// The number of the points that the line is about.
    #[inline]
    fn point_value(&self) -> Result<u64, String> {
        let field = self.plan.objects.value;
        match self.value(field) {
            Value::Missing | Value::Text(b"next", _) => Ok(NEXT),
            value => whole(value).ok_or_else(|| self.bad(field, "not a whole number")),
        }
    }

    /// One row for each object.
    #[inline]
    fn each_point(&self, tables: &mut Tables<'_>, at: u64, op: Op) -> Result<(), String> {
        let value = if op == Op::Reset { 0 } else { self.point_value()? };
        let agent = self.agent(tables)?;
        let first = tables.rows().len();
        let count = self.each_object(tables, |tables, object| {
            tables.rows().push(Row { object, value, ..Row::new(at, agent, op) });
        });
        match count {
            Ok(0) if !self.rule.optional => {
                Err(self.bad(self.rule.object.or(self.plan.objects.field), "empty"))
            }
            Ok(_) => Ok(()),
            Err(error) => {
                tables.rows().truncate(first);
                Err(error)
            }
        }
    }

    fn wait(&self, tables: &mut Tables<'_>, at: u64, ns: Option<u64>) -> Result<(), String> {
        let waits = &self.plan.waits;
        let (bound, mode, value) = (self.bound()?, self.mode()?, self.point_value()?);
        let outcome = if ns.is_some() { self.outcome()? } else { Outcome::Reached };
        let (began, ended) = match ns {
            Some(ns) if waits.stamp_is_end => (at.saturating_sub(ns), at),
            ns => (at, at.saturating_add(ns.unwrap_or(0))),
        };
        let agent = self.agent(tables)?;
        let name = tables.plain_name(&self.call());
        let mut code = wait_code(bound, mode);
        if ns.is_none() && waits.ends_with_next_event {
            code |= ENDS_WITH_NEXT_EVENT;
        }
        let first = tables.rows().len();
        let row = Row {
            name,
            code,
            amount: bound_amount(bound),
            ..Row::new(began, agent, Op::WaitBegan)
        };
        tables.rows().push(row);
        let mut count = 0;
        let done = self.each_object(tables, |tables, object| {
            count += 1;
            if let (1, Some(row)) = (count, tables.rows().last_mut()) {
                (row.object, row.value) = (object, value);
            } else {
                let row = Row::new(began, agent, Op::MorePoint);
                tables.rows().push(Row { object, value, ..row });
            }
        });
        if let Err(error) = done {
            tables.rows().truncate(first);
            return Err(error);
        }
        if ns.is_some() {
            let code = outcome_code(outcome);
            tables.rows().push(Row { code, ..Row::new(ended, agent, Op::WaitEnded) });
        }
        Ok(())
    }

    fn bound(&self) -> Result<Bound, String> {
        let waits = &self.plan.waits;
        let value = self.value(waits.bound);
        if value == Value::Missing {
            return Ok(Bound::Infinite);
        }
        if !waits.infinite.is_empty() {
            let text = value.text().unwrap_or_default();
            if waits.infinite.iter().any(|infinite| **infinite == *text) {
                return Ok(Bound::Infinite);
            }
        }
        let ns = nanoseconds(value, waits.bound_unit);
        ns.map(Bound::Ns).map_err(|why| self.bad(waits.bound, why.words()))
    }

    fn mode(&self) -> Result<Mode, String> {
        let field = self.plan.objects.mode;
        match self.value(field).text().as_deref() {
            None | Some("all") => Ok(Mode::All),
            Some("any") => Ok(Mode::Any),
            Some(_) => Err(self.bad(field, "neither \"any\" nor \"all\"")),
        }
    }

    fn outcome(&self) -> Result<Outcome, String> {
        if let Some(outcome) = self.rule.outcome {
            return Ok(outcome);
        }
        let field = self.plan.waits.result;
        let value = self.value(field);
        if value == Value::Missing {
            return Ok(Outcome::Reached);
        }
        let word = value.text().unwrap_or_default();
        let found = self.plan.waits.results.iter().find(|(name, _)| **name == *word);
        found
            .map(|(_, outcome)| *outcome)
            .ok_or_else(|| self.bad(field, &format!("{word:?}, which wait.results does not have")))
    }

    /// The call that a wait or a remark is about.
    #[inline]
    fn call(&self) -> Cow<'_, [u8]> {
        if self.rule.action == Action::Unlisted {
            return Cow::Borrowed(self.event.as_bytes());
        }
        match (&self.rule.call, self.value(self.plan.waits.call).bytes()) {
            (Some(call), _) => Cow::Borrowed(call.as_bytes()),
            (None, Some(call)) if !call.is_empty() => call,
            _ => Cow::Borrowed(self.event.as_bytes()),
        }
    }

    fn state(&self, tables: &mut Tables<'_>, at: u64) -> Result<(), String> {
        let agents = &self.plan.agents;
        let amount = match self.value(agents.cpu) {
            Value::Missing => 0,
            value => {
                let cpu = whole(value).filter(|cpu| u32::try_from(*cpu).is_ok());
                cpu.ok_or_else(|| self.bad(agents.cpu, "not the number of a processor"))? + 1
            }
        };
        let priority = match self.value(agents.priority) {
            Value::Missing => None,
            value => {
                let priority = signed(value);
                Some(priority.ok_or_else(|| self.bad(agents.priority, "not a priority"))?)
            }
        };
        let detail = self.value(agents.detail).text().unwrap_or_default();
        let detail = self.rule.text.as_deref().unwrap_or(&detail);
        let agent = self.agent(tables)?;
        let name = tables.name(detail);
        let (code, value) = (state_code(self.rule.state), priority_value(priority));
        let row = Row::new(at, agent, Op::State);
        tables.rows().push(Row { code, name, amount, value, ..row });
        Ok(())
    }

    /// Progress, a mark, a failed call.
    fn remark(&self, tables: &mut Tables<'_>, at: u64) -> Result<(), String> {
        let agent = self.agent(tables)?;
        let text = self.rule.text.as_deref().map(|text| Cow::Borrowed(text.as_bytes()));
        let text = text.unwrap_or_else(|| self.call());
        let (op, kind) = match self.rule.action {
            Action::Progress => (Op::Progress, None),
            Action::FailedCall => (Op::Mark, Some(MarkKind::FailedCall)),
            _ => (Op::Mark, Some(MarkKind::Log)),
        };
        let result = || self.value(self.plan.waits.result).text();
        let name = match kind.filter(|kind| *kind == MarkKind::FailedCall).and_then(|_| result()) {
            Some(result) => tables.name(&format!("{}: {result}", String::from_utf8_lossy(&text))),
            _ => tables.plain_name(&text),
        };
        let row = Row { code: kind.map_or(0, mark_code), name, ..Row::new(at, agent, op) };
        let first = tables.rows().len();
        tables.rows().push(row);
        let about_objects = kind == Some(MarkKind::FailedCall) || self.rule.object.is_some();
        if op == Op::Progress || !about_objects {
            return Ok(());
        }
        let mut count = 0;
        let done = self.each_object(tables, |tables, object| {
            count += 1;
            if let (1, Some(row)) = (count, tables.rows().last_mut()) {
                row.object = object;
            } else {
                tables.rows().push(Row { object, op: Op::MoreObject, name: NONE, ..row });
            }
        });
        if done.is_err() {
            tables.rows().truncate(first);
        }
        done.map(|_| ())
    }
}

/// A key as a person writes it.
fn words(key: KeyRef<'_>) -> Cow<'_, str> {
    match key {
        KeyRef::Number(number) => Cow::Owned(number.to_string()),
        KeyRef::Text(text) => Cow::Borrowed(text),
    }
}
