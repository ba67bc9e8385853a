//! Fences and semaphores: their last signal, reset and debt.

use unwedge_trace::blackbox::{
    ARMED_ACQUIRE, ARMED_NONE, ARMED_OUTSIDE, ARMED_QUEUE, BatchRecord, FenceRecord,
    OBJECT_CREATED_SIGNALLED, OBJECT_EXPORTED, OBJECT_FOREIGN, OBJECT_IMPORTED, SEMAPHORE_BINARY,
    SEMAPHORE_TIMELINE, SemaphoreRecord,
};
use unwedge_trace::{AgentId, MarkKind, ObjectId, ObjectKind, Point, What};

use super::{Build, Key, OUTSIDE, Signal, label, names};

const SHARED: u64 = OBJECT_IMPORTED | OBJECT_EXPORTED | OBJECT_FOREIGN;

impl<'s> Build<'s> {
    pub(super) fn fences(&mut self) {
        let box_ = self.box_;
        for fence in &box_.fences {
            self.fence(fence);
        }
    }

    fn fence(&mut self, fence: &FenceRecord) {
        let key = (ObjectKind::Fence, fence.device, fence.handle);
        let imported = fence.flags & (OBJECT_IMPORTED | OBJECT_FOREIGN) != 0;
        let object = self.object(key, fence.created_at, &label(&fence.label), imported);
        let point = |value| Point { object, value };
        let armed = fence.armed_by != ARMED_NONE;
        // Before its present arming, if it has one, it was armed so many times.
        let before = if armed { fence.arms.saturating_sub(1) } else { fence.arms };
        let created_signalled = fence.flags & OBJECT_CREATED_SIGNALLED != 0;
        if created_signalled {
            // Whoever created it signalled it; the first user is as near as the tables come.
            let user = if fence.resets > 0 { fence.reset_tid } else { fence.armed_tid };
            let by = if user == 0 { OUTSIDE } else { self.thread(user) };
            self.put(fence.created_at, by, What::Signalled { point: point(0) });
        }
        if fence.resets > 0 {
            if before > 0 {
                // Its last debtor stays on record when it is reset, until it is armed again.
                let by = self.debtor(fence.device, ARMED_QUEUE, fence.armed_queue);
                self.put(fence.reset_at, by, What::Signalled { point: point(before) });
            }
            let agent = self.thread(fence.reset_tid);
            self.put(fence.reset_at, agent, What::Reset { object });
        }
        if armed {
            let debtor = self.debtor(fence.device, fence.armed_by, fence.armed_queue);
            let after = self.batch_point(fence.armed_by, fence.armed_queue, fence.armed_batch);
            let via = Some(self.thread(fence.armed_tid));
            let owed = What::Owed { point: point(fence.arms), after, via };
            self.put(fence.armed_at, debtor, owed);
            if fence.signalled_at != 0 {
                let signalled = What::Signalled { point: point(fence.arms) };
                self.put(fence.signalled_at, debtor, signalled);
            }
        }
        let failed = (fence.failed_call, fence.failed_result, fence.failed_at);
        self.failed_call(object, failed);
    }

    /// The point that a wait on this fence waits for.
    pub(super) fn fence_point(&mut self, device: u64, handle: u64) -> Point {
        let key = (ObjectKind::Fence, device, handle);
        let Some(fence) = self.fences.get(&(device, handle)).copied() else {
            let object = self.object(key, self.box_.header.created_at, "", true);
            let text = format!("fence {handle:#x} is not in the layer's tables");
            self.mark(self.now, OUTSIDE, MarkKind::Unobserved, text, vec![object]);
            return Point { object, value: 1 };
        };
        let object = self.object(key, fence.created_at, "", false);
        let armed_or_signalled = fence.armed_by != ARMED_NONE || fence.signalled_at != 0;
        let value = if armed_or_signalled { fence.arms } else { fence.arms.saturating_add(1) };
        Point { object, value }
    }

    /// A call that failed and was to arm the object. The thread that made it says so too, with the
    /// same time and text.
    fn failed_call(&mut self, object: ObjectId, (call, result, at): (u64, u64, u64)) {
        if call == 0 {
            return;
        }
        let by = self.box_.threads.iter().find(|(_, thread)| {
            thread.failures.iter().any(|[c, r, when, ..]| *c == call && *r == result && *when == at)
        });
        let agent = by.map(|(_, thread)| thread.tid).map_or(OUTSIDE, |tid| self.thread(tid));
        let text = format!("{} returned {}", names::call(call), names::result(result));
        self.mark(at, agent, MarkKind::FailedCall, text, vec![object]);
    }

    fn debtor(&mut self, device: u64, armed_by: u64, queue: u64) -> AgentId {
        match armed_by {
            ARMED_QUEUE => {
                let index = usize::try_from(queue).ok().and_then(|queue| queue.checked_sub(1));
                index.and_then(|index| self.queues.get(&index)).map_or(OUTSIDE, |queue| queue.agent)
            }
            ARMED_ACQUIRE => self.presentation_engine(device, queue),
            _ => OUTSIDE,
        }
    }

    fn batch_point(&self, armed_by: u64, queue: u64, batch: u64) -> Option<Point> {
        let index = usize::try_from(queue).ok()?.checked_sub(1)?;
        let queue = self.queues.get(&index).filter(|_| armed_by == ARMED_QUEUE)?;
        Some(Point { object: queue.object, value: batch })
    }

    pub(super) fn semaphores(&mut self) {
        let box_ = self.box_;
        for semaphore in &box_.semaphores {
            let kind = match semaphore.kind {
                SEMAPHORE_BINARY => ObjectKind::BinarySemaphore,
                _ => ObjectKind::TimelineSemaphore,
            };
            let key = (kind, semaphore.device, semaphore.handle);
            let object = self.known_semaphore(key, semaphore);
            if semaphore.kind == SEMAPHORE_TIMELINE {
                self.timeline(object, semaphore);
            } else {
                self.binary(object, semaphore);
            }
            let failed = (semaphore.failed_call, semaphore.failed_result, semaphore.failed_at);
            self.failed_call(object, failed);
        }
    }

    pub(super) fn known_semaphore(&mut self, key: Key, record: &SemaphoreRecord) -> ObjectId {
        let shared = record.flags & SHARED != 0;
        self.object(key, record.created_at, &label(&record.label), shared)
    }

    /// Batches that signal this semaphore, and not an older one that had its handle.
    fn signallers(&self, semaphore: &SemaphoreRecord) -> Vec<Signal<'s>> {
        let all = self.signals.get(&(semaphore.device, semaphore.handle));
        let all = all.into_iter().flatten().copied();
        all.filter(|signal| signal.batch.at >= semaphore.created_at).collect()
    }

    fn owed_by_batch(&mut self, signal: &Signal<'_>, point: Point) {
        let (index, batch) = (signal.queue, signal.batch);
        let Some(queue) = self.queues.get(&index).copied() else { return };
        let after = Some(Point { object: queue.object, value: batch.sequence });
        let via = Some(self.thread(batch.tid));
        self.put(batch.at, queue.agent, What::Owed { point, after, via });
    }

    fn timeline(&mut self, object: ObjectId, semaphore: &SemaphoreRecord) {
        let point = |value| Point { object, value };
        let initial = What::Signalled { point: point(semaphore.initial) };
        self.put(semaphore.created_at, OUTSIDE, initial);
        for place in 0..2 {
            if semaphore.host_tids[place] != 0 {
                let agent = self.thread(semaphore.host_tids[place]);
                let value = point(semaphore.host_values[place]);
                self.put(semaphore.host_at[place], agent, What::Signalled { point: value });
            }
            if semaphore.submit_tids[place] != 0 {
                // The batch may have left the ring; that this thread had it signalled stays true.
                let debtor = self.debtor(semaphore.device, ARMED_QUEUE, semaphore.armed_queue);
                let via = Some(self.thread(semaphore.submit_tids[place]));
                let owed = What::Owed { point: point(semaphore.initial), after: None, via };
                self.put(semaphore.armed_at, debtor, owed);
            }
        }
        for signal in self.signallers(semaphore) {
            if signal.value > semaphore.value {
                self.owed_by_batch(&signal, point(signal.value));
            }
        }
        if semaphore.value > semaphore.initial && semaphore.value != semaphore.host_values[0] {
            let by = self.debtor(semaphore.device, semaphore.armed_by, semaphore.armed_queue);
            self.put(semaphore.value_at, by, What::Signalled { point: point(semaphore.value) });
        }
    }

    fn binary(&mut self, object: ObjectId, semaphore: &SemaphoreRecord) {
        let point = |value| Point { object, value };
        let mut open = semaphore.signal_operations.saturating_add(1);
        for signal in self.signallers(semaphore) {
            if !self.has_signalled(&signal) && signal.value <= semaphore.signal_operations {
                open = open.min(signal.value);
                self.owed_by_batch(&signal, point(signal.value));
            }
        }
        let last = semaphore.signal_operations;
        if semaphore.armed_by == ARMED_ACQUIRE && last > 0 && !self.consumed(semaphore, last) {
            open = open.min(last);
            let debtor = self.debtor(semaphore.device, ARMED_ACQUIRE, semaphore.armed_queue);
            let via = Some(self.thread(semaphore.armed_tid));
            let owed = What::Owed { point: point(last), after: None, via };
            self.put(semaphore.armed_at, debtor, owed);
        }
        if semaphore.armed_by == ARMED_OUTSIDE {
            let owed = What::Owed { point: point(last.saturating_add(1)), after: None, via: None };
            self.put(semaphore.armed_at, OUTSIDE, owed);
        }
        if open > 1 {
            let by = self.debtor(semaphore.device, semaphore.armed_by, semaphore.armed_queue);
            self.put(semaphore.armed_at, by, What::Signalled { point: point(open - 1) });
            if semaphore.wait_operations >= open - 1 {
                // The wait has taken the signal away again.
                self.put(semaphore.armed_at, by, What::Reset { object });
            }
        }
    }

    /// Whether a batch that has passed waited for this signal, or did so long ago.
    pub(super) fn consumed(&self, semaphore: &SemaphoreRecord, ordinal: u64) -> bool {
        if semaphore.wait_operations < ordinal {
            return false;
        }
        let waits = |batch: &BatchRecord| {
            let count = usize::try_from(batch.wait_count).unwrap_or(usize::MAX);
            batch.waits.iter().take(count).any(|wait| *wait == [semaphore.handle, ordinal])
        };
        let pending = self.box_.batches.iter().any(|(index, batch)| {
            let queue = self.queues.get(index);
            queue.is_some_and(|q| q.device == semaphore.device && batch.sequence > q.passed)
                && waits(batch)
        });
        !pending
    }
}
