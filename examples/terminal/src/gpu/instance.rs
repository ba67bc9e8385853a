//! How does the program reach Vulkan, and the window's surface? X11 through Xlib or XCB, and Wayland.

use std::ffi::CStr;

use ash::{khr, vk};
use winit::raw_window_handle::{
    HasDisplayHandle, HasWindowHandle, RawDisplayHandle, RawWindowHandle,
};

use super::Error;

/// Vulkan itself; lives as long as the program.
pub(crate) struct Instance {
    entry: ash::Entry,
    pub(super) handle: ash::Instance,
    pub(super) surfaces: khr::surface::Instance,
}

impl Instance {
    /// An instance that can present to windows of this display.
    pub(crate) fn new(display: RawDisplayHandle) -> Result<Self, Error> {
        // SAFETY: the loader's library has no effects when it is loaded but to find drivers and layers.
        let entry = unsafe { ash::Entry::load() }.map_err(Error::NoLoader)?;
        let names = extension_names(display)?;
        let pointers = names.map(CStr::as_ptr);
        let application = vk::ApplicationInfo::default()
            .application_name(c"unwedge-terminal")
            .api_version(vk::API_VERSION_1_3);
        let info = vk::InstanceCreateInfo::default()
            .application_info(&application)
            .enabled_extension_names(&pointers);
        // SAFETY: the names are NUL-terminated and live until the call is over.
        let handle = unsafe { entry.create_instance(&info, None) }.map_err(Error::instance)?;
        let surfaces = khr::surface::Instance::new(&entry, &handle);
        Ok(Self { entry, handle, surfaces })
    }

    /// A surface of the window.
    pub(super) fn surface(
        &self,
        window: &(impl HasDisplayHandle + HasWindowHandle),
    ) -> Result<vk::SurfaceKHR, Error> {
        let display = window.display_handle().map_err(|_| Error::NoWindowSystem)?.as_raw();
        let window = window.window_handle().map_err(|_| Error::NoWindowSystem)?.as_raw();
        let (entry, instance) = (&self.entry, &self.handle);
        // SAFETY: display and window are alive, as the handles were borrowed from the window just now, and the window
        // outlives the surface: both belong to the same program state. The extension was enabled for this display.
        let made = unsafe {
            match (display, window) {
                (RawDisplayHandle::Xlib(display), RawWindowHandle::Xlib(window)) => {
                    let info = vk::XlibSurfaceCreateInfoKHR::default()
                        .dpy(display.display.map_or(std::ptr::null_mut(), |d| d.as_ptr().cast()))
                        .window(window.window);
                    let xlib = khr::xlib_surface::Instance::new(entry, instance);
                    xlib.create_xlib_surface(&info, None)
                }
                (RawDisplayHandle::Xcb(display), RawWindowHandle::Xcb(window)) => {
                    let connection = display.connection;
                    let info = vk::XcbSurfaceCreateInfoKHR::default()
                        .connection(connection.map_or(std::ptr::null_mut(), |c| c.as_ptr().cast()))
                        .window(window.window.get());
                    let xcb = khr::xcb_surface::Instance::new(entry, instance);
                    xcb.create_xcb_surface(&info, None)
                }
                (RawDisplayHandle::Wayland(display), RawWindowHandle::Wayland(window)) => {
                    let info = vk::WaylandSurfaceCreateInfoKHR::default()
                        .display(display.display.as_ptr())
                        .surface(window.surface.as_ptr());
                    let wayland = khr::wayland_surface::Instance::new(entry, instance);
                    wayland.create_wayland_surface(&info, None)
                }
                _ => return Err(Error::NoWindowSystem),
            }
        };
        made.map_err(|result| Error::call("surface", result))
    }
}

fn extension_names(display: RawDisplayHandle) -> Result<[&'static CStr; 2], Error> {
    let of_the_system = match display {
        RawDisplayHandle::Xlib(_) => khr::xlib_surface::NAME,
        RawDisplayHandle::Xcb(_) => khr::xcb_surface::NAME,
        RawDisplayHandle::Wayland(_) => khr::wayland_surface::NAME,
        _ => return Err(Error::NoWindowSystem),
    };
    Ok([khr::surface::NAME, of_the_system])
}
