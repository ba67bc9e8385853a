//! Host allocation callbacks that fail on demand: how a real driver is made to return `VK_ERROR_OUT_OF_HOST_MEMORY`.
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use ash::vk;

static FAILING: AtomicBool = AtomicBool::new(false);

/// From now on every allocation fails, or none.
pub(crate) fn fail(failing: bool) {
    FAILING.store(failing, Ordering::SeqCst);
}

pub(crate) fn callbacks() -> vk::AllocationCallbacks<'static> {
    vk::AllocationCallbacks {
        pfn_allocation: Some(allocate),
        pfn_reallocation: Some(reallocate),
        pfn_free: Some(free),
        ..Default::default()
    }
}

unsafe extern "system" fn allocate(
    _: *mut c_void,
    size: usize,
    alignment: usize,
    _: vk::SystemAllocationScope,
) -> *mut c_void {
    let mut memory = ptr::null_mut();
    let alignment = alignment.max(size_of::<usize>());
    let failed = FAILING.load(Ordering::SeqCst)
        || unsafe { libc::posix_memalign(&mut memory, alignment, size) } != 0;
    if failed { ptr::null_mut() } else { memory }
}

/// `realloc` keeps 16 bytes of alignment, which is all that drivers ask of what they reallocate.
unsafe extern "system" fn reallocate(
    _: *mut c_void,
    original: *mut c_void,
    size: usize,
    _: usize,
    _: vk::SystemAllocationScope,
) -> *mut c_void {
    if FAILING.load(Ordering::SeqCst) {
        ptr::null_mut()
    } else {
        unsafe { libc::realloc(original, size) }
    }
}

unsafe extern "system" fn free(_: *mut c_void, memory: *mut c_void) {
    unsafe { libc::free(memory) };
}
