//! A black box in memory, written as the layer writes it, and what is seen of its process.

use std::sync::atomic::{AtomicU64, Ordering};

use unwedge_analyze::{Finding, Options, Report, Verdict, analyze};
use unwedge_trace::blackbox::{
    ARMED_ACQUIRE, ARMED_NONE, ARMED_QUEUE, BATCH_CRUMB, BATCH_OPS, BATCH_PRESENT, BATCH_SUBMIT,
    BYTES, Blackbox, CRUMBS_ON, Call, FenceCells, LIVE, SEMAPHORE_BINARY, SEMAPHORE_TIMELINE,
    SLOT_HANDLES, SemaphoreCells, Snapshot, SwapchainCells, THREAD_ALIVE, ThreadCells, store_words,
    text_to_words,
};

use crate::sources::blackbox::recording;
use crate::sources::observations::{
    EngineSeen, FutexSeen, Observations, ProcessState, SyscallSeen, ThreadSeen,
};

/// The moment of the look: 1000 s after the machine's start.
pub(super) const NOW: u64 = 1_000_000_000_000;
/// The device that every rig has, as an index plus one.
pub(super) const DEVICE: u64 = 1;
/// The thread that every rig has.
pub(super) const MAIN: u64 = 10;
/// `VK_ERROR_OUT_OF_DATE_KHR`, as a record has it.
pub(super) const OUT_OF_DATE: u64 = -1_000_001_004_i64 as u64;
/// `VK_ERROR_DEVICE_LOST`.
pub(super) const DEVICE_LOST: u64 = -4_i64 as u64;

/// A moment, so many milliseconds ago.
pub(super) fn ago(ms: u64) -> u64 {
    NOW - ms * 1_000_000
}

pub(super) fn set(cell: &AtomicU64, word: u64) {
    cell.store(word, Ordering::Relaxed);
}

pub(super) fn add(cell: &AtomicU64, word: u64) -> u64 {
    cell.fetch_add(word, Ordering::Relaxed) + word
}

/// A submit or a present.
pub(super) struct Batch<'a> {
    pub(super) tid: u64,
    pub(super) fence: u64,
    pub(super) waits: &'a [(u64, u64)],
    pub(super) signals: &'a [(u64, u64)],
    pub(super) ms_ago: u64,
    pub(super) flags: u64,
    pub(super) swapchain: u64,
}

impl Default for Batch<'_> {
    fn default() -> Self {
        let (waits, signals) = (&[][..], &[][..]);
        Self {
            tid: MAIN,
            fence: 0,
            waits,
            signals,
            ms_ago: 5_000,
            flags: BATCH_CRUMB,
            swapchain: 0,
        }
    }
}

pub(super) struct Rig {
    memory: Vec<u64>,
    pub(super) seen: Observations,
}

impl Rig {
    /// A device with breadcrumbs, whose engine cannot be seen, one queue 0x91, and one thread.
    pub(super) fn new() -> Self {
        let process = ProcessState::Running;
        let seen = Observations { now: NOW, process, ..Observations::default() };
        let mut rig = Self { memory: vec![0; BYTES / 8], seen };
        rig.blackbox().format(9, 7, ago(60_000), 0, "patient");
        rig.device(DEVICE, 0xd1);
        rig.queue(0, DEVICE, 0x91);
        rig.thread(MAIN, "main");
        rig
    }

    pub(super) fn blackbox(&self) -> Blackbox<'_> {
        // SAFETY: BYTES bytes, aligned, borrowed; the views write atomics only.
        unsafe { Blackbox::over(self.memory.as_ptr().cast::<u8>().cast_mut()) }
    }

    pub(super) fn words(&mut self) -> &mut [u64] {
        &mut self.memory
    }

    pub(super) fn device(&self, number: u64, handle: u64) {
        let cells = &self.blackbox().devices()[number as usize - 1];
        set(&cells.state, LIVE);
        set(&cells.handle, handle);
        set(&cells.crumbs, CRUMBS_ON);
        self.blackbox().header().devices_used.fetch_max(number, Ordering::Relaxed);
    }

    pub(super) fn queue(&self, index: usize, device: u64, handle: u64) {
        let cells = &self.blackbox().queues()[index];
        set(&cells.state, LIVE);
        set(&cells.handle, handle);
        set(&cells.device, device);
        set(&cells.index, index as u64);
        self.blackbox().header().queues_used.fetch_max(index as u64 + 1, Ordering::Relaxed);
    }

    pub(super) fn engine(&mut self, seen: EngineSeen) {
        self.seen.engines = vec![(DEVICE as usize - 1, seen)];
    }

    /// A thread that has a slot and sleeps in an ioctl.
    pub(super) fn thread(&mut self, tid: u64, name: &str) {
        let box_ = self.blackbox();
        let index = box_.header().threads_used.load(Ordering::Relaxed) as usize;
        let cells = &box_.threads()[index];
        set(&cells.tid, tid);
        set(&cells.state, THREAD_ALIVE);
        set(&cells.started_at, ago(60_000));
        store_words(&cells.name, &text_to_words::<2>(name));
        set(&box_.header().threads_used, index as u64 + 1);
        self.stranger(tid, name);
    }

    /// A thread without a slot: it never called Vulkan.
    pub(super) fn stranger(&mut self, tid: u64, name: &str) {
        let call = SyscallSeen { number: 16, name: "ioctl".to_owned(), args: [0; 6] };
        self.seen.threads.push(ThreadSeen {
            tid: tid as u32,
            name: name.to_owned(),
            state: 'S',
            in_syscall: Some(call),
            stuck_ns: None,
            futex: None,
            joins_tid: None,
        });
    }

    pub(super) fn exits(&mut self, tid: u64) {
        self.seen.threads.retain(|thread| u64::from(thread.tid) != tid);
    }

    pub(super) fn slot(&self, tid: u64) -> &ThreadCells {
        let mut slots = self.blackbox().threads().iter();
        slots.find(|cells| cells.tid.load(Ordering::Relaxed) == tid).expect("a thread of the rig")
    }

    /// This thread is in a call without a timeout.
    pub(super) fn wait(&self, tid: u64, call: Call, objects: &[(u64, u64)], ms: u64) {
        let cells = self.slot(tid);
        set(&cells.slot_sequence, 2);
        set(&cells.slot_device, DEVICE);
        set(&cells.slot_began_at, ago(ms));
        set(&cells.slot_timeout, u64::MAX);
        set(&cells.slot_count, objects.len() as u64);
        for (place, (handle, value)) in objects.iter().take(SLOT_HANDLES).enumerate() {
            set(&cells.slot_handles[place], *handle);
            set(&cells.slot_values[place], *value);
        }
        set(&cells.slot_call, call.word());
    }

    pub(super) fn wait_fence(&self, fence: u64) {
        self.wait(MAIN, Call::WaitForFences, &[(fence, 0)], 3_000);
    }

    /// This thread polls in vain.
    pub(super) fn polls(&self, call: Call, object: (u64, u64), count: u64, ms: (u64, u64)) {
        let cells = self.slot(MAIN);
        set(&cells.poll_device, DEVICE);
        set(&cells.poll_handle, object.0);
        set(&cells.poll_value, object.1);
        set(&cells.poll_first_at, ago(ms.0));
        set(&cells.poll_last_at, ago(ms.1));
        set(&cells.poll_count, count);
        set(&cells.poll_call, call.word());
    }

    pub(super) fn futex(&mut self, tid: u64, futex: FutexSeen) {
        let seen = self.seen.threads.iter_mut().find(|thread| u64::from(thread.tid) == tid);
        let seen = seen.expect("a thread of the rig");
        let call = SyscallSeen { number: 202, name: "futex".to_owned(), args: [0; 6] };
        (seen.in_syscall, seen.futex, seen.stuck_ns) =
            (Some(call), Some(futex), Some(3_000_000_000));
    }

    /// A call of this thread failed, over these objects.
    pub(super) fn failed(&self, tid: u64, call: Call, result: u64, handles: (u64, u64), ms: u64) {
        let cells = self.slot(tid);
        let head = add(&cells.failures_head, 1) - 1;
        let failure = &cells.failures[head as usize % cells.failures.len()];
        store_words(failure, &[call.word(), result, ago(ms), handles.0, handles.1]);
    }

    pub(super) fn fence(&self, handle: u64) -> &FenceCells {
        self.fence_of(DEVICE, handle)
    }

    pub(super) fn fence_of(&self, device: u64, handle: u64) -> &FenceCells {
        let fill = |cells: &FenceCells| set(&cells.created_at, ago(30_000));
        self.blackbox().fences().insert(device, handle, fill).expect("room")
    }

    /// What `vkResetFences` leaves behind.
    pub(super) fn reset(&self, fence: u64, ms: u64) {
        let cells = self.blackbox().fences().find(DEVICE, fence).expect("a fence of the rig");
        set(&cells.signalled_at, 0);
        set(&cells.armed_by, ARMED_NONE);
        set(&cells.reset_at, ago(ms));
        set(&cells.reset_tid, MAIN);
        add(&cells.resets, 1);
    }

    pub(super) fn binary(&self, handle: u64) -> &SemaphoreCells {
        self.semaphore_of(DEVICE, handle, SEMAPHORE_BINARY, 0)
    }

    pub(super) fn timeline(&self, handle: u64, initial: u64) -> &SemaphoreCells {
        self.semaphore_of(DEVICE, handle, SEMAPHORE_TIMELINE, initial)
    }

    pub(super) fn semaphore_of(
        &self,
        device: u64,
        handle: u64,
        kind: u64,
        value: u64,
    ) -> &SemaphoreCells {
        let fill = |cells: &SemaphoreCells| {
            set(&cells.created_at, ago(30_000));
            set(&cells.kind, kind);
            set(&cells.initial, value);
            set(&cells.value, value);
        };
        self.blackbox().semaphores().insert(device, handle, fill).expect("room")
    }

    /// A thread signals a timeline semaphore from the host.
    pub(super) fn host_signal(&self, tid: u64, handle: u64, value: u64, ms: u64) {
        let cells = self.blackbox().semaphores().find(DEVICE, handle).expect("a semaphore");
        set(&cells.host_tids[0], tid);
        set(&cells.host_values[0], value);
        set(&cells.host_at[0], ago(ms));
        set(&cells.value, value);
        set(&cells.value_at, ago(ms));
    }

    /// An acquire that succeeded is to signal this semaphore.
    pub(super) fn acquire_signals(&self, swapchain: u64, semaphore: u64, ms: u64) {
        let cells = self.blackbox().semaphores().find(DEVICE, semaphore).expect("a semaphore");
        set(&cells.armed_by, ARMED_ACQUIRE);
        set(&cells.armed_queue, swapchain);
        set(&cells.armed_at, ago(ms));
        set(&cells.armed_tid, MAIN);
        add(&cells.signal_operations, 1);
    }

    /// An acquire that failed was to signal this semaphore.
    pub(super) fn acquire_failed(&self, semaphore: u64, ms: u64) {
        let cells = self.blackbox().semaphores().find(DEVICE, semaphore).expect("a semaphore");
        set(&cells.failed_call, Call::AcquireNextImage.word());
        set(&cells.failed_result, OUT_OF_DATE);
        set(&cells.failed_at, ago(ms));
        self.failed(MAIN, Call::AcquireNextImage, OUT_OF_DATE, (0, semaphore), ms);
    }

    /// Files a batch as `submit::Recorder` of the layer does; gives its number.
    pub(super) fn submit(&self, queue: usize, batch: &Batch<'_>) -> u64 {
        let (box_, at) = (self.blackbox(), ago(batch.ms_ago));
        let record = &box_.queues()[queue];
        let device = record.device.load(Ordering::Relaxed);
        let sequence = add(&record.submitted, 1);
        let cells = box_.batch(queue, sequence);
        set(&cells.sequence, sequence);
        set(&cells.kind, if batch.swapchain == 0 { BATCH_SUBMIT } else { BATCH_PRESENT });
        set(&cells.at, at);
        set(&cells.tid, batch.tid);
        set(&cells.fence, batch.fence);
        set(&cells.flags, batch.flags);
        set(&cells.command_buffers, 1);
        set(&cells.swapchain, batch.swapchain);
        set(&cells.wait_count, batch.waits.len() as u64);
        set(&cells.signal_count, batch.signals.len() as u64);
        for (place, (handle, value)) in batch.waits.iter().enumerate().take(BATCH_OPS) {
            let found = box_.semaphores().find(device, *handle);
            let binary = found.filter(|s| s.kind.load(Ordering::Relaxed) == SEMAPHORE_BINARY);
            let value = binary.map_or(*value, |s| add(&s.wait_operations, 1));
            store_words(&cells.waits[place], &[*handle, value]);
        }
        for (place, (handle, value)) in batch.signals.iter().enumerate().take(BATCH_OPS) {
            let found = box_.semaphores().find(device, *handle);
            let value = found.map_or(*value, |s| arm(s, queue, sequence, *value, batch));
            store_words(&cells.signals[place], &[*handle, value]);
        }
        if let Some(fence) = box_.fences().find(device, batch.fence) {
            set(&fence.armed_by, ARMED_QUEUE);
            set(&fence.armed_queue, queue as u64 + 1);
            set(&fence.armed_batch, sequence);
            set(&fence.armed_at, at);
            set(&fence.armed_tid, batch.tid);
            add(&fence.arms, 1);
            set(&fence.signalled_at, 0);
        }
        sequence
    }

    /// The breadcrumb says that the queue has passed this batch.
    pub(super) fn passed(&self, queue: usize, sequence: u64, ms: u64) {
        let cells = &self.blackbox().queues()[queue];
        set(&cells.reached, sequence);
        set(&cells.reached_at, ago(ms));
    }

    pub(super) fn swapchain(&self, handle: u64, images: &[u64], minimum: u64) -> &SwapchainCells {
        let fill = |cells: &SwapchainCells| {
            set(&cells.created_at, ago(30_000));
            set(&cells.images, images.len() as u64);
            set(&cells.images_min, minimum);
            set(&cells.acquires, 20);
            set(&cells.acquired_at, ago(5_000));
            set(&cells.presented_at, ago(5_000));
            store_words(&cells.image_states, images);
        };
        self.blackbox().swapchains().insert(DEVICE, handle, fill).expect("room")
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        // SAFETY: any words are bytes, and nobody writes them meanwhile.
        let bytes = unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast(), BYTES) };
        Snapshot::decode(bytes).expect("a black box")
    }

    pub(super) fn report(&self) -> Report {
        let recording = recording(&self.snapshot(), &self.seen);
        analyze(&recording, &Options { patience_ns: 1_000_000_000 })
    }

    /// There is one finding, of this kind, and its sentence has all these words.
    #[track_caller]
    pub(super) fn finds(&self, verdict: Verdict, code: &str, words: &[&str]) -> Finding {
        let report = self.report();
        let told: Vec<_> = report.findings.iter().map(|f| (f.code, &f.sentence)).collect();
        let [finding] = &report.findings[..] else { panic!("not one finding: {told:#?}") };
        assert_eq!((report.verdict, finding.code), (verdict, code), "{told:#?}");
        for word in words {
            assert!(finding.sentence.contains(word), "no \"{word}\" in: {}", finding.sentence);
        }
        finding.clone()
    }

    #[track_caller]
    pub(super) fn is_wedged(&self, code: &str, words: &[&str]) -> Finding {
        self.finds(Verdict::Wedged, code, words)
    }

    #[track_caller]
    pub(super) fn is_unclear(&self, code: &str, words: &[&str]) -> Finding {
        self.finds(Verdict::Inconclusive, code, words)
    }

    #[track_caller]
    pub(super) fn is_healthy(&self) {
        let report = self.report();
        let told: Vec<_> = report.findings.iter().map(|f| (f.code, &f.sentence)).collect();
        assert_eq!(report.verdict, Verdict::Progressing, "{told:#?} {:#?}", report.missing);
        assert!(told.is_empty(), "{told:#?}");
    }
}

fn arm(cells: &SemaphoreCells, queue: usize, batch: u64, value: u64, by: &Batch<'_>) -> u64 {
    set(&cells.armed_by, ARMED_QUEUE);
    set(&cells.armed_queue, queue as u64 + 1);
    set(&cells.armed_batch, batch);
    set(&cells.armed_at, ago(by.ms_ago));
    set(&cells.armed_tid, by.tid);
    if cells.submit_tids[0].load(Ordering::Relaxed) != by.tid {
        set(&cells.submit_tids[1], cells.submit_tids[0].load(Ordering::Relaxed));
        set(&cells.submit_tids[0], by.tid);
    }
    if cells.kind.load(Ordering::Relaxed) == SEMAPHORE_BINARY {
        return add(&cells.signal_operations, 1);
    }
    value
}
