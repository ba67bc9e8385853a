//! What does the reader of the kernel's tracer make of small traces, and what does the analysis make of that?
#![allow(clippy::expect_used, reason = "a test may panic")]

mod common_ftrace;

use common_ftrace::{Read, SAMPLES, read};
use unwedge_analyze::{Options, analyze};
use unwedge_readers::detect;
use unwedge_trace::{MarkKind, Recording, What};

fn sample(name: &str) -> Read {
    let (_, text) = SAMPLES.iter().find(|(sample, _)| *sample == name).expect("a sample");
    read(text.as_bytes())
}

/// The report with the default patience.
fn report(read: &Read) -> unwedge_analyze::Report {
    let recording = Recording::new("ftrace", read.now, read.events.clone());
    analyze(&recording, &Options::default())
}

fn verdict(read: &Read) -> String {
    let report = report(read);
    let mut lines = vec![format!("{:?}", report.verdict)];
    for finding in &report.findings {
        lines.push(format!("{} {}", finding.code, finding.sentence));
        lines.extend(finding.evidence.iter().map(|fact| format!("  {fact}")));
    }
    lines.join("\n")
}

fn check(name: &str) {
    insta::assert_snapshot!(name.replace('.', "_"), sample(name).told());
}

#[test]
fn every_sample_is_recognised_and_nothing_else_is() {
    for (name, text) in SAMPLES {
        assert_eq!(detect(text.as_bytes()).map(|format| format.name), Some("ftrace"), "{name}");
    }
    let others = [
        "",
        "{\"unwedge_trace\":1}",
        "[   12.345678] INFO: task kworker/0:1:42 blocked for more than 120 seconds.",
        "goroutine 1 [chan receive]:\nmain.main()",
        "<!DOCTYPE html><html><body>hello</body></html>",
        "\u{0}\u{1}\u{2}",
    ];
    for text in others {
        assert_ne!(detect(text.as_bytes()).map(|format| format.name), Some("ftrace"), "{text}");
    }
}

#[test]
fn scheduler_futexes_fences_and_calls_are_told() {
    check("healthy.txt");
}

#[test]
fn futexes_are_understood_in_the_forms_of_trace_cmd() {
    check("trace_cmd.txt");
}

#[test]
fn system_calls_are_understood_by_number() {
    check("syscalls.txt");
}

#[test]
fn owners_of_locks_are_told_where_the_kernel_keeps_them() {
    check("pi_deadlock.txt");
}

#[test]
fn a_lock_that_nobody_handed_over_has_no_owner_on_record() {
    check("pi_refused.txt");
    let owed = sample("pi_refused.txt").events;
    assert!(!owed.iter().any(|event| matches!(event.what, What::Owed { .. })));
}

#[test]
fn numbers_of_fences_go_on_beyond_32_bits() {
    check("fence_signalled.txt");
}

#[test]
fn jobs_of_old_kernels_are_told() {
    check("jobs_old.txt");
}

#[test]
fn jobs_of_new_kernels_are_told() {
    check("jobs_new.txt");
}

#[test]
fn locks_of_the_kernel_are_told() {
    check("contention.txt");
}

#[test]
fn tasks_begin_end_and_change_their_names() {
    check("lives.txt");
}

#[test]
fn lost_and_unknown_events_are_counted() {
    check("lost.txt");
}

#[test]
fn the_trace_in_a_page_is_found() {
    check("page.html");
    check("old_page.html");
}

#[test]
fn a_healthy_trace_gives_no_finding() {
    for name in ["healthy.txt", "trace_cmd.txt", "lives.txt", "fence_signalled.txt"] {
        let told = verdict(&sample(name));
        assert!(told.starts_with("Progressing") && !told.contains("UW0"), "{name}: {told}");
    }
}

#[test]
fn a_starved_thread_is_ready_to_the_end() {
    check("starved.txt");
    let told = verdict(&sample("starved.txt"));
    let starved = "UW008 thread 42 \"victim\" has been ready on processor 0 with priority -139";
    assert!(told.contains(starved), "{told}");
}

#[test]
fn a_circle_of_owned_locks_is_a_deadlock() {
    insta::assert_snapshot!(verdict(&sample("pi_deadlock.txt")), @r#"
    Wedged
    UW001 thread 21 "first one" and thread 22 "second-2 [x]" wait for each other: thread 21 "first one" waits in futex(FUTEX_LOCK_PI) for mutex 0x5040, which thread 22 "second-2 [x]" holds; thread 22 "second-2 [x]" waits in futex(FUTEX_LOCK_PI) for mutex 0x5000, which thread 21 "first one" holds
      8.09 s ago: thread 23 "third" signalled mutex 0x5000
      8.09 s ago: thread 21 "first one" took mutex 0x5000
      7.99 s ago: thread 23 "third" signalled mutex 0x5040
      7.99 s ago: thread 22 "second-2 [x]" took mutex 0x5040
      7.10 s ago: thread 21 "first one" began to wait in futex(FUTEX_LOCK_PI) for mutex 0x5040
      7.09 s ago: thread 21 "first one": sleeps in futex
      7.09 s ago: thread 22 "second-2 [x]" began to wait in futex(FUTEX_LOCK_PI) for mutex 0x5000
      7.09 s ago: thread 22 "second-2 [x]": sleeps in futex
    "#);
    insta::assert_snapshot!(verdict(&sample("kernel_locks.txt")), @r#"
    Wedged
    UW001 thread 31 "app" and thread 32 "other" wait for each other: thread 31 "app" waits in lock &file->lock for mutex 0xffff9000 "&file->lock", which thread 32 "other" holds; thread 32 "other" waits in lock &dev->mutex for mutex 0xffff8000 "&dev->mutex", which thread 31 "app" holds
      7.99 s ago: thread 31 "app" took mutex 0xffff8000 "&dev->mutex"
      7.89 s ago: thread 32 "other" took mutex 0xffff9000 "&file->lock"
      7.79 s ago: thread 31 "app" began to wait in lock &file->lock for mutex 0xffff9000 "&file->lock"
      7.79 s ago: thread 31 "app": sleeps uninterruptibly
      7.69 s ago: thread 32 "other" began to wait in lock &dev->mutex for mutex 0xffff8000 "&dev->mutex"
      7.69 s ago: thread 32 "other": sleeps uninterruptibly
    "#);
}

#[test]
fn a_refused_lock_is_in_the_evidence() {
    let notes = report(&sample("pi_refused.txt")).notes.join("\n");
    let refused = "after FUTEX_LOCK_PI of 0x5040 failed with EDEADLK: the kernel saw a deadlock";
    assert!(notes.contains(refused), "{notes}");
}

#[test]
fn a_fence_that_its_timeline_promised_is_its_debt() {
    insta::assert_snapshot!(verdict(&sample("fence_never_signalled.txt")), @r#"
    Inconclusive
    UW005 thread 31 "app" waits in dma_fence_wait for dma-fence 0x9 "controlq context 9" to reach 2; queue "virtio_gpu controlq" owes it, and has not finished its work after 7.99 s; whether its engine works is not observable here
      8.09 s ago: queue "virtio_gpu controlq" signalled dma-fence 0x9 "controlq context 9"
      7.99 s ago: thread 31 "app" left it to queue "virtio_gpu controlq" to signal dma-fence 0x9 "controlq context 9"
      7.99 s ago: thread 31 "app" began to wait in dma_fence_wait for dma-fence 0x9 "controlq context 9" to reach 2
      7.99 s ago: thread 31 "app": sleeps uninterruptibly
    "#);
}

#[test]
fn a_fence_that_was_never_handed_over_is_owed_by_nobody() {
    insta::assert_snapshot!(verdict(&sample("fence_never_emitted.txt")), @r#"
    Wedged
    UW002 thread 31 "app" waits in dma_fence_wait for dma-fence 0x9 "controlq context 9" to reach 2; nobody owes it
      8.09 s ago: thread 31 "app" left it to queue "virtio_gpu controlq" to signal dma-fence 0x9 "controlq context 9"
      8.09 s ago: queue "virtio_gpu controlq" signalled dma-fence 0x9 "controlq context 9"
      7.99 s ago: thread 31 "app" began to wait in dma_fence_wait for dma-fence 0x9 "controlq context 9" to reach 2
      7.99 s ago: thread 31 "app": sleeps uninterruptibly
    "#);
}

#[test]
fn any_prefix_and_any_damage_is_read() {
    let mut state = 7_u64;
    let mut random = move |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or(0) % below
    };
    for (_, text) in SAMPLES {
        for round in 0..20 {
            let mut bytes = text.as_bytes().to_vec();
            bytes.truncate(random(bytes.len()) + 1);
            for _ in 0..round {
                let (at, from) = (random(bytes.len()), random(bytes.len()));
                bytes[at] =
                    if random(3) == 0 { bytes[from] } else { b"0-9 :=[]().,~\xff"[random(14)] };
            }
            let read = read(&bytes);
            let recording = Recording::new("ftrace", read.now, read.events);
            let report = analyze(&recording, &Options::default());
            assert!(report.findings.iter().all(|finding| !finding.sentence.is_empty()));
        }
    }
}

#[test]
fn tasks_beyond_the_bound_are_counted_and_not_followed() {
    let line = |tid: u32| {
        format!("t-{tid} [000] .... 1.0: sched_wakeup: comm=t pid={tid} prio=120 target_cpu=0\n")
    };
    let text: String = (1..=(1 << 18) + 3).map(line).collect();
    let read = read(text.as_bytes());
    let told = read.events.iter().filter(|event| matches!(event.what, What::Agent { .. })).count();
    assert_eq!(told, (1 << 18) + 1);
    let left_out = read.events.iter().any(|event| {
        matches!(&event.what, What::Mark { kind: MarkKind::Unobserved, text, .. } if text.contains("were left out"))
    });
    assert!(left_out);
}
