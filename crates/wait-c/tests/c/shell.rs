//! How does a test run commands, for so long at most, and what does it need for them?

use std::fs;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// No command takes longer, or it is ended and has failed. A build on a busy machine may take minutes.
const LIMIT: Duration = Duration::from_secs(170);

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// An empty folder in which commands run, with a driver for them.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    /// The manifest of the Vulkan driver to use; `None` for those of the system.
    pub(crate) driver: Option<PathBuf>,
    /// What the fake driver does wrong.
    pub(crate) script: String,
}

/// The repository.
pub(crate) fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Where cargo puts what it builds: this test is in a folder of a profile of it.
fn target() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned()
}

/// The program is installed. It is not run: not all of them know `--version`.
pub(crate) fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

impl Place {
    /// A place with the fake driver, and a script for it.
    pub(crate) fn fake(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("fake_icd.json");
        let text = include_str!("../../../fake-icd/fake_icd.json.in");
        fs::write(&manifest, text.replace("@PATH@", &fake_driver().display().to_string())).unwrap();
        Self { folder, driver: Some(manifest), script: script.to_owned() }
    }

    /// A place with lavapipe, if it is installed.
    pub(crate) fn lavapipe() -> Option<Self> {
        let manifests = fs::read_dir("/usr/share/vulkan/icd.d").ok()?.flatten();
        let mut manifests = manifests.map(|entry| entry.path());
        let driver = manifests.find(|path| path.to_string_lossy().contains("lvp_icd"))?;
        let folder = tempfile::tempdir().unwrap();
        Some(Self { folder, driver: Some(driver), script: String::new() })
    }

    /// Runs a script of the shell here; the first command that fails ends it.
    pub(crate) fn run(&self, script: &str) -> Told {
        let (target, source) = (target(), source());
        let mut shell = Command::new("sh");
        shell.arg("-euc").arg(script).current_dir(self.folder.path()).stdin(Stdio::null());
        shell.env("SOURCE", &source).env("CARGO_TARGET_DIR", &target);
        shell.env("LIB", target.join("release")).env("PREFIX", self.folder.path().join("prefix"));
        shell.env("UNWEDGE_FAKE_ICD", &self.script);
        if let Some(manifest) = &self.driver {
            shell.env("VK_DRIVER_FILES", manifest).env("VK_ICD_FILENAMES", manifest);
        }
        bounded(shell)
    }

    /// As [`Place::run`]; what fails is told.
    pub(crate) fn succeed(&self, script: &str) -> String {
        let told = self.run(script);
        assert_eq!(told.status, Some(0), "{script}\n{}{}", told.stdout, told.stderr);
        told.stdout
    }
}

/// The newest library that cargo built beside this test; a plain build and a test build put it in different places.
fn fake_driver() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let dependencies = test.parent().unwrap();
    let built = |folder: &Path| {
        let path = folder.join("libfake_icd.so");
        let time = fs::metadata(&path).and_then(|found| found.modified()).ok()?;
        Some((time, path))
    };
    let newest = [dependencies, dependencies.parent().unwrap()].into_iter().filter_map(built).max();
    newest.expect("run `cargo build -p unwedge-fake-icd` first").1
}

fn bounded(mut command: Command) -> Told {
    let mut files = [tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap()];
    command.stdout(files[0].try_clone().unwrap()).stderr(files[1].try_clone().unwrap());
    let mut child = command.spawn().unwrap();
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > LIMIT {
            child.kill().unwrap();
            panic!("still running after {LIMIT:?}: {command:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let mut texts = files.iter_mut().map(|file| {
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    });
    Told { status: status.code(), stdout: texts.next().unwrap(), stderr: texts.next().unwrap() }
}

/// Why nothing in C can be compiled here, if so.
pub(crate) fn why_no_c() -> Option<&'static str> {
    if !has("cc") {
        return Some("no C compiler is installed");
    }
    let place = Place::fake("");
    let include = "echo '#include <vulkan/vulkan_core.h>' | cc -E - > /dev/null";
    (place.run(include).status != Some(0)).then_some("Vulkan's headers are not installed")
}

/// The library, built as the README says.
pub(crate) fn build(place: &Place) {
    place
        .succeed(r#"cargo build --release --manifest-path "$SOURCE/Cargo.toml" -p unwedge-wait-c"#);
}
