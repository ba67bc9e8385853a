//! Compute shaders, assembled at run time so that no shader compiler is needed.
use rspirv::binary::Assemble;
use rspirv::dr::{Builder, Error};
use rspirv::spirv::{self, Word};

use crate::Stop;

/// The words of the storage buffer (set 0, binding 0) that every shader here has.
pub(crate) const WORDS: u32 = 3;
/// The loop ends when its counter has reached this word, which it reads anew each time.
pub(crate) const LIMIT: usize = 0;
/// What each turn adds to the counter; read anew each time.
pub(crate) const STEP: usize = 1;
/// Where a shader leaves its result.
const RESULT: u32 = 2;
/// Odd and few: the assembler looks for an equal constant each time.
const FACTORS: [u32; 4] = [2_654_435_761, 2_246_822_519, 3_266_489_917, 668_265_263];

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::failed(format!("shader: {error}"))
    }
}

/// `do { counter += buffer[STEP]; } while (counter < buffer[LIMIT]); buffer[RESULT] = counter`, with atomic loads, so that
/// no compiler may take them out of the loop. With a limit of 1 and a step of 0 it runs until somebody writes the step.
pub(crate) fn counting_loop() -> Result<Vec<u32>, Stop> {
    let mut shader = Shader::begin(true)?;
    let (header, body, next, end) = (shader.b.id(), shader.b.id(), shader.b.id(), shader.b.id());
    let zero = shader.b.constant_bit32(shader.uint, 0);
    let counter = shader.counter;
    shader.b.store(counter, zero, None, [])?;
    shader.b.branch(header)?;

    shader.b.begin_block(Some(header))?;
    shader.b.loop_merge(end, next, spirv::LoopControl::NONE, [])?;
    shader.b.branch(body)?;

    shader.b.begin_block(Some(body))?;
    let step = shader.load_atomic(STEP as u32)?;
    let before = shader.b.load(shader.uint, None, counter, None, [])?;
    let after = shader.b.i_add(shader.uint, None, before, step)?;
    shader.b.store(counter, after, None, [])?;
    let limit = shader.load_atomic(LIMIT as u32)?;
    let bool_type = shader.b.type_bool();
    let going_on = shader.b.u_less_than(bool_type, None, after, limit)?;
    shader.b.branch_conditional(going_on, next, end, [])?;

    shader.b.begin_block(Some(next))?;
    shader.b.branch(header)?;

    shader.b.begin_block(Some(end))?;
    let value = shader.b.load(shader.uint, None, counter, None, [])?;
    shader.end(value)
}

/// One long chain of integer arithmetic, every step needed for the result: slow to compile, as huge as asked.
pub(crate) fn long_chain(steps: u32) -> Result<Vec<u32>, Stop> {
    let mut shader = Shader::begin(false)?;
    let mut value = shader.load_atomic(LIMIT as u32)?;
    for step in 0..steps {
        let constant = shader.b.constant_bit32(shader.uint, FACTORS[step as usize % FACTORS.len()]);
        let product = shader.b.i_mul(shader.uint, None, value, constant)?;
        value = shader.b.bitwise_xor(shader.uint, None, product, value)?;
    }
    shader.end(value)
}

/// A module under construction, in the first block of its `main`.
struct Shader {
    b: Builder,
    uint: Word,
    word_pointer: Word,
    buffer: Word,
    /// A local variable; nought if it was not asked for.
    counter: Word,
    scope_device: Word,
    relaxed: Word,
}

impl Shader {
    fn begin(has_counter: bool) -> Result<Shader, Stop> {
        let mut b = Builder::new();
        b.set_version(1, 3);
        b.capability(spirv::Capability::Shader);
        b.memory_model(spirv::AddressingModel::Logical, spirv::MemoryModel::GLSL450);
        let void = b.type_void();
        let uint = b.type_int(32, 0);
        let length = b.constant_bit32(uint, WORDS);
        let words = b.type_array(uint, length);
        let block = b.type_struct([words]);
        b.decorate(words, spirv::Decoration::ArrayStride, [4u32.into()]);
        b.decorate(block, spirv::Decoration::Block, []);
        b.member_decorate(block, 0, spirv::Decoration::Offset, [0u32.into()]);
        let block_pointer = b.type_pointer(None, spirv::StorageClass::StorageBuffer, block);
        let word_pointer = b.type_pointer(None, spirv::StorageClass::StorageBuffer, uint);
        let buffer = b.variable(block_pointer, None, spirv::StorageClass::StorageBuffer, None);
        b.decorate(buffer, spirv::Decoration::DescriptorSet, [0u32.into()]);
        b.decorate(buffer, spirv::Decoration::Binding, [0u32.into()]);
        let scope_device = b.constant_bit32(uint, spirv::Scope::Device as u32);
        let relaxed = b.constant_bit32(uint, spirv::MemorySemantics::RELAXED.bits());
        let local_pointer = b.type_pointer(None, spirv::StorageClass::Function, uint);
        let function_type = b.type_function(void, []);
        let main = b.begin_function(void, None, spirv::FunctionControl::NONE, function_type)?;
        b.entry_point(spirv::ExecutionModel::GLCompute, main, "main", []);
        b.execution_mode(main, spirv::ExecutionMode::LocalSize, [1, 1, 1]);
        b.begin_block(None)?;
        let counter = if has_counter {
            b.variable(local_pointer, None, spirv::StorageClass::Function, None)
        } else {
            0
        };
        Ok(Shader { b, uint, word_pointer, buffer, counter, scope_device, relaxed })
    }

    fn word(&mut self, index: u32) -> Result<Word, Stop> {
        let zero = self.b.constant_bit32(self.uint, 0);
        let index = self.b.constant_bit32(self.uint, index);
        Ok(self.b.access_chain(self.word_pointer, None, self.buffer, [zero, index])?)
    }

    fn load_atomic(&mut self, index: u32) -> Result<Word, Stop> {
        let word = self.word(index)?;
        Ok(self.b.atomic_load(self.uint, None, word, self.scope_device, self.relaxed)?)
    }

    /// Stores the result and closes the module.
    fn end(mut self, value: Word) -> Result<Vec<u32>, Stop> {
        let result = self.word(RESULT)?;
        self.b.atomic_store(result, self.scope_device, self.relaxed, value)?;
        self.b.ret()?;
        self.b.end_function()?;
        Ok(self.b.module().assemble())
    }
}
