//! `unwedge-bench generate`: how does one get such a trace?

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::line::Written;
use super::{Engine, Kind, Wanted, hot, varied};

const USAGE: &str = "usage: unwedge-bench generate hot|varied --out FILE [--events N] [--seed S] [--host-seed S]
                             [--engine reference] [--declare-producer]

Writes a trace of an emulator's guest kernel as JSON Lines. hot: one thread's timed-out polls are 99.7 %
of it, 65691821 lines by default (16 GB); varied: 24 threads and lines of all kinds. The same seed gives
the same trace; --host-seed changes the host's times only. --engine reference: the emulator on which the
title of the hot trace does not wedge. --declare-producer: the interrupt's lines name what its callback is
to signal.";

/// Does what the command line says.
pub(crate) fn generate(given: impl Iterator<Item = String>) -> Result<(), String> {
    let (wanted, out) = arguments(given)?;
    let begin = Instant::now();
    let Written { lines, bytes } = write(&wanted, &out)?;
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{lines} lines, {bytes} bytes ({:.1} a line) in {seconds:.2} s, {:.0} MB/s",
        bytes as f64 / lines as f64,
        bytes as f64 / 1e6 / seconds
    );
    Ok(())
}

/// Writes the trace into the file.
pub(crate) fn write(wanted: &Wanted, out: &Path) -> Result<Written, String> {
    let said = |error| format!("{}: {error}", out.display());
    let file = File::create(out).map_err(said)?;
    let lines = match wanted.kind {
        Kind::Hot => hot::write(wanted, file),
        Kind::Varied => varied::write(wanted, file),
    };
    lines.map_err(|problem| format!("{}: {problem}", out.display()))
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<(Wanted, PathBuf), String> {
    let kind = given.next().and_then(|name| Kind::from_name(&name)).ok_or(USAGE)?;
    let mut wanted = Wanted {
        kind,
        events: hot::EVENTS,
        seed: 1,
        host_seed: 1,
        engine: Engine::Wedging,
        producer_declared: false,
    };
    let mut out = None;
    while let Some(option) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{option} needs a value\n{USAGE}"));
        let number = |text: String| text.parse().map_err(|_| format!("{text} is not a number"));
        match option.as_str() {
            "--out" => out = Some(value()?.into()),
            "--events" => wanted.events = number(value()?)?,
            "--seed" => wanted.seed = number(value()?)?,
            "--host-seed" => wanted.host_seed = number(value()?)?,
            "--engine" if value()? == "reference" => wanted.engine = Engine::Reference,
            "--declare-producer" => wanted.producer_declared = true,
            _ => return Err(USAGE.to_owned()),
        }
    }
    let hot_only = wanted.engine == Engine::Reference || wanted.producer_declared;
    if wanted.kind == Kind::Varied && hot_only {
        return Err("--engine and --declare-producer are for the hot trace".to_owned());
    }
    Ok((wanted, out.ok_or(USAGE)?))
}
