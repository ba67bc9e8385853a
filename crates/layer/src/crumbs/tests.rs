//! Are timeline semaphores enabled in a copy, and the program's structures left as they are?
#![allow(clippy::field_reassign_with_default, reason = "chains are linked after the fact")]

use std::ffi::c_void;

use ash::vk;

use super::{Features, chain};

type Timeline = vk::PhysicalDeviceTimelineSemaphoreFeatures<'static>;
type Vulkan12 = vk::PhysicalDeviceVulkan12Features<'static>;

fn link<T>(structure: &T) -> *const c_void {
    std::ptr::from_ref(structure).cast()
}

fn with_timeline(chain: *const c_void) -> Option<Features> {
    // SAFETY: the chains of these tests are valid and outlive the result.
    unsafe { Features::with_timeline(chain) }
}

#[test]
fn a_program_that_enables_them_is_left_alone() {
    let timeline = Timeline::default().timeline_semaphore(true);
    let features = with_timeline(link(&timeline)).expect("features");
    assert!(matches!(features, Features::Already(_)));
    assert_eq!(features.chain(), link(&timeline));
    let core = Vulkan12::default().timeline_semaphore(true);
    let features = with_timeline(link(&core)).expect("features");
    assert_eq!(features.chain(), link(&core));
}

#[test]
fn a_program_that_says_nothing_gets_a_structure_in_front() {
    let multiview = vk::PhysicalDeviceMultiviewFeatures::default();
    for chain in [std::ptr::null(), link(&multiview)] {
        let features = with_timeline(chain).expect("features");
        assert!(matches!(features, Features::Added(_)));
        let ours = features.chain().cast::<Timeline>();
        // SAFETY: the structure lives in `features`.
        unsafe {
            assert!(
                (*ours).s_type == vk::StructureType::PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES
            );
            assert_eq!((*ours).timeline_semaphore, vk::TRUE);
            assert_eq!((*ours).p_next.cast_const(), chain);
        }
    }
}

#[test]
fn a_core_structure_that_says_no_is_replaced() {
    let rest = vk::PhysicalDeviceMultiviewFeatures::default().multiview(true);
    let mut core = Vulkan12::default().host_query_reset(true).draw_indirect_count(true);
    core.p_next = link(&rest).cast_mut();
    let mut first = vk::PhysicalDeviceFeatures2::default();
    first.p_next = link(&core).cast_mut();
    for program in [link(&core), link(&first)] {
        let features = with_timeline(program).expect("features");
        assert!(matches!(features, Features::Replaced12(..)));
        // SAFETY: the copies live in `features`.
        unsafe {
            let found = chain::find::<Vulkan12>(features.chain()).expect("a copy");
            assert_ne!(found.cast(), link(&core));
            let words = ((*found).timeline_semaphore, (*found).host_query_reset);
            assert_eq!(words, (vk::TRUE, vk::TRUE));
            assert_eq!((*found).p_next.cast_const(), link(&rest));
        }
        assert_eq!(core.timeline_semaphore, vk::FALSE);
        assert_eq!(first.p_next.cast_const(), link(&core));
    }
}

#[test]
fn a_structure_of_the_extension_that_says_no_is_replaced() {
    let mut timeline = Timeline::default();
    let rest = vk::PhysicalDeviceMultiviewFeatures::default();
    timeline.p_next = link(&rest).cast_mut();
    let mut first = vk::PhysicalDevice16BitStorageFeatures::default();
    first.p_next = link(&timeline).cast_mut();
    let features = with_timeline(link(&first)).expect("features");
    assert!(matches!(features, Features::ReplacedTimeline(..)));
    // SAFETY: the copies live in `features`.
    unsafe {
        let found = chain::find::<Timeline>(features.chain()).expect("a copy");
        assert_eq!((*found).timeline_semaphore, vk::TRUE);
        assert_eq!((*found).p_next.cast_const(), link(&rest));
        assert!(
            chain::find::<vk::PhysicalDevice16BitStorageFeatures<'_>>(features.chain()).is_some()
        );
    }
    assert_eq!(timeline.timeline_semaphore, vk::FALSE);
    assert_eq!(first.p_next.cast_const(), link(&timeline));
}

#[test]
fn behind_an_unknown_structure_nothing_is_replaced() {
    let core = Vulkan12::default();
    let mut unknown = vk::BaseInStructure::default();
    unknown.s_type = vk::StructureType::from_raw(1_000_999_000);
    unknown.p_next = link(&core).cast();
    assert!(with_timeline(link(&unknown)).is_none());
}

#[test]
fn null_arrays_are_empty() {
    // SAFETY: null is allowed.
    assert!(unsafe { super::slice::<u32>(std::ptr::null(), 3) }.is_empty());
    // SAFETY: one element.
    assert_eq!(unsafe { super::slice(&raw const TWO, 1) }, [2]);
}

static TWO: u32 = 2;
