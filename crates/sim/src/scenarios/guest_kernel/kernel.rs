//! Which calls does the guest's kernel have? Those of NT that a title uses, by their names.

use unwedge_trace::MarkKind;

use crate::world::{Label, Object, Program, Target};

/// The kernel, as a program calls it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernel {
    /// The emulator's trace has a line for each call and for each return.
    pub(super) calls_are_told: bool,
}

const WAIT: &str = "KeWaitForSingleObject";
const SUCCESS: &str = "STATUS_SUCCESS";

impl Kernel {
    fn called(self, p: &mut Program<'_>, call: &str) {
        if self.calls_are_told {
            p.mark(MarkKind::Log, &format!("{call} called"), &[]);
        }
    }

    fn returned(self, p: &mut Program<'_>, call: &str, status: &str) {
        if self.calls_are_told {
            p.mark(MarkKind::Log, &format!("{call} returned {status}"), &[]);
        }
    }

    fn call(self, p: &mut Program<'_>, call: &str, does: impl FnOnce(&mut Program<'_>)) {
        self.called(p, call);
        does(p);
        self.returned(p, call, SUCCESS);
    }

    /// Waits for ever for one object; a mutant is then owned.
    pub(super) fn wait(self, p: &mut Program<'_>, object: Object) {
        self.call(p, WAIT, |p| p.wait(WAIT, &[object.into()]));
    }

    /// Waits for one object until the deadline; goes on at the label when that is met first, once the call has returned.
    pub(super) fn wait_until(self, p: &mut Program<'_>, object: Object, ns: u64, late: Label) {
        let (in_time, timed_out) = (p.label(), p.label());
        self.called(p, WAIT);
        p.wait_for(WAIT, &[object.into()], false, ns, timed_out);
        p.go(in_time);
        p.here(timed_out);
        self.returned(p, WAIT, "STATUS_TIMEOUT");
        p.go(late);
        p.here(in_time);
        self.returned(p, WAIT, SUCCESS);
    }

    /// Waits for ever for any one of several objects.
    pub(super) fn wait_any(self, p: &mut Program<'_>, objects: &[Object]) {
        const CALL: &str = "KeWaitForMultipleObjects";
        let targets: Vec<Target> = objects.iter().map(|object| (*object).into()).collect();
        self.call(p, CALL, |p| p.wait_any(CALL, &targets));
    }

    /// Waits for ever for all of several objects.
    pub(super) fn wait_all(self, p: &mut Program<'_>, objects: &[Object]) {
        const CALL: &str = "KeWaitForMultipleObjects";
        let targets: Vec<Target> = objects.iter().map(|object| (*object).into()).collect();
        self.call(p, CALL, |p| p.wait(CALL, &targets));
    }

    pub(super) fn set_event(self, p: &mut Program<'_>, event: Object) {
        self.call(p, "KeSetEvent", |p| p.signal(event));
    }

    pub(super) fn reset_event(self, p: &mut Program<'_>, event: Object) {
        self.call(p, "KeResetEvent", |p| p.reset(event));
    }

    /// Sets a notification timer anew, which takes its signal back. When it is due is the clock's to know.
    pub(super) fn set_timer(self, p: &mut Program<'_>, timer: Object) {
        self.call(p, "KeSetTimer", |p| p.reset(timer));
    }

    pub(super) fn release_semaphore(self, p: &mut Program<'_>, semaphore: Object) {
        self.call(p, "KeReleaseSemaphore", |p| p.signal(semaphore));
    }

    pub(super) fn release_mutant(self, p: &mut Program<'_>, mutant: Object) {
        self.call(p, "KeReleaseMutant", |p| p.unlock(mutant));
    }

    pub(super) fn enter(self, p: &mut Program<'_>, section: Object) {
        const CALL: &str = "RtlEnterCriticalSection";
        self.call(p, CALL, |p| p.lock(CALL, section));
    }

    pub(super) fn leave(self, p: &mut Program<'_>, section: Object) {
        self.call(p, "RtlLeaveCriticalSection", |p| p.unlock(section));
    }
}
