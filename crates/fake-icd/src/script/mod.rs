//! What was this driver told to do wrong? `UNWEDGE_FAKE_ICD="key=value,key=value"`, read when an instance is created.
//!
//! Ordinals count from 1, on each device separately, except those of `fail`, which count over the whole instance: a program that
//! makes a new device after a fault does not meet the same fault again. Batches, fence signals and semaphore signals are numbered when
//! they are submitted, so that a single-threaded program always meets the fault at the same place.

mod failure;
mod values;

pub(crate) use failure::Failure;

use crate::calls::Which;
use ash::vk;
use std::ffi::CStr;
use std::time::Duration;
use values::{milliseconds, number, ordinal, queue_count, switch, word};

/// The environment variable that holds the script.
const VARIABLE: &str = "UNWEDGE_FAKE_ICD";

/// How long `hang-pipeline=1` keeps a pipeline creation, unless `pipeline-ms` says otherwise.
const PIPELINE_DEFAULT: Duration = Duration::from_secs(3);

const EXECUTE: &[(&str, Execute)] =
    &[("threads", Execute::Threads), ("early", Execute::Early), ("late", Execute::Late)];

const CHECK: &[(&str, Check)] =
    &[("off", Check::Off), ("quiet", Check::Quiet), ("on", Check::On), ("abort", Check::Abort)];

/// When is submitted work done?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Execute {
    /// By a thread for each queue, as soon as it can.
    Threads,
    /// By the call that submits it or that ends its wait: always before the program looks. No threads.
    Early,
    /// By the call that waits for it, and no more of it than that wait needs: nothing is ever done sooner than the program
    /// knows. No threads.
    Late,
}

/// What happens to broken rules of valid usage?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Off,
    /// They are kept for [`crate::violations`].
    Quiet,
    /// They are told on standard error as well.
    On,
    /// The first one is told, then the process aborts: a debugger or a core file shows who.
    Abort,
}

/// The faults and dimensions of one instance and its devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// `timeline=off`: a Vulkan 1.1 device without timeline semaphores.
    pub(crate) timeline: bool,
    /// `queues=N`: how many queues the one family has.
    pub(crate) queues: u32,
    /// `exec-ms=N`: how long a batch with a command buffer executes.
    pub(crate) execution: Duration,
    /// `drop-fence=N`: the N-th fence given to a submission is never signalled by it.
    pub(crate) drop_fence: Option<u64>,
    /// `drop-semaphore=N`: the N-th timeline signal operation never happens.
    pub(crate) drop_semaphore: Option<u64>,
    /// `fail=CALL:N[+][:RESULT]`, any number of times: the N-th call (with `+` all later ones too) returns this, with the side effects
    /// that the specification gives the result; see [`crate::CALLS`] for the calls and results. `DEVICE_LOST` loses the device; a
    /// `TIMEOUT` lasts as long as the time-out; an error of an acquire or a wait changes nothing else; a present that is refused by the
    /// engine executes its waits and gives the image back, one that runs out of memory does neither; a failed
    /// `vkCreateSwapchainKHR` retires the old swapchain; after a failed `vkEndCommandBuffer` the command buffer is invalid.
    /// `fail-submit=N[:NUMBER]` is `fail=vkQueueSubmit:N[:NUMBER]`.
    pub(crate) failures: Vec<Failure>,
    /// `sticky=off`: `OUT_OF_DATE` and `SURFACE_LOST` of `fail` are for the one call. Otherwise the swapchain stays out of date and
    /// the surface stays lost.
    pub(crate) sticky: bool,
    /// `failed-reset=resets|keeps`: whether fences are unsignalled after a `vkResetFences` that failed. Vulkan does not say.
    pub(crate) failed_reset_resets: bool,
    /// `timeouts=late|early`: whether a scripted `TIMEOUT` comes when the time is up or at once.
    pub(crate) timeouts_early: bool,
    /// `lost-waits=fail|succeed`: what waits on a lost device return; Vulkan allows both.
    pub(crate) lost_waits_succeed: bool,
    /// `lost-submit=drops|executes`: whether what a submission brought is executed, as far as it can be, if the submission returns
    /// `DEVICE_LOST`; Vulkan allows both. Queue threads always drop it.
    pub(crate) lost_submit_executes: bool,
    /// `execute=threads|early|late`: when submitted work is done.
    pub(crate) execute: Execute,
    /// `engine=free|hold`: whether the engine keeps the image that it shows until the next one is presented, as real ones do.
    pub(crate) engine_holds: bool,
    /// `check=off|quiet|on|abort`: whether broken rules of valid usage are noticed, and what is done about them.
    pub(crate) check: Check,
    /// `stall=N`: the queue that meets batch N stops there, idle, for ever.
    pub(crate) stall: Option<u64>,
    /// `busy=N`: the queue that meets batch N executes it for ever, at full speed.
    pub(crate) busy: Option<u64>,
    /// `acquire-out-of-date=N`: the swapchain of the N-th acquire is out of date from then on.
    pub(crate) acquire_out_of_date: Option<u64>,
    /// `withhold-after=N`: what is presented once N images were acquired is neither shown nor given back.
    pub(crate) withhold_after: Option<u64>,
    /// `lost-at=N`: batch N loses the device.
    pub(crate) lost_at: Option<u64>,
    /// `hang-pipeline=1`, `pipeline-ms=N`: how long a pipeline creation takes.
    pub(crate) pipeline: Duration,
    /// `hang-join=1`: joining a deferred operation never returns.
    pub(crate) hang_join: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            timeline: true,
            queues: 4,
            execution: Duration::ZERO,
            drop_fence: None,
            drop_semaphore: None,
            failures: Vec::new(),
            sticky: true,
            failed_reset_resets: true,
            timeouts_early: false,
            lost_waits_succeed: false,
            lost_submit_executes: false,
            execute: Execute::Threads,
            engine_holds: false,
            check: Check::Off,
            stall: None,
            busy: None,
            acquire_out_of_date: None,
            withhold_after: None,
            lost_at: None,
            pipeline: Duration::ZERO,
            hang_join: false,
        }
    }
}

impl Script {
    /// The script in the environment; an absent variable is an empty script.
    pub(crate) fn from_environment() -> Result<Self, String> {
        match std::env::var(VARIABLE) {
            Ok(text) => Self::parse(&text).map_err(|problem| format!("{VARIABLE}: {problem}")),
            Err(std::env::VarError::NotPresent) => Ok(Self::default()),
            Err(std::env::VarError::NotUnicode(_)) => Err(format!("{VARIABLE}: not unicode")),
        }
    }

    /// The script that came with the instance.
    pub(crate) fn from_link(text: &CStr) -> Result<Self, String> {
        Self::parse(text.to_str().map_err(|_| "the script is not unicode".to_owned())?)
    }

    /// The API version of the device.
    pub(crate) fn api_version(&self) -> u32 {
        if self.timeline {
            vk::make_api_version(0, 1, 3, 281)
        } else {
            vk::make_api_version(0, 1, 1, 281)
        }
    }

    /// What this call returns, if the script has something for it.
    pub(crate) fn failure(&self, call: Which, ordinal: u64) -> Option<vk::Result> {
        let met = self.failures.iter().find(|failure| failure.meets(call as usize, ordinal));
        met.map(|failure| failure.result)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut script = Self::default();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            let (key, value) =
                item.split_once('=').ok_or_else(|| format!("'{item}' is not key=value"))?;
            script.set(key, value)?;
        }
        Ok(script)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "timeline" => self.timeline = switch(key, value)?,
            "queues" => self.queues = queue_count(value)?,
            "exec-ms" => self.execution = milliseconds(key, value)?,
            "drop-fence" => self.drop_fence = Some(ordinal(key, value)?),
            "drop-semaphore" => self.drop_semaphore = Some(ordinal(key, value)?),
            "fail" => self.failures.push(Failure::parse(value)?),
            "fail-submit" => self.failures.push(Failure::parse(&format!("vkQueueSubmit:{value}"))?),
            "sticky" => self.sticky = switch(key, value)?,
            "failed-reset" => {
                self.failed_reset_resets = word(key, value, &[("resets", true), ("keeps", false)])?;
            }
            "timeouts" => {
                self.timeouts_early = word(key, value, &[("late", false), ("early", true)])?;
            }
            "lost-waits" => {
                self.lost_waits_succeed = word(key, value, &[("fail", false), ("succeed", true)])?;
            }
            "lost-submit" => {
                self.lost_submit_executes =
                    word(key, value, &[("drops", false), ("executes", true)])?;
            }
            "execute" => self.execute = word(key, value, EXECUTE)?,
            "engine" => self.engine_holds = word(key, value, &[("free", false), ("hold", true)])?,
            "check" => self.check = word(key, value, CHECK)?,
            "stall" => self.stall = Some(ordinal(key, value)?),
            "busy" => self.busy = Some(ordinal(key, value)?),
            "acquire-out-of-date" => self.acquire_out_of_date = Some(ordinal(key, value)?),
            // Zero is sensible here: nothing presented ever comes back.
            "withhold-after" => self.withhold_after = Some(number(key, value)?),
            "lost-at" => self.lost_at = Some(ordinal(key, value)?),
            "hang-pipeline" if !switch(key, value)? => self.pipeline = Duration::ZERO,
            "hang-pipeline" if self.pipeline.is_zero() => self.pipeline = PIPELINE_DEFAULT,
            "hang-pipeline" => {}
            "pipeline-ms" => self.pipeline = milliseconds(key, value)?,
            "hang-join" => self.hang_join = switch(key, value)?,
            _ => return Err(format!("unknown key '{key}'")),
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test says what it expects")]
mod tests {
    use super::*;

    fn failure(call: &str, at: u64, onwards: bool, result: vk::Result) -> Failure {
        Failure { call: crate::calls::index_of(call).unwrap(), at, onwards, result }
    }

    #[test]
    fn a_failure_without_a_result_is_the_first_that_the_call_may_have() {
        let of = |text| Failure::parse(text).unwrap();
        let device = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;
        assert_eq!(of("vkResetFences:4"), failure("ResetFences", 4, false, device));
        assert_eq!(of("QueueSubmit2").result, vk::Result::ERROR_OUT_OF_HOST_MEMORY);
    }

    #[test]
    fn an_empty_script_is_a_good_driver() {
        assert_eq!(Script::parse("").unwrap(), Script::default());
    }

    #[test]
    fn every_key_is_understood() {
        let script = Script::parse(
            "timeline=off,queues=2,exec-ms=5,drop-fence=1,drop-semaphore=2,fail-submit=3:-4,stall=4,busy=5,\
             acquire-out-of-date=6,withhold-after=0,lost-at=8,hang-pipeline=1,hang-join=1,\
             fail=QueuePresentKHR:2+:SUBOPTIMAL,sticky=off,failed-reset=keeps,timeouts=early,lost-waits=succeed,\
             lost-submit=executes,execute=late,engine=hold,check=abort",
        )
        .unwrap();
        let expected = Script {
            timeline: false,
            queues: 2,
            execution: Duration::from_millis(5),
            drop_fence: Some(1),
            drop_semaphore: Some(2),
            failures: vec![
                failure("QueueSubmit", 3, false, vk::Result::ERROR_DEVICE_LOST),
                failure("QueuePresentKHR", 2, true, vk::Result::SUBOPTIMAL_KHR),
            ],
            sticky: false,
            failed_reset_resets: false,
            timeouts_early: true,
            lost_waits_succeed: true,
            lost_submit_executes: true,
            execute: Execute::Late,
            engine_holds: true,
            check: Check::Abort,
            stall: Some(4),
            busy: Some(5),
            acquire_out_of_date: Some(6),
            withhold_after: Some(0),
            lost_at: Some(8),
            pipeline: PIPELINE_DEFAULT,
            hang_join: true,
        };
        assert_eq!(script, expected);
    }

    #[test]
    fn the_length_of_a_pipeline_hang_may_come_before_or_after_it() {
        for text in ["pipeline-ms=70,hang-pipeline=1", "hang-pipeline=1,pipeline-ms=70"] {
            assert_eq!(Script::parse(text).unwrap().pipeline, Duration::from_millis(70));
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "stall",
            "stall=0",
            "stall=x",
            "queues=0",
            "queues=65",
            "fail-submit=1:7",
            "fail=vkNothing:1",
            "fail=vkQueueSubmit:0",
            "fail=vkQueueSubmit:1:TIMEOUT",
            "fail=vkQueueSubmit:1:BLUE",
            "execute=never",
            "colour=red",
            "timeline=maybe",
        ] {
            assert!(Script::parse(text).is_err(), "{text}");
        }
    }
}
