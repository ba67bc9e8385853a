//! On what was it measured? Versions and models, no names of hosts or people.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::bounded;

/// The machine, for a reader.
pub(crate) struct Machine {
    /// Such as `debian12-2core-lavapipe`.
    pub(crate) name: String,
    /// Facts, in order.
    pub(crate) facts: Vec<(&'static str, String)>,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let field = |name: &str| {
            let value = release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            value.unwrap_or_default().trim_matches('"').to_owned()
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (device, driver) = device();
        let name = format!("{}{}-{cores}core-{}", field("ID"), field("VERSION_ID"), slug(&device));
        let facts = vec![
            ("system", field("PRETTY_NAME")),
            ("processor", format!("{}, {cores} cores used", processor())),
            ("device", device),
            ("driver", driver),
            ("loader", said("dpkg-query", &["-W", "-f", "${Version}", "libvulkan1"])),
            ("rustc", said("rustc", &["--version"])),
            ("unwedge", env!("CARGO_PKG_VERSION").to_owned()),
            ("load before the run", load(cores)),
        ];
        Self { name, facts }
    }

    /// For what needs no GPU.
    pub(crate) fn look_without_device() -> Self {
        let mut machine = Self::look();
        machine.facts.retain(|(name, _)| !["device", "driver", "loader"].contains(name));
        if let Some((name, _)) = machine.name.split_once("core-") {
            machine.name = format!("{name}core");
        }
        machine
    }

    pub(crate) fn json(&self) -> Value {
        json!(
            self.facts
                .iter()
                .map(|(name, value)| (*name, value.clone()))
                .collect::<std::collections::BTreeMap<_, _>>()
        )
    }
}

/// What a command says in one line; nothing where there is none.
pub(crate) fn said(program: &str, arguments: &[&str]) -> String {
    let ended = bounded::run(Command::new(program).args(arguments));
    let stdout = ended.ok().filter(|ended| ended.status == 0).map(|ended| ended.stdout);
    stdout
        .and_then(|text| text.lines().next().map(|line| line.trim().to_owned()))
        .unwrap_or_default()
}

/// What else the machine did: above a tenth of a core or so, single figures are noisy.
fn load(cores: usize) -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let minute = text.split_whitespace().next().unwrap_or("unknown");
    let busy = minute.parse::<f64>().is_ok_and(|load| load > 0.5);
    let remark = if busy { ": not a calm machine, so figures are noisy" } else { "" };
    format!("{minute} on {cores} cores{remark}")
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split(':').nth(1)).unwrap_or("unknown processor").trim().to_owned()
}

/// Name and driver of the device that the programs use: the first.
fn device() -> (String, String) {
    let ended = bounded::run(Command::new("vulkaninfo").arg("--summary"));
    let text = ended.map(|ended| ended.stdout).unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(name));
        line.and_then(|line| line.split('=').nth(1)).unwrap_or_default().trim().to_owned()
    };
    let (device, driver) =
        (field("deviceName"), format!("{} {}", field("driverName"), field("driverInfo")));
    if !device.is_empty() {
        return (device, driver);
    }
    let line = said("nvidia-smi", &["--query-gpu=name,driver_version", "--format=csv,noheader"]);
    let (device, version) = line.split_once(", ").unwrap_or(("unknown device", "unknown driver"));
    (device.to_owned(), version.to_owned())
}

fn slug(device: &str) -> String {
    if device.contains("llvmpipe") {
        return "lavapipe".to_owned();
    }
    let words = device.to_lowercase();
    let words = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.take(3).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_a_short_name() {
        assert_eq!(slug("llvmpipe (LLVM 15.0.6, 256 bits)"), "lavapipe");
        assert_eq!(slug("NVIDIA H200"), "nvidia-h200");
    }
}
