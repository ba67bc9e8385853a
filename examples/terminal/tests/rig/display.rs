//! Where is the window, and how does a user reach it? An X server of its own for each test, or a Wayland compositor on one; keys
//! come from the X server's test extension, so to the terminal they are real.

use std::io::BufRead as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConnectionExt as _, EventMask, ImageFormat, MapState,
    Window,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::picture::Picture;
use super::wait_until;

/// A display with at most one window of interest.
pub(crate) struct Display {
    name: String,
    connection: RustConnection,
    root: Window,
    compositor: Option<Compositor>,
    server: Child,
}

/// A Wayland compositor in a window of the X server.
struct Compositor {
    child: Child,
    folder: tempfile::TempDir,
}

const SOCKET: &str = "wayland-of-a-test";

impl Display {
    /// An X server in memory; none, and why on stderr, if there is no Xvfb or no xdotool.
    pub(crate) fn x11() -> Option<Self> {
        if !installed("xdotool") {
            return None;
        }
        let mut server = Command::new("Xvfb");
        server.args(["-displayfd", "1", "-screen", "0", "1000x700x24", "-nolisten", "tcp"]);
        server.arg("-noreset").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        end_with_parent(&mut server);
        let mut server = match server.spawn() {
            Ok(server) => server,
            Err(error) => {
                eprintln!("skipped: Xvfb: {error}");
                return None;
            }
        };
        let mut number = String::new();
        // The server says its number or ends; both end the line.
        let mut said = std::io::BufReader::new(server.stdout.take()?);
        said.read_line(&mut number).ok()?;
        let name = format!(":{}", number.trim());
        let (connection, screen) = x11rb::connect(Some(&name)).expect("the server answers");
        let root = connection.setup().roots[screen].root;
        Some(Self { name, connection, root, compositor: None, server })
    }

    /// Weston in a window of an X server, so that key events reach it.
    pub(crate) fn wayland() -> Option<Self> {
        if !installed("weston") {
            return None;
        }
        let mut display = Self::x11()?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut weston = Command::new("weston");
        // Without a panel, on which a click could start something, and without keys that repeat because a busy machine is
        // late to let go of them.
        let config = folder.path().join("weston.ini");
        let settings = "[shell]\npanel-position=none\nlocking=false\n[keyboard]\nrepeat-rate=0\n";
        std::fs::write(&config, settings).expect("a file");
        weston.args(["--backend=x11-backend.so", "--use-pixman", "--idle-time=0"]);
        weston.arg(format!("--config={}", config.display()));
        weston.args(["--width=1000", "--height=700"]).arg(format!("--socket={SOCKET}"));
        weston.env("DISPLAY", &display.name).env("XDG_RUNTIME_DIR", folder.path());
        weston.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        end_with_parent(&mut weston);
        let child = weston.spawn().expect("weston starts");
        let socket = folder.path().join(SOCKET);
        display.compositor = Some(Compositor { child, folder });
        wait_until("weston", || socket.exists() && display.window().is_some());
        display.focus();
        Some(display)
    }

    /// Whether this is Wayland.
    pub(crate) fn is_wayland(&self) -> bool {
        self.compositor.is_some()
    }

    /// Has a program come here.
    pub(crate) fn set(&self, command: &mut Command) {
        match &self.compositor {
            Some(compositor) => {
                command.env_remove("DISPLAY").env("WAYLAND_DISPLAY", SOCKET);
                command.env("XDG_RUNTIME_DIR", compositor.folder.path());
            }
            None => {
                command.env("DISPLAY", &self.name).env_remove("WAYLAND_DISPLAY");
            }
        }
    }

    /// The window of the terminal, or of the compositor.
    pub(crate) fn window(&self) -> Option<Window> {
        let tree = self.connection.query_tree(self.root).ok()?.reply().ok()?;
        tree.children.into_iter().find(|window| {
            let attributes = self.connection.get_window_attributes(*window);
            let shown = attributes.ok().and_then(|cookie| cookie.reply().ok());
            shown.is_some_and(|attributes| attributes.map_state == MapState::VIEWABLE)
                && self.size(*window).is_some_and(|(width, _)| width > 50)
        })
    }

    fn size(&self, window: Window) -> Option<(u16, u16)> {
        let geometry = self.connection.get_geometry(window).ok()?.reply().ok()?;
        Some((geometry.width, geometry.height))
    }

    /// Gives the window the keyboard. It may take a moment, or one more try, until a compositor has handed it on.
    pub(crate) fn focus(&self) {
        let window = self.window().expect("there is one");
        self.xdotool(&["windowfocus", "--sync", &window.to_string()]);
        if self.is_wayland() {
            // Wherever the compositor has placed it, an 80 by 24 terminal is in the middle of so small a screen.
            self.xdotool(&["mousemove", "500", "300", "click", "1"]);
        }
    }

    /// Presses the keys of a text.
    pub(crate) fn type_text(&self, text: &str) {
        self.xdotool(&["type", "--delay", "8", text]);
    }

    /// Presses one key, as xdotool calls it.
    pub(crate) fn press(&self, key: &str) {
        self.xdotool(&["key", key]);
    }

    /// Turns the wheel up or down by steps.
    pub(crate) fn turn_wheel(&self, up: bool, steps: u32) {
        self.xdotool(&["mousemove", "100", "100"]);
        let button = if up { "4" } else { "5" };
        self.xdotool(&["click", "--repeat", &steps.to_string(), button]);
    }

    /// Gives the window another size, as its user does by its border.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let window = self.window().expect("a window").to_string();
        self.xdotool(&["windowsize", &window, &width.to_string(), &height.to_string()]);
    }

    /// Asks the window to close, as a window manager does.
    pub(crate) fn close(&self) {
        let window = self.window().expect("a window");
        let (protocols, delete) = (self.atom("WM_PROTOCOLS"), self.atom("WM_DELETE_WINDOW"));
        let message = ClientMessageEvent::new(32, window, protocols, [delete, 0, 0, 0, 0]);
        let sent = self.connection.send_event(false, window, EventMask::NO_EVENT, message);
        sent.expect("a connection");
        self.connection.sync().expect("a connection");
    }

    fn atom(&self, name: &str) -> Atom {
        let cookie = self.connection.intern_atom(false, name.as_bytes()).expect("a connection");
        cookie.reply().expect("an atom").atom
    }

    /// The title of the window; nothing if there is none.
    pub(crate) fn title(&self) -> String {
        let name = self.atom("_NET_WM_NAME");
        let Some(window) = self.window() else { return String::new() };
        let property = self.connection.get_property(false, window, name, AtomEnum::ANY, 0, 1024);
        let value = property.ok().and_then(|cookie| cookie.reply().ok());
        value.map(|reply| String::from_utf8_lossy(&reply.value).into_owned()).unwrap_or_default()
    }

    /// What is to be seen: of the window, or of the whole display if a compositor has it.
    pub(crate) fn picture(&self) -> Picture {
        let window = self.window().unwrap_or(self.root);
        let (width, height) = self.size(window).expect("a window has a size");
        let format = ImageFormat::Z_PIXMAP;
        let image = self.connection.get_image(format, window, 0, 0, width, height, u32::MAX);
        let data = image.expect("a connection").reply().map(|reply| reply.data);
        let pixels = data.unwrap_or_default();
        let pixels = pixels.chunks_exact(4).map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
        Picture { width: usize::from(width), pixels }
    }

    fn xdotool(&self, arguments: &[&str]) {
        let mut command = Command::new("timeout");
        command.args(["20", "xdotool"]).args(arguments).env("DISPLAY", &self.name);
        let status = command.stdin(Stdio::null()).status().expect("xdotool is installed");
        assert!(status.success(), "xdotool {arguments:?}: {status}");
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let compositor = self.compositor.as_mut().map(|compositor| &mut compositor.child);
        for child in compositor.into_iter().chain([&mut self.server]) {
            let _ = child.kill();
            // It was just killed, and ends.
            let _ = child.wait();
        }
    }
}

/// Whether a program can be found; says so if not.
fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder: PathBuf| folder.join(program).exists());
    if !found {
        eprintln!("skipped: {program} is not installed");
    }
    found
}

/// Has the kernel end a child when this thread goes, however it goes.
pub(crate) fn end_with_parent(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    // SAFETY: prctl is async-signal-safe, and nothing else runs between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
}
