//! A device of the scripted driver with a headless surface, as a program would have it.

use ash::vk;
use unwedge_wait::frame::Parts;

/// What a program makes before it can have frames.
pub struct Rig {
    pub instance: ash::Instance,
    pub device: Option<ash::Device>,
    pub surfaces: ash::khr::surface::Instance,
    pub surface: vk::SurfaceKHR,
}

/// How many images the swapchains have.
pub const IMAGES: u32 = 3;

impl Rig {
    pub fn new(script: &str) -> Self {
        let names = [ash::khr::surface::NAME, ash::ext::headless_surface::NAME];
        let instance = fake_icd::instance(script, &names).expect("an instance");
        let entry = fake_icd::entry();
        let surfaces = ash::khr::surface::Instance::new(&entry, &instance);
        let surface = new_surface(&instance);
        Self { instance, device: None, surfaces, surface }
    }

    /// With a device, for tests that make frames themselves.
    pub fn with_device(script: &str) -> (Self, Parts) {
        let mut rig = Self::new(script);
        let device = try_device(&rig.instance).expect("a device");
        let parts = parts(&rig.instance, &device);
        rig.device = Some(device);
        (rig, parts)
    }

    /// What the program destroys in the end; only after the frames.
    pub fn destroy(self) {
        // SAFETY: nothing is used any more.
        unsafe {
            if let Some(device) = self.device {
                device.destroy_device(None);
            }
            self.surfaces.destroy_surface(self.surface, None);
            self.instance.destroy_instance(None);
        }
    }
}

pub fn swapchain(surface: vk::SurfaceKHR) -> vk::SwapchainCreateInfoKHR<'static> {
    vk::SwapchainCreateInfoKHR::default()
        .surface(surface)
        .min_image_count(IMAGES)
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

pub fn new_surface(instance: &ash::Instance) -> vk::SurfaceKHR {
    let headless = ash::ext::headless_surface::Instance::new(&fake_icd::entry(), instance);
    let info = vk::HeadlessSurfaceCreateInfoEXT::default();
    // SAFETY: the extension is enabled.
    unsafe { headless.create_headless_surface(&info, None) }.expect("a surface")
}

pub fn try_device(instance: &ash::Instance) -> Result<ash::Device, vk::Result> {
    // SAFETY: the instance lives.
    let physical = unsafe { instance.enumerate_physical_devices() }?[0];
    let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&[1.0])];
    let names = [ash::khr::swapchain::NAME.as_ptr()];
    let info =
        vk::DeviceCreateInfo::default().queue_create_infos(&queues).enabled_extension_names(&names);
    // SAFETY: the physical device is of the instance, and has the extension.
    unsafe { instance.create_device(physical, &info, None) }
}

pub fn parts(instance: &ash::Instance, device: &ash::Device) -> Parts {
    Parts {
        device: device.clone(),
        swapchain: ash::khr::swapchain::Device::new(instance, device),
        // SAFETY: the device has a queue 0 of family 0.
        queue: unsafe { device.get_device_queue(0, 0) },
        queue_family: 0,
    }
}
