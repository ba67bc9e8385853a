//! Where do buffers and images live, and how does the CPU write to them?

use ash::vk;

use super::Error;
use super::device::Device;

/// A buffer that the CPU writes to, mapped for as long as it lives.
pub(super) struct Buffer {
    pub(super) handle: vk::Buffer,
    memory: vk::DeviceMemory,
    mapped: *mut u8,
    pub(super) bytes: usize,
}

impl Buffer {
    pub(super) fn new(
        device: &Device,
        bytes: usize,
        usage: vk::BufferUsageFlags,
    ) -> Result<Self, Error> {
        let info = vk::BufferCreateInfo::default().size(bytes as u64).usage(usage);
        // SAFETY: the device lives, and a buffer of this kind needs no feature.
        let handle = unsafe { device.handle.create_buffer(&info, None) }
            .map_err(|result| Error::call("vkCreateBuffer", result))?;
        // SAFETY: the buffer was just made.
        let needed = unsafe { device.handle.get_buffer_memory_requirements(handle) };
        let wanted = vk::MemoryPropertyFlags::HOST_VISIBLE | vk::MemoryPropertyFlags::HOST_COHERENT;
        let buffer = allocate(device, needed, wanted).and_then(|memory| {
            // SAFETY: the memory was allocated for this buffer, can be mapped, and is mapped once.
            let mapped = unsafe {
                device.handle.bind_buffer_memory(handle, memory, 0).and_then(|()| {
                    let flags = vk::MemoryMapFlags::empty();
                    device.handle.map_memory(memory, 0, vk::WHOLE_SIZE, flags)
                })
            };
            match mapped {
                Ok(mapped) => Ok(Self { handle, memory, mapped: mapped.cast(), bytes }),
                Err(result) => {
                    // SAFETY: nothing has used it.
                    unsafe { device.handle.free_memory(memory, None) };
                    Err(Error::call("vkMapMemory", result))
                }
            }
        });
        if buffer.is_err() {
            // SAFETY: nothing has used it.
            unsafe { device.handle.destroy_buffer(handle, None) };
        }
        buffer
    }

    /// Writes at an offset.
    ///
    /// # Safety
    /// The device reads nothing of it at the same time.
    pub(super) unsafe fn write(&self, offset: usize, bytes: &[u8]) {
        assert!(
            bytes.len() <= self.bytes && offset <= self.bytes - bytes.len(),
            "beyond the buffer"
        );
        // SAFETY: inside the mapping by the line above; the device does not read it, as the caller promises.
        unsafe { self.mapped.add(offset).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }

    /// # Safety
    /// The device is done with it.
    pub(super) unsafe fn destroy(self, device: &ash::Device) {
        // SAFETY: as promised by the caller; freeing unmaps.
        unsafe {
            device.destroy_buffer(self.handle, None);
            device.free_memory(self.memory, None);
        }
    }
}

/// Memory of a kind that has all that is wanted.
pub(super) fn allocate(
    device: &Device,
    needed: vk::MemoryRequirements,
    wanted: vk::MemoryPropertyFlags,
) -> Result<vk::DeviceMemory, Error> {
    let kinds = device.memory.memory_types_as_slice();
    let kind = (0u32..).zip(kinds).find_map(|(number, kind)| {
        let allowed = needed.memory_type_bits & (1 << number) != 0;
        (allowed && kind.property_flags.contains(wanted)).then_some(number)
    });
    let info = vk::MemoryAllocateInfo::default()
        .allocation_size(needed.size)
        .memory_type_index(kind.ok_or(Error::NoMemory)?);
    // SAFETY: the kind is one of the device's.
    unsafe { device.handle.allocate_memory(&info, None) }
        .map_err(|result| Error::call("vkAllocateMemory", result))
}
