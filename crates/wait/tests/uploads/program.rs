//! How does a program use uploads that fail in every way? It tries again, renews, or takes a new device; after each step it
//! compares what it is told with what it knows, and with what has arrived.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use ash::vk;
use unwedge_wait::{Bound, Error, Forgotten, UploadError, Uploaded, Uploads, Waited};

use crate::faults::{self, Call, Fault, Planned};
use crate::gpu::{Driver, Gpu, ITEMS};

/// What is marked in each round; some are still in flight then.
const ROUNDS: [&[usize]; 5] = [&[0, 1], &[1, 2], &[], &[3, 0, 3], &[1]];

/// More steps than any two faults cost.
const STEPS_MAX: usize = 40;

/// Time-outs in a row after which a program suspects that a signal was lost.
const TIMEOUTS_MAX: usize = 2;

/// A wait's answer depends on the script alone, so all of them only look.
const LOOK: Bound = Bound::ZERO;

/// The program cannot record.
#[derive(Debug, PartialEq, Eq)]
struct CannotRecord;

struct Program<'a> {
    driver: &'a Driver,
    gpu: Gpu,
    uploads: Uploads<usize>,
    /// What each item is now: how often it has changed.
    values: [u32; ITEMS],
    /// What of each item was submitted to this device.
    submitted: [Vec<u32>; ITEMS],
    /// What has to be waiting, and in flight.
    waiting: BTreeSet<usize>,
    in_flight: Vec<usize>,
    timeouts: usize,
    /// Devices that were left behind, with what was made on them.
    left: Vec<(Gpu, Option<Forgotten>)>,
}

/// Runs the program under these faults; gives the calls that it made and how many of the faults happened.
pub(crate) fn run(driver: &Driver, planned: &[Planned]) -> usize {
    faults::plan(planned);
    let gpu = Gpu::new(driver);
    let uploads = (0..STEPS_MAX)
        // SAFETY: the device lives until its uploads end, and this thread alone uses it.
        .find_map(|_| unsafe { Uploads::new(gpu.parts.clone()) }.ok())
        .expect("it can be made in the end");
    let mut program = Program {
        driver,
        gpu,
        uploads,
        values: [0; ITEMS],
        submitted: Default::default(),
        waiting: BTreeSet::new(),
        in_flight: Vec::new(),
        timeouts: 0,
        left: Vec::new(),
    };
    for round in ROUNDS {
        for &item in round {
            program.change(item);
        }
        program.step();
    }
    let mut steps = 0;
    while !program.uploads.is_clean() {
        program.step();
        steps += 1;
        assert!(steps < STEPS_MAX, "it never gets clean");
    }
    program.end();
    faults::fired()
}

impl Program<'_> {
    fn change(&mut self, item: usize) {
        self.values[item] += 1;
        assert_eq!(self.uploads.mark(item), self.waiting.insert(item));
    }

    fn step(&mut self) {
        let pumped = catch_unwind(AssertUnwindSafe(|| self.pump()));
        let reached_before = self.in_flight.is_empty();
        match pumped {
            Err(_) | Ok(Err(UploadError::Record(CannotRecord))) => self.in_flight.clear(),
            Ok(Ok(Uploaded::Clean)) => {
                self.in_flight.clear();
                assert!(self.waiting.is_empty());
            }
            Ok(Ok(Uploaded::Submitted)) => self.in_flight = self.take_submitted(),
            Ok(Ok(Uploaded::TimedOut)) => {
                assert!(!reached_before);
                self.timed_out();
            }
            Ok(Err(UploadError::NoDevice)) => self.adopt(),
            Ok(Err(UploadError::Vulkan(error))) => self.failed(error),
        }
        self.compare();
    }

    fn pump(&mut self) -> Result<Uploaded, UploadError<CannotRecord>> {
        let (gpu, values) = (&self.gpu, &self.values);
        let (waiting, submitted) = (&self.waiting, &self.submitted);
        self.uploads.pump(LOOK, |commands, items| {
            assert!(items.iter().eq(waiting.iter()), "all that is marked is recorded");
            assert_arrived(gpu, submitted);
            for &item in items {
                gpu.stage(item, values[item]);
            }
            gpu.record(commands, items);
            match faults::meet(Call::Record) {
                None => Ok(()),
                // Unlike `panic!`, this prints nothing.
                Some(Fault::Panics) => resume_unwind(Box::new("the program failed")),
                Some(_) => Err(CannotRecord),
            }
        })
    }

    /// All that was waiting is in flight now.
    fn take_submitted(&mut self) -> Vec<usize> {
        self.timeouts = 0;
        let items: Vec<_> = std::mem::take(&mut self.waiting).into_iter().collect();
        for &item in &items {
            self.submitted[item].push(self.values[item]);
        }
        items
    }

    fn timed_out(&mut self) {
        self.timeouts += 1;
        if self.timeouts < TIMEOUTS_MAX {
            return;
        }
        self.timeouts = 0;
        match self.uploads.renew(LOOK) {
            Ok(Waited::Reached) => self.in_flight.clear(),
            // It stands still, as far as anybody can tell.
            Ok(Waited::TimedOut) => self.new_device(),
            Err(error) => self.failed(error),
        }
    }

    fn failed(&mut self, error: Error) {
        if self.uploads.in_flight().is_empty() {
            // The wait succeeded, and what came after it did not.
            self.in_flight.clear();
        }
        if self.in_flight.is_empty() && matches!(error, Error::ResetFailed { .. }) {
            assert_arrived(&self.gpu, &self.submitted);
        }
        if error.is_fatal_for_device() {
            // It is said again, and Vulkan is not asked.
            let calls = faults::counts();
            assert_eq!(
                self.uploads.pump(LOOK, |_, _| Ok(())),
                Err(UploadError::<()>::Vulkan(error))
            );
            assert_eq!(self.uploads.wait(LOOK), Err(error));
            assert_eq!(self.uploads.renew(LOOK), Err(error));
            assert_eq!(faults::counts(), calls);
            self.new_device();
        }
    }

    /// Leaves the device. Everything that ever was on it has to be on the next one.
    fn new_device(&mut self) {
        let was_in_flight = !self.uploads.in_flight().is_empty();
        let forgotten = self.uploads.forget_device();
        let forgotten = forgotten.expect("there was a device");
        assert!(was_in_flight <= forgotten.was_in_flight());
        self.waiting.extend(self.in_flight.drain(..));
        let gpu = Gpu::new(self.driver);
        self.left.push((std::mem::replace(&mut self.gpu, gpu), Some(forgotten)));
        self.submitted = Default::default();
        let pumped = self.uploads.pump(LOOK, |_, _| Ok::<_, ()>(()));
        assert_eq!(pumped, Err(UploadError::NoDevice));
        self.adopt();
    }

    fn adopt(&mut self) {
        // SAFETY: the device lives until its uploads end, and this thread alone uses it.
        match unsafe { self.uploads.adopt_device(self.gpu.parts.clone()) } {
            Ok(old) => assert!(old.is_none(), "it was forgotten before"),
            // The next step tries again.
            Err(error) => assert!(matches!(error, Error::OutOfMemory { .. }), "{error}"),
        }
        for item in 0..ITEMS {
            if self.values[item] > 0 {
                assert_eq!(self.uploads.mark(item), self.waiting.insert(item));
            }
        }
    }

    fn compare(&self) {
        assert!(self.uploads.waiting().eq(self.waiting.iter()));
        assert_eq!(self.uploads.in_flight(), self.in_flight);
        assert_eq!(self.uploads.is_clean(), self.waiting.is_empty() && self.in_flight.is_empty());
        if self.in_flight.is_empty() {
            assert_arrived(&self.gpu, &self.submitted);
        }
    }

    /// Everything has arrived, once, and nothing is left behind.
    fn end(mut self) {
        assert_arrived(&self.gpu, &self.submitted);
        for item in 0..ITEMS {
            let history = self.gpu.history(item);
            assert_eq!(history.last().copied().unwrap_or(0), self.values[item], "item {item}");
            assert!(history.is_sorted_by(|earlier, later| earlier < later), "{history:?}");
        }
        self.gpu.settle();
        // Of a wait for an idle queue whose signal was lost, a fence may be left.
        let left = self.uploads.destroy();
        self.gpu.destroy();
        let mut left_behind = 0;
        for (gpu, forgotten) in self.left.drain(..) {
            gpu.settle();
            // SAFETY: the queue is idle, and the device was not destroyed.
            left_behind += forgotten.map_or(0, |forgotten| unsafe { forgotten.destroy() });
            gpu.destroy();
        }
        assert_eq!(faults::alive(), left + left_behind);
    }
}

/// What was submitted was executed, in that order, and nothing else was.
fn assert_arrived(gpu: &Gpu, submitted: &[Vec<u32>; ITEMS]) {
    for (item, submitted) in submitted.iter().enumerate() {
        assert_eq!(gpu.history(item), *submitted, "item {item}");
    }
}

/// Every way in which each call may fail, with the results that Vulkan's specification lists for it.
pub(crate) fn ways() -> Vec<(Call, Fault)> {
    use vk::Result as R;
    let no_memory = [R::ERROR_OUT_OF_HOST_MEMORY, R::ERROR_OUT_OF_DEVICE_MEMORY];
    let mut ways = vec![
        (Call::ResetPool, Fault::Returns(R::ERROR_OUT_OF_DEVICE_MEMORY)),
        (Call::ResetFence, Fault::Returns(R::ERROR_OUT_OF_DEVICE_MEMORY)),
        (Call::Record, Fault::Returns(R::ERROR_UNKNOWN)),
        (Call::Record, Fault::Panics),
        (Call::Submit, Fault::Returns(R::ERROR_DEVICE_LOST)),
        (Call::Submit, Fault::ExecutedAndLost),
        (Call::Submit, Fault::SignalLost),
        (Call::Wait, Fault::Returns(R::TIMEOUT)),
        (Call::Wait, Fault::Returns(R::ERROR_DEVICE_LOST)),
    ];
    let calls = [
        Call::CreatePool,
        Call::Allocate,
        Call::CreateFence,
        Call::Begin,
        Call::End,
        Call::Submit,
        Call::Wait,
    ];
    for call in calls {
        ways.extend(no_memory.map(|result| (call, Fault::Returns(result))));
    }
    ways
}
