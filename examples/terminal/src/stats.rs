//! How long do frames and keys take? A line of JSON for each frame that was presented.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// Counts frames, and times keys until the frame that shows what came of them.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    file: Option<File>,
    frames: u64,
    skipped: u64,
    /// Keys whose echo has not come.
    pressed: Vec<Instant>,
    /// Keys after which the screen changed.
    echoed: Vec<Instant>,
}

impl Stats {
    pub(crate) fn to(path: Option<&Path>) -> io::Result<Self> {
        let file = path.map(File::create).transpose()?;
        Ok(Self { file, ..Self::default() })
    }

    /// A key went to the shell.
    pub(crate) fn key(&mut self, at: Instant) {
        if self.file.is_some() {
            self.pressed.push(at);
        }
    }

    /// The screen changed: what was typed before counts as echoed, though other output may have been the reason.
    pub(crate) fn screen_changed(&mut self) {
        self.echoed.append(&mut self.pressed);
    }

    /// A frame could not be drawn.
    pub(crate) fn frame_skipped(&mut self) {
        self.skipped += 1;
    }

    /// A frame was presented; it took so long on this thread.
    pub(crate) fn frame_presented(&mut self, thread: Duration, now: Instant) {
        self.frames += 1;
        let line = line(self.frames, thread, self.skipped, &self.echoed, now);
        self.echoed.clear();
        self.skipped = 0;
        // A line at once, for whoever reads along. A full disk is no reason not to draw.
        if let Some(file) = &mut self.file {
            let _ = file.write_all(line.as_bytes());
        }
    }
}

/// Microseconds, all of them.
fn line(frame: u64, thread: Duration, skipped: u64, keys: &[Instant], now: Instant) -> String {
    let keys: Vec<String> = keys
        .iter()
        .map(|key| now.saturating_duration_since(*key).as_micros().to_string())
        .collect();
    let (thread, keys) = (thread.as_micros(), keys.join(","));
    format!(
        "{{\"frame\":{frame},\"thread_us\":{thread},\"skipped\":{skipped},\"keys_us\":[{keys}]}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_frame_and_its_keys() {
        let now = Instant::now();
        let keys = [now, now + Duration::from_micros(300)];
        let later = now + Duration::from_micros(1500);
        let said = line(7, Duration::from_micros(90), 2, &keys, later);
        let expected = "{\"frame\":7,\"thread_us\":90,\"skipped\":2,\"keys_us\":[1500,1200]}\n";
        assert_eq!(said, expected);
    }

    #[test]
    fn a_key_is_told_by_the_first_frame_after_its_echo() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("stats");
        let mut stats = Stats::to(Some(&path)).expect("a file");
        let now = Instant::now();
        stats.key(now);
        stats.frame_presented(Duration::ZERO, now);
        stats.screen_changed();
        stats.frame_presented(Duration::ZERO, now);
        stats.frame_presented(Duration::ZERO, now);
        let text = std::fs::read_to_string(&path).expect("it was written");
        let keys: Vec<bool> = text.lines().map(|line| line.contains("\"keys_us\":[0]")).collect();
        assert_eq!(keys, [false, true, false]);
    }
}
