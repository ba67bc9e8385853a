//! What may be asked of the terminal on its command line? The comments here are its manual.

use std::path::PathBuf;

use clap::Parser;

/// A small terminal emulator whose GPU may hang: it goes on taking keys, resizing and quitting, and draws again
/// when the GPU does.
#[derive(Debug, Parser)]
#[command(name = "unwedge-terminal", version)]
pub(crate) struct Options {
    /// The program to run and its arguments; all that follows is theirs [default: $SHELL]
    #[arg(short = 'e', long = "execute", value_name = "PROGRAM", num_args = 1.., allow_hyphen_values = true)]
    pub(crate) execute: Vec<String>,

    /// Width of the window at first, in cells
    #[arg(long, value_name = "CELLS", default_value_t = 80, value_parser = clap::value_parser!(u16).range(2..=1000))]
    pub(crate) columns: u16,

    /// Height of the window at first, in cells
    #[arg(long, value_name = "CELLS", default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) rows: u16,

    /// Size of the font in pixels, before the display's scale is applied
    #[arg(long, value_name = "PIXELS", default_value_t = 16, value_parser = clap::value_parser!(u16).range(6..=96))]
    pub(crate) font_size: u16,

    /// How many past lines are kept
    #[arg(long, value_name = "LINES", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub(crate) scrollback: u32,

    /// Write a line of JSON for each frame that was presented: its number, the time that it took on the thread, and, if
    /// keys had been pressed, the times from key to screen
    #[arg(long, value_name = "FILE")]
    pub(crate) stats: Option<PathBuf>,

    /// What to write to standard error: off, error, warn, info, debug or trace, or TARGET=LEVEL,…
    #[arg(
        long,
        value_name = "FILTER",
        env = "UNWEDGE_TERMINAL_LOG",
        default_value = "warn,winit=error"
    )]
    pub(crate) log: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn what_follows_execute_belongs_to_the_program() {
        let line = ["unwedge-terminal", "--rows", "3", "-e", "sh", "-c", "echo --rows 4"];
        let options = Options::try_parse_from(line).expect("it parses");
        assert_eq!(options.execute, ["sh", "-c", "echo --rows 4"]);
        assert_eq!(options.rows, 3);
        assert!(Options::try_parse_from(["unwedge-terminal", "--columns", "0"]).is_err());
    }
}
