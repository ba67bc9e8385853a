//! What was this driver told to do wrong? `UNWEDGE_FAKE_ICD="key=value,key=value"`, read when an instance is created.
//!
//! Ordinals count from 1, on each device separately. Batches, fence signals and semaphore signals are numbered when they are
//! submitted, so that a single-threaded program always meets the fault at the same place.

use ash::vk;
use std::ffi::CStr;
use std::time::Duration;

/// The environment variable that holds the script.
const VARIABLE: &str = "UNWEDGE_FAKE_ICD";

/// How long `hang-pipeline=1` keeps a pipeline creation, unless `pipeline-ms` says otherwise.
const PIPELINE_DEFAULT: Duration = Duration::from_secs(3);

/// The most queues that may be asked for.
const QUEUES_MAX: u32 = 64;

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
    /// `fail-submit=N[:RESULT]`: the N-th submission call returns this and does nothing.
    pub(crate) fail_submit: Option<(u64, vk::Result)>,
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
            fail_submit: None,
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
            "fail-submit" => self.fail_submit = Some(failure(key, value)?),
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

fn number(key: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("{key}: '{value}' is not a number"))
}

fn ordinal(key: &str, value: &str) -> Result<u64, String> {
    match number(key, value)? {
        0 => Err(format!("{key}: counting starts at 1")),
        ordinal => Ok(ordinal),
    }
}

fn milliseconds(key: &str, value: &str) -> Result<Duration, String> {
    number(key, value).map(Duration::from_millis)
}

fn switch(key: &str, value: &str) -> Result<bool, String> {
    match value {
        "on" | "1" => Ok(true),
        "off" | "0" => Ok(false),
        _ => Err(format!("{key}: '{value}' is neither on nor off")),
    }
}

fn queue_count(value: &str) -> Result<u32, String> {
    match value.parse() {
        Ok(count) if (1..=QUEUES_MAX).contains(&count) => Ok(count),
        _ => Err(format!("queues: '{value}' is not a number from 1 to {QUEUES_MAX}")),
    }
}

fn failure(key: &str, value: &str) -> Result<(u64, vk::Result), String> {
    let Some((when, result)) = value.split_once(':') else {
        return Ok((ordinal(key, value)?, vk::Result::ERROR_OUT_OF_HOST_MEMORY));
    };
    match result.parse() {
        Ok(raw) if raw < 0 => Ok((ordinal(key, when)?, vk::Result::from_raw(raw))),
        _ => Err(format!("{key}: '{result}' is not a negative VkResult")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test says what it expects")]
mod tests {
    use super::*;

    #[test]
    fn an_empty_script_is_a_good_driver() {
        assert_eq!(Script::parse("").unwrap(), Script::default());
    }

    #[test]
    fn every_key_is_understood() {
        let script = Script::parse(
            "timeline=off,queues=2,exec-ms=5,drop-fence=1,drop-semaphore=2,fail-submit=3:-4,stall=4,busy=5,\
             acquire-out-of-date=6,withhold-after=0,lost-at=8,hang-pipeline=1,hang-join=1",
        )
        .unwrap();
        let expected = Script {
            timeline: false,
            queues: 2,
            execution: Duration::from_millis(5),
            drop_fence: Some(1),
            drop_semaphore: Some(2),
            fail_submit: Some((3, vk::Result::ERROR_DEVICE_LOST)),
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
            "colour=red",
            "timeline=maybe",
        ] {
            assert!(Script::parse(text).is_err(), "{text}");
        }
    }
}
