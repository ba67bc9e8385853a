//! Which display can vkcube use? The one there is, else one in memory, else none.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::bounded;

/// A display, and its server where it is ours.
pub(crate) struct Display {
    /// The value of `DISPLAY`, or why there is none.
    pub(crate) name: Result<String, String>,
    server: Option<Child>,
}

impl Display {
    pub(crate) fn get() -> Self {
        if let Ok(name) = std::env::var("DISPLAY")
            && works(&name)
        {
            return Self { name: Ok(name), server: None };
        }
        let name = format!(":{}", 90 + std::process::id() % 900);
        let mut command = Command::new("Xvfb");
        command.arg(&name).args(["-screen", "0", "1024x768x24", "-nolisten", "tcp", "-noreset"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(server) = command.spawn() else {
            return Self { name: Err("there is no display and no Xvfb".to_owned()), server: None };
        };
        let ready = (0..50).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            works(&name)
        });
        let name = if ready { Ok(name) } else { Err("vkcube cannot draw here".to_owned()) };
        Self { name, server: Some(server) }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            bounded::end(server);
        }
    }
}

fn works(name: &str) -> bool {
    let ended = bounded::run(Command::new("vkcube").args(["--c", "1"]).env("DISPLAY", name));
    ended.is_ok_and(|ended| ended.status == 0)
}
