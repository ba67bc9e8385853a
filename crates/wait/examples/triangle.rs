//! A triangle that always comes back: `triangle_raw.rs`, moved to `unwedge-wait`.
//!
//! Nothing here waits for longer than a few milliseconds, whatever the GPU does, so the window takes keys and can be closed. What fails is tried
//! again, then with another swapchain, then on another device. To see it:
//!
//! ```sh
//! cargo build -p unwedge-wait --examples
//! unwedge run --inject drop-signal:fence:n=60 -- target/debug/examples/triangle
//! ```

mod common;

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use ash::vk;
use common::{Gpu, Meter, Options, Triangle, Vulkan};
use unwedge_wait::frame::{Images, Parts, PresentWhen, Target};
use unwedge_wait::frame_loop::{FrameLoop, NewDevice, NewSwapchain, Program, Settings, Turn};
use unwedge_wait::{Bound, Waited};
use winit::application::ApplicationHandler;
use winit::event::{ElementState, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::window::{Window, WindowId};

/// How long the last frames may take when the program ends.
const FAREWELL: Bound = Bound::from_secs(1);

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::from_arguments()?;
    let events = EventLoop::new()?;
    let mut settings = Settings::default();
    if options.patient {
        // Some drivers wait for the GPU inside of presenting, without an end: they are not asked before it is done.
        settings.present = PresentWhen::Executed(settings.fence);
    }
    let frames = FrameLoop::new(settings);
    let again = Instant::now();
    let mut app = App { options, frames, again, renderer: None, failed: None };
    events.run_app(&mut app)?;
    let finished = app.frames.finish(FAREWELL);
    if let Some(renderer) = app.renderer {
        renderer.meter.tell();
        // What is still in use must not be destroyed: it is left, and goes with the process.
        if finished == Waited::Reached {
            renderer.destroy();
        }
    }
    let Some(why) = app.failed else { return Ok(ExitCode::SUCCESS) };
    eprintln!("{why}");
    Ok(ExitCode::FAILURE)
}

/// The program: a window, and what draws in it.
struct App {
    options: Options,
    frames: FrameLoop,
    /// Not before then is another frame tried.
    again: Instant,
    renderer: Option<Renderer>,
    /// Why the program ends, if nobody has asked it to.
    failed: Option<String>,
}

impl ApplicationHandler for App {
    fn resumed(&mut self, events: &ActiveEventLoop) {
        if self.renderer.is_none() {
            let window = Window::default_attributes().with_title("triangle");
            let window = events.create_window(window).map_err(Box::from);
            match window.and_then(Renderer::new) {
                Ok(renderer) => self.renderer = Some(renderer),
                Err(error) => self.fail(events, error.to_string()),
            }
        }
    }

    fn window_event(&mut self, events: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        let Some(renderer) = &mut self.renderer else { return };
        match event {
            WindowEvent::CloseRequested => events.exit(),
            WindowEvent::KeyboardInput { event, .. } if event.state == ElementState::Pressed => {
                renderer.meter.keys += 1;
            }
            WindowEvent::Resized(_) => self.frames.resized(),
            _ => {}
        }
    }

    /// All events are taken: time for a frame.
    fn about_to_wait(&mut self, events: &ActiveEventLoop) {
        let Some(renderer) = &mut self.renderer else { return };
        let begin = Instant::now();
        if begin < self.again {
            return events.set_control_flow(ControlFlow::WaitUntil(self.again));
        }
        let turn = self.frames.turn(renderer, begin);
        renderer.meter.deaf_since(begin);
        match turn {
            Turn::Presented => {
                renderer.meter.presented += 1;
                events.set_control_flow(ControlFlow::Poll);
            }
            // A window without an area is told when it has one again.
            Turn::NoArea | Turn::Resting(_) => events.set_control_flow(ControlFlow::Wait),
            Turn::Skipped { retry_in, because } => {
                renderer.meter.skip(&because);
                self.again = begin + retry_in;
                events.set_control_flow(ControlFlow::WaitUntil(self.again));
            }
            Turn::GaveUp(report) => return self.fail(events, report.to_string()),
        }
        self.options.play(&renderer.window, renderer.meter.presented);
        if renderer.meter.presented >= self.options.frames {
            events.exit();
        }
    }
}

impl App {
    fn fail(&mut self, events: &ActiveEventLoop, why: String) {
        self.failed = Some(why);
        events.exit();
    }
}

/// Everything that is drawn with. Swapchain, fences, semaphores and command buffers are the loop's.
struct Renderer {
    on_gpu: Option<(Gpu, Triangle)>,
    surface: vk::SurfaceKHR,
    vulkan: Vulkan,
    window: Window,
    meter: Meter,
}

// SAFETY: what it returns is true, and lives as long as the loop says.
unsafe impl Program for Renderer {
    type Error = vk::Result;

    /// Makes the device, again if need be.
    fn device(&mut self, why: NewDevice) -> Result<Parts, vk::Result> {
        match self.on_gpu.take() {
            // What is in use must not be destroyed: it is left, and its surface as well.
            Some(_) if why == NewDevice::Stalled => self.surface = vk::SurfaceKHR::null(),
            // SAFETY: it is lost or idle, and the loop has destroyed what it had made on it.
            Some((gpu, triangle)) => unsafe {
                triangle.destroy(&gpu.device);
                gpu.destroy();
            },
            None => {}
        }
        if self.surface == vk::SurfaceKHR::null() {
            self.surface = self.vulkan.surface(&self.window)?;
        }
        let gpu = Gpu::new(&self.vulkan, self.surface)?;
        let parts = Parts {
            device: gpu.device.clone(),
            swapchain: gpu.swapchains.clone(),
            queue: gpu.queue,
            queue_family: gpu.family,
        };
        match Triangle::new(&gpu) {
            Ok(triangle) => self.on_gpu = Some((gpu, triangle)),
            Err(result) => {
                // SAFETY: nothing is left of what was made on it.
                unsafe { gpu.destroy() };
                return Err(result);
            }
        }
        self.meter.devices += 1;
        Ok(parts)
    }

    /// What the swapchain is to be; the loop makes it. Not if the window has no area.
    fn swapchain(
        &mut self,
        why: NewSwapchain,
    ) -> Result<Option<vk::SwapchainCreateInfoKHR<'static>>, vk::Result> {
        if why == NewSwapchain::SurfaceLost {
            let lost = std::mem::take(&mut self.surface);
            // SAFETY: the loop has destroyed its swapchains.
            unsafe { self.vulkan.surfaces.destroy_surface(lost, None) };
            self.surface = self.vulkan.surface(&self.window)?;
        }
        let Some((gpu, _)) = &self.on_gpu else { return Ok(None) };
        self.vulkan.swapchain_info(gpu, self.surface, &self.window)
    }

    fn swapchain_made(&mut self, _: &Images<'_>) -> Result<(), vk::Result> {
        self.meter.swapchains += 1;
        Ok(())
    }

    /// Records one frame.
    fn draw(&mut self, commands: vk::CommandBuffer, target: &Target) -> Result<(), vk::Result> {
        if let Some((gpu, triangle)) = &self.on_gpu {
            triangle.draw(&gpu.device, commands, (target.image, target.view), target.extent);
        }
        Ok(())
    }

    /// So that a device or a surface that is found lost here is made again.
    fn cause(result: &vk::Result) -> Option<unwedge_wait::Error> {
        Some(unwedge_wait::Error::of("the triangle", *result))
    }
}

impl Renderer {
    fn new(window: Window) -> Result<Self, Box<dyn Error>> {
        let vulkan = Vulkan::new(&window)?;
        let surface = vk::SurfaceKHR::null();
        Ok(Self { on_gpu: None, surface, vulkan, window, meter: Meter::default() })
    }

    fn destroy(self) {
        // SAFETY: the loop has ended: nothing is in use, and nothing is used again.
        unsafe {
            if let Some((gpu, triangle)) = self.on_gpu {
                triangle.destroy(&gpu.device);
                gpu.destroy();
            }
            self.vulkan.surfaces.destroy_surface(self.surface, None);
            self.vulkan.instance.destroy_instance(None);
        }
    }
}
