//! A submit waits for a semaphore imported from a file descriptor whose other side never signals: the exporter is gone.
use ash::{khr, vk};

use crate::Outcome;
use crate::gpu::{Gpu, Wish};
use crate::objects::Batch;

const HANDLE: vk::ExternalSemaphoreHandleTypeFlags =
    vk::ExternalSemaphoreHandleTypeFlags::OPAQUE_FD;

pub(crate) fn run() -> Outcome {
    let gpu =
        Gpu::with(&Wish { extensions: &[khr::external_semaphore_fd::NAME], ..Wish::default() })?;
    let fence = gpu.fence("frame done")?;
    gpu.frames(5, fence)?;
    let external = khr::external_semaphore_fd::Device::new(&gpu.instance.raw, &gpu.device);
    let imported = gpu.binary("from the compositor")?;
    let import = vk::ImportSemaphoreFdInfoKHR::default()
        .semaphore(imported)
        .handle_type(HANDLE)
        .fd(exported(&gpu, &external)?);
    unsafe { external.import_semaphore_fd(&import) }?;
    gpu.submit(0, &Batch { waits: &[(imported, 0)], ..Batch::default() }, fence)?;
    gpu.wait(fence)
}

/// The descriptor of a semaphore that no longer has a name here.
fn exported(gpu: &Gpu, external: &khr::external_semaphore_fd::Device) -> Result<i32, vk::Result> {
    let mut export = vk::ExportSemaphoreCreateInfo::default().handle_types(HANDLE);
    let create = vk::SemaphoreCreateInfo::default().push_next(&mut export);
    unsafe {
        let semaphore = gpu.device.create_semaphore(&create, None)?;
        let get = vk::SemaphoreGetFdInfoKHR::default().semaphore(semaphore).handle_type(HANDLE);
        let descriptor = external.get_semaphore_fd(&get);
        gpu.device.destroy_semaphore(semaphore, None);
        descriptor
    }
}
