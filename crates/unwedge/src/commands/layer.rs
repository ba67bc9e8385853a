//! `unwedge layer`: puts the layer's manifest where the loader finds it, and takes it away.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::environment::LAYER_NAME;
use crate::error::Error;
use crate::loader;

/// Installs the layer for programs that are not started through `unwedge run`.
///
/// After `unwedge layer install`, a program that is started with UNWEDGE_WATCH=1 in its environment
/// records a black box for `unwedge explain`; one without it does not load the layer at all.
#[derive(Debug, Args)]
pub(crate) struct Layer {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Writes the manifest.
    Install {
        #[command(flatten)]
        scope: Scope,
        /// The layer's library, if not the one beside this command.
        #[arg(long, value_name = "PATH")]
        library: Option<PathBuf>,
    },
    /// Removes the manifest, and nothing else.
    Uninstall {
        #[command(flatten)]
        scope: Scope,
    },
    /// Prints the manifest's path.
    Path {
        #[command(flatten)]
        scope: Scope,
    },
}

#[derive(Debug, Args)]
struct Scope {
    /// For all users, in /etc/vulkan, instead of for this one.
    #[arg(long)]
    system: bool,
}

impl Layer {
    /// Does it, and says what was done.
    ///
    /// # Errors
    /// When the library is missing or the manifest cannot be written or removed.
    pub(crate) fn execute(&self) -> Result<ExitCode, Error> {
        let done = match &self.action {
            Action::Install { scope, library } => install(&scope.manifest()?, library.as_deref())?,
            Action::Uninstall { scope } => uninstall(&scope.manifest()?)?,
            Action::Path { scope } => scope.manifest()?.display().to_string(),
        };
        // Whoever closes standard output does not want to know.
        let _ = io::Write::write_all(&mut io::stdout(), format!("{done}\n").as_bytes());
        Ok(ExitCode::SUCCESS)
    }
}

impl Scope {
    fn manifest(&self) -> Result<PathBuf, Error> {
        let absolute = |name: &str| {
            std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
        };
        let data = if self.system {
            PathBuf::from("/etc")
        } else {
            let home = || absolute("HOME").map(|home| home.join(".local/share"));
            absolute("XDG_DATA_HOME").or_else(home).ok_or(Error::NoHome)?
        };
        Ok(data.join("vulkan/implicit_layer.d").join(format!("{LAYER_NAME}.json")))
    }
}

fn install(manifest: &Path, library: Option<&Path>) -> Result<String, Error> {
    let library = loader::library(library)?;
    // The text of a JSON value; pretty, for people look into these files.
    let text = format!("{:#}\n", loader::implicit_manifest(&library));
    let path = manifest.display();
    if fs::read_to_string(manifest).is_ok_and(|old| old == text) {
        return Ok(format!("{path} is installed already"));
    }
    let failed = |source| Error::Manifest { path: manifest.to_owned(), source };
    if let Some(folder) = manifest.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    // Written aside and renamed: a loader must never see half a manifest.
    let aside = manifest.with_extension("json.new");
    fs::write(&aside, text).and_then(|()| fs::rename(&aside, manifest)).map_err(failed)?;
    Ok(format!(
        "installed {path} for {}\nstart a program with UNWEDGE_WATCH=1 and it records a black box for unwedge explain",
        library.display()
    ))
}

fn uninstall(manifest: &Path) -> Result<String, Error> {
    let path = manifest.display();
    match fs::remove_file(manifest) {
        Ok(()) => Ok(format!("removed {path}")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(format!("{path} is not installed"))
        }
        Err(source) => Err(Error::Manifest { path: manifest.to_owned(), source }),
    }
}
