//! How does Rust see what crosses the driver interface: pointers, arrays, `pNext` chains, dispatchable objects?
//!
//! Entry points take references where Vulkan promises a valid pointer, so that the contract with the caller is
//! stated once, in the signature; trailing arguments that they do not look at are left out, as the C calling
//! conventions of Linux allow. Nothing but the loader and the layers calls them.

use ash::vk;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::atomic::AtomicUsize;

/// The address of an entry point, as `vkGet*ProcAddr` hands it out.
pub(crate) type Entry = *const ();

/// The allocation callbacks, which this driver never calls.
pub(crate) type Allocator = *const c_void;

/// Where a call returns a value; the caller need not have initialised it.
pub(crate) type Out<'a, T> = &'a mut MaybeUninit<T>;

/// Defines the module's `entry`, which maps a Vulkan name to the module's function.
macro_rules! entries {
    ($( $($name:literal)|+ => $function:expr, )*) => {
        /// The address of a Vulkan function this module answers for.
        pub(crate) fn entry(name: &str) -> Option<crate::ffi::Entry> {
            Some(match name {
                $( $($name)|+ => $function as crate::ffi::Entry, )*
                _ => return None,
            })
        }
    };
}
pub(crate) use entries;

/// The first word of a dispatchable object: the loader checks it, then replaces it with its dispatch table.
#[repr(transparent)]
pub(crate) struct LoaderWord {
    /// Atomic because foreign code writes it behind shared references.
    _word: AtomicUsize,
}

impl LoaderWord {
    /// The value that the loader wants to see in a new object (`ICD_LOADER_MAGIC`).
    const MAGIC: usize = 0x01CD_C0DE;

    pub(crate) fn new() -> Self {
        Self { _word: AtomicUsize::new(Self::MAGIC) }
    }
}

/// A pointer to the first of some values, whose number comes in another argument; null if there are none.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct Array<T>(*const T);

impl<T> Array<T> {
    /// The values, `count` being the argument that belongs to this pointer.
    pub(crate) fn slice<'a>(self, count: u32) -> &'a [T] {
        // SAFETY: only entry points receive an `Array`; there the caller owes `count` values behind it.
        unsafe { slice(self.0, count) }
    }
}

/// A pointer to room for some values, whose number comes in another argument; null to ask only for the number.
#[repr(transparent)]
pub(crate) struct OutArray<T>(*mut T);

impl<T> OutArray<T> {
    /// Whether the caller wants no values.
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// The room, `count` being the argument that belongs to this pointer. It must hold initialised values.
    pub(crate) fn slice_mut<'a>(self, count: u32) -> &'a mut [T] {
        if self.0.is_null() || count == 0 {
            return &mut [];
        }
        // SAFETY: only entry points receive an `OutArray`; there the caller owes room for `count` values.
        unsafe { std::slice::from_raw_parts_mut(self.0, count as usize) }
    }

    /// Writes the values into the room, which the caller made large enough.
    pub(crate) fn fill(self, values: impl IntoIterator<Item = T>) {
        for (index, value) in values.into_iter().enumerate() {
            // SAFETY: as above; the callers of `fill` write no more values than they were asked for.
            unsafe { self.0.add(index).write(value) }
        }
    }

    /// The customary two calls: the first asks for the number, the second for as many values as fit.
    pub(crate) fn enumerate<V>(
        self,
        count: &mut u32,
        values: Vec<V>,
        mut put: impl FnMut(&mut T, V),
    ) -> vk::Result {
        let available = u32::try_from(values.len()).unwrap_or(u32::MAX);
        if self.is_null() {
            *count = available;
            return vk::Result::SUCCESS;
        }
        let room = *count;
        *count = room.min(available);
        for (slot, value) in self.slice_mut(*count).iter_mut().zip(values) {
            put(slot, value);
        }
        if room < available { vk::Result::INCOMPLETE } else { vk::Result::SUCCESS }
    }
}

/// The values behind a pointer and a count.
///
/// # Safety
///
/// `first` is null, or `count` initialised values lie behind it for as long as `'a`.
pub(crate) unsafe fn slice<'a, T>(first: *const T, count: u32) -> &'a [T] {
    if first.is_null() || count == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(first, count as usize) }
}

/// The first structure of type `T` in a `pNext` chain.
///
/// # Safety
///
/// `next` is null or begins a valid chain that lives as long as `'a`.
pub(crate) unsafe fn find<'a, T: vk::TaggedStructure>(next: *const c_void) -> Option<&'a T> {
    let mut link = next.cast::<vk::BaseInStructure<'_>>();
    // SAFETY: the caller's promise makes every link valid, and the tag says which type it has.
    unsafe {
        while let Some(structure) = link.as_ref() {
            if structure.s_type == T::STRUCTURE_TYPE {
                return Some(&*link.cast::<T>());
            }
            link = structure.p_next;
        }
    }
    None
}

/// Calls `visit` on each link of a `pNext` chain that the driver is to fill in.
///
/// # Safety
///
/// `next` is null or begins a valid, writable chain.
pub(crate) unsafe fn for_each(
    next: *mut c_void,
    mut visit: impl FnMut(vk::StructureType, *mut c_void),
) {
    let mut link = next.cast::<vk::BaseOutStructure<'_>>();
    while !link.is_null() {
        // SAFETY: the caller's promise.
        let (tag, after) = unsafe { ((*link).s_type, (*link).p_next) };
        visit(tag, link.cast());
        link = after;
    }
}

/// Copies text into one of Vulkan's fixed character arrays, with a terminating zero.
pub(crate) fn put_text(room: &mut [std::ffi::c_char], text: &str) {
    let kept = text.len().min(room.len().saturating_sub(1));
    for (slot, byte) in room.iter_mut().zip(text.as_bytes()[..kept].iter().chain([&0])) {
        *slot = byte.cast_signed() as std::ffi::c_char;
    }
}
