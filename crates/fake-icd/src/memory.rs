//! Memory, buffers and images: where do their bytes lie?
//!
//! One heap, one memory type, plain zeroed pages of the process. Images have sizes but no contents.

use crate::calls::Which;
use crate::check::{self, Object};
use crate::device::Device;
use crate::ffi::{Allocator, Array, Out, OutArray, entries};
use crate::world::{self, World, result_of};
use ash::vk::{self, Handle as _};
use std::ffi::c_void;
use std::ptr::NonNull;

entries! {
    "vkAllocateMemory" => allocate,
    "vkFreeMemory" => free,
    "vkMapMemory" => map,
    "vkGetDeviceMemoryCommitment" => commitment,
    "vkCreateBuffer" => create_buffer,
    "vkDestroyBuffer" => destroy_buffer,
    "vkGetBufferMemoryRequirements" => buffer_requirements,
    "vkGetBufferMemoryRequirements2" | "vkGetBufferMemoryRequirements2KHR" => buffer_requirements2,
    "vkGetDeviceBufferMemoryRequirements" | "vkGetDeviceBufferMemoryRequirementsKHR" => future_buffer_requirements,
    "vkBindBufferMemory" => bind_buffer,
    "vkBindBufferMemory2" | "vkBindBufferMemory2KHR" => bind_buffer2,
    "vkCreateImage" => create_image,
    "vkDestroyImage" => destroy_image,
    "vkCreateImageView" => create_view,
    "vkDestroyImageView" => destroy_view,
    "vkGetImageMemoryRequirements" => image_requirements,
    "vkGetImageMemoryRequirements2" | "vkGetImageMemoryRequirements2KHR" => image_requirements2,
    "vkGetDeviceImageMemoryRequirements" | "vkGetDeviceImageMemoryRequirementsKHR" => future_image_requirements,
    "vkGetImageSubresourceLayout" => image_layout,
    "vkGetImageSparseMemoryRequirements" => sparse_requirements,
    "vkGetImageSparseMemoryRequirements2" | "vkGetImageSparseMemoryRequirements2KHR" => sparse_requirements,
    "vkGetDeviceImageSparseMemoryRequirements" | "vkGetDeviceImageSparseMemoryRequirementsKHR" => sparse_requirements,
}

/// Large enough for any use of a buffer.
const ALIGNMENT: u64 = 256;

/// As large as a texel gets without compression, so that one layout serves every format.
const TEXEL_BYTES: u64 = 16;

/// A `VkDeviceMemory`.
pub(crate) struct Memory {
    start: NonNull<u8>,
    size: usize,
}

// SAFETY: the pages belong to this object alone; who may write them when is the program's business.
unsafe impl Send for Memory {}

impl Memory {
    fn new(size: usize) -> Option<Self> {
        // SAFETY: any size may be asked for; large ones stay untouched, hence unbacked, until used.
        let start = NonNull::new(unsafe { libc::calloc(size.max(1), 1) }.cast())?;
        Some(Self { start, size })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: `new` got it from `calloc`, and nothing else frees it.
        unsafe { libc::free(self.start.as_ptr().cast()) }
    }
}

/// Some bytes of a memory object, for as long as the world is locked. The program may race with it, as with a GPU.
#[derive(Clone, Copy)]
pub(crate) struct Bytes {
    start: NonNull<u8>,
    length: usize,
}

impl Bytes {
    /// Room that a caller of the driver provides.
    ///
    /// # Safety
    ///
    /// `length` bytes behind `start` stay writable for as long as the result is used.
    pub(crate) unsafe fn from_caller(start: NonNull<u8>, length: usize) -> Self {
        Self { start, length }
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Writes what fits.
    pub(crate) fn write(&self, offset: usize, bytes: &[u8]) {
        let count = bytes.len().min(self.length.saturating_sub(offset));
        if count > 0 {
            // SAFETY: `offset + count` is within the room.
            unsafe {
                self.start.add(offset).copy_from_nonoverlapping(NonNull::from(bytes).cast(), count)
            }
        }
    }

    /// Copies what both sides have.
    pub(crate) fn copy_from(&self, source: &Self, count: usize) {
        let count = count.min(self.length).min(source.length);
        // SAFETY: `count` is within both; they may overlap.
        unsafe { self.start.copy_from(source.start, count) }
    }
}

/// A `VkBuffer`.
pub(crate) struct Buffer {
    size: u64,
    pub(crate) bound: Option<(vk::DeviceMemory, u64)>,
}

impl Buffer {
    /// The bytes from `offset` to the buffer's end, if memory is bound.
    pub(crate) fn bytes(&self, world: &World, offset: u64) -> Option<Bytes> {
        let (memory, base) = self.bound?;
        let memory = world.memory.get(&memory.as_raw())?;
        let first = usize::try_from(base.checked_add(offset)?).ok()?;
        let wanted = usize::try_from(self.size.checked_sub(offset)?).ok()?;
        let length = wanted.min(memory.size.checked_sub(first)?);
        // SAFETY: `first` is within the memory.
        let start = unsafe { memory.start.add(first) };
        Some(Bytes { start, length })
    }
}

/// A `VkImage`.
pub(crate) struct Image {
    row_bytes: u64,
    size: u64,
    /// The swapchain that it belongs to, or 0. Only then does the program never destroy it, and only then is its layout followed.
    pub(crate) swapchain: u64,
    /// `None` is not known.
    pub(crate) layout: Option<vk::ImageLayout>,
}

/// A `VkImageView`.
pub(crate) struct ImageView {
    pub(crate) image: vk::Image,
}

impl Image {
    pub(crate) fn new(extent: vk::Extent3D, layers: u32, mip_levels: u32) -> Self {
        let row_bytes = u64::from(extent.width) * TEXEL_BYTES;
        let level =
            row_bytes * u64::from(extent.height) * u64::from(extent.depth) * u64::from(layers);
        // All smaller levels together are never larger than the first.
        Self {
            row_bytes,
            size: if mip_levels > 1 { 2 * level } else { level },
            swapchain: 0,
            layout: Some(vk::ImageLayout::UNDEFINED),
        }
    }

    fn from_info(info: &vk::ImageCreateInfo<'_>) -> Self {
        Self::new(info.extent, info.array_layers, info.mip_levels)
    }
}

extern "system" fn allocate(
    device: &Device,
    info: &vk::MemoryAllocateInfo<'_>,
    _allocator: Allocator,
    out: Out<'_, vk::DeviceMemory>,
) -> vk::Result {
    if let Some(result) = device.fails(Which::AllocateMemory) {
        return result;
    }
    match usize::try_from(info.allocation_size).ok().and_then(Memory::new) {
        Some(memory) => {
            out.write(world::insert(&mut device.lock().memory, memory));
            vk::Result::SUCCESS
        }
        None => vk::Result::ERROR_OUT_OF_DEVICE_MEMORY,
    }
}

extern "system" fn free(device: &Device, memory: vk::DeviceMemory, _allocator: Allocator) {
    let mut world = device.lock();
    check::destroy(device, &mut world, "vkFreeMemory", Object::Memory, memory.as_raw());
    world.memory.remove(&memory.as_raw());
}

extern "system" fn map(
    device: &Device,
    memory: vk::DeviceMemory,
    offset: u64,
    _size: u64,
    _flags: u32,
    out: Out<'_, *mut c_void>,
) -> vk::Result {
    if let Some(result) = device.fails(Which::MapMemory) {
        return result;
    }
    let mut world = device.lock();
    let memory = match world::find(&mut world.memory, memory) {
        Ok(memory) => memory,
        Err(unknown) => return unknown,
    };
    match usize::try_from(offset) {
        Ok(offset) if offset <= memory.size => {
            // SAFETY: `offset` is within the memory.
            out.write(unsafe { memory.start.add(offset) }.as_ptr().cast());
            vk::Result::SUCCESS
        }
        _ => vk::Result::ERROR_MEMORY_MAP_FAILED,
    }
}

extern "system" fn commitment(_device: &Device, _memory: vk::DeviceMemory, out: Out<'_, u64>) {
    out.write(0);
}

extern "system" fn create_buffer(
    device: &Device,
    info: &vk::BufferCreateInfo<'_>,
    _allocator: Allocator,
    out: Out<'_, vk::Buffer>,
) -> vk::Result {
    if let Some(result) = device.fails(Which::CreateBuffer) {
        return result;
    }
    out.write(world::insert(&mut device.lock().buffers, Buffer { size: info.size, bound: None }));
    vk::Result::SUCCESS
}

extern "system" fn destroy_buffer(device: &Device, buffer: vk::Buffer, _allocator: Allocator) {
    let mut world = device.lock();
    check::destroy(device, &mut world, "vkDestroyBuffer", Object::Buffer, buffer.as_raw());
    world.buffers.remove(&buffer.as_raw());
}

fn requirements(size: u64) -> vk::MemoryRequirements {
    let size = size.max(1).next_multiple_of(ALIGNMENT);
    vk::MemoryRequirements { size, alignment: ALIGNMENT, memory_type_bits: 1 }
}

extern "system" fn buffer_requirements(
    device: &Device,
    buffer: vk::Buffer,
    out: Out<'_, vk::MemoryRequirements>,
) {
    let size = device.lock().buffers.get(&buffer.as_raw()).map_or(0, |buffer| buffer.size);
    out.write(requirements(size));
}

extern "system" fn buffer_requirements2(
    device: &Device,
    info: &vk::BufferMemoryRequirementsInfo2<'_>,
    out: &mut vk::MemoryRequirements2<'_>,
) {
    let size = device.lock().buffers.get(&info.buffer.as_raw()).map_or(0, |buffer| buffer.size);
    out.memory_requirements = requirements(size);
}

extern "system" fn future_buffer_requirements(
    _device: &Device,
    info: &vk::DeviceBufferMemoryRequirements<'_>,
    out: &mut vk::MemoryRequirements2<'_>,
) {
    // SAFETY: the caller owes the structure.
    out.memory_requirements = requirements(unsafe { (*info.p_create_info).size });
}

extern "system" fn bind_buffer(
    device: &Device,
    buffer: vk::Buffer,
    memory: vk::DeviceMemory,
    offset: u64,
) -> vk::Result {
    if let Some(result) = device.fails(Which::BindBufferMemory) {
        return result;
    }
    let mut world = device.lock();
    let found = world::find(&mut world.buffers, buffer);
    result_of(found.map(|buffer| buffer.bound = Some((memory, offset))))
}

extern "system" fn bind_buffer2(
    device: &Device,
    count: u32,
    binds: Array<vk::BindBufferMemoryInfo<'_>>,
) -> vk::Result {
    for bind in binds.slice(count) {
        let result = bind_buffer(device, bind.buffer, bind.memory, bind.memory_offset);
        if result != vk::Result::SUCCESS {
            return result;
        }
    }
    vk::Result::SUCCESS
}

extern "system" fn create_image(
    device: &Device,
    info: &vk::ImageCreateInfo<'_>,
    _allocator: Allocator,
    out: Out<'_, vk::Image>,
) -> vk::Result {
    out.write(world::insert(&mut device.lock().images, Image::from_info(info)));
    vk::Result::SUCCESS
}

extern "system" fn create_view(
    device: &Device,
    info: &vk::ImageViewCreateInfo<'_>,
    _allocator: Allocator,
    out: Out<'_, vk::ImageView>,
) -> vk::Result {
    if let Some(result) = device.fails(Which::CreateImageView) {
        return result;
    }
    let mut world = device.lock();
    check::known(device, &world, "vkCreateImageView", Object::Image, info.image.as_raw());
    out.write(world::insert(&mut world.image_views, ImageView { image: info.image }));
    vk::Result::SUCCESS
}

extern "system" fn destroy_view(device: &Device, view: vk::ImageView, _allocator: Allocator) {
    let mut world = device.lock();
    check::destroy(device, &mut world, "vkDestroyImageView", Object::ImageView, view.as_raw());
    world.image_views.remove(&view.as_raw());
}

extern "system" fn destroy_image(device: &Device, image: vk::Image, _allocator: Allocator) {
    let mut world = device.lock();
    check::destroy(device, &mut world, "vkDestroyImage", Object::Image, image.as_raw());
    world.images.remove(&image.as_raw());
}

fn image_size(device: &Device, image: vk::Image) -> u64 {
    device.lock().images.get(&image.as_raw()).map_or(0, |image| image.size)
}

extern "system" fn image_requirements(
    device: &Device,
    image: vk::Image,
    out: Out<'_, vk::MemoryRequirements>,
) {
    out.write(requirements(image_size(device, image)));
}

extern "system" fn image_requirements2(
    device: &Device,
    info: &vk::ImageMemoryRequirementsInfo2<'_>,
    out: &mut vk::MemoryRequirements2<'_>,
) {
    out.memory_requirements = requirements(image_size(device, info.image));
}

extern "system" fn future_image_requirements(
    _device: &Device,
    info: &vk::DeviceImageMemoryRequirements<'_>,
    out: &mut vk::MemoryRequirements2<'_>,
) {
    // SAFETY: the caller owes the structure.
    out.memory_requirements = requirements(Image::from_info(unsafe { &*info.p_create_info }).size);
}

extern "system" fn image_layout(
    device: &Device,
    image: vk::Image,
    _subresource: &vk::ImageSubresource,
    out: Out<'_, vk::SubresourceLayout>,
) {
    let world = device.lock();
    let (row_pitch, size) =
        world.images.get(&image.as_raw()).map_or((0, 0), |image| (image.row_bytes, image.size));
    out.write(vk::SubresourceLayout {
        offset: 0,
        size,
        row_pitch,
        array_pitch: size,
        depth_pitch: size,
    });
}

/// No image is sparsely resident. The three calls differ only in types that are not looked at.
extern "system" fn sparse_requirements(
    _device: &Device,
    _image: *const c_void,
    count: &mut u32,
    _out: OutArray<c_void>,
) {
    *count = 0;
}
