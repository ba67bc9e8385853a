//! Where are the built things, which driver and display are there, and how is a program run under
//! the watch with a hard limit?
#![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use unwedge_scenarios::table::Driver;

/// No run of a test takes longer than this, or it is killed and has failed.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A file that was built beside the command under test.
pub(crate) fn built(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_unwedge")).parent().expect("a file is in a folder");
    let found = [folder.join(name), folder.join("deps").join(name)]
        .into_iter()
        .filter(|path| path.exists())
        .max_by_key(|path| path.metadata().and_then(|m| m.modified()).ok());
    found.unwrap_or_else(|| panic!("{name} is not built: run `cargo build --workspace` first"))
}

/// `unwedge`, with the layer that was built beside it.
pub(crate) fn unwedge() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unwedge"));
    command.env("UNWEDGE_LAYER", built("libVkLayer_unwedge.so")).stdin(Stdio::null());
    command.env("NO_COLOR", "1").env_remove("VK_INSTANCE_LAYERS").env_remove("VK_LAYER_PATH");
    command
}

/// Sets what the loader needs to find the driver that a scenario wants.
pub(crate) fn use_driver(command: &mut Command, driver: Driver, manifests: &Path) {
    let script = match driver {
        Driver::Any => return use_lavapipe(command),
        Driver::Fake(script) => script,
        // Where there is a real device, it has what lavapipe has not.
        Driver::NvidiaToo(_) if on_real_device() => return,
        Driver::NvidiaToo(script) => script,
    };
    let manifest = manifests.join("fake_icd.json");
    let text = include_str!("../../../fake-icd/fake_icd.json.in");
    let library = built("libfake_icd.so");
    std::fs::write(&manifest, text.replace("@PATH@", &library.display().to_string()))
        .expect("the temporary folder takes a manifest");
    command.env("VK_DRIVER_FILES", &manifest).env("VK_ICD_FILENAMES", &manifest);
    command.env("UNWEDGE_FAKE_ICD", script);
}

/// Tests run on lavapipe wherever it is, unless a real device is asked for.
fn use_lavapipe(command: &mut Command) {
    let manifest = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";
    if !on_real_device() && Path::new(manifest).exists() {
        command.env("VK_DRIVER_FILES", manifest).env("VK_ICD_FILENAMES", manifest);
    }
}

/// `UNWEDGE_TEST_DEVICE=real` runs the tests on the machine's own device.
pub(crate) fn on_real_device() -> bool {
    std::env::var_os("UNWEDGE_TEST_DEVICE").is_some_and(|value| value == "real")
}

/// The X display of the tests: a server of their own, started once; `None` says why on stderr.
pub(crate) fn display() -> Option<&'static str> {
    static DISPLAY: OnceLock<Option<String>> = OnceLock::new();
    DISPLAY.get_or_init(display_of_the_process).as_deref()
}

/// The server goes with the thread that started it, and a test's thread goes with its test: so it has
/// one of its own, for as long as the process lives.
fn display_of_the_process() -> Option<String> {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _ = tell.send(start_display());
        loop {
            std::thread::sleep(LIMIT);
        }
    });
    told.recv_timeout(LIMIT).ok().flatten()
}

fn start_display() -> Option<String> {
    let mut server = Command::new("Xvfb");
    server.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]);
    // Else the server starts anew when its last client goes, and refuses those who come meanwhile.
    server.arg("-noreset");
    server.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    end_with_parent(&mut server);
    let mut child = match server.spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("no display: Xvfb: {error}");
            return None;
        }
    };
    let mut number = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take()?);
    std::io::BufRead::read_line(&mut out, &mut number).ok()?;
    // The server ends with this process; nobody waits for it.
    std::mem::forget((child, out));
    Some(format!(":{}", number.trim()))
}

/// Has the kernel end a child when this process goes, however it goes.
fn end_with_parent(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    // SAFETY: prctl is async-signal-safe, and nothing else runs between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
}

/// Runs a command with its output captured, for [`LIMIT`] at most.
pub(crate) fn run(command: &mut Command) -> Output {
    use std::os::unix::process::CommandExt;
    let started = Instant::now();
    let output = tempfile::NamedTempFile::new().expect("a temporary file");
    let errors = tempfile::NamedTempFile::new().expect("a temporary file");
    command.stdout(output.reopen().expect("just made")).stderr(errors.reopen().expect("just made"));
    let mut child = command.process_group(0).spawn().expect("the command starts");
    let status = loop {
        if let Some(status) = child.try_wait().expect("the child is ours") {
            break status;
        }
        if started.elapsed() > LIMIT {
            end_group(&mut child);
            let said = std::fs::read_to_string(errors.path()).unwrap_or_default();
            panic!("still running after {LIMIT:?}: {command:?}\n{said}");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let read = |file: &tempfile::NamedTempFile| std::fs::read(file.path()).unwrap_or_default();
    Output { status, stdout: read(&output), stderr: read(&errors) }
}

fn end_group(child: &mut Child) {
    // SAFETY: the group was made for this child, which has not been reaped.
    unsafe { libc::kill(-child.id().cast_signed(), libc::SIGKILL) };
    let _ = child.wait();
}
