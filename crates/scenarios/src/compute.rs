//! One compute pipeline with one small buffer that host and shader both see.
use std::time::{Duration, Instant};

use ash::vk;

use crate::gpu::Gpu;
use crate::objects::Batch;
use crate::shader::{self, WORDS};
use crate::{Outcome, Stop};

/// The turns that a dispatch of work makes in each workgroup. llvmpipe ends a shader's loops after 65,535 turns, so more
/// work means more workgroups.
const TURNS: u32 = 50_000;
/// As many workgroups in x as any device takes.
const GROUPS_X_MAX: u32 = 65_535;

pub(crate) struct Kernel<'a> {
    gpu: &'a Gpu,
    pipeline: vk::Pipeline,
    layout: vk::PipelineLayout,
    set: vk::DescriptorSet,
    words: *mut u32,
}

impl<'a> Kernel<'a> {
    pub(crate) fn new(gpu: &'a Gpu, spirv: &[u32]) -> Result<Kernel<'a>, Stop> {
        let set_layout = set_layout(gpu)?;
        let (layout, pipeline) = pipeline(gpu, set_layout, spirv)?;
        let (buffer, words) = buffer(gpu)?;
        let set = descriptor_set(gpu, set_layout, buffer)?;
        Ok(Kernel { gpu, pipeline, layout, set, words })
    }

    /// Writes a word of the buffer.
    pub(crate) fn write(&self, index: usize, value: u32) {
        assert!(index < WORDS as usize, "the buffer has {WORDS} words");
        unsafe { self.words.add(index).write_volatile(value) };
    }

    /// A command buffer that dispatches these workgroups.
    pub(crate) fn record(
        &self,
        name: &str,
        [x, y, z]: [u32; 3],
    ) -> Result<vk::CommandBuffer, Stop> {
        let commands = self.gpu.commands(name)?;
        let device = &self.gpu.device;
        unsafe {
            device.cmd_bind_pipeline(commands, vk::PipelineBindPoint::COMPUTE, self.pipeline);
            device.cmd_bind_descriptor_sets(
                commands,
                vk::PipelineBindPoint::COMPUTE,
                self.layout,
                0,
                &[self.set],
                &[],
            );
            device.cmd_dispatch(commands, x, y, z);
            device.end_command_buffer(commands)?;
        }
        Ok(commands)
    }

    /// A command buffer of the counting loop that keeps the device busy for about that long, found by doubling.
    pub(crate) fn work(&self, duration: Duration) -> Result<vk::CommandBuffer, Stop> {
        self.write(shader::LIMIT, TURNS);
        self.write(shader::STEP, 1);
        let fence = self.gpu.fence("calibration")?;
        let mut groups = 16;
        loop {
            let commands = self.record("work", spread(groups))?;
            let begin = Instant::now();
            self.gpu.submit(0, &Batch { commands: &[commands], ..Batch::default() }, fence)?;
            self.gpu.wait(fence)?;
            self.gpu.reset(fence)?;
            let taken = begin.elapsed();
            if taken * 8 > duration {
                let share = duration.as_secs_f64() / taken.as_secs_f64();
                return self.record("work", spread((f64::from(groups) * share) as u32));
            }
            groups = groups
                .checked_mul(2)
                .ok_or_else(|| Stop::failed("the device is too fast to be kept busy"))?;
        }
    }
}

fn spread(groups: u32) -> [u32; 3] {
    [groups.clamp(1, GROUPS_X_MAX), groups.div_ceil(GROUPS_X_MAX).max(1), 1]
}

/// Creates the pipeline of that shader, to live as long as the device.
pub(crate) fn compile(gpu: &Gpu, spirv: &[u32]) -> Outcome {
    pipeline(gpu, set_layout(gpu)?, spirv).map(|_| ())
}

fn set_layout(gpu: &Gpu) -> Result<vk::DescriptorSetLayout, Stop> {
    let bindings = [vk::DescriptorSetLayoutBinding::default()
        .descriptor_type(vk::DescriptorType::STORAGE_BUFFER)
        .descriptor_count(1)
        .stage_flags(vk::ShaderStageFlags::COMPUTE)];
    let create = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
    let layout = unsafe { gpu.device.create_descriptor_set_layout(&create, None) }?;
    gpu.on_drop(move |device| unsafe { device.destroy_descriptor_set_layout(layout, None) });
    Ok(layout)
}

fn pipeline(
    gpu: &Gpu,
    set_layout: vk::DescriptorSetLayout,
    spirv: &[u32],
) -> Result<(vk::PipelineLayout, vk::Pipeline), Stop> {
    let layouts = [set_layout];
    let create = vk::PipelineLayoutCreateInfo::default().set_layouts(&layouts);
    let layout = unsafe { gpu.device.create_pipeline_layout(&create, None) }?;
    gpu.on_drop(move |device| unsafe { device.destroy_pipeline_layout(layout, None) });
    let module = unsafe {
        gpu.device.create_shader_module(&vk::ShaderModuleCreateInfo::default().code(spirv), None)
    }?;
    gpu.on_drop(move |device| unsafe { device.destroy_shader_module(module, None) });
    let stage = vk::PipelineShaderStageCreateInfo::default()
        .stage(vk::ShaderStageFlags::COMPUTE)
        .module(module)
        .name(c"main");
    let create = [vk::ComputePipelineCreateInfo::default().stage(stage).layout(layout)];
    let created =
        unsafe { gpu.device.create_compute_pipelines(vk::PipelineCache::null(), &create, None) };
    let pipeline = created.map_err(|(_, error)| error)?[0];
    gpu.on_drop(move |device| unsafe { device.destroy_pipeline(pipeline, None) });
    Ok((layout, pipeline))
}

/// A storage buffer of [`WORDS`] words, mapped.
fn buffer(gpu: &Gpu) -> Result<(vk::Buffer, *mut u32), Stop> {
    let device = &gpu.device;
    let size = u64::from(WORDS) * 4;
    let create =
        vk::BufferCreateInfo::default().size(size).usage(vk::BufferUsageFlags::STORAGE_BUFFER);
    let buffer = unsafe { device.create_buffer(&create, None) }?;
    gpu.on_drop(move |device| unsafe { device.destroy_buffer(buffer, None) });
    let needs = unsafe { device.get_buffer_memory_requirements(buffer) };
    let memory = unsafe { gpu.instance.raw.get_physical_device_memory_properties(gpu.physical) };
    let shared = vk::MemoryPropertyFlags::HOST_VISIBLE | vk::MemoryPropertyFlags::HOST_COHERENT;
    let fits = |index: &u32| {
        needs.memory_type_bits & (1 << index) != 0
            && memory.memory_types[*index as usize].property_flags.contains(shared)
    };
    let index = (0..memory.memory_type_count)
        .find(fits)
        .ok_or_else(|| Stop::skipped("no host-visible memory"))?;
    let allocate =
        vk::MemoryAllocateInfo::default().allocation_size(needs.size).memory_type_index(index);
    let memory = unsafe { device.allocate_memory(&allocate, None) }?;
    gpu.on_drop(move |device| unsafe { device.free_memory(memory, None) });
    let mapped = unsafe {
        device.bind_buffer_memory(buffer, memory, 0)?;
        device.map_memory(memory, 0, vk::WHOLE_SIZE, vk::MemoryMapFlags::empty())?
    };
    Ok((buffer, mapped.cast()))
}

fn descriptor_set(
    gpu: &Gpu,
    layout: vk::DescriptorSetLayout,
    buffer: vk::Buffer,
) -> Result<vk::DescriptorSet, Stop> {
    let sizes =
        [vk::DescriptorPoolSize { ty: vk::DescriptorType::STORAGE_BUFFER, descriptor_count: 1 }];
    let create = vk::DescriptorPoolCreateInfo::default().max_sets(1).pool_sizes(&sizes);
    let pool = unsafe { gpu.device.create_descriptor_pool(&create, None) }?;
    gpu.on_drop(move |device| unsafe { device.destroy_descriptor_pool(pool, None) });
    let layouts = [layout];
    let allocate =
        vk::DescriptorSetAllocateInfo::default().descriptor_pool(pool).set_layouts(&layouts);
    let set = unsafe { gpu.device.allocate_descriptor_sets(&allocate) }?[0];
    let buffers = [vk::DescriptorBufferInfo { buffer, offset: 0, range: vk::WHOLE_SIZE }];
    let write = vk::WriteDescriptorSet::default()
        .dst_set(set)
        .descriptor_type(vk::DescriptorType::STORAGE_BUFFER)
        .buffer_info(&buffers);
    unsafe { gpu.device.update_descriptor_sets(&[write], &[]) };
    Ok(set)
}
