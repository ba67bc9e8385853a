//! Does `unwedge run` say the right thing about every scenario? One test each, from the table of
//! `unwedge-scenarios`; `cargo test --test scenarios -- --list` names them.
//!
//! `UNWEDGE_SCENARIO_ROUNDS=20` runs each so many times.

#[path = "rig/mod.rs"]
mod rig;

use std::process::Output;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use unwedge_scenarios::STATUS_SKIPPED;
use unwedge_scenarios::table::{Expect, Scenario, TABLE};

fn main() {
    let mut arguments = Arguments::from_args();
    // Two programs at a time: each may spin, and the verdicts must not depend on a starved machine.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let rounds =
        std::env::var("UNWEDGE_SCENARIO_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_u32);
    let trial = |scenario: &'static Scenario| {
        Trial::test(scenario.name, move || (0..rounds).try_for_each(|_| check(scenario)))
    };
    libtest_mimic::run(&arguments, TABLE.iter().map(trial).collect()).exit();
}

fn check(scenario: &Scenario) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let json = folder.path().join("report.json");
    let mut command = rig::unwedge();
    command.arg("run").arg("--on-wedge=kill").arg(format!("--json={}", json.display()));
    command.arg(format!("--deadline={}ms", scenario.deadline_ms));
    for fault in scenario.inject {
        command.arg("--inject").arg(fault);
    }
    command.arg("--").arg(rig::built("scenario")).arg(scenario.name);
    rig::use_driver(&mut command, scenario.driver, folder.path());
    if scenario.display {
        match rig::display() {
            Some(display) => command.env("DISPLAY", display),
            None => command.env_remove("DISPLAY"),
        };
    }
    let output = rig::run(&mut command);
    if output.status.code() == Some(i32::from(STATUS_SKIPPED)) {
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        eprintln!("{}: {}", scenario.name, said.trim());
        return Ok(());
    }
    let text = std::fs::read_to_string(&json).unwrap_or_default();
    let report: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    judge(scenario, &output, &report).map_err(|why| {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Failed::from(format!("{why}\nstatus {:?}\n{said}\n{report:#}", output.status))
    })
}

fn judge(scenario: &Scenario, output: &Output, report: &Value) -> Result<(), String> {
    let finding = &report["findings"][0];
    let said = String::from_utf8_lossy(&output.stderr);
    match scenario.expect {
        Expect::Finding { code, words } => {
            if finding["code"] != code {
                return Err(format!("expected {code}, got {}", finding["code"]));
            }
            let story = format!("{} {}", finding["sentence"], finding["evidence"]);
            if let Some(word) = words.iter().find(|word| !story.contains(**word)) {
                return Err(format!("the finding does not say {word}"));
            }
            if !said.contains(code) {
                return Err(format!("the text does not say {code}"));
            }
            let status = if report["verdict"] == "wedged" { 124 } else { 125 };
            status_is(output, status)
        }
        Expect::Inconclusive => {
            if report["verdict"] != "inconclusive" {
                return Err(format!("expected an inconclusive verdict, got {}", report["verdict"]));
            }
            status_is(output, 125)
        }
        Expect::Healthy { exit } => {
            if !finding.is_null() || said.contains("UW0") {
                return Err("accused a healthy program".to_owned());
            }
            status_is(output, exit)
        }
    }
}

fn status_is(output: &Output, expected: i32) -> Result<(), String> {
    match output.status.code() {
        Some(code) if code == expected => Ok(()),
        other => Err(format!("expected exit status {expected}, got {other:?}")),
    }
}
