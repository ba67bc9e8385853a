//! What runs in each terminal? A program that answers every key with something that can be seen: a few letters, a whole screen,
//! a long text.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;

use rustix::termios::{OptionalActions, tcgetattr, tcgetwinsize, tcsetattr};

/// Changes two letters in the upper left corner.
pub(crate) const LETTERS: u8 = b'k';
/// Changes every cell.
pub(crate) const SCREEN: u8 = b'f';
/// Writes plain lines.
pub(crate) const LINES: u8 = b'l';
/// Writes a text in which each word has a colour of its own.
pub(crate) const COLOURS: u8 = b'c';
/// Writes into a file how many cells there are.
pub(crate) const REPORT: u8 = b'r';
/// Begins anew with an empty screen.
pub(crate) const CLEAR: u8 = b'e';

/// No attributes, no cursor, an empty screen.
const EMPTY: &str = "\x1b[m\x1b[?25l\x1b[2J";
const LETTERS_THERE: &str = "\x1b[1;1HMM";
const LETTERS_GONE: &str = "\x1b[1;1H  ";
const LINES_COUNT: u32 = 200_000;
const WORDS_COUNT: u32 = 300_000;

/// Answers until the terminal goes. The file is the one for [`REPORT`].
pub(crate) fn answer(report: &Path) -> Result<(), String> {
    let problem = |error: &dyn std::fmt::Display| format!("{}: {error}", report.display());
    let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
    let mut modes = tcgetattr(&stdin).map_err(|error| problem(&error))?;
    modes.make_raw();
    tcsetattr(&stdin, OptionalActions::Now, &modes).map_err(|error| problem(&error))?;
    let mut answers = Answers::default();
    let mut out = stdout.lock();
    let mut show = |text: &str| {
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| problem(&error))
    };
    show(EMPTY)?;
    for key in stdin.lock().bytes() {
        let key = key.map_err(|error| problem(&error))?;
        let size = tcgetwinsize(&stdin).map_err(|error| problem(&error))?;
        if key == REPORT {
            let text = format!("{} {}\n", size.ws_col, size.ws_row);
            fs::write(report, text).map_err(|error| problem(&error))?;
        } else {
            show(&answers.to(key, size.ws_col, size.ws_row))?;
        }
    }
    Ok(())
}

/// What was shown last, and what takes a while to make.
#[derive(Default)]
struct Answers {
    letters: bool,
    screen: bool,
    lines: String,
    colours: String,
}

impl Answers {
    fn to(&mut self, key: u8, columns: u16, rows: u16) -> Cow<'_, str> {
        match key {
            LETTERS => {
                self.letters = !self.letters;
                Cow::Borrowed(if self.letters { LETTERS_THERE } else { LETTERS_GONE })
            }
            SCREEN => {
                self.screen = !self.screen;
                Cow::Owned(screen(self.screen, columns, rows))
            }
            LINES => {
                self.letters = true;
                Cow::Borrowed(&self.lines)
            }
            COLOURS => {
                self.letters = true;
                Cow::Borrowed(&self.colours)
            }
            // Before the clock runs, so the texts are made now.
            CLEAR => {
                *self =
                    Self { lines: text(&lines()), colours: text(&colours()), ..Self::default() };
                Cow::Borrowed(EMPTY)
            }
            _ => Cow::Borrowed(""),
        }
    }
}

/// What is shown, and after it an empty screen with the letters, by which its end is seen.
fn text(shown: &str) -> String {
    format!("{shown}{EMPTY}{LETTERS_THERE}")
}

/// Each cell has another letter and other colours on the other screen.
fn screen(one: bool, columns: u16, rows: u16) -> String {
    let mut text = String::new();
    for row in 1..=rows {
        let colour = (row + u16::from(one)) % 7;
        // Writing to a string cannot fail, here and below.
        let _ = write!(text, "\x1b[{row};1H\x1b[3{};4{colour}m", (colour + 3) % 7);
        let first = if one { b'A' } else { b'a' };
        text.extend((0..columns).map(|column| char::from(first + (column % 26) as u8)));
    }
    text
}

fn lines() -> String {
    (1..=LINES_COUNT).fold(String::new(), |mut text, line| {
        let _ = write!(text, "{line}\r\n");
        text
    })
}

fn colours() -> String {
    (0..WORDS_COUNT).fold(String::new(), |mut text, word| {
        let (fore, back) = (word.wrapping_mul(31) % 256, word.wrapping_mul(17) % 256);
        let end = if word % 8 == 7 { "\x1b[m\r\n" } else { " " };
        let _ = write!(text, "\x1b[38;5;{fore};48;5;{back}m{word:07x}{end}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a cell of the screen shows: its colours and its letter.
    fn cells(text: &str) -> Vec<String> {
        let rows = text.split("\x1b[").filter(|part| part.contains('m'));
        let cells = rows.flat_map(|row| {
            let (colours, letters) = row.split_once('m').unwrap();
            letters.chars().map(move |letter| format!("{colours} {letter}")).collect::<Vec<_>>()
        });
        cells.collect()
    }

    #[test]
    fn two_screens_differ_in_every_cell() {
        let (one, other) = (cells(&screen(true, 30, 9)), cells(&screen(false, 30, 9)));
        assert_eq!((one.len(), other.len()), (270, 270));
        assert!(one.iter().zip(&other).all(|(one, other)| one != other));
    }

    #[test]
    fn letters_come_and_go_and_end_a_text() {
        let mut answers = Answers::default();
        assert_eq!(answers.to(CLEAR, 80, 24), EMPTY);
        assert_eq!(answers.to(LETTERS, 80, 24), "\x1b[1;1HMM");
        assert_eq!(answers.to(LETTERS, 80, 24), "\x1b[1;1H  ");
        assert!(answers.to(LINES, 80, 24).ends_with("200000\r\n\x1b[m\x1b[?25l\x1b[2J\x1b[1;1HMM"));
        assert_eq!(answers.to(LETTERS, 80, 24), "\x1b[1;1H  ");
    }

    #[test]
    fn the_screen_that_begins_anew_is_empty() {
        let mut answers = Answers::default();
        assert_eq!(answers.to(LETTERS, 80, 24), "\x1b[1;1HMM");
        assert_eq!(answers.to(CLEAR, 80, 24), EMPTY);
        assert_eq!(answers.to(LETTERS, 80, 24), "\x1b[1;1HMM");
    }

    #[test]
    fn a_coloured_text_is_made_of_words_with_colours() {
        let text = colours();
        assert!(text.starts_with("\x1b[38;5;0;48;5;0m0000000 \x1b[38;5;31;48;5;17m0000001 "));
        assert_eq!(text.lines().count(), WORDS_COUNT as usize / 8);
    }
}
