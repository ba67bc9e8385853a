//! Which scenario is meant, and how is it set?

use unwedge_sim::World;
use unwedge_sim::scenarios::{self, Scenario, Size};
use unwedge_sim::switch::Settings;

use super::SOURCE;
use crate::error::Error;
use crate::inject::nearest;

/// A scenario with its switches set.
pub(super) struct Chosen {
    pub(super) scenario: &'static Scenario,
    pub(super) settings: Settings,
}

impl Chosen {
    /// The scenario of this name, with these switches.
    ///
    /// # Errors
    /// When there is no such scenario or switch, or a switch cannot be that.
    pub(super) fn new(name: Option<&str>, switches: &[(String, String)]) -> Result<Self, Error> {
        let Some(name) = name else {
            let hint = format!("unwedge sim --list; one of: {}", names().join(", "));
            return Err(Error::Sim { why: "no scenario is given".to_owned(), hint });
        };
        let scenario = find(name)?;
        let mut settings = scenario.defaults();
        for (switch, value) in switches {
            set(scenario, &mut settings, switch, value)?;
        }
        Ok(Self { scenario, settings })
    }

    /// The world.
    ///
    /// # Errors
    /// When the settings contradict each other.
    pub(super) fn world(&self, size: Size) -> Result<World, Error> {
        (self.scenario.build)(&self.settings, size).map_err(|why| Error::Sim {
            why: format!("{} cannot be so: {why}", self.scenario.name),
            hint: format!("see unwedge sim {} --list", self.scenario.name),
        })
    }

    /// The switches that are not as they are if nothing is said: ` --set a=b --set c=d`.
    pub(super) fn words(&self) -> String {
        let set = self.settings.iter().filter(|(switch, value)| *value != switch.default());
        set.map(|(switch, value)| format!(" --set {}={value}", switch.name)).collect()
    }

    /// Who tells the trace: the command that makes it again, with these further options, and the version.
    pub(super) fn source(&self, options: &str) -> String {
        let (name, words) = (self.scenario.name, self.words());
        format!("{SOURCE}{name}{options}{words} ({})", env!("CARGO_PKG_VERSION"))
    }
}

fn names() -> Vec<&'static str> {
    scenarios::all().iter().map(|scenario| scenario.name).collect()
}

/// The scenario of this name.
///
/// # Errors
/// When there is none; with the nearest.
pub(super) fn find(name: &str) -> Result<&'static Scenario, Error> {
    scenarios::find(name).ok_or_else(|| Error::Sim {
        why: format!("there is no scenario {name:?}"),
        hint: format!("{}; see unwedge sim --list", nearest(name, &names())),
    })
}

fn set(
    scenario: &'static Scenario,
    settings: &mut Settings,
    switch: &str,
    value: &str,
) -> Result<(), Error> {
    let hint = |first: String| format!("{first}see unwedge sim {} --list", scenario.name);
    match settings.set(switch, value) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let switches: Vec<_> = scenario.switches.iter().map(|switch| switch.name).collect();
            let why = format!("{} has no switch {switch:?}", scenario.name);
            Err(Error::Sim { why, hint: hint(format!("{}; ", nearest(switch, &switches))) })
        }
        Err(why) => Err(Error::Sim { why: format!("--set: {why}"), hint: hint(String::new()) }),
    }
}
