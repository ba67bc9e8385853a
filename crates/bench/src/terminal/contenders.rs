//! Which terminals are compared, and how is each started?

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::said;

/// A terminal that may be there.
pub(crate) struct Contender {
    /// For a reader, with its version.
    pub(crate) name: String,
    /// Whether it is the one of this project.
    pub(crate) ours: bool,
    program: PathBuf,
    /// What comes before the program that it is to run.
    arguments: &'static [&'static str],
}

/// Terminals of Debian that run on an X server, the one that the others are compared with first, with the arguments that have
/// them run a program. Of their configuration there is nothing: each has an empty home.
const RIVALS: [(&str, &[&str]); 3] =
    [("alacritty", &["-e"]), ("kitty", &["--config", "NONE"]), ("xterm", &["-e"])];

/// A terminal that is not there, and why.
pub(crate) struct Absent {
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
}

impl Contender {
    /// The one of this project, and those of Debian.
    pub(crate) fn all(ours: PathBuf) -> Vec<Result<Self, Absent>> {
        let rivals = RIVALS.map(|(name, arguments)| Self::rival(name, arguments));
        [Self::ours(ours)].into_iter().chain(rivals).collect()
    }

    fn ours(program: PathBuf) -> Result<Self, Absent> {
        let name = "unwedge-terminal";
        if !program.is_file() {
            return Err(Absent { name, why: "it is not built" });
        }
        Ok(Self { name: name.to_owned(), ours: true, program, arguments: &["-e"] })
    }

    fn rival(name: &'static str, arguments: &'static [&'static str]) -> Result<Self, Absent> {
        let program = Path::new("/usr/bin").join(name);
        if !program.is_file() {
            return Err(Absent { name, why: "it is not installed" });
        }
        let version = said("dpkg-query", &["-W", "-f", "${Version}", name]);
        let name = format!("{name} {version}").trim().to_owned();
        Ok(Self { name, ours: false, program, arguments })
    }

    /// Has it run this program on this display, at home in this folder.
    pub(crate) fn command(&self, display: &str, home: &Path, program: &[&OsStr]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(self.arguments).args(program);
        command.env("DISPLAY", display).env("HOME", home).env("XDG_CONFIG_HOME", home);
        // Some keep a socket there.
        command.env("XDG_RUNTIME_DIR", home).env("LC_ALL", "C.UTF-8");
        command.env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
        command
    }
}
