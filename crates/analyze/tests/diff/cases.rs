//! Cases whose difference is known, as data.

use unwedge_analyze::diff::{Choice, Difference, Given, Likeness, Options, Order, Times, Which};
use unwedge_trace::AgentKind;

use crate::script::{How, difference, each, events};

fn diff(a: &str, b: &str) -> Difference {
    of((a, How::default()), (b, How::default()), &Choice::default())
}

fn of(a: (&str, How), b: (&str, How), choice: &Choice) -> Difference {
    with(a, b, choice, &Options::default())
}

fn with(a: (&str, How), b: (&str, How), choice: &Choice, options: &Options) -> Difference {
    let (in_a, in_b) = (events(a.0, a.1), events(b.0, b.1));
    difference((&in_a, a.1.batch), (&in_b, b.1.batch), options, choice)
}

fn guests() -> How {
    How { kind: AgentKind::GuestThread, ..How::default() }
}

/// A frame: the main thread asks, the worker answers.
const FRAME: &str = "
    main signals e1
    main waits e2
    worker met
    worker signals e2
    worker waits e1
    main met
    main did frame
";

fn frames(count: usize) -> String {
    format!("worker waits e1\n{}", FRAME.repeat(count))
}

/// The poller of incident 3: a lock, a bounded wait, the lock again.
fn polls(count: usize, outcome: &str) -> String {
    format!("poll owes m1\npoll polls e1\npoll {outcome}\npoll signals m1\n").repeat(count)
}

#[test]
fn a_recording_and_itself_are_bit_identical_whatever_the_batches() {
    let script = frames(300) + &polls(100, "timeout");
    for batch in [1, 7, 64, 100_000] {
        let how = How { batch, ..How::default() };
        let difference = of((&script, How::default()), (&script, how), &Choice::default());
        let identity = difference.identical.as_ref().unwrap();
        assert_eq!((difference.same, difference.inert, identity.times), (true, true, true));
        assert_eq!(identity.events, 300 * 7 + 1 + 400);
        assert!(difference.divergence.is_none());
    }
}

#[test]
fn host_ids_handles_and_times_are_no_part_of_what_a_run_is() {
    let script = frames(50);
    let other = How { shift: 1000, tick: 777, ..How::default() };
    let difference = of((&script, How::default()), (&script, other), &Choice::default());
    assert_eq!(difference.likeness, Likeness::Identical);
    assert!(!difference.identical.as_ref().unwrap().times);
    assert_eq!(difference.sentence, "bit-identical: 351 events, apart from their times");
    let slower = How { tick: 777, ..How::default() };
    let choice = Choice { times: Times::Compare, ..Choice::default() };
    let difference = of((&script, How::default()), (&script, slower), &choice);
    assert_eq!((difference.likeness, difference.same), (Likeness::Retimed, true));
    assert!(!difference.inert && difference.identical.is_none());
    let divergence = difference.divergence.unwrap();
    assert_eq!((divergence.order, divergence.index), (Order::Time, Some(0)));
}

#[test]
fn an_inert_change_is_called_so_by_its_name() {
    let choice = Choice { change: Some("the reciprocal clear".to_owned()), ..Choice::default() };
    let script = frames(3);
    let difference = of((&script, How::default()), (&script, How::default()), &choice);
    assert!(difference.inert);
    assert_eq!(
        difference.sentence,
        "bit-identical: 22 events, times included; the reciprocal clear is inert on this run: it made no difference to one event"
    );
}

#[test]
fn agents_that_only_take_turns_differently_are_said_to() {
    let a = "x signals e1\ny signals e2\nx signals e1\ny signals e2\n";
    let b = "x signals e1\nx signals e1\ny signals e2\ny signals e2\n";
    let difference = diff(a, b);
    assert_eq!((difference.likeness, difference.same), (Likeness::Interleaved, true));
    let divergence = difference.divergence.unwrap();
    assert_eq!((divergence.order, divergence.index), (Order::Interleaving, Some(1)));
    assert_eq!((difference.differing.agents, difference.differing.objects), (0, 0));
}

#[test]
fn an_object_that_sees_agents_in_another_order_is_named() {
    let a = "x signals e1\ny resets e1\nx signals e2\n";
    let b = "y resets e1\nx signals e1\nx signals e2\n";
    let difference = diff(a, b);
    assert_eq!((difference.likeness, difference.same), (Likeness::Alike, true));
    let divergence = difference.divergence.unwrap();
    assert_eq!(divergence.order, Order::Object);
    assert_eq!(divergence.object.as_deref(), Some("event 0x16531 \"e1\""));
}

/// Where one event differs, that event is found, far into the recording or not.
#[test]
fn one_event_that_differs_is_found_wherever_it_is() {
    let script = frames(2000);
    let lines: Vec<&str> = script.lines().filter(|line| !line.trim().is_empty()).collect();
    for place in [1, 2, 700, 7_001, 13_999] {
        let mut changed = lines.clone();
        let who = changed[place].trim().split(' ').next().unwrap();
        let other = format!("{who} resets e1");
        changed[place] = &other;
        let difference = diff(&lines.join("\n"), &changed.join("\n"));
        assert_eq!((difference.likeness, difference.same), (Likeness::Different, false), "{place}");
        let divergence = difference.divergence.as_ref().unwrap();
        assert_eq!(divergence.order, Order::Agent);
        let mine = |line: &&&str| line.trim().starts_with(who);
        let index = lines[..place].iter().filter(mine).count();
        assert_eq!(divergence.index, Some(index as u64), "{place}");
        let agent = divergence.agent.as_deref().unwrap();
        assert!(agent.contains(&format!("\"{who}\"")), "{agent}");
        let differs = |lines: &[unwedge_analyze::diff::Line]| {
            lines.iter().find(|line| line.differs).map(|line| line.text.clone())
        };
        assert_eq!(differs(&divergence.b).unwrap(), "resets event 0x16531 \"e1\"");
        assert_ne!(differs(&divergence.a), differs(&divergence.b));
    }
}

#[test]
fn the_context_is_the_events_around_the_one_that_differs() {
    let a = "x did a\nx did b\nx did c\nx did d\nx did e\nx did f\nx did g\nx did h\n";
    let b = "x did a\nx did b\nx did c\nx did d\nx did E\nx did f\nx did g\nx did h\n";
    let difference = diff(a, b);
    let said = |lines: &[unwedge_analyze::diff::Line]| {
        let lines = lines.iter().map(|line| {
            format!(
                "{}{}",
                if line.differs { "*" } else { "" },
                line.text.replace("progress: ", "")
            )
        });
        lines.collect::<Vec<_>>().join(" ")
    };
    let divergence = difference.divergence.unwrap();
    assert_eq!(said(&divergence.a), "b c d *e f g h");
    assert_eq!(said(&divergence.b), "b c d *E f g h");
}

#[test]
fn how_often_something_was_polled_is_a_count_and_no_divergence() {
    let story = |count: usize| {
        format!("poll did begin\n{}{}poll did end\n", polls(count, "timeout"), polls(1, "met"))
    };
    for (a, b) in [(1, 2), (3, 5000), (2, 3), (700, 1)] {
        let difference = diff(&story(a), &story(b));
        assert_eq!((difference.likeness, difference.same), (Likeness::Alike, true), "{a} {b}");
        assert!(difference.departures.is_empty(), "{difference:#?}");
    }
    let difference = diff(&story(3), &story(5000));
    assert_eq!(difference.counts[0].rounds, [4, 5001]);
}

#[test]
fn other_loops_must_go_round_as_often() {
    let difference = diff(&frames(10), &frames(11));
    assert_eq!(difference.likeness, Likeness::Different);
    let partial = Choice { partial: true, ..Choice::default() };
    let (a, b) = (frames(10), frames(11));
    let difference = of((&a, How::default()), (&b, How::default()), &partial);
    assert_eq!(difference.likeness, Likeness::Alike, "{difference:#?}");
}

#[test]
fn what_a_partial_recording_lacks_at_its_ends_is_no_divergence() {
    let a = "x did a\nx signals e1\nx did b\nx resets e1\nx did c\nx signals e2\nx did d\n";
    let b = "x did b\nx resets e1\nx did c\nx signals e2\nx did d\nx did e\n";
    let partial = Choice { partial: true, ..Choice::default() };
    let difference = of((a, How::default()), (b, How::default()), &partial);
    assert_eq!(difference.likeness, Likeness::Alike, "{difference:#?}");
    assert_eq!(diff(a, b).likeness, Likeness::Different);
}

/// Incident 3: one engine's interrupt never signals, so the poller's waits all time out and the main thread waits for ever.
#[test]
fn a_signal_that_one_engine_never_sends_is_named_with_what_it_leads_to() {
    let good = "main waits e2\n".to_owned()
        + &format!(
            "irq signals e1\n{}poll signals e2\nmain met\nmain did frame\nmain waits e2\n",
            polls(1, "met")
        )
        .repeat(40);
    let bad = "main waits e2\n".to_owned() + &polls(6000, "timeout") + "irq did callback\n";
    let difference = of((&bad, guests()), (&good, guests()), &Choice::default());
    assert_eq!(difference.likeness, Likeness::Different);
    let silent: Vec<&str> =
        difference.never_signalled.iter().map(|silence| silence.sentence.as_str()).collect();
    assert_eq!(
        silent,
        [
            "B signals event 0x16531 \"e1\" 40 times, A never does, and waits for it in vain (6,000 waits)",
            "B signals event 0x16532 40 times, A never does, and waits for it in vain (1 wait)",
        ]
    );
    assert!(difference.never_signalled.iter().all(|silence| silence.side == Which::A));
    let unmet: Vec<&str> =
        difference.never_met.iter().map(|unmet| unmet.sentence.as_str()).collect();
    // The poll explains the wait: in B, the poller signals what the main thread waits for.
    assert_eq!(
        unmet,
        [
            "guest thread 4002 \"poll\" waits for event 0x16531 \"e1\": in A all 6,000 waits of 30 ms time out; in B all 40 are met, every 9.000 ms, signalled by guest thread 4003 \"irq\"",
            "guest thread 4001 \"main\" waits in Wait for event 0x16532 in A, and has for 24.00 s when the recording ends; in B 40 such waits are met, signalled by guest thread 4002 \"poll\"",
        ]
    );
}

#[test]
fn a_path_that_neither_side_observes_accuses_nobody() {
    let a = polls(50, "timeout");
    let b = polls(50, "met");
    let difference = of((&a, guests()), (&b, guests()), &Choice::default());
    assert!(difference.never_signalled.is_empty());
    let sentences: Vec<&str> =
        difference.unobserved.iter().map(|one| one.sentence.as_str()).collect();
    assert_eq!(
        sentences,
        [
            "neither side records a signal of event 0x16531 \"e1\", though B's waits for it are met every 4.000 ms: that path is not observed, accuse nobody of it"
        ]
    );
    assert_eq!(difference.never_met.len(), 1);
}

#[test]
fn things_are_matched_by_name_by_id_by_order_and_as_given() {
    use unwedge_analyze::diff::How as Found;
    let how = |difference: &Difference| {
        let of = |pairings: &[unwedge_analyze::diff::Pairing]| {
            pairings.iter().map(|pairing| pairing.how).collect::<Vec<_>>()
        };
        (of(&difference.agents), of(&difference.objects))
    };
    let a = "x signals e1\nx resets e2\nx did a\n";
    let b = "x signals e1\nx resets e2\nx did b\n";
    let shifted = How { shift: 2000, ..How::default() };
    let difference = of((a, How::default()), (b, shifted), &Choice::default());
    // The event without a label did the same on both sides.
    assert_eq!(
        how(&difference),
        (vec![Some(Found::Name)], vec![Some(Found::Name), Some(Found::Deeds)])
    );
    let difference = of((a, guests()), (b, guests()), &Choice::default());
    assert_eq!(how(&difference), (vec![Some(Found::Id)], vec![Some(Found::Id), Some(Found::Id)]));
    // The same run, but for names: only the user can know.
    let renamed = "y signals e7\ny resets e8\ny did a\n";
    let given = Choice {
        given: Given {
            pairs: vec![
                ("x".into(), "y".into()),
                ("e1".into(), "e7".into()),
                ("nobody".into(), "y".into()),
            ],
        },
        ..Choice::default()
    };
    let difference = of((a, How::default()), (renamed, shifted), &given);
    assert_eq!(
        how(&difference),
        (vec![Some(Found::Given)], vec![Some(Found::Given), Some(Found::Deeds)])
    );
    assert_eq!((difference.likeness, difference.same), (Likeness::Alike, true), "{difference:#?}");
    assert_eq!(difference.notes, ["A has no agent or object \"nobody\""]);
}

#[test]
fn sides_without_events_are_compared_like_any_other() {
    let nothing = diff("", "");
    assert_eq!((nothing.likeness, nothing.same), (Likeness::Identical, true));
    for (a, b) in [("", "x signals e1\n"), ("x signals e1\n", "")] {
        let difference = diff(a, b);
        assert_eq!((difference.likeness, difference.same), (Likeness::Different, false));
        assert!(difference.notes.iter().any(|note| note.ends_with("has no event")));
    }
}

#[test]
fn scheduling_and_waits_for_nobody_knows_what_are_no_steps() {
    let a = "x signals e1\nx sleeps\nx met\nx runs\nx signals e2\n";
    let b = "x signals e1\nx runs\nx signals e2\nx runs\n";
    let difference = diff(a, b);
    assert_eq!((difference.likeness, difference.same), (Likeness::Alike, true), "{difference:#?}");
    assert!(difference.divergence.is_some());
}

#[test]
fn a_timeline_that_jumps_is_another_step() {
    let story = |last: u64| {
        let signals = (1..40).map(|value| format!("x signals s1={value}\n"));
        signals.collect::<String>() + &format!("x signals s1={last}\nx did end\n")
    };
    assert_eq!(diff(&story(40), &story(41)).likeness, Likeness::Different);
}

/// A recording of a program that hung begins and ends elsewhere than one of a program that did not; what it hangs in is told.
#[test]
fn a_wait_that_is_open_at_the_end_of_one_side_alone_is_a_difference() {
    let good = "main did frame\nmain did frame\nmain exits\n";
    let bad = "main did frame\nmain did frame\nmain resets f1\nmain waits f1\nqueue did nothing\n";
    let partial = Choice { partial: true, ..Choice::default() };
    let slow = How { tick: 1_500_000_000, ..How::default() };
    let difference = of((good, How::default()), (bad, slow), &partial);
    assert!(!difference.same);
    assert_eq!(
        difference.never_met[0].sentence,
        "thread 4001 \"main\" waits in Wait for fence 0x16631 \"f1\" in B, and has for 1.500 s when the recording ends; in A it does not"
    );
    let itself = of((bad, How::default()), (bad, slow), &partial);
    assert!(itself.same);
}

/// Who waits for one that does not get on itself comes after it, and those in the same trouble are one line.
#[test]
fn what_explains_others_is_told_before_them() {
    let round = "
        main waits e1\nrender signals e1\nmain met\nmain signals s1
        job1 waits s1\njob2 waits s1\nmain signals s1\njob1 met\njob2 met\nrender did frame\n";
    let good = round.repeat(900);
    let bad = round.repeat(2) + "main waits e1\njob1 waits s1\njob2 waits s1\n";
    let bad = bad + &"irq did vsync\n".repeat(3000);
    let good = good + "irq did vsync\n";
    let difference = of((&bad, guests()), (&good, guests()), &Choice::default());
    let stops: Vec<&str> = difference.stopped.iter().map(|stop| stop.sentence.as_str()).collect();
    assert_eq!(
        stops,
        [
            "guest thread 4002 \"render\" does nothing more in the last 3.003 s of A; in B it goes on to the end"
        ]
    );
    let waits: Vec<(&str, usize)> =
        difference.never_met.iter().map(|wait| (wait.agent.as_str(), wait.also.len())).collect();
    assert_eq!(waits, [("guest thread 4001 \"main\"", 0), ("guest thread 4003 \"job1\"", 1)]);
    assert!(
        difference.never_met[0].sentence.ends_with("signalled by guest thread 4002 \"render\"")
    );
    let frames =
        &difference.progress.iter().find(|progress| progress.what == "frame").unwrap().sentence;
    assert_eq!(
        frames,
        "frame: 2 times in A, and not in its last 3.003 s; 900 times in B, every 10.00 ms"
    );
    // The other way round it is B.
    let difference = of((&good, guests()), (&bad, guests()), &Choice::default());
    assert_eq!(difference.stopped[0].side, Which::B);
}

/// A first look with hashes alone says the same as a whole one, and sees early that two runs differ.
#[test]
fn hashes_alone_tell_whether_it_is_one_run() {
    use unwedge_analyze::diff::Side;
    let read = |script: &str| {
        let mut side = Side::of_hashes(&Options::default());
        each(&events(script, How::default()), 64, &mut |batch| side.fold(batch));
        side.finish(None);
        side
    };
    let script = frames(20_000);
    let other = script.replacen("main did frame", "main did flip", 1);
    let (a, b, c) = (read(&script), read(&script), read(&other));
    assert!(a.is_one_run_with(&b) && !a.is_one_run_with(&c));
    assert!(a.checks().len() >= 2 && a.checks() == b.checks());
    assert!(a.checks().iter().zip(c.checks()).all(|(a, c)| a != c));
    let (difference, search) = unwedge_analyze::diff::compare(&a, &b, &Choice::default());
    assert!(difference.inert && search.is_empty());
    assert_eq!(difference.sentence, "bit-identical: 140,001 events, times included");
    assert_eq!(difference.agents[0].events, [60_001, 60_001]);
}

/// A store has everyone in its tables before the first row; a text introduces them on the way.
#[test]
fn the_order_in_which_tables_name_things_is_no_part_of_a_run() {
    use unwedge_analyze::diff::{Side, compare};
    use unwedge_trace::row::Batch;
    let mut sides = [Side::new(&Options::default()), Side::new(&Options::default())];
    let (mut agents, mut objects) = (Vec::new(), Vec::new());
    let mut batches = Vec::new();
    each(&events(&frames(40), How::default()), 16, &mut |batch| {
        agents.extend(batch.agents.iter().filter(|entry| entry.introduced).cloned());
        objects.extend(batch.objects.iter().filter(|entry| entry.introduced).cloned());
        batches.push(batch.clone());
    });
    agents.reverse();
    objects.reverse();
    sides[1].fold(&Batch { agents, objects, ..Batch::default() });
    for side in &mut sides {
        batches.iter().for_each(|batch| side.fold(batch));
        side.finish(None);
    }
    let (difference, _) = compare(&sides[0], &sides[1], &Choice::default());
    assert_eq!(difference.likeness, Likeness::Identical);
}
