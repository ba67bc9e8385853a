//! What is told of trouble: the first at once, then one in five seconds, each rung, and the end.
#![cfg(feature = "tracing")]

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use unwedge_wait::Waited;
use unwedge_wait::frame_loop::{Ladder, Settings};

use crate::turns::{Story, settings};

/// Keeps each event as a line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let name = field.name();
        let separator = if self.0.is_empty() { "" } else { " " };
        write!(self.0, "{separator}{name}={value:?}").unwrap();
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
        let mut line = Line(String::new());
        event.record(&mut line);
        let line = line.0.replace("message=", "");
        self.0.lock().unwrap().push(format!("{} {line}", event.metadata().level()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn told(script: &str, settings: Settings, time: Duration) -> Vec<String> {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let mut story = Story::new(script, settings);
        story.go_on(time);
        story.end(Waited::Reached);
    });
    log.0.lock().unwrap().clone()
}

#[test]
fn a_lost_notification_is_told_with_its_cure_and_its_end() {
    let lines = told("drop-fence=3", settings(), Duration::from_secs(4));
    let because = "because=the GPU has not executed an earlier frame";
    assert_eq!(
        lines,
        [
            &format!("WARN frame skipped {because} count=1 for_ms=0"),
            &format!("WARN recovering: a new swapchain {because}"),
            "INFO frames are drawn again skipped=27 after_ms=2214",
        ]
    );
}

#[test]
fn frames_that_are_skipped_for_long_are_told_once_in_five_seconds() {
    let settings = Settings { ladder: Ladder::retry_only(), ..settings() };
    let fail = "fail=vkAcquireNextImageKHR:2+:TIMEOUT";
    let lines = told(fail, settings, Duration::from_secs(16));
    let because = "because=the presentation engine gives no image";
    let expected = [(1, 0), (53, 5082), (97, 10186), (141, 15290)];
    let line = |(count, ms)| format!("WARN frame skipped {because} count={count} for_ms={ms}");
    assert_eq!(lines, expected.map(line));
}
