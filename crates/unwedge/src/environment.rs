//! Which environment makes the loader load the layer, and keeps what the user has set?

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// The layer's name for the loader.
pub(crate) const LAYER_NAME: &str = "VK_LAYER_UNWEDGE_watch";

/// What the environment is made from. `get` reads the user's own.
pub(crate) struct Plan<'a> {
    /// The folder with the manifest and the black boxes.
    pub(crate) directory: &'a Path,
    /// The loader's version, `None` where there is no loader.
    pub(crate) loader: Option<Version>,
    /// Leave breadcrumbs.
    pub(crate) breadcrumbs: bool,
    /// Waits may be failed.
    pub(crate) fail: bool,
    /// Nanoseconds.
    pub(crate) deadline: u64,
    /// Faults in canonical form. May be empty.
    pub(crate) inject: &'a str,
}

/// A version of Vulkan: major, minor, patch.
pub(crate) type Version = (u32, u32, u32);

/// From here on the loader knows VK_ADD_LAYER_PATH and VK_LOADER_LAYERS_ALLOW (loader's
/// docs/LoaderInterfaceArchitecture.md).
const ADDS_LAYER_PATHS: Version = (1, 3, 234);

impl Plan<'_> {
    /// Variables to set, or to remove where the value is `None`.
    pub(crate) fn variables(
        &self,
        get: impl Fn(&str) -> Option<OsString>,
    ) -> Vec<(&'static str, Option<OsString>)> {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        let flag = |on: bool| if on { "1" } else { "0" };
        let text = |text: &str| Some(OsString::from(text));
        let mut variables = vec![
            ("UNWEDGE_DIR", Some(self.directory.as_os_str().to_owned())),
            ("UNWEDGE_CRUMBS", text(flag(self.breadcrumbs))),
            ("UNWEDGE_DEADLINE_MS", text(&(self.deadline / 1_000_000).to_string())),
            ("UNWEDGE_FAIL", self.fail.then(|| "1".into())),
            ("UNWEDGE_INJECT", (!self.inject.is_empty()).then(|| self.inject.into())),
            ("VK_INSTANCE_LAYERS", Some(with_ours_first(get("VK_INSTANCE_LAYERS")))),
        ];
        let adds = self.loader.is_none_or(|version| version >= ADDS_LAYER_PATHS);
        // Ours in front here as well: loaders up to 1.3.239 at least stack layers in the order in which
        // they find them, not in that of VK_INSTANCE_LAYERS.
        let ours = || [self.directory.into()].into_iter();
        variables.push(if let Some(paths) = get("VK_LAYER_PATH") {
            ("VK_LAYER_PATH", Some(joined(&ours().chain([paths]).collect::<Vec<_>>())))
        } else if adds {
            let paths = ours().chain(get("VK_ADD_LAYER_PATH"));
            ("VK_ADD_LAYER_PATH", Some(joined(&paths.collect::<Vec<_>>())))
        } else {
            let standard =
                standard_layer_directories(&get).into_iter().map(PathBuf::into_os_string);
            let paths = [self.directory.as_os_str().to_owned()].into_iter().chain(standard);
            ("VK_LAYER_PATH", Some(joined(&paths.collect::<Vec<_>>())))
        });
        if adds && get("VK_LOADER_LAYERS_DISABLE").is_some() {
            let allowed = get("VK_LOADER_LAYERS_ALLOW").into_iter().chain([LAYER_NAME.into()]);
            let allowed: Vec<OsString> = allowed.collect();
            variables.push(("VK_LOADER_LAYERS_ALLOW", Some(allowed.join(OsStr::new(",")))));
        }
        variables
    }
}

/// The user's layers with ours in front: nearest to the program.
fn with_ours_first(theirs: Option<OsString>) -> OsString {
    let theirs = theirs.unwrap_or_default();
    let others = theirs.as_bytes().split(|byte| *byte == b':');
    let others = others.filter(|name| !name.is_empty() && *name != LAYER_NAME.as_bytes());
    let all: Vec<&[u8]> = [LAYER_NAME.as_bytes()].into_iter().chain(others).collect();
    OsString::from_vec(all.join(&b':'))
}

fn joined(paths: &[OsString]) -> OsString {
    paths.join(OsStr::new(":"))
}

/// Where a loader looks for explicit layers if VK_LAYER_PATH does not say otherwise.
fn standard_layer_directories(get: &impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let home = get("HOME").map(PathBuf::from);
    let own = |variable: &str, below: &str| {
        get(variable).map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(below)))
    };
    let list = |variable: &str, default: &str| -> Vec<PathBuf> {
        std::env::split_paths(&get(variable).unwrap_or_else(|| default.into())).collect()
    };
    let mut bases: Vec<PathBuf> = own("XDG_CONFIG_HOME", ".config").into_iter().collect();
    bases.extend(list("XDG_CONFIG_DIRS", "/etc/xdg"));
    bases.push("/etc".into());
    bases.extend(own("XDG_DATA_HOME", ".local/share"));
    bases.extend(list("XDG_DATA_DIRS", "/usr/local/share:/usr/share"));
    bases.into_iter().map(|base| base.join("vulkan/explicit_layer.d")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(loader: Option<Version>, user: &[(&str, &str)], expected: &[(&str, Option<&str>)]) {
        let directory = Path::new("/run/x");
        let plan = Plan {
            directory,
            loader,
            breadcrumbs: true,
            fail: false,
            deadline: 5_000_000_000,
            inject: "",
        };
        let get = |name: &str| {
            user.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        let variables = plan.variables(get);
        for (name, value) in expected {
            let found =
                variables.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.clone());
            assert_eq!(found.as_deref(), value.map(OsStr::new), "{name} for {user:?}");
        }
    }

    #[test]
    fn the_layer_is_added_to_what_the_loader_finds() {
        let expected = [
            ("VK_INSTANCE_LAYERS", Some("VK_LAYER_UNWEDGE_watch")),
            ("VK_ADD_LAYER_PATH", Some("/run/x")),
            ("VK_LAYER_PATH", None),
            ("UNWEDGE_DIR", Some("/run/x")),
            ("UNWEDGE_CRUMBS", Some("1")),
            ("UNWEDGE_DEADLINE_MS", Some("5000")),
            ("UNWEDGE_INJECT", None),
            ("UNWEDGE_FAIL", None),
            ("VK_LOADER_LAYERS_ALLOW", None),
        ];
        check(Some((1, 3, 239)), &[], &expected);
        check(None, &[], &expected);
    }

    #[test]
    fn the_users_layers_and_paths_are_kept() {
        let user =
            [("VK_INSTANCE_LAYERS", "VK_LAYER_A:VK_LAYER_B"), ("VK_LAYER_PATH", "/mine:/yours")];
        let expected = [
            ("VK_INSTANCE_LAYERS", Some("VK_LAYER_UNWEDGE_watch:VK_LAYER_A:VK_LAYER_B")),
            ("VK_LAYER_PATH", Some("/run/x:/mine:/yours")),
            ("VK_ADD_LAYER_PATH", None),
        ];
        check(Some((1, 3, 239)), &user, &expected);
        check(Some((1, 3, 100)), &user, &expected);
        check(
            Some((1, 4, 0)),
            &[("VK_ADD_LAYER_PATH", "/a")],
            &[("VK_ADD_LAYER_PATH", Some("/run/x:/a"))],
        );
    }

    #[test]
    fn a_run_inside_a_run_names_the_layer_once() {
        let user = [("VK_INSTANCE_LAYERS", "VK_LAYER_UNWEDGE_watch::VK_LAYER_A")];
        check(None, &user, &[("VK_INSTANCE_LAYERS", Some("VK_LAYER_UNWEDGE_watch:VK_LAYER_A"))]);
    }

    #[test]
    fn an_old_loader_gets_the_standard_folders_too() {
        let user = [("HOME", "/home/u"), ("XDG_DATA_DIRS", "/usr/share")];
        let expected = "/run/x:/home/u/.config/vulkan/explicit_layer.d:/etc/xdg/vulkan/explicit_layer.d:\
                        /etc/vulkan/explicit_layer.d:/home/u/.local/share/vulkan/explicit_layer.d:\
                        /usr/share/vulkan/explicit_layer.d";
        check(
            Some((1, 3, 204)),
            &user,
            &[("VK_LAYER_PATH", Some(expected)), ("VK_ADD_LAYER_PATH", None)],
        );
    }

    #[test]
    fn a_filter_on_layers_lets_ours_pass() {
        let user = [("VK_LOADER_LAYERS_DISABLE", "~all~")];
        check(Some((1, 3, 239)), &user, &[("VK_LOADER_LAYERS_ALLOW", Some(LAYER_NAME))]);
    }
}
