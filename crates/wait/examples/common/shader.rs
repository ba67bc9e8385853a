//! What runs on the GPU? Two small shaders, assembled here so that no shader compiler is needed.

use rspirv::binary::Assemble;
use rspirv::dr::{Builder, Error};
use rspirv::spirv::{
    AddressingModel, BuiltIn, Capability, Decoration, ExecutionMode, ExecutionModel,
    FunctionControl, MemoryModel, StorageClass, Word,
};

/// A module under construction, in the first block of its `main`.
struct Shader {
    b: Builder,
    float: Word,
    float4: Word,
    main: Word,
}

impl Shader {
    fn begin() -> Result<Self, Error> {
        let mut b = Builder::new();
        b.set_version(1, 3);
        b.capability(Capability::Shader);
        b.memory_model(AddressingModel::Logical, MemoryModel::GLSL450);
        let (void, float) = (b.type_void(), b.type_float(32));
        let float4 = b.type_vector(float, 4);
        let function = b.type_function(void, []);
        let main = b.begin_function(void, None, FunctionControl::NONE, function)?;
        b.begin_block(None)?;
        Ok(Self { b, float, float4, main })
    }

    fn number(&mut self, value: f32) -> Word {
        self.b.constant_bit32(self.float, value.to_bits())
    }

    /// A variable of the shader's interface.
    fn variable(&mut self, class: StorageClass, of: Word) -> Word {
        let pointer = self.b.type_pointer(None, class, of);
        self.b.variable(pointer, None, class, None)
    }

    fn located(&mut self, class: StorageClass) -> Word {
        let variable = self.variable(class, self.float4);
        self.b.decorate(variable, Decoration::Location, [0_u32.into()]);
        variable
    }

    fn end(mut self, model: ExecutionModel, interface: &[Word]) -> Result<Vec<u32>, Error> {
        self.b.ret()?;
        self.b.end_function()?;
        self.b.entry_point(model, self.main, "main", interface);
        if model == ExecutionModel::Fragment {
            self.b.execution_mode(self.main, ExecutionMode::OriginUpperLeft, []);
        }
        Ok(self.b.module().assemble())
    }
}

/// Places corner 0 at the lower left, 1 at the top and 2 at the lower right, and paints them red, green and blue.
pub fn vertex() -> Result<Vec<u32>, Error> {
    let mut shader = Shader::begin()?;
    let (int, truth) = (shader.b.type_int(32, 1), shader.b.type_bool());
    let corner = shader.variable(StorageClass::Input, int);
    let position = shader.variable(StorageClass::Output, shader.float4);
    shader.b.decorate(corner, Decoration::BuiltIn, [BuiltIn::VertexIndex.into()]);
    shader.b.decorate(position, Decoration::BuiltIn, [BuiltIn::Position.into()]);
    let colour = shader.located(StorageClass::Output);
    let number = shader.b.load(int, None, corner, None, [])?;
    let (none, one) = (shader.number(0.0), shader.number(1.0));
    let (low, high) = (shader.number(-0.7), shader.number(0.7));

    let float = shader.float;
    let mut parts = [none; 4];
    for (part, corner) in parts.iter_mut().zip(0..3) {
        let constant = shader.b.constant_bit32(int, corner);
        let is_it = shader.b.i_equal(truth, None, number, constant)?;
        *part = shader.b.select(float, None, is_it, one, none)?;
    }
    parts[3] = one;
    let painted = shader.b.composite_construct(shader.float4, None, parts)?;
    shader.b.store(colour, painted, None, [])?;

    // 0, 1 or 2, less 1, times 0.7.
    let across = shader.b.convert_s_to_f(float, None, number)?;
    let across = shader.b.f_sub(float, None, across, one)?;
    let x = shader.b.f_mul(float, None, across, high)?;
    let tip = shader.b.constant_bit32(int, 1);
    let is_tip = shader.b.i_equal(truth, None, number, tip)?;
    let y = shader.b.select(float, None, is_tip, low, high)?;
    let placed = shader.b.composite_construct(shader.float4, None, [x, y, none, one])?;
    shader.b.store(position, placed, None, [])?;
    shader.end(ExecutionModel::Vertex, &[corner, position, colour])
}

/// Passes the colour on.
pub fn fragment() -> Result<Vec<u32>, Error> {
    let mut shader = Shader::begin()?;
    let colour = shader.located(StorageClass::Input);
    let painted = shader.located(StorageClass::Output);
    let value = shader.b.load(shader.float4, None, colour, None, [])?;
    shader.b.store(painted, value, None, [])?;
    shader.end(ExecutionModel::Fragment, &[colour, painted])
}
