//! How do the summaries of two neighbouring stretches become one?

use std::collections::HashMap;

use unwedge_trace::row::NONE;

use super::agent::{Agent, End, Value, Wait};
use super::fold::complete;
use super::lane::{Class, Lane};
use super::object::Object;
use super::table::{AGENTS_MAX, Names, OBJECTS_MAX};
use super::{Stamp, Summary};

/// Where the places of the later stretch are in the earlier one's tables.
struct Places {
    agents: Vec<u32>,
    objects: Vec<u32>,
}

impl Places {
    fn agent(&self, place: u32) -> u32 {
        self.agents.get(place as usize).copied().unwrap_or(NONE)
    }

    fn object(&self, place: u32) -> u32 {
        self.objects.get(place as usize).copied().unwrap_or(NONE)
    }
}

impl Summary {
    /// Takes in the summary of the stretch that follows.
    pub fn merge(&mut self, mut later: Self) {
        if self.rows == 0 && self.agents.entries.is_empty() && self.objects.entries.is_empty() {
            *self = later;
            let all = |count: usize| (0..u32::try_from(count).unwrap_or(NONE)).collect::<Vec<_>>();
            let (agents, objects) = (self.agents.entries.len(), self.objects.entries.len());
            self.keep_lists_short(&all(agents), &all(objects));
            return;
        }
        let rows = self.rows;
        if later.rows > 0 {
            self.backwards += u64::from(rows > 0 && later.first_at < self.last_at);
            self.last_at = later.last_at;
        }
        if rows == 0 {
            self.first_at = later.first_at;
        }
        self.rows += later.rows;
        self.events += later.events;
        self.latest_at = self.latest_at.max(later.latest_at);
        self.backwards += later.backwards;
        self.lost = self.lost.saturating_add(later.lost);
        self.lost_at = self.lost_at.max(later.lost_at);
        self.untracked_agents += later.untracked_agents;
        self.untracked_objects += later.untracked_objects;
        let places = self.places(&later);
        later.relocate(rows, &places, &mut self.names);
        later.number_from(self);
        self.end_waits(&later, &places);
        self.coverage_told.append(&mut later.coverage_told);
        for (object, same_as) in later.aliases.iter() {
            self.aliases.add(object, same_as);
        }
        for (agent, place) in later.agents.entries.into_iter().zip(&places.agents) {
            self.agents.get_mut(*place).into_iter().for_each(|known| known.merge(&agent));
        }
        for (object, place) in later.objects.entries.into_iter().zip(&places.objects) {
            if let Some(known) = self.objects.get_mut(*place) {
                known.merge(object);
            }
        }
        self.lanes.untracked += later.lanes.untracked;
        for lane in later.lanes.entries {
            self.lanes.merge(lane);
        }
        self.marks.merge(later.marks);
        self.keep_lists_short(&places.agents, &places.objects);
        self.keep_histograms_small();
        self.keep_names_few();
    }

    /// Drops the texts that nothing names any more, if there are many.
    pub(super) fn keep_names_few(&mut self) {
        if self.names.is_crowded() {
            self.tidy_names();
            self.names = std::mem::take(&mut self.names).allow_twice();
        }
    }

    /// Finds the later stretch's things in the tables, adding those that are new.
    fn places(&mut self, later: &Self) -> Places {
        let agents = later.agents.entries.iter().map(|agent| {
            self.agents
                .place(&agent.entry.key)
                .or_else(|| self.agents.push(Agent::of(&agent.entry), AGENTS_MAX))
        });
        let agents: Vec<u32> = agents.map(|place| place.unwrap_or(NONE)).collect();
        let objects = later.objects.entries.iter().map(|object| {
            self.objects
                .place(&object.entry.key)
                .or_else(|| self.objects.push(Object::of(&object.entry), OBJECTS_MAX))
        });
        let objects: Vec<u32> = objects.map(|place| place.unwrap_or(NONE)).collect();
        let without_place = |place: &u32| *place == NONE;
        let events = later.agents.entries.iter().map(|agent| agent.events);
        let events = events.zip(&agents).filter(|(_, place)| without_place(place));
        self.untracked_agents += events.map(|(events, _)| events).sum::<u64>();
        let named = later.objects.entries.iter().map(|object| object.named);
        let named = named.zip(&objects).filter(|(_, place)| without_place(place));
        self.untracked_objects += named.map(|(named, _)| named).sum::<u64>();
        Places { agents, objects }
    }

    /// Writes everything in terms of the earlier stretch's tables, `rows` rows further on.
    fn relocate(&mut self, rows: u64, places: &Places, names: &mut Names) {
        let ours = std::mem::take(&mut self.names);
        let mut cache = HashMap::new();
        let mut name = |place: &mut u32| {
            if *place != NONE {
                *place = *cache.entry(*place).or_insert_with(|| names.intern(ours.get(*place)));
            }
        };
        for agent in &mut self.agents.entries {
            agent.stamps().for_each(|stamp| stamp.shift(rows));
            agent.places(|object| *object = places.object(*object), &mut name);
        }
        for object in &mut self.objects.entries {
            object.stamps(|stamp| stamp.shift(rows));
            object.places(
                |agent| *agent = places.agent(*agent),
                |object| *object = places.object(*object),
            );
        }
        let lanes = std::mem::take(&mut self.lanes);
        self.lanes.untracked = lanes.untracked;
        self.lanes.entries = lanes.entries;
        self.lanes.entries.retain_mut(|lane| {
            lane.relocate(rows, places.agent(lane.agent), |object| places.object(object), &mut name)
        });
        for mark in self.marks.iter_mut() {
            mark.stamp.shift(rows);
            mark.by = places.agent(mark.by);
            name(&mut mark.text);
            mark.objects.iter_mut().for_each(|object| *object = places.object(*object));
            mark.objects.retain(|object| *object != NONE);
        }
        self.aliases = self
            .aliases
            .relocated(|object| Some(places.object(object)).filter(|place| *place != NONE));
    }

    /// Counts on from the signals of the earlier stretch.
    fn number_from(&mut self, earlier: &Self) {
        for agent in &mut self.agents.entries {
            for point in agent.wait.iter_mut().flat_map(Wait::points_mut) {
                if let (Value::After(signals), Some(object)) =
                    (&mut point.value, earlier.objects.get(point.object))
                {
                    *signals += object.signals;
                }
            }
        }
    }

    /// Ends the waits of the earlier stretch whose ends are in the later one.
    fn end_waits(&mut self, later: &Self, places: &Places) {
        let mut first_signals: Option<HashMap<u32, Stamp>> = None;
        for (agent, place) in later.agents.entries.iter().zip(&places.agents) {
            let Some(known) = self.agents.get_mut(*place) else { continue };
            let implicit = known.wait.as_ref().is_some_and(Wait::ends_with_next_event);
            let end = match agent.head_end {
                _ if implicit && agent.events > 0 => End { stamp: agent.first, outcome: 0 },
                Some(end) => end,
                None => continue,
            };
            let Some(wait) = known.wait.take() else { continue };
            let firsts = first_signals.get_or_insert_with(|| {
                let objects = later.objects.entries.iter().zip(&places.objects);
                objects.filter_map(|(object, place)| Some((*place, object.first_signal?))).collect()
            });
            let first = |object: u32| firsts.get(&object).copied();
            complete(known, *place, &wait, end, &mut self.objects, &mut self.lanes, first);
        }
    }

    /// Drops the texts that nothing names, and orders the rest by their use.
    pub(super) fn tidy_names(&mut self) {
        let old = std::mem::take(&mut self.names);
        let names = &mut self.names;
        let mut name = |place: &mut u32| *place = names.intern(old.get(*place));
        for agent in &mut self.agents.entries {
            agent.places(|_| {}, &mut name);
        }
        for lane in &mut self.lanes.entries {
            lane.names(&mut name);
        }
        self.lanes.forget_index();
        for mark in self.marks.iter_mut() {
            name(&mut mark.text);
        }
    }

    /// The one form of all those that mean the same.
    #[must_use]
    pub fn in_normal_form(mut self) -> Self {
        self.tidy_names();
        self
    }
}

impl Agent {
    pub(super) fn stamps(&mut self) -> impl Iterator<Item = &mut Stamp> {
        let state = self.state.as_mut().map(|state| [&mut state.stamp, &mut state.since]);
        let many = [&mut self.first, &mut self.last];
        many.into_iter()
            .chain(self.head_end.as_mut().map(|end| &mut end.stamp))
            .chain(self.wait.as_mut().map(|wait| &mut wait.stamp))
            .chain(self.reached.as_mut())
            .chain(self.last_ended.as_mut().map(|(_, stamp)| stamp))
            .chain(state.into_iter().flatten())
            .chain(self.progress.as_mut().map(|(stamp, _)| stamp))
    }

    fn places(&mut self, mut object: impl FnMut(&mut u32), name: &mut impl FnMut(&mut u32)) {
        if let Some(wait) = &mut self.wait {
            name(&mut wait.call);
            wait.points_mut().for_each(|point| object(&mut point.object));
            wait.point = wait.point.filter(|point| point.object != NONE);
            wait.more.retain(|point| point.object != NONE);
        }
        if let Some((ended, _)) = &mut self.last_ended {
            object(ended);
        }
        if let Some(state) = &mut self.state {
            name(&mut state.detail);
        }
        if let Some((_, text)) = &mut self.progress {
            name(text);
        }
    }

    /// Takes in the same agent's later stretch; a wait that is ended there is ended already.
    fn merge(&mut self, later: &Self) {
        self.describe(&later.entry);
        if later.events > 0 {
            if self.events == 0 {
                self.first = later.first;
            }
            self.last = later.last;
            self.events += later.events;
        }
        if !self.has_begun {
            self.head_end = self.head_end.or(later.head_end);
        }
        if later.has_begun {
            self.has_begun = true;
            self.wait.clone_from(&later.wait);
        }
        self.reached = later.reached.or(self.reached);
        self.last_ended = later.last_ended.or(self.last_ended);
        self.progress = later.progress.or(self.progress);
        self.progress_count += later.progress_count;
        self.merge_states(later);
    }
}

impl Object {
    pub(super) fn stamps(&mut self, mut each: impl FnMut(&mut Stamp)) {
        self.first_signal.iter_mut().for_each(&mut each);
        let touches = [&mut self.last_signal, &mut self.last_reset, &mut self.last_taken];
        touches.into_iter().flatten().for_each(|touch| each(&mut touch.stamp));
        self.reached.iter_mut().for_each(|reached| each(&mut reached.stamp));
        self.debts.iter_mut().chain(&mut self.last_debt).for_each(|debt| each(&mut debt.stamp));
        self.customary.iter_mut().for_each(|custom| each(&mut custom.stamp));
        for holder in &mut self.holders {
            if holder.opens > 0 {
                each(&mut holder.since);
            }
            if holder.takes > 0 {
                each(&mut holder.last);
            }
        }
    }

    fn places(&mut self, mut agent: impl FnMut(&mut u32), mut object: impl FnMut(&mut u32)) {
        let touches = [&mut self.last_signal, &mut self.last_reset, &mut self.last_taken];
        touches.into_iter().flatten().for_each(|touch| agent(&mut touch.by));
        self.reached.iter_mut().for_each(|reached| agent(&mut reached.by));
        for debt in self.debts.iter_mut().chain(&mut self.last_debt) {
            agent(&mut debt.debtor);
            debt.via.iter_mut().for_each(&mut agent);
            debt.after.iter_mut().for_each(|(after, _)| object(after));
            debt.after = debt.after.filter(|(after, _)| *after != NONE);
        }
        self.customary.iter_mut().for_each(|custom| agent(&mut custom.agent));
        self.customary.retain(|custom| custom.agent != NONE);
        for holder in &mut self.holders {
            agent(&mut holder.agent);
            holder.via.iter_mut().for_each(&mut agent);
        }
        self.holders.retain(|holder| holder.agent != NONE);
    }
}

impl Lane {
    /// Whether it still has its agent and object.
    fn relocate(
        &mut self,
        rows: u64,
        agent: u32,
        object: impl Fn(u32) -> u32,
        name: &mut impl FnMut(&mut u32),
    ) -> bool {
        self.agent = agent;
        if self.class != Class::Progress {
            self.object = object(self.object);
        }
        self.names(name);
        if let Some(waits) = &mut self.waits {
            waits.shift(rows);
        }
        agent != NONE && (self.class == Class::Progress || self.object != NONE)
    }

    fn names(&mut self, name: &mut impl FnMut(&mut u32)) {
        if self.class == Class::Progress {
            name(&mut self.object);
        }
        if let Some((_, call)) = self.waits.as_mut().and_then(|waits| waits.last.as_mut()) {
            name(call);
        }
    }
}
