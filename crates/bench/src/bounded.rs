//! How is a program run that may hang? With a limit, its output in files, and a look at it now and then.

use std::fs::File;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Programs that are measured end within seconds.
const LIMIT: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A program that has ended.
pub(crate) struct Ended {
    /// Its exit status; 128 and more for signals.
    pub(crate) status: i32,
    /// What it printed.
    pub(crate) stdout: String,
    /// How long it ran.
    pub(crate) took: Duration,
}

/// Runs it to its end, which must come.
pub(crate) fn run(command: &mut Command) -> Result<Ended, String> {
    watch(command, |_| {})
}

/// Runs it to its end and calls `look` with its pid every few milliseconds.
pub(crate) fn watch(command: &mut Command, mut look: impl FnMut(u32)) -> Result<Ended, String> {
    let said = format!("{command:?}");
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file =
        |name: &str| File::create_new(folder.path().join(name)).map_err(|error| error.to_string());
    command.stdin(Stdio::null()).stdout(file("stdout")?).stderr(file("stderr")?);
    let begin = Instant::now();
    let mut child = command.spawn().map_err(|error| format!("{said}: {error}"))?;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            break status;
        }
        if begin.elapsed() > LIMIT {
            end(&mut child);
            return Err(format!("{said} did not end within {LIMIT:?}"));
        }
        look(child.id());
        std::thread::sleep(LOOK_EVERY);
    };
    let took = begin.elapsed();
    let mut stdout = String::new();
    let printed = File::open(folder.path().join("stdout"));
    printed
        .and_then(|mut file| file.read_to_string(&mut stdout))
        .map_err(|error| error.to_string())?;
    let signal = std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0);
    Ok(Ended { status: status.code().unwrap_or(128 + signal), stdout, took })
}

/// Kills it and looks, for a while, for its end.
pub(crate) fn end(child: &mut Child) {
    // It may have ended by itself, which is as good.
    let _ = child.kill();
    for _ in 0..100 {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
