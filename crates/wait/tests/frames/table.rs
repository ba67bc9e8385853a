//! After this error, this is the state: the table in the docs of `frame`, and every row of it is tried.

use unwedge_wait::frame::{Acquire, Frames, Presented, RecordError, SlotState, Wait};
use unwedge_wait::{Bound, Error};

use crate::dropped;
use crate::rig::{self, Rig};

/// What is known of the fence of a frame that failed and was dropped, before anything is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fence {
    /// A batch that signals it was submitted, and may not be executed yet.
    Pending,
    /// Nothing is pending on it, and it still has the signal of its last batch.
    Signalled,
    /// It was reset, nothing is pending on it, and it is not waited for.
    Reset,
    /// A failed reset: nobody knows.
    Unknown,
}

impl Fence {
    const fn text(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Signalled => "signalled, as before",
            Self::Reset => "reset; not waited for",
            Self::Unknown => "unknown",
        }
    }
}

/// Who has the image and the semaphore of its acquire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Image {
    /// None was acquired.
    None,
    /// The frame's own batch consumes the semaphore; the image is shown.
    Shown,
    /// The frame's own batch consumes the semaphore; the engine has the image back, and does not show it.
    Refused,
    /// A batch without the frame's commands consumes the semaphore; the image is presented with what it had.
    Rescued,
    /// The semaphore is or will be signalled; the next wait tries to submit and to present.
    Owed,
    /// The semaphore is consumed by the frame's batch; the next wait tries to present the image.
    Unpresented,
    /// All of it goes with the device.
    Gone,
}

impl Image {
    const fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::None => ("unsignalled", "none"),
            Self::Shown => ("consumed by the frame", "shown"),
            Self::Refused => ("consumed by the frame", "back, not shown"),
            Self::Rescued => ("consumed by an empty frame", "presented as it was"),
            Self::Owed => ("signalled", "owed"),
            Self::Unpresented => ("consumed by the frame", "owed"),
            Self::Gone => ("goes with the device", "goes with the device"),
        }
    }

    const fn is_owed(self) -> bool {
        matches!(self, Self::Owed | Self::Unpresented)
    }
}

/// What a program does next. The loop does it by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Again,
    Swapchain,
    Surface,
    Device,
}

impl Next {
    const fn text(self) -> &'static str {
        match self {
            Self::Again => "the next frame",
            Self::Swapchain => "a new swapchain",
            Self::Surface => "a new surface and swapchain",
            Self::Device => "a new device",
        }
    }
}

/// A row: these results of this call lead to this state.
struct Row {
    call: &'static str,
    results: &'static [&'static str],
    fence: Fence,
    image: Image,
    next: Next,
}

const fn row(
    call: &'static str,
    results: &'static [&'static str],
    fence: Fence,
    image: Image,
    next: Next,
) -> Row {
    Row { call, results, fence, image, next }
}

const MEMORY: &[&str] = &["OUT_OF_HOST_MEMORY", "OUT_OF_DEVICE_MEMORY"];
const DEVICE_MEMORY: &[&str] = &["OUT_OF_DEVICE_MEMORY"];
const DATE: &[&str] = &["OUT_OF_DATE", "FULL_SCREEN_EXCLUSIVE_MODE_LOST"];
const LOST: &[&str] = &["DEVICE_LOST"];

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("vkWaitForFences", &["TIMEOUT"], Fence::Pending, Image::None, Next::Again),
    row("vkWaitForFences", MEMORY, Fence::Pending, Image::None, Next::Again),
    row("vkWaitForFences", LOST, Fence::Unknown, Image::Gone, Next::Device),
    row("vkAcquireNextImageKHR", &["TIMEOUT", "NOT_READY"], Fence::Signalled, Image::None, Next::Again),
    row("vkAcquireNextImageKHR", DATE, Fence::Signalled, Image::None, Next::Swapchain),
    row("vkAcquireNextImageKHR", &["SURFACE_LOST"], Fence::Signalled, Image::None, Next::Surface),
    row("vkAcquireNextImageKHR", MEMORY, Fence::Signalled, Image::None, Next::Again),
    row("vkAcquireNextImageKHR", &["SUBOPTIMAL"], Fence::Pending, Image::Shown, Next::Swapchain),
    row("vkAcquireNextImageKHR", LOST, Fence::Unknown, Image::Gone, Next::Device),
    row("vkResetCommandPool", DEVICE_MEMORY, Fence::Pending, Image::Rescued, Next::Again),
    row("vkBeginCommandBuffer", MEMORY, Fence::Pending, Image::Rescued, Next::Again),
    row("the program's draw", &["error", "panic"], Fence::Pending, Image::Rescued, Next::Again),
    row("vkEndCommandBuffer", MEMORY, Fence::Pending, Image::Rescued, Next::Again),
    row("vkResetFences", DEVICE_MEMORY, Fence::Unknown, Image::Gone, Next::Device),
    row("vkQueueSubmit", MEMORY, Fence::Pending, Image::Rescued, Next::Again),
    row("vkQueueSubmit, twice in a row", MEMORY, Fence::Reset, Image::Owed, Next::Again),
    row("vkQueueSubmit", LOST, Fence::Unknown, Image::Gone, Next::Device),
    row("vkQueuePresentKHR", &["SUBOPTIMAL"], Fence::Pending, Image::Shown, Next::Swapchain),
    row("vkQueuePresentKHR", DATE, Fence::Pending, Image::Refused, Next::Swapchain),
    row("vkQueuePresentKHR", &["SURFACE_LOST"], Fence::Pending, Image::Refused, Next::Surface),
    row("vkQueuePresentKHR", MEMORY, Fence::Pending, Image::Shown, Next::Again),
    row("vkQueuePresentKHR, twice in a row", MEMORY, Fence::Pending, Image::Unpresented, Next::Again),
    row("vkQueuePresentKHR", LOST, Fence::Unknown, Image::Gone, Next::Device),
];

impl Row {
    /// The row as it stands in the docs.
    fn line(&self) -> String {
        let call = match self.call.strip_prefix("vk") {
            Some(_) => {
                let (name, rest) = self.call.split_once(", ").unwrap_or((self.call, ""));
                let comma = if rest.is_empty() { "" } else { ", " };
                format!("`{name}`{comma}{rest}")
            }
            None => self.call.to_owned(),
        };
        let results = self.results.iter().map(|result| match *result {
            "OUT_OF_HOST_MEMORY" => "out of host memory".to_owned(),
            "OUT_OF_DEVICE_MEMORY" => "out of device memory".to_owned(),
            other => other.to_lowercase().replace('_', " "),
        });
        let results = results.collect::<Vec<_>>().join(", ");
        let (semaphore, image) = self.image.text();
        let (fence, next) = (self.fence.text(), self.next.text());
        format!("//! | {call} | {results} | {fence} | {semaphore} | {image} | {next} |")
    }

    /// The driver's script: in the fifth frame this call returns the result, or twice in a row.
    fn script(&self, result: &str) -> String {
        let mut script = "queues=1,check=quiet,engine=hold,timeouts=early,execute=early".to_owned();
        let (call, more) = self.call.split_once(", ").unwrap_or((self.call, ""));
        let first = match call {
            // The first two frames wait for nothing.
            "vkWaitForFences" => 3,
            // The swapchain has recorded two command buffers for each image.
            "vkBeginCommandBuffer" | "vkEndCommandBuffer" => 5 + 2 * u64::from(rig::IMAGES),
            _ => 5,
        };
        if call.starts_with("vk") {
            for at in first..=first + u64::from(!more.is_empty()) {
                script.push_str(&format!(",fail={call}:{at}:{result}"));
            }
        }
        script
    }
}

/// How a frame ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Shown,
    Suboptimal,
    TimedOut,
    OutOfDate,
    Failed(Error),
    Draw,
}

impl Ended {
    fn next(self) -> Next {
        match self {
            Self::Failed(Error::SurfaceLost { .. }) => Next::Surface,
            Self::Failed(error) if error.is_fatal_for_device() => Next::Device,
            Self::Suboptimal | Self::OutOfDate => Next::Swapchain,
            Self::Shown | Self::TimedOut | Self::Draw | Self::Failed(_) => Next::Again,
        }
    }
}

fn frame(frames: &mut Frames, device: &ash::Device, mistake: &str) -> Ended {
    steps(frames, device, mistake).unwrap_or_else(Ended::Failed)
}

fn steps(frames: &mut Frames, device: &ash::Device, mistake: &str) -> Result<Ended, Error> {
    let Wait::Ready(ready) = frames.wait(Bound::ZERO)? else { return Ok(Ended::TimedOut) };
    let acquired = match ready.acquire(Bound::ZERO)? {
        Acquire::Image(acquired) => acquired,
        Acquire::TimedOut => return Ok(Ended::TimedOut),
        Acquire::OutOfDate => return Ok(Ended::OutOfDate),
    };
    let suboptimal = acquired.target().suboptimal;
    let recorded = acquired.record(|commands, target| {
        dropped::draw(commands, target, device);
        match mistake {
            "panic" => std::panic::resume_unwind(Box::new("the program panics")),
            "error" => Err(()),
            _ => Ok(()),
        }
    });
    let recorded = match recorded {
        Ok(recorded) => recorded,
        Err(RecordError::Vulkan(error)) => return Err(error),
        Err(RecordError::Draw(())) => return Ok(Ended::Draw),
    };
    Ok(match recorded.submit()?.present()? {
        Presented::OutOfDate => Ended::OutOfDate,
        Presented::Suboptimal => Ended::Suboptimal,
        Presented::Shown if suboptimal => Ended::Suboptimal,
        Presented::Shown => Ended::Shown,
    })
}

fn check_state(row: &Row, device: &ash::Device, frames: &Frames, state: SlotState) {
    if row.fence == Fence::Unknown {
        assert!(frames.broken().is_some(), "the frames refuse everything from now on");
        return;
    }
    assert_eq!(state.pending, row.fence == Fence::Pending);
    assert_eq!(state.owed.is_some(), row.image.is_owed());
    if row.fence != Fence::Pending {
        // SAFETY: the fence is one of this device.
        let signalled = unsafe { device.get_fence_status(state.fence) };
        assert_eq!(signalled, Ok(row.fence == Fence::Signalled));
    }
}

fn check(row: &Row, result: &str) {
    let (mut rig, parts) = Rig::with_device(&row.script(result));
    let mut device = parts.device.clone();
    // SAFETY: all of it lives until the frames are destroyed.
    let mut frames = unsafe { Frames::new(parts, 2, &rig::swapchain(rig.surface)) }.unwrap();
    for _ in 0..4 {
        assert_eq!(frame(&mut frames, &device, ""), Ended::Shown);
    }
    let attempt = std::panic::AssertUnwindSafe(|| frame(&mut frames, &device, result));
    let ended = std::panic::catch_unwind(attempt).unwrap_or(Ended::Draw);
    assert_eq!(ended.next(), row.next, "{ended:?}");
    let state = frames.slots().next().expect("the slot of the fifth frame");
    check_state(row, &device, &frames, state);

    match row.next {
        Next::Again => {}
        // SAFETY: the surface lives.
        Next::Swapchain => unsafe {
            frames.rebuild_swapchain(&rig::swapchain(rig.surface)).unwrap();
        },
        Next::Surface => {
            assert!(frames.drop_swapchains(Bound::ZERO).unwrap().is_reached());
            // SAFETY: its swapchains are destroyed; the new one lives.
            unsafe {
                rig.surfaces.destroy_surface(rig.surface, None);
                rig.surface = rig::new_surface(&rig.instance);
                frames.rebuild_swapchain(&rig::swapchain(rig.surface)).unwrap();
            }
        }
        Next::Device => {
            assert!(frames.destroy(Bound::ZERO).unwrap().is_reached());
            // SAFETY: nothing is left of it.
            unsafe { device.destroy_device(None) };
            device = rig::try_device(&rig.instance).unwrap();
            rig.device = Some(device.clone());
            let parts = rig::parts(&rig.instance, &device);
            // SAFETY: as above.
            frames = unsafe { Frames::new(parts, 2, &rig::swapchain(rig.surface)) }.unwrap();
        }
    }
    for later in 0..9 {
        assert_eq!(frame(&mut frames, &device, ""), Ended::Shown, "{later} frames later");
    }
    assert!(frames.destroy(Bound::ZERO).unwrap().is_reached());
    assert_eq!(fake_icd::violations(&rig.instance), []);
    rig.destroy();
}

#[test]
fn after_each_error_the_state_is_as_the_table_says() {
    for row in ROWS {
        for result in row.results {
            let attempt = std::panic::AssertUnwindSafe(|| check(row, result));
            if let Err(panic) = std::panic::catch_unwind(attempt) {
                eprintln!("row: {} {result}", row.call);
                std::panic::resume_unwind(panic);
            }
        }
    }
}

#[test]
fn the_docs_have_the_table() {
    let docs = include_str!("../../src/frame/mod.rs");
    let missing: Vec<_> = ROWS
        .iter()
        .map(Row::line)
        .filter(|line| !docs.lines().any(|found| found == line))
        .collect();
    assert!(missing.is_empty(), "not in the docs of frame:\n{}", missing.join("\n"));
    let rows = docs.lines().filter(|line| line.starts_with("//! |")).count();
    assert_eq!(rows, ROWS.len() + 2, "the docs have rows that nobody tries");
}
