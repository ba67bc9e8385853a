//! What does the frame loop ask for? A device with all that is on it, a swapchain, the glyphs on the GPU, the commands of a frame.

use std::sync::Arc;

use ash::vk;
use unwedge_wait::frame::{Images, Parts, Target};
use unwedge_wait::frame_loop::{NewDevice, NewSwapchain, Program};
use unwedge_wait::{Bound, UploadError, UploadParts, Uploaded, Uploads, Waited};
use winit::window::Window;

use super::atlas_image::AtlasImage;
use super::device::Device;
use super::memory::Buffer;
use super::pipeline::Pipeline;
use super::{Error, Instance, swapchain};
use crate::glyphs::{Glyphs, Region};
use crate::screen::{Picture, Quad};

/// How long one turn waits for the last upload. Glyphs are few and small; what takes longer is tried in the next turn.
const UPLOAD: Bound = Bound::from_millis(4);
/// How long a rung of recovery waits for the queue, to learn that an upload whose fence never showed it was executed.
const RENEW: Bound = Bound::from_millis(50);

/// Draws pictures.
pub(crate) struct Painter {
    instance: Instance,
    window: Arc<Window>,
    pub(crate) glyphs: Glyphs,
    /// What the next frame shows.
    pub(crate) picture: Picture,
    gpu: Option<Gpu>,
}

/// All that is made on one device.
struct Gpu {
    surface: vk::SurfaceKHR,
    device: Device,
    pipeline: Pipeline,
    atlas: AtlasImage,
    uploads: Uploads<Region>,
    /// The quads of each frame in flight.
    quads: Vec<Option<Buffer>>,
}

impl Painter {
    pub(crate) fn new(instance: Instance, window: Arc<Window>, glyphs: Glyphs) -> Self {
        Self { instance, window, glyphs, picture: Picture::default(), gpu: None }
    }

    fn gpu(&mut self) -> Result<&mut Gpu, Error> {
        self.gpu.as_mut().ok_or(Error::NoDevice)
    }

    /// Destroys everything, if nothing is in use any more; else leaves it to the end of the process.
    pub(crate) fn finish(mut self, rest: Waited) {
        match (self.gpu.take(), rest) {
            // SAFETY: the frame loop waited for its last frames, and uploads go before frames on the same queue.
            (Some(gpu), Waited::Reached) => unsafe { gpu.destroy(&self.instance) },
            (Some(gpu), Waited::TimedOut) => gpu.leave(),
            (None, _) => {}
        }
    }
}

impl Gpu {
    fn new(instance: &Instance, window: &Window, side: u16) -> Result<Self, Error> {
        let surface = instance.surface(&window)?;
        let gpu = Device::new(instance, surface).and_then(|device| {
            match Self::on(instance, surface, &device, side) {
                Ok((pipeline, atlas, uploads)) => {
                    Ok(Self { surface, device, pipeline, atlas, uploads, quads: Vec::new() })
                }
                Err(error) => {
                    // SAFETY: nothing is left of what was made on it, and nothing was submitted.
                    unsafe { device.handle.destroy_device(None) };
                    Err(error)
                }
            }
        });
        if gpu.is_err() {
            // SAFETY: no swapchain was made of it.
            unsafe { instance.surfaces.destroy_surface(surface, None) };
        }
        gpu
    }

    /// What is made on the device. If one thing cannot be made, the others are destroyed.
    fn on(
        instance: &Instance,
        surface: vk::SurfaceKHR,
        device: &Device,
        side: u16,
    ) -> Result<(Pipeline, AtlasImage, Uploads<Region>), Error> {
        let format = swapchain::format_of(instance, device, surface)?;
        let pipeline = Pipeline::new(device, format)?;
        let atlas = AtlasImage::new(device, side, pipeline.atlas_layout);
        let parts = UploadParts {
            device: device.handle.clone(),
            queue: device.queue,
            queue_family: device.family,
        };
        match atlas {
            // SAFETY: device and queue live as long as the uploads; only this thread uses the queue; what `prepare` records
            // lives as long as the device.
            Ok(atlas) => match unsafe { Uploads::new(parts) } {
                Ok(mut uploads) => {
                    // Nothing of what was drawn before is on this device.
                    uploads.mark(Region { x: 0, y: 0, width: side, height: side });
                    Ok((pipeline, atlas, uploads))
                }
                Err(error) => {
                    // SAFETY: nothing has used them.
                    unsafe {
                        atlas.destroy(&device.handle);
                        pipeline.destroy(&device.handle);
                    }
                    Err(error.into())
                }
            },
            Err(error) => {
                // SAFETY: nothing has used it.
                unsafe { pipeline.destroy(&device.handle) };
                Err(error)
            }
        }
    }

    /// # Safety
    /// The device is lost, or has executed everything; no swapchain of the surface is left.
    unsafe fn destroy(mut self, instance: &Instance) {
        let device = &self.device.handle;
        // SAFETY: as promised by the caller.
        unsafe {
            let left = self.uploads.forget_device().map_or(0, |forgotten| forgotten.destroy());
            if left > 0 {
                // A fence is pending that the device does not know to be over: all of it stays.
                return;
            }
            for buffer in self.quads.drain(..).flatten() {
                buffer.destroy(device);
            }
            self.atlas.destroy(device);
            self.pipeline.destroy(device);
            device.destroy_device(None);
            instance.surfaces.destroy_surface(self.surface, None);
        }
    }

    /// Leaves all of it as it is: it is in use, and may be so for ever.
    fn leave(mut self) {
        // Dropped, it leaves its objects. The rest has no destructors.
        drop(self.uploads.forget_device());
    }

    /// The buffer of a frame in flight, with these quads in it. The frame that used it last was executed.
    fn write_quads(&mut self, slot: usize, quads: &[Quad]) -> Result<vk::Buffer, Error> {
        // SAFETY: quads have no padding, and are read as bytes.
        let bytes =
            unsafe { std::slice::from_raw_parts(quads.as_ptr().cast::<u8>(), size_of_val(quads)) };
        if self.quads.len() <= slot {
            self.quads.resize_with(slot + 1, || None);
        }
        let place = &mut self.quads[slot];
        if place.as_ref().is_none_or(|buffer| buffer.bytes < bytes.len()) {
            if let Some(old) = place.take() {
                // SAFETY: the frame that used it was executed.
                unsafe { old.destroy(&self.device.handle) };
            }
            let room = bytes.len().next_power_of_two().max(1 << 16);
            let usage = vk::BufferUsageFlags::VERTEX_BUFFER;
            *place = Some(Buffer::new(&self.device, room, usage)?);
        }
        let Some(buffer) = place else { return Err(Error::NoMemory) };
        // SAFETY: as above.
        unsafe { buffer.write(0, bytes) };
        Ok(buffer.handle)
    }
}

// SAFETY: what it returns is true, and lives as long as the loop says.
unsafe impl Program for Painter {
    type Error = Error;

    fn device(&mut self, why: NewDevice) -> Result<Parts, Error> {
        match (self.gpu.take(), why) {
            (Some(gpu), NewDevice::Stalled) => gpu.leave(),
            // SAFETY: lost or idle, as the frame loop says, which has destroyed its swapchains.
            (Some(gpu), _) => unsafe { gpu.destroy(&self.instance) },
            (None, _) => {}
        }
        let gpu = Gpu::new(&self.instance, &self.window, self.glyphs.atlas().side())?;
        let parts = Parts {
            device: gpu.device.handle.clone(),
            swapchain: gpu.device.swapchains.clone(),
            queue: gpu.device.queue,
            queue_family: gpu.device.family,
        };
        self.gpu = Some(gpu);
        Ok(parts)
    }

    fn swapchain(
        &mut self,
        why: NewSwapchain,
    ) -> Result<Option<vk::SwapchainCreateInfoKHR<'static>>, Error> {
        let gpu = self.gpu.as_mut().ok_or(Error::NoDevice)?;
        if why == NewSwapchain::Recovery && gpu.uploads.renew(RENEW)? == Waited::TimedOut {
            tracing::debug!("the last upload is not known to be executed");
        }
        if why == NewSwapchain::SurfaceLost {
            // SAFETY: its swapchains are destroyed, as the frame loop says.
            unsafe { self.instance.surfaces.destroy_surface(gpu.surface, None) };
            gpu.surface = vk::SurfaceKHR::null();
        }
        if gpu.surface == vk::SurfaceKHR::null() {
            gpu.surface = self.instance.surface(&self.window)?;
        }
        let size = self.window.inner_size();
        swapchain::describe(&self.instance, &gpu.device, gpu.surface, (size.width, size.height))
    }

    fn swapchain_made(&mut self, images: &Images<'_>) -> Result<(), Error> {
        let gpu = self.gpu()?;
        if images.format != gpu.pipeline.format {
            // Another surface of the same window with another format: a new device fits it.
            return Err(Error::NoPipeline);
        }
        tracing::debug!(width = images.extent.width, height = images.extent.height, "swapchain");
        Ok(())
    }

    fn prepare(&mut self) -> Result<Waited, Error> {
        let gpu = self.gpu.as_mut().ok_or(Error::NoDevice)?;
        for region in self.glyphs.atlas_mut().take_dirty() {
            gpu.uploads.mark(region);
        }
        let (device, image, atlas) = (&gpu.device.handle, &gpu.atlas, self.glyphs.atlas());
        let uploaded = gpu.uploads.pump(UPLOAD, |commands, regions| {
            // SAFETY: the buffer is being recorded, and no earlier upload is pending.
            unsafe { image.record_upload(device, commands, atlas, regions) };
            Ok::<(), Error>(())
        });
        match uploaded {
            Ok(Uploaded::Submitted) => {
                gpu.atlas.written = true;
                Ok(Waited::Reached)
            }
            Ok(Uploaded::Clean) => Ok(Waited::Reached),
            // What is in flight goes before the frame on the same queue; what waits for it to end would be missing.
            Ok(Uploaded::TimedOut) if gpu.uploads.waiting().next().is_none() => Ok(Waited::Reached),
            Ok(Uploaded::TimedOut) => Ok(Waited::TimedOut),
            Err(UploadError::Vulkan(error)) => Err(error.into()),
            Err(UploadError::Record(error)) => Err(error),
            Err(UploadError::NoDevice) => Err(Error::NoDevice),
        }
    }

    fn draw(&mut self, commands: vk::CommandBuffer, target: &Target) -> Result<(), Error> {
        let picture = &self.picture;
        let gpu = self.gpu.as_mut().ok_or(Error::NoDevice)?;
        let quads = gpu.write_quads(target.slot, &picture.quads)?;
        // SAFETY: the frame loop has begun the command buffer; everything that is recorded lives as long as the device, and the
        // buffer of quads until the frame has been executed.
        unsafe {
            begin(&gpu.device.handle, commands, target, picture.ground);
            record(gpu, commands, target.extent, quads, picture.quads.len());
            end(&gpu.device.handle, commands, target);
        }
        Ok(())
    }

    fn cause(error: &Error) -> Option<unwedge_wait::Error> {
        error.cause()
    }
}

/// The image becomes one that is drawn to, cleared with the ground's colour.
///
/// # Safety
/// The command buffer is being recorded, and the target is the frame's.
unsafe fn begin(
    device: &ash::Device,
    commands: vk::CommandBuffer,
    target: &Target,
    ground: [u8; 3],
) {
    let barrier = barrier(target)
        // Whatever the image shows is cleared.
        .old_layout(vk::ImageLayout::UNDEFINED)
        .new_layout(vk::ImageLayout::COLOR_ATTACHMENT_OPTIMAL)
        .dst_access_mask(vk::AccessFlags::COLOR_ATTACHMENT_WRITE);
    let [r, g, b] = ground.map(|part| f32::from(part) / 255.0);
    let clear = vk::ClearValue { color: vk::ClearColorValue { float32: [r, g, b, 1.0] } };
    let attachments = [vk::RenderingAttachmentInfo::default()
        .image_view(target.view)
        .image_layout(vk::ImageLayout::COLOR_ATTACHMENT_OPTIMAL)
        .load_op(vk::AttachmentLoadOp::CLEAR)
        .store_op(vk::AttachmentStoreOp::STORE)
        .clear_value(clear)];
    let info = vk::RenderingInfo::default()
        .render_area(target.extent.into())
        .layer_count(1)
        .color_attachments(&attachments);
    let stage = vk::PipelineStageFlags::COLOR_ATTACHMENT_OUTPUT;
    // SAFETY: as promised by the caller.
    unsafe {
        let none = vk::DependencyFlags::empty();
        device.cmd_pipeline_barrier(commands, stage, stage, none, &[], &[], &[barrier]);
        device.cmd_begin_rendering(commands, &info);
    }
}

/// Draws the quads.
///
/// # Safety
/// The command buffer is in a rendering, and the buffer has so many quads.
unsafe fn record(
    gpu: &Gpu,
    commands: vk::CommandBuffer,
    extent: vk::Extent2D,
    quads: vk::Buffer,
    count: usize,
) {
    let (device, pipeline) = (&gpu.device.handle, &gpu.pipeline);
    // Windows have some thousands of pixels, exact as a float.
    let (width, height) = (extent.width as f32, extent.height as f32);
    let viewport = vk::Viewport { x: 0.0, y: 0.0, width, height, min_depth: 0.0, max_depth: 1.0 };
    let [a, b, c, d] = (2.0 / width).to_ne_bytes();
    let [e, f, g, h] = (2.0 / height).to_ne_bytes();
    let graphics = vk::PipelineBindPoint::GRAPHICS;
    // A grid has a million cells at most, each with a few quads.
    let count = count as u32;
    // SAFETY: as promised by the caller; the atlas was written by an upload that was submitted before.
    unsafe {
        device.cmd_bind_pipeline(commands, graphics, pipeline.handle);
        device.cmd_set_viewport(commands, 0, &[viewport]);
        device.cmd_set_scissor(commands, 0, &[extent.into()]);
        let sets = [gpu.atlas.set];
        device.cmd_bind_descriptor_sets(commands, graphics, pipeline.layout, 0, &sets, &[]);
        let stage = vk::ShaderStageFlags::VERTEX;
        let scale = [a, b, c, d, e, f, g, h];
        device.cmd_push_constants(commands, pipeline.layout, stage, 0, &scale);
        device.cmd_bind_vertex_buffers(commands, 0, &[quads], &[0]);
        device.cmd_draw(commands, 4, count, 0, 0);
    }
}

/// The image becomes one that can be presented.
///
/// # Safety
/// As [`begin`], after it.
unsafe fn end(device: &ash::Device, commands: vk::CommandBuffer, target: &Target) {
    let barrier = barrier(target)
        .old_layout(vk::ImageLayout::COLOR_ATTACHMENT_OPTIMAL)
        .new_layout(vk::ImageLayout::PRESENT_SRC_KHR)
        .src_access_mask(vk::AccessFlags::COLOR_ATTACHMENT_WRITE);
    let stage = vk::PipelineStageFlags::COLOR_ATTACHMENT_OUTPUT;
    let last = vk::PipelineStageFlags::BOTTOM_OF_PIPE;
    // SAFETY: as promised by the caller.
    unsafe {
        device.cmd_end_rendering(commands);
        let none = vk::DependencyFlags::empty();
        device.cmd_pipeline_barrier(commands, stage, last, none, &[], &[], &[barrier]);
    }
}

fn barrier(target: &Target) -> vk::ImageMemoryBarrier<'static> {
    vk::ImageMemoryBarrier::default()
        .image(target.image)
        .src_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
        .dst_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
        .subresource_range(vk::ImageSubresourceRange {
            aspect_mask: vk::ImageAspectFlags::COLOR,
            base_mip_level: 0,
            level_count: 1,
            base_array_layer: 0,
            layer_count: 1,
        })
}
