//! Command buffers: which commands are remembered, and what do they do when a queue executes them?
//!
//! Only commands that a wait or a mapped pointer can observe are recorded: events, queries, and the simplest writes to
//! buffers. Everything else is accepted and forgotten (see [`crate::accepted`]).

use crate::device::Device;
use crate::ffi::{self, Allocator, Array, LoaderWord, Out, OutArray, entries};
use crate::payload::Payload;
use crate::query;
use crate::queue::{Queue, Stopped};
use crate::world::{self, World};
use ash::vk::{self, Handle as _};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

entries! {
    "vkCreateCommandPool" => create_pool,
    "vkDestroyCommandPool" => destroy_pool,
    "vkResetCommandPool" => reset_pool,
    "vkAllocateCommandBuffers" => allocate,
    "vkFreeCommandBuffers" => free,
    "vkBeginCommandBuffer" => begin,
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
}

/// A recorded command.
#[derive(Clone)]
pub(crate) enum Command {
    SetEvent(Arc<Payload>),
    ResetEvent(Arc<Payload>),
    WaitEvents(Vec<Arc<Payload>>),
    EndQuery(vk::QueryPool, u32),
    WriteTimestamp(vk::QueryPool, u32),
    ResetQueries(vk::QueryPool, Range<u32>),
    CopyQueryResults {
        pool: vk::QueryPool,
        queries: Range<u32>,
        buffer: vk::Buffer,
        offset: u64,
        stride: u64,
        flags: vk::QueryResultFlags,
    },
    FillBuffer {
        buffer: vk::Buffer,
        offset: u64,
        size: u64,
        word: u32,
    },
    UpdateBuffer {
        buffer: vk::Buffer,
        offset: u64,
        bytes: Vec<u8>,
    },
    CopyBuffer {
        source: vk::Buffer,
        target: vk::Buffer,
        region: vk::BufferCopy,
    },
}

impl Command {
    /// Executes on the queue's thread. A command that names a destroyed object does nothing, as far as it is concerned.
    pub(crate) fn execute(&self, queue: &Queue) -> Result<(), Stopped> {
        match self {
            Self::WaitEvents(events) => {
                queue.wait(|_| events.iter().all(|event| event.is_signalled()))
            }
            Self::CopyQueryResults { pool, queries, flags, .. }
                if flags.contains(vk::QueryResultFlags::WAIT) =>
            {
                queue.wait(|world| query::all_available(world, *pool, queries.clone()))?;
                world::change(|world| self.apply(world));
                Ok(())
            }
            _ => {
                world::change(|world| self.apply(world));
                Ok(())
            }
        }
    }

    fn apply(&self, world: &mut World) -> Option<()> {
        match self {
            Self::WaitEvents(_) => {}
            Self::SetEvent(event) => event.signal(1),
            Self::ResetEvent(event) => event.reset(),
            Self::EndQuery(pool, index) => query::finish(world, *pool, *index, 0),
            Self::WriteTimestamp(pool, index) => {
                query::finish(world, *pool, *index, query::timestamp_ns())
            }
            Self::ResetQueries(pool, queries) => query::reset(world, *pool, queries.clone()),
            Self::CopyQueryResults { pool, queries, buffer, offset, stride, flags } => {
                let room = world.buffers.get(&buffer.as_raw())?.bytes(world, *offset)?;
                query::write_results(world, *pool, queries.clone(), room, *stride, *flags);
            }
            Self::FillBuffer { buffer, offset, size, word } => {
                let room = world.buffers.get(&buffer.as_raw())?.bytes(world, *offset)?;
                let bytes = usize::try_from(*size).unwrap_or(usize::MAX).min(room.len());
                for word_at in (0..bytes.saturating_sub(3)).step_by(4) {
                    room.write(word_at, &word.to_ne_bytes());
                }
            }
            Self::UpdateBuffer { buffer, offset, bytes } => {
                world.buffers.get(&buffer.as_raw())?.bytes(world, *offset)?.write(0, bytes);
            }
            Self::CopyBuffer { source, target, region } => {
                let from = world.buffers.get(&source.as_raw())?.bytes(world, region.src_offset)?;
                let to = world.buffers.get(&target.as_raw())?.bytes(world, region.dst_offset)?;
                to.copy_from(&from, usize::try_from(region.size).ok()?);
            }
        }
        Some(())
    }
}

/// A `VkCommandBuffer`.
#[repr(C)]
pub(crate) struct CommandBuffer {
    _loader: LoaderWord,
    commands: Mutex<Vec<Command>>,
}

impl CommandBuffer {
    /// What a handle stands for.
    ///
    /// # Safety
    ///
    /// The handle came from this driver and was not freed.
    pub(crate) unsafe fn from_handle<'a>(handle: vk::CommandBuffer) -> &'a Self {
        // SAFETY: the caller's promise; our handles are pointers to our objects.
        unsafe { &*(handle.as_raw() as *const Self) }
    }

    /// The commands as they are now: a submission takes a copy.
    pub(crate) fn commands(&self) -> Vec<Command> {
        self.recording().clone()
    }

    fn record(&self, command: Command) {
        self.recording().push(command);
    }

    fn clear(&self) {
        self.recording().clear();
    }

    fn recording(&self) -> MutexGuard<'_, Vec<Command>> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The command buffers of a pool by their addresses.
pub(crate) type CommandPool = BTreeMap<usize, Arc<CommandBuffer>>;

extern "system" fn create_pool(
    _device: &Device,
    _info: &vk::CommandPoolCreateInfo<'_>,
    _allocator: Allocator,
    out: Out<'_, vk::CommandPool>,
) -> vk::Result {
    out.write(world::insert(&mut world::lock().command_pools, CommandPool::new()));
    vk::Result::SUCCESS
}

extern "system" fn destroy_pool(_device: &Device, pool: vk::CommandPool, _allocator: Allocator) {
    world::lock().command_pools.remove(&pool.as_raw());
}

extern "system" fn reset_pool(_device: &Device, pool: vk::CommandPool, _flags: u32) -> vk::Result {
    let mut world = world::lock();
    let found = world::find(&mut world.command_pools, pool);
    world::result_of(found.map(|pool| pool.values().for_each(|buffer| buffer.clear())))
}

extern "system" fn allocate(
    _device: &Device,
    info: &vk::CommandBufferAllocateInfo<'_>,
    out: OutArray<*const CommandBuffer>,
) -> vk::Result {
    let mut world = world::lock();
    let pool = match world::find(&mut world.command_pools, info.command_pool) {
        Ok(pool) => pool,
        Err(unknown) => return unknown,
    };
    out.fill((0..info.command_buffer_count).map(|_| {
        let buffer =
            Arc::new(CommandBuffer { _loader: LoaderWord::new(), commands: Mutex::default() });
        let handle = Arc::as_ptr(&buffer);
        pool.insert(handle.addr(), buffer);
        handle
    }));
    vk::Result::SUCCESS
}

extern "system" fn free(
    _device: &Device,
    pool: vk::CommandPool,
    count: u32,
    buffers: Array<*const CommandBuffer>,
) {
    let mut world = world::lock();
    if let Ok(pool) = world::find(&mut world.command_pools, pool) {
        for buffer in buffers.slice(count) {
            pool.remove(&buffer.addr());
        }
    }
}

extern "system" fn begin(buffer: &CommandBuffer, _info: *const c_void) -> vk::Result {
    buffer.clear();
    vk::Result::SUCCESS
}

extern "system" fn reset(buffer: &CommandBuffer, _flags: u32) -> vk::Result {
    buffer.clear();
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
fn event_payload(event: vk::Event) -> Option<Arc<Payload>> {
    world::lock().events.get(&event.as_raw()).cloned()
}

extern "system" fn set_event(buffer: &CommandBuffer, event: vk::Event) {
    event_payload(event).into_iter().for_each(|event| buffer.record(Command::SetEvent(event)));
}

extern "system" fn reset_event(buffer: &CommandBuffer, event: vk::Event) {
    event_payload(event).into_iter().for_each(|event| buffer.record(Command::ResetEvent(event)));
}

extern "system" fn wait_events(buffer: &CommandBuffer, count: u32, events: Array<vk::Event>) {
    let events = events.slice(count).iter().filter_map(|&event| event_payload(event)).collect();
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
