//! Which devices are there, and how far has each queue got? Devices are found without a lock.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use ash::vk::{self, Handle};
use unwedge_trace::blackbox::{
    CRUMBS_ON, Call, DESTROYED, DEVICES, DeviceCells, EMPTY, LIVE, QUEUES, QueueCells, RESERVED,
    store_words, text_to_words, writer,
};

use crate::dispatch::Next;
use crate::ffi::{self, DeviceLink};
use crate::instance::{self, key};
use crate::{clock, crumbs, helper, memory, thread};

/// Queues of one device that are followed; more are forwarded and counted as lost.
const DEVICE_QUEUES: usize = 32;
/// Devices alive at one time that the layer can forward for.
const PLACES: usize = 1024;

/// A `VkQueue` of a device.
pub(crate) struct Queue {
    pub(crate) handle: AtomicU64,
    /// Index in the black box.
    pub(crate) index: AtomicUsize,
    /// The layer's timeline semaphore, or 0: its value is the last batch that the GPU passed.
    pub(crate) crumb: AtomicU64,
}

/// Nobody samples the device.
pub(crate) const QUIET: u32 = 0;
/// The helper calls its driver.
pub(crate) const SAMPLING: u32 = 1;
/// It is being destroyed.
pub(crate) const DYING: u32 = 2;

/// What the layer keeps of a `VkDevice`.
pub(crate) struct Device {
    pub(crate) handle: vk::Device,
    /// Index in the black box plus one; 0 when it has no room there.
    pub(crate) number: u64,
    pub(crate) next: Next,
    /// The `vkGetDeviceProcAddr` below.
    pub(crate) get: ffi::GetDeviceProcAddr,
    /// Breadcrumbs are left.
    pub(crate) crumbs: bool,
    /// A fault or a watcher has lost the device: it stays lost.
    pub(crate) lost: AtomicBool,
    /// Semaphores that held batches wait for and that nobody is to signal, unless the device is lost.
    pub(crate) held: Mutex<Vec<vk::Semaphore>>,
    /// [`QUIET`] and its like.
    pub(crate) sampling: AtomicU32,
    pub(crate) queues: [Queue; DEVICE_QUEUES],
}

struct Place {
    key: AtomicUsize,
    device: AtomicPtr<Device>,
}

static DEVICE_TABLE: [Place; PLACES] =
    [const { Place { key: AtomicUsize::new(0), device: AtomicPtr::new(std::ptr::null_mut()) } };
        PLACES];
/// Places that were ever used.
static PLACES_USED: AtomicUsize = AtomicUsize::new(0);

/// The device of a device, queue or command buffer. Programs with one device find it at once.
///
/// # Safety
/// `handle` is a live dispatchable handle of a device.
#[inline]
pub(crate) unsafe fn of<'d>(handle: u64) -> Option<&'d Device> {
    // SAFETY: the caller's promise.
    let key = unsafe { key(handle) };
    let used = PLACES_USED.load(Ordering::Acquire);
    for place in DEVICE_TABLE.get(..used)? {
        if place.key.load(Ordering::Acquire) == key {
            // SAFETY: the pointer stays valid while the program may use the device.
            return unsafe { place.device.load(Ordering::Acquire).as_ref() };
        }
    }
    None
}

/// Runs `visit` for every live device, for the helper: a device being destroyed is left out, and
/// destruction waits, a little, for a visit to end.
pub(crate) fn visit_all(mut visit: impl FnMut(&Device)) {
    for place in DEVICE_TABLE.iter().take(PLACES_USED.load(Ordering::Acquire)) {
        // SAFETY: what a place pointed to is never freed; a destroyed device is DYING, which the
        // claim below excludes.
        let Some(device) = (unsafe { place.device.load(Ordering::Acquire).as_ref() }) else {
            continue;
        };
        let claim =
            device.sampling.compare_exchange(QUIET, SAMPLING, Ordering::SeqCst, Ordering::Relaxed);
        if claim.is_ok() {
            visit(device);
            let _ = device.sampling.compare_exchange(
                SAMPLING,
                QUIET,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
        }
    }
}

/// Whether the helper is inside some device's driver.
pub(crate) fn is_sampled() -> bool {
    DEVICE_TABLE.iter().take(PLACES_USED.load(Ordering::Acquire)).any(|place| {
        // SAFETY: as in `visit_all`: what a place pointed to is never freed.
        let device = unsafe { place.device.load(Ordering::Acquire).as_ref() };
        device.is_some_and(|device| device.sampling.load(Ordering::SeqCst) == SAMPLING)
    })
}

impl Device {
    /// Its record in the black box.
    pub(crate) fn cells(&self) -> Option<&'static DeviceCells> {
        let index = usize::try_from(self.number).ok()?.checked_sub(1)?;
        memory::blackbox().devices().get(index)
    }

    /// The queue of this handle.
    #[inline]
    pub(crate) fn queue(&self, handle: vk::Queue) -> Option<&Queue> {
        self.queues.iter().find(|queue| queue.handle.load(Ordering::Acquire) == handle.as_raw())
    }

    /// The queues that the program has asked for.
    pub(crate) fn live_queues(&self) -> impl Iterator<Item = &Queue> {
        self.queues.iter().take_while(|queue| queue.handle.load(Ordering::Acquire) != 0)
    }

    /// Keeps the first `VK_ERROR_DEVICE_LOST`, whichever call says so.
    pub(crate) fn check_lost(&self, result: vk::Result, call: Call) {
        if result == vk::Result::ERROR_DEVICE_LOST
            && let Some(cells) = self.cells()
        {
            let now = clock::exact();
            let new = cells.lost_at.compare_exchange(0, now, Ordering::AcqRel, Ordering::Relaxed);
            if new.is_ok() {
                cells.lost_call.store(call.word(), Ordering::Relaxed);
            }
        }
    }
}

impl Queue {
    const fn empty() -> Self {
        Self {
            handle: AtomicU64::new(0),
            index: AtomicUsize::new(usize::MAX),
            crumb: AtomicU64::new(0),
        }
    }

    /// Its record in the black box.
    pub(crate) fn cells(&self) -> Option<&'static QueueCells> {
        memory::blackbox().queues().get(self.index.load(Ordering::Relaxed))
    }

    /// The GPU is known to have passed batch `sequence`.
    pub(crate) fn passed(&self, sequence: u64) {
        if let Some(cells) = self.cells() {
            passed(cells, sequence, clock::coarse());
        }
    }
}

/// The GPU is known to have passed batch `sequence` of this queue.
pub(crate) fn passed(cells: &QueueCells, sequence: u64, now: u64) {
    if sequence > cells.reached.load(Ordering::Relaxed) {
        cells.reached.fetch_max(sequence, Ordering::AcqRel);
        cells.reached_at.store(now, Ordering::Relaxed);
    }
}

pub(crate) unsafe extern "system" fn create_device(
    physical: vk::PhysicalDevice,
    info: *const vk::DeviceCreateInfo<'_>,
    allocator: *const vk::AllocationCallbacks<'_>,
    device: *mut vk::Device,
) -> vk::Result {
    // SAFETY: the loader passes a live physical device and a valid creation structure with its own
    // link in the chain.
    unsafe {
        let link =
            instance::take_link::<DeviceLink>((*info).p_next, ffi::LOADER_DEVICE_CREATE_INFO);
        let (Some((link, moved)), Some(instance)) = (link, instance::of(physical.as_raw())) else {
            return vk::Result::ERROR_INITIALIZATION_FAILED;
        };
        let get = (*link).get_device_proc_addr;
        let create = ((*link).get_instance_proc_addr)(instance.handle, c"vkCreateDevice".as_ptr());
        let Some(create) = create else { return vk::Result::ERROR_INITIALIZATION_FAILED };
        let create =
            std::mem::transmute::<unsafe extern "system" fn(), vk::PFN_vkCreateDevice>(create);

        let slot = thread::begin(Call::CreateDevice, 0, u64::MAX, false, std::iter::empty());
        let (result, crumbs) = crumbs::create_device(&instance, physical, &*info, |info| {
            // The layers below move the link as well: a second try starts where the first one did.
            (*moved).link = *link.cast::<*mut DeviceLink>();
            create(physical, info, allocator, device)
        });
        slot.end(result, 0);
        if result == vk::Result::SUCCESS {
            add(*device, get, &instance, physical, crumbs);
            helper::start();
        }
        result
    }
}

/// # Safety
/// `handle` was just created below by `get`'s layer.
unsafe fn add(
    handle: vk::Device,
    get: ffi::GetDeviceProcAddr,
    instance: &instance::Instance,
    physical: vk::PhysicalDevice,
    crumbs: u64,
) {
    let number = record(handle, instance, physical, crumbs);
    // SAFETY: the caller's promise.
    let (next, key) = unsafe { (Next::load(get, handle), key(handle.as_raw())) };
    let device = Box::into_raw(Box::new(Device {
        handle,
        number,
        get,
        crumbs: crumbs == CRUMBS_ON && next.get_semaphore_counter_value.is_some(),
        next,
        lost: AtomicBool::new(false),
        held: Mutex::new(Vec::new()),
        sampling: AtomicU32::new(QUIET),
        queues: [const { Queue::empty() }; DEVICE_QUEUES],
    }));
    for (index, place) in DEVICE_TABLE.iter().enumerate() {
        let free = place.device.compare_exchange(
            std::ptr::null_mut(),
            device,
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
        if free.is_ok() {
            place.key.store(key, Ordering::Release);
            PLACES_USED.fetch_max(index + 1, Ordering::AcqRel);
            return;
        }
    }
    eprintln!("unwedge: more than {PLACES} devices at once, this one cannot be forwarded");
}

/// Fills a device record; gives its number.
fn record(
    handle: vk::Device,
    instance: &instance::Instance,
    physical: vk::PhysicalDevice,
    crumbs: u64,
) -> u64 {
    let blackbox = memory::blackbox();
    let Some(index) = claim(blackbox.devices().iter().map(|cells| &cells.state)) else {
        blackbox.header().objects_lost.fetch_add(1, Ordering::Relaxed);
        return 0;
    };
    let cells = &blackbox.devices()[index];
    writer::clear(cells);
    cells.state.store(RESERVED, Ordering::Relaxed);
    let set = |cell: &AtomicU64, word| cell.store(word, Ordering::Relaxed);
    set(&cells.handle, handle.as_raw());
    set(&cells.created_at, clock::exact());
    set(&cells.created_tid, thread::tid());
    set(&cells.crumbs, crumbs);
    // SAFETY: `physical` is live; the function has this type.
    unsafe {
        let properties = instance.next.get_properties;
        if let Some(get_properties) = properties {
            let mut properties = vk::PhysicalDeviceProperties::default();
            get_properties(physical, &raw mut properties);
            set(&cells.device_type, properties.device_type.as_raw() as u64);
            set(&cells.vendor, u64::from(properties.vendor_id));
            let name = properties.device_name_as_c_str().unwrap_or_default().to_string_lossy();
            store_words(&cells.name, &text_to_words::<8>(&name));
        }
    }
    cells.state.store(LIVE, Ordering::Release);
    blackbox.header().devices_used.fetch_max(index as u64 + 1, Ordering::AcqRel);
    debug_assert!(index < DEVICES);
    index as u64 + 1
}

/// Takes the first free record: never used, else one whose object is gone.
fn claim<'c>(states: impl Iterator<Item = &'c AtomicU64> + Clone) -> Option<usize> {
    [EMPTY, DESTROYED].into_iter().find_map(|wanted| {
        states.clone().position(|state| {
            state.compare_exchange(wanted, RESERVED, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        })
    })
}

pub(crate) unsafe extern "system" fn destroy_device(
    handle: vk::Device,
    allocator: *const vk::AllocationCallbacks<'_>,
) {
    if handle == vk::Device::null() {
        return;
    }
    // SAFETY: the device is live until the call below destroys it.
    unsafe {
        let Some(device) = of(handle.as_raw()) else { return };
        let key = key(handle.as_raw());
        let objects = std::iter::once((handle.as_raw(), 0));
        let slot = thread::begin(Call::DestroyDevice, device.number, u64::MAX, false, objects);
        let quiet = silence(device);
        if quiet {
            destroy_crumbs(device);
        }
        if let Some(destroy) = device.next.destroy_device
            && !crate::fail::keeps_objects(device)
        {
            destroy(handle, allocator);
        }
        forget(device);
        slot.end(vk::Result::SUCCESS, 0);
        for place in &DEVICE_TABLE {
            if place.key.load(Ordering::Acquire) == key {
                place.key.store(0, Ordering::Release);
                place.device.store(std::ptr::null_mut(), Ordering::Release);
                break;
            }
        }
        // The helper may still hold a reference that it took before the place was emptied, so the
        // three kilobytes are kept: devices are made a handful of times in a program's life.
    }
}

/// Keeps the helper away from a device. False when it is still inside the driver after 200 ms: then
/// nothing of the device is freed.
fn silence(device: &Device) -> bool {
    for _ in 0..200 {
        let claim =
            device.sampling.compare_exchange(QUIET, DYING, Ordering::AcqRel, Ordering::Relaxed);
        if claim.is_ok() {
            return true;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    device.sampling.store(DYING, Ordering::Release);
    false
}

/// # Safety
/// Nobody uses the device's queues any more.
unsafe fn destroy_crumbs(device: &Device) {
    for queue in device.live_queues() {
        let crumb = vk::Semaphore::from_raw(queue.crumb.swap(0, Ordering::AcqRel));
        if let (Some(destroy), true) =
            (device.next.destroy_semaphore, crumb != vk::Semaphore::null())
            && !device.lost.load(Ordering::Relaxed)
        {
            // SAFETY: the crumb is the layer's own; vkDestroyDevice requires idle queues.
            unsafe { destroy(device.handle, crumb, std::ptr::null()) };
        }
    }
}

/// Takes a device and all that belongs to it out of the black box.
fn forget(device: &Device) {
    let blackbox = memory::blackbox();
    for queue in device.live_queues() {
        if let Some(cells) = queue.cells() {
            cells.state.store(DESTROYED, Ordering::Release);
        }
    }
    for fence in blackbox.fences().of_device(device.number) {
        fence.state.store(DESTROYED, Ordering::Release);
    }
    for semaphore in blackbox.semaphores().of_device(device.number) {
        semaphore.state.store(DESTROYED, Ordering::Release);
    }
    for swapchain in blackbox.swapchains().of_device(device.number) {
        swapchain.state.store(DESTROYED, Ordering::Release);
    }
    if let Some(cells) = device.cells() {
        cells.state.store(DESTROYED, Ordering::Release);
    }
}

pub(crate) unsafe extern "system" fn get_device_queue(
    handle: vk::Device,
    family: u32,
    index: u32,
    queue: *mut vk::Queue,
) {
    // SAFETY: the program's arguments, passed on; `queue` is valid afterwards.
    unsafe {
        let Some(device) = of(handle.as_raw()) else { return };
        if let Some(get) = device.next.get_device_queue {
            get(handle, family, index, queue);
            add_queue(device, *queue, family, index);
        }
    }
}

pub(crate) unsafe extern "system" fn get_device_queue2(
    handle: vk::Device,
    info: *const vk::DeviceQueueInfo2<'_>,
    queue: *mut vk::Queue,
) {
    // SAFETY: as above.
    unsafe {
        let Some(device) = of(handle.as_raw()) else { return };
        if let Some(get) = device.next.get_device_queue2 {
            get(handle, info, queue);
            add_queue(device, *queue, (*info).queue_family_index, (*info).queue_index);
        }
    }
}

fn add_queue(device: &Device, handle: vk::Queue, family: u32, index: u32) {
    // Asking for queues is rare and may happen on two threads at once.
    static ADDING: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let crumb = if device.queue(handle).is_none() { crumbs::semaphore(device) } else { 0 };
    let _guard = ADDING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if handle == vk::Queue::null() || device.queue(handle).is_some() {
        return;
    }
    let blackbox = memory::blackbox();
    let place = device.queues.iter().find(|queue| queue.handle.load(Ordering::Relaxed) == 0);
    let record = claim(blackbox.queues().iter().map(|cells| &cells.state));
    let (Some(place), Some(record)) = (place, record) else {
        blackbox.header().objects_lost.fetch_add(1, Ordering::Relaxed);
        return;
    };
    debug_assert!(record < QUEUES);
    let cells = &blackbox.queues()[record];
    writer::clear(cells);
    cells.state.store(RESERVED, Ordering::Relaxed);
    let set = |cell: &AtomicU64, word| cell.store(word, Ordering::Relaxed);
    set(&cells.handle, handle.as_raw());
    set(&cells.device, device.number);
    set(&cells.family, u64::from(family));
    set(&cells.index, u64::from(index));
    for sequence in 0..unwedge_trace::blackbox::QUEUE_BATCHES as u64 {
        set(&blackbox.batch(record, sequence).sequence, 0);
    }
    cells.state.store(LIVE, Ordering::Release);
    blackbox.header().queues_used.fetch_max(record as u64 + 1, Ordering::AcqRel);
    place.index.store(record, Ordering::Relaxed);
    place.crumb.store(crumb, Ordering::Relaxed);
    place.handle.store(handle.as_raw(), Ordering::Release);
}
