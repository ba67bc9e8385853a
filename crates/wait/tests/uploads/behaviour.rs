//! What do uploads do when asked this or that, and what of Vulkan do they ask for it?

use ash::vk;
use unwedge_wait::{Bound, Error, UploadError, UploadParts, Uploaded, Uploads, Waited};

use crate::faults::{self, Call, Fault, Planned};
use crate::gpu::{Driver, Gpu};

const OOM: vk::Result = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;
const NO_FENCE: Error = Error::OutOfMemory { call: "vkCreateFence", result: OOM };

/// A device of the fake driver, and uploads on it, under these faults.
fn start(planned: &[Planned]) -> (Gpu, Uploads<usize>) {
    faults::plan(planned);
    let gpu = Gpu::new(&Driver::fake(""));
    // SAFETY: the device lives until the uploads end, and this thread alone uses it; so in all functions below.
    let uploads = unsafe { Uploads::new(gpu.parts.clone()) }.unwrap();
    (gpu, uploads)
}

/// Pumps, and gives what was recorded too.
fn pump(uploads: &mut Uploads<usize>) -> (Result<Uploaded, UploadError<()>>, Vec<usize>) {
    let mut recorded = Vec::new();
    let pumped = uploads.pump(Bound::ZERO, |_, items| {
        recorded.extend_from_slice(items);
        Ok(())
    });
    (pumped, recorded)
}

fn waiting(uploads: &Uploads<usize>) -> Vec<usize> {
    uploads.waiting().copied().collect()
}

/// The uploads end, with nothing left, and so does their device.
fn end(gpu: Gpu, uploads: Uploads<usize>) {
    gpu.settle();
    assert_eq!(uploads.destroy(), 0);
    assert_eq!(faults::alive(), 0);
    gpu.destroy();
}

#[test]
fn what_is_marked_goes_in_one_batch_each_item_once_in_order() {
    let (gpu, mut uploads) = start(&[]);
    assert!(uploads.is_clean());
    for (item, is_new) in [(3, true), (1, true), (3, false), (2, true), (1, false)] {
        assert_eq!(uploads.mark(item), is_new);
    }
    assert_eq!(waiting(&uploads), [1, 2, 3]);
    assert_eq!(pump(&mut uploads), (Ok(Uploaded::Submitted), vec![1, 2, 3]));
    assert_eq!((uploads.in_flight(), waiting(&uploads)), (&[1, 2, 3][..], vec![]));
    assert!(!uploads.is_clean());
    assert_eq!(pump(&mut uploads), (Ok(Uploaded::Clean), vec![]));
    assert!(uploads.is_clean() && uploads.in_flight().is_empty());
    end(gpu, uploads);
}

#[test]
fn what_is_marked_while_it_is_in_flight_goes_once_more() {
    let (gpu, mut uploads) = start(&[(Call::Wait, 1, Fault::Returns(vk::Result::TIMEOUT))]);
    uploads.mark(1);
    uploads.mark(2);
    assert_eq!(pump(&mut uploads), (Ok(Uploaded::Submitted), vec![1, 2]));
    assert!(uploads.mark(2));
    assert_eq!(pump(&mut uploads), (Ok(Uploaded::TimedOut), vec![]));
    assert_eq!((uploads.in_flight(), waiting(&uploads)), (&[1, 2][..], vec![2]));
    assert_eq!(pump(&mut uploads), (Ok(Uploaded::Submitted), vec![2]));
    assert_eq!(pump(&mut uploads), (Ok(Uploaded::Clean), vec![]));
    end(gpu, uploads);
}

#[test]
fn who_has_nothing_to_do_asks_vulkan_nothing() {
    let (gpu, mut uploads) = start(&[]);
    let calls = faults::counts();
    assert_eq!(pump(&mut uploads).0, Ok(Uploaded::Clean));
    assert_eq!(uploads.wait(Bound::MAX), Ok(Waited::Reached));
    assert_eq!(uploads.renew(Bound::MAX), Ok(Waited::Reached));
    assert_eq!(faults::counts(), calls);
    end(gpu, uploads);
}

#[test]
fn a_wait_reaches_the_batch_and_starts_no_other() {
    let (gpu, mut uploads) = start(&[]);
    uploads.mark(1);
    assert_eq!(pump(&mut uploads).0, Ok(Uploaded::Submitted));
    uploads.mark(2);
    assert_eq!(uploads.wait(Bound::from_secs(20)), Ok(Waited::Reached));
    assert_eq!((uploads.in_flight(), waiting(&uploads)), (&[][..], vec![2]));
    assert_eq!(faults::counts()[&Call::Submit], 1);
    end(gpu, uploads);
}

/// The fence was reset for a submit that failed. Nobody may wait for it: nothing will signal it.
#[test]
fn a_fence_is_not_waited_for_if_nothing_was_submitted_with_it() {
    let (gpu, mut uploads) = start(&[(Call::Submit, 1, Fault::Returns(OOM))]);
    uploads.mark(1);
    let error = Error::OutOfMemory { call: "vkQueueSubmit", result: OOM };
    assert_eq!(pump(&mut uploads), (Err(UploadError::Vulkan(error)), vec![1]));
    assert_eq!((uploads.in_flight(), waiting(&uploads)), (&[][..], vec![1]));
    assert_eq!(faults::counts()[&Call::ResetFence], 1);
    assert_eq!(pump(&mut uploads), (Ok(Uploaded::Submitted), vec![1]));
    assert_eq!(faults::counts().get(&Call::Wait), None);
    end(gpu, uploads);
}

#[test]
fn the_fence_is_reset_after_all_else_that_may_fail_before_the_submit() {
    for call in [Call::ResetPool, Call::Begin, Call::End] {
        let (gpu, mut uploads) = start(&[(call, 1, Fault::Returns(OOM))]);
        uploads.mark(1);
        assert!(matches!(
            pump(&mut uploads).0,
            Err(UploadError::Vulkan(Error::OutOfMemory { .. }))
        ));
        assert_eq!(faults::counts().get(&Call::ResetFence), None, "{call:?}");
        assert_eq!(pump(&mut uploads), (Ok(Uploaded::Submitted), vec![1]));
        end(gpu, uploads);
    }
}

#[test]
fn a_fence_that_cannot_be_reset_is_the_end_of_the_device() {
    let (gpu, mut uploads) = start(&[(Call::ResetFence, 1, Fault::Returns(OOM))]);
    uploads.mark(1);
    let error = Error::ResetFailed { result: OOM };
    assert_eq!(pump(&mut uploads).0, Err(UploadError::Vulkan(error)));
    assert!(error.is_fatal_for_device());
    let calls = faults::counts();
    assert_eq!(pump(&mut uploads), (Err(UploadError::Vulkan(error)), vec![]));
    assert_eq!(uploads.wait(Bound::MAX), Err(error));
    assert_eq!(uploads.renew(Bound::MAX), Err(error));
    assert_eq!(faults::counts(), calls);
    // What forgets the device forgets the error.
    let forgotten = uploads.forget_device().unwrap();
    assert!(!forgotten.was_in_flight());
    // SAFETY: the device lives, and nothing was submitted to it.
    assert_eq!(unsafe { forgotten.destroy() }, 0);
    assert_eq!(uploads.wait(Bound::MAX), Ok(Waited::Reached));
    assert_eq!(waiting(&uploads), [1]);
    end(gpu, uploads);
}

#[test]
fn without_a_device_everything_stays_dirty() {
    let (gpu, mut uploads) = start(&[]);
    uploads.mark(2);
    assert_eq!(pump(&mut uploads).0, Ok(Uploaded::Submitted));
    uploads.mark(1);
    let forgotten = uploads.forget_device().unwrap();
    assert!(forgotten.was_in_flight());
    assert!(uploads.forget_device().is_none());
    assert_eq!(pump(&mut uploads), (Err(UploadError::NoDevice), vec![]));
    assert_eq!((uploads.in_flight(), waiting(&uploads)), (&[][..], vec![1, 2]));
    gpu.settle();
    // SAFETY: the device lives, and has executed the batch.
    assert_eq!(unsafe { forgotten.destroy() }, 0);
    // The same device may be adopted again.
    // SAFETY: as in `start`.
    assert!(unsafe { uploads.adopt_device(gpu.parts.clone()) }.unwrap().is_none());
    assert_eq!(pump(&mut uploads), (Ok(Uploaded::Submitted), vec![1, 2]));
    end(gpu, uploads);
}

#[test]
fn a_device_that_cannot_be_adopted_leaves_the_old_one() {
    let (gpu, mut uploads) = start(&[(Call::CreateFence, 2, Fault::Returns(OOM))]);
    uploads.mark(1);
    assert_eq!(pump(&mut uploads).0, Ok(Uploaded::Submitted));
    // SAFETY: as in `start`.
    assert_eq!(unsafe { uploads.adopt_device(gpu.parts.clone()) }.unwrap_err(), NO_FENCE);
    assert_eq!((uploads.in_flight(), faults::alive()), (&[1][..], 2));
    // SAFETY: as in `start`.
    let forgotten = unsafe { uploads.adopt_device(gpu.parts.clone()) }.unwrap().unwrap();
    assert!(forgotten.was_in_flight());
    gpu.settle();
    // SAFETY: the device lives, and has executed the batch.
    assert_eq!(unsafe { forgotten.destroy() }, 0);
    assert_eq!(pump(&mut uploads), (Ok(Uploaded::Submitted), vec![1]));
    end(gpu, uploads);
}

#[test]
fn what_cannot_be_made_leaves_nothing() {
    for call in [Call::CreatePool, Call::Allocate, Call::CreateFence] {
        faults::plan(&[(call, 1, Fault::Returns(OOM))]);
        let gpu = Gpu::new(&Driver::fake(""));
        // SAFETY: as in `start`.
        let failed = unsafe { Uploads::<usize>::new(gpu.parts.clone()) }.unwrap_err();
        assert!(matches!(failed, Error::OutOfMemory { result: OOM, .. }), "{failed}");
        assert_eq!((faults::fired(), faults::alive()), (1, 0), "{call:?}");
        gpu.destroy();
    }
}

#[test]
fn null_handles_are_refused() {
    let (gpu, uploads) = start(&[]);
    let no_queue = UploadParts { queue: vk::Queue::null(), ..gpu.parts.clone() };
    let device = ash::Device::from_parts_1_3(
        vk::Device::null(),
        gpu.real.fp_v1_0().clone(),
        gpu.real.fp_v1_1().clone(),
        gpu.real.fp_v1_2().clone(),
        gpu.real.fp_v1_3().clone(),
    );
    let no_device = UploadParts { device, ..gpu.parts.clone() };
    // SAFETY: what is wrong with them is found out before they are used.
    unsafe {
        let refused = |parts| Uploads::<usize>::new(parts).unwrap_err();
        assert_eq!(refused(no_queue), Error::NullHandle("queue"));
        assert_eq!(refused(no_device), Error::NullHandle("device"));
    }
    end(gpu, uploads);
}

#[test]
fn what_is_pending_is_neither_destroyed_nor_waited_for() {
    let timeout = Fault::Returns(vk::Result::TIMEOUT);
    let (gpu, mut uploads) = start(&[(Call::Wait, 1, timeout)]);
    uploads.mark(1);
    assert_eq!(pump(&mut uploads).0, Ok(Uploaded::Submitted));
    assert_eq!(uploads.destroy(), 2);
    assert_eq!((faults::counts()[&Call::Wait], faults::alive()), (1, 2));
    gpu.settle();
    gpu.destroy();
}

#[test]
fn a_drop_asks_vulkan_nothing() {
    let (gpu, mut uploads) = start(&[]);
    uploads.mark(1);
    assert_eq!(pump(&mut uploads).0, Ok(Uploaded::Submitted));
    let calls = faults::counts();
    drop(uploads);
    assert_eq!((faults::counts(), faults::alive()), (calls, 2));
    gpu.settle();
    gpu.destroy();
}

/// A device that was seen to be lost executes nothing: what it has can be destroyed.
#[test]
fn of_a_lost_device_everything_is_destroyed() {
    let lost = Fault::Returns(vk::Result::ERROR_DEVICE_LOST);
    let (gpu, mut uploads) = start(&[(Call::Wait, 1, lost)]);
    uploads.mark(1);
    assert_eq!(pump(&mut uploads).0, Ok(Uploaded::Submitted));
    let error = Error::DeviceLost { call: "vkWaitForFences" };
    assert_eq!(pump(&mut uploads).0, Err(UploadError::Vulkan(error)));
    assert_eq!(uploads.in_flight(), [1]);
    end(gpu, uploads);
}

#[test]
fn errors_say_what_failed() {
    let says = |error: UploadError<std::fmt::Error>| error.to_string();
    assert_eq!(says(UploadError::NoDevice), "there is no device to upload to");
    assert_eq!(says(UploadError::Vulkan(NO_FENCE)), "vkCreateFence: out of device memory");
    let recording = UploadError::Record(std::fmt::Error);
    assert!(std::error::Error::source(&recording).is_some());
    assert!(says(recording).starts_with("an upload cannot be recorded: "));
    let (gpu, uploads) = start(&[]);
    let printed = format!("{uploads:?} {:?}", gpu.parts);
    assert!(printed.contains("in_flight: []") && printed.contains("family: 0"), "{printed}");
    end(gpu, uploads);
}

#[test]
fn they_may_move_to_another_thread() {
    fn may_move<T: Send>() {}
    may_move::<Uploads<u32>>();
    may_move::<unwedge_wait::Forgotten>();
}
