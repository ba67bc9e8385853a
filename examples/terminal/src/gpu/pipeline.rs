//! How are quads drawn? One pipeline, whose input are the quads and the atlas.

use std::mem::offset_of;

use ash::vk;

use super::device::Device;
use super::{Error, shader};
use crate::screen::Quad;

/// The pipeline and what it is made of.
pub(super) struct Pipeline {
    pub(super) handle: vk::Pipeline,
    pub(super) layout: vk::PipelineLayout,
    pub(super) atlas_layout: vk::DescriptorSetLayout,
    /// Of the images that it draws to.
    pub(super) format: vk::Format,
}

impl Pipeline {
    pub(super) fn new(device: &Device, format: vk::Format) -> Result<Self, Error> {
        let bindings = [vk::DescriptorSetLayoutBinding::default()
            .descriptor_type(vk::DescriptorType::SAMPLED_IMAGE)
            .descriptor_count(1)
            .stage_flags(vk::ShaderStageFlags::FRAGMENT)];
        let info = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
        // SAFETY: the device lives.
        let atlas_layout = unsafe { device.handle.create_descriptor_set_layout(&info, None) }
            .map_err(|result| Error::call("vkCreateDescriptorSetLayout", result))?;
        let layouts = [atlas_layout];
        let pushed = [vk::PushConstantRange::default()
            .stage_flags(vk::ShaderStageFlags::VERTEX)
            .size(shader::PUSHED_BYTES)];
        let info = vk::PipelineLayoutCreateInfo::default()
            .set_layouts(&layouts)
            .push_constant_ranges(&pushed);
        // SAFETY: the device lives, and the set layout was just made on it.
        let layout = unsafe { device.handle.create_pipeline_layout(&info, None) };
        let made = layout.map_err(|result| Error::call("vkCreatePipelineLayout", result)).and_then(
            |layout| {
                with_shaders(device, layout, format).map(|handle| (layout, handle)).inspect_err(
                    |_| {
                        // SAFETY: nothing has used it.
                        unsafe { device.handle.destroy_pipeline_layout(layout, None) };
                    },
                )
            },
        );
        match made {
            Ok((layout, handle)) => Ok(Self { handle, layout, atlas_layout, format }),
            Err(error) => {
                // SAFETY: nothing has used it.
                unsafe { device.handle.destroy_descriptor_set_layout(atlas_layout, None) };
                Err(error)
            }
        }
    }

    /// # Safety
    /// The device is done with it.
    pub(super) unsafe fn destroy(self, device: &ash::Device) {
        // SAFETY: as promised by the caller.
        unsafe {
            device.destroy_pipeline(self.handle, None);
            device.destroy_pipeline_layout(self.layout, None);
            device.destroy_descriptor_set_layout(self.atlas_layout, None);
        }
    }
}

/// The shaders live as long as it takes to make the pipeline.
fn with_shaders(
    device: &Device,
    layout: vk::PipelineLayout,
    format: vk::Format,
) -> Result<vk::Pipeline, Error> {
    let vertex = module(device, &shader::vertex().map_err(Error::Shader)?)?;
    let fragment =
        shader::fragment().map_err(Error::Shader).and_then(|words| module(device, &words));
    let pipeline = match fragment {
        Ok(fragment) => {
            let pipeline = create(device, layout, format, vertex, fragment);
            // SAFETY: a module may go once the pipeline is made.
            unsafe { device.handle.destroy_shader_module(fragment, None) };
            pipeline
        }
        Err(error) => Err(error),
    };
    // SAFETY: as above.
    unsafe { device.handle.destroy_shader_module(vertex, None) };
    pipeline
}

fn module(device: &Device, words: &[u32]) -> Result<vk::ShaderModule, Error> {
    let info = vk::ShaderModuleCreateInfo::default().code(words);
    // SAFETY: the words are a valid module, as the shaders' tests and the validation layers say.
    unsafe { device.handle.create_shader_module(&info, None) }
        .map_err(|result| Error::call("vkCreateShaderModule", result))
}

/// Where the vertex shader's inputs are in a quad.
fn attributes() -> [vk::VertexInputAttributeDescription; 3] {
    let at = |location, format, offset: usize| {
        // A quad has a few bytes.
        let offset = offset as u32;
        vk::VertexInputAttributeDescription { location, binding: 0, format, offset }
    };
    [
        at(shader::PLACE, vk::Format::R16G16B16A16_SINT, offset_of!(Quad, x)),
        at(shader::INK, vk::Format::R16G16B16A16_UINT, offset_of!(Quad, u)),
        at(shader::COLOUR, vk::Format::R8G8B8A8_UNORM, offset_of!(Quad, colour)),
    ]
}

fn create(
    device: &Device,
    layout: vk::PipelineLayout,
    format: vk::Format,
    vertex: vk::ShaderModule,
    fragment: vk::ShaderModule,
) -> Result<vk::Pipeline, Error> {
    let stage = |stage, module| {
        vk::PipelineShaderStageCreateInfo::default().stage(stage).module(module).name(c"main")
    };
    let stages = [
        stage(vk::ShaderStageFlags::VERTEX, vertex),
        stage(vk::ShaderStageFlags::FRAGMENT, fragment),
    ];
    let bindings = [vk::VertexInputBindingDescription::default()
        .stride(size_of::<Quad>() as u32)
        .input_rate(vk::VertexInputRate::INSTANCE)];
    let attributes = attributes();
    let input = vk::PipelineVertexInputStateCreateInfo::default()
        .vertex_binding_descriptions(&bindings)
        .vertex_attribute_descriptions(&attributes);
    let assembly = vk::PipelineInputAssemblyStateCreateInfo::default()
        .topology(vk::PrimitiveTopology::TRIANGLE_STRIP);
    let viewport =
        vk::PipelineViewportStateCreateInfo::default().viewport_count(1).scissor_count(1);
    let raster = vk::PipelineRasterizationStateCreateInfo::default().line_width(1.0);
    let samples = vk::PipelineMultisampleStateCreateInfo::default()
        .rasterization_samples(vk::SampleCountFlags::TYPE_1);
    let blends = [vk::PipelineColorBlendAttachmentState::default()
        .blend_enable(true)
        .src_color_blend_factor(vk::BlendFactor::SRC_ALPHA)
        .dst_color_blend_factor(vk::BlendFactor::ONE_MINUS_SRC_ALPHA)
        .src_alpha_blend_factor(vk::BlendFactor::ONE)
        .dst_alpha_blend_factor(vk::BlendFactor::ONE_MINUS_SRC_ALPHA)
        .color_write_mask(vk::ColorComponentFlags::RGBA)];
    let blend = vk::PipelineColorBlendStateCreateInfo::default().attachments(&blends);
    let dynamic = vk::PipelineDynamicStateCreateInfo::default()
        .dynamic_states(&[vk::DynamicState::VIEWPORT, vk::DynamicState::SCISSOR]);
    let formats = [format];
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
    // SAFETY: all that the structure points to lives until the call is over; the modules and the layout are the device's.
    let made = unsafe {
        device.handle.create_graphics_pipelines(vk::PipelineCache::null(), &[info], None)
    };
    match made {
        Ok(pipelines) => pipelines.into_iter().next().ok_or(Error::NoPipeline),
        Err((_, result)) => Err(Error::call("vkCreateGraphicsPipelines", result)),
    }
}
