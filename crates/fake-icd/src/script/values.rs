//! How are the values of a script's keys written?

use std::time::Duration;

/// The most queues that may be asked for.
const QUEUES_MAX: u32 = 64;

pub(super) fn number(key: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("{key}: '{value}' is not a number"))
}

pub(super) fn ordinal(key: &str, value: &str) -> Result<u64, String> {
    match number(key, value)? {
        0 => Err(format!("{key}: counting starts at 1")),
        ordinal => Ok(ordinal),
    }
}

pub(super) fn milliseconds(key: &str, value: &str) -> Result<Duration, String> {
    number(key, value).map(Duration::from_millis)
}

pub(super) fn switch(key: &str, value: &str) -> Result<bool, String> {
    match value {
        "on" | "1" => Ok(true),
        "off" | "0" => Ok(false),
        _ => Err(format!("{key}: '{value}' is neither on nor off")),
    }
}

/// One of some words, each with what it stands for.
pub(super) fn word<T: Copy>(key: &str, value: &str, words: &[(&str, T)]) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| *word == value);
    found.map(|&(_, meaning)| meaning).ok_or_else(|| {
        let known: Vec<_> = words.iter().map(|&(word, _)| word).collect();
        format!("{key}: '{value}' is none of {}", known.join(", "))
    })
}

pub(super) fn queue_count(value: &str) -> Result<u32, String> {
    match value.parse() {
        Ok(count) if (1..=QUEUES_MAX).contains(&count) => Ok(count),
        _ => Err(format!("queues: '{value}' is not a number from 1 to {QUEUES_MAX}")),
    }
}
