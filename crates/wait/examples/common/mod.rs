//! What both triangles share: everything that is the same whether or not waits have an end.
#![allow(unreachable_pub, reason = "each example includes this as a module of its own")]
#![allow(dead_code, reason = "neither example uses all of it")]

pub mod meter;
pub mod shader;
pub mod triangle;
pub mod vulkan;

pub use meter::{Meter, Options};
pub use triangle::Triangle;
pub use vulkan::{Gpu, Vulkan};
