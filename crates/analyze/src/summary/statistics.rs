//! What do the counts say? Who waits, who dominates, what is regular, who starves, who never signals.

use std::cmp::Reverse;

use unwedge_trace::row::state_from_code;
use unwedge_trace::{AgentId, AgentState, Point, Timestamp};

use super::Summary;
use super::agent::Agent;
use super::distil::{Ids, POLLS_MIN};
use super::lane::{Class, Lane};
use super::shape;
use crate::graph::Level;
use crate::graph::idle::{STARVED_NS_MIN, runs_instead};
use crate::replay::{self, State};
use crate::report::{
    Coverage, PollRun, Rate, Share, SilentProducer, Starved, Statistics, WedgeEntry, Woken,
};
use crate::story::Scene;
use crate::words;

/// Entries of the wedge map.
const WAITS_MAX: usize = 256;
/// Entries of every other list.
const LISTED_MAX: usize = 32;
/// Fewer of something than these have no rate.
const RATE_COUNT_MIN: u64 = 8;
/// Runs without a signal that make a producer silent.
const SILENT_RUNS_MIN: u64 = 8;

/// What all lists are made from.
struct Counting<'a, 'r> {
    summary: &'a Summary,
    ids: Ids,
    state: &'a State<'r>,
    scene: Scene<'a, 'r>,
    now: Timestamp,
}

impl Summary {
    /// The counts, told about a scene, which was replayed from the distilled recording.
    pub(super) fn statistics(&self, scene: Scene<'_, '_>) -> Statistics {
        let (state, ids) = (scene.state, Ids::of(self));
        let counting = Counting { summary: self, ids, state, scene, now: state.now };
        let waits = state.agents.keys().filter(|id| state.wait(**id).is_some()).count();
        let wedge_map = counting.wedge_map();
        let is_exited = |agent: &&Agent| {
            agent.state.is_some_and(|now| state_from_code(now.state) == AgentState::Exited)
        };
        let exited = self.agents.entries.iter().filter(is_exited).count() as u64;
        Statistics {
            events: self.events,
            span_ms: self.latest_at.saturating_sub(self.first_at) as f64 / 1e6,
            agents_alive: self.agents.entries.len() as u64 - exited,
            agents_exited: exited,
            backwards: self.backwards,
            wedge_map_more: (waits - wedge_map.len()) as u64,
            wedge_map,
            dominance: counting.dominance(),
            poll_runs: counting.poll_runs(),
            rates: counting.rates(),
            starved: counting.starved(),
            silent_producers: counting.silent_producers(),
            coverage: self
                .coverage()
                .into_iter()
                .filter(|(_, reached, _)| *reached > 0)
                .map(|(kind, reached, explained)| {
                    let poor = state.poorly_covered(kind).is_some();
                    Coverage { kind, reached, explained, poor }
                })
                .collect(),
        }
    }
}

impl Counting<'_, '_> {
    fn agent_id(&self, place: u32) -> AgentId {
        self.ids.agent(self.summary, place)
    }

    fn say_agent(&self, place: u32) -> String {
        self.state.say_agent(self.agent_id(place))
    }

    fn say_object(&self, place: u32) -> String {
        self.state.say_object(self.ids.object(self.summary, place))
    }

    fn ms_ago(&self, at: u64) -> f64 {
        self.now.ms_since(Timestamp(at))
    }

    fn wedge_map(&self) -> Vec<WedgeEntry> {
        let Scene { state, graph, live } = self.scene;
        let mut waiting: Vec<_> =
            state.agents.keys().filter_map(|id| Some((*id, state.wait(*id)?))).collect();
        // Of a million idle threads, those that are not idle must not be cut off.
        let stuck = |id| live.agent_level(graph, id) == Level::No;
        waiting.sort_by_key(|(id, wait)| (!stuck(*id), wait.since, *id));
        let places: std::collections::HashMap<AgentId, u32> = (0
            ..self.summary.agents.entries.len() as u32)
            .map(|place| (self.agent_id(place), place))
            .collect();
        let entry = |(id, wait): (AgentId, &crate::replay::Wait<'_>)| {
            let points: Vec<Point> = wait.points.clone();
            let names: Vec<String> = points.iter().map(|point| state.say_point(*point)).collect();
            let woken = places.get(&id).and_then(|place| self.woken(*place));
            WedgeEntry {
                agent: id.0,
                name: state.say_agent(id),
                call: words::printable(wait.call),
                object: if names.is_empty() { String::new() } else { words::list(&names, 3) },
                since_ms: state.now.ms_since(wait.since),
                polls: match wait.bound {
                    unwedge_trace::Bound::Polls(polls) => Some(polls),
                    _ => None,
                },
                wedged: stuck(id),
                idle: woken.map(|(times, longest)| idle_in_words(times, longest)),
                woken: woken
                    .map(|(times, longest)| Woken { times, longest_ms: longest as f64 / 1e6 }),
            }
        };
        waiting.into_iter().take(WAITS_MAX).map(entry).collect()
    }

    /// How often an agent's earlier waits on the same object were reached, and after how many nanoseconds at most.
    fn woken(&self, place: u32) -> Option<(u64, u64)> {
        let agent = self.summary.agents.get(place)?;
        let object = agent.wait.as_ref()?.only_object()?;
        let mut lanes = self.summary.lanes.entries.iter();
        let lane = lanes
            .find(|lane| (lane.agent, lane.object, lane.class) == (place, object, Class::Wait))?;
        let waits = lane.waits.as_ref().filter(|waits| waits.reached > 0)?;
        Some((waits.reached, waits.took_reached.max()?))
    }

    fn dominance(&self) -> Vec<Share> {
        let all = self.summary.events.max(1) as f64;
        let mut agents: Vec<(u64, u32)> =
            self.summary.agents.entries.iter().map(|agent| agent.events).zip(0..).collect();
        agents.retain(|(events, _)| *events > 0);
        agents.sort_by_key(|(events, place)| (Reverse(*events), self.agent_id(*place)));
        let share = |(events, place): (u64, u32)| Share {
            agent: self.agent_id(place).0,
            name: self.say_agent(place),
            events,
            share: events as f64 / all,
        };
        agents.into_iter().take(LISTED_MAX).map(share).collect()
    }

    fn poll_runs(&self) -> Vec<PollRun> {
        let run = |lane: &Lane| {
            let waits = lane.waits.as_ref().filter(|waits| waits.run.polls >= POLLS_MIN)?;
            let (bound, call) = waits.last?;
            Some(PollRun {
                agent: self.agent_id(lane.agent).0,
                name: self.say_agent(lane.agent),
                call: words::printable(self.summary.names.get(call)),
                object: self.say_object(lane.object),
                polls: waits.run.polls,
                bound_ms: bound as f64 / 1e6,
                since_ms: self.ms_ago(waits.run.began.at),
                signals: self.summary.objects.get(lane.object).map_or(0, |object| object.signals),
            })
        };
        let mut runs: Vec<PollRun> = self.summary.lanes.entries.iter().filter_map(run).collect();
        runs.sort_by_key(|run| (Reverse(run.polls), run.agent));
        runs.truncate(LISTED_MAX);
        runs
    }

    fn rates(&self) -> Vec<Rate> {
        let mut lanes: Vec<&Lane> =
            self.summary.lanes.entries.iter().filter(|lane| lane.count >= RATE_COUNT_MIN).collect();
        lanes.sort_by_cached_key(|lane| {
            let object = self.ids.object(self.summary, lane.object);
            (Reverse(lane.count), self.agent_id(lane.agent), object, lane.class, lane.first_at)
        });
        lanes.into_iter().take(LISTED_MAX).map(|lane| self.rate(lane)).collect()
    }

    fn rate(&self, lane: &Lane) -> Rate {
        let (what, object) = match lane.class {
            Class::Wait => ("waits", self.say_object(lane.object)),
            Class::Signal => ("signals", self.say_object(lane.object)),
            Class::Progress => ("progress", words::printable(self.summary.names.get(lane.object))),
        };
        let span = lane.last_at.saturating_sub(lane.first_at) as f64 / 1e9;
        let ms = |ns: Option<u64>| ns.unwrap_or(0) as f64 / 1e6;
        Rate {
            agent: self.agent_id(lane.agent).0,
            name: self.say_agent(lane.agent),
            what,
            object,
            count: lane.count,
            hz: if span > 0.0 { (lane.count - 1) as f64 / span } else { 0.0 },
            gap_ms_median: ms(lane.gaps.median()),
            gap_ms_p99: ms(lane.gaps.quantile(990)),
            shape: shape::of(lane),
            gaps: shape::spread(&lane.gaps),
        }
    }

    fn starved(&self) -> Vec<Starved> {
        let state = self.state;
        let ready = state.agents.iter().filter(|(_, agent)| {
            agent.state == Some(AgentState::Ready)
                && state.now.since(agent.state_at) >= STARVED_NS_MIN
        });
        let mut ready: Vec<_> = ready.map(|(id, agent)| (agent.state_at, *id, agent)).collect();
        ready.sort_by_key(|(since, id, _)| (*since, *id));
        let starved = |(since, id, agent): (Timestamp, AgentId, &replay::Agent<'_>)| Starved {
            agent: id.0,
            name: state.say_agent(id),
            ready_ms: state.now.ms_since(since),
            cpu: agent.cpu,
            priority: agent.priority,
            instead: runs_instead(state, id).take(4).map(|id| state.say_agent(id)).collect(),
        };
        ready.into_iter().take(LISTED_MAX).map(starved).collect()
    }

    fn silent_producers(&self) -> Vec<SilentProducer> {
        let entries = &self.summary.objects.entries;
        let mut signals = vec![false; self.summary.agents.entries.len()];
        let mut owed = vec![0_u64; signals.len()];
        for object in entries {
            for custom in &object.customary {
                signals.get_mut(custom.agent as usize).into_iter().for_each(|seen| *seen = true);
            }
            for holder in &object.holders {
                if let Some(owed) = owed.get_mut(holder.agent as usize) {
                    *owed += holder.takes;
                }
            }
        }
        let silent = self.summary.agents.entries.iter().zip(0_u32..).filter(|(agent, place)| {
            agent.progress_count >= SILENT_RUNS_MIN && !signals[*place as usize]
        });
        let mut silent: Vec<SilentProducer> = silent
            .map(|(agent, place)| SilentProducer {
                agent: self.agent_id(place).0,
                name: self.say_agent(place),
                what: agent.progress.map_or_else(String::new, |(_, text)| {
                    words::printable(self.summary.names.get(text))
                }),
                runs: agent.progress_count,
                owed: owed[place as usize],
            })
            .collect();
        silent.sort_by_key(|one| (Reverse(one.owed), Reverse(one.runs), one.agent));
        silent.truncate(LISTED_MAX);
        silent
    }
}

fn idle_in_words(times: u64, longest: u64) -> String {
    let longest = words::duration(longest);
    match times {
        1 => format!("woken once before, after {longest}"),
        times => format!("woken {times} times before, after {longest} at most"),
    }
}
