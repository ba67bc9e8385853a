//! A window that is cleared each frame: XCB where there is an X server, else `VK_EXT_headless_surface`, else skipped.
use ash::{ext, khr, vk};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt, CreateWindowAux, WindowClass};
use x11rb::xcb_ffi::XCBConnection;

use crate::gpu::{Gpu, Instance, WINDOW_EXTENSIONS, Wish};
use crate::objects::{Batch, lock};
use crate::{Outcome, Stop};

const SIDE: u16 = 128;
const IMAGES_MIN: u32 = 3;

/// One image of the swapchain.
pub(crate) struct Image {
    draw: vk::CommandBuffer,
    rendered: vk::Semaphore,
}

/// The window on its X server.
pub(crate) struct XWindow {
    connection: XCBConnection,
    screen: usize,
    window: u32,
}

pub(crate) struct Window {
    // Before `x`: the surface goes before its connection.
    pub(crate) gpu: Gpu,
    x: Option<XWindow>,
    swapchains: khr::swapchain::Device,
    pub(crate) swapchain: vk::SwapchainKHR,
    pub(crate) images: Vec<Image>,
    /// Signalled by the acquire of [`Window::frame`].
    pub(crate) acquired: vk::Semaphore,
    /// Signalled when the frame's work is done; signalled at the start.
    pub(crate) done: vk::Fence,
}

impl Window {
    pub(crate) fn open() -> Result<Window, Stop> {
        let instance = Instance::new(WINDOW_EXTENSIONS)?;
        let no_window = || Stop::skipped("no window system");
        if !instance.has(khr::surface::NAME) {
            return Err(no_window());
        }
        let x = if instance.has(khr::xcb_surface::NAME) { XWindow::open() } else { None };
        let surface = match &x {
            Some(x) => x.surface(&instance)?,
            None if instance.has(ext::headless_surface::NAME) => headless_surface(&instance)?,
            None => return Err(no_window()),
        };
        let gpu =
            Gpu::on(&instance, &Wish { extensions: &[khr::swapchain::NAME], ..Wish::default() })?;
        let surfaces = khr::surface::Instance::new(&instance.entry, &instance.raw);
        let destroy = surfaces.clone();
        gpu.on_drop(move |_| unsafe { destroy.destroy_surface(surface, None) });
        let swapchains = khr::swapchain::Device::new(&instance.raw, &gpu.device);
        let swapchain = create_swapchain(&gpu, &surfaces, &swapchains, surface)?;
        let images = unsafe { swapchains.get_swapchain_images(swapchain) }?;
        let images =
            images.into_iter().map(|image| prepare(&gpu, image)).collect::<Result<_, Stop>>()?;
        let acquired = gpu.binary("image acquired")?;
        let done = gpu.fence_with("frame done", vk::FenceCreateFlags::SIGNALED)?;
        Ok(Window { gpu, x, swapchains, swapchain, images, acquired, done })
    }

    /// One proper frame: wait for the last, acquire, reset the fence, draw, present.
    pub(crate) fn frame(&self) -> Outcome {
        self.gpu.wait(self.done)?;
        let image = self.acquire(u64::MAX, self.acquired)?;
        self.gpu.reset(self.done)?;
        self.draw(image, self.acquired, self.done)?;
        Ok(self.present(image)?)
    }

    pub(crate) fn acquire(
        &self,
        timeout_ns: u64,
        signal: vk::Semaphore,
    ) -> Result<u32, vk::Result> {
        let acquired = unsafe {
            self.swapchains.acquire_next_image(
                self.swapchain,
                timeout_ns,
                signal,
                vk::Fence::null(),
            )
        };
        acquired.map(|(image, _suboptimal)| image)
    }

    pub(crate) fn draw(
        &self,
        image: u32,
        after: vk::Semaphore,
        fence: vk::Fence,
    ) -> Result<(), vk::Result> {
        let image = &self.images[image as usize];
        let batch = Batch {
            waits: &[(after, 0)],
            commands: &[image.draw],
            signals: &[(image.rendered, 0)],
        };
        self.gpu.submit(0, &batch, fence)
    }

    pub(crate) fn present(&self, image: u32) -> Result<(), vk::Result> {
        let (waits, swapchains, indices) =
            ([self.images[image as usize].rendered], [self.swapchain], [image]);
        let present = vk::PresentInfoKHR::default()
            .wait_semaphores(&waits)
            .swapchains(&swapchains)
            .image_indices(&indices);
        let queue = lock(&self.gpu.queues[0]);
        unsafe { self.swapchains.queue_present(*queue, &present) }.map(|_| ())
    }

    /// The window on its X server; skipped where the surface is headless.
    pub(crate) fn x(&self) -> Result<&XWindow, Stop> {
        self.x.as_ref().ok_or_else(|| Stop::skipped("no X server"))
    }
}

fn x_failed(error: impl std::fmt::Display) -> Stop {
    Stop::failed(format!("X: {error}"))
}

impl XWindow {
    /// Nothing where there is no X server to talk to.
    fn open() -> Option<XWindow> {
        std::env::var_os("DISPLAY")?;
        let (connection, screen) = XCBConnection::connect(None).ok()?;
        let window = connection.generate_id().ok()?;
        let x = XWindow { connection, screen, window };
        x.create(window, &CreateWindowAux::new()).ok()?;
        x.map(true).ok()?;
        Some(x)
    }

    fn create(&self, window: u32, options: &CreateWindowAux) -> Outcome {
        let root = &self.connection.setup().roots[self.screen];
        let (class, visual) = (WindowClass::INPUT_OUTPUT, root.root_visual);
        let request = self.connection.create_window(
            root.root_depth,
            window,
            root.root,
            0,
            0,
            SIDE,
            SIDE,
            0,
            class,
            visual,
            options,
        );
        request.map_err(x_failed)?.check().map_err(x_failed)
    }

    /// Shows or hides (minimises) the window.
    pub(crate) fn map(&self, visible: bool) -> Outcome {
        let request = if visible {
            self.connection.map_window(self.window)
        } else {
            self.connection.unmap_window(self.window)
        };
        request.map_err(x_failed)?.check().map_err(x_failed)
    }

    /// Puts another window over all of it.
    pub(crate) fn cover(&self) -> Outcome {
        let cover = self.connection.generate_id().map_err(x_failed)?;
        self.create(cover, &CreateWindowAux::new().override_redirect(1).background_pixel(0))?;
        self.connection.map_window(cover).map_err(x_failed)?.check().map_err(x_failed)
    }

    fn surface(&self, instance: &Instance) -> Result<vk::SurfaceKHR, Stop> {
        let surfaces = khr::xcb_surface::Instance::new(&instance.entry, &instance.raw);
        let create = vk::XcbSurfaceCreateInfoKHR::default()
            .connection(self.connection.get_raw_xcb_connection())
            .window(self.window);
        Ok(unsafe { surfaces.create_xcb_surface(&create, None) }?)
    }
}

fn headless_surface(instance: &Instance) -> Result<vk::SurfaceKHR, Stop> {
    let surfaces = ext::headless_surface::Instance::new(&instance.entry, &instance.raw);
    Ok(unsafe {
        surfaces.create_headless_surface(&vk::HeadlessSurfaceCreateInfoEXT::default(), None)
    }?)
}

fn create_swapchain(
    gpu: &Gpu,
    surfaces: &khr::surface::Instance,
    swapchains: &khr::swapchain::Device,
    surface: vk::SurfaceKHR,
) -> Result<vk::SwapchainKHR, Stop> {
    let supported =
        unsafe { surfaces.get_physical_device_surface_support(gpu.physical, gpu.family, surface) }?;
    if !supported {
        return Err(Stop::skipped("the device cannot present to this surface"));
    }
    let can = unsafe { surfaces.get_physical_device_surface_capabilities(gpu.physical, surface) }?;
    let formats = unsafe { surfaces.get_physical_device_surface_formats(gpu.physical, surface) }?;
    let format = formats.first().ok_or_else(|| Stop::skipped("the surface has no format"))?;
    let side = u32::from(SIDE);
    let chosen_by_swapchain = can.current_extent.width == u32::MAX;
    let extent = if chosen_by_swapchain {
        vk::Extent2D { width: side, height: side }
    } else {
        can.current_extent
    };
    let images_max = if can.max_image_count == 0 { u32::MAX } else { can.max_image_count };
    let create = vk::SwapchainCreateInfoKHR::default()
        .surface(surface)
        .min_image_count(IMAGES_MIN.clamp(can.min_image_count, images_max))
        .image_format(format.format)
        .image_color_space(format.color_space)
        .image_extent(extent)
        .image_array_layers(1)
        .image_usage(vk::ImageUsageFlags::COLOR_ATTACHMENT | vk::ImageUsageFlags::TRANSFER_DST)
        .pre_transform(can.current_transform)
        .composite_alpha(vk::CompositeAlphaFlagsKHR::OPAQUE)
        .present_mode(vk::PresentModeKHR::FIFO);
    let swapchain = unsafe { swapchains.create_swapchain(&create, None) }?;
    let destroy = swapchains.clone();
    gpu.on_drop(move |_| unsafe { destroy.destroy_swapchain(swapchain, None) });
    gpu.name(swapchain, "window");
    Ok(swapchain)
}

/// Records the clearing of an image.
fn prepare(gpu: &Gpu, image: vk::Image) -> Result<Image, Stop> {
    let draw = gpu.commands("clear")?;
    let range = vk::ImageSubresourceRange {
        aspect_mask: vk::ImageAspectFlags::COLOR,
        level_count: 1,
        layer_count: 1,
        ..Default::default()
    };
    let change = |from, to| {
        let barrier = vk::ImageMemoryBarrier::default()
            .old_layout(from)
            .new_layout(to)
            .src_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
            .dst_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
            .src_access_mask(vk::AccessFlags::MEMORY_WRITE)
            .dst_access_mask(vk::AccessFlags::MEMORY_WRITE | vk::AccessFlags::MEMORY_READ)
            .image(image)
            .subresource_range(range);
        let all = vk::PipelineStageFlags::ALL_COMMANDS;
        unsafe {
            gpu.device.cmd_pipeline_barrier(
                draw,
                all,
                all,
                vk::DependencyFlags::empty(),
                &[],
                &[],
                &[barrier],
            )
        };
    };
    change(vk::ImageLayout::UNDEFINED, vk::ImageLayout::TRANSFER_DST_OPTIMAL);
    let colour = vk::ClearColorValue { float32: [0.1, 0.3, 0.5, 1.0] };
    unsafe {
        gpu.device.cmd_clear_color_image(
            draw,
            image,
            vk::ImageLayout::TRANSFER_DST_OPTIMAL,
            &colour,
            &[range],
        )
    };
    change(vk::ImageLayout::TRANSFER_DST_OPTIMAL, vk::ImageLayout::PRESENT_SRC_KHR);
    unsafe { gpu.device.end_command_buffer(draw) }?;
    Ok(Image { draw, rendered: gpu.binary("rendered")? })
}
