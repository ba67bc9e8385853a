//! What does a key say to the shell? Pure: a key, its text and the terminal's mode in; bytes or a scroll out.

use alacritty_terminal::grid::Scroll;
use alacritty_terminal::term::TermMode;
use winit::keyboard::{Key, ModifiersState, NamedKey};

/// A key as it was pressed, or repeated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Press<'a> {
    pub(crate) key: &'a Key,
    /// What the keyboard layout makes of it, if that is text.
    pub(crate) text: Option<&'a str>,
    pub(crate) modifiers: ModifiersState,
}

/// What a key is for.
#[derive(Debug)]
pub(crate) enum Meaning {
    /// Bytes for the shell.
    Bytes(Vec<u8>),
    /// A look into the past lines, for the terminal itself.
    Scroll(Scroll),
    /// Nothing: a modifier by itself, a key that terminals do not know.
    Nothing,
}

/// What xterm would send, or do.
pub(crate) fn meaning(press: Press<'_>, mode: TermMode) -> Meaning {
    if let Some(scroll) = scroll(press, mode) {
        return Meaning::Scroll(scroll);
    }
    let bytes = match press.key {
        Key::Named(name) => named(*name, press, mode).or_else(|| typed(press)),
        _ => typed(press),
    };
    bytes.map_or(Meaning::Nothing, Meaning::Bytes)
}

/// The keys that move through the past lines; a full-screen program has none and gets them itself.
fn scroll(press: Press<'_>, mode: TermMode) -> Option<Scroll> {
    if press.modifiers != ModifiersState::SHIFT || mode.contains(TermMode::ALT_SCREEN) {
        return None;
    }
    match press.key {
        Key::Named(NamedKey::PageUp) => Some(Scroll::PageUp),
        Key::Named(NamedKey::PageDown) => Some(Scroll::PageDown),
        Key::Named(NamedKey::Home) => Some(Scroll::Top),
        Key::Named(NamedKey::End) => Some(Scroll::Bottom),
        _ => None,
    }
}

/// Keys that stand for a sequence, and not for text.
fn named(name: NamedKey, press: Press<'_>, mode: TermMode) -> Option<Vec<u8>> {
    let modifiers = press.modifiers;
    let plain: &[u8] = match name {
        NamedKey::Enter if mode.contains(TermMode::LINE_FEED_NEW_LINE) => b"\r\n",
        NamedKey::Enter => b"\r",
        NamedKey::Escape => b"\x1b",
        NamedKey::Tab if modifiers.shift_key() => b"\x1b[Z",
        NamedKey::Tab => b"\t",
        NamedKey::Backspace if modifiers.control_key() => b"\x08",
        NamedKey::Backspace => b"\x7f",
        NamedKey::Space if modifiers.control_key() => b"\0",
        _ => return sequence(name, modifiers, mode),
    };
    Some(with_alt(modifiers, plain))
}

/// The escape sequence of a function key (the tables of xterm's ctlseqs, "PC-Style Function Keys").
fn sequence(name: NamedKey, modifiers: ModifiersState, mode: TermMode) -> Option<Vec<u8>> {
    let application = mode.contains(TermMode::APP_CURSOR);
    let (last, introducer) = match name {
        NamedKey::ArrowUp => ('A', application),
        NamedKey::ArrowDown => ('B', application),
        NamedKey::ArrowRight => ('C', application),
        NamedKey::ArrowLeft => ('D', application),
        NamedKey::Home => ('H', application),
        NamedKey::End => ('F', application),
        NamedKey::F1 => ('P', true),
        NamedKey::F2 => ('Q', true),
        NamedKey::F3 => ('R', true),
        NamedKey::F4 => ('S', true),
        _ => return tilde(name, modifiers),
    };
    Some(match (modifier_code(modifiers), introducer) {
        (1, true) => format!("\x1bO{last}").into_bytes(),
        (1, false) => format!("\x1b[{last}").into_bytes(),
        (code, _) => format!("\x1b[1;{code}{last}").into_bytes(),
    })
}

/// The keys whose sequence is a number and a tilde.
fn tilde(name: NamedKey, modifiers: ModifiersState) -> Option<Vec<u8>> {
    let number = match name {
        NamedKey::Insert => 2,
        NamedKey::Delete => 3,
        NamedKey::PageUp => 5,
        NamedKey::PageDown => 6,
        NamedKey::F5 => 15,
        NamedKey::F6 => 17,
        NamedKey::F7 => 18,
        NamedKey::F8 => 19,
        NamedKey::F9 => 20,
        NamedKey::F10 => 21,
        NamedKey::F11 => 23,
        NamedKey::F12 => 24,
        _ => return None,
    };
    Some(match modifier_code(modifiers) {
        1 => format!("\x1b[{number}~").into_bytes(),
        code => format!("\x1b[{number};{code}~").into_bytes(),
    })
}

/// One, and what each modifier adds.
fn modifier_code(modifiers: ModifiersState) -> u8 {
    1 + u8::from(modifiers.shift_key())
        + 2 * u8::from(modifiers.alt_key())
        + 4 * u8::from(modifiers.control_key())
}

/// Text, with what Ctrl and Alt make of it.
fn typed(press: Press<'_>) -> Option<Vec<u8>> {
    if press.modifiers.control_key()
        && let Key::Character(character) = press.key
        && let Some(byte) = control(character)
    {
        return Some(with_alt(press.modifiers, &[byte]));
    }
    let text = press.text.filter(|text| !text.is_empty())?;
    Some(with_alt(press.modifiers, text.as_bytes()))
}

/// The control character of a key (ECMA-48 C0, and xterm's choice for digits).
fn control(character: &str) -> Option<u8> {
    let [byte] = character.as_bytes() else { return None };
    match byte.to_ascii_uppercase() {
        upper @ b'@'..=b'_' => Some(upper & 0x1f),
        b'2' | b' ' => Some(0),
        digit @ b'3'..=b'7' => Some(digit - b'3' + 0x1b),
        b'8' | b'?' => Some(0x7f),
        b'/' => Some(0x1f),
        _ => None,
    }
}

/// Alt is an escape before.
fn with_alt(modifiers: ModifiersState, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 1);
    if modifiers.alt_key() {
        out.push(0x1b);
    }
    out.extend_from_slice(bytes);
    out
}

/// What the wheel says to a full-screen program: so many presses of an arrow.
pub(crate) fn wheel_arrows(lines: i32, mode: TermMode) -> Vec<u8> {
    let name = if lines > 0 { NamedKey::ArrowUp } else { NamedKey::ArrowDown };
    let one = sequence(name, ModifiersState::empty(), mode).unwrap_or_default();
    one.repeat(lines.unsigned_abs() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use winit::keyboard::SmolStr;

    const NONE: ModifiersState = ModifiersState::empty();
    const SHIFT: ModifiersState = ModifiersState::SHIFT;
    const CTRL: ModifiersState = ModifiersState::CONTROL;
    const ALT: ModifiersState = ModifiersState::ALT;

    fn press(key: &Key, text: Option<&str>, modifiers: ModifiersState, mode: TermMode) -> String {
        match meaning(Press { key, text, modifiers }, mode) {
            Meaning::Bytes(bytes) => bytes.escape_ascii().to_string(),
            Meaning::Scroll(scroll) => format!("{scroll:?}"),
            Meaning::Nothing => "nothing".to_owned(),
        }
    }

    fn character(text: &str, modifiers: ModifiersState) -> String {
        press(&Key::Character(SmolStr::new(text)), Some(text), modifiers, TermMode::empty())
    }

    #[test]
    fn text_is_sent_as_it_is_and_control_and_alt_change_it() {
        let cases = [
            ("a", NONE, "a"),
            ("A", SHIFT, "A"),
            ("é", NONE, "\\xc3\\xa9"),
            ("c", CTRL, "\\x03"),
            ("C", CTRL | SHIFT, "\\x03"),
            ("[", CTRL, "\\x1b"),
            ("\\", CTRL, "\\x1c"),
            ("2", CTRL, "\\x00"),
            ("3", CTRL, "\\x1b"),
            ("7", CTRL, "\\x1f"),
            ("8", CTRL, "\\x7f"),
            ("/", CTRL, "\\x1f"),
            ("1", CTRL, "1"),
            ("é", CTRL, "\\xc3\\xa9"),
            ("b", ALT, "\\x1bb"),
            ("b", ALT | CTRL, "\\x1b\\x02"),
        ];
        for (text, modifiers, expected) in cases {
            assert_eq!(character(text, modifiers), expected, "{modifiers:?} {text}");
        }
    }

    #[test]
    fn keys_with_names_have_the_sequences_of_xterm() {
        let application = TermMode::APP_CURSOR;
        let empty = TermMode::empty();
        let cases = [
            (NamedKey::Enter, NONE, empty, "\\r"),
            (NamedKey::Enter, ALT, empty, "\\x1b\\r"),
            (NamedKey::Enter, NONE, TermMode::LINE_FEED_NEW_LINE, "\\r\\n"),
            (NamedKey::Tab, NONE, empty, "\\t"),
            (NamedKey::Tab, SHIFT, empty, "\\x1b[Z"),
            (NamedKey::Backspace, NONE, empty, "\\x7f"),
            (NamedKey::Backspace, CTRL, empty, "\\x08"),
            (NamedKey::Backspace, ALT, empty, "\\x1b\\x7f"),
            (NamedKey::Escape, NONE, empty, "\\x1b"),
            (NamedKey::Space, CTRL, empty, "\\x00"),
            (NamedKey::ArrowUp, NONE, empty, "\\x1b[A"),
            (NamedKey::ArrowUp, NONE, application, "\\x1bOA"),
            (NamedKey::ArrowLeft, CTRL, application, "\\x1b[1;5D"),
            (NamedKey::Home, NONE, application, "\\x1bOH"),
            (NamedKey::End, SHIFT | CTRL, empty, "\\x1b[1;6F"),
            (NamedKey::F1, NONE, empty, "\\x1bOP"),
            (NamedKey::F4, ALT, empty, "\\x1b[1;3S"),
            (NamedKey::F5, NONE, empty, "\\x1b[15~"),
            (NamedKey::F12, SHIFT, empty, "\\x1b[24;2~"),
            (NamedKey::Delete, NONE, empty, "\\x1b[3~"),
            (NamedKey::PageUp, CTRL, empty, "\\x1b[5;5~"),
            (NamedKey::Shift, SHIFT, empty, "nothing"),
            (NamedKey::AudioVolumeUp, NONE, empty, "nothing"),
        ];
        for (name, modifiers, mode, expected) in cases {
            let got = press(&Key::Named(name), None, modifiers, mode);
            assert_eq!(got, expected, "{modifiers:?} {name:?}");
        }
        let space = press(&Key::Named(NamedKey::Space), Some(" "), NONE, empty);
        assert_eq!(space, " ");
    }

    #[test]
    fn shift_and_page_keys_scroll_unless_a_full_screen_program_runs() {
        let page = Key::Named(NamedKey::PageUp);
        assert_eq!(press(&page, None, SHIFT, TermMode::empty()), "PageUp");
        assert_eq!(press(&page, None, SHIFT, TermMode::ALT_SCREEN), "\\x1b[5;2~");
        assert_eq!(press(&page, None, NONE, TermMode::empty()), "\\x1b[5~");
        assert_eq!(press(&Key::Named(NamedKey::End), None, SHIFT, TermMode::empty()), "Bottom");
    }

    #[test]
    fn the_wheel_is_arrows_to_a_full_screen_program() {
        assert_eq!(wheel_arrows(2, TermMode::empty()), b"\x1b[A\x1b[A");
        assert_eq!(wheel_arrows(-1, TermMode::APP_CURSOR), b"\x1bOB");
        assert_eq!(wheel_arrows(0, TermMode::empty()), b"");
    }
}
