//! What is told of trouble: the first at once, then one in five seconds, each rung, and the end.

use std::time::Duration;

use unwedge_wait::Waited;
use unwedge_wait::frame_loop::{Ladder, Settings};

use crate::log::Log;
use crate::turns::{Story, settings};

fn told(script: &str, settings: Settings, time: Duration) -> Vec<String> {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let mut story = Story::new(script, settings);
        story.go_on(time);
        story.end(Waited::Reached);
    });
    log.take()
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
