//! `vkGetQueryPoolResults` with `VK_QUERY_RESULT_WAIT_BIT` on a query that no submitted command has begun or ended.
use ash::vk;

use crate::gpu::Gpu;
use crate::{Outcome, Stop};

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    let device = &gpu.device;
    let create =
        vk::QueryPoolCreateInfo::default().query_type(vk::QueryType::OCCLUSION).query_count(1);
    let pool = unsafe { device.create_query_pool(&create, None) }?;
    gpu.on_drop(move |device| unsafe { device.destroy_query_pool(pool, None) });
    gpu.name(pool, "visible samples");
    let fence = gpu.fence("frame done")?;
    let reset = gpu.commands("reset query")?;
    unsafe {
        device.cmd_reset_query_pool(reset, pool, 0, 1);
        device.end_command_buffer(reset)?;
    }
    gpu.submit(0, &crate::objects::Batch { commands: &[reset], ..Default::default() }, fence)?;
    gpu.wait(fence)?;
    let mut samples = [0_u64];
    let flags = vk::QueryResultFlags::TYPE_64 | vk::QueryResultFlags::WAIT;
    let result = unsafe { device.get_query_pool_results(pool, 0, &mut samples, flags) };
    Err(Stop::skipped(format!("this driver does not wait for such a query ({result:?})")))
}
