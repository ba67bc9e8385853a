//! How do fences and semaphores leave and enter through file descriptors?
//!
//! Each export is a new memfd; the process remembers which payload each one's inode stands for. A descriptor that this
//! process did not export becomes a payload that no one ever signals: the outside debtor of the scenarios.

use crate::device::Device;
use crate::ffi::{Out, entries};
use crate::payload::{Kind, Payload, Primitive};
use crate::world::{self, EXPORTED, result_of};
use ash::vk;
use std::collections::BTreeMap;
use std::os::fd::{FromRawFd as _, IntoRawFd as _, OwnedFd, RawFd};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

entries! {
    "vkGetSemaphoreFdKHR" => semaphore_fd,
    "vkImportSemaphoreFdKHR" => import_semaphore_fd,
    "vkGetFenceFdKHR" => fence_fd,
    "vkImportFenceFdKHR" => import_fence_fd,
}

/// Payloads that left through a file descriptor, by the file's device and inode: of every device of the process, because any other
/// may import them.
static PAYLOADS: Mutex<BTreeMap<(u64, u64), Arc<Payload>>> = Mutex::new(BTreeMap::new());

fn payloads() -> MutexGuard<'static, BTreeMap<(u64, u64), Arc<Payload>>> {
    PAYLOADS.lock().unwrap_or_else(PoisonError::into_inner)
}

extern "system" fn semaphore_fd(
    device: &Device,
    info: &vk::SemaphoreGetFdInfoKHR<'_>,
    out: Out<'_, RawFd>,
) -> vk::Result {
    let mut world = device.lock();
    let copy = info.handle_type == vk::ExternalSemaphoreHandleTypeFlags::SYNC_FD;
    let payload =
        world::find(&mut world.semaphores, info.semaphore).map(|found| exported(found, copy));
    result_of(payload.and_then(export).map(|fd| *out.write(fd)))
}

extern "system" fn fence_fd(
    device: &Device,
    info: &vk::FenceGetFdInfoKHR<'_>,
    out: Out<'_, RawFd>,
) -> vk::Result {
    let mut world = device.lock();
    let copy = info.handle_type == vk::ExternalFenceHandleTypeFlags::SYNC_FD;
    let payload = world::find(&mut world.fences, info.fence).map(|found| exported(found, copy));
    result_of(payload.and_then(export).map(|fd| *out.write(fd)))
}

extern "system" fn import_semaphore_fd(
    device: &Device,
    info: &vk::ImportSemaphoreFdInfoKHR<'_>,
) -> vk::Result {
    let mut world = device.lock();
    let kind = match world::find(&mut world.semaphores, info.semaphore) {
        Ok(semaphore) => semaphore.current().kind(),
        Err(unknown) => return unknown,
    };
    let temporarily = info.flags.contains(vk::SemaphoreImportFlags::TEMPORARY)
        || info.handle_type == vk::ExternalSemaphoreHandleTypeFlags::SYNC_FD;
    result_of(imported(info.fd, kind).and_then(|payload| {
        world::find(&mut world.semaphores, info.semaphore)
            .map(|semaphore| semaphore.import(payload, temporarily))
    }))
}

extern "system" fn import_fence_fd(
    device: &Device,
    info: &vk::ImportFenceFdInfoKHR<'_>,
) -> vk::Result {
    let mut world = device.lock();
    let temporarily = info.flags.contains(vk::FenceImportFlags::TEMPORARY)
        || info.handle_type == vk::ExternalFenceHandleTypeFlags::SYNC_FD;
    result_of(imported(info.fd, Kind::Binary).and_then(|payload| {
        world::find(&mut world.fences, info.fence).map(|fence| fence.import(payload, temporarily))
    }))
}

/// The payload to export: shared, or moved out when the handle type has copy semantics.
fn exported(primitive: &mut Primitive, copy: bool) -> Arc<Payload> {
    primitive.is_shared = true;
    EXPORTED.store(true, Relaxed);
    if copy { primitive.detach() } else { primitive.current() }
}

/// A new descriptor that stands for the payload. The entry is kept for good, because the file may outlive the handle.
fn export(payload: Arc<Payload>) -> Result<RawFd, vk::Result> {
    // SAFETY: the name is a C string.
    let raw = unsafe { libc::memfd_create(c"fake-icd-payload".as_ptr(), libc::MFD_CLOEXEC) };
    if raw < 0 {
        return Err(vk::Result::ERROR_TOO_MANY_OBJECTS);
    }
    // SAFETY: the descriptor is new, so no one else owns it.
    let fd = unsafe { OwnedFd::from_raw_fd(raw) };
    payloads().insert(inode(raw).ok_or(vk::Result::ERROR_OUT_OF_HOST_MEMORY)?, payload);
    Ok(fd.into_raw_fd())
}

/// The payload that an imported descriptor stands for.
fn imported(fd: RawFd, kind: Kind) -> Result<Arc<Payload>, vk::Result> {
    if fd < 0 {
        // A sync file of -1 is one that was signalled long ago.
        return Ok(Payload::new(kind, 1));
    }
    let key = inode(fd).ok_or(vk::Result::ERROR_INVALID_EXTERNAL_HANDLE)?;
    // SAFETY: the descriptor is open, and a successful import hands it over.
    drop(unsafe { OwnedFd::from_raw_fd(fd) });
    Ok(payloads().get(&key).cloned().unwrap_or_else(|| Payload::new(kind, 0)))
}

fn inode(fd: RawFd) -> Option<(u64, u64)> {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the structure is writable, and any number may be asked about.
    if unsafe { libc::fstat(fd, stat.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: `fstat` succeeded, so it filled the structure.
    let stat = unsafe { stat.assume_init() };
    Some((stat.st_dev, stat.st_ino))
}
