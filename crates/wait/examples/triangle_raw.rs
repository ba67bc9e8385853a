//! A triangle, drawn as most programs draw one: waits may last for ever, and what fails ends the program.
//!
//! `triangle.rs` is the same program moved to `unwedge-wait`. To see what becomes of this one:
//!
//! ```sh
//! cargo build -p unwedge-wait --examples
//! unwedge run --inject drop-signal:fence:n=60 -- target/debug/examples/triangle_raw
//! ```
#![allow(clippy::expect_used, reason = "that this ends the program is what is shown here")]

mod common;

use std::time::Instant;

use ash::vk;
use common::{Gpu, Meter, Options, Triangle, Vulkan};
use winit::application::ApplicationHandler;
use winit::event::{ElementState, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::window::{Window, WindowId};

/// So many frames may be recorded before the first of them is executed.
const IN_FLIGHT: usize = 2;

fn main() {
    let options = Options::from_arguments().expect("the command line is right");
    let events = EventLoop::new().expect("there is a display");
    let mut app = App { options, renderer: None };
    events.run_app(&mut app).expect("the event loop ends well");
    if let Some(renderer) = app.renderer {
        renderer.meter.tell();
        renderer.destroy();
    }
}

/// The program: a window, and what draws in it.
struct App {
    options: Options,
    renderer: Option<Renderer>,
}

impl ApplicationHandler for App {
    fn resumed(&mut self, events: &ActiveEventLoop) {
        if self.renderer.is_none() {
            let window = Window::default_attributes().with_title("triangle");
            let window = events.create_window(window).expect("a window can be made");
            self.renderer = Some(Renderer::new(window));
        }
    }

    fn window_event(&mut self, events: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        let Some(renderer) = &mut self.renderer else { return };
        match event {
            WindowEvent::CloseRequested => events.exit(),
            WindowEvent::KeyboardInput { event, .. } if event.state == ElementState::Pressed => {
                renderer.meter.keys += 1;
            }
            WindowEvent::Resized(_) => renderer.resized = true,
            _ => {}
        }
    }

    /// All events are taken: time for a frame.
    fn about_to_wait(&mut self, events: &ActiveEventLoop) {
        let Some(renderer) = &mut self.renderer else { return };
        let begin = Instant::now();
        renderer.draw_frame();
        renderer.meter.deaf_since(begin);
        events.set_control_flow(ControlFlow::Poll);
        self.options.play(&renderer.window, renderer.meter.presented);
        if renderer.meter.presented >= self.options.frames {
            events.exit();
        }
    }
}

/// The objects of one frame in flight.
struct Frame {
    commands: vk::CommandBuffer,
    /// Signalled by the presentation engine when the image is free.
    acquired: vk::Semaphore,
    /// Signalled by the GPU when the frame is executed.
    executed: vk::Fence,
}

/// Everything that is drawn with.
struct Renderer {
    swapchain: Swapchain,
    frames: Vec<Frame>,
    frame: usize,
    pool: vk::CommandPool,
    triangle: Triangle,
    gpu: Gpu,
    surface: vk::SurfaceKHR,
    vulkan: Vulkan,
    resized: bool,
    window: Window,
    meter: Meter,
}

/// The images that are presented, each with a view and with the semaphore that its present waits for.
#[derive(Default)]
struct Swapchain {
    handle: vk::SwapchainKHR,
    extent: vk::Extent2D,
    images: Vec<vk::Image>,
    views: Vec<vk::ImageView>,
    finished: Vec<vk::Semaphore>,
}

impl Renderer {
    fn new(window: Window) -> Self {
        let vulkan = Vulkan::new(&window).expect("Vulkan is installed");
        let surface = vulkan.surface(&window).expect("the window has a surface");
        let gpu = Gpu::new(&vulkan, surface).expect("a GPU can draw to the window");
        let triangle = Triangle::new(&gpu).expect("the pipeline can be made");
        let (pool, frames) = make_frames(&gpu);
        let mut meter = Meter::default();
        meter.devices += 1;
        Self {
            swapchain: Swapchain::default(),
            frames,
            frame: 0,
            pool,
            triangle,
            gpu,
            surface,
            vulkan,
            resized: true,
            window,
            meter,
        }
    }

    /// Draws one frame.
    fn draw_frame(&mut self) {
        if self.resized && !self.make_swapchain() {
            return;
        }
        let (device, frame) = (&self.gpu.device, &self.frames[self.frame]);
        let fence = [frame.executed];
        // SAFETY: all objects are of this device. The fence says that the last use of the frame's objects is over.
        unsafe {
            device.wait_for_fences(&fence, true, u64::MAX).expect("the GPU executes the frame");
            device.reset_fences(&fence).expect("the fence can be reset");
            let acquired = self.gpu.swapchains.acquire_next_image(
                self.swapchain.handle,
                u64::MAX,
                frame.acquired,
                vk::Fence::null(),
            );
            let (index, _) = acquired.expect("there is an image");
            self.record(frame.commands, index as usize);
            let (waits, stages) =
                ([frame.acquired], [vk::PipelineStageFlags::COLOR_ATTACHMENT_OUTPUT]);
            let (commands, signals) = ([frame.commands], [self.swapchain.finished[index as usize]]);
            let submit = vk::SubmitInfo::default()
                .wait_semaphores(&waits)
                .wait_dst_stage_mask(&stages)
                .command_buffers(&commands)
                .signal_semaphores(&signals);
            device
                .queue_submit(self.gpu.queue, &[submit], frame.executed)
                .expect("the frame can be submitted");
            let (swapchains, indices) = ([self.swapchain.handle], [index]);
            let present = vk::PresentInfoKHR::default()
                .wait_semaphores(&signals)
                .swapchains(&swapchains)
                .image_indices(&indices);
            let presented = self.gpu.swapchains.queue_present(self.gpu.queue, &present);
            self.resized |= presented.expect("the image can be presented");
        }
        self.meter.presented += 1;
        self.frame = (self.frame + 1) % IN_FLIGHT;
    }

    unsafe fn record(&self, commands: vk::CommandBuffer, index: usize) {
        let (device, swapchain) = (&self.gpu.device, &self.swapchain);
        let begin = vk::CommandBufferBeginInfo::default()
            .flags(vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT);
        let image = (swapchain.images[index], swapchain.views[index]);
        // SAFETY: the command buffer is not in use; beginning it resets it.
        unsafe {
            device.begin_command_buffer(commands, &begin).expect("recording can begin");
            self.triangle.draw(device, commands, image, swapchain.extent);
            device.end_command_buffer(commands).expect("recording can end");
        }
    }

    /// Makes the swapchain, again if need be. Not if the window has no area.
    fn make_swapchain(&mut self) -> bool {
        let info = self.vulkan.swapchain_info(&self.gpu, self.surface, &self.window);
        let Some(info) = info.expect("the surface can be asked") else { return false };
        let device = &self.gpu.device;
        // SAFETY: nothing uses the old one once the device is idle.
        unsafe {
            device.device_wait_idle().expect("the GPU comes to an end");
            let handle = self
                .gpu
                .swapchains
                .create_swapchain(&info.old_swapchain(self.swapchain.handle), None)
                .expect("a swapchain can be made");
            std::mem::take(&mut self.swapchain).destroy(&self.gpu);
            let images = self.gpu.swapchains.get_swapchain_images(handle).expect("its images");
            self.swapchain = Swapchain {
                handle,
                extent: info.image_extent,
                views: images.iter().map(|image| view(&self.gpu, *image)).collect(),
                finished: images.iter().map(|_| semaphore(device)).collect(),
                images,
            };
        }
        self.meter.swapchains += 1;
        self.resized = false;
        true
    }

    fn destroy(self) {
        let device = &self.gpu.device;
        // SAFETY: nothing is in use once the device is idle, and nothing is used again.
        unsafe {
            device.device_wait_idle().expect("the GPU comes to an end");
            self.swapchain.destroy(&self.gpu);
            for frame in self.frames {
                device.destroy_semaphore(frame.acquired, None);
                device.destroy_fence(frame.executed, None);
            }
            device.destroy_command_pool(self.pool, None);
            self.triangle.destroy(device);
            self.gpu.destroy();
            self.vulkan.surfaces.destroy_surface(self.surface, None);
            self.vulkan.instance.destroy_instance(None);
        }
    }
}

impl Swapchain {
    /// Nothing may be in use.
    unsafe fn destroy(self, gpu: &Gpu) {
        // SAFETY: as promised by the caller.
        unsafe {
            for view in self.views {
                gpu.device.destroy_image_view(view, None);
            }
            for semaphore in self.finished {
                gpu.device.destroy_semaphore(semaphore, None);
            }
            gpu.swapchains.destroy_swapchain(self.handle, None);
        }
    }
}

fn make_frames(gpu: &Gpu) -> (vk::CommandPool, Vec<Frame>) {
    let device = &gpu.device;
    // The first wait is for a frame that never was: its fence is signalled from the start.
    let signalled = vk::FenceCreateInfo::default().flags(vk::FenceCreateFlags::SIGNALED);
    let info = vk::CommandPoolCreateInfo::default()
        .flags(vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER)
        .queue_family_index(gpu.family);
    // SAFETY: the device lives.
    unsafe {
        let pool = device.create_command_pool(&info, None).expect("a command pool");
        let info = vk::CommandBufferAllocateInfo::default()
            .command_pool(pool)
            .command_buffer_count(IN_FLIGHT as u32);
        let buffers = device.allocate_command_buffers(&info).expect("command buffers");
        let frame = |commands| Frame {
            commands,
            acquired: semaphore(device),
            executed: device.create_fence(&signalled, None).expect("a fence"),
        };
        (pool, buffers.into_iter().map(frame).collect())
    }
}

fn semaphore(device: &ash::Device) -> vk::Semaphore {
    // SAFETY: the device lives.
    unsafe { device.create_semaphore(&Default::default(), None) }.expect("a semaphore")
}

fn view(gpu: &Gpu, image: vk::Image) -> vk::ImageView {
    let range = vk::ImageSubresourceRange::default()
        .aspect_mask(vk::ImageAspectFlags::COLOR)
        .level_count(1)
        .layer_count(1);
    let info = vk::ImageViewCreateInfo::default()
        .image(image)
        .view_type(vk::ImageViewType::TYPE_2D)
        .format(gpu.format.format)
        .subresource_range(range);
    // SAFETY: the image is one of this device's swapchain.
    unsafe { gpu.device.create_image_view(&info, None) }.expect("a view of the image")
}
