//! In which format is an input, and who says so?

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use unwedge_readers::{FORMATS, Format, Profile, Reading};

use super::Refusal;

/// How to take an input that is not to be recognised by its content.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Choice {
    /// Take the input for this format, instead of recognising it by its content.
    #[arg(long, value_name = "NAME", value_parser = names())]
    pub(crate) format: Option<String>,

    /// Read lines of JSON as this file says: which fields are the time, who waits and on what, and what the
    /// names mean.
    #[arg(long, value_name = "FILE", conflicts_with = "format")]
    pub(crate) profile: Option<PathBuf>,
}

/// Longest profile. Bytes.
const PROFILE_BYTES_MAX: u64 = 1 << 20;

fn names() -> PossibleValuesParser {
    FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.title)).into()
}

impl Choice {
    /// The format's title, and its reader.
    ///
    /// # Errors
    /// When nobody knows the format, or its reader cannot read this input.
    pub(super) fn reading(&self, start: &[u8]) -> Result<(String, Reading), Refusal> {
        if let Some(profile) = &self.profile {
            return by_profile(profile);
        }
        let format = match &self.format {
            Some(name) => unwedge_readers::format(name).ok_or_else(|| no_such_format(name))?,
            None => unwedge_readers::detect(start).ok_or_else(unknown)?,
        };
        let opened = (format.open)(start).map_err(|why| {
            let hint = if self.format.is_some() {
                "without --format it is recognised by its content".to_owned()
            } else {
                format!("it was taken for {}; --format NAME overrides", format.title)
            };
            Refusal::new(why, hint)
        });
        let reading = opened?;
        let told = match &reading {
            Reading::Blocks(reader) => reader.source().map(str::to_owned),
            Reading::Lines(_) => None,
        };
        Ok((told.unwrap_or_else(|| format.title.to_owned()), reading))
    }
}

fn by_profile(path: &Path) -> Result<(String, Reading), Refusal> {
    let hint = "a profile is a file in TOML that says which fields are which";
    let bad = |why: String| Refusal::new(format!("--profile {}: {why}", path.display()), hint);
    let size = path.metadata().map_err(|error| bad(error.to_string()))?.len();
    if size > PROFILE_BYTES_MAX {
        return Err(bad(format!("longer than {PROFILE_BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    let profile = Profile::parse(&text).map_err(|error| bad(error.to_string()))?;
    Ok((profile.title().to_owned(), Reading::Blocks(profile.open())))
}

fn no_such_format(name: &str) -> Refusal {
    Refusal::new(format!("--format: there is no format {name:?}"), known())
}

fn unknown() -> Refusal {
    Refusal::new("neither a black box nor in a format that is known", known())
}

/// What can be read, for a hint.
pub(crate) fn known() -> String {
    let names: Vec<&str> = FORMATS.iter().map(|format: &Format| format.name).collect();
    format!(
        "--format NAME says what it is: {}; or --profile FILE for other JSON Lines",
        names.join(", ")
    )
}
