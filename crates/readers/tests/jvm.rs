//! Are thread dumps of a JVM understood? The samples are dumps of small programs of our own, made by HotSpot 17 and 25
//! and shortened by the JVM's own threads; what other versions write differently is written by hand.

mod dumps;

use dumps::{answer, told, verdict};
use unwedge_readers::detect;
use unwedge_readers::jvm::FORMAT;
use unwedge_trace::What;

/// What a user is told of a sample.
fn check(dump: &str) -> String {
    told(&answer(&FORMAT, dump))
}

#[test]
fn two_monitors_in_two_orders_are_a_deadlock() {
    insta::assert_snapshot!(check(include_str!("samples/jvm/abba-jstack-l-17.txt")), @r##"
    wedged
    UW001: thread 10743 "left" and thread 10744 "right" wait for each other: thread 10743 "left" waits in synchronized for mutex 0x69ec1e408 "java.lang.Object", which thread 10744 "right" holds; thread 10744 "right" waits in synchronized for mutex 0x69ec1e3f8 "java.lang.Object", which thread 10743 "left" holds (and 1 more)
    "##);
}

#[test]
fn the_evidence_has_the_places_and_what_the_jvm_says() {
    let answer = answer(&FORMAT, include_str!("samples/jvm/abba-jstack-l-17.txt"));
    insta::assert_snapshot!(answer.report.findings[0].evidence.join("\n"), @r##"
    now: mutex 0x69ec1e3f8 "java.lang.Object": the JVM says that it is part of a deadlock, held by left
    now: mutex 0x69ec1e408 "java.lang.Object": the JVM says that it is part of a deadlock, held by right
    now: thread 10743 "left" took mutex 0x69ec1e3f8 "java.lang.Object"
    now: thread 10743 "left": stands at Shapes.abba (Shapes.java:14)
    now: thread 10744 "right" took mutex 0x69ec1e408 "java.lang.Object"
    now: thread 10744 "right": stands at Shapes.abba (Shapes.java:14)
    now: thread 10743 "left" began to wait in synchronized for mutex 0x69ec1e408 "java.lang.Object"
    now: thread 10744 "right" began to wait in synchronized for mutex 0x69ec1e3f8 "java.lang.Object"
    "##);
}

#[test]
fn a_circle_of_three_is_told_once() {
    insta::assert_snapshot!(check(include_str!("samples/jvm/three-jcmd-25.txt")), @r##"
    wedged
    UW001: 3 agents wait for each other in a circle: thread 12703 "first" waits in synchronized for mutex 0x69ec1bb60 "java.lang.Object", which thread 12704 "second" holds; thread 12704 "second" waits in synchronized for mutex 0x69ec1bb70 "java.lang.Object", which thread 12705 "third" holds; thread 12705 "third" waits in synchronized for mutex 0x69ec1bb50 "java.lang.Object", which thread 12703 "first" holds (and 2 more)
    "##);
}

#[test]
fn the_jvm_names_the_holders_that_a_dump_without_l_does_not_list() {
    insta::assert_snapshot!(check(include_str!("samples/jvm/reentrant-locks-kill3-25.txt")), @r##"
    wedged
    UW001: thread 12990 "left" and thread 12991 "right" wait for each other: thread 12990 "left" waits in ReentrantLock.lock for mutex 0x69ec1bd60 "java.util.concurrent.locks.ReentrantLock$FairSync", which thread 12991 "right" holds; thread 12991 "right" waits in ReentrantLock.lock for mutex 0x69ec1bc88 "java.util.concurrent.locks.ReentrantLock$NonfairSync", which thread 12990 "left" holds (and 1 more)
    "##);
}

#[test]
fn a_monitor_and_a_lock_make_a_circle_and_bystanders_are_counted() {
    insta::assert_snapshot!(check(include_str!("samples/jvm/mixed-jstack-l-17.txt")), @r##"
    wedged
    UW001: thread 10983 "left" and thread 10984 "right" wait for each other: thread 10983 "left" waits in ReentrantLock.lock for mutex 0x69ec1e5a0 "java.util.concurrent.locks.ReentrantLock$NonfairSync", which thread 10984 "right" holds; thread 10984 "right" waits in synchronized for mutex 0x69ec1e418 "java.lang.Object", which thread 10983 "left" holds (and 2 more)
    "##);
}

#[test]
fn classes_that_initialise_each_other_are_a_deadlock_that_the_jvm_does_not_tell() {
    let dump = include_str!("samples/jvm/class-init-jcmd-25.txt");
    assert!(!dump.contains("deadlock"));
    insta::assert_snapshot!(check(dump), @r##"
    wedged
    UW001: thread 14273 "left" and thread 14274 "right" wait for each other: thread 14273 "left" waits in class initialisation for mutex 0x0 "initialisation of Shapes$Right", which thread 14274 "right" holds; thread 14274 "right" waits in class initialisation for mutex 0x0 "initialisation of Shapes$Left", which thread 14273 "left" holds (and 1 more)
    "##);
}

#[test]
fn virtual_threads_are_seen_in_a_dump_to_a_file() {
    insta::assert_snapshot!(check(include_str!("samples/jvm/virtual-file-25.txt")), @r##"
    wedged
    UW001: task 22 "v-left" and task 24 "v-right" wait for each other: task 22 "v-left" waits in synchronized for mutex 0x0 "java.lang.Object@550b4639", which task 24 "v-right" holds; task 24 "v-right" waits in synchronized for mutex 0x0 "java.lang.Object@644a257c", which task 22 "v-left" holds (and 1 more)
    "##);
}

#[test]
fn a_dump_that_cannot_show_virtual_threads_says_so() {
    insta::assert_snapshot!(check(include_str!("samples/jvm/virtual-jcmd-25.txt")), @r##"
    complaint: line 0: virtual threads that wait are not in such a dump: take one with jcmd Thread.dump_to_file too
    progressing
    "##);
}

#[test]
fn a_lock_held_by_one_who_waits_to_be_notified_is_inconclusive() {
    insta::assert_snapshot!(check(include_str!("samples/jvm/nested-monitors-17.txt")), @r##"
    inconclusive
    UW015: thread 11068 "producer" waits in synchronized for mutex 0x69ec1e418 "java.lang.Object"; thread 11067 "consumer" holds it, and waits in Object.wait for condition variable 0x69ec1e428 "java.lang.Object"; whoever is to wake it owes it and has not delivered: the chain leaves what is observed (and 1 more)
    missing: who signals condition variable 0x69ec1e428 "java.lang.Object" outside, and what that side is doing
    "##);
}

#[test]
fn a_lock_held_in_native_code_is_inconclusive() {
    insta::assert_snapshot!(check(include_str!("samples/jvm/held-in-native-17.txt")), @r##"
    inconclusive
    UW016: thread 11265 "blocked" waits in synchronized for mutex 0x69ec1e3f8 "java.lang.Object"; thread 11264 "reader" has held it for 0 ns and is in no observed wait (is in native code, called at Shapes.lambda$main$15 (Shapes.java:51)), and nothing observed is waited for
    missing: what thread 11264 "reader" does while it holds mutex 0x69ec1e3f8 "java.lang.Object"
    "##);
}

#[test]
fn a_lock_whose_holder_is_not_listed_is_inconclusive() {
    insta::assert_snapshot!(check(include_str!("samples/jvm/holder-ended-25.txt")), @r##"
    inconclusive
    UW016: thread 13766 "blocked" waits in ReentrantLock.lock for mutex 0x69ec1bc88 "java.util.concurrent.locks.ReentrantLock$NonfairSync"; who holds it is not known, and nothing observed is waited for
    missing: who holds mutex 0x69ec1bc88 "java.util.concurrent.locks.ReentrantLock$NonfairSync"
    missing: who holds it; a dump of jstack -l says so, unless they only read
    "##);
    insta::assert_snapshot!(check(include_str!("samples/jvm/upgrade-17.txt")), @r##"
    inconclusive
    UW016: thread 11459 "upgrader" waits in ReentrantReadWriteLock$WriteLock.lock for mutex 0x69ec1ea50 "java.util.concurrent.locks.ReentrantReadWriteLock$NonfairSync"; who holds it is not known, and nothing observed is waited for (and 1 more)
    missing: who holds mutex 0x69ec1ea50 "java.util.concurrent.locks.ReentrantReadWriteLock$NonfairSync"
    missing: who holds it; a dump of jstack -l says so, unless they only read
    "##);
}

#[test]
fn a_holder_at_work_is_told_only_if_two_dumps_show_the_same() {
    let twice = include_str!("samples/jvm/held-at-work-twice-17.txt");
    insta::assert_snapshot!(check(twice), @r##"
    inconclusive
    UW016: thread 23415 "blocked" waits in synchronized for mutex 0x69ec1e418 "java.lang.Object"; thread 23414 "holder" has held it for 3.00 s and is in no observed wait (runs at Shapes.lambda$main$13 (Shapes.java:47)), and nothing observed is waited for
    missing: what thread 23414 "holder" does while it holds mutex 0x69ec1e418 "java.lang.Object"
    "##);
    let second = twice.rfind("2026-").unwrap_or(0);
    assert_eq!(check(&twice[..second]), "progressing");
    assert_eq!(check(&twice[second..]), "progressing");
}

#[test]
fn idle_and_bounded_waits_have_no_finding() {
    let healthy = [
        include_str!("samples/jvm/idle-17.txt"),
        include_str!("samples/jvm/idle-25.txt"),
        include_str!("samples/jvm/idle-file-25.txt"),
        include_str!("samples/jvm/waits-without-owner-25.txt"),
        include_str!("samples/jvm/timed-17.txt"),
        include_str!("samples/jvm/missed-notify-17.txt"),
    ];
    for dump in healthy {
        assert_eq!(check(dump), "progressing");
    }
}

/// A dump of threads that are given as name, state, and lines below.
fn dump(threads: &[(&str, &str, &str)]) -> String {
    let threads = threads.iter().zip(1..).map(|((name, state, lines), number)| {
        format!(
            "\"{name}\" #{number} prio=5 os_prio=0 tid=0x00007f00 nid=0x{number:x} waiting [0x00007f00]\n   \
             java.lang.Thread.State: {state}\n\t{}\n",
            lines.replace('|', "\n\t")
        )
    });
    let threads: Vec<String> = threads.collect();
    format!(
        "Full thread dump OpenJDK 64-Bit Server VM (25.292-b10 mixed mode):\n\n{}",
        threads.join("\n")
    )
}

const NOTIFIED: &str = "WAITING (on object monitor)";
const BLOCKED: &str = "BLOCKED (on object monitor)";
const IN_WAIT: &str = "at java.lang.Object.wait(Native Method)";

#[test]
fn a_monitor_is_free_while_its_holder_waits_to_be_notified() {
    let blocked = "at app.Work.take(Work.java:9)|- waiting to lock <0x0a> (a app.Queue)";
    let waits = [
        // As versions 8, 17 and 25 write it, and as 11 does.
        "- waiting on <0x0a> (a app.Queue)|at app.Work.run(Work.java:5)|- locked <0x0a> (a app.Queue)",
        "- waiting on <0x0a> (a app.Queue)|at app.Work.run(Work.java:5)|- waiting to re-lock in wait() <0x0a> (a app.Queue)",
        "- waiting on <no object reference available>|at app.Work.run(Work.java:5)|- locked <0x0a> (a app.Queue)",
        "- waiting on <no object reference available>|at app.Work.run(Work.java:5)|- waiting to re-lock in wait() <0x0a> (a app.Queue)",
    ];
    for wait in waits {
        let wait = format!("{IN_WAIT}|{wait}");
        let told = check(&dump(&[("waits", NOTIFIED, &wait), ("blocked", BLOCKED, blocked)]));
        assert!(told.contains("who holds it is not known"), "{wait}: {told}");
    }
}

#[test]
fn who_was_notified_waits_for_the_monitor_again() {
    for line in ["waiting on", "waiting to re-lock in wait()"] {
        let back = format!(
            "{IN_WAIT}|- {line} <0x0a> (a app.Queue)|at app.Work.run(Work.java:5)|- locked <0x0a> (a app.Queue)|- locked <0x0b> (a app.Log)"
        );
        let other = "at app.Log.add(Log.java:7)|- waiting to lock <0x0b> (a app.Log)|- locked <0x0a> (a app.Queue)";
        let told = check(&dump(&[("back", BLOCKED, &back), ("other", BLOCKED, other)]));
        assert!(told.starts_with("wedged\nUW001"), "{line}: {told}");
    }
}

#[test]
fn locks_that_the_compiler_removed_are_not_held() {
    let holder = "at app.A.a(A.java:1)|- eliminated <0x0a> (a app.Queue)|- eliminated <owner is scalar replaced> (a app.Log)\
                  |- waiting to lock <0x0b> (a app.Log)";
    let other =
        "at app.B.b(B.java:1)|- waiting to lock <0x0a> (a app.Queue)|- locked <0x0b> (a app.Log)";
    let told = check(&dump(&[("one", BLOCKED, holder), ("other", BLOCKED, other)]));
    assert!(told.starts_with("inconclusive"), "{told}");
}

#[test]
fn a_lock_with_two_holders_has_none() {
    let both =
        "at app.A.a(A.java:1)|- waiting to lock <0x0b> (a app.Log)|- locked <0x0a> (a app.Queue)";
    let waits =
        "at app.B.b(B.java:1)|- waiting to lock <0x0a> (a app.Queue)|- locked <0x0b> (a app.Log)";
    let dump = dump(&[("one", BLOCKED, both), ("two", BLOCKED, both), ("waits", BLOCKED, waits)]);
    insta::assert_snapshot!(check(&dump), @r##"
    complaint: line 0: two threads hold 0xa: neither is believed
    inconclusive
    UW016: thread 1 "one" waits in synchronized for mutex 0xb "app.Log"; thread 3 "waits" holds it, and waits in synchronized for mutex 0xa "app.Queue"; who holds it is not known, and nothing observed is waited for (and 2 more)
    missing: who holds mutex 0xa "app.Queue"
    missing: who holds it; no thread of this dump does
    "##);
}

/// What the JVM says of a lock that `holder` holds.
fn says(holder: &str) -> String {
    format!(
        "\nFound one Java-level deadlock:\n=============================\n\"one\":\n  waiting for ownable synchronizer 0x0a, \
         (a java.util.concurrent.locks.ReentrantLock$FairSync),\n  which is held by \"{holder}\"\n"
    )
}

#[test]
fn a_holder_whose_name_two_threads_have_stays_unknown() {
    let parks = "at sun.misc.Unsafe.park(Native Method)|- parking to wait for  <0x0a> (a java.util.concurrent.locks.ReentrantLock$FairSync)";
    let other = "at app.B.b(B.java:1)|- waiting to lock <0x0b> (a app.Log)";
    let parks = format!("{parks}|at app.A.a(A.java:1)|- locked <0x0b> (a app.Log)");
    let threads = [
        ("one", "WAITING (parking)", parks.as_str()),
        ("pool", BLOCKED, other),
        ("worker", BLOCKED, other),
    ];
    let alone = format!("{}{}", dump(&threads), says("pool"));
    assert!(check(&alone).starts_with("wedged\nUW001"), "{}", check(&alone));
    let shared = alone.replace("\"worker\"", "\"pool\"");
    assert!(check(&shared).starts_with("inconclusive"), "{}", check(&shared));
}

#[test]
fn the_jvm_and_the_stacks_may_not_contradict_each_other() {
    let one = "at app.A.a(A.java:1)|- waiting to lock <0x0a> (a app.Log)";
    let two = "at app.B.b(B.java:1)|- locked <0x0a> (a app.Log)";
    let threads = [
        ("one", BLOCKED, one),
        ("two", "RUNNABLE", two),
        ("three", "RUNNABLE", "at app.C.c(C.java:1)"),
    ];
    let told = check(&format!("{}{}", dump(&threads), says("three")));
    assert!(told.starts_with("complaint: line 0: the jvm says"), "{told}");
}

#[test]
fn of_two_dumps_the_second_counts() {
    let stuck = include_str!("samples/jvm/abba-jstack-l-17.txt");
    let idle = include_str!("samples/jvm/idle-17.txt");
    assert_eq!(verdict(&answer(&FORMAT, &format!("{stuck}\n{idle}")).report), "progressing");
    assert_eq!(verdict(&answer(&FORMAT, &format!("{idle}\n{stuck}")).report), "wedged");
}

#[test]
fn names_may_hold_anything() {
    let one =
        "at app.A.a(A.java:1)|- waiting to lock <0x0a> (a app.Log)|- locked <0x0b> (a app.Log)";
    let two =
        "at app.B.b(B.java:1)|- waiting to lock <0x0b> (a app.Log)|- locked <0x0a> (a app.Log)";
    let told = check(&dump(&[("a \"b\" nid=0x7 #x", BLOCKED, one), ("", BLOCKED, two)]));
    assert!(told.contains("a \"b\" nid=0x7 #x"), "{told}");
}

#[test]
fn both_sorts_are_recognised_and_other_text_is_not() {
    let name = |text: &str| detect(text.as_bytes()).map(|format| format.name);
    assert_eq!(
        name("2026-11-21 08:42:05\nFull thread dump OpenJDK 64-Bit Server VM (17):\n"),
        Some("jvm")
    );
    assert_eq!(
        name("12043\n2026-11-21T08:43:04.449377401Z\n25.0.3+9-LTS\n\n#12 \"x\" RUNNABLE\n"),
        Some("jvm")
    );
    assert_ne!(name("2026-11-21T08:43:04.449377401Z something happened\n"), Some("jvm"));
    assert_ne!(name("\"main\": 7\n"), Some("jvm"));
}

#[test]
fn more_threads_than_are_kept_are_counted() {
    let mut text = dump(&[]);
    for number in 0..100_010 {
        let thread = format!(
            "\"t\" #1 tid=0x1 nid={number} waiting\n   java.lang.Thread.State: {NOTIFIED}\n"
        );
        text.push_str(&thread);
        text.push_str(
            "\t- waiting on <no object reference available>\n\t- locked <0x0a> (a app.Queue)\n",
        );
    }
    let (recording, complaints) = dumps::read(&FORMAT, text.as_bytes());
    assert_eq!(complaints, ["line 0: more than 100000 threads; 10 left out"]);
    let lost = recording.events.iter().any(|event| event.what == What::Lost { count: 10 });
    assert!(lost, "the loss is an event");
}
