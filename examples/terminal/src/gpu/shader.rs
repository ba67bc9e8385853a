//! What runs on the GPU? Two small shaders, assembled when the program starts, so that no shader compiler is needed.
//!
//! A quad is an instance of four vertices. The vertex shader places its corners; the fragment shader takes the coverage from the
//! atlas, pixel by pixel and without a filter, or covers all of a filled quad.

use rspirv::binary::Assemble;
use rspirv::dr::{Builder, Error};
use rspirv::spirv::{
    AddressingModel, BuiltIn, Capability, Decoration, Dim, ExecutionMode, ExecutionModel,
    FunctionControl, ImageFormat, MemoryModel, StorageClass, Word,
};

/// Where the vertex shader finds a quad's place and size, four signed integers.
pub(super) const PLACE: u32 = 0;
/// Where it finds the place in the atlas and whether the quad is filled, four unsigned integers.
pub(super) const INK: u32 = 1;
/// Where it finds the colour, four parts from nought to one.
pub(super) const COLOUR: u32 = 2;
/// The size of the push constants: what a pixel is of the window's half width and height, two floats.
pub(super) const PUSHED_BYTES: u32 = 8;

/// A module under construction, with the types that both shaders use.
struct Shader {
    b: Builder,
    int: Word,
    uint: Word,
    float: Word,
    float2: Word,
    float4: Word,
    interface: Vec<Word>,
    main: Word,
}

impl Shader {
    fn begin() -> Self {
        let mut b = Builder::new();
        b.set_version(1, 3);
        b.capability(Capability::Shader);
        b.memory_model(AddressingModel::Logical, MemoryModel::GLSL450);
        let (int, uint, float) = (b.type_int(32, 1), b.type_int(32, 0), b.type_float(32));
        let (float2, float4) = (b.type_vector(float, 2), b.type_vector(float, 4));
        Self { b, int, uint, float, float2, float4, interface: Vec::new(), main: 0 }
    }

    /// Begins `main`. Its inputs and outputs are declared before it.
    fn begin_main(&mut self) -> Result<(), Error> {
        let void = self.b.type_void();
        let function = self.b.type_function(void, []);
        self.main = self.b.begin_function(void, None, FunctionControl::NONE, function)?;
        self.b.begin_block(None)?;
        Ok(())
    }

    fn variable(&mut self, kind: Word, class: StorageClass) -> Word {
        let pointer = self.b.type_pointer(None, class, kind);
        self.b.variable(pointer, None, class, None)
    }

    /// A variable that comes from, or goes to, the stage beside this one.
    fn passed(&mut self, kind: Word, class: StorageClass, location: u32) -> Word {
        let variable = self.variable(kind, class);
        self.b.decorate(variable, Decoration::Location, [location.into()]);
        self.interface.push(variable);
        variable
    }

    /// As [`passed`](Shader::passed), and the same for all pixels of a quad.
    fn passed_flat(&mut self, kind: Word, class: StorageClass, location: u32) -> Word {
        let variable = self.passed(kind, class, location);
        self.b.decorate(variable, Decoration::Flat, []);
        variable
    }

    fn load(&mut self, kind: Word, variable: Word) -> Result<Word, Error> {
        self.b.load(kind, None, variable, None, [])
    }

    fn store(&mut self, variable: Word, value: Word) -> Result<(), Error> {
        self.b.store(variable, value, None, [])
    }

    fn built_in(&mut self, kind: Word, class: StorageClass, which: BuiltIn) -> Word {
        let variable = self.variable(kind, class);
        self.b.decorate(variable, Decoration::BuiltIn, [which.into()]);
        self.interface.push(variable);
        variable
    }

    fn constant(&mut self, value: f32) -> Word {
        self.b.constant_bit32(self.float, value.to_bits())
    }

    /// A part of a vector.
    fn part(&mut self, kind: Word, vector: Word, index: u32) -> Result<Word, Error> {
        self.b.composite_extract(kind, None, vector, [index])
    }

    fn end(mut self, model: ExecutionModel) -> Result<Vec<u32>, Error> {
        self.b.ret()?;
        self.b.end_function()?;
        self.b.entry_point(model, self.main, "main", self.interface);
        if model == ExecutionModel::Fragment {
            self.b.execution_mode(self.main, ExecutionMode::OriginUpperLeft, []);
        }
        Ok(self.b.module().assemble())
    }
}

/// Places the corners of a quad.
pub(super) fn vertex() -> Result<Vec<u32>, Error> {
    let mut s = Shader::begin();
    let (int4, uint4) = (s.b.type_vector(s.int, 4), s.b.type_vector(s.uint, 4));
    let pushed_type = s.b.type_struct([s.float2]);
    s.b.decorate(pushed_type, Decoration::Block, []);
    s.b.member_decorate(pushed_type, 0, Decoration::Offset, [0u32.into()]);
    let pushed = s.variable(pushed_type, StorageClass::PushConstant);
    let number = s.built_in(s.int, StorageClass::Input, BuiltIn::VertexIndex);
    let place_in = s.passed(int4, StorageClass::Input, PLACE);
    let ink_in = s.passed(uint4, StorageClass::Input, INK);
    let colour_in = s.passed(s.float4, StorageClass::Input, COLOUR);
    let position_out = s.built_in(s.float4, StorageClass::Output, BuiltIn::Position);
    let fetched_out = s.passed(s.float2, StorageClass::Output, 0);
    let filled_out = s.passed_flat(s.float, StorageClass::Output, 1);
    let colour_out = s.passed_flat(s.float4, StorageClass::Output, 2);
    s.begin_main()?;
    let (place, ink) = (s.load(int4, place_in)?, s.load(uint4, ink_in)?);
    let colour = s.load(s.float4, colour_in)?;
    let place = s.b.convert_s_to_f(s.float4, None, place)?;
    let ink = s.b.convert_u_to_f(s.float4, None, ink)?;
    // Corners 0 to 3: left or right is the first bit, upper or lower the second.
    let number = s.load(s.int, number)?;
    let one = s.b.constant_bit32(s.int, 1);
    let across = s.b.bitwise_and(s.int, None, number, one)?;
    let across = s.b.convert_s_to_f(s.float, None, across)?;
    let down = s.b.shift_right_arithmetic(s.int, None, number, one)?;
    let down = s.b.convert_s_to_f(s.float, None, down)?;
    let corner = s.b.composite_construct(s.float2, None, [across, down])?;
    let size = s.b.vector_shuffle(s.float2, None, place, place, [2, 3])?;
    let origin = s.b.vector_shuffle(s.float2, None, place, place, [0, 1])?;
    let offset = s.b.f_mul(s.float2, None, corner, size)?;
    let pixel = s.b.f_add(s.float2, None, origin, offset)?;
    // Pixels to Vulkan's square from -1 to 1.
    let scale = pushed_scale(&mut s, pushed)?;
    let scaled = s.b.f_mul(s.float2, None, pixel, scale)?;
    let minus = s.constant(-1.0);
    let minus = s.b.constant_composite(s.float2, [minus, minus]);
    let position = s.b.f_add(s.float2, None, scaled, minus)?;
    let (zero, full) = (s.constant(0.0), s.constant(1.0));
    let position = s.b.composite_construct(s.float4, None, [position, zero, full])?;
    s.store(position_out, position)?;
    // A filled quad stays on the atlas' first pixel, so that nothing is read beside the atlas.
    let filled = s.part(s.float, ink, 2)?;
    let shaped = s.b.f_sub(s.float, None, full, filled)?;
    let inside = s.b.vector_times_scalar(s.float2, None, offset, shaped)?;
    let start = s.b.vector_shuffle(s.float2, None, ink, ink, [0, 1])?;
    let fetched = s.b.f_add(s.float2, None, start, inside)?;
    s.store(fetched_out, fetched)?;
    s.store(filled_out, filled)?;
    s.store(colour_out, colour)?;
    s.end(ExecutionModel::Vertex)
}

fn pushed_scale(s: &mut Shader, pushed: Word) -> Result<Word, Error> {
    let pointer = s.b.type_pointer(None, StorageClass::PushConstant, s.float2);
    let zero = s.b.constant_bit32(s.int, 0);
    let scale = s.b.access_chain(pointer, None, pushed, [zero])?;
    s.b.load(s.float2, None, scale, None, [])
}

/// Covers what the atlas says, or everything.
pub(super) fn fragment() -> Result<Vec<u32>, Error> {
    let mut s = Shader::begin();
    let image = s.b.type_image(s.float, Dim::Dim2D, 0, 0, 0, 1, ImageFormat::Unknown, None);
    let atlas = s.variable(image, StorageClass::UniformConstant);
    s.b.decorate(atlas, Decoration::DescriptorSet, [0u32.into()]);
    s.b.decorate(atlas, Decoration::Binding, [0u32.into()]);
    let place_in = s.passed(s.float2, StorageClass::Input, 0);
    let filled_in = s.passed_flat(s.float, StorageClass::Input, 1);
    let colour_in = s.passed_flat(s.float4, StorageClass::Input, 2);
    let covered_out = s.passed(s.float4, StorageClass::Output, 0);
    s.begin_main()?;
    let (place, filled) = (s.load(s.float2, place_in)?, s.load(s.float, filled_in)?);
    let colour = s.load(s.float4, colour_in)?;
    let int2 = s.b.type_vector(s.int, 2);
    let place = s.b.convert_f_to_s(int2, None, place)?;
    let atlas = s.load(image, atlas)?;
    let level = s.b.constant_bit32(s.int, 0);
    let lod = rspirv::spirv::ImageOperands::LOD;
    let texel = s.b.image_fetch(s.float4, None, atlas, place, Some(lod), [level.into()])?;
    // One or the other: whatever the atlas has under a filled quad counts for nothing.
    let shape = s.part(s.float, texel, 0)?;
    let one = s.constant(1.0);
    let shaped = s.b.f_sub(s.float, None, one, filled)?;
    let shape = s.b.f_mul(s.float, None, shape, shaped)?;
    let coverage = s.b.f_add(s.float, None, shape, filled)?;
    let opacity = s.part(s.float, colour, 3)?;
    let opacity = s.b.f_mul(s.float, None, opacity, coverage)?;
    let covered = s.b.composite_insert(s.float4, None, opacity, colour, [3])?;
    s.store(covered_out, covered)?;
    s.end(ExecutionModel::Fragment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_modules_are_whole_and_read_back() {
        for words in [vertex(), fragment()] {
            let words = words.expect("it assembles");
            let module = rspirv::dr::load_words(&words).expect("it reads back");
            assert_eq!(module.entry_points.len(), 1);
            assert_eq!(module.functions.len(), 1);
            assert_eq!(module.assemble(), words);
        }
    }
}
