//! Is the verdict right, and the program undisturbed, with other layers above and below ours, and with
//! the layer installed for programs that nobody runs under the watch?
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

#[path = "rig/mod.rs"]
mod rig;
#[path = "rig/watched.rs"]
mod watched;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use unwedge_scenarios::table::Driver;
use watched::{Told, Watch, black_boxes, eventually, installed};

const OURS: &str = "VK_LAYER_UNWEDGE_watch";
const VALIDATION: &str = "VK_LAYER_KHRONOS_validation";
const KILL: &[&str] = &["--deadline=2s", "--on-wedge=kill"];

/// A folder with the validation layer's manifest alone, as a user's own folder of layers; `None`, said
/// on stderr, where it is not installed.
fn validation() -> Option<tempfile::TempDir> {
    let all = ["/usr/share", "/usr/local/share", "/etc"];
    let folders = all.iter().map(|base| Path::new(base).join("vulkan/explicit_layer.d"));
    let files = folders.flat_map(|folder| folder.read_dir().into_iter().flatten().flatten());
    let is_it = |path: &PathBuf| {
        std::fs::read_to_string(path).is_ok_and(|text| text.contains(&format!("\"{VALIDATION}\"")))
    };
    let Some(found) = files.map(|file| file.path()).find(is_it) else {
        eprintln!("skipped: {VALIDATION} is not installed");
        return None;
    };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(found, folder.path().join("mine.json")).expect("a copy");
    Some(folder)
}

/// Where the validation layer is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// Between ours and the driver, as `unwedge run` puts the user's layers.
    Below,
    /// Between the program and ours.
    Above,
}

/// The program under the watch, with the validation layer from the user's own folder.
fn stacked(place: Place, theirs: &Path, program: &str) -> Option<Told> {
    let watch = Watch::new(KILL).on_display(has_window(program))?;
    let watch = watch.env("VK_LOADER_DEBUG", "layer").env("VK_LAYER_PATH", theirs);
    let watch = watch.env("VK_INSTANCE_LAYERS", VALIDATION);
    // Loaders differ in whether the order of names or that of folders counts: both say the same here.
    let swap = format!(
        "export VK_INSTANCE_LAYERS={VALIDATION}:{OURS} VK_LAYER_PATH={}:$UNWEDGE_DIR; ",
        theirs.display()
    );
    let swap = if place == Place::Above { swap } else { String::new() };
    let told = watch.script(&format!("{swap}exec {program}"));
    assert_eq!(upper_layer(&told.stderr).as_deref(), Some(upper(place)), "{}", told.all());
    Some(told)
}

/// Whether this command opens a window.
fn has_window(program: &str) -> bool {
    program.starts_with("vkcube") || program.rsplit(' ').next().is_some_and(watched::has_window)
}

fn upper(place: Place) -> &'static str {
    if place == Place::Above { VALIDATION } else { OURS }
}

/// Which of the two is nearest to the program: the loader inserts them from the driver up.
fn upper_layer(log: &str) -> Option<String> {
    let inserted = log.lines().filter_map(|line| line.split_once("nsert instance layer \""));
    let names = inserted.filter_map(|(_, rest)| rest.split('"').next());
    let names: Vec<&str> = names.filter(|name| [OURS, VALIDATION].contains(name)).collect();
    (names.len() >= 2).then(|| names.last().map(|name| (*name).to_owned()))?
}

/// What the validation layer complains about: the identifiers of its messages.
fn complaints(output: &str) -> BTreeSet<String> {
    let words = output.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'));
    let is_one = |word: &&str| {
        word.starts_with("VUID-") || word.starts_with("UNASSIGNED-") || *word == "SYNC-HAZARD"
    };
    words.filter(is_one).map(str::to_owned).collect()
}

/// What it complains about when the program runs without us.
fn complaints_without_us(theirs: &Path, program: &str) -> BTreeSet<String> {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {program}")]).env("scenario", rig::built("scenario"));
    command.env("VK_LAYER_PATH", theirs).env("VK_INSTANCE_LAYERS", VALIDATION);
    command.env("UNWEDGE_SCENARIO_LIMIT_S", "3").stdin(Stdio::null());
    if has_window(program) {
        command.env("DISPLAY", rig::display().unwrap_or_default());
    }
    rig::use_driver(&mut command, Driver::Any, theirs);
    let output = rig::run(&mut command);
    complaints(&format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs the program in both orders; the validation layer says what it says without us.
fn check(program: &str, judge: impl Fn(&Told)) -> Option<BTreeSet<String>> {
    let theirs = validation()?;
    let before = complaints_without_us(theirs.path(), program);
    for place in [Place::Below, Place::Above] {
        let told = stacked(place, theirs.path(), program)?;
        judge(&told);
        let now = complaints(&format!("{}{}", told.stdout, told.stderr));
        let new: Vec<_> = now.difference(&before).collect();
        assert!(new.is_empty(), "{place:?}: new complaints {new:?}\n{}", told.all());
    }
    Some(before)
}

fn is_healthy(told: &Told) {
    assert_eq!((told.status, told.codes()), (Some(0), vec![]), "{}", told.all());
    told.says(&["nothing wrong"]);
}

#[test]
fn short_fences_beside_validation() {
    let before = check("\"$scenario\" short-fences", is_healthy);
    assert!(before.is_none_or(|before| before.is_empty()), "the scenario is not valid itself");
}

#[test]
fn a_fence_that_is_never_submitted_beside_validation() {
    check("\"$scenario\" fence-never-submitted", |told| told.is_wedged("UW002", 124, &[]));
}

#[test]
fn a_deadlock_of_a_queue_beside_validation() {
    check("\"$scenario\" queue-self-deadlock", |told| told.is_wedged("UW001", 124, &[]));
}

#[test]
fn a_program_that_validation_complains_about() {
    // Here the comparison has something to compare.
    let program = "\"$scenario\" gpu-wait-failed-acquire";
    let before = check(program, |told| told.is_wedged("UW003", 124, &["vkAcquireNextImageKHR"]));
    assert!(before.is_none_or(|before| !before.is_empty()), "its messages were not seen");
}

#[test]
fn vkcube_beside_validation() {
    if installed("vkcube") {
        check("vkcube --c 60", is_healthy);
    }
}

#[test]
fn a_layer_in_a_folder_of_the_users_is_kept() {
    let Some(theirs) = validation() else { return };
    let watch = Watch::new(KILL).env("VK_LOADER_DEBUG", "layer");
    let watch = watch.env("VK_LAYER_PATH", theirs.path()).env("VK_INSTANCE_LAYERS", VALIDATION);
    let told = watch.scenario("dropped-fence");
    is_healthy(&told);
    let manifest = theirs.path().join("mine.json");
    told.says(&[&manifest.display().to_string(), &format!("Insert instance layer \"{VALIDATION}")]);
    assert_eq!(upper_layer(&told.stderr).as_deref(), Some(OURS));
}

/// A user whose only folder is this one, with nothing of ours in the environment.
struct User(tempfile::TempDir);

impl User {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("HOME", self.0.path()).env("XDG_RUNTIME_DIR", self.path("runtime"));
        for name in ["XDG_DATA_HOME", "VK_INSTANCE_LAYERS", "VK_LAYER_PATH", "UNWEDGE_DIR"] {
            command.env_remove(name);
        }
        command.env("UNWEDGE_LAYER", rig::built("libVkLayer_unwedge.so")).stdin(Stdio::null());
        command.env("UNWEDGE_SCENARIO_LIMIT_S", "30").env_remove("UNWEDGE_WATCH");
        rig::use_driver(&mut command, Driver::Any, self.0.path());
        command
    }

    fn unwedge(&self, arguments: &[&str]) -> Output {
        rig::run(self.command(env!("CARGO_BIN_EXE_unwedge")).args(arguments))
    }

    fn layer(&self, action: &str) {
        let output = self.unwedge(&["layer", action]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }

    /// The files below, of the layer and of its black boxes.
    fn files(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.path(".local"), self.path("runtime")];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir().into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files
    }
}

/// A program that is killed when the test ends, whatever becomes of the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_installed_layer_records_for_explain() {
    let user = User::new();
    std::fs::create_dir(user.path("runtime")).expect("a folder");
    user.layer("install");
    let mut command = user.command(rig::built("scenario"));
    command.arg("fence-never-submitted").env("UNWEDGE_WATCH", "1");
    let mut program = Program(command.stderr(Stdio::null()).spawn().expect("it starts"));
    let (path, pid) = eventually("a black box", || black_boxes(&user.path("runtime")).pop());
    assert_eq!(pid, program.0.id());
    // So long it must have been stuck for anybody to call it that.
    std::thread::sleep(std::time::Duration::from_millis(2500));
    let explain = || user.unwedge(&["explain", &path.display().to_string()]);
    let alive = explain();
    assert!(text(&alive.stdout).contains("wedged[UW002]"), "{}", text(&alive.stdout));
    assert_eq!(alive.status.code(), Some(1));
    assert!(matches!(program.0.try_wait(), Ok(None)), "the look at it ended the program");
    program.0.kill().expect("it is ours");
    program.0.wait().expect("it was killed");
    let dead = explain();
    assert!(text(&dead.stdout).contains("wedged[UW002]"), "{}", text(&dead.stdout));
    assert_eq!(dead.status.code(), Some(1));
}

#[test]
fn an_installed_layer_sleeps_until_it_is_asked() {
    let user = User::new();
    std::fs::create_dir(user.path("runtime")).expect("a folder");
    user.layer("install");
    let manifest = user.files();
    assert_eq!(manifest.len(), 1, "{manifest:?}");
    let run = |variables: &[(&str, &str)]| {
        let mut command = user.command(rig::built("scenario"));
        command.arg("dropped-fence").env("VK_LOADER_DEBUG", "layer");
        let output = rig::run(command.envs(variables.iter().copied()));
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stderr).contains(&format!("nsert instance layer \"{OURS}\""))
    };
    assert!(run(&[("UNWEDGE_WATCH", "1")]), "asked for, it was not loaded");
    assert!(!run(&[]), "it was loaded unasked");
    assert!(!run(&[("UNWEDGE_WATCH", "1"), ("UNWEDGE_DISABLE", "1")]), "it cannot be disabled");
    assert_eq!(user.files(), manifest, "a program that ended well left something");
    user.layer("uninstall");
    assert_eq!(user.files(), Vec::<PathBuf>::new());
    assert!(!run(&[("UNWEDGE_WATCH", "1")]), "it was uninstalled and is loaded");
}
