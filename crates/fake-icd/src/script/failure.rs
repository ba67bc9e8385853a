//! Which call is to return what? `fail=CALL:N[+][:RESULT]`.

use crate::calls::{self, ANYWHERE, CALLS, Call};
use ash::vk;

/// One scripted result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The row of the call in [`CALLS`].
    pub(crate) call: usize,
    /// The first call that it meets, counted from 1.
    pub(crate) at: u64,
    /// Whether it meets all later ones too.
    pub(crate) onwards: bool,
    pub(crate) result: vk::Result,
}

impl Failure {
    /// Reads what stands behind `fail=`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        let name = parts.next().unwrap_or_default();
        let index = calls::index_of(name).ok_or_else(|| {
            let known: Vec<_> = CALLS.iter().map(Call::name).collect();
            format!("fail: '{name}' is none of {}", known.join(", "))
        })?;
        let when = parts.next().unwrap_or("1");
        let (number, onwards) =
            when.strip_suffix('+').map_or((when, false), |number| (number, true));
        let at = super::values::ordinal("fail", number)?;
        let result = match parts.next() {
            None => first_error(&CALLS[index]),
            Some(text) => result(&CALLS[index], text)?,
        };
        Ok(Self { call: index, at, onwards, result })
    }

    pub(crate) fn meets(&self, call: usize, ordinal: u64) -> bool {
        self.call == call && (self.at == ordinal || self.onwards && self.at < ordinal)
    }
}

/// What a call returns if the script names no result.
fn first_error(call: &Call) -> vk::Result {
    call.errors.first().copied().unwrap_or(vk::Result::ERROR_UNKNOWN)
}

/// A result that the specification allows, by name or number; any other error only by number.
fn result(call: &Call, text: &str) -> Result<vk::Result, String> {
    let result = calls::result(text).ok_or_else(|| format!("fail: '{text}' is no result"))?;
    let listed = call.results().chain(ANYWHERE.iter().copied()).any(|allowed| allowed == result);
    let by_number = text.parse::<i32>().is_ok_and(|raw| raw < 0);
    if listed || by_number {
        return Ok(result);
    }
    let allowed: Vec<_> = call.results().map(calls::result_name).collect();
    Err(format!("fail: {} never returns {text}, but {}", call.name(), allowed.join(", ")))
}
