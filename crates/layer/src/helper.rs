//! Who reads the breadcrumbs while every thread of the program is stuck? One thread of the layer's,
//! asleep but for one look a second, and for a watcher that wakes it.
//!
//! It makes one kind of Vulkan call, `vkGetSemaphoreCounterValue`, which does not block. All
//! signals are blocked in it, so no handler of the program's ever runs on it.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ash::vk::{self, Handle};
use unwedge_trace::blackbox::{Call, HeaderCells, ThreadCells};

use crate::device::{self, Device};
use crate::{clock, memory};

/// A call in flight for longer than this makes the helper look at the queues unasked. Nanoseconds.
const LONG: u64 = 1_000_000_000;

/// Starts the helper, once for each process (again after a fork).
pub(crate) fn start() {
    static STARTED_IN: Mutex<u32> = Mutex::new(0);
    let mut started_in = STARTED_IN.lock().unwrap_or_else(PoisonError::into_inner);
    if *started_in == std::process::id() {
        return;
    }
    let old = block_signals();
    let builder = std::thread::Builder::new().name("unwedge".to_owned()).stack_size(128 << 10);
    // Without the thread there are no samples and nothing else is lost.
    if builder.spawn(run).is_ok() {
        *started_in = std::process::id();
        // Handlers run in reverse order: this one, made after the driver was loaded, comes before
        // the driver's own.
        // SAFETY: a plain function of this library, which is never unloaded.
        unsafe { libc::atexit(at_exit) };
    }
    restore_signals(&old);
}

/// The process exits: the driver is about to take itself apart.
static EXITING: AtomicBool = AtomicBool::new(false);

/// Keeps the helper out of the driver, and gives a look that is under way a moment to end.
extern "C" fn at_exit() {
    EXITING.store(true, Ordering::SeqCst);
    for _ in 0..50 {
        if !device::is_sampled() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn block_signals() -> libc::sigset_t {
    // SAFETY: both sets are valid places; the thread's own mask is restored by `restore_signals`.
    unsafe {
        let mut all = std::mem::zeroed();
        let mut old = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut old);
        old
    }
}

fn restore_signals(old: &libc::sigset_t) {
    // SAFETY: `old` came from pthread_sigmask.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, old, std::ptr::null_mut()) };
}

fn run() {
    let header = memory::blackbox().header();
    // SAFETY: gettid has no preconditions.
    let tid = unsafe { libc::syscall(libc::SYS_gettid) } as u64;
    header.helper_tid.store(tid, Ordering::Relaxed);
    let mut seen = header.sample_request.load(Ordering::Acquire);
    loop {
        sleep_until_asked(header, seen);
        let request = header.sample_request.load(Ordering::Acquire);
        if request != seen || something_is_slow() {
            device::visit_all(sample);
            header.sampled_at.store(clock::exact(), Ordering::Relaxed);
            header.sample_done.store(request, Ordering::Release);
            seen = request;
        }
    }
}

/// Sleeps on the request word for a second at most. The futex is shared: the waker is outside.
fn sleep_until_asked(header: &HeaderCells, seen: u64) {
    let timeout = libc::timespec { tv_sec: 1, tv_nsec: 0 };
    // The futex is the low half of the word; the machine is little-endian or the watcher's wake is
    // missed and the second's timeout serves.
    // SAFETY: the word stays mapped; FUTEX_WAIT reads it and sleeps.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex,
            header.sample_request.as_ptr().cast::<u32>(),
            libc::FUTEX_WAIT,
            seen as u32,
            &raw const timeout,
        )
    };
    if result < 0 && std::io::Error::last_os_error().raw_os_error() == Some(libc::ENOSYS) {
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn something_is_slow() -> bool {
    let blackbox = memory::blackbox();
    let used = blackbox.header().threads_used.load(Ordering::Acquire) as usize;
    let now = clock::coarse();
    let word = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
    let slow = |cells: &ThreadCells| {
        let old = |call: &AtomicU64, at: &AtomicU64| {
            word(call) != 0 && now.saturating_sub(word(at)) > LONG
        };
        old(&cells.slot_call, &cells.slot_began_at) || old(&cells.poll_call, &cells.poll_first_at)
    };
    blackbox.threads().iter().take(used).any(slow)
}

/// Reads the breadcrumb of each queue.
fn sample(device: &Device) {
    if EXITING.load(Ordering::SeqCst) {
        return;
    }
    let Some(read) = device.next.get_semaphore_counter_value else { return };
    for queue in device.live_queues() {
        let crumb = queue.crumb.load(Ordering::Relaxed);
        let Some(cells) = queue.cells() else { continue };
        if crumb == 0 {
            continue;
        }
        let mut value = 0;
        // SAFETY: the crumb lives as long as the device, which is kept from dying meanwhile.
        let result = unsafe { read(device.handle, vk::Semaphore::from_raw(crumb), &raw mut value) };
        if result == vk::Result::SUCCESS {
            device::passed(cells, value, clock::coarse());
            cells.sampled_at.store(clock::exact(), Ordering::Relaxed);
        }
        device.check_lost(result, Call::GetSemaphoreCounterValue);
    }
}
