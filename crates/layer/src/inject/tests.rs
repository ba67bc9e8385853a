//! Are rules read as the command writes them, and other text ignored?

use std::time::Duration;

use unwedge_trace::blackbox::Fault;

use super::{Target, parse};

type Read = (Fault, Target, u64, u64, Option<Duration>);

fn read(text: &str) -> Option<Read> {
    parse(text).map(|rule| (rule.fault, rule.target, rule.first, rule.last, rule.duration))
}

#[test]
fn every_form() {
    let ms = |ms| Some(Duration::from_millis(ms));
    let cases = [
        ("drop-signal:fence:n=20", Fault::DropSignal, Target::Fence, 20, 20, None),
        ("drop-signal:binary:n=5+", Fault::DropSignal, Target::Binary, 5, u64::MAX, None),
        (
            "delay-signal:timeline:n=2:for=5000000",
            Fault::DelaySignal,
            Target::Timeline,
            2,
            2,
            ms(5),
        ),
        ("acquire-timeout:n=3", Fault::AcquireTimeout, Target::Acquire, 3, 3, None),
        ("out-of-date:acquire:n=5", Fault::OutOfDate, Target::Acquire, 5, 5, None),
        ("out-of-date:present:n=1", Fault::OutOfDate, Target::Present, 1, 1, None),
        ("suboptimal:present:n=1+", Fault::Suboptimal, Target::Present, 1, u64::MAX, None),
        ("device-lost:submit:n=5", Fault::DeviceLost, Target::Submit, 5, 5, None),
        ("device-lost:wait:n=5", Fault::DeviceLost, Target::Wait, 5, 5, None),
        ("hold-submit:n=5:for=1000000", Fault::HoldSubmit, Target::Submit, 5, 5, ms(1)),
        ("withhold-images:n=5", Fault::WithholdImages, Target::Acquire, 5, 5, None),
        ("fail-submit:n=4", Fault::FailSubmit, Target::Submit, 4, 4, None),
        ("drop-signal", Fault::DropSignal, Target::Any, 1, 1, None),
    ];
    for (text, fault, target, first, last, duration) in cases {
        assert_eq!(read(text), Some((fault, target, first, last, duration)), "{text}");
    }
    for fault in Fault::ALL {
        assert!(read(&format!("{}:n=1", fault.name())).is_some(), "{}", fault.name());
    }
}

#[test]
fn other_text_is_ignored() {
    let cases = [
        "",
        ":",
        "drop",
        "drop-signal:window:n=1",
        "drop-signal:fence:n=",
        "drop-signal:fence:n=-1",
        "drop-signal:fence:n=x",
        "drop-signal:fence:n=99999999999999999999",
        "drop-signal:fence:for=5ms",
        "drop-signal:fence::n=1",
        "DROP-SIGNAL:fence:n=1",
        " drop-signal:fence:n=1",
    ];
    for text in cases {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn without_rules_nothing_is_struck() {
    // These tests run without UNWEDGE_INJECT.
    assert!(!super::enabled());
    assert!(super::strike(Fault::DropSignal, Target::Fence).is_none());
}
