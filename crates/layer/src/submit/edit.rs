//! A submit with a breadcrumb in its last info, or with an injected fault: copies of the program's
//! structures, never changes to them. No submit is split and none is added.

use std::ffi::c_void;

use ash::vk;

use crate::chain::{self, Prefix};
use crate::crumbs::slice;

type Timeline = vk::TimelineSemaphoreSubmitInfo<'static>;

/// What to change in one submit info.
#[derive(Default)]
pub(crate) struct Change {
    /// Signals to add: semaphore and value.
    pub(crate) add_signal: Option<(vk::Semaphore, u64)>,
    /// A wait to add: semaphore and value.
    pub(crate) add_wait: Option<(vk::Semaphore, u64)>,
    /// Places of signals to leave out.
    pub(crate) drop_signals: Vec<usize>,
}

impl Change {
    fn is_none(&self) -> bool {
        self.add_signal.is_none() && self.add_wait.is_none() && self.drop_signals.is_empty()
    }
}

/// The value of each wait and signal of a `VkSubmitInfo`, from its chain; 0 where it has none.
pub(crate) struct Values<'a> {
    pub(crate) waits: &'a [u64],
    pub(crate) signals: &'a [u64],
}

impl Values<'_> {
    /// # Safety
    /// `chain` is a valid chain of a `VkSubmitInfo` or `VkBindSparseInfo`.
    pub(crate) unsafe fn of(chain: *const c_void) -> Self {
        // SAFETY: the caller's promise; counts and arrays agree.
        unsafe {
            chain::find::<Timeline>(chain).map_or(Self { waits: &[], signals: &[] }, |found| Self {
                waits: slice((*found).p_wait_semaphore_values, (*found).wait_semaphore_value_count),
                signals: slice(
                    (*found).p_signal_semaphore_values,
                    (*found).signal_semaphore_value_count,
                ),
            })
        }
    }
}

/// Copies that stand in for parts of one `VkSubmitInfo`.
pub(crate) struct Edited1 {
    semaphores: Vec<vk::Semaphore>,
    stages: Vec<vk::PipelineStageFlags>,
    values: Vec<u64>,
    waits: usize,
    timeline: Box<Timeline>,
    prefix: Option<Prefix>,
}

impl Edited1 {
    /// Applies a change to `info`. `None` leaves `info` as it is: nothing to change, or structures in
    /// its chain that cannot be copied, or arrays of a device group that would have to grow.
    ///
    /// # Safety
    /// `info` is valid, and it and what it points to outlive the result.
    pub(crate) unsafe fn apply(info: &mut vk::SubmitInfo<'_>, change: &Change) -> Option<Self> {
        if change.is_none() {
            return None;
        }
        // SAFETY: the caller's promise; counts and arrays agree.
        unsafe {
            if chain::find::<vk::DeviceGroupSubmitInfo<'static>>(info.p_next).is_some() {
                return None;
            }
            let values = Values::of(info.p_next);
            let waits = slice(info.p_wait_semaphores, info.wait_semaphore_count);
            let signals = slice(info.p_signal_semaphores, info.signal_semaphore_count);
            let value = |list: &[u64], place: usize| list.get(place).copied().unwrap_or(0);
            let room = waits.len() + signals.len() + 2;
            let mut edited = Self {
                semaphores: Vec::with_capacity(room),
                stages: Vec::new(),
                values: Vec::with_capacity(room),
                waits: 0,
                timeline: Box::new(Timeline::default()),
                prefix: None,
            };
            for (place, semaphore) in waits.iter().enumerate() {
                edited.push(*semaphore, value(values.waits, place));
            }
            if let Some((semaphore, at)) = change.add_wait {
                edited.push(semaphore, at);
                edited.stages =
                    slice(info.p_wait_dst_stage_mask, info.wait_semaphore_count).to_vec();
                edited.stages.push(vk::PipelineStageFlags::ALL_COMMANDS);
                info.p_wait_dst_stage_mask = edited.stages.as_ptr();
            }
            edited.waits = edited.semaphores.len();
            for (place, semaphore) in signals.iter().enumerate() {
                if !change.drop_signals.contains(&place) {
                    edited.push(*semaphore, value(values.signals, place));
                }
            }
            if let Some((semaphore, at)) = change.add_signal {
                edited.push(semaphore, at);
            }
            edited.install(info)?;
            Some(edited)
        }
    }

    fn push(&mut self, semaphore: vk::Semaphore, value: u64) {
        self.semaphores.push(semaphore);
        self.values.push(value);
    }

    /// Points `info` to the copies.
    ///
    /// # Safety
    /// As [`Self::apply`].
    unsafe fn install(&mut self, info: &mut vk::SubmitInfo<'_>) -> Option<()> {
        let waits = self.waits;
        let signals = self.semaphores.len() - waits;
        self.timeline.wait_semaphore_value_count = waits as u32;
        self.timeline.p_wait_semaphore_values = self.values.as_ptr();
        self.timeline.signal_semaphore_value_count = signals as u32;
        // SAFETY: `waits` elements are before the signals in both lists.
        self.timeline.p_signal_semaphore_values = unsafe { self.values.as_ptr().add(waits) };
        let ours = std::ptr::from_ref(&*self.timeline).cast::<c_void>();
        // SAFETY: the caller's promise.
        match unsafe { chain::find::<Timeline>(info.p_next) } {
            Some(old) => {
                // SAFETY: `old` is in the chain of `info`.
                let (prefix, chain) = unsafe {
                    self.timeline.p_next = (*old).p_next;
                    Prefix::replacing(info.p_next, old.cast(), ours)?
                };
                self.prefix = Some(prefix);
                info.p_next = chain;
            }
            None => {
                self.timeline.p_next = info.p_next;
                info.p_next = ours;
            }
        }
        info.wait_semaphore_count = waits as u32;
        info.p_wait_semaphores = self.semaphores.as_ptr();
        info.signal_semaphore_count = signals as u32;
        // SAFETY: as above.
        info.p_signal_semaphores = unsafe { self.semaphores.as_ptr().add(waits) };
        Some(())
    }
}

/// Copies that stand in for parts of one `VkSubmitInfo2`.
pub(crate) struct Edited2 {
    waits: Vec<vk::SemaphoreSubmitInfo<'static>>,
    signals: Vec<vk::SemaphoreSubmitInfo<'static>>,
}

impl Edited2 {
    /// As [`Edited1::apply`]; here nothing stands in the way.
    ///
    /// # Safety
    /// `info` is valid, and it and what it points to outlive the result.
    pub(crate) unsafe fn apply(info: &mut vk::SubmitInfo2<'_>, change: &Change) -> Option<Self> {
        if change.is_none() {
            return None;
        }
        type List = *const vk::SemaphoreSubmitInfo<'static>;
        // SAFETY: the caller's promise; counts and arrays agree.
        let (waits, signals) = unsafe {
            (
                slice(info.p_wait_semaphore_infos as List, info.wait_semaphore_info_count),
                slice(info.p_signal_semaphore_infos as List, info.signal_semaphore_info_count),
            )
        };
        let mut edited = Self { waits: Vec::new(), signals: Vec::with_capacity(signals.len() + 1) };
        let operation = |(semaphore, value): (vk::Semaphore, u64)| {
            vk::SemaphoreSubmitInfo::default()
                .semaphore(semaphore)
                .value(value)
                .stage_mask(vk::PipelineStageFlags2::ALL_COMMANDS)
        };
        if let Some(wait) = change.add_wait {
            edited.waits.extend_from_slice(waits);
            edited.waits.push(operation(wait));
            info.wait_semaphore_info_count = edited.waits.len() as u32;
            info.p_wait_semaphore_infos = edited.waits.as_ptr();
        }
        let kept = signals.iter().enumerate().filter(|(at, _)| !change.drop_signals.contains(at));
        edited.signals.extend(kept.map(|(_, signal)| *signal));
        edited.signals.extend(change.add_signal.map(operation));
        info.signal_semaphore_info_count = edited.signals.len() as u32;
        info.p_signal_semaphore_infos = edited.signals.as_ptr();
        Some(edited)
    }
}

#[cfg(test)]
mod tests;
