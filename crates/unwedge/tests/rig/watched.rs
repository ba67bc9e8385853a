//! One program under `unwedge run`: how is it started, and what was said about it?
#![allow(dead_code, reason = "not every suite that includes this file uses all of it")]
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;
use unwedge_scenarios::table::{Driver, TABLE};

/// `unwedge run` with reports in a folder of its own, before its program is named.
pub(crate) struct Watch {
    command: Command,
    folder: tempfile::TempDir,
}

/// What became of the program, and what was said about it.
pub(crate) struct Told {
    /// The exit status; `None` when a signal ended the command.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The JSON report; null when there is none.
    pub(crate) report: Value,
    folder: tempfile::TempDir,
}

impl Watch {
    /// With these options, on the tests' driver, with every report and an own runtime folder.
    pub(crate) fn new(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = crate::rig::unwedge();
        command.arg("run").env("XDG_RUNTIME_DIR", folder.path());
        for (option, file) in [("--json", "json"), ("--html", "html"), ("--trace", "trace")] {
            command.arg(format!("{option}={}", folder.path().join(file).display()));
        }
        command.args(options);
        crate::rig::use_driver(&mut command, Driver::Any, folder.path());
        Self { command, folder }
    }

    /// A variable for the command, and so for the program.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// On the tests' display, if one is needed. `None`, said on stderr, where there is none.
    pub(crate) fn on_display(mut self, needed: bool) -> Option<Self> {
        if needed && crate::rig::on_real_device() {
            eprintln!("skipped: this needs a window, and the real device draws into none");
            return None;
        }
        if needed {
            self.command.env("DISPLAY", crate::rig::display()?);
        }
        Some(self)
    }

    /// Runs a scenario.
    pub(crate) fn scenario(self, name: &str) -> Told {
        self.program([crate::rig::built("scenario").as_os_str(), OsStr::new(name)])
    }

    /// Runs a shell script; in it `$scenario` is the program of scenarios.
    pub(crate) fn script(self, script: &str) -> Told {
        let scenario = crate::rig::built("scenario");
        self.env("scenario", scenario).program(["sh", "-c", script])
    }

    /// Runs a program.
    pub(crate) fn program<I, S>(mut self, words: I) -> Told
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.command.arg("--").args(words);
        let output = crate::rig::run(&mut self.command);
        Told::new(&output, self.folder)
    }

    /// The command with its program, to be started by hand, and the folder that it needs.
    pub(crate) fn by_hand(mut self, scenario: &str) -> (Command, tempfile::TempDir) {
        self.command.arg("--").arg(crate::rig::built("scenario")).arg(scenario);
        (self.command, self.folder)
    }
}

impl Told {
    fn new(output: &Output, folder: tempfile::TempDir) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let json = std::fs::read(folder.path().join("json")).unwrap_or_default();
        Self {
            status: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            report: serde_json::from_slice(&json).unwrap_or(Value::Null),
            folder,
        }
    }

    /// The page that was written.
    pub(crate) fn page(&self) -> PathBuf {
        self.folder.path().join("html")
    }

    /// The codes of the findings.
    pub(crate) fn codes(&self) -> Vec<&str> {
        let findings = self.report["findings"].as_array().map_or(&[][..], Vec::as_slice);
        findings.iter().filter_map(|finding| finding["code"].as_str()).collect()
    }

    /// The faults that struck, as the recording has them.
    pub(crate) fn faults(&self) -> Vec<String> {
        let trace = std::fs::read_to_string(self.folder.path().join("trace")).unwrap_or_default();
        let events = trace.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let marks = events.filter(|event| event["mark"]["kind"] == "injected");
        marks.filter_map(|event| event["mark"]["text"].as_str().map(str::to_owned)).collect()
    }

    /// Nothing was found, the program's own status is this, and these words were said.
    pub(crate) fn is_healthy(&self, status: i32, words: &[&str]) {
        assert_eq!((self.status, self.codes()), (Some(status), vec![]), "{}", self.all());
        assert_eq!(self.report["verdict"], "progressing", "{}", self.all());
        self.says(words);
        assert!(!self.stderr.contains("UW0"), "{}", self.all());
    }

    /// The first finding is this one, the status is this, and these words were said.
    pub(crate) fn is_wedged(&self, code: &str, status: i32, words: &[&str]) {
        assert_eq!(self.codes().first(), Some(&code), "{}", self.all());
        assert_eq!(self.status, Some(status), "{}", self.all());
        self.says(words);
    }

    /// These words are on standard error.
    pub(crate) fn says(&self, words: &[&str]) {
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in\n{}", self.all());
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.all());
    }

    /// The process that the first finding is about.
    pub(crate) fn patient(&self) -> u32 {
        let pid = self.report["findings"][0]["waiter"]["pid"].as_u64();
        pid.and_then(|pid| u32::try_from(pid).ok()).unwrap_or_else(|| panic!("{}", self.all()))
    }

    /// Everything, for a test that fails.
    pub(crate) fn all(&self) -> String {
        let Self { status, stdout, stderr, report, .. } = self;
        format!("status {status:?}\n{stdout}\n{stderr}\n{report:#}")
    }
}

/// Waits until `find` finds something, for [`crate::rig::LIMIT`] at most.
pub(crate) fn eventually<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(began.elapsed() < crate::rig::LIMIT, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The black boxes at or below a folder, and the process of each.
pub(crate) fn black_boxes(folder: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(black_boxes(&path));
        } else if path.extension().is_some_and(|extension| extension == "blackbox") {
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            let pid = name.split('-').next().and_then(|pid| pid.parse().ok());
            found.extend(pid.map(|pid| (path, pid)));
        }
    }
    found
}

/// Sends a signal to one process.
pub(crate) fn signal(pid: u32, signal: i32) {
    // SAFETY: kill has no preconditions; the callers name processes that they have started.
    unsafe { libc::kill(pid.cast_signed(), signal) };
}

/// Whether a process lives, and is not just waiting to be reaped.
pub(crate) fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Whether a scenario opens a window.
pub(crate) fn has_window(scenario: &str) -> bool {
    TABLE.iter().any(|known| known.name == scenario && known.display)
}

/// Whether a program is in PATH; says so on stderr if it is not.
pub(crate) fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !found {
        eprintln!("skipped: {program} is not installed");
    }
    found
}
