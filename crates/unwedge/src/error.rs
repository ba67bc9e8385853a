//! Why can the command not do what it was asked? One line, and a hint.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use crate::duration::{self, DurationError};
use crate::inject::InjectError;
use crate::store::StoreError;

/// What ends a command, apart from what it finds.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// `run` without a program.
    #[error("no program is given")]
    NoProgram,
    /// Not in the folder, or not in PATH.
    #[error("{}: no such program", .0.display())]
    ProgramMissing(PathBuf),
    /// A folder, or a file without the permission.
    #[error("{}: {why}", path.display())]
    ProgramNotExecutable {
        /// Which.
        path: PathBuf,
        /// What it is.
        why: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// The kernel refused it.
    #[error("{} cannot be started: {source}", path.display())]
    Spawn {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Signals, timers.
    #[error("the program cannot be watched: {0}")]
    Watch(io::Error),
    /// An option's duration.
    #[error("{option}: {source}")]
    Duration {
        /// The option.
        option: &'static str,
        /// Why.
        source: DurationError,
    },
    /// A duration that makes no sense here.
    #[error("{option}: {given} is {why}")]
    DurationRange {
        /// The option.
        option: &'static str,
        /// What was given.
        given: String,
        /// "too short".
        why: &'static str,
        /// What would do.
        hint: &'static str,
    },
    /// A fault.
    #[error("--inject: {0}")]
    Inject(#[from] InjectError),
    /// A file for a report.
    #[error("{option}: {} cannot be written: {source}", path.display())]
    Output {
        /// The option.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file for a report that is a program.
    #[error("{option}: {} is a program, and would be overwritten", path.display())]
    OutputIsProgram {
        /// The option.
        option: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// Something to read.
    #[error("{}: {why}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
        /// What to do.
        hint: Cow<'static, str>,
    },
    /// A store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A folder for a while.
    #[error("no temporary folder can be made: {0}")]
    Temporary(io::Error),
    /// A world that cannot be made, or not be shown.
    #[error("{why}")]
    Sim {
        /// What is wrong.
        why: String,
        /// What to do.
        hint: String,
    },
    /// A topic of the manual.
    #[error("there is no help on {topic:?}")]
    NoHelp {
        /// The topic.
        topic: String,
    },
    /// Something to write for the layer.
    #[error("{}: {source}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The layer's library.
    #[error("the layer's library {} was not found", .0.display())]
    NoLayer(PathBuf),
    /// The beginning of the layer's library.
    #[error("the layer's library {} is cut short", .0.display())]
    LayerCut(PathBuf),
    /// No home.
    #[error("there is no folder for the layer's manifest: neither XDG_DATA_HOME nor HOME is set")]
    NoHome,
}

impl Error {
    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoProgram => "unwedge run -- ./program".to_owned(),
            Self::ProgramMissing(path) if path.components().count() > 1 => {
                "is the path right, seen from this folder?".to_owned()
            }
            Self::ProgramMissing(path) => {
                format!("it is not in PATH; write ./{} for one in this folder", path.display())
            }
            Self::ProgramNotExecutable { hint, .. } | Self::DurationRange { hint, .. } => {
                (*hint).to_owned()
            }
            Self::Input { hint, .. } => hint.clone().into_owned(),
            Self::Sim { hint, .. } => hint.clone(),
            Self::Spawn { source, .. } if source.raw_os_error() == Some(libc::ENOEXEC) => {
                "is it built for another machine, or a script without a #! line?".to_owned()
            }
            Self::Spawn { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "the interpreter or loader that it names does not exist".to_owned()
            }
            Self::Duration { .. } => duration::HINT.to_owned(),
            Self::Inject(error) => format!("{}; see unwedge help inject", error.hint),
            Self::OutputIsProgram { option, .. } => {
                format!("write {option}=FILE, or `{option} --` before the program")
            }
            Self::Output { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "does its folder exist?".to_owned()
            }
            Self::Output { source, .. } if source.kind() == io::ErrorKind::IsADirectory => {
                "name a file in it".to_owned()
            }
            Self::Output { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "choose a folder of your own".to_owned()
            }
            Self::NoHelp { .. } => {
                "a finding's code such as UW002, inject, or a command; see unwedge help".to_owned()
            }
            Self::Manifest { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "leave out --system to install for this user alone, or use sudo".to_owned()
            }
            Self::Store(StoreError::Occupied(_)) => {
                "name another folder; --force replaces a store".to_owned()
            }
            Self::Store(StoreError::Foreign(_)) => "name another folder".to_owned(),
            Self::Store(StoreError::NotAStore { .. }) => {
                "a store is a folder that unwedge import has made".to_owned()
            }
            Self::Store(StoreError::Io { source, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                "does its folder exist?".to_owned()
            }
            Self::Store(StoreError::Version { .. }) => {
                "read it with the version that wrote it, or import the trace again".to_owned()
            }
            Self::Store(StoreError::Io { .. } | StoreError::Parquet { .. }) => {
                "name a folder where there is room and that is yours to write".to_owned()
            }
            Self::Temporary(_) => "set TMPDIR to a folder of your own with room".to_owned(),
            Self::NoLayer(_) => {
                "build it with cargo build --release -p unwedge-layer, or name it with --library"
                    .to_owned()
            }
            Self::LayerCut(_) => "was the disk full? build or install it again".to_owned(),
            Self::NoHome => "set HOME, or use --system".to_owned(),
            Self::Spawn { .. } | Self::Watch(_) | Self::Output { .. } | Self::Manifest { .. } => {
                return None;
            }
        })
    }
}
