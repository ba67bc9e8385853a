//! Do changed submits say what the program said, plus the change?
#![allow(clippy::field_reassign_with_default, reason = "chains are linked after the fact")]

use ash::vk::{self, Handle as _};

use super::{Change, Edited1, Edited2, Timeline, Values};
use crate::chain;
use crate::crumbs::slice;

fn semaphores(handles: &[u64]) -> Vec<vk::Semaphore> {
    handles.iter().map(|handle| vk::Semaphore::from_raw(*handle)).collect()
}

fn crumb() -> Change {
    Change { add_signal: Some((vk::Semaphore::from_raw(0xc), 7)), ..Change::default() }
}

/// Waits and signals of an info, with their values.
type Operations = (Vec<(u64, u64)>, Vec<(u64, u64)>);

fn operations(info: &vk::SubmitInfo<'_>) -> Operations {
    // SAFETY: counts and arrays of these tests agree.
    unsafe {
        let values = Values::of(info.p_next);
        let waits = slice(info.p_wait_semaphores, info.wait_semaphore_count);
        let signals = slice(info.p_signal_semaphores, info.signal_semaphore_count);
        assert!(values.waits.is_empty() || values.waits.len() == waits.len());
        assert!(values.signals.is_empty() || values.signals.len() == signals.len());
        let pairs = |list: &[vk::Semaphore], values: &[u64]| {
            let value = |place| values.get(place).copied().unwrap_or(0);
            list.iter().enumerate().map(|(at, s)| (s.as_raw(), value(at))).collect()
        };
        (pairs(waits, values.waits), pairs(signals, values.signals))
    }
}

/// A program's submit: waits 1 and 2, signals 3 and 4, with values where it gives some.
fn edited(values: Option<(&[u64], &[u64])>, change: &Change, check: impl Fn(&vk::SubmitInfo<'_>)) {
    let (waits, signals) = (semaphores(&[1, 2]), semaphores(&[3, 4]));
    let stages = [vk::PipelineStageFlags::TRANSFER, vk::PipelineStageFlags::VERTEX_SHADER];
    let mut timeline = vk::TimelineSemaphoreSubmitInfo::default();
    let mut protected = vk::ProtectedSubmitInfo::default().protected_submit(true);
    let mut info = vk::SubmitInfo::default()
        .wait_semaphores(&waits)
        .wait_dst_stage_mask(&stages)
        .signal_semaphores(&signals);
    if let Some((waits, signals)) = values {
        timeline = timeline.wait_semaphore_values(waits).signal_semaphore_values(signals);
        info = info.push_next(&mut timeline);
    }
    info = info.push_next(&mut protected);
    let before = info;
    let mut copy = info;
    // SAFETY: the info is valid and outlives the edit.
    let edit = unsafe { Edited1::apply(&mut copy, change) };
    assert!(edit.is_some());
    // SAFETY: the chain is valid while `edit` is.
    let kept = unsafe { chain::find::<vk::ProtectedSubmitInfo<'static>>(copy.p_next) };
    // SAFETY: as above.
    assert!(kept.is_some_and(|kept| unsafe { (*kept).protected_submit } == vk::TRUE));
    check(&copy);
    // What the program passed is untouched.
    let expected = values.map_or(((0, 0), (0, 0)), |(w, s)| ((w[0], w[1]), (s[0], s[1])));
    let ((w1, w2), (s1, s2)) = expected;
    assert_eq!(operations(&before), (vec![(1, w1), (2, w2)], vec![(3, s1), (4, s2)]));
}

#[test]
fn nothing_to_change_changes_nothing() {
    let mut info = vk::SubmitInfo::default();
    // SAFETY: an empty info is valid.
    assert!(unsafe { Edited1::apply(&mut info, &Change::default()) }.is_none());
    let mut info = vk::SubmitInfo2::default();
    // SAFETY: as above.
    assert!(unsafe { Edited2::apply(&mut info, &Change::default()) }.is_none());
}

#[test]
fn a_crumb_goes_to_the_end() {
    edited(None, &crumb(), |info| {
        assert_eq!(operations(info), (vec![(1, 0), (2, 0)], vec![(3, 0), (4, 0), (0xc, 7)]));
    });
    edited(Some((&[11, 12], &[13, 14])), &crumb(), |info| {
        let signals = vec![(3, 13), (4, 14), (0xc, 7)];
        assert_eq!(operations(info), (vec![(1, 11), (2, 12)], signals));
    });
}

#[test]
fn a_crumb_alone() {
    let mut info = vk::SubmitInfo::default();
    // SAFETY: an empty info is valid.
    let edit = unsafe { Edited1::apply(&mut info, &crumb()) };
    assert!(edit.is_some());
    assert_eq!(operations(&info), (vec![], vec![(0xc, 7)]));
    assert!(info.p_wait_dst_stage_mask.is_null());
}

#[test]
fn a_timeline_info_that_is_too_short_is_filled_up() {
    let signals = semaphores(&[3, 4]);
    let mut timeline = vk::TimelineSemaphoreSubmitInfo::default().signal_semaphore_values(&[13]);
    let mut info = vk::SubmitInfo::default().signal_semaphores(&signals).push_next(&mut timeline);
    // SAFETY: the info outlives the edit.
    let edit = unsafe { Edited1::apply(&mut info, &crumb()) };
    assert!(edit.is_some());
    assert_eq!(operations(&info).1, [(3, 13), (4, 0), (0xc, 7)]);
}

#[test]
fn dropped_signals_are_left_out_with_their_values() {
    let change = Change { drop_signals: vec![0], ..crumb() };
    edited(Some((&[11, 12], &[13, 14])), &change, |info| {
        assert_eq!(operations(info), (vec![(1, 11), (2, 12)], vec![(4, 14), (0xc, 7)]));
    });
    let change = Change { drop_signals: vec![0, 1], ..Change::default() };
    edited(None, &change, |info| {
        assert_eq!(operations(info), (vec![(1, 0), (2, 0)], vec![]));
    });
}

#[test]
fn an_added_wait_comes_with_its_stages() {
    let wait = Some((vk::Semaphore::from_raw(0xa), 9));
    let change = Change { add_wait: wait, ..crumb() };
    edited(Some((&[11, 12], &[13, 14])), &change, |info| {
        let waits = vec![(1, 11), (2, 12), (0xa, 9)];
        assert_eq!(operations(info), (waits, vec![(3, 13), (4, 14), (0xc, 7)]));
        // SAFETY: as many stages as waits.
        let stages = unsafe { slice(info.p_wait_dst_stage_mask, info.wait_semaphore_count) };
        let expected = [
            vk::PipelineStageFlags::TRANSFER,
            vk::PipelineStageFlags::VERTEX_SHADER,
            vk::PipelineStageFlags::ALL_COMMANDS,
        ];
        assert!(stages == expected);
    });
}

#[test]
fn what_cannot_be_copied_is_left_alone() {
    let mut group = vk::DeviceGroupSubmitInfo::default();
    let mut info = vk::SubmitInfo::default().push_next(&mut group);
    // SAFETY: the info is valid.
    assert!(unsafe { Edited1::apply(&mut info, &crumb()) }.is_none());
    // An unknown structure before the program's values would have to be copied.
    let timeline = Timeline::default();
    let mut unknown = vk::BaseInStructure::default();
    unknown.s_type = vk::StructureType::from_raw(1_000_999_000);
    unknown.p_next = std::ptr::from_ref(&timeline).cast();
    let mut info = vk::SubmitInfo::default();
    info.p_next = std::ptr::from_ref(&unknown).cast();
    // SAFETY: as above.
    assert!(unsafe { Edited1::apply(&mut info, &crumb()) }.is_none());
    // Without values there is nothing to copy.
    unknown.p_next = std::ptr::null();
    info.p_next = std::ptr::from_ref(&unknown).cast();
    // SAFETY: as above.
    let edit = unsafe { Edited1::apply(&mut info, &crumb()) };
    assert!(edit.is_some());
}

/// Semaphore, value and stages of each operation.
fn second(list: *const vk::SemaphoreSubmitInfo<'_>, count: u32) -> Vec<(u64, u64, u64)> {
    // SAFETY: counts and arrays of these tests agree.
    let list = unsafe { slice(list, count) };
    list.iter().map(|s| (s.semaphore.as_raw(), s.value, s.stage_mask.as_raw())).collect()
}

#[test]
fn the_second_kind_of_submit() {
    let operation = |handle, value| {
        vk::SemaphoreSubmitInfo::default()
            .semaphore(vk::Semaphore::from_raw(handle))
            .value(value)
            .stage_mask(vk::PipelineStageFlags2::COPY)
    };
    let (waits, signals) = ([operation(1, 11)], [operation(3, 13), operation(4, 14)]);
    let info =
        vk::SubmitInfo2::default().wait_semaphore_infos(&waits).signal_semaphore_infos(&signals);
    let copy = vk::PipelineStageFlags2::COPY.as_raw();
    let all = vk::PipelineStageFlags2::ALL_COMMANDS.as_raw();

    let mut changed = info;
    // SAFETY: the info is valid and outlives the edit.
    let edit = unsafe { Edited2::apply(&mut changed, &crumb()) };
    assert!(edit.is_some());
    let found = second(changed.p_signal_semaphore_infos, changed.signal_semaphore_info_count);
    assert_eq!(found, [(3, 13, copy), (4, 14, copy), (0xc, 7, all)]);
    assert_eq!(changed.p_wait_semaphore_infos, info.p_wait_semaphore_infos);

    let wait = Some((vk::Semaphore::from_raw(0xa), 9));
    let change = Change { add_wait: wait, drop_signals: vec![1], add_signal: None };
    let mut changed = info;
    // SAFETY: as above.
    let edit = unsafe { Edited2::apply(&mut changed, &change) };
    assert!(edit.is_some());
    let found = second(changed.p_wait_semaphore_infos, changed.wait_semaphore_info_count);
    assert_eq!(found, [(1, 11, copy), (0xa, 9, all)]);
    let found = second(changed.p_signal_semaphore_infos, changed.signal_semaphore_info_count);
    assert_eq!(found, [(3, 13, copy)]);
    assert_eq!((signals.len(), signals[1].value), (2, 14));
}
