//! How is the triangle drawn? A pipeline, and the commands of a frame.

use ash::vk;

use super::shader;
use super::vulkan::Gpu;

/// What is on the device. Nothing is destroyed when it is dropped: [`Triangle::destroy`] does that.
pub struct Triangle {
    pipeline: vk::Pipeline,
    layout: vk::PipelineLayout,
}

impl Triangle {
    pub fn new(gpu: &Gpu) -> Result<Self, vk::Result> {
        // SAFETY: the device lives, and so does what the structures point to until each call is over.
        unsafe {
            let device = &gpu.device;
            let layout = device.create_pipeline_layout(&Default::default(), None)?;
            let pipeline = pipeline(gpu, layout)
                .inspect_err(|_| device.destroy_pipeline_layout(layout, None))?;
            Ok(Self { pipeline, layout })
        }
    }

    /// Records a frame: the image has any content before, and can be presented after.
    pub fn draw(
        &self,
        device: &ash::Device,
        commands: vk::CommandBuffer,
        (image, view): (vk::Image, vk::ImageView),
        extent: vk::Extent2D,
    ) {
        let area = vk::Rect2D { extent, ..Default::default() };
        let viewport = vk::Viewport {
            width: extent.width as f32,
            height: extent.height as f32,
            max_depth: 1.0,
            ..Default::default()
        };
        let night = vk::ClearColorValue { float32: [0.02, 0.02, 0.05, 1.0] };
        let attachments = [vk::RenderingAttachmentInfo::default()
            .image_view(view)
            .image_layout(vk::ImageLayout::COLOR_ATTACHMENT_OPTIMAL)
            .load_op(vk::AttachmentLoadOp::CLEAR)
            .store_op(vk::AttachmentStoreOp::STORE)
            .clear_value(vk::ClearValue { color: night })];
        let rendering = vk::RenderingInfo::default()
            .render_area(area)
            .layer_count(1)
            .color_attachments(&attachments);
        let (undefined, drawn, shown) = (
            vk::ImageLayout::UNDEFINED,
            vk::ImageLayout::COLOR_ATTACHMENT_OPTIMAL,
            vk::ImageLayout::PRESENT_SRC_KHR,
        );
        // SAFETY: the command buffer is being recorded; image and view are the frame's.
        unsafe {
            change_layout(device, commands, image, (undefined, drawn));
            device.cmd_begin_rendering(commands, &rendering);
            device.cmd_bind_pipeline(commands, vk::PipelineBindPoint::GRAPHICS, self.pipeline);
            device.cmd_set_viewport(commands, 0, &[viewport]);
            device.cmd_set_scissor(commands, 0, &[area]);
            device.cmd_draw(commands, 3, 1, 0, 0);
            device.cmd_end_rendering(commands);
            change_layout(device, commands, image, (drawn, shown));
        }
    }

    /// # Safety
    /// The device is done with it, or lost.
    pub unsafe fn destroy(self, device: &ash::Device) {
        // SAFETY: as promised by the caller.
        unsafe {
            device.destroy_pipeline(self.pipeline, None);
            device.destroy_pipeline_layout(self.layout, None);
        }
    }
}

unsafe fn change_layout(
    device: &ash::Device,
    commands: vk::CommandBuffer,
    image: vk::Image,
    (from, to): (vk::ImageLayout, vk::ImageLayout),
) {
    let range = vk::ImageSubresourceRange::default()
        .aspect_mask(vk::ImageAspectFlags::COLOR)
        .level_count(1)
        .layer_count(1);
    let written = vk::AccessFlags::COLOR_ATTACHMENT_WRITE;
    let none = vk::AccessFlags::empty();
    let begins = from == vk::ImageLayout::UNDEFINED;
    let barrier = vk::ImageMemoryBarrier::default()
        .image(image)
        .subresource_range(range)
        .src_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
        .dst_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
        .old_layout(from)
        .new_layout(to)
        .src_access_mask(if begins { none } else { written })
        .dst_access_mask(if begins { written } else { none });
    // The image is free once its semaphore has let this stage pass, so this is where the layout may change.
    let drawing = vk::PipelineStageFlags::COLOR_ATTACHMENT_OUTPUT;
    let after = if begins { drawing } else { vk::PipelineStageFlags::BOTTOM_OF_PIPE };
    let flags = vk::DependencyFlags::empty();
    // SAFETY: as the caller has it.
    unsafe {
        device.cmd_pipeline_barrier(commands, drawing, after, flags, &[], &[], &[barrier]);
    }
}

/// The shaders live as long as it takes to make the pipeline.
unsafe fn pipeline(gpu: &Gpu, layout: vk::PipelineLayout) -> Result<vk::Pipeline, vk::Result> {
    let broken = vk::Result::ERROR_INITIALIZATION_FAILED;
    let words = [shader::vertex(), shader::fragment()];
    let mut modules = Vec::new();
    // SAFETY: as the caller has it.
    unsafe {
        let mut made = Ok(vk::Pipeline::null());
        for words in words {
            let words = words.map_err(|_| broken)?;
            let info = vk::ShaderModuleCreateInfo::default().code(&words);
            match gpu.device.create_shader_module(&info, None) {
                Ok(module) => modules.push(module),
                Err(result) => made = Err(result),
            }
        }
        if made.is_ok() {
            made = with_shaders(gpu, layout, [modules[0], modules[1]]);
        }
        for module in modules {
            gpu.device.destroy_shader_module(module, None);
        }
        made
    }
}

unsafe fn with_shaders(
    gpu: &Gpu,
    layout: vk::PipelineLayout,
    [vertex, fragment]: [vk::ShaderModule; 2],
) -> Result<vk::Pipeline, vk::Result> {
    let stage = |stage, module| {
        vk::PipelineShaderStageCreateInfo::default().stage(stage).module(module).name(c"main")
    };
    let stages = [
        stage(vk::ShaderStageFlags::VERTEX, vertex),
        stage(vk::ShaderStageFlags::FRAGMENT, fragment),
    ];
    let input = vk::PipelineVertexInputStateCreateInfo::default();
    let assembly = vk::PipelineInputAssemblyStateCreateInfo::default()
        .topology(vk::PrimitiveTopology::TRIANGLE_LIST);
    let viewport =
        vk::PipelineViewportStateCreateInfo::default().viewport_count(1).scissor_count(1);
    let raster = vk::PipelineRasterizationStateCreateInfo::default().line_width(1.0);
    let samples = vk::PipelineMultisampleStateCreateInfo::default()
        .rasterization_samples(vk::SampleCountFlags::TYPE_1);
    let blends = [vk::PipelineColorBlendAttachmentState::default()
        .color_write_mask(vk::ColorComponentFlags::RGBA)];
    let blend = vk::PipelineColorBlendStateCreateInfo::default().attachments(&blends);
    let dynamic = vk::PipelineDynamicStateCreateInfo::default()
        .dynamic_states(&[vk::DynamicState::VIEWPORT, vk::DynamicState::SCISSOR]);
    let formats = [gpu.format.format];
    let mut rendering =
        vk::PipelineRenderingCreateInfo::default().color_attachment_formats(&formats);
    let info = vk::GraphicsPipelineCreateInfo::default()
        .stages(&stages)
        .vertex_input_state(&input)
        .input_assembly_state(&assembly)
        .viewport_state(&viewport)
        .rasterization_state(&raster)
        .multisample_state(&samples)
        .color_blend_state(&blend)
        .dynamic_state(&dynamic)
        .layout(layout)
        .push_next(&mut rendering);
    // SAFETY: as the caller has it.
    unsafe { gpu.device.create_graphics_pipelines(vk::PipelineCache::null(), &[info], None) }
        .map(|made| made[0])
        .map_err(|(_, result)| result)
}
