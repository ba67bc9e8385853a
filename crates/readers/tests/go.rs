//! Are goroutine dumps understood? The samples are dumps of small programs of our own, made by Go 1.19 and 1.27.

mod dumps;

use dumps::{answer, read, told, verdict};
use unwedge_readers::go::FORMAT;
use unwedge_readers::{Sink, detect};

/// What a user is told of a sample.
fn check(dump: &str) -> String {
    told(&answer(&FORMAT, dump))
}

#[test]
fn a_goroutine_that_locks_twice_is_wedged_by_the_word_of_the_runtime() {
    insta::assert_snapshot!(check(include_str!("samples/go/self-deadlock-1.27.txt")), @r##"
    wedged
    UW002: task 1 "main.main" waits in sync.Mutex.Lock for counting semaphore 0x566498 "of a sync.Mutex"; nobody owes it
    "##);
}

#[test]
fn two_locks_in_two_orders_are_wedged_and_nobody_is_called_their_holder() {
    insta::assert_snapshot!(check(include_str!("samples/go/abba-1.19.txt")), @r##"
    wedged
    UW002: task 1 "main.main" waits in sync.Mutex.Lock for counting semaphore 0x50c480 "of a sync.Mutex"; nobody owes it
    UW002: task 6 "main.abba" waits in sync.Mutex.Lock for counting semaphore 0x50c488 "of a sync.Mutex"; nobody owes it
    "##);
}

#[test]
fn a_send_that_nobody_receives_is_wedged_with_the_address_of_its_channel() {
    insta::assert_snapshot!(check(include_str!("samples/go/send-system-1.27.txt")), @r##"
    wedged
    UW002: task 1 "main.main" waits in select (no cases) for channel 0x0 "select without cases, at main.main (shapes.go:52)"; nobody owes it
    UW002: task 18 "main.send" waits in chan send for channel 0x2312ea400070; nobody owes it
    "##);
}

#[test]
fn workers_that_nobody_feeds_are_one_finding() {
    insta::assert_snapshot!(check(include_str!("samples/go/workers-1.19.txt")), @r##"
    wedged
    UW002: task 1 "main.main" waits in sync.WaitGroup.Wait for counting semaphore 0x0 "of a sync.WaitGroup, at main.main (shapes.go:48)"; nobody owes it
    UW002: task 6 "main.main.func1" waits in chan receive for channel 0x0 "at main.receive (shapes.go:21)"; nobody owes it (and 2 more)
    "##);
}

#[test]
fn a_reader_that_reads_again_behind_a_writer_is_wedged() {
    insta::assert_snapshot!(check(include_str!("samples/go/writer-waits-1.27.txt")), @r##"
    wedged
    UW002: task 1 "main.main" waits in sync.RWMutex.RLock for counting semaphore 0x0 "of a sync.RWMutex, at main.main (shapes.go:63)"; nobody owes it
    UW002: task 18 "main.main.func2" waits in sync.RWMutex.Lock for counting semaphore 0x0 "of a sync.RWMutex, at main.main.func2 (shapes.go:61)"; nobody owes it
    "##);
}

#[test]
fn a_wake_up_that_came_too_early_is_wedged() {
    insta::assert_snapshot!(check(include_str!("samples/go/lost-wake-up-1.27.txt")), @r##"
    wedged
    UW002: task 1 "main.main" waits in sync.Cond.Wait for condition variable 0x16666ef04090 "sync.Cond"; nobody owes it
    "##);
}

#[test]
fn a_nil_channel_is_certain_while_others_sleep() {
    insta::assert_snapshot!(check(include_str!("samples/go/nil-channel-1.27.txt")), @r##"
    wedged
    UW002: task 18 "main.receive" waits in chan receive (nil chan) for channel 0x0 "nil, at main.receive (shapes.go:21)"; nobody owes it
    "##);
}

#[test]
fn a_test_bubble_that_is_blocked_is_wedged() {
    insta::assert_snapshot!(check(include_str!("samples/go/bubble-1.27.txt")), @r##"
    wedged
    UW002: task 6 "testing/synctest.Test.func1" waits in chan receive for channel 0x0 "at testing/synctest.testingSynctestTest (testing.go:2310)"; nobody owes it
    UW002: task 7 "testing.tRunner" waits in chan receive for channel 0x0 "at gosync.TestA.func1 (a_test.go:3)"; nobody owes it
    UW002: task 8 "gosync.TestA.func1.1" waits in chan send for channel 0x0 "at gosync.TestA.func1.1 (a_test.go:3)"; nobody owes it
    "##);
}

#[test]
fn locks_without_a_proof_accuse_nobody() {
    insta::assert_snapshot!(check(include_str!("samples/go/held-1.27.txt")), @r##"
    inconclusive
    UW016: task 4 "main.abba" waits in sync.Mutex.Lock for mutex 0x5664a0 "sync.Mutex"; who holds it is not known, and nothing observed is waited for
    UW016: task 5 "main.abba" waits in sync.Mutex.Lock for mutex 0x566498 "sync.Mutex"; who holds it is not known, and nothing observed is waited for
    missing: who holds mutex 0x5664a0 "sync.Mutex"
    missing: who holds mutex 0x566498 "sync.Mutex"
    missing: who holds a lock: a dump of goroutines does not say
    "##);
}

#[test]
fn healthy_dumps_have_no_finding() {
    let healthy = [
        include_str!("samples/go/busy-1.27.txt"),
        include_str!("samples/go/idle-1.27.txt"),
        include_str!("samples/go/panic-1.27.txt"),
    ];
    for dump in healthy {
        assert_eq!(check(dump), "progressing");
    }
}

#[test]
fn the_evidence_has_the_place_the_time_and_the_proof() {
    let answer = answer(&FORMAT, LEAKED);
    insta::assert_snapshot!(answer.report.findings[0].evidence.join("\n"), @r##"
    7 min 0 s ago: task 21 "main.produce" began to wait in chan send for channel 0x0 "at main.produce (main.go:12)"
    now: channel 0x0 "at main.produce (main.go:12)": the garbage collector found that nothing that could still run reaches it
    now: task 21 "main.produce": stands at main.produce (main.go:12)
    "##);
}

/// A leak profile: one goroutine is proven, another like it is not.
const LEAKED: &str = "\
goroutine 1 [running]:
runtime/pprof.writeGoroutineStacks({0x698c88, 0xc00005a000})
\t/go/src/runtime/pprof/pprof.go:816 +0x69
main.main()
\t/app/main.go:40 +0x133

goroutine 21 [chan send (leaked), 7 minutes]:
main.produce(0xc000012345?)
\t/app/main.go:12 +0x2e
created by main.main in goroutine 1
\t/app/main.go:31 +0x65

goroutine 22 [chan send, 7 minutes]:
main.produce(0xc000012345?)
\t/app/main.go:12 +0x2e
created by main.main in goroutine 1
\t/app/main.go:31 +0x65
";

#[test]
fn a_leak_profile_accuses_what_it_has_proved_and_nothing_else() {
    insta::assert_snapshot!(check(LEAKED), @r##"
    wedged
    UW002: task 21 "main.produce" waits in chan send for channel 0x0 "at main.produce (main.go:12)"; nobody owes it
    "##);
    assert_eq!(check(&LEAKED.replace(" (leaked)", "")), "progressing");
}

#[test]
fn a_lock_is_waited_for_in_passing_while_somebody_works() {
    let lock = |minutes: &str, other: &str| {
        format!(
            "goroutine 5 [sync.Mutex.Lock{minutes}]:\nsync.(*Mutex).lockSlow(0xc000010000)\n\t/go/src/sync/mutex.go:1 +0x1\n\
             main.work()\n\t/app/main.go:7 +0x1\n\ngoroutine 6 [{other}]:\nmain.other()\n\t/app/main.go:9 +0x1\n"
        )
    };
    let verdict = |minutes, other| verdict(&answer(&FORMAT, &lock(minutes, other)).report);
    assert_eq!(verdict("", "running"), "progressing");
    assert_eq!(verdict("", "select"), "inconclusive");
    assert_eq!(verdict(", 3 minutes", "running"), "inconclusive");
}

#[test]
fn goroutines_that_wait_for_one_lock_wait_for_one_object() {
    let one = "sync.(*RWMutex).Lock(0xc000010000)\n\t/go/src/sync/rwmutex.go:1 +0x1\nmain.one()\n\t/app/main.go:7 +0x1\n";
    let other = "sync.(*Mutex).lockSlow(0xc000010000)\n\t/go/src/sync/mutex.go:1 +0x1\n\
                 sync.(*RWMutex).Lock(0xc000010000?)\n\t/go/src/sync/rwmutex.go:1 +0x1\nmain.other()\n\t/app/main.go:9 +0x1\n";
    let dump =
        format!("goroutine 5 [sync.RWMutex.Lock]:\n{one}\ngoroutine 6 [sync.Mutex.Lock]:\n{other}");
    insta::assert_snapshot!(check(&dump), @r##"
    inconclusive
    UW016: task 5 "main.one" waits in sync.RWMutex.Lock for mutex 0xc000010000 "sync.RWMutex"; who holds it is not known, and nothing observed is waited for (and 1 more)
    missing: who holds mutex 0xc000010000 "sync.RWMutex"
    missing: who holds a lock: a dump of goroutines does not say
    "##);
}

#[test]
fn an_address_that_the_runtime_does_not_vouch_for_is_not_taken() {
    let dump = LEAKED.replace("chan send", "sync.Mutex.Lock");
    let dump = dump.replace(
        "main.produce(",
        "sync.(*Mutex).Lock(0xc0000ff000?)\n\t/go/src/sync/mutex.go:1 +0x1\nmain.produce(",
    );
    assert!(!check(&dump).contains("0xc0000ff000"));
    assert!(check(&dump).contains("at main.produce (main.go:12)"));
}

#[test]
fn a_word_of_the_runtime_that_the_dump_contradicts_is_not_believed() {
    let dump = format!(
        "fatal error: all goroutines are asleep - deadlock!\n\n{}",
        LEAKED.replace(" (leaked)", "")
    );
    insta::assert_snapshot!(check(&dump), @r##"
    complaint: line 0: it says that all goroutines are asleep and shows one that runs: not believed
    progressing
    "##);
}

#[test]
fn the_word_about_one_program_does_not_hold_for_the_next() {
    let dump = include_str!("samples/go/abba-1.19.txt");
    let next = "SIGQUIT: quit\nPC=0x48a741 m=0 sigcode=0\n\n";
    let next = format!("{next}{}", LEAKED.replace(" (leaked)", ""));
    let (recording, _) = read(&FORMAT, format!("{dump}\n{next}").as_bytes());
    assert!(!recording.events.is_empty());
    assert!(!check(&format!("{dump}\n{next}")).contains("main.produce"));
}

#[test]
fn a_wait_longer_than_an_hour_fits() {
    let answer = answer(
        &FORMAT,
        "goroutine 5 [chan receive (nil chan), 9000 minutes]:\nmain.f()\n\t/a.go:1 +0x1\n",
    );
    let waiter = answer.report.findings[0].waiter.as_ref().expect("somebody waits");
    assert!((waiter.since_ms - 9000.0 * 60_000.0).abs() < 1.0);
}

#[test]
fn torn_lines_are_complained_of_and_the_rest_is_read() {
    let dump = format!("{LEAKED}\n\ngoroutine 23 [chan\n");
    assert!(check(&dump).starts_with("complaint: line "), "{}", check(&dump));
    assert!(check(&dump).contains("UW002"));
}

#[test]
fn a_profile_without_states_is_refused_with_the_way_to_a_better_one() {
    let start = b"goroutine profile: total 5\n2 @ 0x43 0x44\n";
    assert_eq!(detect(start).map(|format| format.name), Some("go"));
    let refused = (FORMAT.open)(start).err();
    insta::assert_snapshot!(refused.unwrap_or_default(), @r##"a goroutine profile with debug=1 says no states; take it with debug=2"##);
}

#[test]
fn windows_line_ends_change_nothing() {
    assert_eq!(check(&LEAKED.replace('\n', "\r\n")), check(LEAKED));
}

#[test]
fn more_goroutines_than_are_kept_are_counted() {
    use unwedge_readers::Reading;
    let Ok(Reading::Lines(mut reader)) = (FORMAT.open)(b"") else { panic!("it is read") };
    let mut sink = Sink::default();
    for id in 1..=200_010 {
        reader.line(format!("goroutine {id} [select]:").as_bytes(), &mut sink);
    }
    reader.finish(&mut sink);
    let lost = sink.events.iter().find_map(|event| match event.what {
        unwedge_trace::What::Lost { count } => Some(count),
        _ => None,
    });
    assert_eq!(lost, Some(10));
    assert_eq!(sink.complaints.count(), 1);
}
