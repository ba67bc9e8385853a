//! What is each thread in: a Vulkan call, a loop of polls, a lock, or nothing that waits?

use std::collections::BTreeSet;

use unwedge_trace::blackbox::{Call, SLOT_ANY, SLOT_HANDLES, THREAD_EXITED, ThreadRecord};
use unwedge_trace::{
    AgentId, AgentKind, AgentState, Bound, MarkKind, Mode, ObjectKind, Point, What,
};

use super::{Build, OUTSIDE, label, names};
use crate::sources::observations::{FutexSeen, ProcessState, ThreadSeen};

/// A run of polls is a wait when it is at least so dense: polls a second.
const POLLS_PER_SECOND: u64 = 10;
/// And at least so long: polls.
const POLLS_MIN: u64 = 10;
/// The layer notes the time of every so many polls.
const POLLS_NOTED: u64 = 256;
/// A run of polls that was not heard of for so long, beyond what is usual for it, is over:
/// nanoseconds, for polls may become rarer.
const SILENCE: u64 = 5_000_000_000;
/// And so is one whose thread has been in one and the same system call for so long: nanoseconds.
const STILL: u64 = 500_000_000;

impl Build<'_> {
    /// Every thread that has a slot, by its present name where it still lives.
    pub(super) fn introduce_threads(&mut self) {
        let box_ = self.box_;
        for (_, record) in &box_.threads {
            let seen = self.thread_seen(record.tid);
            let name = seen.map_or_else(|| label(&record.name), |thread| thread.name.clone());
            let agent = self.new_agent(record.started_at, AgentKind::HostThread, name, record.tid);
            self.threads.insert(record.tid, agent);
        }
    }

    pub(super) fn threads(&mut self) {
        let box_ = self.box_;
        for (_, record) in &box_.threads {
            let agent = self.thread(record.tid);
            let seen = self.thread_seen(record.tid);
            self.failures(agent, record);
            if self.has_exited(record) {
                let detail = "the thread has exited".to_owned();
                let at = record.exited_at.max(record.started_at);
                self.put(
                    at,
                    agent,
                    What::State { state: AgentState::Exited, detail, cpu: None, priority: None },
                );
            } else if self.seen.process != ProcessState::Stopped {
                self.thread_state(agent, record, seen);
            }
        }
    }

    fn has_exited(&self, record: &ThreadRecord) -> bool {
        let missing =
            self.runs() && !self.seen.threads.is_empty() && self.thread_seen(record.tid).is_none();
        record.state == THREAD_EXITED || missing
    }

    fn failures(&mut self, agent: AgentId, record: &ThreadRecord) {
        for [call, result, at, first, second] in record.failures {
            if at == 0 || call == 0 {
                continue;
            }
            let mut objects = self.objects_of_handle(0, first, at);
            objects.extend(self.objects_of_handle(0, second, at));
            let text = format!("{} returned {}", names::call(call), names::result(result));
            self.mark(at, agent, MarkKind::FailedCall, text, objects);
        }
    }

    fn thread_state(&mut self, agent: AgentId, record: &ThreadRecord, seen: Option<&ThreadSeen>) {
        let run = self.is_poll_run(record) && !self.has_given_up(record, seen);
        let infinite = record.slot_timeout == u64::MAX;
        if record.slot_call != 0 && (infinite || !run || record.slot_call != record.poll_call) {
            return self.in_flight(agent, record);
        }
        if run {
            return self.polling(agent, record);
        }
        let Some(seen) = seen else { return };
        if let (Some(futex), Some(stuck)) = (seen.futex, seen.stuck_ns)
            && is_contended_lock(&futex)
        {
            return self.in_lock(agent, &futex, stuck);
        }
        let (state, detail) = doing(seen);
        self.put(self.now, agent, What::State { state, detail, cpu: None, priority: None });
    }

    /// Many unsuccessful polls of one object, densely: together they are a wait.
    pub(super) fn is_poll_run(&self, record: &ThreadRecord) -> bool {
        if record.poll_call == 0 || record.poll_count < POLLS_MIN {
            return false;
        }
        let lasted = self.now.saturating_sub(record.poll_first_at).max(1);
        let dense = record.poll_count.saturating_mul(1_000_000_000) / lasted >= POLLS_PER_SECOND;
        dense || record.poll_waited_ns >= lasted / 2
    }

    /// A thread that has turned to something else leaves its last run of polls behind.
    fn has_given_up(&self, record: &ThreadRecord, seen: Option<&ThreadSeen>) -> bool {
        let last = record.poll_last_at.max(record.poll_first_at);
        let lasted = last - record.poll_first_at;
        // The layer notes the time of each wait that ran out, and of every 256th poll; of the first
        // ones more often, so that half of them are within what was noted.
        let noted = match record.poll_waited_ns {
            0 => lasted.saturating_mul(POLLS_NOTED) / record.poll_count.max(POLLS_NOTED),
            _ => lasted / record.poll_count.max(1),
        };
        let usual = noted.saturating_mul(4);
        let stuck = seen.and_then(|thread| thread.stuck_ns).filter(|_| record.slot_call == 0);
        self.now.saturating_sub(last) > usual.saturating_add(SILENCE)
            || stuck.is_some_and(|stuck| stuck > usual.saturating_add(STILL))
    }

    fn in_flight(&mut self, agent: AgentId, record: &ThreadRecord) {
        let count = usize::try_from(record.slot_count).unwrap_or(usize::MAX).min(SLOT_HANDLES);
        let pairs = || record.slot_handles.iter().copied().zip(record.slot_values).take(count);
        let Some(call) = Call::from_word(record.slot_call) else { return };
        let mut points = Vec::new();
        for (handle, value) in pairs() {
            points.extend(self.awaited(call, record, handle, value));
        }
        if record.slot_count > SLOT_HANDLES as u64 {
            if record.slot_flags & SLOT_ANY != 0 {
                // One of the others would be enough, and nobody knows them.
                let key = (ObjectKind::Other, record.slot_device, 0);
                let object = self.object(key, record.slot_began_at, "further objects", true);
                points.push(Point { object, value: 1 });
            }
            let text = format!(
                "{} was given {} objects, of which {SLOT_HANDLES} are on record",
                call.name(),
                record.slot_count
            );
            self.mark(self.now, agent, MarkKind::Unobserved, text, Vec::new());
        }
        if points.is_empty() {
            let detail = format!("in {}", call.name());
            let state =
                What::State { state: AgentState::Running, detail, cpu: None, priority: None };
            return self.put(record.slot_began_at, agent, state);
        }
        let mode = if record.slot_flags & SLOT_ANY != 0 { Mode::Any } else { Mode::All };
        let timeout = record.slot_timeout;
        let bound = if timeout == u64::MAX { Bound::Infinite } else { Bound::Ns(timeout) };
        let call = call.name().to_owned();
        self.put(record.slot_began_at, agent, What::WaitBegan { call, points, mode, bound });
    }

    /// What a call waits for. Empty for calls that work rather than wait, such as compiling.
    fn awaited(
        &mut self,
        call: Call,
        record: &ThreadRecord,
        handle: u64,
        value: u64,
    ) -> Vec<Point> {
        let device = record.slot_device;
        match call {
            Call::WaitForFences | Call::GetFenceStatus => vec![self.fence_point(device, handle)],
            Call::WaitSemaphores | Call::GetSemaphoreCounterValue => {
                vec![self.semaphore_point(device, handle, value)]
            }
            Call::QueueWaitIdle | Call::DeviceWaitIdle => {
                let point = self.point((ObjectKind::Queue, device, handle), value);
                point.filter(|_| value > 0).into_iter().collect()
            }
            Call::AcquireNextImage | Call::AcquireNextImage2 => {
                self.point((ObjectKind::Swapchain, device, handle), value).into_iter().collect()
            }
            Call::WaitForPresent | Call::WaitForPresent2 => {
                vec![self.present_point(device, handle, value)]
            }
            Call::GetQueryPoolResults => {
                vec![self.gpu_made_point((ObjectKind::Query, device, handle), value)]
            }
            Call::GetEventStatus => {
                vec![self.gpu_made_point((ObjectKind::Event, device, handle), value)]
            }
            Call::QueueSubmit | Call::QueueSubmit2 | Call::QueueBindSparse => {
                self.submit_points(record, handle, value, "submit")
            }
            Call::QueuePresent => match self.submit_points(record, 0, value, "present") {
                points if points.is_empty() => vec![self.present_point(device, handle, value)],
                points => points,
            },
            Call::AcquireProfilingLock | Call::LatencySleep => {
                let key = (ObjectKind::Other, device, handle);
                let object = self.object(key, record.slot_began_at, call.name(), true);
                vec![Point { object, value: 1 }]
            }
            _ => Vec::new(),
        }
    }

    /// What a submit that does not return waits for. Some drivers (Mesa's) block in it until the
    /// binary semaphores that it waits for have a signal pending.
    fn submit_points(
        &mut self,
        record: &ThreadRecord,
        queue: u64,
        sequence: u64,
        what: &str,
    ) -> Vec<Point> {
        let device = record.slot_device;
        let since = record.slot_began_at.saturating_sub(20_000_000);
        let mut open = BTreeSet::new();
        for (index, on) in &self.box_.queues {
            if on.device != device || (queue != 0 && on.handle != queue) {
                continue;
            }
            let passed = self.queues.get(index).map_or(0, |queue| queue.passed);
            for batch in self.pending(*index, passed) {
                if batch.tid == record.tid && batch.at >= since && batch.sequence <= sequence {
                    open.extend(self.open_waits(device, batch));
                }
            }
        }
        let points: Vec<_> =
            open.into_iter().map(|(s, v)| self.semaphore_point(device, s, v)).collect();
        if !points.is_empty() || what == "present" {
            return points;
        }
        let key = (ObjectKind::Device, device, 0);
        let object = self.object(key, record.slot_began_at, "the driver", false);
        let point = Point { object, value: 1 };
        let owed = What::Owed { point, after: None, via: None };
        self.put(record.slot_began_at, OUTSIDE, owed);
        vec![point]
    }

    /// A query or an event, which any command buffer that still executes may bring about. When no
    /// queue of the device has work left, nobody owes it.
    fn gpu_made_point(&mut self, key: (ObjectKind, u64, u64), value: u64) -> Point {
        let text = match key.0 {
            ObjectKind::Query => format!("query {}", value.saturating_sub(1)),
            _ => String::new(),
        };
        let object = self.object(key, self.box_.header.created_at, &text, false);
        let point = Point { object, value };
        let box_ = self.box_;
        for (index, record) in &box_.queues {
            let Some(queue) = self.queues.get(index).copied() else { continue };
            let pending = self.pending(*index, queue.passed);
            let Some(last) = pending.iter().rfind(|batch| batch.command_buffers > 0) else {
                continue;
            };
            if record.device == key.1 {
                let after = Some(Point { object: queue.object, value: last.sequence });
                let via = Some(self.thread(last.tid));
                self.put(last.at, queue.agent, What::Owed { point, after, via });
            }
        }
        for (slot, call) in &box_.calls {
            if (call.call, call.device, call.handle) == (Call::SetEvent.word(), key.1, key.2) {
                let by = box_.threads.iter().find(|(at, _)| at == slot).map(|(_, t)| t.tid);
                let by = self.thread(by.unwrap_or(0));
                let point = Point { object, value: 0 };
                self.put(call.at, by, What::Signalled { point });
            }
        }
        point
    }

    fn polling(&mut self, agent: AgentId, record: &ThreadRecord) {
        let Some(call) = Call::from_word(record.poll_call) else { return };
        let mut copy = *record;
        copy.slot_device = record.poll_device;
        let value = match call {
            // The layer files the ordinal of the acquire.
            Call::AcquireNextImage | Call::AcquireNextImage2 => {
                let key = (record.poll_device, record.poll_handle);
                self.swapchains
                    .get(&key)
                    .map_or(record.poll_value, |s| s.acquires.saturating_add(1))
            }
            _ => record.poll_value,
        };
        let points = self.awaited(call, &copy, record.poll_handle, value);
        // What a program hopes to see in a counter, an event or a query it only looks at is its
        // secret, and looking is what idle programs do: it is a wait when somebody owes the answer.
        let looks = matches!(
            call,
            Call::GetSemaphoreCounterValue | Call::GetEventStatus | Call::GetQueryPoolResults
        );
        let owed = |point: &Point| {
            self.events.iter().any(|event| match &event.what {
                What::Owed { point: owed, .. } => {
                    owed.object == point.object && owed.value >= point.value
                }
                _ => false,
            })
        };
        if points.is_empty() || (looks && !points.iter().any(owed)) {
            return;
        }
        let bound = Bound::Polls(record.poll_count);
        let call = call.name().to_owned();
        let wait = What::WaitBegan { call, points, mode: Mode::All, bound };
        self.put(record.poll_first_at, agent, wait);
    }

    /// Blocked on a lock that somebody holds: no Vulkan object, and all that is known of it.
    fn in_lock(&mut self, agent: AgentId, futex: &FutexSeen, stuck: u64) {
        let began = self.now.saturating_sub(stuck);
        let key = (ObjectKind::Mutex, 0, futex.address);
        let object = self.object(key, began, "", false);
        let point = Point { object, value: 1 };
        if let Some(owner) =
            futex.owner_tid.filter(|owner| self.thread_seen(u64::from(*owner)).is_some())
        {
            let holder = self.thread(u64::from(owner));
            self.put(began, holder, What::Owed { point, after: None, via: None });
            let known = self.box_.threads.iter().any(|(_, t)| t.tid == u64::from(owner));
            if let (Some(seen), false) = (self.thread_seen(u64::from(owner)), known) {
                let (state, detail) = doing(seen);
                self.put(
                    self.now,
                    holder,
                    What::State { state, detail, cpu: None, priority: None },
                );
            }
        }
        let call = "futex".to_owned();
        let (mode, bound) = (Mode::All, Bound::Infinite);
        self.put(began, agent, What::WaitBegan { call, points: vec![point], mode, bound });
        let (state, detail) = (AgentState::Blocked, "in futex".to_owned());
        self.put(self.now, agent, What::State { state, detail, cpu: None, priority: None });
    }
}

/// A wait without a timeout on a word that says "locked, with waiters" (2 in glibc's mutex), whose
/// holder is known. Without a holder it may be a condition variable that was notified twice: Rust's
/// looks the same, and an idle worker sits in one.
fn is_contended_lock(futex: &FutexSeen) -> bool {
    futex.infinite && futex.expected == 2 && futex.word == 2 && futex.owner_tid.is_some()
}

fn doing(seen: &ThreadSeen) -> (AgentState, String) {
    if let Some(joined) = seen.joins_tid {
        return (AgentState::Blocked, format!("joins thread {joined}"));
    }
    match (seen.state, &seen.in_syscall) {
        ('R', _) | (_, None) => (AgentState::Running, String::new()),
        (_, Some(call)) => (AgentState::Blocked, format!("in {}", call.name)),
    }
}
