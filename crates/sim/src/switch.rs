//! What can be set of a scenario? Its switches, each with a default and a sentence.

use std::fmt;

use crate::world::Plan;

/// Something of a scenario that can be set.
#[derive(Clone, Copy, Debug)]
pub struct Switch {
    /// Its name: lower case, words joined by `-`.
    pub name: &'static str,
    /// What it is for, as one sentence without a full stop.
    pub about: &'static str,
    /// What it may be.
    pub domain: Domain,
}

/// What a switch may be, and is if nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// On or off.
    Flag {
        /// If nothing is said.
        default: bool,
    },
    /// A number.
    Number {
        /// If nothing is said.
        default: u64,
        /// At least.
        least: u64,
        /// At most.
        most: u64,
    },
    /// One of several words.
    Choice {
        /// If nothing is said.
        default: &'static str,
        /// The words.
        words: &'static [&'static str],
    },
    /// Something that goes wrong: `off`, `on` (each time), `N` (the N-th time), `N+` (from the N-th time on), `N%` (by
    /// chance). The explorer tries it at any one occasion unless it is off.
    Fault {
        /// If nothing is said.
        default: Plan,
    },
}

impl Switch {
    /// On or off.
    #[must_use]
    pub const fn flag(name: &'static str, default: bool, about: &'static str) -> Self {
        Self { name, about, domain: Domain::Flag { default } }
    }

    /// A number.
    #[must_use]
    pub const fn number(
        name: &'static str,
        default: u64,
        (least, most): (u64, u64),
        about: &'static str,
    ) -> Self {
        Self { name, about, domain: Domain::Number { default, least, most } }
    }

    /// One of several words.
    #[must_use]
    pub const fn choice(
        name: &'static str,
        default: &'static str,
        words: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        Self { name, about, domain: Domain::Choice { default, words } }
    }

    /// Something that goes wrong, and does not if nothing is said.
    #[must_use]
    pub const fn fault(name: &'static str, about: &'static str) -> Self {
        Self { name, about, domain: Domain::Fault { default: Plan::Never } }
    }

    /// Reads a value.
    ///
    /// # Errors
    /// A clause without a full stop that says what it may be.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let wrong =
            |expected: &dyn fmt::Display| Err(format!("{} is {expected}, not {text:?}", self.name));
        match self.domain {
            Domain::Flag { .. } => match text {
                "on" | "true" | "yes" => Ok(Value::Flag(true)),
                "off" | "false" | "no" => Ok(Value::Flag(false)),
                _ => wrong(&"on or off"),
            },
            Domain::Number { least, most, .. } => match text.replace('_', "").parse() {
                Ok(number) if (least..=most).contains(&number) => Ok(Value::Number(number)),
                _ => wrong(&format_args!("a number from {least} to {most}")),
            },
            Domain::Choice { words, .. } => match words.iter().find(|word| **word == text) {
                Some(word) => Ok(Value::Choice(word)),
                None => wrong(&words.join(" or ")),
            },
            Domain::Fault { .. } => match parse_plan(text) {
                Some(plan) => Ok(Value::Fault(plan)),
                None => wrong(&"off, on, N, N+ or N%"),
            },
        }
    }

    /// What it is if nothing is said.
    #[must_use]
    pub fn default(&self) -> Value {
        match self.domain {
            Domain::Flag { default } => Value::Flag(default),
            Domain::Number { default, .. } => Value::Number(default),
            Domain::Choice { default, .. } => Value::Choice(default),
            Domain::Fault { default } => Value::Fault(default),
        }
    }
}

fn parse_plan(text: &str) -> Option<Plan> {
    let nth = |digits: &str| digits.parse().ok().filter(|n| *n > 0);
    Some(match text {
        "off" => Plan::Never,
        "on" => Plan::From(1),
        _ => {
            if let Some(percent) = text.strip_suffix('%') {
                let share: f64 = percent.parse().ok().filter(|p| (0.0..=100.0).contains(p))?;
                // In range by the filter.
                Plan::Chance((share * 10_000.0).round() as u32)
            } else if let Some(first) = text.strip_suffix('+') {
                Plan::From(nth(first)?)
            } else {
                Plan::Nth(nth(text)?)
            }
        }
    })
}

/// What a switch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// On or off.
    Flag(bool),
    /// A number.
    Number(u64),
    /// A word.
    Choice(&'static str),
    /// When a fault strikes.
    Fault(Plan),
}

/// As it is written: [`Switch::parse`] reads it again.
impl fmt::Display for Value {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(true) | Self::Fault(Plan::From(1)) => to.write_str("on"),
            Self::Flag(false) | Self::Fault(Plan::Never) => to.write_str("off"),
            Self::Number(number) | Self::Fault(Plan::Nth(number)) => write!(to, "{number}"),
            Self::Choice(word) => to.write_str(word),
            Self::Fault(Plan::From(first)) => write!(to, "{first}+"),
            Self::Fault(Plan::Chance(times)) => write!(to, "{}%", f64::from(*times) / 10_000.0),
        }
    }
}

/// All switches of a scenario, set.
#[derive(Clone, Debug)]
pub struct Settings {
    switches: &'static [Switch],
    values: Vec<Value>,
}

impl Settings {
    /// Every switch as it is if nothing is said.
    #[must_use]
    pub fn defaults(switches: &'static [Switch]) -> Self {
        Self { switches, values: switches.iter().map(Switch::default).collect() }
    }

    /// Sets a switch; false if there is none of this name.
    ///
    /// # Errors
    /// What the switch may be, if not this.
    pub fn set(&mut self, name: &str, text: &str) -> Result<bool, String> {
        let Some(at) = self.switches.iter().position(|switch| switch.name == name) else {
            return Ok(false);
        };
        self.values[at] = self.switches[at].parse(text)?;
        Ok(true)
    }

    /// Every switch and its value.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Switch, Value)> {
        self.switches.iter().zip(self.values.iter().copied())
    }

    /// A switch's value.
    ///
    /// # Panics
    /// When the scenario has no switch of this name: an error of whoever wrote it, which its first test shows.
    fn value(&self, name: &str) -> Value {
        let at = self.switches.iter().position(|switch| switch.name == name);
        at.map_or_else(|| panic!("the scenario has no switch {name:?}"), |at| self.values[at])
    }

    /// Whether a flag is on.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.value(name) == Value::Flag(true)
    }

    /// A number.
    #[must_use]
    pub fn number(&self, name: &str) -> u64 {
        match self.value(name) {
            Value::Number(number) => number,
            _ => 0,
        }
    }

    /// A number that was declared to fit into a byte.
    #[must_use]
    pub fn byte(&self, name: &str) -> u8 {
        u8::try_from(self.number(name)).unwrap_or(u8::MAX)
    }

    /// A word.
    #[must_use]
    pub fn choice(&self, name: &str) -> &'static str {
        match self.value(name) {
            Value::Choice(word) => word,
            _ => "",
        }
    }

    /// When a fault strikes.
    #[must_use]
    pub fn fault(&self, name: &str) -> Plan {
        match self.value(name) {
            Value::Fault(plan) => plan,
            _ => Plan::Never,
        }
    }
}
