//! How does a recording travel as text? One header line, then one event a line.
//!
//! Reading never fails as a whole: a line that cannot be read becomes a [`Complaint`] and the rest
//! is kept, because the tail of a recording of a crash is usually torn. Fields that this version
//! does not know are kept beside the event and written back.

use std::fmt::Write as _;
use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::event::{Event, Timestamp};

/// The version of the format that this crate writes.
pub const VERSION: u32 = 1;
/// Longest line that is kept in memory; longer ones are skipped with a complaint. Bytes.
pub const LINE_BYTES_MAX: usize = 1 << 20;
/// Complaints kept word for word; the rest are counted.
pub const COMPLAINTS_MAX: usize = 20;

/// The first line of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`VERSION`].
    pub unwedge_trace: u32,
    /// Who wrote it: "vulkan layer", a simulator's name, a profile.
    pub source: String,
    /// The moment of the last observation, on the events' clock: what is open then is open still.
    pub now: Timestamp,
    /// How young a wait may be at `now` and still be presumed fine, in nanoseconds. Left out by who records because it is
    /// time to judge: then it is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience_ns: Option<u64>,
    /// Fields of later versions, kept.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Header {
    /// A header of this version.
    #[must_use]
    pub fn new(source: &str, now: Timestamp) -> Self {
        let (source, extra) = (source.to_owned(), Map::new());
        Self { unwedge_trace: VERSION, source, now, patience_ns: None, extra }
    }

    /// The same with a patience, in nanoseconds.
    #[must_use]
    pub fn with_patience(self, ns: u64) -> Self {
        Self { patience_ns: Some(ns), ..self }
    }
}

/// Something in the input that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// 1-based line, or 0 for the input as a whole.
    pub line: u64,
    /// What is wrong with it, lower case, no full stop.
    pub text: String,
}

impl std::fmt::Display for Complaint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line == 0 {
            f.write_str(&self.text)
        } else {
            write!(f, "line {}: {}", self.line, self.text)
        }
    }
}

/// A whole recording in memory, and what was wrong with its text.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// The first line.
    pub header: Header,
    /// The events, in the order of the input.
    pub events: Vec<Event>,
    /// Unknown fields of the event with the given index.
    pub extra: Vec<(usize, Map<String, Value>)>,
}

impl Recording {
    /// A recording of these events.
    #[must_use]
    pub fn new(source: &str, now: Timestamp, events: Vec<Event>) -> Self {
        Self { header: Header::new(source, now), events, extra: Vec::new() }
    }
}

/// Writes a recording: a header line, then a line for each event.
///
/// # Errors
/// Whatever `out` reports.
pub fn write(recording: &Recording, out: &mut impl Write) -> io::Result<()> {
    let mut extra = recording.extra.iter().peekable();
    writeln!(out, "{}", serde_json::to_string(&recording.header)?)?;
    for (index, event) in recording.events.iter().enumerate() {
        let mut value = serde_json::to_value(event)?;
        if let (Some((_, more)), Value::Object(map)) =
            (extra.next_if(|(at, _)| *at == index), &mut value)
        {
            map.extend(more.clone());
        }
        writeln!(out, "{value}")?;
    }
    Ok(())
}

/// Reads a recording. Lines that cannot be read become complaints; time that goes backwards is
/// kept as it is and complained about once.
///
/// # Errors
/// Only what `input` itself reports, and input that does not begin with a header line.
pub fn read(input: &mut impl BufRead) -> Result<(Recording, Vec<Complaint>), ReadError> {
    let mut reader = Reader::default();
    let mut line = Vec::new();
    let Some(()) = next_line(input, &mut line)? else { return Err(ReadError::Empty) };
    let header: Header = serde_json::from_slice(&line)
        .map_err(|error| ReadError::NoHeader { why: brief(&error) })?;
    if header.unwedge_trace != VERSION {
        return Err(ReadError::Version { found: header.unwedge_trace });
    }
    while let Some(()) = next_line(input, &mut line)? {
        reader.line(&line);
    }
    let mut complaints = reader.complaints;
    if reader.complaints_more > 0 {
        let text = format!("and {} more lines could not be read", reader.complaints_more);
        complaints.push(Complaint { line: 0, text });
    }
    Ok((Recording { header, events: reader.events, extra: reader.extra }, complaints))
}

/// Why an input is no recording at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Nothing was there.
    #[error("the input is empty")]
    Empty,
    /// The first line is something else.
    #[error("line 1 is not the header of an unwedge recording: {why}")]
    NoHeader {
        /// What the parser said.
        why: String,
    },
    /// Written by another version.
    #[error("the recording has format version {found}, this program reads version {VERSION}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// The input failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

#[derive(Default)]
struct Reader {
    events: Vec<Event>,
    extra: Vec<(usize, Map<String, Value>)>,
    complaints: Vec<Complaint>,
    complaints_more: u64,
    number: u64,
    latest: Timestamp,
    backwards: bool,
}

impl Reader {
    fn line(&mut self, line: &[u8]) {
        self.number += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if line.len() > LINE_BYTES_MAX {
            self.complain(format!("longer than {LINE_BYTES_MAX} bytes, skipped"));
            return;
        }
        match serde_json::from_slice::<Map<String, Value>>(line) {
            Ok(map) => self.event(map),
            Err(error) => self.complain(brief(&error)),
        }
    }

    fn event(&mut self, map: Map<String, Value>) {
        match serde_json::from_value::<Event>(Value::Object(map.clone())) {
            Ok(event) => {
                if event.at < self.latest && !std::mem::replace(&mut self.backwards, true) {
                    self.complain("time goes backwards here (said once)".to_owned());
                }
                self.latest = self.latest.max(event.at);
                let more = unknown_fields(&event, map);
                if !more.is_empty() {
                    self.extra.push((self.events.len(), more));
                }
                self.events.push(event);
            }
            Err(error) => self.complain(brief(&error)),
        }
    }

    fn complain(&mut self, text: String) {
        if self.complaints.len() < COMPLAINTS_MAX {
            // The header is line 1.
            self.complaints.push(Complaint { line: self.number + 1, text });
        } else {
            self.complaints_more += 1;
        }
    }
}

/// The fields of `map` that an event of this version does not write.
fn unknown_fields(event: &Event, map: Map<String, Value>) -> Map<String, Value> {
    let known = match serde_json::to_value(event) {
        Ok(Value::Object(known)) => known,
        _ => return Map::new(),
    };
    map.into_iter().filter(|(key, _)| !known.contains_key(key)).collect()
}

/// A parser's message without its "at line 1 column n" tail turned into ours.
fn brief(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    if let Some(at) = text.rfind(" at line ") {
        text.truncate(at);
        if error.column() > 0 {
            // Writing to a String cannot fail.
            let _ = write!(text, ", column {}", error.column());
        }
    }
    text
}

/// Reads one line into `line`, keeping at most one byte more than [`LINE_BYTES_MAX`] of it.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<()>> {
    line.clear();
    let mut any = false;
    loop {
        let available = input.fill_buf()?;
        if available.is_empty() {
            return Ok(any.then_some(()));
        }
        any = true;
        let newline = available.iter().position(|byte| *byte == b'\n');
        let taken = newline.unwrap_or(available.len());
        let room = (LINE_BYTES_MAX + 1).saturating_sub(line.len());
        line.extend_from_slice(&available[..taken.min(room)]);
        input.consume(taken + usize::from(newline.is_some()));
        if newline.is_some() {
            return Ok(Some(()));
        }
    }
}
