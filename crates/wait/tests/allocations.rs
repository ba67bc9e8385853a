//! Does a frame allocate? Counted by this program's own allocator.
//!
//! The driver is loaded as a library, so that it has an allocator of its own: what is counted is the crate's and nothing else.
#![allow(clippy::expect_used, reason = "a test says what it expects")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use ash::{ext, khr, vk};
use unwedge_wait::Bound;
use unwedge_wait::frame::{Acquire, Frames, Parts, Presented, Target, Wait};
use unwedge_wait::frame_loop::{FrameLoop, NewDevice, NewSwapchain, Program, Settings, Turn};

thread_local! {
    /// How often this thread has asked for memory.
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: as promised by the caller; so below.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const WARM: u32 = 20;
const FRAMES: u32 = 500;
const SOON: Bound = Bound::from_secs(30);

/// How often `frame` asks for memory in [`FRAMES`] frames, after the first few.
fn asked(mut frame: impl FnMut()) -> u64 {
    (0..WARM).for_each(|_| frame());
    let before = ASKED.get();
    (0..FRAMES).for_each(|_| frame());
    ASKED.get() - before
}

struct Rig {
    instance: ash::Instance,
    device: ash::Device,
    surfaces: khr::surface::Instance,
    surface: vk::SurfaceKHR,
    // Behind what it loaded.
    _entry: ash::Entry,
}

impl Rig {
    /// Nothing where there is no Vulkan loader.
    fn new() -> Option<Self> {
        use_the_scripted_driver();
        // SAFETY: the loader is sound, and the handles that follow are live.
        unsafe {
            let Ok(entry) = ash::Entry::load() else {
                println!("skipped: there is no Vulkan loader");
                return None;
            };
            let names = [khr::surface::NAME.as_ptr(), ext::headless_surface::NAME.as_ptr()];
            let info = vk::InstanceCreateInfo::default().enabled_extension_names(&names);
            let instance = entry.create_instance(&info, None).expect("an instance");
            let physical = instance.enumerate_physical_devices().expect("devices")[0];
            let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&[1.0])];
            let names = [khr::swapchain::NAME.as_ptr()];
            let info = vk::DeviceCreateInfo::default()
                .queue_create_infos(&queues)
                .enabled_extension_names(&names);
            let device = instance.create_device(physical, &info, None).expect("a device");
            let surfaces = khr::surface::Instance::new(&entry, &instance);
            let headless = ext::headless_surface::Instance::new(&entry, &instance);
            let info = vk::HeadlessSurfaceCreateInfoEXT::default();
            let surface = headless.create_headless_surface(&info, None).expect("a surface");
            Some(Self { instance, device, surfaces, surface, _entry: entry })
        }
    }

    fn parts(&self) -> Parts {
        Parts {
            device: self.device.clone(),
            swapchain: khr::swapchain::Device::new(&self.instance, &self.device),
            // SAFETY: the device has a queue 0 of family 0.
            queue: unsafe { self.device.get_device_queue(0, 0) },
            queue_family: 0,
        }
    }

    fn swapchain(&self) -> vk::SwapchainCreateInfoKHR<'static> {
        vk::SwapchainCreateInfoKHR::default()
            .surface(self.surface)
            .min_image_count(3)
            .image_format(vk::Format::B8G8R8A8_UNORM)
            .image_color_space(vk::ColorSpaceKHR::SRGB_NONLINEAR)
            .image_extent(vk::Extent2D { width: 64, height: 48 })
            .image_array_layers(1)
            .image_usage(vk::ImageUsageFlags::COLOR_ATTACHMENT)
            .image_sharing_mode(vk::SharingMode::EXCLUSIVE)
            .pre_transform(vk::SurfaceTransformFlagsKHR::IDENTITY)
            .composite_alpha(vk::CompositeAlphaFlagsKHR::OPAQUE)
            .present_mode(vk::PresentModeKHR::FIFO)
            .clipped(true)
    }

    fn draw(&self, commands: vk::CommandBuffer, target: &Target) {
        let barrier = vk::ImageMemoryBarrier::default()
            .old_layout(vk::ImageLayout::UNDEFINED)
            .new_layout(vk::ImageLayout::PRESENT_SRC_KHR)
            .image(target.image)
            .subresource_range(vk::ImageSubresourceRange {
                aspect_mask: vk::ImageAspectFlags::COLOR,
                level_count: 1,
                layer_count: 1,
                ..Default::default()
            });
        let stage = vk::PipelineStageFlags::COLOR_ATTACHMENT_OUTPUT;
        let none = vk::DependencyFlags::empty();
        // SAFETY: the command buffer is being recorded, and the image lives.
        unsafe {
            self.device.cmd_pipeline_barrier(commands, stage, stage, none, &[], &[], &[barrier]);
        }
    }

    fn destroy(self) {
        // SAFETY: nothing is used any more.
        unsafe {
            self.device.destroy_device(None);
            self.surfaces.destroy_surface(self.surface, None);
            self.instance.destroy_instance(None);
        }
    }
}

/// Has the loader load the driver that was built beside this test.
fn use_the_scripted_driver() {
    static MANIFEST: OnceLock<PathBuf> = OnceLock::new();
    MANIFEST.get_or_init(|| {
        let own = std::env::current_exe().expect("this test");
        let library = own.with_file_name("libfake_icd.so");
        assert!(library.is_file(), "{} is built with the tests", library.display());
        let manifest = own.with_file_name("allocations-fake_icd.json");
        let text = include_str!("../../fake-icd/fake_icd.json.in");
        let text = text.replace("@PATH@", &library.display().to_string());
        std::fs::write(&manifest, text).expect("a manifest");
        for name in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
            // SAFETY: no thread of this program reads the environment at this time: the tests come here first.
            unsafe { std::env::set_var(name, &manifest) };
        }
        manifest
    });
}

#[test]
fn the_counter_counts() {
    assert_eq!(asked(|| drop(std::hint::black_box(Box::new(1)))), u64::from(FRAMES));
    assert_eq!(asked(|| ()), 0);
}

#[test]
fn a_frame_allocates_nothing() {
    let Some(rig) = Rig::new() else { return };
    // SAFETY: the rig outlives the frames.
    let mut frames = unsafe { Frames::new(rig.parts(), 2, &rig.swapchain()) }.expect("frames");
    let count = asked(|| {
        let Ok(Wait::Ready(ready)) = frames.wait(SOON) else { panic!("no frame is free") };
        let Ok(Acquire::Image(frame)) = ready.acquire(SOON) else { panic!("no image is free") };
        let recorded = frame.record(|commands, target| {
            rig.draw(commands, target);
            Ok::<(), std::fmt::Error>(())
        });
        let presented = recorded.expect("recorded").submit().expect("submitted").present();
        assert_eq!(presented, Ok(Presented::Shown));
    });
    assert_eq!(count, 0);
    let begin = Instant::now();
    while !frames.poll().expect("a healthy device").is_reached() {
        assert!(begin.elapsed() < SOON.as_duration(), "the last frames are not executed");
    }
    drop(frames);
    rig.destroy();
}

/// A program that keeps what it has.
struct Window(Rig);

// SAFETY: what it returns is true, and lives as long as the loop says.
unsafe impl Program for Window {
    type Error = vk::Result;

    fn device(&mut self, _why: NewDevice) -> Result<Parts, vk::Result> {
        Ok(self.0.parts())
    }

    fn swapchain(
        &mut self,
        _why: NewSwapchain,
    ) -> Result<Option<vk::SwapchainCreateInfoKHR<'static>>, vk::Result> {
        Ok(Some(self.0.swapchain()))
    }

    fn draw(&mut self, commands: vk::CommandBuffer, target: &Target) -> Result<(), vk::Result> {
        self.0.draw(commands, target);
        Ok(())
    }
}

#[test]
fn a_turn_of_the_frame_loop_allocates_nothing() {
    let Some(rig) = Rig::new() else { return };
    let mut window = Window(rig);
    let settings = Settings { fence: SOON, acquire: SOON, ..Settings::default() };
    let mut frames = FrameLoop::new(settings);
    let mut now = Instant::now();
    let count = asked(|| {
        now += Duration::from_millis(16);
        assert_eq!(frames.turn(&mut window, now), Turn::Presented);
    });
    assert_eq!(count, 0);
    assert!(frames.finish(SOON).is_reached());
    window.0.destroy();
}
