//! What if everything is many? The lists of agents and objects together have a bound too; what it costs is counted as lost.

use super::Summary;
use super::agent::{Agent, WaitPoint};
use super::lane::Lane;

/// All lists of agents and objects together. Bytes.
const BYTES_MAX: usize = 64 << 20;
/// All histograms together. Bytes.
const HISTOGRAM_BYTES_MAX: usize = 64 << 20;
/// Of one list, when there is first too much of everything; then half of it, and so on.
const LIST_MAX: usize = 64;

/// What each agent and object takes beyond what all of them take.
#[derive(Clone, Debug, Default)]
pub(super) struct Beyond {
    agents: Vec<u32>,
    objects: Vec<u32>,
    total: usize,
}

impl Beyond {
    pub(super) fn bytes(&self) -> usize {
        self.total
    }

    /// Exchanges what one takes, in a list of such amounts.
    fn set(amounts: &mut Vec<u32>, total: &mut usize, place: u32, bytes: usize) {
        let place = place as usize;
        if amounts.len() <= place {
            amounts.resize(place + 1, 0);
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        *total = *total - amounts[place] as usize + bytes as usize;
        amounts[place] = bytes;
    }
}

impl Agent {
    fn bytes_beyond(&self) -> usize {
        self.wait.as_ref().map_or(0, |wait| wait.more.len() * size_of::<WaitPoint>())
    }
}

impl Summary {
    /// Looks again at what these take, and makes room if all take too much.
    pub(super) fn keep_lists_short(&mut self, agents: &[u32], objects: &[u32]) {
        let beyond = &mut self.beyond;
        for place in agents {
            if let Some(agent) = self.agents.get(*place) {
                Beyond::set(&mut beyond.agents, &mut beyond.total, *place, agent.bytes_beyond());
            }
        }
        for place in objects {
            if let Some(object) = self.objects.get(*place) {
                Beyond::set(&mut beyond.objects, &mut beyond.total, *place, object.bytes_beyond());
            }
        }
        let mut most = LIST_MAX;
        while self.beyond.total > BYTES_MAX && most > 0 {
            self.shed(most);
            most /= 2;
        }
    }

    /// Makes every histogram coarse if all are too large: that costs precision and no evidence.
    pub(super) fn keep_histograms_small(&mut self) {
        let lanes = &mut self.lanes.entries;
        if lanes.iter().map(Lane::bytes_beyond).sum::<usize>() > HISTOGRAM_BYTES_MAX {
            lanes.iter_mut().for_each(Lane::coarsen);
        }
    }

    /// Shortens every list. Who is dropped from one might be the one who owes: that is a loss.
    fn shed(&mut self, most: usize) {
        let mut beyond = Beyond::default();
        let mut dropped = 0;
        for (object, place) in self.objects.entries.iter_mut().zip(0..) {
            dropped += object.shed(most);
            Beyond::set(&mut beyond.objects, &mut beyond.total, place, object.bytes_beyond());
        }
        for (agent, place) in self.agents.entries.iter_mut().zip(0..) {
            if let Some(wait) = agent.wait.as_mut().filter(|wait| wait.more.len() > most) {
                dropped += (wait.more.len() - most) as u64;
                wait.more.truncate(most);
                wait.more.shrink_to_fit();
            }
            Beyond::set(&mut beyond.agents, &mut beyond.total, place, agent.bytes_beyond());
        }
        self.lost = self.lost.saturating_add(dropped);
        if dropped > 0 {
            self.lost_at = Some(self.latest_at);
        }
        self.beyond = beyond;
    }
}
