//! How does a profile make events of somebody else's JSON Lines?
//!
//! A [`Profile`] is a TOML file that says which fields are time, agent, object and name of an event, and what the names
//! mean; `docs/profiles.md` is its reference.

mod apply;
mod error;
mod file;
mod json;
mod learn;
mod plan;
mod reader;
mod section;
mod value;

use json::Value;
use memchr::memchr;
use plan::Plan;

use crate::{BlockReader, Format, Reading};
pub use error::ProfileError;

/// an emulator's trace of a guest kernel in JSON Lines.
pub const GUEST_KERNEL: Format = Format {
    name: "guest-kernel",
    title: "an emulator's trace of a guest kernel in JSON Lines",
    detect: |start| guest_kernel().is_ok_and(|profile| profile.detect(start)),
    open: |_| {
        let profile = guest_kernel().map_err(|error| error.to_string())?;
        Ok(Reading::Blocks(profile.open()))
    },
};

/// The profile of [`GUEST_KERNEL`], as an example and to start from.
pub const GUEST_KERNEL_TOML: &str = include_str!("../../profiles/guest-kernel.toml");

fn guest_kernel() -> Result<Profile, ProfileError> {
    Profile::parse(GUEST_KERNEL_TOML)
}

/// Which fields of a line are which, and what its names mean.
#[derive(Clone, Debug)]
pub struct Profile {
    name: String,
    title: String,
    plan: Plan,
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// The first key that is wrong, missing or unknown, and the key that was probably meant.
    pub fn parse(toml: &str) -> Result<Self, ProfileError> {
        let (name, title, plan) = file::read(toml)?;
        Ok(Self { name, title, plan })
    }

    /// Its short name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Whether the first line of an input has the fields of the profile's `detect`; a profile without it is never found.
    #[must_use]
    pub fn detect(&self, start: &[u8]) -> bool {
        let line = &start[..memchr(b'\n', start).unwrap_or(start.len())];
        let plan::Signs { wanted, signs } = &self.plan.signs;
        let mut values = vec![Value::Missing; signs.len()];
        let scanned = json::scan(line, wanted, &mut values).is_ok();
        let has = |sign: &plan::Sign| {
            let value = Plan::value(Some(sign.slot), &values);
            let right =
                || sign.text.as_deref().is_none_or(|text| value.text().as_deref() == Some(text));
            value != Value::Missing && right()
        };
        scanned && !signs.is_empty() && signs.iter().all(has)
    }

    /// A reader of lines of this profile.
    #[must_use]
    pub fn open(&self) -> Box<dyn BlockReader> {
        Box::new(reader::Reader { plan: self.plan.clone(), learns: true })
    }

    /// The same reader, which parses every line: what it reads is the same, and tests compare.
    #[must_use]
    pub fn open_without_templates(&self) -> Box<dyn BlockReader> {
        Box::new(reader::Reader { plan: self.plan.clone(), learns: false })
    }
}
