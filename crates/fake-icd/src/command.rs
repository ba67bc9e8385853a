//! Command pools and buffers: what do they remember, and in which state are they?
//!
//! What commands do when they are executed is in [`crate::recorded`]. Commands that are not here are accepted and forgotten
//! (see [`crate::accepted`]).

use crate::calls::Which;
use crate::check::{self, Object};
use crate::device::Device;
use crate::ffi::{self, Allocator, Array, LoaderWord, Out, OutArray, entries};
use crate::payload::Payload;
use crate::recorded::Command;
use crate::world::{self, World};
use ash::vk::{self, Handle as _};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

entries! {
    "vkCreateCommandPool" => create_pool,
    "vkDestroyCommandPool" => destroy_pool,
    "vkResetCommandPool" => reset_pool,
    "vkAllocateCommandBuffers" => allocate,
    "vkFreeCommandBuffers" => free,
    "vkBeginCommandBuffer" => begin,
    "vkEndCommandBuffer" => end,
    "vkResetCommandBuffer" => reset,
    "vkCmdExecuteCommands" => execute_commands,
    "vkCmdSetEvent" | "vkCmdSetEvent2" | "vkCmdSetEvent2KHR" => set_event,
    "vkCmdResetEvent" | "vkCmdResetEvent2" | "vkCmdResetEvent2KHR" => reset_event,
    "vkCmdWaitEvents" | "vkCmdWaitEvents2" | "vkCmdWaitEvents2KHR" => wait_events,
    "vkCmdBeginQuery" => begin_query,
    "vkCmdEndQuery" => end_query,
    "vkCmdResetQueryPool" => reset_queries,
    "vkCmdWriteTimestamp" => write_timestamp,
    "vkCmdWriteTimestamp2" | "vkCmdWriteTimestamp2KHR" => write_timestamp2,
    "vkCmdCopyQueryPoolResults" => copy_query_results,
    "vkCmdFillBuffer" => fill_buffer,
    "vkCmdUpdateBuffer" => update_buffer,
    "vkCmdCopyBuffer" => copy_buffer,
    "vkCmdCopyBuffer2" | "vkCmdCopyBuffer2KHR" => copy_buffer2,
    "vkCmdPipelineBarrier" => pipeline_barrier,
    "vkCmdPipelineBarrier2" | "vkCmdPipelineBarrier2KHR" => pipeline_barrier2,
    "vkCmdClearColorImage" => uses_image,
    "vkCmdCopyBufferToImage" => copy_buffer_to_image,
    "vkCmdCopyImageToBuffer" => copy_image_to_buffer,
    "vkCmdCopyImage" | "vkCmdBlitImage" | "vkCmdResolveImage" => between_images,
    "vkCmdBeginRenderPass" | "vkCmdBeginRenderPass2" | "vkCmdBeginRenderPass2KHR" => begin_render_pass,
    "vkCmdBeginRendering" | "vkCmdBeginRenderingKHR" => begin_rendering,
}

/// A `VkCommandBuffer`.
#[repr(C)]
pub(crate) struct CommandBuffer {
    _loader: LoaderWord,
    pub(crate) device: &'static Device,
    recording: Mutex<Recording>,
}

/// Where a command buffer is in its life; whether it is pending, the device's watch knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    #[default]
    Initial,
    Recording,
    Executable,
    /// Recording failed, or it was for one submission, which it had.
    Invalid,
    Freed,
}

/// What a command buffer holds.
#[derive(Default)]
pub(crate) struct Recording {
    pub(crate) commands: Vec<Command>,
    pub(crate) state: State,
    pub(crate) usage: vk::CommandBufferUsageFlags,
    /// Whether the pool lets it be reset alone.
    pub(crate) resettable: bool,
}

impl CommandBuffer {
    /// What a handle stands for.
    ///
    /// # Safety
    ///
    /// The handle came from this driver and was not freed; while rules are checked, it may have been.
    pub(crate) unsafe fn from_handle<'a>(handle: vk::CommandBuffer) -> &'a Self {
        // SAFETY: the caller's promise; our handles are pointers to our objects.
        unsafe { &*(handle.as_raw() as *const Self) }
    }

    pub(crate) fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The commands as they are now: a submission takes a copy.
    pub(crate) fn commands(&self) -> Vec<Command> {
        self.recording().commands.clone()
    }

    fn record(&self, command: Command) {
        self.recording().commands.push(command);
    }

    fn clear(&self, state: State) {
        let mut recording = self.recording();
        recording.commands.clear();
        recording.state = state;
    }

    pub(crate) fn recording(&self) -> MutexGuard<'_, Recording> {
        self.recording.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A `VkCommandPool`.
#[derive(Default)]
pub(crate) struct CommandPool {
    /// By their addresses.
    pub(crate) buffers: BTreeMap<usize, Arc<CommandBuffer>>,
    resettable: bool,
}

extern "system" fn create_pool(
    device: &Device,
    info: &vk::CommandPoolCreateInfo<'_>,
    _allocator: Allocator,
    out: Out<'_, vk::CommandPool>,
) -> vk::Result {
    if let Some(result) = device.fails(Which::CreateCommandPool) {
        return result;
    }
    let resettable = info.flags.contains(vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER);
    let pool = CommandPool { buffers: BTreeMap::new(), resettable };
    out.write(world::insert(&mut device.lock().command_pools, pool));
    vk::Result::SUCCESS
}

extern "system" fn destroy_pool(device: &Device, pool: vk::CommandPool, _allocator: Allocator) {
    let mut world = device.lock();
    check::destroy_command_pool(device, &mut world, pool);
    let freed = world.command_pools.remove(&pool.as_raw());
    let freed = freed.into_iter().flat_map(|pool| pool.buffers.into_values()).collect();
    keep_freed(device, &mut world, freed);
}

/// While rules are checked, freed command buffers stay, so that a stale handle can be told.
fn keep_freed(device: &Device, world: &mut World, buffers: Vec<Arc<CommandBuffer>>) {
    if device.log.checks() {
        buffers.iter().for_each(|buffer| buffer.clear(State::Freed));
        world.watched.freed(buffers);
    }
}

extern "system" fn reset_pool(device: &Device, pool: vk::CommandPool, _flags: u32) -> vk::Result {
    check::reset_command_pool(device, &device.lock(), pool);
    if let Some(result) = device.fails(Which::ResetCommandPool) {
        return result;
    }
    let mut world = device.lock();
    let found = world::find(&mut world.command_pools, pool);
    world::result_of(found.map(|pool| {
        pool.buffers.values().for_each(|buffer| buffer.clear(State::Initial));
    }))
}

extern "system" fn allocate(
    device: &'static Device,
    info: &vk::CommandBufferAllocateInfo<'_>,
    out: OutArray<*const CommandBuffer>,
) -> vk::Result {
    if let Some(result) = device.fails(Which::AllocateCommandBuffers) {
        // "On failure all entries are null": so says the specification.
        out.fill((0..info.command_buffer_count).map(|_| std::ptr::null()));
        return result;
    }
    let mut world = device.lock();
    check::known(
        device,
        &world,
        "vkAllocateCommandBuffers",
        Object::CommandPool,
        info.command_pool.as_raw(),
    );
    let pool = match world::find(&mut world.command_pools, info.command_pool) {
        Ok(pool) => pool,
        Err(unknown) => return unknown,
    };
    out.fill((0..info.command_buffer_count).map(|_| {
        let recording = Recording { resettable: pool.resettable, ..Recording::default() };
        let buffer = Arc::new(CommandBuffer {
            _loader: LoaderWord::new(),
            device,
            recording: Mutex::new(recording),
        });
        let handle = Arc::as_ptr(&buffer);
        pool.buffers.insert(handle.addr(), buffer);
        handle
    }));
    vk::Result::SUCCESS
}

extern "system" fn free(
    device: &Device,
    pool: vk::CommandPool,
    count: u32,
    buffers: Array<*const CommandBuffer>,
) {
    let mut world = device.lock();
    let addresses: Vec<_> = buffers.slice(count).iter().map(|buffer| buffer.addr()).collect();
    check::free_command_buffers(device, &world, &addresses);
    let Ok(pool) = world::find(&mut world.command_pools, pool) else { return };
    let freed = addresses.iter().filter_map(|address| pool.buffers.remove(address)).collect();
    keep_freed(device, &mut world, freed);
}

extern "system" fn begin(
    buffer: &CommandBuffer,
    info: &vk::CommandBufferBeginInfo<'_>,
) -> vk::Result {
    check::begin(buffer);
    if let Some(result) = buffer.device.fails(Which::BeginCommandBuffer) {
        return result;
    }
    buffer.clear(State::Recording);
    buffer.recording().usage = info.flags;
    vk::Result::SUCCESS
}

extern "system" fn end(buffer: &CommandBuffer) -> vk::Result {
    check::end(buffer);
    let failed = buffer.device.fails(Which::EndCommandBuffer);
    let state = if failed.is_some() { State::Invalid } else { State::Executable };
    buffer.recording().state = state;
    failed.unwrap_or(vk::Result::SUCCESS)
}

extern "system" fn reset(buffer: &CommandBuffer, _flags: u32) -> vk::Result {
    check::reset_command_buffer(buffer);
    if let Some(result) = buffer.device.fails(Which::ResetCommandBuffer) {
        return result;
    }
    buffer.clear(State::Initial);
    vk::Result::SUCCESS
}

extern "system" fn execute_commands(
    buffer: &CommandBuffer,
    count: u32,
    secondaries: Array<&CommandBuffer>,
) {
    for secondary in secondaries.slice(count) {
        secondary.commands().into_iter().for_each(|command| buffer.record(command));
    }
}

/// The payload of an event; a stale handle records nothing.
fn event_payload(buffer: &CommandBuffer, event: vk::Event) -> Option<Arc<Payload>> {
    buffer.device.lock().events.get(&event.as_raw()).cloned()
}

extern "system" fn set_event(buffer: &CommandBuffer, event: vk::Event) {
    event_payload(buffer, event)
        .into_iter()
        .for_each(|event| buffer.record(Command::SetEvent(event)));
}

extern "system" fn reset_event(buffer: &CommandBuffer, event: vk::Event) {
    event_payload(buffer, event)
        .into_iter()
        .for_each(|event| buffer.record(Command::ResetEvent(event)));
}

extern "system" fn wait_events(buffer: &CommandBuffer, count: u32, events: Array<vk::Event>) {
    let events =
        events.slice(count).iter().filter_map(|&event| event_payload(buffer, event)).collect();
    buffer.record(Command::WaitEvents(events));
}

/// A query becomes unavailable by its reset, not by its begin.
extern "system" fn begin_query(
    _buffer: &CommandBuffer,
    _pool: vk::QueryPool,
    _query: u32,
    _flags: u32,
) {
}

extern "system" fn end_query(buffer: &CommandBuffer, pool: vk::QueryPool, query: u32) {
    buffer.record(Command::EndQuery(pool, query));
}

extern "system" fn reset_queries(
    buffer: &CommandBuffer,
    pool: vk::QueryPool,
    first: u32,
    count: u32,
) {
    buffer.record(Command::ResetQueries(pool, first..first.saturating_add(count)));
}

extern "system" fn write_timestamp(
    buffer: &CommandBuffer,
    _stage: u32,
    pool: vk::QueryPool,
    query: u32,
) {
    buffer.record(Command::WriteTimestamp(pool, query));
}

extern "system" fn write_timestamp2(
    buffer: &CommandBuffer,
    _stage: u64,
    pool: vk::QueryPool,
    query: u32,
) {
    buffer.record(Command::WriteTimestamp(pool, query));
}

#[allow(clippy::too_many_arguments, reason = "the signature is Vulkan's")]
extern "system" fn copy_query_results(
    command_buffer: &CommandBuffer,
    pool: vk::QueryPool,
    first: u32,
    count: u32,
    buffer: vk::Buffer,
    offset: u64,
    stride: u64,
    flags: vk::QueryResultFlags,
) {
    let queries = first..first.saturating_add(count);
    command_buffer.record(Command::CopyQueryResults {
        pool,
        queries,
        buffer,
        offset,
        stride,
        flags,
    });
}

extern "system" fn fill_buffer(
    command_buffer: &CommandBuffer,
    buffer: vk::Buffer,
    offset: u64,
    size: u64,
    word: u32,
) {
    command_buffer.record(Command::FillBuffer { buffer, offset, size, word });
}

extern "system" fn update_buffer(
    command_buffer: &CommandBuffer,
    buffer: vk::Buffer,
    offset: u64,
    size: u64,
    data: *const u8,
) {
    // SAFETY: the caller owes `size` bytes, of which Vulkan allows at most 65536.
    let bytes = unsafe { ffi::slice(data, u32::try_from(size).unwrap_or(0)) }.to_vec();
    command_buffer.record(Command::UpdateBuffer { buffer, offset, bytes });
}

extern "system" fn copy_buffer(
    command_buffer: &CommandBuffer,
    source: vk::Buffer,
    target: vk::Buffer,
    count: u32,
    regions: Array<vk::BufferCopy>,
) {
    for &region in regions.slice(count) {
        command_buffer.record(Command::CopyBuffer { source, target, region });
    }
}

extern "system" fn copy_buffer2(command_buffer: &CommandBuffer, info: &vk::CopyBufferInfo2<'_>) {
    // SAFETY: the caller owes `region_count` regions.
    for region in unsafe { ffi::slice(info.p_regions, info.region_count) } {
        let (source, target) = (info.src_buffer, info.dst_buffer);
        let region = vk::BufferCopy {
            src_offset: region.src_offset,
            dst_offset: region.dst_offset,
            size: region.size,
        };
        command_buffer.record(Command::CopyBuffer { source, target, region });
    }
}

#[allow(clippy::too_many_arguments, reason = "the signature is Vulkan's")]
extern "system" fn pipeline_barrier(
    buffer: &CommandBuffer,
    _source: u32,
    _target: u32,
    _flags: u32,
    _memory_count: u32,
    _memory: Array<c_void>,
    _buffer_count: u32,
    _buffers: Array<c_void>,
    image_count: u32,
    images: Array<vk::ImageMemoryBarrier<'_>>,
) {
    for barrier in images.slice(image_count) {
        transition(buffer, barrier.image, barrier.old_layout, barrier.new_layout);
    }
}

extern "system" fn pipeline_barrier2(buffer: &CommandBuffer, info: &vk::DependencyInfo<'_>) {
    // SAFETY: the caller owes as many barriers as it says.
    let images =
        unsafe { ffi::slice(info.p_image_memory_barriers, info.image_memory_barrier_count) };
    for barrier in images {
        transition(buffer, barrier.image, barrier.old_layout, barrier.new_layout);
    }
}

/// Equal layouts mean that the barrier changes none.
fn transition(
    buffer: &CommandBuffer,
    image: vk::Image,
    from: vk::ImageLayout,
    to: vk::ImageLayout,
) {
    match from == to {
        true => buffer.record(Command::Uses(image.as_raw())),
        false => buffer.record(Command::Transition { image, from, to }),
    }
}

extern "system" fn uses_image(buffer: &CommandBuffer, image: vk::Image) {
    buffer.record(Command::Uses(image.as_raw()));
}

extern "system" fn copy_buffer_to_image(
    command_buffer: &CommandBuffer,
    source: vk::Buffer,
    target: vk::Image,
) {
    command_buffer.record(Command::Uses(source.as_raw()));
    command_buffer.record(Command::Uses(target.as_raw()));
}

extern "system" fn copy_image_to_buffer(
    command_buffer: &CommandBuffer,
    source: vk::Image,
    _layout: vk::ImageLayout,
    target: vk::Buffer,
) {
    command_buffer.record(Command::Uses(source.as_raw()));
    command_buffer.record(Command::Uses(target.as_raw()));
}

extern "system" fn between_images(
    buffer: &CommandBuffer,
    source: vk::Image,
    _source_layout: vk::ImageLayout,
    target: vk::Image,
) {
    buffer.record(Command::Uses(source.as_raw()));
    buffer.record(Command::Uses(target.as_raw()));
}

extern "system" fn begin_render_pass(buffer: &CommandBuffer) {
    buffer.record(Command::ForgetLayouts);
}

extern "system" fn begin_rendering(buffer: &CommandBuffer, info: &vk::RenderingInfo<'_>) {
    // SAFETY: the caller owes as many attachments as it says.
    let colors = unsafe { ffi::slice(info.p_color_attachments, info.color_attachment_count) };
    for attachment in colors.iter().filter(|attachment| !attachment.image_view.is_null()) {
        buffer.record(Command::Uses(attachment.image_view.as_raw()));
    }
}
