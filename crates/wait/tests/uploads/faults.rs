//! How is any call that uploads make told to fail? By functions in a device's table that ask a script before they call the
//! driver.
//!
//! The script belongs to the thread, as does everything that a test does with its device.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use ash::vk::{self, Handle as _};

/// How long a wait is given that is to see what the driver does, in nanoseconds: long enough on a busy machine.
pub(crate) const SETTLE_NS: u64 = 20_000_000_000;

/// A call that can be told to fail, or the program's own recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    CreatePool,
    Allocate,
    CreateFence,
    ResetPool,
    Begin,
    Record,
    End,
    ResetFence,
    Submit,
    Wait,
}

/// What happens instead of what should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The call does nothing and returns this. Of [`Call::Record`]: the program fails.
    Returns(vk::Result),
    /// The submit is executed, and says all the same that the device is lost.
    ExecutedAndLost,
    /// The submit is executed, but its fence will never show it.
    SignalLost,
    /// The program panics while it records.
    Panics,
}

/// The fault, and at which of the calls of that kind, from 1.
pub(crate) type Planned = (Call, u32, Fault);

#[derive(Default)]
struct Script {
    real: Option<ash::DeviceFnV1_0>,
    planned: Vec<Planned>,
    counts: BTreeMap<Call, u32>,
    fired: usize,
    /// Fences whose signal was lost.
    lost_signals: BTreeSet<u64>,
    /// Fences and pools that were made and not destroyed.
    alive: BTreeSet<u64>,
}

thread_local! {
    static SCRIPT: RefCell<Script> = RefCell::default();
}

fn script<T>(use_it: impl FnOnce(&mut Script) -> T) -> T {
    SCRIPT.with(|script| use_it(&mut script.borrow_mut()))
}

/// Begins a script on this thread.
pub(crate) fn plan(planned: &[Planned]) {
    script(|script| *script = Script { planned: planned.to_vec(), ..Script::default() });
}

/// How many of the planned faults have happened.
pub(crate) fn fired() -> usize {
    script(|script| script.fired)
}

/// How many of each call there were.
pub(crate) fn counts() -> BTreeMap<Call, u32> {
    script(|script| script.counts.clone())
}

/// How many fences and pools were made and not destroyed.
pub(crate) fn alive() -> usize {
    script(|script| script.alive.len())
}

/// What is to happen at this call.
pub(crate) fn meet(call: Call) -> Option<Fault> {
    script(|script| {
        let count = script.counts.entry(call).or_default();
        *count += 1;
        let fault = script.planned.iter().find(|planned| planned.0 == call && planned.1 == *count);
        let fault = fault.map(|planned| planned.2);
        script.fired += usize::from(fault.is_some());
        fault
    })
}

/// The result that the script has for a call, if it has one.
fn scripted(call: Call) -> Option<vk::Result> {
    match meet(call) {
        Some(Fault::Returns(result)) => Some(result),
        _ => None,
    }
}

fn real() -> ash::DeviceFnV1_0 {
    script(|script| script.real.clone()).expect("a device was wrapped on this thread")
}

/// The device, with every call of uploads led through this thread's script.
pub(crate) fn wrap(device: &ash::Device) -> ash::Device {
    script(|script| script.real = Some(device.fp_v1_0().clone()));
    let mut functions = device.fp_v1_0().clone();
    functions.create_command_pool = create_command_pool;
    functions.destroy_command_pool = destroy_command_pool;
    functions.allocate_command_buffers = allocate_command_buffers;
    functions.create_fence = create_fence;
    functions.destroy_fence = destroy_fence;
    functions.reset_command_pool = reset_command_pool;
    functions.begin_command_buffer = begin_command_buffer;
    functions.end_command_buffer = end_command_buffer;
    functions.reset_fences = reset_fences;
    functions.queue_submit = queue_submit;
    functions.wait_for_fences = wait_for_fences;
    ash::Device::from_parts_1_3(
        device.handle(),
        functions,
        device.fp_v1_1().clone(),
        device.fp_v1_2().clone(),
        device.fp_v1_3().clone(),
    )
}

fn made(result: vk::Result, handle: u64) -> vk::Result {
    if result == vk::Result::SUCCESS {
        script(|script| script.alive.insert(handle));
    }
    result
}

fn destroyed(handle: u64) {
    script(|script| {
        script.lost_signals.remove(&handle);
        assert!(script.alive.remove(&handle), "destroyed twice, or never made");
    });
}

unsafe extern "system" fn create_command_pool(
    device: vk::Device,
    info: *const vk::CommandPoolCreateInfo<'_>,
    allocator: *const vk::AllocationCallbacks<'_>,
    out: *mut vk::CommandPool,
) -> vk::Result {
    if let Some(result) = scripted(Call::CreatePool) {
        return result;
    }
    // SAFETY: the caller's arguments, for the driver's function; so in all functions below.
    unsafe {
        let result = (real().create_command_pool)(device, info, allocator, out);
        made(result, if result == vk::Result::SUCCESS { (*out).as_raw() } else { 0 })
    }
}

unsafe extern "system" fn destroy_command_pool(
    device: vk::Device,
    pool: vk::CommandPool,
    allocator: *const vk::AllocationCallbacks<'_>,
) {
    destroyed(pool.as_raw());
    // SAFETY: as above.
    unsafe { (real().destroy_command_pool)(device, pool, allocator) }
}

unsafe extern "system" fn allocate_command_buffers(
    device: vk::Device,
    info: *const vk::CommandBufferAllocateInfo<'_>,
    out: *mut vk::CommandBuffer,
) -> vk::Result {
    // SAFETY: as above.
    scripted(Call::Allocate)
        .unwrap_or_else(|| unsafe { (real().allocate_command_buffers)(device, info, out) })
}

unsafe extern "system" fn create_fence(
    device: vk::Device,
    info: *const vk::FenceCreateInfo<'_>,
    allocator: *const vk::AllocationCallbacks<'_>,
    out: *mut vk::Fence,
) -> vk::Result {
    if let Some(result) = scripted(Call::CreateFence) {
        return result;
    }
    // SAFETY: as above.
    unsafe {
        let result = (real().create_fence)(device, info, allocator, out);
        made(result, if result == vk::Result::SUCCESS { (*out).as_raw() } else { 0 })
    }
}

unsafe extern "system" fn destroy_fence(
    device: vk::Device,
    fence: vk::Fence,
    allocator: *const vk::AllocationCallbacks<'_>,
) {
    destroyed(fence.as_raw());
    // SAFETY: as above.
    unsafe { (real().destroy_fence)(device, fence, allocator) }
}

unsafe extern "system" fn reset_command_pool(
    device: vk::Device,
    pool: vk::CommandPool,
    flags: vk::CommandPoolResetFlags,
) -> vk::Result {
    // SAFETY: as above.
    scripted(Call::ResetPool)
        .unwrap_or_else(|| unsafe { (real().reset_command_pool)(device, pool, flags) })
}

unsafe extern "system" fn begin_command_buffer(
    commands: vk::CommandBuffer,
    info: *const vk::CommandBufferBeginInfo<'_>,
) -> vk::Result {
    // SAFETY: as above.
    scripted(Call::Begin)
        .unwrap_or_else(|| unsafe { (real().begin_command_buffer)(commands, info) })
}

unsafe extern "system" fn end_command_buffer(commands: vk::CommandBuffer) -> vk::Result {
    // SAFETY: as above.
    scripted(Call::End).unwrap_or_else(|| unsafe { (real().end_command_buffer)(commands) })
}

unsafe extern "system" fn reset_fences(
    device: vk::Device,
    count: u32,
    fences: *const vk::Fence,
) -> vk::Result {
    if let Some(result) = scripted(Call::ResetFence) {
        return result;
    }
    // SAFETY: as above; the caller owes as many fences.
    unsafe {
        for fence in std::slice::from_raw_parts(fences, count as usize) {
            script(|script| script.lost_signals.remove(&fence.as_raw()));
        }
        (real().reset_fences)(device, count, fences)
    }
}

unsafe extern "system" fn queue_submit(
    queue: vk::Queue,
    count: u32,
    batches: *const vk::SubmitInfo<'_>,
    fence: vk::Fence,
) -> vk::Result {
    let fault = meet(Call::Submit);
    // SAFETY: as above.
    let submit = |fence| unsafe { (real().queue_submit)(queue, count, batches, fence) };
    match fault {
        Some(Fault::Returns(result)) => result,
        Some(Fault::ExecutedAndLost) => {
            assert_eq!(submit(fence), vk::Result::SUCCESS);
            vk::Result::ERROR_DEVICE_LOST
        }
        Some(Fault::SignalLost) => {
            script(|script| script.lost_signals.insert(fence.as_raw()));
            submit(vk::Fence::null())
        }
        _ => submit(fence),
    }
}

/// Waits for as long as it takes, whatever it was told, so that what a wait answers depends on the script alone.
unsafe extern "system" fn wait_for_fences(
    device: vk::Device,
    count: u32,
    fences: *const vk::Fence,
    all: vk::Bool32,
    _timeout_ns: u64,
) -> vk::Result {
    if let Some(result) = scripted(Call::Wait) {
        return result;
    }
    // SAFETY: as above; the caller owes as many fences.
    unsafe {
        let waited_for = std::slice::from_raw_parts(fences, count as usize);
        if waited_for.iter().any(|fence| script(|s| s.lost_signals.contains(&fence.as_raw()))) {
            return vk::Result::TIMEOUT;
        }
        (real().wait_for_fences)(device, count, fences, all, SETTLE_NS)
    }
}
