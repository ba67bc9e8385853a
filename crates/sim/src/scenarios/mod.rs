//! Which worlds are there? One file (or folder) each, and one line each in the table.

mod frame_loop;
mod guest_kernel;
mod multi_scanout;
pub mod planted;
mod venus_ring;

use crate::switch::{Settings, Switch};
use crate::world::World;

/// How large a world is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// As it was met: it runs.
    Full,
    /// As small as the question allows: every order of it is tried.
    Small,
}

/// A world that can be had by name.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it shows, as one sentence without a full stop.
    pub about: &'static str,
    /// What is behind it: the facts of the hang that it was made of, in short paragraphs.
    pub story: &'static str,
    /// What can be set.
    pub switches: &'static [Switch],
    /// Makes it; or says in a clause why these settings cannot be.
    pub build: fn(&Settings, Size) -> Result<World, String>,
}

impl Scenario {
    /// Its switches as they are if nothing is said.
    #[must_use]
    pub fn defaults(&self) -> Settings {
        Settings::defaults(self.switches)
    }
}

static SCENARIOS: &[Scenario] = &[
    frame_loop::SCENARIO,
    guest_kernel::SCENARIO,
    multi_scanout::SCENARIO,
    venus_ring::SCENARIO,
    planted::SCENARIO,
];

/// Every scenario, in the order in which they are listed.
#[must_use]
pub fn all() -> &'static [Scenario] {
    SCENARIOS
}

/// The scenario of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}
