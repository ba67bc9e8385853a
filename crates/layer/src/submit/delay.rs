//! Signals that an injected fault brings late. One thread for each of them: faults are few.
//!
//! Only when faults are injected does the layer keep a queue to one thread at a time, because a
//! late signal of a fence or a binary semaphore is a submit of the layer's own.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ash::vk;

use crate::device::Device;
use crate::inject;

static QUEUES: Mutex<()> = Mutex::new(());

/// Keeps the layer's own submits away while the program uses a queue; free unless faults are on.
pub(crate) fn queue_guard() -> Option<MutexGuard<'static, ()>> {
    inject::enabled().then(|| QUEUES.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The guard, or nothing after a tenth of a second: the program may sit in a call on the queue that
/// this very signal is to end.
fn patient_guard() -> Option<MutexGuard<'static, ()>> {
    for _ in 0..10 {
        if let Ok(guard) = QUEUES.try_lock() {
            return Some(guard);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

/// What comes late.
#[derive(Clone, Copy)]
pub(crate) enum Late {
    Fence(vk::Fence),
    Binary(vk::Semaphore),
    Timeline(vk::Semaphore, u64),
}

/// Signals `late` on `queue` after `delay`, and not before the GPU has passed batch `sequence`.
pub(crate) fn schedule(
    device: &Device,
    queue: vk::Queue,
    sequence: u64,
    delay: Duration,
    late: Late,
) {
    let handle = device.handle;
    let _ = std::thread::Builder::new().name("unwedge late".to_owned()).spawn(move || {
        std::thread::sleep(delay);
        // SAFETY: injected faults assume that the device outlives the delay; it is looked up again
        // by its handle, whose memory the loader keeps while it lives.
        let Some(device) = (unsafe { crate::device::of(ash::vk::Handle::as_raw(handle)) }) else {
            return;
        };
        wait_for_batch(device, queue, sequence);
        signal(device, queue, late);
    });
}

/// Signals the semaphore that a held batch waits for, at once.
pub(crate) fn let_go(device: &Device, held: vk::Semaphore) {
    signal(device, vk::Queue::null(), Late::Timeline(held, 1));
}

fn wait_for_batch(device: &Device, queue: vk::Queue, sequence: u64) {
    let started = Instant::now();
    let Some(queue) = device.queue(queue) else { return };
    let crumb = queue.crumb.load(std::sync::atomic::Ordering::Relaxed);
    let (Some(read), true) = (device.next.get_semaphore_counter_value, crumb != 0) else { return };
    let mut value = 0;
    while value < sequence && started.elapsed() < Duration::from_secs(60) {
        // SAFETY: the crumb lives as long as the device.
        let _ = unsafe { read(device.handle, ash::vk::Handle::from_raw(crumb), &raw mut value) };
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn signal(device: &Device, queue: vk::Queue, late: Late) {
    let _guard = if matches!(late, Late::Timeline(..)) { None } else { patient_guard() };
    let next = &device.next;
    // SAFETY: the objects are the program's and still wait for the signal that was taken away.
    unsafe {
        match late {
            Late::Fence(fence) => {
                if let Some(submit) = next.queue_submit {
                    let _ = submit(queue, 0, std::ptr::null(), fence);
                }
            }
            Late::Binary(semaphore) => {
                let list = [semaphore];
                let info = vk::SubmitInfo::default().signal_semaphores(&list);
                if let Some(submit) = next.queue_submit {
                    let _ = submit(queue, 1, &raw const info, vk::Fence::null());
                }
            }
            Late::Timeline(semaphore, value) => {
                let info = vk::SemaphoreSignalInfo::default().semaphore(semaphore).value(value);
                if let Some(signal) = next.signal_semaphore {
                    let _ = signal(device.handle, &raw const info);
                }
            }
        }
    }
}
