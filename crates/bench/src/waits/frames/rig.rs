//! What do both frame loops run on? One device, and for each a window of its own: headless where there is such a thing, else on X.

use std::ffi::CStr;

use ash::{ext, khr, vk};
use unwedge_wait::frame::Parts;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt as _, CreateWindowAux, WindowClass};
use x11rb::xcb_ffi::XCBConnection;

use crate::waits::gpu::{family, told};

/// Small, so that what is measured is not the device.
const SIDE: u16 = 64;
const WINDOWS: usize = 2;
const IMAGES_MIN: u32 = 3;

/// A device and its windows.
pub(super) struct Rig {
    pub(super) parts: Parts,
    /// The device, for a reader.
    pub(super) name: String,
    physical: vk::PhysicalDevice,
    instance: ash::Instance,
    surfaces: khr::surface::Instance,
    windows: Vec<vk::SurfaceKHR>,
    // Behind what uses them.
    _x: Option<XCBConnection>,
    _entry: ash::Entry,
}

impl Rig {
    /// On the driver for tests, which is in this process, and executes what is submitted at once and without threads.
    pub(super) fn scripted() -> Result<Self, String> {
        let names = [khr::surface::NAME, ext::headless_surface::NAME];
        let instance = fake_icd::instance("execute=early", &names).map_err(told)?;
        Self::on(fake_icd::entry(), instance, None)
    }

    /// On the first device that the loader finds.
    pub(super) fn real() -> Result<Self, String> {
        // SAFETY: the loader's library is what it says it is.
        let entry = unsafe { ash::Entry::load() }.map_err(|error| error.to_string())?;
        // SAFETY: no layer is asked about.
        let offered = unsafe { entry.enumerate_instance_extension_properties(None) };
        let offered = offered.map_err(told)?;
        let has =
            |name: &CStr| offered.iter().any(|have| have.extension_name_as_c_str() == Ok(name));
        let (kind, x) = if has(ext::headless_surface::NAME) {
            (ext::headless_surface::NAME, None)
        } else if has(khr::xcb_surface::NAME) && std::env::var_os("DISPLAY").is_some() {
            let (x, screen) =
                XCBConnection::connect(None).map_err(|error| format!("X: {error}"))?;
            (khr::xcb_surface::NAME, Some((x, screen)))
        } else {
            return Err("there is no window system, and no headless surface".to_owned());
        };
        let names = [khr::surface::NAME.as_ptr(), kind.as_ptr()];
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_1);
        let create = vk::InstanceCreateInfo::default()
            .application_info(&application)
            .enabled_extension_names(&names);
        // SAFETY: the extensions are offered.
        let instance = unsafe { entry.create_instance(&create, None) }.map_err(told)?;
        Self::on(entry, instance, x)
    }

    fn on(
        entry: ash::Entry,
        instance: ash::Instance,
        x: Option<(XCBConnection, usize)>,
    ) -> Result<Self, String> {
        // SAFETY: the instance lives, and has the extensions that are used; so below.
        let devices = unsafe { instance.enumerate_physical_devices() }.map_err(told)?;
        let physical = *devices.first().ok_or("there is no Vulkan device")?;
        let queue_family = family(&instance, physical, vk::QueueFlags::GRAPHICS)?;
        let queues = [vk::DeviceQueueCreateInfo::default()
            .queue_family_index(queue_family)
            .queue_priorities(&[1.0])];
        let names = [khr::swapchain::NAME.as_ptr()];
        let create = vk::DeviceCreateInfo::default()
            .queue_create_infos(&queues)
            .enabled_extension_names(&names);
        // SAFETY: as above; a device that has no swapchains says so.
        let device = unsafe { instance.create_device(physical, &create, None) }.map_err(told)?;
        let surfaces = khr::surface::Instance::new(&entry, &instance);
        let windows = (0..WINDOWS).map(|_| match &x {
            Some((x, screen)) => xcb_surface(&entry, &instance, x, *screen),
            None => headless_surface(&entry, &instance),
        });
        let windows = windows.collect::<Result<Vec<_>, String>>()?;
        // SAFETY: as above.
        let properties = unsafe { instance.get_physical_device_properties(physical) };
        let name = properties.device_name_as_c_str().unwrap_or_default().to_string_lossy();
        let parts = Parts {
            swapchain: khr::swapchain::Device::new(&instance, &device),
            // SAFETY: the device was made with one queue of the family.
            queue: unsafe { device.get_device_queue(queue_family, 0) },
            queue_family,
            device,
        };
        let (name, x) = (name.into_owned(), x.map(|(x, _)| x));
        Ok(Self { parts, name, physical, instance, surfaces, windows, _x: x, _entry: entry })
    }

    /// The swapchain of a window: as fast as it may be shown.
    pub(super) fn swapchain(
        &self,
        window: usize,
    ) -> Result<vk::SwapchainCreateInfoKHR<'static>, String> {
        let (physical, surface) = (self.physical, self.windows[window]);
        let functions = &self.surfaces;
        // SAFETY: the surface is of the same instance; so below.
        unsafe {
            let family = self.parts.queue_family;
            let supported = functions
                .get_physical_device_surface_support(physical, family, surface)
                .map_err(told)?;
            if !supported {
                return Err("the device cannot show anything here".to_owned());
            }
            let can = functions
                .get_physical_device_surface_capabilities(physical, surface)
                .map_err(told)?;
            let formats =
                functions.get_physical_device_surface_formats(physical, surface).map_err(told)?;
            let format = formats.first().ok_or("the surface has no format")?;
            let modes = functions
                .get_physical_device_surface_present_modes(physical, surface)
                .map_err(told)?;
            let fast = [vk::PresentModeKHR::IMMEDIATE, vk::PresentModeKHR::MAILBOX];
            let mode = fast.into_iter().find(|mode| modes.contains(mode));
            let side = u32::from(SIDE);
            Ok(vk::SwapchainCreateInfoKHR::default()
                .surface(surface)
                .min_image_count(IMAGES_MIN.max(can.min_image_count))
                .image_format(format.format)
                .image_color_space(format.color_space)
                .image_extent(vk::Extent2D { width: side, height: side })
                .image_array_layers(1)
                .image_usage(
                    vk::ImageUsageFlags::COLOR_ATTACHMENT | vk::ImageUsageFlags::TRANSFER_DST,
                )
                .image_sharing_mode(vk::SharingMode::EXCLUSIVE)
                .pre_transform(can.current_transform)
                .composite_alpha(vk::CompositeAlphaFlagsKHR::OPAQUE)
                .present_mode(mode.unwrap_or(vk::PresentModeKHR::FIFO))
                .clipped(true))
        }
    }

    /// Once nothing uses it.
    pub(super) fn destroy(self) {
        // SAFETY: the loops are gone, and with them all that they made.
        unsafe {
            self.parts.device.destroy_device(None);
            for window in &self.windows {
                self.surfaces.destroy_surface(*window, None);
            }
            self.instance.destroy_instance(None);
        }
    }
}

fn headless_surface(
    entry: &ash::Entry,
    instance: &ash::Instance,
) -> Result<vk::SurfaceKHR, String> {
    let functions = ext::headless_surface::Instance::new(entry, instance);
    let create = vk::HeadlessSurfaceCreateInfoEXT::default();
    // SAFETY: the instance has the extension.
    unsafe { functions.create_headless_surface(&create, None) }.map_err(told)
}

fn xcb_surface(
    entry: &ash::Entry,
    instance: &ash::Instance,
    x: &XCBConnection,
    screen: usize,
) -> Result<vk::SurfaceKHR, String> {
    let failed = |error: &dyn std::fmt::Display| format!("X: {error}");
    let screen = &x.setup().roots[screen];
    let window = x.generate_id().map_err(|error| failed(&error))?;
    let created = x.create_window(
        screen.root_depth,
        window,
        screen.root,
        0,
        0,
        SIDE,
        SIDE,
        0,
        WindowClass::INPUT_OUTPUT,
        screen.root_visual,
        &CreateWindowAux::new(),
    );
    created.map_err(|error| failed(&error))?.check().map_err(|error| failed(&error))?;
    let mapped = x.map_window(window).map_err(|error| failed(&error))?;
    mapped.check().map_err(|error| failed(&error))?;
    let functions = khr::xcb_surface::Instance::new(entry, instance);
    let create = vk::XcbSurfaceCreateInfoKHR::default()
        .connection(x.get_raw_xcb_connection())
        .window(window);
    // SAFETY: the instance has the extension; the connection is kept until the surface is destroyed.
    unsafe { functions.create_xcb_surface(&create, None) }.map_err(told)
}
