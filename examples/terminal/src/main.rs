//! A small terminal emulator that goes on while the GPU is wedged.
mod glyphs;
mod keys;
mod options;
mod screen;
mod shell;

fn main() {}
