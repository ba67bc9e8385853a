//! What do uploads run on, and what has arrived there? A device, and a buffer on it in which every item keeps its history.

use std::sync::OnceLock;

use ash::vk;
use unwedge_wait::UploadParts;

use crate::faults::{self, SETTLE_NS};

/// The items of the tests: the numbers below this.
pub(crate) const ITEMS: usize = 4;

/// How many uploads of an item are remembered.
const HISTORY: usize = 16;

const WORD: u64 = size_of::<u32>() as u64;
const ROW: u64 = WORD * HISTORY as u64;

/// A driver.
pub(crate) struct Driver {
    instance: ash::Instance,
    physical: vk::PhysicalDevice,
    /// Keeps the loader loaded.
    _entry: Option<ash::Entry>,
}

impl Driver {
    /// The fake driver, under a script of its own.
    pub(crate) fn fake(script: &str) -> Self {
        let instance = fake_icd::instance(script, &[]).unwrap();
        // SAFETY: the instance lives.
        let physical = unsafe { instance.enumerate_physical_devices().unwrap()[0] };
        Self { instance, physical, _entry: None }
    }

    /// lavapipe, if this machine has it, or with `UNWEDGE_TEST_DEVICE=real` the machine's own device; made once, and used by all
    /// threads.
    pub(crate) fn lavapipe() -> Result<&'static Self, &'static str> {
        static LAVAPIPE: OnceLock<Result<Driver, String>> = OnceLock::new();
        LAVAPIPE.get_or_init(Self::find_lavapipe).as_ref().map_err(String::as_str)
    }

    fn find_lavapipe() -> Result<Self, String> {
        // SAFETY: the loader is what Vulkan's programs load; the handles live.
        unsafe {
            let entry = ash::Entry::load().map_err(|error| error.to_string())?;
            let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_1);
            let info = vk::InstanceCreateInfo::default().application_info(&application);
            let instance = entry.create_instance(&info, None).map_err(|error| error.to_string())?;
            let devices =
                instance.enumerate_physical_devices().map_err(|error| error.to_string())?;
            let real = std::env::var_os("UNWEDGE_TEST_DEVICE").is_some_and(|which| which == "real");
            let is_lavapipe = |physical: &vk::PhysicalDevice| {
                let properties = instance.get_physical_device_properties(*physical);
                let name = properties.device_name_as_c_str().unwrap_or_default();
                real || name.to_string_lossy().contains("llvmpipe")
            };
            let physical = devices.into_iter().find(is_lavapipe).ok_or("there is no lavapipe")?;
            Ok(Self { instance, physical, _entry: Some(entry) })
        }
    }

    /// A memory type that the host sees without flushes.
    fn memory_type(&self) -> u32 {
        let wanted = vk::MemoryPropertyFlags::HOST_VISIBLE | vk::MemoryPropertyFlags::HOST_COHERENT;
        // SAFETY: the physical device lives.
        let memory = unsafe { self.instance.get_physical_device_memory_properties(self.physical) };
        let types = memory.memory_types_as_slice().iter();
        let found = types.clone().position(|kind| kind.property_flags.contains(wanted)).unwrap();
        u32::try_from(found).unwrap()
    }
}

/// A device with one queue, staging memory, and a destination.
pub(crate) struct Gpu {
    /// Without the faults.
    pub(crate) real: ash::Device,
    /// With them.
    pub(crate) parts: UploadParts,
    /// A word for each item.
    staging: Buffer,
    /// For each item its uploads, the latest first.
    destination: Buffer,
    /// Where a history is on its way from one place to the next.
    scratch: Buffer,
}

struct Buffer {
    handle: vk::Buffer,
    memory: vk::DeviceMemory,
    words: *mut u32,
}

impl Gpu {
    pub(crate) fn new(driver: &Driver) -> Self {
        let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&[1.0])];
        let info = vk::DeviceCreateInfo::default().queue_create_infos(&queues);
        // SAFETY: live handles, in this function and all below.
        unsafe {
            let real = driver.instance.create_device(driver.physical, &info, None).unwrap();
            let queue = real.get_device_queue(0, 0);
            let parts = UploadParts { device: faults::wrap(&real), queue, queue_family: 0 };
            let kind = driver.memory_type();
            let staging = buffer(&real, kind, WORD * ITEMS as u64);
            let destination = buffer(&real, kind, ROW * ITEMS as u64);
            let scratch = buffer(&real, kind, ROW * ITEMS as u64);
            Self { real, parts, staging, destination, scratch }
        }
    }

    /// Writes what an item is now to its staging memory.
    pub(crate) fn stage(&self, item: usize, value: u32) {
        assert!(item < ITEMS);
        // SAFETY: the memory is mapped and has a word for each item; the device does not use it.
        unsafe { self.staging.words.add(item).write_volatile(value) };
    }

    /// Records the upload of items: each one's history moves on by a place, and its staged word comes first.
    pub(crate) fn record(&self, commands: vk::CommandBuffer, items: &[usize]) {
        let copy = |from: &Buffer, to: &Buffer, region: fn(u64) -> vk::BufferCopy| {
            let regions: Vec<_> = items.iter().map(|item| region(*item as u64)).collect();
            // SAFETY: live handles; the regions are within the buffers.
            unsafe { self.real.cmd_copy_buffer(commands, from.handle, to.handle, &regions) };
        };
        self.barrier(commands);
        copy(&self.destination, &self.scratch, |item| vk::BufferCopy {
            src_offset: item * ROW,
            dst_offset: item * ROW,
            size: ROW - WORD,
        });
        self.barrier(commands);
        copy(&self.scratch, &self.destination, |item| vk::BufferCopy {
            src_offset: item * ROW,
            dst_offset: item * ROW + WORD,
            size: ROW - WORD,
        });
        self.barrier(commands);
        copy(&self.staging, &self.destination, |item| vk::BufferCopy {
            src_offset: item * WORD,
            dst_offset: item * ROW,
            size: WORD,
        });
        self.barrier(commands);
    }

    /// Everything before comes before everything after, for the device and the host.
    fn barrier(&self, commands: vk::CommandBuffer) {
        let access = vk::AccessFlags::MEMORY_READ | vk::AccessFlags::MEMORY_WRITE;
        let barrier = vk::MemoryBarrier::default().src_access_mask(access).dst_access_mask(access);
        let all = vk::PipelineStageFlags::ALL_COMMANDS;
        let and_host = all | vk::PipelineStageFlags::HOST;
        let none = vk::DependencyFlags::empty();
        // SAFETY: live handles.
        unsafe {
            self.real.cmd_pipeline_barrier(commands, all, and_host, none, &[barrier], &[], &[]);
        }
    }

    /// What has arrived of an item, the first upload first.
    pub(crate) fn history(&self, item: usize) -> Vec<u32> {
        // SAFETY: the memory is mapped and has a row for each item; the queue has done what the test looks at.
        let words = (0..HISTORY)
            .map(|at| unsafe { self.destination.words.add(item * HISTORY + at).read_volatile() });
        let mut history: Vec<_> = words.take_while(|word| *word != 0).collect();
        assert!(history.len() < HISTORY, "there may have been more");
        history.reverse();
        history
    }

    /// Waits until the queue has executed all that it has, whatever the script says.
    pub(crate) fn settle(&self) {
        // SAFETY: live handles.
        unsafe {
            let fence = self.real.create_fence(&vk::FenceCreateInfo::default(), None).unwrap();
            self.real.queue_submit(self.parts.queue, &[], fence).unwrap();
            self.real.wait_for_fences(&[fence], true, SETTLE_NS).unwrap();
            self.real.destroy_fence(fence, None);
        }
    }

    /// Destroys everything; the queue is idle.
    pub(crate) fn destroy(self) {
        // SAFETY: live handles, which nothing uses.
        unsafe {
            for buffer in [self.staging, self.destination, self.scratch] {
                self.real.destroy_buffer(buffer.handle, None);
                self.real.free_memory(buffer.memory, None);
            }
            self.real.destroy_device(None);
        }
    }
}

/// # Safety
///
/// The device is alive.
unsafe fn buffer(device: &ash::Device, kind: u32, size: u64) -> Buffer {
    let usage = vk::BufferUsageFlags::TRANSFER_SRC | vk::BufferUsageFlags::TRANSFER_DST;
    let info = vk::BufferCreateInfo::default().size(size).usage(usage);
    // SAFETY: the caller's promise; the memory has room for every item's words, and nothing uses it yet.
    unsafe {
        let handle = device.create_buffer(&info, None).unwrap();
        let needed = device.get_buffer_memory_requirements(handle);
        assert_ne!(needed.memory_type_bits & (1 << kind), 0);
        let info =
            vk::MemoryAllocateInfo::default().allocation_size(needed.size).memory_type_index(kind);
        let memory = device.allocate_memory(&info, None).unwrap();
        device.bind_buffer_memory(handle, memory, 0).unwrap();
        let words = device.map_memory(memory, 0, vk::WHOLE_SIZE, vk::MemoryMapFlags::empty());
        let words: *mut u32 = words.unwrap().cast();
        words.write_bytes(0, usize::try_from(size / WORD).unwrap());
        Buffer { handle, memory, words }
    }
}
