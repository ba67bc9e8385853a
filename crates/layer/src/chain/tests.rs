//! Is the one link replaced, and the program's memory left as it is?
#![allow(clippy::field_reassign_with_default, reason = "chains are linked after the fact")]

use std::ffi::c_void;

use ash::vk;

use super::{Prefix, find};

type Timeline = vk::PhysicalDeviceTimelineSemaphoreFeatures<'static>;

fn link<T>(structure: &T) -> *const c_void {
    std::ptr::from_ref(structure).cast()
}

/// The types of a chain, in order.
fn types(chain: *const c_void) -> Vec<i32> {
    let mut types = Vec::new();
    let mut at = chain.cast::<vk::BaseInStructure<'_>>();
    // SAFETY: the chains of these tests are valid.
    while let Some(base) = unsafe { at.as_ref() } {
        types.push(base.s_type.as_raw());
        at = base.p_next;
    }
    types
}

const STORAGE: i32 = vk::StructureType::PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES.as_raw();
const TIMELINE: i32 = vk::StructureType::PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES.as_raw();
const MULTIVIEW: i32 = vk::StructureType::PHYSICAL_DEVICE_MULTIVIEW_FEATURES.as_raw();

#[test]
fn the_first_of_a_type_is_found() {
    let last = Timeline::default().timeline_semaphore(true);
    let mut first = vk::PhysicalDeviceMultiviewFeatures::default();
    first.p_next = link(&last).cast_mut();
    // SAFETY: a valid chain.
    unsafe {
        assert_eq!(find::<Timeline>(link(&first)), Some(std::ptr::from_ref(&last)));
        assert_eq!(find::<vk::PhysicalDeviceFeatures2<'_>>(link(&first)), None);
        assert_eq!(find::<Timeline>(std::ptr::null()), None);
    }
}

#[test]
fn the_first_link_is_replaced_without_a_copy() {
    let rest = vk::PhysicalDeviceMultiviewFeatures::default();
    let mut old = Timeline::default();
    old.p_next = link(&rest).cast_mut();
    let new = old.timeline_semaphore(true);
    // SAFETY: a valid chain that contains `old`.
    let (prefix, chain) =
        unsafe { Prefix::replacing(link(&old), link(&old), link(&new)) }.expect("known");
    assert_eq!((prefix.len(), chain), (0, link(&new)));
    assert_eq!(types(chain), [TIMELINE, MULTIVIEW]);
}

#[test]
fn a_middle_link_is_replaced_behind_copies() {
    let rest = vk::PhysicalDeviceMultiviewFeatures::default().multiview(true);
    let mut old = Timeline::default();
    old.p_next = link(&rest).cast_mut();
    let mut second = vk::PhysicalDevice16BitStorageFeatures::default().storage_input_output16(true);
    second.p_next = link(&old).cast_mut();
    let mut first = vk::PhysicalDeviceFeatures2::default();
    first.features.geometry_shader = vk::TRUE;
    first.p_next = link(&second).cast_mut();
    let new = old.timeline_semaphore(true);
    // SAFETY: a valid chain that contains `old`.
    let (prefix, chain) =
        unsafe { Prefix::replacing(link(&first), link(&old), link(&new)) }.expect("known");
    assert_eq!(prefix.len(), 2);
    let features = vk::StructureType::PHYSICAL_DEVICE_FEATURES_2.as_raw();
    assert_eq!(types(chain), [features, STORAGE, TIMELINE, MULTIVIEW]);
    // SAFETY: the copies live in `prefix`.
    unsafe {
        let copy = find::<vk::PhysicalDeviceFeatures2<'static>>(chain).expect("a copy");
        assert_ne!(copy, std::ptr::from_ref(&first).cast());
        assert_eq!((*copy).features.geometry_shader, vk::TRUE);
        let copy = find::<vk::PhysicalDevice16BitStorageFeatures<'static>>(chain).expect("it");
        assert_eq!((*copy).storage_input_output16, vk::TRUE);
        assert_eq!(find::<Timeline>(chain), Some(std::ptr::from_ref(&new)));
    }
    // The program's own chain is as it was.
    assert_eq!(types(link(&first)), [features, STORAGE, TIMELINE, MULTIVIEW]);
    assert_eq!((first.p_next, second.p_next), (link(&second).cast_mut(), link(&old).cast_mut()));
    assert_eq!(old.timeline_semaphore, vk::FALSE);
}

#[test]
fn an_unknown_structure_in_the_way_is_not_copied() {
    let old = Timeline::default();
    let mut unknown = vk::BaseInStructure::default();
    unknown.s_type = vk::StructureType::from_raw(1_000_999_000);
    unknown.p_next = link(&old).cast();
    let new = Timeline::default().timeline_semaphore(true);
    // SAFETY: a valid chain that contains `old`.
    let replaced = unsafe { Prefix::replacing(link(&unknown), link(&old), link(&new)) };
    assert!(replaced.is_none());
}

#[test]
fn an_unknown_structure_behind_it_is_not_touched() {
    let mut unknown = vk::BaseInStructure::default();
    unknown.s_type = vk::StructureType::from_raw(1_000_999_000);
    let mut old = Timeline::default();
    old.p_next = link(&unknown).cast_mut();
    let new = old.timeline_semaphore(true);
    // SAFETY: a valid chain that contains `old`.
    let (_, chain) =
        unsafe { Prefix::replacing(link(&old), link(&old), link(&new)) }.expect("known");
    assert_eq!(types(chain), [TIMELINE, unknown.s_type.as_raw()]);
}
