//! Do the waits work on a real driver? On lavapipe, where it is installed.

use ash::vk;
use unwedge_wait::{
    Bound, DeviceIdle, Need, Point, QueueIdle, Waited, wait_fences,
    wait_idle_for_shutdown_unbounded, wait_semaphores,
};

use crate::real::{fence, hold_up, signal, timeline};

const SOON: Bound = Bound::from_secs(30);
const SHORT: Bound = Bound::from_millis(5);

/// The loader, an instance and the physical device of lavapipe; with `UNWEDGE_TEST_DEVICE=real` the machine's own device.
fn lavapipe() -> Option<(ash::Entry, ash::Instance, vk::PhysicalDevice)> {
    // SAFETY: the loader is sound, and the handles that follow are live; so below.
    unsafe {
        let entry = ash::Entry::load().ok()?;
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_2);
        let info = vk::InstanceCreateInfo::default().application_info(&application);
        let instance = entry.create_instance(&info, None).ok()?;
        let real = std::env::var_os("UNWEDGE_TEST_DEVICE").is_some_and(|which| which == "real");
        let found = instance.enumerate_physical_devices().ok()?.into_iter().find(|physical| {
            let properties = instance.get_physical_device_properties(*physical);
            let name = properties.device_name_as_c_str();
            real || name.is_ok_and(|name| name.to_string_lossy().contains("llvmpipe"))
        })?;
        Some((entry, instance, found))
    }
}

#[test]
fn on_lavapipe_waits_time_out_and_are_reached() {
    let Some((_entry, instance, physical)) = lavapipe() else {
        println!("skipped: there is no Vulkan loader, or no lavapipe");
        return;
    };
    // SAFETY: as above.
    unsafe {
        let device = crate::fake::device(&instance, physical, &[]);
        let queue = device.get_device_queue(0, 0);
        let fences = [fence(&device)];
        assert_eq!(wait_fences(&device, &fences, Need::All, SHORT), Ok(Waited::TimedOut));
        device.queue_submit(queue, &[], fences[0]).unwrap();
        assert_eq!(wait_fences(&device, &fences, Need::All, SOON), Ok(Waited::Reached));
        let point = Point { semaphore: timeline(&device), value: 3 };
        assert_eq!(wait_semaphores(&device, &[point], Need::Any, SHORT), Ok(Waited::TimedOut));
        signal(&device, point);
        assert_eq!(wait_semaphores(&device, &[point], Need::Any, SOON), Ok(Waited::Reached));
        let mut idle = QueueIdle::new(&device, queue).unwrap();
        assert_eq!(idle.wait(SOON), Ok(Waited::Reached));
        let release = Point { semaphore: point.semaphore, value: 4 };
        hold_up(&device, queue, release);
        for pending in [1, 2, 3, 4, 4] {
            assert_eq!(idle.wait(SHORT), Ok(Waited::TimedOut));
            assert_eq!(idle.pending(), pending);
        }
        signal(&device, release);
        assert_eq!(idle.wait(SOON), Ok(Waited::Reached));
        let mut all = DeviceIdle::new(&device, &[queue]).unwrap();
        assert_eq!(all.wait(SOON), Ok(Waited::Reached));
        assert_eq!(idle.destroy() + all.destroy(), 0);
        wait_idle_for_shutdown_unbounded(&device).unwrap();
        device.destroy_semaphore(point.semaphore, None);
        device.destroy_fence(fences[0], None);
        device.destroy_device(None);
        instance.destroy_instance(None);
    }
}
