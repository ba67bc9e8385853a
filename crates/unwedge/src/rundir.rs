//! Where do the black boxes of a run live? In a private folder in memory, that vanishes with the run.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use unwedge_trace::blackbox::BYTES;

use crate::sources::procfs::Stat;

/// The folder of one run.
#[derive(Debug)]
pub(crate) struct RunDir {
    path: PathBuf,
    keep: bool,
}

/// A place that cannot be used, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The place.
    pub(crate) path: PathBuf,
    /// Why, lower case.
    pub(crate) why: String,
}

/// A run's folder that nobody owns any more is left so long for `unwedge explain`.
const STALE_AFTER: Duration = Duration::from_secs(24 * 3600);

impl RunDir {
    /// Makes a folder in the first of the places that can be used; the places that cannot, and why.
    pub(crate) fn make(places: &[PathBuf], keep: bool) -> (Option<Self>, Vec<Refusal>) {
        let mut refusals = Vec::new();
        for place in places {
            match make_in(place) {
                Ok(path) => return (Some(Self { path, keep }), refusals),
                Err(why) => refusals.push(Refusal { path: place.clone(), why }),
            }
        }
        (None, refusals)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        if !self.keep {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// The places for runs, best first: `$XDG_RUNTIME_DIR/unwedge`, then folders of one's own in shared
/// memory and in /tmp.
pub(crate) fn places(xdg_runtime_dir: Option<&Path>) -> Vec<PathBuf> {
    let uid = rustix::process::getuid().as_raw();
    let xdg = xdg_runtime_dir.filter(|path| path.is_absolute()).map(|path| path.join("unwedge"));
    let own = ["/dev/shm", "/tmp"].map(|base| Path::new(base).join(format!("unwedge-{uid}")));
    xdg.into_iter().chain(own).collect()
}

fn make_in(place: &Path) -> Result<PathBuf, String> {
    let told = |error: io::Error| match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => "it is read-only".to_owned(),
        io::ErrorKind::StorageFull => "it is full".to_owned(),
        _ => brief(&error),
    };
    match DirBuilder::new().mode(0o700).create(place) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other.map_err(told)?,
    }
    // A folder of another user, or a link put there by one, is not private.
    let metadata = fs::symlink_metadata(place).map_err(told)?;
    if !metadata.is_dir() {
        return Err("it is not a folder".to_owned());
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() || metadata.mode() & 0o022 != 0 {
        return Err("others may write there".to_owned());
    }
    let room = rustix::fs::statvfs(place).map_err(|error| told(error.into()))?;
    if room.f_bavail.saturating_mul(room.f_frsize) < BYTES as u64 {
        return Err("it is full".to_owned());
    }
    sweep(place);
    let pid = std::process::id();
    let ticks = Stat::of(pid).map_or(0, |stat| stat.start_ticks);
    let path = place.join(format!("run-{pid}-{ticks}"));
    DirBuilder::new().mode(0o700).create(&path).map_err(told)?;
    let probe = path.join("probe");
    if let Err(error) = fs::write(&probe, [1; 4096]).and_then(|()| fs::remove_file(&probe)) {
        let _ = fs::remove_dir_all(&path);
        return Err(told(error));
    }
    Ok(path)
}

/// An error without its number.
fn brief(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text[..1].to_lowercase() + &text[1..]
}

/// Removes folders of runs that ended long ago without cleaning up.
fn sweep(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some((pid, ticks)) = name.to_str().and_then(parse_name) else { continue };
        let lives = Stat::of(pid).is_some_and(|stat| stat.start_ticks == ticks);
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
        if !lives && age.is_some_and(|age| age > STALE_AFTER) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn parse_name(name: &str) -> Option<(u32, u64)> {
    let (pid, ticks) = name.strip_prefix("run-")?.split_once('-')?;
    Some((pid.parse().ok()?, ticks.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_usable_place_is_taken_and_cleaned_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "").expect("a file");
        let good = folder.path().join("good");
        let places = [file.join("below"), file.clone(), good.clone()];
        let (run, refusals) = RunDir::make(&places, false);
        let run = run.expect("a place");
        assert!(run.path().starts_with(&good) && run.path().is_dir());
        let refused = |path: PathBuf, why: &str| Refusal { path, why: why.to_owned() };
        let expected =
            [refused(file.join("below"), "not a directory"), refused(file, "it is not a folder")];
        assert_eq!(refusals, expected);
        let path = run.path().to_owned();
        drop(run);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_that_others_may_write_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("its mode");
        let (run, refusals) = RunDir::make(&[folder.path().to_owned()], false);
        assert!(run.is_none());
        assert_eq!(refusals[0].why, "others may write there");
    }

    #[test]
    fn only_folders_of_runs_are_swept() {
        assert_eq!(parse_name("run-12-3456"), Some((12, 3456)));
        assert_eq!(parse_name("run-12"), None);
        assert_eq!(parse_name("photos"), None);
    }
}
