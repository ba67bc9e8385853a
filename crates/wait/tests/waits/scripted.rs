//! A driver of a dozen functions: each call takes the next answer of the test, and is noted with its timeout.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::{CStr, c_char, c_void};
use std::mem;

use ash::vk::{self, Handle as _};

/// What a call is answered with once the answers of the test are used up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Success,
    /// Forever "not yet", and at once.
    Timeout,
}

/// A call that the driver saw: its name, and the timeout if it has one.
pub(crate) type Call = (&'static str, Option<u64>);

struct Driver {
    answers: VecDeque<vk::Result>,
    then: Then,
    calls: Vec<Call>,
    fences: u64,
}

thread_local! {
    static DRIVER: RefCell<Driver> = const {
        RefCell::new(Driver { answers: VecDeque::new(), then: Then::Success, calls: Vec::new(), fences: 0 })
    };
}

fn answer(call: &'static str, timeout: Option<u64>) -> vk::Result {
    DRIVER.with_borrow_mut(|driver| {
        driver.calls.push((call, timeout));
        driver.answers.pop_front().unwrap_or(match driver.then {
            Then::Success => vk::Result::SUCCESS,
            Then::Timeout if call == "vkGetQueryPoolResults" => vk::Result::NOT_READY,
            Then::Timeout => vk::Result::TIMEOUT,
        })
    })
}

/// The handles through which a test reaches the driver of its thread.
pub(crate) struct Scripted {
    pub(crate) device: ash::Device,
    pub(crate) timeline: ash::khr::timeline_semaphore::Device,
    pub(crate) swapchains: ash::khr::swapchain::Device,
    pub(crate) presents: ash::khr::present_wait::Device,
    pub(crate) presents2: unwedge_wait::PresentWait2,
}

impl Scripted {
    pub(crate) fn new(answers: &[vk::Result], then: Then) -> Self {
        DRIVER.set(Driver {
            answers: answers.iter().copied().collect(),
            then,
            calls: Vec::new(),
            fences: 0,
        });
        // SAFETY: the functions have the types of their names; the handles are never looked at.
        unsafe {
            let instance = ash::Instance::load_with(instance_function, vk::Instance::from_raw(1));
            let device = ash::Device::load_with(function, vk::Device::from_raw(2));
            Self {
                timeline: ash::khr::timeline_semaphore::Device::new(&instance, &device),
                swapchains: ash::khr::swapchain::Device::new(&instance, &device),
                presents: ash::khr::present_wait::Device::new(&instance, &device),
                presents2: unwedge_wait::PresentWait2::load(&instance, &device).unwrap(),
                device,
            }
        }
    }

    /// What the driver saw so far, and answers for what comes.
    pub(crate) fn next(&self, answers: &[vk::Result]) -> Vec<Call> {
        DRIVER.with_borrow_mut(|driver| {
            driver.answers = answers.iter().copied().collect();
            mem::take(&mut driver.calls)
        })
    }

    /// What the driver saw since it was asked last.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.next(&[])
    }
}

fn instance_function(name: &CStr) -> *const c_void {
    if name == c"vkGetDeviceProcAddr" {
        get_device_proc_addr as *const c_void
    } else {
        std::ptr::null()
    }
}

extern "system" fn get_device_proc_addr(_: vk::Device, name: *const c_char) -> *const c_void {
    // SAFETY: a name ends in a zero.
    function(unsafe { CStr::from_ptr(name) })
}

fn function(name: &CStr) -> *const c_void {
    match name.to_str().unwrap() {
        "vkWaitForFences" => wait_for_fences as *const c_void,
        "vkWaitSemaphores" | "vkWaitSemaphoresKHR" => wait_semaphores as *const c_void,
        "vkAcquireNextImageKHR" => acquire as *const c_void,
        "vkAcquireNextImage2KHR" => acquire2 as *const c_void,
        "vkWaitForPresentKHR" => wait_for_present as *const c_void,
        "vkWaitForPresent2KHR" => wait_for_present2 as *const c_void,
        "vkGetQueryPoolResults" => query_results as *const c_void,
        "vkDeviceWaitIdle" => device_wait_idle as *const c_void,
        "vkCreateFence" => create_fence as *const c_void,
        "vkDestroyFence" => destroy_fence as *const c_void,
        "vkResetFences" => reset_fences as *const c_void,
        "vkGetFenceStatus" => fence_status as *const c_void,
        "vkQueueSubmit" => queue_submit as *const c_void,
        _ => std::ptr::null(),
    }
}

extern "system" fn wait_for_fences(
    _: vk::Device,
    _: u32,
    _: *const vk::Fence,
    _: vk::Bool32,
    timeout: u64,
) -> vk::Result {
    answer("vkWaitForFences", Some(timeout))
}

extern "system" fn wait_semaphores(
    _: vk::Device,
    asked: &vk::SemaphoreWaitInfo<'_>,
    timeout: u64,
) -> vk::Result {
    // SAFETY: the caller owes as many of both.
    let (semaphores, values) = unsafe {
        let count = asked.semaphore_count as usize;
        (
            std::slice::from_raw_parts(asked.p_semaphores, count),
            std::slice::from_raw_parts(asked.p_values, count),
        )
    };
    // So that a test sees whether each value went with its semaphore: the tests give equal ones.
    for (semaphore, value) in semaphores.iter().zip(values) {
        assert_eq!(semaphore.as_raw(), *value);
    }
    answer("vkWaitSemaphores", Some(timeout))
}

extern "system" fn acquire(
    _: vk::Device,
    _: vk::SwapchainKHR,
    timeout: u64,
    _: vk::Semaphore,
    _: vk::Fence,
    image: &mut u32,
) -> vk::Result {
    *image = 7;
    answer("vkAcquireNextImageKHR", Some(timeout))
}

extern "system" fn acquire2(
    _: vk::Device,
    asked: &vk::AcquireNextImageInfoKHR<'_>,
    image: &mut u32,
) -> vk::Result {
    assert_eq!(asked.device_mask, 1);
    *image = 7;
    answer("vkAcquireNextImage2KHR", Some(asked.timeout))
}

extern "system" fn wait_for_present(
    _: vk::Device,
    _: vk::SwapchainKHR,
    id: u64,
    timeout: u64,
) -> vk::Result {
    assert_eq!(id, 3);
    answer("vkWaitForPresentKHR", Some(timeout))
}

/// `VkPresentWait2InfoKHR`, written down a second time.
#[repr(C)]
struct PresentWait2 {
    s_type: i32,
    p_next: *const c_void,
    present_id: u64,
    timeout: u64,
}

extern "system" fn wait_for_present2(
    _: vk::Device,
    _: vk::SwapchainKHR,
    asked: &PresentWait2,
) -> vk::Result {
    assert_eq!((asked.s_type, asked.present_id), (1_000_480_002, 3));
    assert!(asked.p_next.is_null());
    answer("vkWaitForPresent2KHR", Some(asked.timeout))
}

#[allow(clippy::too_many_arguments, reason = "the signature is Vulkan's")]
extern "system" fn query_results(
    _: vk::Device,
    _: vk::QueryPool,
    _: u32,
    count: u32,
    size: usize,
    _: *mut c_void,
    stride: u64,
    flags: vk::QueryResultFlags,
) -> vk::Result {
    assert!(!flags.contains(vk::QueryResultFlags::WAIT), "that bit waits for ever");
    assert_eq!(size as u64, u64::from(count) * stride);
    answer("vkGetQueryPoolResults", None)
}

extern "system" fn device_wait_idle(_: vk::Device) -> vk::Result {
    answer("vkDeviceWaitIdle", None)
}

extern "system" fn create_fence(
    _: vk::Device,
    _: *const c_void,
    _: *const c_void,
    fence: &mut vk::Fence,
) -> vk::Result {
    let number = DRIVER.with_borrow_mut(|driver| {
        driver.fences += 1;
        driver.fences
    });
    *fence = vk::Fence::from_raw(number);
    answer("vkCreateFence", None)
}

extern "system" fn destroy_fence(_: vk::Device, _: vk::Fence, _: *const c_void) {
    DRIVER.with_borrow_mut(|driver| driver.calls.push(("vkDestroyFence", None)));
}

extern "system" fn reset_fences(_: vk::Device, _: u32, _: *const vk::Fence) -> vk::Result {
    answer("vkResetFences", None)
}

extern "system" fn fence_status(_: vk::Device, _: vk::Fence) -> vk::Result {
    answer("vkGetFenceStatus", None)
}

extern "system" fn queue_submit(
    _: vk::Queue,
    count: u32,
    _: *const c_void,
    _: vk::Fence,
) -> vk::Result {
    assert_eq!(count, 0, "an empty batch");
    answer("vkQueueSubmit", None)
}
