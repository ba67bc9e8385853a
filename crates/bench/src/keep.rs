//! How is a run kept? As numbers for programs and a page for people, with the exact command and versions.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::figures::Row;
use crate::machine::{Machine, said};

/// Where runs are kept by default.
pub(crate) fn folder(machine: &str) -> PathBuf {
    Path::new("bench/runs").join(format!("{}-{machine}", today()))
}

fn today() -> String {
    said("date", &["-u", "+%F"])
}

pub(crate) fn write(
    folder: &Path,
    name: &str,
    machine: &Machine,
    rounds: usize,
    rows: &[Row],
    table: &str,
) -> Result<(), String> {
    let date = today();
    let command = format!("make bench (unwedge-bench --rounds {rounds})");
    let run = json!({
        "unwedge_bench": 1,
        "date": date,
        "machine": name,
        "command": command,
        "versions": machine.json(),
        "rows": rows.iter().map(Row::json).collect::<Vec<_>>(),
    });
    let facts = machine
        .facts
        .iter()
        .map(|(name, value)| format!("- {name}: {value}\n"))
        .collect::<String>();
    let page = format!(
        "# {date}, {name}\n\nCommand: `{command}`\n\n{facts}\n{table}\nEach figure is the median over rounds of a comparison within \
         one round, where the ways alternate. `run.json`\nhas the rounds. \"unwedge\" is `unwedge run`, watcher included; other tools' \
         layers are\nmeasured where they are installed and have no goal here.\n"
    );
    let text = format!("{run:#}\n");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(folder.join("run.json"), text))
        .and_then(|()| fs::write(folder.join("README.md"), page))
        .map_err(|error| format!("{}: {error}", folder.display()))
}
