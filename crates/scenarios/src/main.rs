//! `scenario NAME`: runs one of the programs of `unwedge_scenarios::table::TABLE`; `scenario --list` names them.
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    unwedge_scenarios::command(&arguments)
}
