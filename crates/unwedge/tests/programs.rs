//! Does it work on programs that were not written for it? Demos of others, beside other layers, started through the installed
//! layer, and killed.
#![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

#[path = "rig/mod.rs"]
mod rig;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use unwedge_scenarios::table::Driver;

const VALIDATION: &str = "VK_LAYER_KHRONOS_validation";

/// Runs a program under the watch on the tests' display; `None`, said on standard error, where it is not installed.
fn watched(program: &str, arguments: &[&str], layers: &str) -> Option<Output> {
    let Some(display) = rig::display().filter(|_| installed(program)) else {
        eprintln!("skipped: {program} is not installed here, or there is no display");
        return None;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = rig::unwedge();
    command
        .args(["run", "--deadline", "2s", "--on-wedge", "kill", "--"])
        .arg(program)
        .args(arguments);
    command.env("DISPLAY", display).env("VK_INSTANCE_LAYERS", layers);
    rig::use_driver(&mut command, Driver::Any, folder.path());
    Some(rig::run(&mut command))
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn check_healthy(program: &str, arguments: &[&str], layers: &str) {
    let Some(output) = watched(program, arguments, layers) else { return };
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("nothing wrong") && said.contains("frames/s"), "{said}");
    assert!(!said.contains("[UW0"), "{said}");
}

#[test]
fn vkcube_is_healthy() {
    check_healthy("vkcube", &["--c", "500"], "");
}

#[test]
fn vkcubepp_is_healthy() {
    check_healthy("vkcubepp", &["--c", "500"], "");
}

/// Debian has it from trixie on.
#[test]
fn vkmark_is_healthy() {
    check_healthy(
        "vkmark",
        &["--winsys", "xcb", "-b", "cube:duration=2", "-b", "vertex:duration=2"],
        "",
    );
}

#[test]
fn vkcube_is_healthy_above_validation() {
    if validation_manifest().is_some() {
        check_healthy("vkcube", &["--c", "100"], VALIDATION);
    }
}

#[test]
fn a_lost_signal_of_vkcube_is_found() {
    let Some(display) = rig::display().filter(|_| installed("vkcube")) else {
        eprintln!("skipped: no vkcube or no display");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = rig::unwedge();
    command.args([
        "run",
        "--deadline",
        "2s",
        "--on-wedge",
        "kill",
        "--inject",
        "drop-signal:fence:n=60",
        "--",
    ]);
    command.args(["vkcube", "--c", "500"]).env("DISPLAY", display);
    rig::use_driver(&mut command, Driver::Any, folder.path());
    let output = rig::run(&mut command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(124), "{said}");
    assert!(
        said.contains("wedged[UW004]: signal lost") && said.contains("vkWaitForFences"),
        "{said}"
    );
}

/// The validation layer's manifest; says on standard error that it is missing.
fn validation_manifest() -> Option<PathBuf> {
    let folder = Path::new("/usr/share/vulkan/explicit_layer.d");
    let files = folder.read_dir().into_iter().flatten().flatten().map(|file| file.path());
    let found = files.into_iter().find(|file| {
        std::fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("\"{VALIDATION}\"")))
    });
    if found.is_none() {
        eprintln!("skipped: the validation layer is not installed");
    }
    found
}

/// A patient that nobody watches: `fence-never-submitted`, with its black box below a folder of its own.
struct Patient {
    child: Child,
    folder: tempfile::TempDir,
}

impl Patient {
    fn start(prepare: impl FnOnce(&mut Command, &Path)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(rig::built("scenario"));
        command.arg("fence-never-submitted").env("UNWEDGE_SCENARIO_LIMIT_S", "30");
        command.env_remove("VK_INSTANCE_LAYERS").env_remove("VK_LAYER_PATH");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        prepare(&mut command, folder.path());
        rig::use_driver(&mut command, Driver::Any, folder.path());
        Self { child: command.spawn().expect("the scenario starts"), folder }
    }

    /// Its black box, once it is there and the program has had the time to get stuck.
    fn black_box(&self) -> PathBuf {
        let begin = Instant::now();
        loop {
            if let Some(found) = black_box(self.folder.path()) {
                std::thread::sleep(Duration::from_millis(1500));
                return found;
            }
            assert!(
                begin.elapsed() < Duration::from_secs(10),
                "no black box below {}",
                self.folder.path().display()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn explain(&self, path: &Path) -> String {
        let output = rig::run(rig::unwedge().arg("explain").arg(path));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(
            output.status.code(),
            Some(1),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        said
    }

    fn kill(&mut self) {
        self.child.kill().expect("it is ours");
        let begin = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begin.elapsed() < Duration::from_secs(5)
        {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Patient {
    fn drop(&mut self) {
        self.kill();
    }
}

fn black_box(folder: &Path) -> Option<PathBuf> {
    let entries = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let is_box = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "blackbox");
    files.into_iter().find(is_box).or_else(|| folders.iter().find_map(|folder| black_box(folder)))
}

/// Puts the implicit layer into `folder` and returns its manifest.
fn install(folder: &Path) -> PathBuf {
    let output = rig::run(rig::unwedge().args(["layer", "install"]).env("XDG_DATA_HOME", folder));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    folder.join("vulkan/implicit_layer.d/VK_LAYER_UNWEDGE_watch.json")
}

#[test]
fn an_installed_layer_explains_alive_and_dead() {
    let mut patient = Patient::start(|command, folder| {
        install(folder);
        command
            .env("XDG_DATA_HOME", folder)
            .env("XDG_RUNTIME_DIR", folder)
            .env("UNWEDGE_WATCH", "1");
    });
    let path = patient.black_box();
    assert!(patient.explain(&path).contains("wedged[UW002]"));
    patient.kill();
    let said = patient.explain(&path);
    assert!(said.contains("wedged[UW002]") && said.contains("vkWaitForFences"), "{said}");
}

/// A black box that was cut anywhere is read or refused, in one line and without a panic.
#[test]
fn a_torn_black_box_is_no_panic() {
    let mut patient = Patient::start(|command, folder| {
        install(folder);
        command
            .env("XDG_DATA_HOME", folder)
            .env("XDG_RUNTIME_DIR", folder)
            .env("UNWEDGE_WATCH", "1");
    });
    let path = patient.black_box();
    patient.kill();
    let whole = std::fs::read(&path).expect("it outlives its process");
    for part in [8, 100, 4096, 5000, 100_000, whole.len() / 2, whole.len() - 1] {
        let torn = patient.folder.path().join("torn");
        std::fs::write(&torn, &whole[..part]).expect("a file");
        let output = rig::run(rig::unwedge().arg("explain").arg(&torn));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code().is_some_and(|status| status <= 3), "{part} bytes: {said}");
        assert!(!said.contains("panicked"), "{part} bytes: {said}");
    }
}

#[test]
fn below_validation_it_works_as_well() {
    let Some(validation) = validation_manifest() else { return };
    let mut patient = Patient::start(|command, folder| {
        let text = std::fs::read_to_string(install(folder)).expect("a manifest");
        let mut ours: Value = serde_json::from_str(&text).expect("JSON");
        let layer = ours["layer"].as_object_mut().expect("a layer");
        layer.remove("enable_environment");
        layer.remove("disable_environment");
        let layers = folder.join("layers");
        std::fs::create_dir(&layers).expect("a folder");
        std::fs::write(layers.join("ours.json"), ours.to_string()).expect("a file");
        std::fs::copy(&validation, layers.join("validation.json")).expect("a file");
        command.env("VK_LAYER_PATH", &layers).env("UNWEDGE_DIR", folder);
        // The first is nearest to the program.
        command.env("VK_INSTANCE_LAYERS", format!("{VALIDATION}:VK_LAYER_UNWEDGE_watch"));
    });
    let path = patient.black_box();
    patient.kill();
    assert!(patient.explain(&path).contains("wedged[UW002]"));
}
