//! Under which address does the loader find a function?
//!
//! The interface is described in the loader's `LoaderDriverInterface.md`.

use crate::device::Device;
use crate::ffi::Entry;
use crate::instance::Instance;
use crate::script::Script;
use crate::{
    accepted, command, device, external, fence, instance, memory, physical, pipeline, present,
    query, semaphore, submit, surface, swapchain,
};
use ash::vk;
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char};
use std::sync::{PoisonError, RwLock};

/// The newest version of the loader's interface that this driver knows.
const INTERFACE_VERSION: u32 = 5;

/// Agrees on the version of the interface.
#[unsafe(no_mangle)]
extern "system" fn vk_icdNegotiateLoaderICDInterfaceVersion(version: &mut u32) -> vk::Result {
    *version = INTERFACE_VERSION.min(*version);
    vk::Result::SUCCESS
}

/// The address of any function; the instance is null for those that need none.
#[unsafe(no_mangle)]
pub(crate) extern "system" fn vk_icdGetInstanceProcAddr(
    instance: Option<&Instance>,
    name: *const c_char,
) -> vk::PFN_vkVoidFunction {
    let name = read(name)?;
    if instance.is_some_and(|instance| is_hidden(name, instance.script())) {
        return None;
    }
    static FOUND: Memo = Memo::new(BTreeMap::new());
    found(&FOUND, name, |name| instance_entry(name).or_else(|| device_entry(name)))
}

/// The address of a function whose first argument is a physical device.
#[unsafe(no_mangle)]
extern "system" fn vk_icdGetPhysicalDeviceProcAddr(
    _instance: Option<&Instance>,
    name: *const c_char,
) -> vk::PFN_vkVoidFunction {
    function(physical_device_entry(read(name)?)?)
}

extern "system" fn get_device_proc_addr(
    device: &Device,
    name: *const c_char,
) -> vk::PFN_vkVoidFunction {
    let name = read(name)?;
    if is_hidden(name, &device.script) {
        return None;
    }
    static FOUND: Memo = Memo::new(BTreeMap::new());
    found(&FOUND, name, device_entry)
}

/// What was found before, by name: a test that makes thousands of instances asks for hundreds of functions each time.
type Memo = RwLock<BTreeMap<String, vk::PFN_vkVoidFunction>>;

/// Looks into the memory first.
fn found(memo: &Memo, name: &str, find: impl Fn(&str) -> Option<Entry>) -> vk::PFN_vkVoidFunction {
    let known = memo.read().unwrap_or_else(PoisonError::into_inner).get(name).copied();
    known.unwrap_or_else(|| {
        let address = find(name).and_then(function);
        memo.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), address);
        address
    })
}

fn instance_entry(name: &str) -> Option<Entry> {
    match name {
        "vkGetInstanceProcAddr" => Some(vk_icdGetInstanceProcAddr as Entry),
        _ => instance::entry(name).or_else(|| physical_device_entry(name)),
    }
}

fn physical_device_entry(name: &str) -> Option<Entry> {
    physical::entry(name).or_else(|| surface::entry(name))
}

fn device_entry(name: &str) -> Option<Entry> {
    const MODULES: [fn(&str) -> Option<Entry>; 12] = [
        command::entry,
        device::entry,
        external::entry,
        fence::entry,
        memory::entry,
        pipeline::entry,
        present::entry,
        query::entry,
        semaphore::entry,
        submit::entry,
        swapchain::entry,
        accepted::entry,
    ];
    match name {
        "vkGetDeviceProcAddr" => Some(get_device_proc_addr as Entry),
        _ => MODULES.iter().find_map(|entry| entry(name)),
    }
}

/// Whether the script takes a function away: without timelines the device is one of Vulkan 1.1.
fn is_hidden(name: &str, script: &Script) -> bool {
    const TIMELINE: [&str; 3] =
        ["vkGetSemaphoreCounterValue", "vkSignalSemaphore", "vkWaitSemaphores"];
    const SINCE_1_2: [&str; 9] = [
        "vkQueueSubmit2",
        "vkCmdPipelineBarrier2",
        "vkCmdSetEvent2",
        "vkCmdResetEvent2",
        "vkCmdWaitEvents2",
        "vkCmdWriteTimestamp2",
        "vkResetQueryPool",
        "vkCmdBeginRendering",
        "vkCmdEndRendering",
    ];
    let timeline = TIMELINE.contains(&name.strip_suffix("KHR").unwrap_or(name));
    !script.timeline && (timeline || SINCE_1_2.contains(&name))
}

fn read<'a>(name: *const c_char) -> Option<&'a str> {
    if name.is_null() {
        return None;
    }
    // SAFETY: the loader passes a C string, which outlives the call.
    unsafe { CStr::from_ptr(name) }.to_str().ok()
}

fn function(entry: Entry) -> vk::PFN_vkVoidFunction {
    // SAFETY: every entry is the address of an `extern "system"` function; the loader casts it back to its true type.
    Some(unsafe { std::mem::transmute::<Entry, unsafe extern "system" fn()>(entry) })
}
