//! How far is each queue, and what does it owe?

use unwedge_trace::blackbox::{
    ARMED_ACQUIRE, BATCH_CRUMB, BATCH_DROPPED, BATCH_PRESENT, BatchRecord, CRUMBS_NO_TIMELINE,
    CRUMBS_OFF, CRUMBS_ON, CRUMBS_UNKNOWN_CHAIN, DeviceRecord, QueueRecord, SEMAPHORE_TIMELINE,
};
use unwedge_trace::{
    AgentId, AgentKind, AgentState, Bound, MarkKind, Mode, ObjectId, ObjectKind, Point, What,
};

use super::{Build, Key, OUTSIDE, Signal, label, names};
use crate::sources::observations::{EngineSeen, ProcessState};

/// A queue, while the events are made.
#[derive(Clone, Copy)]
pub(super) struct Queue {
    pub(super) agent: AgentId,
    pub(super) object: ObjectId,
    /// The last batch that it is known to have passed.
    pub(super) passed: u64,
    /// Its device, index plus one.
    pub(super) device: u64,
}

impl<'s> Build<'s> {
    pub(super) fn queues(&mut self) {
        let box_ = self.box_;
        for (index, record) in &box_.queues {
            let name = match label(&record.label) {
                label if label.is_empty() => {
                    format!("family {} queue {}", record.family, record.index)
                }
                label => label,
            };
            let created = self.box_.header.created_at;
            let agent = self.new_agent(created, AgentKind::GpuQueue, name.clone(), 0);
            let key = (ObjectKind::Queue, record.device, record.handle);
            let object = self.object(key, created, &name, false);
            let queue = Queue { agent, object, passed: record.reached, device: record.device };
            self.queues.insert(*index, queue);
        }
        // A present passes with what it waits for, which may be the work of another queue.
        for (index, _) in &box_.queues {
            self.pass_presents(*index);
        }
        for (index, record) in &box_.queues {
            self.queue_debts(*index, record);
        }
        for (index, record) in &box_.queues {
            self.queue_state(*index, record);
        }
    }

    fn queue_device(&self, record: &QueueRecord) -> Option<&'s DeviceRecord> {
        let index = usize::try_from(record.device).ok()?.checked_sub(1)?;
        self.box_.devices.iter().find(|(at, _)| *at == index).map(|(_, device)| device)
    }

    /// Presents carry no breadcrumb: one has passed when all before it has and its semaphores are
    /// signalled.
    fn pass_presents(&mut self, index: usize) {
        let Some(mut queue) = self.queues.get(&index).copied() else { return };
        for batch in self.pending(index, queue.passed) {
            let next =
                batch.sequence == queue.passed.saturating_add(1) && batch.kind == BATCH_PRESENT;
            if !next || !self.open_waits(queue.device, batch).is_empty() {
                break;
            }
            queue.passed = batch.sequence;
        }
        self.queues.insert(index, queue);
    }

    /// The waits of a batch that are not known to be satisfied: device, handle, value.
    pub(super) fn open_waits(&self, device: u64, batch: &BatchRecord) -> Vec<(u64, u64)> {
        let count = usize::try_from(batch.wait_count).unwrap_or(usize::MAX);
        let waits = batch.waits.iter().take(count);
        waits.filter(|[s, v]| !self.is_signalled(device, *s, *v)).map(|[s, v]| (*s, *v)).collect()
    }

    /// Whether a semaphore is known to have reached a value. A batch that has passed is taken to
    /// have signalled its semaphores, unless a fault took that signal away.
    fn is_signalled(&self, device: u64, handle: u64, value: u64) -> bool {
        let Some(semaphore) = self.semaphores.get(&(device, handle)) else { return false };
        if semaphore.kind == SEMAPHORE_TIMELINE && value <= semaphore.value {
            return true;
        }
        let timeline = semaphore.kind == SEMAPHORE_TIMELINE;
        let all = self.signals.get(&(device, handle)).map_or(&[][..], Vec::as_slice);
        let mut signals = all.iter().filter(|signal| {
            // One of an older semaphore that had this handle does not count.
            (signal.value == value || (timeline && signal.value > value))
                && signal.batch.at >= semaphore.created_at
        });
        if timeline {
            return signals.any(|signal| self.has_signalled(signal));
        }
        match signals.next_back() {
            Some(signal) => self.has_signalled(signal),
            // An acquire signals without a batch; a batch that left the ring has long passed.
            None => {
                let acquired =
                    semaphore.armed_by == ARMED_ACQUIRE && value == semaphore.signal_operations;
                value <= semaphore.signal_operations && !acquired
            }
        }
    }

    /// Whether the batch has passed, and its signal was not taken away.
    pub(super) fn has_signalled(&self, signal: &Signal<'_>) -> bool {
        let queue = self.queues.get(&signal.queue);
        let passed = queue.is_some_and(|queue| signal.batch.sequence <= queue.passed);
        passed && signal.batch.flags & BATCH_DROPPED == 0
    }

    fn queue_debts(&mut self, index: usize, record: &QueueRecord) {
        let Some(queue) = self.queues.get(&index).copied() else { return };
        if queue.passed > 0 {
            let point = Point { object: queue.object, value: queue.passed };
            self.put(record.reached_at, queue.agent, What::Signalled { point });
            let what = format!("finished batch {}", queue.passed);
            self.put(record.reached_at, queue.agent, What::Progress { what });
        }
        for batch in self.pending(index, queue.passed) {
            let via = Some(self.thread(batch.tid));
            let point = Point { object: queue.object, value: batch.sequence };
            self.put(batch.at, queue.agent, What::Owed { point, after: None, via });
        }
    }

    fn queue_state(&mut self, index: usize, record: &QueueRecord) {
        let Some(queue) = self.queues.get(&index).copied() else { return };
        let device = self.queue_device(record);
        self.unobserved_queue(&queue, device);
        if let Some(device) = device.filter(|device| device.lost_at != 0) {
            let detail = format!("its device is lost: {} said so", names::call(device.lost_call));
            let state =
                What::State { state: AgentState::Exited, detail, cpu: None, priority: None };
            self.put(device.lost_at, queue.agent, state);
            return;
        }
        let Some(head) = self.pending(index, queue.passed).into_iter().next() else { return };
        let open = self.open_waits(queue.device, head);
        if !open.is_empty() && self.seen.process == ProcessState::Stopped {
            // Perhaps for what one of the stopped threads was about to do.
            return;
        }
        let began = head.at.max(record.reached_at);
        if open.is_empty() {
            let (state, detail) = self.engine(queue.device);
            self.put(
                self.now,
                queue.agent,
                What::State { state, detail, cpu: None, priority: None },
            );
            if head.flags & BATCH_CRUMB == 0 && head.kind != BATCH_PRESENT {
                let text = format!("batch {} carries no breadcrumb of its own", head.sequence);
                self.mark(head.at, OUTSIDE, MarkKind::Unobserved, text, vec![queue.object]);
            }
            return;
        }
        let points =
            open.into_iter().map(|(s, v)| self.semaphore_point(queue.device, s, v)).collect();
        let call = match head.kind {
            BATCH_PRESENT => format!("batch {}, a present", head.sequence),
            _ => format!("batch {}", head.sequence),
        };
        let wait = What::WaitBegan { call, points, mode: Mode::All, bound: Bound::Infinite };
        self.put(began, queue.agent, wait);
    }

    /// The point of a semaphore operation.
    pub(super) fn semaphore_point(&mut self, device: u64, handle: u64, value: u64) -> Point {
        let timeline =
            self.semaphores.get(&(device, handle)).is_none_or(|s| s.kind == SEMAPHORE_TIMELINE);
        let kind =
            if timeline { ObjectKind::TimelineSemaphore } else { ObjectKind::BinarySemaphore };
        let object = self.semaphore_object((kind, device, handle));
        Point { object, value }
    }

    fn semaphore_object(&mut self, key: Key) -> ObjectId {
        match self.semaphores.get(&(key.1, key.2)).copied() {
            Some(record) => self.known_semaphore(key, record),
            None => {
                let object = self.object(key, self.box_.header.created_at, "", true);
                let text = format!("semaphore {:#x} is not in the layer's tables", key.2);
                self.mark(self.now, OUTSIDE, MarkKind::Unobserved, text, vec![object]);
                object
            }
        }
    }

    /// What the engine behind a device does.
    fn engine(&self, device: u64) -> (AgentState, String) {
        let seen = self
            .seen
            .engines
            .iter()
            .find(|(index, _)| Some(*index as u64) == device.checked_sub(1));
        match seen.map(|(_, engine)| engine) {
            Some(EngineSeen::Working(how)) => (AgentState::Running, how.clone()),
            Some(EngineSeen::Idle(how)) => (AgentState::Blocked, how.clone()),
            Some(EngineSeen::Unknown(why)) => (AgentState::Unknown, why.clone()),
            None => (AgentState::Unknown, "its engine was not looked at".to_owned()),
        }
    }

    fn unobserved_queue(&mut self, queue: &Queue, device: Option<&DeviceRecord>) {
        let why = match device.map(|device| device.crumbs) {
            Some(CRUMBS_ON) => return,
            Some(CRUMBS_OFF) => "they were switched off",
            Some(CRUMBS_NO_TIMELINE) => "the device has no timeline semaphores",
            Some(CRUMBS_UNKNOWN_CHAIN) => {
                "the program's own feature structures could not be extended"
            }
            _ => "its device is not in the layer's tables",
        };
        let text = format!("no breadcrumbs on this queue: {why}");
        let at = self.box_.header.created_at;
        self.mark(at, OUTSIDE, MarkKind::Unobserved, text, vec![queue.object]);
    }
}
