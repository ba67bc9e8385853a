//! How does a call tell what came of it, and what went wrong?

use std::cell::RefCell;
use std::ffi::{c_char, CString};
use std::panic::{catch_unwind, AssertUnwindSafe};

use unwedge_wait::{Error, Waited};

/// What came of a call. Below zero are errors; uw_last_error says more of them. Values may be added.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UwResult {
    /// What was waited for came to pass, or what was asked for was done.
    Reached = 0,
    /// It did not within the bound. Nothing was changed: the same wait may be tried again.
    TimedOut = 1,
    /// As reached; and the swapchain does not quite match its surface any more.
    Suboptimal = 2,
    /// The swapchain can present no more and has to be made again. Nothing was acquired.
    OutOfDate = 3,
    /// The hold had ended before: it was released twice, or by the owner of the block.
    Already = 4,
    /// The device is lost: it and all that was made from it have to be made again.
    ErrorDeviceLost = -1,
    /// The surface is lost: surface and swapchain have to be made again.
    ErrorSurfaceLost = -2,
    /// No memory, on the host or on the device. The call did nothing; it may work later.
    ErrorOutOfMemory = -3,
    /// vkResetFences failed. Whether the fence is signalled is unknown from then on: the device has to be made again.
    ErrorResetFailed = -4,
    /// Any of nothing was waited for, or a present without an id, which can never come.
    ErrorNothing = -5,
    /// A null pointer or a null handle was given.
    ErrorNull = -6,
    /// More was given than the function takes.
    ErrorTooMany = -7,
    /// The device does not have the function: its version, or an extension, was not asked for when it was made.
    ErrorMissing = -8,
    /// Any other result of Vulkan.
    ErrorFailed = -9,
    /// This library is at fault. The call may have been done in part.
    ErrorInternal = -10,
}

/// Why a call failed.
pub(crate) enum Failure {
    Wait(Error),
    NullPointer(&'static str),
    Missing(&'static str),
    TooMany(&'static str, usize),
    Zero(&'static str),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Wait(error)
    }
}

impl Failure {
    fn result(&self) -> UwResult {
        match self {
            Self::Wait(Error::DeviceLost { .. }) => UwResult::ErrorDeviceLost,
            Self::Wait(Error::SurfaceLost { .. }) => UwResult::ErrorSurfaceLost,
            Self::Wait(Error::OutOfMemory { .. }) => UwResult::ErrorOutOfMemory,
            Self::Wait(Error::ResetFailed { .. }) => UwResult::ErrorResetFailed,
            Self::Wait(Error::Nothing) | Self::Zero(_) => UwResult::ErrorNothing,
            Self::Wait(Error::NullHandle(_)) | Self::NullPointer(_) => UwResult::ErrorNull,
            Self::Wait(Error::TooMany(..)) | Self::TooMany(..) => UwResult::ErrorTooMany,
            Self::Missing(_) => UwResult::ErrorMissing,
            Self::Wait(_) => UwResult::ErrorFailed,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Wait(error) => error.to_string(),
            Self::NullPointer(what) => format!("the pointer to the {what} is null"),
            Self::Missing(function) => format!("the device has no {function}"),
            Self::Zero(what) => format!("the {what} is zero"),
            Self::TooMany(what, most) => Error::TooMany(what, *most).to_string(),
        }
    }
}

impl From<Waited> for UwResult {
    fn from(waited: Waited) -> Self {
        match waited {
            Waited::Reached => Self::Reached,
            Waited::TimedOut => Self::TimedOut,
        }
    }
}

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

fn remember(text: String) {
    // Nothing of ours has a zero in it; and without a text the result still says it.
    let text = CString::new(text).unwrap_or_default();
    // A thread that is about to end may have no room for it any more.
    let _ = LAST.try_with(|last| last.replace(text));
}

/// Runs what a call does, and makes a result of it.
pub(crate) fn answer(act: impl FnOnce() -> Result<UwResult, Failure>) -> UwResult {
    // What a panic leaves half done is the caller's `mut` things, of which the result says so.
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(Ok(result)) => result,
        Ok(Err(failure)) => {
            remember(failure.text());
            failure.result()
        }
        Err(_) => {
            remember("a panic inside unwedge_wait".to_owned());
            UwResult::ErrorInternal
        }
    }
}

/// As [`answer`], for calls that give a value; `otherwise` if there is none.
pub(crate) fn value<T>(otherwise: T, act: impl FnOnce() -> Result<T, Failure>) -> T {
    let mut made = None;
    let result = answer(|| {
        made = Some(act()?);
        Ok(UwResult::Reached)
    });
    made.filter(|_| result == UwResult::Reached).unwrap_or(otherwise)
}

/// What a pointer of the caller's leads to.
///
/// # Safety
/// It is null, or leads to a live `T` that nobody changes during the call.
pub(crate) unsafe fn given<'a, T>(pointer: *const T, what: &'static str) -> Result<&'a T, Failure> {
    // SAFETY: as promised by the caller.
    unsafe { pointer.as_ref() }.ok_or(Failure::NullPointer(what))
}

/// As [`given`], for what the call changes.
///
/// # Safety
/// It is null, or leads to a live `T` that nobody else uses during the call.
pub(crate) unsafe fn given_mut<'a, T>(
    pointer: *mut T,
    what: &'static str,
) -> Result<&'a mut T, Failure> {
    // SAFETY: as promised by the caller.
    unsafe { pointer.as_mut() }.ok_or(Failure::NullPointer(what))
}

/// The values behind a pointer and a count. None need no pointer.
///
/// # Safety
/// The pointer is null, or `count` values lie behind it that nobody changes during the call.
pub(crate) unsafe fn values<'a, T>(
    first: *const T,
    count: usize,
    what: &'static str,
) -> Result<&'a [T], Failure> {
    if count == 0 {
        return Ok(&[]);
    }
    if first.is_null() {
        return Err(Failure::NullPointer(what));
    }
    // More bytes than a pointer can count are no array.
    if count > isize::MAX as usize / size_of::<T>().max(1) {
        return Err(Failure::TooMany(what, u32::MAX as usize));
    }
    // SAFETY: as promised by the caller.
    Ok(unsafe { std::slice::from_raw_parts(first, count) })
}

/// What went wrong in the last call of this thread that failed, in a line of English; empty if none did. Never null. The text
/// lives until the next call that fails in this thread, or the thread's end.
#[no_mangle]
pub extern "C" fn uw_last_error() -> *const c_char {
    LAST.try_with(|last| last.borrow().as_ptr()).unwrap_or(EMPTY.as_ptr().cast())
}

const EMPTY: &[u8] = b"\0";

/// A result in words. Never null; the text lives for ever. A number that is no result is answered too.
#[no_mangle]
pub extern "C" fn uw_result_text(result: i32) -> *const c_char {
    let text: &[u8] = match result {
        0 => b"reached\0",
        1 => b"timed out\0",
        2 => b"suboptimal\0",
        3 => b"out of date\0",
        4 => b"already released\0",
        -1 => b"device lost\0",
        -2 => b"surface lost\0",
        -3 => b"out of memory\0",
        -4 => b"reset failed\0",
        -5 => b"nothing to wait for\0",
        -6 => b"null given\0",
        -7 => b"too many given\0",
        -8 => b"missing function\0",
        -9 => b"failed\0",
        -10 => b"internal error\0",
        _ => b"unknown result\0",
    };
    text.as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    fn last() -> String {
        // SAFETY: the pointer is never null and its text ends in a zero.
        unsafe { CStr::from_ptr(uw_last_error()) }.to_string_lossy().into_owned()
    }

    #[test]
    fn a_panic_is_an_answer() {
        assert_eq!(last(), "");
        assert_eq!(answer(|| panic!("on purpose")), UwResult::ErrorInternal);
        assert_eq!(last(), "a panic inside unwedge_wait");
        assert_eq!(value(7, || panic!("on purpose")), 7);
    }

    #[test]
    fn every_result_has_its_own_words() {
        let mut texts: Vec<_> = (-11..=5)
            .map(|result| {
                // SAFETY: as above.
                unsafe { CStr::from_ptr(uw_result_text(result)) }.to_owned()
            })
            .collect();
        assert_eq!(texts[0], texts[texts.len() - 1], "both are unknown");
        texts.pop();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), 16);
    }

    #[test]
    fn an_array_longer_than_memory_is_too_many() {
        // SAFETY: the count is refused before the pointer is followed.
        let refused =
            unsafe { values(std::ptr::NonNull::<u64>::dangling().as_ptr(), usize::MAX, "things") };
        assert!(matches!(refused, Err(Failure::TooMany("things", _))));
    }
}
