//! A thread "loader" takes a pthread mutex and sleeps for ever in it; "render" needs the mutex after a hundred frames.
//!
//! No Vulkan call waits for anything: the hang is the program's own.
use std::cell::UnsafeCell;
use std::time::Duration;

use crate::Outcome;
use crate::gpu::Gpu;
use crate::threads::{Role, sleep_ms, together};

struct PthreadMutex(UnsafeCell<libc::pthread_mutex_t>);
unsafe impl Sync for PthreadMutex {}
static ASSETS: PthreadMutex = PthreadMutex(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));

impl PthreadMutex {
    fn lock(&self) {
        unsafe { libc::pthread_mutex_lock(self.0.get()) };
    }
}

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    let render = || render(&gpu);
    together(&[("loader", &loader), ("render", &render)])
}

/// The same beside a thread "preview" that renders happily for ever.
pub(crate) fn run_beside_busy() -> Outcome {
    let gpu = Gpu::new()?;
    let fence = gpu.fence("preview done")?;
    let render = || render(&gpu);
    let preview = || loop {
        gpu.frames(1, fence)?;
        sleep_ms(2);
    };
    let roles: [Role; 3] = [("loader", &loader), ("render", &render), ("preview", &preview)];
    together(&roles)
}

fn loader() -> Outcome {
    ASSETS.lock();
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

fn render(gpu: &Gpu) -> Outcome {
    let fence = gpu.fence("frame done")?;
    for _ in 0..100 {
        gpu.frames(1, fence)?;
        sleep_ms(1);
    }
    ASSETS.lock();
    gpu.frames(1, fence)
}
