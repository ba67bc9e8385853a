//! Blocks that several parties hold, each with a name and a bound.

use std::collections::HashMap;
use std::ffi::{c_char, CStr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use unwedge_wait::{Block, Bound, Hold, Holder, Overstay, Released};

use crate::bound::UwBound;
use crate::result::{answer, given, value, Failure, UwResult};

/// Bytes of a name, with the zero at its end. Longer names are cut.
pub const UW_NAME_MAX: usize = 64;

/// Something that must not go on while anybody holds it: a renderer while its pictures are read, say. Any number of threads may
/// use it.
pub struct UwBlock {
    block: Block,
    holds: Mutex<Holds>,
}

#[derive(Default)]
struct Holds {
    last: u64,
    /// Of each hold that nobody released yet; the owner may have ended it.
    live: HashMap<u64, Hold>,
}

/// One party's hold on a block: a number that is never given twice. Zero is no hold.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct UwHold {
    /// The number.
    pub id: u64,
}

/// Somebody who holds a block, or held it until just now.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct UwHolder {
    /// The name that was given with the hold, with a zero at its end.
    pub name: [c_char; UW_NAME_MAX],
    /// For how long it has been held.
    pub held_nanos: u64,
    /// For how long it was to be held at most.
    pub bound_nanos: u64,
}

impl UwBlock {
    fn holds(&self) -> MutexGuard<'_, Holds> {
        // Each change of the table is a single one, so a panic leaves it whole.
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, holder: String, bound: Bound) -> UwHold {
        let hold = self.block.hold(holder, bound);
        let mut holds = self.holds();
        // Who overstays may never come to release: what the owner has ended is forgotten here.
        holds.live.retain(|_, hold| hold.is_held());
        holds.last += 1;
        let id = holds.last;
        holds.live.insert(id, hold);
        UwHold { id }
    }

    fn release(&self, UwHold { id }: UwHold) -> UwResult {
        // Out of the table first: the release tells of overstayers, and who listens may ask this block.
        let hold = self.holds().live.remove(&id);
        match hold.map(Hold::release) {
            Some(Released::Now) => UwResult::Reached,
            Some(Released::Already) | None => UwResult::Already,
        }
    }
}

/// A name of the caller's, at most as long as it can be told again.
///
/// # Safety
/// The pointer is null, or leads to text that ends in a zero.
unsafe fn read_name(text: *const c_char, what: &'static str) -> Result<String, Failure> {
    if text.is_null() {
        return Err(Failure::NullPointer(what));
    }
    // SAFETY: as promised by the caller.
    let mut name = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    let end = (0..UW_NAME_MAX).rev().find(|end| name.is_char_boundary((*end).min(name.len())));
    name.truncate(end.unwrap_or(0));
    Ok(name)
}

impl UwHolder {
    fn of(holder: &Holder) -> Self {
        let mut name = [0; UW_NAME_MAX];
        // One place is left for the zero.
        for (place, byte) in name[..UW_NAME_MAX - 1].iter_mut().zip(holder.name.bytes()) {
            *place = byte as c_char;
        }
        let held_nanos = u64::try_from(holder.held_for.as_nanos()).unwrap_or(u64::MAX);
        Self { name, held_nanos, bound_nanos: holder.bound.as_nanos() }
    }
}

/// Tells of as many holders as there is room for, and how many there are.
///
/// # Safety
/// There is room for `room` holders behind `out`, or it is null.
unsafe fn tell(holders: &[Holder], out: *mut UwHolder, room: usize) -> usize {
    if !out.is_null() {
        for (index, holder) in holders.iter().take(room).enumerate() {
            // SAFETY: the index is below `room`, as promised by the caller.
            unsafe { out.add(index).write(UwHolder::of(holder)) };
        }
    }
    holders.len()
}

/// A block that nobody holds. Under `releases_overstayers`, the hold of whoever is over his bound ends when the owner asks next;
/// otherwise he is named and holds on. Null if the name is null. To be freed with uw_block_free.
///
/// # Safety
/// The name is null or text that ends in a zero.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_block_new(
    name: *const c_char,
    releases_overstayers: bool,
) -> *mut UwBlock {
    value(std::ptr::null_mut(), || {
        // SAFETY: as promised by the caller.
        let name = unsafe { read_name(name, "name of the block")? };
        let overstay = if releases_overstayers { Overstay::Release } else { Overstay::Name };
        let (block, holds) = (Block::new(name, overstay), Mutex::default());
        Ok(Box::into_raw(Box::new(UwBlock { block, holds })))
    })
}

/// Frees a block and ends all holds. Null is left alone.
///
/// # Safety
/// The pointer is null or one that uw_block_new gave, and is not used any more.
#[no_mangle]
pub unsafe extern "C" fn uw_block_free(block: *mut UwBlock) {
    value((), || {
        if !block.is_null() {
            // SAFETY: as promised by the caller.
            drop(unsafe { Box::from_raw(block) });
        }
        Ok(())
    });
}

/// Holds the block from now on, for at most `bound`. Never waits: any number of parties may hold it. The hold is zero if one of
/// the pointers is null.
///
/// # Safety
/// The block is null or lives, the holder's name is null or text that ends in a zero.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_block_hold(
    block: *const UwBlock,
    holder: *const c_char,
    bound: UwBound,
) -> UwHold {
    value(UwHold { id: 0 }, || {
        // SAFETY: as promised by the caller.
        let (block, holder) =
            unsafe { (given(block, "block")?, read_name(holder, "name of the holder")?) };
        Ok(block.hold(holder, bound.bound()))
    })
}

/// Ends a hold. UW_RESULT_ALREADY if it had ended: it was released before, the owner released it because it overstayed, or it
/// never was one. So nobody else's hold is ended by a second release.
///
/// # Safety
/// The block is null or lives.
#[no_mangle]
pub unsafe extern "C" fn uw_block_release(block: *const UwBlock, hold: UwHold) -> UwResult {
    answer(|| {
        // SAFETY: as promised by the caller.
        Ok(unsafe { given(block, "block")? }.release(hold))
    })
}

/// Whether anybody holds the block, once overstayers were released, if they are to be. A null block is held by nobody.
///
/// # Safety
/// The block is null or lives.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_block_is_held(block: *const UwBlock) -> bool {
    value(false, || {
        // SAFETY: as promised by the caller.
        Ok(unsafe { given(block, "block")? }.block.is_held(Instant::now()))
    })
}

/// Waits until nobody holds the block. Somebody may hold it again by the time this returns.
///
/// # Safety
/// The block is null or lives.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_block_wait_free(block: *const UwBlock, bound: UwBound) -> UwResult {
    answer(|| {
        // SAFETY: as promised by the caller.
        Ok(unsafe { given(block, "block")? }.block.wait_free(bound.bound()).into())
    })
}

/// Tells who holds the block, the oldest hold first: the number of holders, of which at most `room` are written to `holders`, which
/// may be null.
///
/// # Safety
/// The block is null or lives; there is room for so many holders.
#[no_mangle]
pub unsafe extern "C" fn uw_block_holders(
    block: *const UwBlock,
    holders: *mut UwHolder,
    room: usize,
) -> usize {
    value(0, || {
        // SAFETY: as promised by the caller.
        let found = unsafe { given(block, "block")? }.block.holders(Instant::now());
        // SAFETY: as promised by the caller.
        Ok(unsafe { tell(&found, holders, room) })
    })
}

/// As uw_block_holders, of those whose time is over. If the block releases overstayers, they were just released.
///
/// # Safety
/// As of uw_block_holders.
#[no_mangle]
pub unsafe extern "C" fn uw_block_enforce(
    block: *const UwBlock,
    overstayers: *mut UwHolder,
    room: usize,
) -> usize {
    value(0, || {
        // SAFETY: as promised by the caller.
        let found = unsafe { given(block, "block")? }.block.enforce(Instant::now());
        // SAFETY: as promised by the caller.
        Ok(unsafe { tell(&found, overstayers, room) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(releases: bool) -> *mut UwBlock {
        // SAFETY: the text ends in a zero.
        unsafe { uw_block_new(b"renderer\0".as_ptr().cast(), releases) }
    }

    #[test]
    fn a_second_release_ends_nobody_elses_hold() {
        let block = block(true);
        let holder = b"client\0".as_ptr().cast();
        // SAFETY: the block lives until it is freed at the end; so below.
        unsafe {
            let first = uw_block_hold(block, holder, UwBound { nanos: u64::MAX });
            let second = uw_block_hold(block, holder, UwBound { nanos: u64::MAX });
            assert_eq!(uw_block_release(block, first), UwResult::Reached);
            assert_eq!(uw_block_release(block, first), UwResult::Already);
            assert_eq!(uw_block_release(block, UwHold { id: 0 }), UwResult::Already);
            assert!(uw_block_is_held(block));
            assert_eq!(uw_block_release(block, second), UwResult::Reached);
            assert!(!uw_block_is_held(block));
            uw_block_free(block);
        }
    }

    #[test]
    fn overstayers_that_never_release_are_forgotten() {
        let block = block(true);
        // SAFETY: as above.
        unsafe {
            for _ in 0..1_000 {
                let hold = uw_block_hold(block, b"client\0".as_ptr().cast(), UwBound { nanos: 0 });
                assert_ne!(hold.id, 0);
                assert_eq!(uw_block_enforce(block, std::ptr::null_mut(), 0), 1);
            }
            assert!((*block).holds().live.len() <= 1);
            uw_block_free(block);
        }
    }

    #[test]
    fn names_are_cut_between_characters() {
        let text: Vec<u8> = "é".repeat(40).into_bytes().into_iter().chain([0]).collect();
        // SAFETY: the text ends in a zero; the block as above.
        unsafe {
            assert_eq!(read_name(text.as_ptr().cast(), "name").ok(), Some("é".repeat(31)));
            let block = block(false);
            let bound = UwBound { nanos: 0 };
            let _held = uw_block_hold(block, text.as_ptr().cast(), bound);
            let empty = UwHolder { name: [1; UW_NAME_MAX], held_nanos: 0, bound_nanos: 1 };
            let mut holders = [empty; 2];
            assert_eq!(uw_block_holders(block, holders.as_mut_ptr(), 2), 1);
            let told = CStr::from_ptr(holders[0].name.as_ptr()).to_str().unwrap();
            assert_eq!((told, holders[0].bound_nanos), ("é".repeat(31).as_str(), 0));
            assert_eq!(holders[1].name[0], 1, "nothing beyond what there is");
            assert_eq!(uw_block_holders(block, holders.as_mut_ptr(), 0), 1);
            uw_block_free(block);
        }
    }

    #[test]
    fn null_is_answered() {
        let (block, nobody) = (std::ptr::null_mut(), std::ptr::null_mut());
        let bound = UwBound { nanos: 1 };
        // SAFETY: null is what these take.
        unsafe {
            assert!(uw_block_new(std::ptr::null(), true).is_null());
            assert_eq!(uw_block_hold(block, b"\0".as_ptr().cast(), bound).id, 0);
            assert_eq!(uw_block_release(block, UwHold { id: 1 }), UwResult::ErrorNull);
            assert_eq!(uw_block_wait_free(block, bound), UwResult::ErrorNull);
            assert!(!uw_block_is_held(block));
            assert_eq!(uw_block_holders(block, nobody, 9) + uw_block_enforce(block, nobody, 9), 0);
            uw_block_free(block);
        }
    }
}
