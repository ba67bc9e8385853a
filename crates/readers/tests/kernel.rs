//! Is a kernel log understood: who waits, who holds, and what cannot be known? One sample a behaviour.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use unwedge_analyze::{Options, Report, analyze};
use unwedge_readers::{LineReader, Reading, Sink, detect, kernel};
use unwedge_trace::{Event, Recording, Timestamp, What};

/// The events of a log, and the moment at which they were last true.
fn read(log: &[u8]) -> (Vec<Event>, Timestamp) {
    let mut reader = open(log);
    let mut sink = Sink::default();
    for line in log.split(|byte| *byte == b'\n') {
        sink.line += 1;
        reader.line(line, &mut sink);
    }
    reader.finish(&mut sink);
    (sink.events, reader.now().expect("a log that was read has a last moment"))
}

fn open(log: &[u8]) -> Box<dyn LineReader> {
    match (kernel::FORMAT.open)(log).expect("any log can be opened") {
        Reading::Lines(reader) => reader,
        Reading::Blocks(_) => panic!("a kernel log is read line by line"),
    }
}

fn report(log: &[u8]) -> Report {
    let (events, now) = read(log);
    analyze(&Recording::new("kernel log", now, events), &Options { patience_ns: 0 })
}

/// Verdict, findings, what is missing, and the remarks of a sample.
fn check(log: &str) -> String {
    let format = detect(log.as_bytes()).map(|format| format.name);
    assert_eq!(format, Some("kernel-log"), "{log}");
    let report = report(log.as_bytes());
    let mut text = vec![format!("{:?}", report.verdict)];
    for finding in &report.findings {
        // A point without a number is said with the highest one, for now.
        let sentence = finding.sentence.replace(" to reach 18446744073709551615", "");
        text.push(format!("{}: {sentence}", finding.code));
        text.extend(
            finding
                .also_waiting
                .iter()
                .map(|other| format!("  also: {} {}", other.name, other.tid)),
        );
        let marks = finding
            .evidence
            .iter()
            .filter(|fact| fact.contains("held by") || fact.contains("the kernel"));
        text.extend(marks.map(|fact| format!("  {fact}")));
    }
    text.extend(report.missing.iter().map(|missing| format!("missing: {missing}")));
    for event in read(log.as_bytes()).0 {
        if let What::Mark { text: mark, .. } = event.what {
            text.push(format!("{} s: {mark}", event.at.0 / 1_000_000_000));
        }
    }
    text.join("\n")
}

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("samples/kernel/", $name, ".log"))
    };
}

#[test]
fn two_tasks_with_each_others_mutex_are_a_deadlock() {
    insta::assert_snapshot!(check(sample!("abba")), @r#"
    Wedged
    UW001: thread 901 "writer" and thread 902 "reader" wait for each other: thread 901 "writer" waits in __mutex_lock from rename_pair for mutex 0xffff888022220000 "&pair->b", which thread 902 "reader" holds; thread 902 "reader" waits in __mutex_lock from swap_pair for mutex 0xffff888011110000 "&pair->a", which thread 901 "writer" holds
      also: reader 902
    443 s: Kernel panic - not syncing: hung_task: blocked tasks
    "#);
}

#[test]
fn a_holder_in_io_is_named_and_not_accused() {
    insta::assert_snapshot!(check(sample!("holder_in_io")), @r#"
    Inconclusive
    UW015: thread 311 "sync" waits in folio_wait_bit_common from samplefs_flush for object 0x0 "a folio's lock or writeback"; it is shared with the outside, and nobody inside owes it: the chain leaves what is observed
      also: touch 312
      also: ls 313
    missing: who signals object 0x0 "a folio's lock or writeback" outside, and what that side is doing
    "#);
}

#[test]
fn owners_that_the_kernel_names_are_taken_and_readers_are_not() {
    insta::assert_snapshot!(check(sample!("owner_lines")), @r#"
    Wedged
    UW001: thread 71 "left" and thread 72 "right" wait for each other: thread 71 "left" waits in __mutex_lock from left_then_right for mutex 0x0, which thread 72 "right" holds; thread 72 "right" waits in __mutex_lock from right_then_left for mutex 0x0, which thread 71 "left" holds
      also: right 72
      also: third 73
      300 ms ago: mutex 0x0: the kernel names right:72 as the likely owner of the mutex
      200 ms ago: mutex 0x0: the kernel names left:71 as the likely owner of the mutex
    500 s: the kernel names right:72 as the likely owner of the mutex
    500 s: the kernel names left:71 as the likely owner of the mutex
    500 s: the kernel names left:71 as the likely owner of the semaphore
    500 s: the kernel names scan:75 as the last reader of the rw-semaphore, and there may be others
    500 s: the log lists no held locks: a kernel with lockdep lists them (SysRq-d)
    "#);
}

#[test]
fn of_several_readers_none_is_the_owner() {
    insta::assert_snapshot!(check(sample!("readers")), @r#"
    Inconclusive
    UW016: thread 81 "grow" waits in rwsem_down_write_slowpath from grow_table for mutex 0xffff888044440000 "&table->lock"; who holds it is not known, and nothing observed is waited for
      now: mutex 0xffff888044440000 "&table->lock": may be held by scan:82, scan:83
    missing: who holds mutex 0xffff888044440000 "&table->lock"
    missing: the locks of running tasks are not listed: busy:84
    800 s: may be held by scan:82, scan:83
    800 s: the locks of running tasks are not listed: busy:84
    "#);
}

#[test]
fn a_warning_of_lockdep_is_no_hang() {
    insta::assert_snapshot!(check(sample!("lockdep")), @r"
    Progressing
    12 s: lockdep: possible circular locking: (&a->lock) -> (&b->lock) -> (&a->lock), by worker/77
    ");
}

#[test]
fn an_idle_system_progresses() {
    insta::assert_snapshot!(check(sample!("idle_sysrq_t")), @"Progressing");
}

#[test]
fn lines_of_two_printers_are_kept_apart() {
    insta::assert_snapshot!(check(sample!("interleaved")), @r#"
    Inconclusive
    UW015: thread 51 "one" waits in dma_fence_default_wait from dma_fence_wait_timeout for dma-fence 0x0 "which one is not told"; it is shared with the outside, and nobody inside owes it: the chain leaves what is observed
    UW015: thread 52 "two" waits in pipe_write from vfs_write for pipe 0x0 "which one is not told"; it is shared with the outside, and nobody inside owes it: the chain leaves what is observed
    missing: who signals dma-fence 0x0 "which one is not told" outside, and what that side is doing
    missing: who signals pipe 0x0 "which one is not told" outside, and what that side is doing
    "#);
}

#[test]
fn traces_that_cannot_be_told_apart_are_left_out() {
    insta::assert_snapshot!(check(sample!("mixed_without_callers")), @r#"
    Inconclusive
    UW015: thread 51 "one" waits in an uninterruptible sleep for object 0x0 "what for is not told"; it is shared with the outside, and nobody inside owes it: the chain leaves what is observed
    UW015: thread 52 "two" waits in an uninterruptible sleep for object 0x0 "what for is not told"; it is shared with the outside, and nobody inside owes it: the chain leaves what is observed
    missing: who signals object 0x0 "what for is not told" outside, and what that side is doing
    "#);
}

#[test]
fn gpu_rings_and_devices_that_failed_are_told() {
    insta::assert_snapshot!(check(sample!("gpu")), @r"
    Progressing
    1200 s: [drm:amdgpu_job_timedout [amdgpu]] *ERROR* ring gfx_0.0.0 timeout, signaled seq=4711, emitted seq=4713
    1201 s: i915 0000:00:02.0: [drm] GPU HANG: ecode 12:1:85dffffb, in game [2001]
    1202 s: NVRM: Xid (PCI:0000:01:00): 31, pid=2001, name=game, Ch 00000010, intr 00000000
    1203 s: [drm:drm_atomic_helper_wait_for_flip_done [drm_kms_helper]] *ERROR* [CRTC:50:crtc-0] flip_done timed out
    ");
}

#[test]
fn a_ring_that_timed_out_owes_what_it_was_given() {
    let (events, _) = read(sample!("gpu").as_bytes());
    let points = events.iter().filter_map(|event| match event.what {
        What::Owed { point, .. } => Some(("owed", point.value)),
        What::Signalled { point } => Some(("signalled", point.value)),
        _ => None,
    });
    assert_eq!(points.collect::<Vec<_>>(), [("signalled", 4711), ("owed", 4713)]);
}

#[test]
fn a_processor_that_is_stuck_names_the_task_it_runs() {
    insta::assert_snapshot!(check(sample!("stalls")), @r"
    Progressing
    600 s: watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [miner:4242]
    601 s: rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
    ");
    let (events, _) = read(sample!("stalls").as_bytes());
    let states = events.iter().filter_map(|event| match &event.what {
        What::State { state, detail, cpu, .. } => Some(format!("{state:?} on {cpu:?}: {detail}")),
        _ => None,
    });
    insta::assert_snapshot!(states.collect::<Vec<_>>().join("\n"), @r"
    Running on Some(1): soft lockup: processor 1 stuck for 22s
    Running on Some(1): ran on processor 1, by a backtrace of its processor
    Running on None: state R
    Ready on Some(1): starved of a processor for 10502 jiffies
    ");
}

#[test]
fn a_journal_is_read_and_a_wait_reported_twice_is_one() {
    insta::assert_snapshot!(check(sample!("journal")), @r#"
    Inconclusive
    UW015: thread 66 "mount" waits in wait_for_completion from sample_mount for object 0x0 "a completion"; it is shared with the outside, and nobody inside owes it: the chain leaves what is observed
    missing: who signals object 0x0 "a completion" outside, and what that side is doing
    "#);
    let (events, now) = read(sample!("journal").as_bytes());
    let mut waits = events.iter().filter(|event| matches!(event.what, What::WaitBegan { .. }));
    let wait = waits.next().expect("one task waits");
    assert_eq!((now.since(wait.at) / 1_000_000_000, waits.count()), (245, 0));
}

#[test]
fn a_task_that_is_not_reported_again_went_on() {
    insta::assert_snapshot!(check(sample!("went_on")), @r#"
    Inconclusive
    UW015: thread 92 "late" waits in submit_bio_wait from sample_read for object 0x0 "block I/O"; it is shared with the outside, and nobody inside owes it: the chain leaves what is observed
    missing: who signals object 0x0 "block I/O" outside, and what that side is doing
    300 s: was reported as blocked for more than 143 s, and not again with those reported later
    "#);
}

#[test]
fn what_was_before_a_reboot_is_over() {
    insta::assert_snapshot!(check(sample!("rebooted")), @"Progressing");
}

#[test]
fn a_lock_of_which_nothing_is_known_has_no_owner() {
    let log = sample!("abba").split("Showing all locks").next().expect("the traces come first");
    insta::assert_snapshot!(check(log), @r#"
    Inconclusive
    UW016: thread 901 "writer" waits in __mutex_lock from rename_pair for mutex 0x0; who holds it is not known, and nothing observed is waited for
    UW016: thread 902 "reader" waits in __mutex_lock from swap_pair for mutex 0x0; who holds it is not known, and nothing observed is waited for
    missing: who holds mutex 0x0
    missing: the log lists no held locks: a kernel with lockdep lists them (SysRq-d)
    443 s: the log lists no held locks: a kernel with lockdep lists them (SysRq-d)
    "#);
}

/// The owner of the one lock that is waited for in the sample with a lock that only one other task lists.
fn only_other(log: &str) -> Option<u32> {
    let (events, _) = read(log.as_bytes());
    let owner = events.iter().find(|event| matches!(event.what, What::Owed { .. }))?.agent;
    events.iter().find_map(|event| match event.what {
        What::Agent { tid, .. } if event.agent == owner => Some(tid),
        _ => None,
    })
}

#[test]
fn who_alone_lists_a_lock_holds_it_if_the_list_is_whole() {
    let log = sample!("only_other");
    assert_eq!(only_other(log), Some(62));
    insta::assert_snapshot!(check(log), @r#"
    Inconclusive
    UW016: thread 61 "run" waits in __mutex_lock from run_job for mutex 0xffff888077770000 "&job->lock"; thread 62 "idle" has held it for 2 min 23 s and is in no observed wait, and nothing observed is waited for
    missing: what thread 62 "idle" does while it holds mutex 0xffff888077770000 "&job->lock"
    820 s: is the only task left that lists it and is not seen to wait for it
    "#);
}

#[test]
fn a_list_that_is_cut_off_proves_nothing() {
    let (log, _) = sample!("only_other").split_once("====").expect("the list has an end");
    assert_eq!(only_other(log), None);
}

#[test]
fn a_task_whose_locks_are_not_listed_may_be_the_holder() {
    let log = sample!("only_other")
        .replace("[  820.100005]", "[  820.100005] 2 locks held by busy/63:\n[  820.100006]");
    assert_eq!(only_other(&log), None);
}

#[test]
fn a_lock_without_an_address_is_known_only_if_it_is_the_only_one_of_its_name() {
    let anonymous = |name| {
        let log =
            sample!("only_other").replace("ffff888077770000 (&job->lock)", &format!("({name})"));
        only_other(&log)
    };
    assert_eq!((anonymous("&job->lock"), anonymous("jobs_mutex")), (None, Some(62)));
}

#[test]
fn other_logs_are_not_taken_for_a_kernels() {
    for other in ["", "hello\nworld\n", "{\"at\":1}\n", "12@1.5:virtio_gpu_fence_resp fence 0x1\n"]
    {
        assert!(!(kernel::FORMAT.detect)(other.as_bytes()), "{other}");
    }
}

#[test]
fn every_prefix_and_any_damage_is_read() {
    for log in [
        sample!("abba"),
        sample!("owner_lines"),
        sample!("gpu"),
        sample!("lockdep"),
        sample!("journal"),
    ] {
        let log = log.as_bytes();
        for end in (0..log.len()).step_by(37) {
            report(&log[..end]);
            let mut damaged = log.to_vec();
            damaged[end] = 0xff;
            report(&damaged);
        }
    }
}
