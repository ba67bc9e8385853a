//! Where in an HTML page is the trace, and what does systrace add to its lines?

/// Words of which one stands in the first 64 KiB of such pages: before the trace itself comes a viewer of some megabytes.
const WORDS: &[&str] = &[
    "trace-data",
    "linuxPerfData",
    "Android System Trace",
    "trace-viewer",
    "systrace",
    "# tracer:",
];

/// Whether the text begins as a page does.
pub(super) fn is_page(text: &str) -> bool {
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let begins =
        |word: &str| start.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word));
    begins("<!doctype html") || begins("<html")
}

/// Whether it is one that systrace makes.
pub(super) fn holds_trace(text: &str) -> bool {
    WORDS.iter().any(|word| text.contains(word))
}

/// The place in a page.
#[derive(Debug, Default)]
pub(super) struct Page {
    inside: bool,
}

impl Page {
    /// The line of the trace, without what the page adds to it; `None` outside of the trace.
    pub(super) fn line<'a>(&mut self, line: &'a str) -> Option<&'a str> {
        let text = line.trim_end();
        if text.contains("</script>") {
            self.inside = false;
        } else if text.contains("trace-data\"") || text.contains("linuxPerfData =") {
            self.inside = true;
        } else if self.inside {
            // Old pages keep the trace in a string of the script.
            let text = text.strip_suffix('\\').unwrap_or(text);
            let text = text.strip_suffix(';').map_or(text, |text| text.trim_end_matches('"'));
            return Some(text.strip_suffix("\\n").unwrap_or(text));
        }
        None
    }
}
