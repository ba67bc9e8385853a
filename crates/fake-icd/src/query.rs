//! Query pools: which results are available, and how are they handed out?

use crate::calls::Which;
use crate::check::{self, Object};
use crate::device::Device;
use crate::ffi::{Allocator, Out, entries};
use crate::memory::Bytes;
use crate::world::{self, Deadline, World};
use ash::vk::{self, Handle as _, QueryResultFlags};
use std::ops::Range;
use std::ptr::NonNull;

entries! {
    "vkCreateQueryPool" => create,
    "vkDestroyQueryPool" => destroy,
    "vkResetQueryPool" | "vkResetQueryPoolEXT" => reset_by_host,
    "vkGetQueryPoolResults" => results,
}

/// A `VkQueryPool`.
pub(crate) struct QueryPool {
    /// More than one for pipeline statistics.
    values_per_query: usize,
    /// `None` is unavailable. All values of a query are alike.
    queries: Vec<Option<u64>>,
}

extern "system" fn create(
    device: &Device,
    info: &vk::QueryPoolCreateInfo<'_>,
    _allocator: Allocator,
    out: Out<'_, vk::QueryPool>,
) -> vk::Result {
    let values_per_query = match info.query_type {
        vk::QueryType::PIPELINE_STATISTICS => {
            info.pipeline_statistics.as_raw().count_ones() as usize
        }
        _ => 1,
    };
    let pool = QueryPool { values_per_query, queries: vec![None; info.query_count as usize] };
    out.write(world::insert(&mut device.lock().query_pools, pool));
    vk::Result::SUCCESS
}

extern "system" fn destroy(device: &Device, pool: vk::QueryPool, _allocator: Allocator) {
    let mut world = device.lock();
    check::destroy(device, &mut world, "vkDestroyQueryPool", Object::QueryPool, pool.as_raw());
    world.query_pools.remove(&pool.as_raw());
}

extern "system" fn reset_by_host(device: &Device, pool: vk::QueryPool, first: u32, count: u32) {
    reset(&mut device.lock(), pool, first..first.saturating_add(count));
}

/// With `WAIT`, waits for as long as a query is unavailable, which may be for ever; so it is in Vulkan.
#[allow(clippy::too_many_arguments, reason = "the signature is Vulkan's")]
extern "system" fn results(
    device: &Device,
    pool: vk::QueryPool,
    first: u32,
    count: u32,
    size: usize,
    room: Option<NonNull<u8>>,
    stride: u64,
    flags: QueryResultFlags,
) -> vk::Result {
    if let Some(result) = device.fails(Which::GetQueryPoolResults) {
        return result;
    }
    let queries = first..first.saturating_add(count);
    if device.is_lost() {
        return vk::Result::ERROR_DEVICE_LOST;
    }
    if flags.contains(QueryResultFlags::WAIT) {
        let waited =
            device.wait(Deadline::Never, |world| all_available(world, pool, queries.clone()));
        if waited != vk::Result::SUCCESS {
            return waited;
        }
    }
    // Who polls must see progress: each look does a little of the work.
    let _ = device.wait(Deadline::Look, |world| all_available(world, pool, queries.clone()));
    let Some(room) = room else {
        return vk::Result::SUCCESS;
    };
    // SAFETY: the caller owes `size` bytes.
    let room = unsafe { Bytes::from_caller(room, size) };
    let mut world = device.lock();
    write_results(&mut world, pool, queries.clone(), room, stride, flags);
    if all_available(&mut world, pool, queries) || flags.contains(QueryResultFlags::PARTIAL) {
        vk::Result::SUCCESS
    } else {
        vk::Result::NOT_READY
    }
}

/// Whether each of these queries has a result. Queries of a destroyed pool never have.
pub(crate) fn all_available(world: &mut World, pool: vk::QueryPool, queries: Range<u32>) -> bool {
    world.query_pools.get(&pool.as_raw()).is_some_and(|pool| {
        queries
            .into_iter()
            .all(|index| pool.queries.get(index as usize).is_some_and(Option::is_some))
    })
}

/// Makes a result available.
pub(crate) fn finish(world: &mut World, pool: vk::QueryPool, index: u32, value: u64) {
    let pool = world.query_pools.get_mut(&pool.as_raw());
    if let Some(query) = pool.and_then(|pool| pool.queries.get_mut(index as usize)) {
        *query = Some(value);
    }
}

/// Makes results unavailable.
pub(crate) fn reset(world: &mut World, pool: vk::QueryPool, queries: Range<u32>) {
    if let Some(pool) = world.query_pools.get_mut(&pool.as_raw()) {
        let range = queries.start as usize..(queries.end as usize).min(pool.queries.len());
        if let Some(queries) = pool.queries.get_mut(range) {
            queries.fill(None);
        }
    }
}

/// Writes the results that are available, and the availability where it is asked for.
pub(crate) fn write_results(
    world: &mut World,
    pool: vk::QueryPool,
    queries: Range<u32>,
    room: Bytes,
    stride: u64,
    flags: QueryResultFlags,
) {
    let Some(pool) = world.query_pools.get(&pool.as_raw()) else {
        return;
    };
    let stride = usize::try_from(stride).unwrap_or(usize::MAX);
    for (row, index) in queries.enumerate() {
        let query = pool.queries.get(index as usize).copied().flatten();
        let partial = flags.contains(QueryResultFlags::PARTIAL).then_some(0);
        let mut writer = Writer {
            room,
            at: row.saturating_mul(stride),
            wide: flags.contains(QueryResultFlags::TYPE_64),
        };
        for _ in 0..pool.values_per_query {
            writer.put(query.or(partial));
        }
        if flags.contains(QueryResultFlags::WITH_AVAILABILITY) {
            writer.put(Some(u64::from(query.is_some())));
        }
    }
}

/// Writes numbers of 32 or 64 bits one after the other.
struct Writer {
    room: Bytes,
    at: usize,
    wide: bool,
}

impl Writer {
    /// Writes a number, or leaves its place as it is.
    fn put(&mut self, value: Option<u64>) {
        let width = if self.wide { 8 } else { 4 };
        match value {
            Some(value) if self.wide => self.room.write(self.at, &value.to_ne_bytes()),
            // A 32-bit result wraps, as Vulkan allows.
            Some(value) => self.room.write(self.at, &(value as u32).to_ne_bytes()),
            None => {}
        }
        self.at = self.at.saturating_add(width);
    }
}

/// The device's clock: `CLOCK_MONOTONIC`, one tick a nanosecond.
pub(crate) fn timestamp_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is writable.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}
