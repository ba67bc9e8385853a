//! A subscriber for tests: which events were told, as lines?

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps each event as a line: its level, what it says, and its fields.
#[derive(Clone, Default)]
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    meanwhile: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Log {
    /// A log that does something of its own while an event is told, as a program's may.
    #[allow(dead_code, reason = "not every test that has a log does")]
    pub(crate) fn meanwhile(act: impl Fn() + Send + Sync + 'static) -> Self {
        Self { lines: Arc::default(), meanwhile: Some(Arc::new(act)) }
    }

    /// The lines since this was asked last.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap())
    }
}

struct Line {
    said: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.said = format!("{value:?}");
        } else {
            write!(self.fields, " {}={value:?}", field.name()).unwrap();
        }
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        if let Some(act) = &self.meanwhile {
            act();
        }
        let mut line = Line { said: String::new(), fields: String::new() };
        event.record(&mut line);
        let level = event.metadata().level();
        self.lines.lock().unwrap().push(format!("{level} {}{}", line.said, line.fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
