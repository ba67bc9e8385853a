//! How is a run kept? As numbers for programs and a page for people, with the exact command and versions.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::figures::Row;
use crate::machine::{Machine, said};

/// Where a run is to be kept, as the command line says.
#[derive(Default)]
pub(crate) struct Place {
    machine: Option<String>,
    out: Option<PathBuf>,
    nowhere: bool,
}

/// The number behind an option, which has to be positive.
pub(crate) fn positive(option: &str, value: &str) -> Result<usize, String> {
    let number = value.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("{option} needs a positive number"))
}

impl Place {
    /// Takes an option if it is about this; false if it is not.
    pub(crate) fn takes(
        &mut self,
        option: &str,
        value: impl FnOnce() -> Result<String, String>,
    ) -> Result<bool, String> {
        match option {
            "--machine" => self.machine = Some(value()?),
            "--out" => self.out = Some(value()?.into()),
            "--no-keep" => self.nowhere = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Prints the run's table and the machine's facts, and keeps the run: by default in `bench/runs/DATE-MACHINE` and `part`.
    pub(crate) fn finish(
        &self,
        part: &str,
        machine: &Machine,
        run: &Run<'_>,
    ) -> Result<(), String> {
        println!("{}", run.table);
        for (name, value) in &machine.facts {
            println!("{name}: {value}");
        }
        if self.nowhere {
            return Ok(());
        }
        let name = self.machine.as_ref().unwrap_or(&machine.name);
        let default = || Path::new("bench/runs").join(format!("{}-{name}{part}", today()));
        let folder = self.out.clone().unwrap_or_else(default);
        write(&folder, name, machine, run)?;
        println!("kept in {}", folder.display());
        Ok(())
    }
}

fn today() -> String {
    said("date", &["-u", "+%F"])
}

/// What is kept.
pub(crate) struct Run<'r> {
    /// How it is done again.
    pub(crate) command: String,
    /// How the figures came about, for the page.
    pub(crate) about: &'r str,
    pub(crate) rows: &'r [Row],
    /// What was printed.
    pub(crate) table: &'r str,
    /// What was measured, where the rows do not have it.
    pub(crate) raw: Option<Value>,
}

fn write(folder: &Path, name: &str, machine: &Machine, run: &Run<'_>) -> Result<(), String> {
    let date = today();
    let Run { command, about, table, .. } = run;
    let mut numbers = json!({
        "unwedge_bench": 1,
        "date": date,
        "machine": name,
        "command": command,
        "versions": machine.json(),
        "rows": run.rows.iter().map(Row::json).collect::<Vec<_>>(),
    });
    if let Some(raw) = &run.raw {
        numbers["measured"] = raw.clone();
    }
    let facts = machine
        .facts
        .iter()
        .map(|(name, value)| format!("- {name}: {value}\n"))
        .collect::<String>();
    let page = format!("# {date}, {name}\n\nCommand: `{command}`\n\n{facts}\n{table}\n{about}");
    let text = format!("{numbers:#}\n");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(folder.join("run.json"), text))
        .and_then(|()| fs::write(folder.join("README.md"), page))
        .map_err(|error| format!("{}: {error}", folder.display()))
}
