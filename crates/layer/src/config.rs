//! What was the layer asked to do? Read once from the environment that `unwedge run` sets.

use std::path::PathBuf;
use std::sync::OnceLock;

/// The layer's settings for this process.
pub(crate) struct Config {
    /// Where black boxes go: `UNWEDGE_DIR`, set by a watcher.
    pub(crate) folder: Option<PathBuf>,
    /// Leave breadcrumbs: `UNWEDGE_CRUMBS`, on unless it is `0`.
    pub(crate) crumbs: bool,
    /// Let outsiders fail waits: `UNWEDGE_FAIL=1`.
    pub(crate) fail: bool,
    /// Faults to inject: `UNWEDGE_INJECT`, in canonical form.
    pub(crate) inject: String,
}

/// The settings; the same for the life of the process.
pub(crate) fn config() -> &'static Config {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    CONFIG.get_or_init(|| {
        let is = |name: &str, value: &str| std::env::var_os(name).is_some_and(|v| v == value);
        Config {
            folder: std::env::var_os("UNWEDGE_DIR").filter(|v| !v.is_empty()).map(PathBuf::from),
            crumbs: !is("UNWEDGE_CRUMBS", "0"),
            fail: is("UNWEDGE_FAIL", "1"),
            inject: std::env::var("UNWEDGE_INJECT").unwrap_or_default(),
        }
    })
}

/// Folders to try for black boxes, best first. They are memory file systems where there is one.
pub(crate) fn folders() -> Vec<PathBuf> {
    if cfg!(test) {
        // The tests of this crate make do with private memory.
        return Vec::new();
    }
    if let Some(folder) = &config().folder {
        return vec![folder.clone()];
    }
    // SAFETY: getuid cannot fail and touches nothing.
    let user = unsafe { libc::getuid() };
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|v| !v.is_empty());
    let mut folders: Vec<PathBuf> =
        runtime.map(|dir| PathBuf::from(dir).join("unwedge")).into_iter().collect();
    folders.push(PathBuf::from(format!("/dev/shm/unwedge-{user}")));
    folders.push(PathBuf::from(format!("/tmp/unwedge-{user}")));
    folders
}
