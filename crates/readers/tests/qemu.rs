//! Is QEMU's trace log understood: which fences are open, and what holds up the renderer?
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use unwedge_analyze::{Options, Report, analyze};
use unwedge_readers::{Reading, Sink, detect, qemu};
use unwedge_trace::Recording;

const SECOND: u64 = 1_000_000_000;

fn read(log: &str, patience_ns: u64) -> (Report, Sink) {
    let Ok(Reading::Lines(mut reader)) = (qemu::FORMAT.open)(log.as_bytes()) else {
        panic!("a trace log is read line by line")
    };
    let mut sink = Sink::default();
    for line in log.split('\n') {
        sink.line += 1;
        reader.line(line.as_bytes(), &mut sink);
    }
    reader.finish(&mut sink);
    let now = reader.now().unwrap_or_default();
    let report =
        analyze(&Recording::new("qemu", now, sink.events.clone()), &Options { patience_ns });
    (report, sink)
}

/// Verdict, findings and what is missing of a log, with two seconds of patience.
fn check(log: &str) -> String {
    assert_eq!(detect(log.as_bytes()).map(|format| format.name), Some("qemu"), "{log}");
    let (report, _) = read(log, 2 * SECOND);
    let mut text = vec![format!("{:?}", report.verdict)];
    text.extend(
        report.findings.iter().map(|finding| format!("{}: {}", finding.code, finding.sentence)),
    );
    text.extend(report.missing.iter().map(|missing| format!("missing: {missing}")));
    text.join("\n")
}

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("samples/qemu/", $name, ".log"))
    };
}

#[test]
fn fences_that_are_answered_are_no_wait() {
    insta::assert_snapshot!(check(sample!("healthy")), @"Progressing");
}

#[test]
fn a_fence_that_is_never_answered_while_others_are_is_named() {
    insta::assert_snapshot!(check(sample!("one_scanout_silent")), @r#"
    Inconclusive
    UW015: guest thread "guest driver" waits in virtio_gpu_fence_ctrl for dma-fence 0x12 "RESOURCE_FLUSH of resource 0x3 on scanout 1" to reach 18; ring host "virtio-gpu renderer" owes it, and waits in virgl_renderer_poll for object 0x0 "the host GPU's work"; the host's GPU owes it and has not delivered: the chain leaves what is observed
    missing: who signals object 0x0 "the host GPU's work" outside, and what that side is doing
    missing: whether the display blocks the renderer (QEMU before 9.2 does not log it)
    "#);
}

#[test]
fn a_command_put_off_for_good_is_a_block_that_the_display_holds() {
    insta::assert_snapshot!(check(sample!("renderer_blocked")), @r#"
    Inconclusive
    UW012: guest thread "guest driver" waits in virtio_gpu_fence_ctrl for dma-fence 0x9 "SUBMIT_3D of context 0x1" to reach 9; ring host "virtio-gpu renderer" owes it, and waits in RESOURCE_FLUSH for block 0x0 "renderer_blocked"; the display client (for 29.99 s) holds it
    missing: whether the display client (for 29.99 s) will still release it
    "#);
}

#[test]
fn a_command_put_off_and_done_later_holds_up_nothing() {
    let log = format!(
        "{}7@50.000000:virtio_gpu_cmd_res_flush res 0x2, w 640, h 480, x 0, y 0\n7@50.000001:virtio_gpu_cmd_ctx_submit ctx 0x1, size 8\n7@50.000002:virtio_gpu_fence_resp fence 0x9\n",
        sample!("renderer_blocked")
    );
    insta::assert_snapshot!(check(&log), @"Progressing");
}

#[test]
fn a_log_without_times_says_so() {
    let log: String = sample!("one_scanout_silent")
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(_, event)| format!("{event}\n"))
        .collect();
    let (report, _) = read(&log, 0);
    insta::assert_snapshot!(report.missing.join("\n"), @r#"
    who signals object 0x0 "the host GPU's work" outside, and what that side is doing
    the log has no times: a line counts as a nanosecond
    whether the display blocks the renderer (QEMU before 9.2 does not log it)
    "#);
}

#[test]
fn a_qemu_that_logs_one_answer_for_several_fences_is_not_misread() {
    let ask = |n: u32| format!("7@{n}.000000:virtio_gpu_fence_ctrl fence {n:#x}, type 0x207\n");
    let answer = |n: u32| format!("7@{n}.500000:virtio_gpu_fence_resp fence {n:#x}\n");
    let log: String =
        (1..=40).map(|n| if n % 4 == 0 { ask(n) + &answer(n) } else { ask(n) }).collect();
    insta::assert_snapshot!(check(&log), @"Progressing");
}

#[test]
fn other_logs_are_not_taken_for_qemus() {
    for other in [
        "",
        "virtio_gpu virtio0: ready\n",
        "virtio_gpu_cmd_queue: vdev=4\n",
        "1@x:virtio_gpu_fence_resp fence 0x1\n",
    ] {
        assert!(!(qemu::FORMAT.detect)(other.as_bytes()), "{other}");
    }
}

#[test]
fn lines_that_lack_their_number_are_complained_of() {
    let (_, sink) = read(
        "virtio_gpu_fence_ctrl fence, type\nvirtio_gpu_fence_resp \nvirtio_gpu_fence_resp fence 0xzz\n",
        0,
    );
    assert_eq!(sink.complaints.count(), 3);
}

#[test]
fn every_prefix_and_any_damage_is_read() {
    for log in [sample!("healthy"), sample!("renderer_blocked"), sample!("one_scanout_silent")] {
        for end in 0..log.len() {
            read(&log[..end], 0);
            read(&format!("{}\u{fffd}{}", &log[..end], &log[end..]), 0);
        }
    }
}
