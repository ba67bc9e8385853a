//! How are keys pressed and pixels seen from outside? On an X server of our own, in memory, as a keyboard and an eye would.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::damage::{ConnectionExt as _, ReportLevel};
use x11rb::protocol::xproto::{
    AutoRepeatMode, ChangeKeyboardControlAux, ConfigureWindowAux, ConnectionExt as _, ImageFormat,
    InputFocus, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, MapState, Window,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use crate::bounded;

/// Of each terminal's window.
pub(crate) const WIDTH: u16 = 800;
pub(crate) const HEIGHT: u16 = 600;
/// Windows lie beside each other, so that none hides another.
const COLUMNS: u16 = 2;
const PLACES: u16 = 4;
/// A server that says nothing for so long does not work here.
const START_MAX: Duration = Duration::from_secs(20);
/// Smaller windows are none that a terminal shows.
const SIDE_MIN: u16 = 100;

/// A part of a window, in pixels from its upper left corner.
#[derive(Clone, Copy)]
pub(crate) struct Region {
    pub(crate) x: i16,
    pub(crate) y: i16,
    pub(crate) width: u16,
    pub(crate) height: u16,
}

/// An X server and our connection to it, which end together.
pub(crate) struct Screen {
    connection: RustConnection,
    root: Window,
    /// The value of `DISPLAY`.
    pub(crate) name: String,
    server: Child,
}

impl Screen {
    /// Or why there is none.
    pub(crate) fn start() -> Result<Self, String> {
        let size = format!("{}x{}x24", WIDTH * COLUMNS, HEIGHT * PLACES.div_ceil(COLUMNS));
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", &size, "-nolisten", "tcp", "-noreset"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = command.spawn().map_err(|error| format!("Xvfb: {error}"))?;
        match connect(&mut server) {
            Ok((connection, number, name)) => {
                let root = connection.setup().roots[number].root;
                Ok(Self { connection, root, name, server })
            }
            Err(why) => {
                bounded::end(&mut server);
                Err(why)
            }
        }
    }

    /// The process that draws what its clients ask for.
    pub(crate) fn pid(&self) -> u32 {
        self.server.id()
    }

    /// A visible window that is not among the known ones.
    pub(crate) fn new_window(&self, known: &[Window]) -> Result<Option<Window>, String> {
        let tree = self.connection.query_tree(self.root).map_err(x)?.reply().map_err(x)?;
        for window in tree.children.into_iter().filter(|window| !known.contains(window)) {
            // It may be gone by now.
            let Ok(attributes) = self.connection.get_window_attributes(window).map_err(x)?.reply()
            else {
                continue;
            };
            let Ok(geometry) = self.connection.get_geometry(window).map_err(x)?.reply() else {
                continue;
            };
            let large = geometry.width.min(geometry.height) >= SIDE_MIN;
            if attributes.map_state == MapState::VIEWABLE && large {
                return Ok(Some(window));
            }
        }
        Ok(None)
    }

    /// Gives a window the size of all, and a place of its own.
    pub(crate) fn put(&self, window: Window, place: u16) -> Result<(), String> {
        let to = ConfigureWindowAux::new()
            .x(i32::from(place % COLUMNS * WIDTH))
            .y(i32::from(place / COLUMNS * HEIGHT))
            .width(u32::from(WIDTH))
            .height(u32::from(HEIGHT))
            .border_width(0);
        self.connection.configure_window(window, &to).map_err(x)?.check().map_err(x)?;
        let changes = self.connection.generate_id().map_err(x)?;
        let created =
            self.connection.damage_create(changes, window, ReportLevel::NON_EMPTY).map_err(x)?;
        created.check().map_err(x)
    }

    /// Has keys go to this window.
    pub(crate) fn focus(&self, window: Window) -> Result<(), String> {
        let (middle_x, middle_y) = ((WIDTH / 2).cast_signed(), (HEIGHT / 2).cast_signed());
        let none = x11rb::NONE;
        let warped = self.connection.warp_pointer(none, window, 0, 0, 0, 0, middle_x, middle_y);
        warped.map_err(x)?.check().map_err(x)?;
        let now = x11rb::CURRENT_TIME;
        let focused = self.connection.set_input_focus(InputFocus::POINTER_ROOT, window, now);
        focused.map_err(x)?.check().map_err(x)
    }

    /// The key that types this letter.
    pub(crate) fn key(&self, letter: u8) -> Result<u8, String> {
        let setup = self.connection.setup();
        let first = setup.min_keycode;
        let mapping = self.connection.get_keyboard_mapping(first, setup.max_keycode - first + 1);
        let mapping = mapping.map_err(x)?.reply().map_err(x)?;
        let keys = mapping.keysyms.chunks(usize::from(mapping.keysyms_per_keycode.max(1)));
        let place = keys.into_iter().position(|key| key.first() == Some(&u32::from(letter)));
        let code = place.and_then(|place| u8::try_from(place).ok()).map(|place| first + place);
        code.ok_or_else(|| format!("no key types {:?}", char::from(letter)))
    }

    /// Presses a key, as far as the server can tell a real one, and says when.
    pub(crate) fn press(&self, key: u8) -> Result<Instant, String> {
        let at = Instant::now();
        self.fake(KEY_PRESS_EVENT, key)?;
        Ok(at)
    }

    /// Lets go of a key.
    pub(crate) fn release(&self, key: u8) -> Result<(), String> {
        self.fake(KEY_RELEASE_EVENT, key)
    }

    fn fake(&self, event: u8, key: u8) -> Result<(), String> {
        let now = x11rb::CURRENT_TIME;
        self.connection.xtest_fake_input(event, key, now, self.root, 0, 0, 0).map_err(x)?;
        self.connection.flush().map_err(x)
    }

    /// What is to be seen in a part of a window.
    pub(crate) fn look(&self, window: Window, part: Region) -> Result<Vec<u8>, String> {
        let Region { x: left, y: top, width, height } = part;
        let format = ImageFormat::Z_PIXMAP;
        let image = self.connection.get_image(format, window, left, top, width, height, !0);
        Ok(image.map_err(x)?.reply().map_err(x)?.data)
    }

    /// When a part of a window shows `wanted`; nothing if it does not within `limit`. After each change of the window that
    /// is not the one waited for, it looks away for `pace`.
    pub(crate) fn until(
        &self,
        window: Window,
        part: Region,
        wanted: &[u8],
        pace: Duration,
        limit: Duration,
    ) -> Result<Option<Instant>, String> {
        let end = Instant::now() + limit;
        loop {
            let seen = Instant::now();
            if self.look(window, part)? == wanted {
                return Ok(Some(seen));
            }
            if seen >= end {
                return Ok(None);
            }
            std::thread::sleep(pace);
            self.changed(end)?;
        }
    }

    /// Returns when a window has changed since it was last asked about, or at `end`.
    fn changed(&self, end: Instant) -> Result<(), String> {
        loop {
            let mut any = false;
            while let Some(event) = self.connection.poll_for_event().map_err(x)? {
                if let Event::DamageNotify(notify) = event {
                    // From here on the next change is told again.
                    let none = x11rb::NONE;
                    self.connection.damage_subtract(notify.damage, none, none).map_err(x)?;
                    any = true;
                }
            }
            let left = end.saturating_duration_since(Instant::now());
            if any || left.is_zero() {
                return Ok(());
            }
            self.connection.flush().map_err(x)?;
            let left = Timespec {
                tv_sec: left.as_secs().cast_signed(),
                tv_nsec: left.subsec_nanos().into(),
            };
            let stream = self.connection.stream();
            poll(&mut [PollFd::new(stream, PollFlags::IN)], Some(&left)).map_err(x)?;
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        bounded::end(&mut self.server);
    }
}

/// The server says which number it took once it can be talked to.
fn connect(server: &mut Child) -> Result<(RustConnection, usize, String), String> {
    let mut number = String::new();
    let stdout = server.stdout.take().ok_or("Xvfb has no output")?;
    let bound = Timespec { tv_sec: START_MAX.as_secs().cast_signed(), tv_nsec: 0 };
    if poll(&mut [PollFd::new(&stdout, PollFlags::IN)], Some(&bound)) != Ok(1) {
        return Err(format!("Xvfb did not start within {START_MAX:?}"));
    }
    BufReader::new(stdout).read_line(&mut number).map_err(x)?;
    if number.trim().is_empty() {
        return Err("Xvfb did not start".to_owned());
    }
    let name = format!(":{}", number.trim());
    let (connection, screen) = RustConnection::connect(Some(&name)).map_err(x)?;
    connection.damage_query_version(1, 1).map_err(x)?.reply().map_err(x)?;
    connection.xtest_get_version(2, 2).map_err(x)?.reply().map_err(x)?;
    let once = ChangeKeyboardControlAux::new().auto_repeat_mode(AutoRepeatMode::OFF);
    connection.change_keyboard_control(&once).map_err(x)?.check().map_err(x)?;
    Ok((connection, screen, name))
}

fn x(error: impl std::fmt::Display) -> String {
    format!("X: {error}")
}
