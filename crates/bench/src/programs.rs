//! What do whole programs feel of it? Frames per second, memory, the watcher's processor time, the delay of a report.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::display::Display;
use crate::figures::{Goal, Row, median};
use crate::{Measured, Tools, bounded};

/// Frames of a round; the time of [`FRAMES_FEW`] is taken off, and with it what starting costs.
const FRAMES: u32 = 2500;
const FRAMES_FEW: u32 = 100;
const MIB: f64 = 1024.0 * 1024.0;
/// For this long the watcher is looked at.
const WATCHED: Duration = Duration::from_secs(10);

/// vkcube's frames per second.
pub(crate) fn frames(tools: &Tools, display: &Display, rounds: usize) -> Measured {
    let name = match &display.name {
        Ok(name) => name,
        Err(why) => return Ok(vec![Row::skipped("vkcube, frames per second", why)]),
    };
    let (mut bare, mut with) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        eprintln!("vkcube: round {} of {rounds}", round + 1);
        for first in [round % 2 == 0, round % 2 != 0] {
            let into = if first { &mut bare } else { &mut with };
            into.push(frames_per_second(tools, name, !first)?);
        }
    }
    let ratios: Vec<f64> = bare.iter().zip(&with).map(|(bare, with)| with / bare).collect();
    let ratio = median(&ratios);
    Ok(vec![Row {
        what: "vkcube, frames per second".to_owned(),
        bare: format!("{:.0}/s", median(&bare)),
        with: format!("{:.0}/s", median(&with)),
        figure: Some((ratio, format!("×{ratio:.3}"))),
        goal: Some(Goal::AtLeast(0.99, "≥ ×0.99")),
        rounds: json!({ "bare_fps": bare, "with_fps": with }),
    }])
}

fn frames_per_second(tools: &Tools, display: &str, watched: bool) -> Result<f64, String> {
    let time = |frames: u32| {
        let mut command = under(tools, watched, Path::new("vkcube"));
        let ended =
            bounded::run(command.args(["--c", &frames.to_string()]).env("DISPLAY", display))?;
        if ended.status == 0 {
            Ok(ended.took.as_secs_f64())
        } else {
            Err(format!("vkcube ended with {}", ended.status))
        }
    };
    let few = time(FRAMES_FEW)?;
    Ok(f64::from(FRAMES - FRAMES_FEW) / (time(FRAMES)? - few))
}

fn under(tools: &Tools, watched: bool, program: &Path) -> Command {
    if !watched {
        return Command::new(program);
    }
    let mut command = Command::new(&tools.unwedge);
    command.args(["run", "--quiet", "--"]).arg(program);
    command
}

/// The patient's greatest resident size over fifty thousand frames, and the size of its black box.
pub(crate) fn memory(tools: &Tools) -> Measured {
    eprintln!("memory");
    let peak = |watched: bool| {
        let folder = tempfile::tempdir_in("/dev/shm").map_err(|error| error.to_string())?;
        let (mut peak, mut in_box) = (0_u64, 0_u64);
        let mut command = under(tools, watched, &tools.scenario);
        command.arg("short-fences").env("XDG_RUNTIME_DIR", folder.path());
        let ended = bounded::watch(&mut command, |pid| {
            let patient = if watched { child_of(pid) } else { Some(pid) };
            peak = peak.max(patient.and_then(resident_peak).unwrap_or(0));
            in_box = in_box.max(boxes(folder.path()));
        })?;
        if ended.status == 0 {
            Ok((peak, in_box))
        } else {
            Err(format!("short-fences ended with {}", ended.status))
        }
    };
    let ((bare, _), (with, in_box)) = (peak(false)?, peak(true)?);
    let mib = |bytes: u64| bytes as f64 / MIB;
    let more = mib(with) - mib(bare);
    Ok(vec![Row {
        what: format!("memory of the patient, peak resident (black box {:.1} MiB)", mib(in_box)),
        bare: format!("{:.1} MiB", mib(bare)),
        with: format!("{:.1} MiB", mib(with)),
        figure: Some((more, format!("{more:+.1} MiB"))),
        goal: Some(Goal::AtMost(16.0, "≤ +16 MiB")),
        rounds: json!({ "bare_bytes": bare, "with_bytes": with, "black_box_bytes": in_box }),
    }])
}

fn child_of(pid: u32) -> Option<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>()
        })
        .next()
}

fn resident_peak(pid: u32) -> Option<u64> {
    // Between fork and exec the child is still a copy of the watcher.
    let program = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    if program.file_name()? != "scenario" {
        return None;
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// What the black boxes below a folder take, in bytes of shared memory.
fn boxes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => boxes(&entry.path()),
            Ok(metadata) => std::os::unix::fs::MetadataExt::blocks(&metadata) * 512,
            Err(_) => 0,
        })
        .sum()
}

/// The watcher's share of a core, over an idle program and over one that draws as fast as it can.
pub(crate) fn watcher(tools: &Tools, display: &Display) -> Measured {
    let mut rows = vec![watched(tools, "idle program", &tools.scenario, &["idle"], "")?];
    rows.push(match &display.name {
        Ok(name) => {
            watched(tools, "vkcube at full speed", Path::new("vkcube"), &["--c", "12000"], name)?
        }
        Err(why) => Row::skipped("watcher's share of a core, vkcube", why),
    });
    Ok(rows)
}

fn watched(
    tools: &Tools,
    what: &str,
    program: &Path,
    arguments: &[&str],
    display: &str,
) -> Result<Row, String> {
    eprintln!("watcher: {what}");
    let mut command = under(tools, true, program);
    command.args(arguments).env("DISPLAY", display);
    let begin = Instant::now();
    let (mut spent, mut over) = (0_u64, Duration::ZERO);
    bounded::watch(&mut command, |pid| {
        if begin.elapsed() < WATCHED {
            spent = processor_time(pid).unwrap_or(spent);
            over = begin.elapsed();
        }
    })?;
    let share = spent as f64 / 1e7 / over.as_secs_f64();
    Ok(Row {
        what: format!("watcher's share of a core, {what}"),
        bare: String::new(),
        with: format!("{:.0} ms in {:.1} s", spent as f64 / 1e6, over.as_secs_f64()),
        figure: Some((share, format!("{share:.2} %"))),
        goal: Some(Goal::AtMost(1.0, "< 1 %")),
        rounds: json!({ "processor_ns": spent, "wall_ns": over.as_nanos() as u64 }),
    })
}

/// Nanoseconds that all threads of a process have run (`/proc/PID/task/TID/schedstat`).
pub(crate) fn processor_time(pid: u32) -> Option<u64> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
    let times = tasks.filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Some(times.sum())
}

/// How long after the deadline the whole report is out: the text on the terminal, then the page on
/// the disk. The moment of the wait is the layer's own, from the recording; its clock is coarse
/// and the page is looked for every 10 ms, so the figure may be up to 14 ms too high.
pub(crate) fn latency(tools: &Tools, rounds: usize) -> Measured {
    const DEADLINE_MS: f64 = 1000.0;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (trace, page) = (folder.path().join("trace.jsonl"), folder.path().join("page.html"));
    let mut late = Vec::new();
    for round in 0..rounds {
        eprintln!("report: round {} of {rounds}", round + 1);
        let mut command = Command::new(&tools.unwedge);
        command.args(["run", "--deadline", "1s"]).arg("--trace").arg(&trace);
        command.arg("--html").arg(&page).args(["--on-wedge", "kill", "--"]);
        let _ = fs::remove_file(&page);
        let mut out = None;
        // The page is written again when the program has ended; its first appearance counts.
        bounded::watch(command.arg(&tools.scenario).arg("fence-never-submitted"), |_| {
            let written = fs::metadata(&page).is_ok_and(|page| page.len() > 0);
            out = out.or_else(|| written.then(monotonic_ms));
        })?;
        let out = out.ok_or_else(|| format!("no report in {}", page.display()))?;
        late.push(out - last_wait_ms(&trace)? - DEADLINE_MS);
    }
    let middle = median(&late);
    Ok(vec![Row {
        what: "report out (text and page), after the deadline".to_owned(),
        bare: String::new(),
        with: String::new(),
        figure: Some((middle, format!("{middle:+.1} ms"))),
        goal: Some(Goal::AtMost(100.0, "≤ 100 ms")),
        rounds: json!({ "late_ms": late }),
    }])
}

/// When the last wait of a recording began, in milliseconds of the monotonic clock.
fn last_wait_ms(trace: &Path) -> Result<f64, String> {
    let text =
        fs::read_to_string(trace).map_err(|error| format!("{}: {error}", trace.display()))?;
    let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let waits = events.filter(|event| !event["wait_began"]["points"][0].is_null());
    let at = waits.filter_map(|event| event["at"].as_f64()).next_back();
    at.map(|ns| ns / 1e6)
        .ok_or_else(|| "the recording of fence-never-submitted has no wait".to_owned())
}

/// Now, in milliseconds of the monotonic clock.
fn monotonic_ms() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}
