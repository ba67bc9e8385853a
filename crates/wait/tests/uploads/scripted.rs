//! What becomes of uploads when the driver itself misbehaves: a queue that stops, a signal that is lost, a device that is?

use std::time::Instant;

use unwedge_wait::{Bound, Error, UploadError, UploadParts, Uploaded, Uploads, Waited};

use crate::faults;
use crate::gpu::{Driver, Gpu};

/// Long enough for whatever should happen, on a busy machine.
const SOON: Bound = Bound::from_secs(20);

/// Long enough to believe that nothing happens.
const A_WHILE: Bound = Bound::from_millis(20);

/// A device under a script of the driver's, and uploads on it that nothing stands before.
fn start(script: &str) -> (Gpu, Uploads<usize>) {
    faults::plan(&[]);
    let gpu = Gpu::new(&Driver::fake(script));
    let parts = UploadParts { device: gpu.real.clone(), ..gpu.parts.clone() };
    // SAFETY: the device lives until the uploads end, and this thread alone uses it.
    let uploads = unsafe { Uploads::new(parts) }.unwrap();
    (gpu, uploads)
}

/// Marks the item, and uploads this value of it.
fn upload(gpu: &Gpu, uploads: &mut Uploads<usize>, item: usize, value: u32) {
    uploads.mark(item);
    let pumped = uploads.pump(SOON, |commands, items| {
        gpu.stage(item, value);
        gpu.record(commands, items);
        Ok::<_, ()>(())
    });
    assert_eq!(pumped, Ok(Uploaded::Submitted));
}

/// Pumps when nothing is to be recorded.
fn look(uploads: &mut Uploads<usize>, bound: Bound) -> Result<Uploaded, UploadError<()>> {
    uploads.pump(bound, |_, _| panic!("nothing is to be recorded"))
}

#[test]
fn a_batch_arrives() {
    let (gpu, mut uploads) = start("");
    upload(&gpu, &mut uploads, 1, 11);
    upload(&gpu, &mut uploads, 1, 12);
    assert_eq!(look(&mut uploads, SOON), Ok(Uploaded::Clean));
    assert_eq!((gpu.history(0), gpu.history(1)), (vec![], vec![11, 12]));
    assert_eq!(uploads.destroy(), 0);
    gpu.destroy();
}

#[test]
fn a_batch_that_takes_long_is_waited_for_again_and_not_submitted_again() {
    let (gpu, mut uploads) = start("exec-ms=300");
    upload(&gpu, &mut uploads, 1, 11);
    uploads.mark(1);
    let began = Instant::now();
    let mut timeouts = 0;
    while look_once(&mut uploads) == Waited::TimedOut {
        timeouts += 1;
        assert!(began.elapsed() < SOON.as_duration());
    }
    assert!(timeouts > 0);
    assert_eq!(gpu.history(1), [11]);
    assert_eq!(uploads.destroy(), 0);
    gpu.destroy();
}

fn look_once(uploads: &mut Uploads<usize>) -> Waited {
    uploads.wait(Bound::from_millis(2)).unwrap()
}

#[test]
fn a_signal_that_was_lost_costs_a_fence_and_no_upload() {
    let (gpu, mut uploads) = start("drop-fence=1");
    upload(&gpu, &mut uploads, 1, 11);
    assert_eq!(look(&mut uploads, A_WHILE), Ok(Uploaded::TimedOut));
    assert_eq!(look(&mut uploads, A_WHILE), Ok(Uploaded::TimedOut));
    assert_eq!(uploads.in_flight(), [1]);
    assert_eq!(uploads.renew(SOON), Ok(Waited::Reached));
    assert!(uploads.is_clean());
    assert_eq!(look(&mut uploads, SOON), Ok(Uploaded::Clean));
    upload(&gpu, &mut uploads, 1, 12);
    assert_eq!(look(&mut uploads, SOON), Ok(Uploaded::Clean));
    assert_eq!(gpu.history(1), [11, 12]);
    assert_eq!(uploads.destroy(), 0);
    gpu.destroy();
}

/// Of a queue that stands still nothing counts as done, and nothing of it is destroyed.
#[test]
fn a_queue_that_stands_still_keeps_what_it_has_and_the_next_device_gets_it_all() {
    let (old, mut uploads) = start("stall=1");
    upload(&old, &mut uploads, 1, 11);
    assert_eq!(look(&mut uploads, A_WHILE), Ok(Uploaded::TimedOut));
    assert_eq!(uploads.renew(A_WHILE), Ok(Waited::TimedOut));
    assert_eq!(uploads.in_flight(), [1]);
    let forgotten = uploads.forget_device().unwrap();
    assert!(forgotten.was_in_flight());
    drop(forgotten);
    let new = Gpu::new(&Driver::fake(""));
    let parts = UploadParts { device: new.real.clone(), ..new.parts.clone() };
    // SAFETY: the device lives until the uploads end, and this thread alone uses it.
    assert!(unsafe { uploads.adopt_device(parts) }.unwrap().is_none());
    upload(&new, &mut uploads, 1, 11);
    assert_eq!(look(&mut uploads, SOON), Ok(Uploaded::Clean));
    assert_eq!((old.history(1), new.history(1)), (vec![], vec![11]));
    assert_eq!(uploads.destroy(), 0);
    new.destroy();
    // The old device is left, with everything on it: its queue may go on in an hour.
}

#[test]
fn a_device_that_is_lost_in_the_middle_makes_everything_dirty() {
    let (gpu, mut uploads) = start("lost-at=1");
    upload(&gpu, &mut uploads, 1, 11);
    let lost = UploadError::Vulkan(Error::DeviceLost { call: "vkWaitForFences" });
    assert_eq!(look(&mut uploads, SOON), Err(lost));
    let forgotten = uploads.forget_device().unwrap();
    assert!(uploads.waiting().eq([&1]));
    // SAFETY: the device is lost, and was not destroyed.
    assert_eq!(unsafe { forgotten.destroy() }, 0);
    gpu.destroy();
}
