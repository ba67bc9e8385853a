//! How is the terminal driven as a user drives it? A display of its own, real key events, the picture that the display shows.
#![allow(dead_code, reason = "not every suite that includes this file uses all of it")]
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

pub(crate) mod display;
pub(crate) mod picture;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use display::Display;
use picture::Picture;

/// Nothing in a test takes longer, or it has failed.
pub(crate) const LIMIT: Duration = Duration::from_secs(40);

/// A terminal with a shell in it.
pub(crate) struct Terminal {
    child: Child,
    pub(crate) display: Display,
    /// Where the shell is, and where its files are.
    folder: Arc<tempfile::TempDir>,
}

/// What a terminal is started with.
#[derive(Clone, Copy, Default)]
pub(crate) struct Start<'a> {
    /// Faults that `unwedge run` injects; without any it is not run under it.
    pub(crate) faults: &'a [&'a str],
    pub(crate) arguments: &'a [&'a str],
    /// What runs in it; a plain bash if nothing is said.
    pub(crate) execute: &'a [&'a str],
}

impl Terminal {
    /// Starts it on a display of its own, and waits until the shell has prompted. None, and why on stderr, where the machine has not what it takes.
    pub(crate) fn start(start: Start<'_>) -> Option<Self> {
        Self::start_on(Display::x11()?, start)
    }

    /// As [`start`](Terminal::start), on this display.
    pub(crate) fn start_on(display: Display, start: Start<'_>) -> Option<Self> {
        let mut terminal = Self::spawn(display, start)?;
        if start.execute.is_empty() {
            terminal.wait_for("a prompt", |terminal| terminal.has("prompts"));
        }
        terminal.wait_for("a window", |terminal| terminal.display.window().is_some());
        if start.execute.is_empty() {
            terminal.take_the_keyboard();
        }
        Some(terminal)
    }

    /// Waits until it has the keyboard.
    fn take_the_keyboard(&mut self) {
        for _ in 0..10 {
            self.display.focus();
            for _ in 0..50 {
                // A window that has the keyboard has a whole cursor, of this colour.
                if self.picture().count([0xe6, 0xc3, 0x84]) > 100 {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        panic!("it never has the keyboard, {}\n{}", self.keep_picture(), self.read("errors"));
    }

    /// Starts it and waits for nothing.
    pub(crate) fn spawn(display: Display, start: Start<'_>) -> Option<Self> {
        let folder = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        let mut command = command(start.faults)?;
        display.set(&mut command);
        command.args(["--log", "info", "--stats"]).arg(folder.path().join("stats"));
        command.args(start.arguments).arg("-e");
        if start.execute.is_empty() {
            command.args(["bash", "--norc", "--noprofile", "-i"]);
        } else {
            command.args(start.execute);
        }
        command.current_dir(folder.path()).stdin(Stdio::null());
        // The prompt is a file as well, so that tests know when the shell listens.
        command.env("PS1", "$ ").env("PROMPT_COMMAND", "echo >> prompts").env("HISTFILE", "");
        let errors = fs::File::create(folder.path().join("errors")).expect("a file");
        command.stdout(Stdio::null()).stderr(errors);
        display::end_with_parent(&mut command);
        let child = command.spawn().expect("the terminal starts");
        Some(Self { child, display, folder })
    }

    /// Its folder, to be looked into after its end.
    pub(crate) fn folder(&self) -> Arc<tempfile::TempDir> {
        Arc::clone(&self.folder)
    }

    /// A file that the shell writes.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// What is in it; nothing if it is not there.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Types a line.
    pub(crate) fn enter(&self, line: &str) {
        self.display.type_text(line);
        self.display.press("Return");
    }

    /// Types a line that writes its answer to a file; what it wrote, without the end of the line.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        let name = "answer";
        let _ = fs::remove_file(self.path(name));
        self.enter(&format!("{line} > part; mv part {name}"));
        self.wait_for(line, |terminal| terminal.has(name));
        self.read(name).trim().to_owned()
    }

    /// Has the shell print three cells of this colour.
    pub(crate) fn print_colour(&self, [r, g, b]: [u8; 3]) {
        self.enter(&format!("printf '\\e[48;2;{r};{g};{b}m   \\e[0m\\n'"));
    }

    /// Waits until the display shows the colour.
    pub(crate) fn wait_for_colour(&mut self, colour: [u8; 3]) {
        let what = format!("the colour {colour:?} on the screen");
        self.wait_for(&what, |terminal| terminal.picture().count(colour) > 100);
    }

    /// What the display shows.
    pub(crate) fn picture(&self) -> Picture {
        self.display.picture()
    }

    pub(crate) fn title(&self) -> String {
        self.display.title()
    }

    pub(crate) fn wait_for_title(&mut self, part: &str) {
        let what = format!("a title with {part:?}");
        self.wait_for(&what, |terminal| terminal.title().contains(part));
    }

    /// Looks again and again until it is so, for [`LIMIT`] at most.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("waiting for {what}: it ended with {status}\n{}", self.read("errors"));
            }
            if began.elapsed() > LIMIT {
                let picture = self.keep_picture();
                panic!("still waiting for {what}, {picture}\n{}", self.read("errors"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until it ends; its exit status.
    #[track_caller]
    pub(crate) fn ended(mut self) -> i32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                return status.code().unwrap_or(-1);
            }
            if began.elapsed() > LIMIT {
                let (picture, tasks) = (self.keep_picture(), self.tasks());
                panic!("it does not end, {picture}\n{tasks}{}", self.read("errors"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What each thread of the processes in the terminal's folder waits in.
    fn tasks(&self) -> String {
        let mut said = String::new();
        let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
        for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let here = fs::read_link(process.path().join("cwd"));
            if here.is_ok_and(|folder| folder == self.folder.path()) {
                let tasks = fs::read_dir(process.path().join("task"));
                for task in tasks.into_iter().flatten().flatten() {
                    let (name, call) =
                        (read(task.path().join("comm")), read(task.path().join("syscall")));
                    said += &format!("{:?} {} {call}", task.path(), name.trim());
                }
            }
        }
        said
    }

    /// Keeps what the display shows for whoever looks into a failed test.
    fn keep_picture(&self) -> String {
        let Some(folder) = std::env::var_os("UNWEDGE_TERMINAL_PICTURES") else {
            return "set UNWEDGE_TERMINAL_PICTURES to a folder to keep the picture".to_owned();
        };
        let path = Path::new(&folder).join(format!("{}.ppm", std::process::id()));
        let kept = self.picture().save(&path);
        format!("kept the picture: {kept:?} {}", path.display())
    }

    /// Keeps what the display shows under a name, if pictures are wanted.
    pub(crate) fn keep(&self, name: &str) {
        if let Some(folder) = std::env::var_os("UNWEDGE_TERMINAL_PICTURES") {
            let path = Path::new(&folder).join(format!("{name}.ppm"));
            self.picture().save(&path).expect("the folder takes a picture");
        }
    }

    /// The processor time that it has taken, in ticks of the kernel (usually 10 ms).
    pub(crate) fn ticks(&self) -> u64 {
        let path = Path::new("/proc").join(self.child.id().to_string()).join("stat");
        let text = fs::read_to_string(path).expect("it runs");
        let after_name = text.rsplit(") ").next().unwrap_or_default();
        // Fields 14 and 15 of proc(5), of which the first two are gone.
        let ticks = after_name.split(' ').skip(11).take(2);
        ticks.map(|number| number.parse::<u64>().expect("a number")).sum()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            // It was just killed, and ends.
            let _ = self.child.wait();
        }
    }
}

/// Looks again and again until it is so, for [`LIMIT`] at most.
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < LIMIT, "still waiting for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The terminal, or `unwedge run` with the terminal; none where that is not built.
fn command(faults: &[&str]) -> Option<Command> {
    let terminal = Path::new(env!("CARGO_BIN_EXE_unwedge-terminal"));
    if faults.is_empty() {
        let mut command = Command::new(terminal);
        use_lavapipe(&mut command);
        return Some(command);
    }
    let folder = terminal.parent().expect("a file is in a folder");
    let (unwedge, layer) = (folder.join("unwedge"), folder.join("libVkLayer_unwedge.so"));
    if !unwedge.exists() || !layer.exists() {
        eprintln!(
            "skipped: unwedge and its layer are not built; run `cargo build --workspace` first"
        );
        return None;
    }
    let mut command = Command::new(unwedge);
    command.env("UNWEDGE_LAYER", layer).env("NO_COLOR", "1").arg("run");
    for fault in faults {
        command.args(["--inject", fault]);
    }
    command.arg("--").arg(terminal);
    use_lavapipe(&mut command);
    Some(command)
}

/// The tests run on lavapipe wherever it is, unless `UNWEDGE_TEST_DEVICE=real` asks for the machine's own device.
fn use_lavapipe(command: &mut Command) {
    let real = std::env::var_os("UNWEDGE_TEST_DEVICE").is_some_and(|value| value == "real");
    let manifest = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";
    if !real && Path::new(manifest).exists() {
        command.env("VK_DRIVER_FILES", manifest).env("VK_ICD_FILENAMES", manifest);
    }
}
