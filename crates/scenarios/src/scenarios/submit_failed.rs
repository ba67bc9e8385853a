//! The sixth `vkQueueSubmit` really fails, with `VK_ERROR_OUT_OF_HOST_MEMORY`; the program ignores the result, and waits for
//! the fence that it had reset.
//!
//! It fails because the device's allocation callbacks fail during it (Mesa allocates there), or because the fake driver is
//! told to fail it.
use crate::faulty_allocator;
use crate::gpu::{Gpu, Wish};
use crate::objects::Batch;
use crate::{Outcome, Stop};

pub(crate) fn run() -> Outcome {
    let gpu =
        Gpu::with(&Wish { allocator: Some(faulty_allocator::callbacks()), ..Wish::default() })?;
    let fence = gpu.fence("frame done")?;
    gpu.frames(5, fence)?;
    faulty_allocator::fail(true);
    let submitted = gpu.submit(0, &Batch::default(), fence);
    faulty_allocator::fail(false);
    // The mistake: `submitted` goes no further.
    gpu.wait(fence)?;
    submitted?;
    Err(Stop::skipped("this driver submits without allocating"))
}
