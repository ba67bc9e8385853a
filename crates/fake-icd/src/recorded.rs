//! What do recorded commands do when a queue executes them, and what do they use until then?
//!
//! Only commands that a wait or a mapped pointer can observe do something: events, queries, and the simplest writes to buffers. For
//! the check, the layouts of the images of swapchains are followed.

use crate::check;
use crate::device::Device;
use crate::payload::Payload;
use crate::query;
use crate::world::World;
use ash::vk::{self, Handle as _};
use std::ops::Range;
use std::sync::Arc;

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
    /// An image of a swapchain goes from one layout to another.
    Transition {
        image: vk::Image,
        from: vk::ImageLayout,
        to: vk::ImageLayout,
    },
    /// A render pass, whose layouts this driver does not know.
    ForgetLayouts,
    /// A command without an effect that can be observed, but that uses an image or an image view.
    Uses(u64),
}

impl Command {
    /// Whether it can be executed now.
    pub(crate) fn is_ready(&self, world: &mut World) -> bool {
        match self {
            Self::WaitEvents(events) => events.iter().all(|event| event.is_signalled()),
            Self::CopyQueryResults { pool, queries, flags, .. }
                if flags.contains(vk::QueryResultFlags::WAIT) =>
            {
                query::all_available(world, *pool, queries.clone())
            }
            _ => true,
        }
    }

    /// Executes. A command that names a destroyed object does nothing, as far as it is concerned.
    pub(crate) fn apply(&self, device: &Device, world: &mut World) {
        if let Self::Transition { image, from, to } = self {
            check::transition(device, world, *image, *from, *to);
        }
        // What names a destroyed object has no effect.
        let _ = self.write(world);
    }

    fn write(&self, world: &mut World) -> Option<()> {
        match self {
            Self::WaitEvents(_) | Self::Uses(_) => {}
            Self::Transition { image, to, .. } => {
                world.images.get_mut(&image.as_raw())?.layout = Some(*to);
            }
            Self::ForgetLayouts => {
                world.images.values_mut().for_each(|image| image.layout = None);
            }
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

    /// The handles of what it uses.
    pub(crate) fn objects(&self) -> Vec<u64> {
        match self {
            Self::SetEvent(_) | Self::ResetEvent(_) | Self::WaitEvents(_) | Self::ForgetLayouts => {
                Vec::new()
            }
            Self::EndQuery(pool, _)
            | Self::WriteTimestamp(pool, _)
            | Self::ResetQueries(pool, _) => {
                vec![pool.as_raw()]
            }
            Self::CopyQueryResults { pool, buffer, .. } => vec![pool.as_raw(), buffer.as_raw()],
            Self::FillBuffer { buffer, .. } | Self::UpdateBuffer { buffer, .. } => {
                vec![buffer.as_raw()]
            }
            Self::CopyBuffer { source, target, .. } => vec![source.as_raw(), target.as_raw()],
            Self::Transition { image, .. } => vec![image.as_raw()],
            Self::Uses(handle) => vec![*handle],
        }
    }
}
