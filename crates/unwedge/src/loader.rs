//! Where is the layer's library, what does its manifest say, and which loader is there to read it?

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::environment::{LAYER_NAME, Version};
use crate::error::Error;

/// The library's file name.
pub(crate) const LIBRARY: &str = "libVkLayer_unwedge.so";

/// The layer's library: `asked` if given, else beside the command, where packages put it, or in
/// `$UNWEDGE_LAYER`.
///
/// # Errors
/// When it is in none of them, or is there in part only.
pub(crate) fn library(asked: Option<&Path>) -> Result<PathBuf, Error> {
    let beside = std::env::current_exe().ok();
    let candidates =
        candidates(asked, beside.as_deref(), std::env::var_os("UNWEDGE_LAYER").map(PathBuf::from));
    let found = candidates.iter().find(|path| path.is_file());
    let first = || candidates.first().cloned().unwrap_or_else(|| LIBRARY.into());
    let found = found.ok_or_else(|| Error::NoLayer(first()))?;
    let library = found.canonicalize().map_err(|_| Error::NoLayer(found.clone()))?;
    if is_cut_short(&library) { Err(Error::LayerCut(library)) } else { Ok(library) }
}

/// Whether this is the beginning of a library. Other files that are none are refused by every loader,
/// but this one is mapped beyond its end, and the program dies of SIGBUS.
fn is_cut_short(library: &Path) -> bool {
    let Ok(file) = File::open(library) else { return false };
    let mut header = [0; ELF_HEADER_BYTES];
    let (Ok(metadata), Ok(())) = (file.metadata(), file.read_exact_at(&mut header, 0)) else {
        return false;
    };
    if !header.starts_with(b"\x7fELF\x02\x01") {
        return false;
    }
    // The table of sections stands at the end of a file: where it begins, and its entries (elf(5)).
    let half = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
    let begin = header[40..48].iter().rev().fold(0, |word: u64, byte| word << 8 | u64::from(*byte));
    begin.saturating_add(half(58) * half(60)) > metadata.len()
}

const ELF_HEADER_BYTES: usize = 64;

fn candidates(
    asked: Option<&Path>,
    command: Option<&Path>,
    variable: Option<PathBuf>,
) -> Vec<PathBuf> {
    if let Some(asked) = asked {
        return vec![asked.to_owned()];
    }
    let folder = command.and_then(Path::parent);
    let beside = folder.map(|folder| folder.join(LIBRARY));
    let packaged =
        folder.and_then(Path::parent).map(|prefix| prefix.join("lib/unwedge").join(LIBRARY));
    beside.into_iter().chain(packaged).chain(variable).collect()
}

/// The manifest of the explicit layer, for `run`.
pub(crate) fn manifest(library: &Path) -> Value {
    json!({
        "file_format_version": "1.2.0",
        "layer": {
            "name": LAYER_NAME,
            "type": "GLOBAL",
            "library_path": library.to_string_lossy(),
            "api_version": "1.3.296",
            "implementation_version": "1",
            "description": "unwedge: records waits and signals, to explain hangs",
            "functions": {
                "vkNegotiateLoaderLayerInterfaceVersion": "vkNegotiateLoaderLayerInterfaceVersion",
            },
        },
    })
}

/// The manifest of the implicit layer: any program with `UNWEDGE_WATCH=1` records a black box.
pub(crate) fn implicit_manifest(library: &Path) -> Value {
    let mut manifest = manifest(library);
    manifest["layer"]["enable_environment"] = json!({ "UNWEDGE_WATCH": "1" });
    manifest["layer"]["disable_environment"] = json!({ "UNWEDGE_DISABLE": "1" });
    manifest
}

/// The version of this machine's Vulkan loader; `None` where there is none.
pub(crate) fn version() -> Option<Version> {
    type EnumerateInstanceVersion = unsafe extern "system" fn(*mut u32) -> i32;
    // SAFETY: the loader's constructors only set up its locks.
    let library = unsafe { libloading::Library::new("libvulkan.so.1") }.ok()?;
    // SAFETY: the symbol has this type since Vulkan 1.1 (Vulkan spec, vkEnumerateInstanceVersion).
    let enumerate =
        unsafe { library.get::<EnumerateInstanceVersion>(b"vkEnumerateInstanceVersion\0") };
    let Ok(enumerate) = enumerate else { return Some((1, 0, 0)) };
    let mut version = 0_u32;
    // SAFETY: the pointer is valid for one `u32`.
    let result = unsafe { enumerate(&raw mut version) };
    (result == 0).then_some((version >> 22 & 0x7f, version >> 12 & 0x3ff, version & 0xfff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_looked_for_beside_the_command() {
        let command = Path::new("/opt/bin/unwedge");
        let found = candidates(None, Some(command), Some("/x.so".into()));
        let expected =
            ["/opt/bin/libVkLayer_unwedge.so", "/opt/lib/unwedge/libVkLayer_unwedge.so", "/x.so"];
        assert_eq!(found, expected.map(PathBuf::from));
        assert_eq!(
            candidates(Some(Path::new("y.so")), Some(command), None),
            [PathBuf::from("y.so")]
        );
    }

    #[test]
    fn the_implicit_manifest_can_be_switched_on_and_off() {
        let manifest = implicit_manifest(Path::new("/opt/x.so"));
        assert_eq!(manifest["layer"]["library_path"], "/opt/x.so");
        assert_eq!(manifest["layer"]["enable_environment"]["UNWEDGE_WATCH"], "1");
        assert_eq!(manifest["layer"]["disable_environment"]["UNWEDGE_DISABLE"], "1");
    }
}
