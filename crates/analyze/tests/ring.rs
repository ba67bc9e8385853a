//! A command ring: is it told which side stopped and why, and is a ring at rest or at work left in peace?

mod common;

use common::{World, point};
use unwedge_analyze::Verdict::{Inconclusive, Progressing, Wedged};
use unwedge_trace::{
    AgentId, AgentKind, AgentState, Bound, MarkKind, Mode, ObjectId, ObjectKind, Outcome, Point,
    What,
};

const WAIT_HEAD: &str = "vn_ring_wait_seqno";
const PARK: &str = "cnd_wait";

/// A guest thread, the host of its ring, and the ring, whose head is at 200.
struct Rig {
    world: World,
    guest: AgentId,
    host: AgentId,
    ring: ObjectId,
}

fn rig() -> Rig {
    let mut world = World::new();
    let guest = world.agent(AgentKind::GuestThread, "vkcube", 71);
    let host = world.agent(AgentKind::RingHost, "vkr-ring-1", 0);
    let ring = world.object(ObjectKind::Ring, 0x1, "vk");
    let mut rig = Rig { world, guest, host, ring };
    rig.world.ago(20_000);
    rig.submits(200);
    rig.world.ago(19_990).signalled(host, point(ring, 200));
    rig
}

impl Rig {
    /// The guest moves the tail.
    fn submits(&mut self, tail: u64) {
        let (point, via) = (point(self.ring, tail), Some(self.guest));
        self.world.event(self.host, What::Owed { point, after: None, via });
    }

    /// The guest moves the tail to 300 and waits for the head to get there.
    fn stuck(&mut self) {
        self.world.ago(7300);
        self.submits(300);
        self.world.ago(7210).waits(self.guest, WAIT_HEAD, &[point(self.ring, 300)]);
    }

    /// An object through which the guest wakes the host, which has been used.
    fn notification(&mut self, kind: ObjectKind) -> ObjectId {
        let notify = self.world.object(kind, 0x70, "wake");
        self.world.ago(20_010).waits(self.host, PARK, &[Point::next(notify)]);
        self.world.ago(20_000).signalled(self.guest, Point::next(notify));
        self.world.ended(self.host, Outcome::Reached);
        if kind == ObjectKind::Event {
            self.world.ago(19_995).reset(self.host, notify);
        }
        notify
    }

    fn fatal(&mut self, text: &str) {
        self.world.mark(self.host, MarkKind::Warning, text, &[self.ring]);
    }
}

#[test]
fn a_host_that_sleeps_on_its_work_and_that_nobody_is_to_notify_has_stalled_its_ring() {
    let mut rig = rig();
    let notify = rig.notification(ObjectKind::AutoResetEvent);
    rig.world.ago(9000).waits(rig.host, PARK, &[Point::next(notify)]);
    rig.stuck();
    let report = rig.world.expect(Wedged, &["UW011"]);
    insta::assert_snapshot!(report.findings[0].sentence, @r#"guest thread 71 "vkcube" waits in vn_ring_wait_seqno for ring 0x1 "vk" to reach 300; ring host "vkr-ring-1" is behind by 100 (head 200, tail 300) and has not moved the head for 7.30 s: it is alive, waits in cnd_wait for event 0x70 "wake", its notification of work, and nobody owes that"#);
    insta::assert_snapshot!(report.findings[0].evidence.join("\n"), @r#"
    20.00 s ago: guest thread 71 "vkcube" signalled event 0x70 "wake"
    19.99 s ago: ring host "vkr-ring-1" moved the head of ring 0x1 "vk" to 200
    9.00 s ago: ring host "vkr-ring-1" began to wait in cnd_wait for event 0x70 "wake"
    7.30 s ago: guest thread 71 "vkcube" moved the tail of ring 0x1 "vk" to 300
    7.21 s ago: guest thread 71 "vkcube" began to wait in vn_ring_wait_seqno for ring 0x1 "vk" to reach 300
    "#);
    let waiters: Vec<_> = report.findings[0].also_waiting.iter().map(|one| one.agent).collect();
    assert_eq!(waiters, [rig.host.0]);
}

#[test]
fn a_notification_that_was_never_given_is_known_by_its_label() {
    let kinds = [ObjectKind::AutoResetEvent, ObjectKind::Futex, ObjectKind::Condition];
    for (kind, label) in kinds.into_iter().zip(["ring notify", "Doorbell", "kick 1"]) {
        let mut rig = rig();
        let notify = rig.world.object(kind, 0x70, label);
        rig.world.ago(9000).waits(rig.host, PARK, &[Point::next(notify)]);
        rig.stuck();
        rig.world.expect(Wedged, &["UW011"]);
    }
}

#[test]
fn a_host_that_waits_for_nobody_knows_what_is_not_accused() {
    let mut rig = rig();
    let word = rig.world.object(ObjectKind::Futex, 0x70, "");
    rig.world.ago(9000).waits(rig.host, "futex", &[Point::next(word)]);
    rig.stuck();
    insta::assert_snapshot!(rig.world.sentence(Inconclusive, "UW011"), @r#"guest thread 71 "vkcube" waits in vn_ring_wait_seqno for ring 0x1 "vk" to reach 300; ring host "vkr-ring-1" is behind by 100 (head 200, tail 300) and has not moved the head for 7.30 s: it is alive and waits in futex for futex 0x70, and who ends that is not known"#);
    rig.world.ago(8000).ended(rig.host, Outcome::Failed).waits(rig.host, "epoll_wait", &[]);
    insta::assert_snapshot!(rig.world.sentence(Inconclusive, "UW011"), @r#"guest thread 71 "vkcube" waits in vn_ring_wait_seqno for ring 0x1 "vk" to reach 300; ring host "vkr-ring-1" is behind by 100 (head 200, tail 300) and has not moved the head for 7.30 s: it is alive and waits in epoll_wait, and what for is not known"#);
}

#[test]
fn a_fence_behind_the_ring_leads_to_it() {
    let mut rig = rig();
    let notify = rig.notification(ObjectKind::AutoResetEvent);
    rig.world.ago(9000).waits(rig.host, PARK, &[Point::next(notify)]);
    let fence = rig.world.fence(0x5e, "frame 2");
    let (ring, host, guest) = (rig.ring, rig.host, rig.guest);
    rig.world.ago(7300);
    rig.submits(300);
    let (after, via) = (Some(point(ring, 300)), Some(guest));
    rig.world.event(host, What::Owed { point: point(fence, 1), after, via });
    rig.world.ago(7210).waits(guest, "vkWaitForFences", &[point(fence, 1)]);
    let report = rig.world.expect(Wedged, &["UW011"]);
    insta::assert_snapshot!(report.findings[0].sentence, @r#"guest thread 71 "vkcube" waits in vkWaitForFences for fence 0x5e "frame 2"; ring host "vkr-ring-1" owes it, and is behind on ring 0x1 "vk" by 100 (head 200, tail 300) and has not moved the head for 7.30 s: it is alive, waits in cnd_wait for event 0x70 "wake", its notification of work, and nobody owes that"#);
    insta::assert_snapshot!(report.findings[0].evidence.join("\n"), @r#"
    20.00 s ago: guest thread 71 "vkcube" signalled event 0x70 "wake"
    19.99 s ago: ring host "vkr-ring-1" moved the head of ring 0x1 "vk" to 200
    9.00 s ago: ring host "vkr-ring-1" began to wait in cnd_wait for event 0x70 "wake"
    7.30 s ago: guest thread 71 "vkcube" moved the tail of ring 0x1 "vk" to 300
    7.30 s ago: guest thread 71 "vkcube" put the work of fence 0x5e "frame 2" in ring 0x1 "vk" before 300
    7.21 s ago: guest thread 71 "vkcube" began to wait in vkWaitForFences for fence 0x5e "frame 2"
    "#);
}

#[test]
fn a_fence_of_which_is_not_said_what_it_is_behind_leads_to_the_hosts_only_ring() {
    let mut rig = rig();
    let fence = rig.world.fence(0x5e, "");
    rig.world.ago(7300);
    rig.submits(300);
    rig.world.owes(rig.host, point(fence, 1), None);
    rig.world.ago(7210).waits(rig.guest, "vkWaitForFences", &[point(fence, 1)]);
    rig.world.state(rig.host, AgentState::Blocked, "stopped");
    insta::assert_snapshot!(rig.world.sentence(Wedged, "UW011"), @r#"guest thread 71 "vkcube" waits in vkWaitForFences for fence 0x5e; ring host "vkr-ring-1" owes it, and is behind on ring 0x1 "vk" by 100 (head 200, tail 300) and has not moved the head for 7.30 s: it does nothing (stopped)"#);
}

#[test]
fn a_queue_behind_the_ring_leads_to_it() {
    let mut rig = rig();
    let queue = rig.world.queue(0x55d0);
    let fence = rig.world.fence(0x5e, "");
    rig.world.ago(7300);
    rig.submits(300);
    let after = Some(point(rig.ring, 300));
    rig.world.owes(queue.agent, point(fence, 1), after);
    rig.world.ago(7210).waits(rig.guest, "vkWaitForFences", &[point(fence, 1)]);
    rig.world.state(rig.host, AgentState::Blocked, "stopped");
    insta::assert_snapshot!(rig.world.sentence(Wedged, "UW011"), @r#"guest thread 71 "vkcube" waits in vkWaitForFences for fence 0x5e; queue #2 owes it once ring 0x1 "vk" has reached 300; ring host "vkr-ring-1" is behind by 100 (head 200, tail 300) and has not moved the head for 7.30 s: it does nothing (stopped)"#);
}

#[test]
fn all_who_wait_for_one_ring_are_one_finding() {
    let mut rig = rig();
    let other = rig.world.agent(AgentKind::GuestThread, "loader", 72);
    rig.stuck();
    rig.world.ago(7200);
    rig.submits(400);
    rig.world.ago(7100).waits(other, WAIT_HEAD, &[point(rig.ring, 400)]);
    rig.world.state(rig.host, AgentState::Blocked, "stopped");
    let report = rig.world.expect(Wedged, &["UW011"]);
    insta::assert_snapshot!(report.findings[0].sentence, @r#"guest thread 71 "vkcube" waits in vn_ring_wait_seqno for ring 0x1 "vk" to reach 300; ring host "vkr-ring-1" is behind by 200 (head 200, tail 400) and has not moved the head for 7.30 s: it does nothing (stopped)"#);
    assert_eq!(report.findings[0].also_waiting[0].tid, 72);
}

#[test]
fn a_notification_that_is_there_and_does_not_wake_the_host_is_a_lost_wake_up() {
    for (kind, verdict) in [(ObjectKind::Event, Wedged), (ObjectKind::AutoResetEvent, Inconclusive)]
    {
        let mut rig = rig();
        let notify = rig.notification(kind);
        rig.world.ago(9000).waits(rig.host, PARK, &[Point::next(notify)]);
        rig.stuck();
        rig.world.ago(7250).signalled(rig.guest, Point::next(notify));
        rig.world.expect(verdict, &["UW009"]);
    }
}

#[test]
fn a_notification_that_found_nobody_waiting_is_a_lost_wake_up() {
    let mut rig = rig();
    let notify = rig.notification(ObjectKind::Condition);
    rig.stuck();
    rig.world.ago(7290).signalled(rig.guest, Point::next(notify));
    rig.world.ago(7280).waits(rig.host, PARK, &[Point::next(notify)]);
    insta::assert_snapshot!(rig.world.sentence(Wedged, "UW009"), @r#"guest thread 71 "vkcube" waits in vn_ring_wait_seqno for ring 0x1 "vk" to reach 300; ring host "vkr-ring-1" waits in cnd_wait for condition variable 0x70 "wake"; guest thread 71 "vkcube" signalled it 7.29 s ago, before it began to wait, and that did not wake it, though its ring has work (tail 300)"#);
}

#[test]
fn a_notification_that_the_host_answered_is_not_lost_but_the_next_one_lacks() {
    let mut rig = rig();
    let notify = rig.notification(ObjectKind::Condition);
    rig.stuck();
    rig.world.ago(7290).signalled(rig.guest, Point::next(notify));
    rig.world.ago(7280).signalled(rig.host, point(rig.ring, 250));
    rig.world.ago(7270).waits(rig.host, PARK, &[Point::next(notify)]);
    let sentence = rig.world.sentence(Wedged, "UW011");
    assert!(sentence.contains("by 50 (head 250, tail 300)"), "{sentence}");
}

#[test]
fn a_host_that_has_exited_is_gone() {
    let mut rig = rig();
    rig.stuck();
    rig.world.ago(7000).state(rig.host, AgentState::Exited, "connection closed");
    insta::assert_snapshot!(rig.world.sentence(Wedged, "UW007"), @r#"guest thread 71 "vkcube" waits in vn_ring_wait_seqno for ring 0x1 "vk" to reach 300; ring host "vkr-ring-1" owes it, and it exited 7.00 s ago"#);
}

#[test]
fn a_fatal_ring_is_stalled_whatever_its_host_does() {
    let states = [
        (
            AgentState::Running,
            "; ring host \"vkr-ring-1\" is behind by 100 (head 200, tail 300) and has not moved the head for 7.30 s; it is alive",
        ),
        (AgentState::Blocked, "; it is alive and does nothing"),
        (AgentState::Exited, "; it has exited"),
        (AgentState::Unknown, "; whether it is alive is not known"),
    ];
    for (state, end) in states {
        let mut rig = rig();
        rig.stuck();
        rig.world.ago(7290);
        rig.fatal("ring status: fatal");
        rig.world.ago(10).state(rig.host, state, "").progress(rig.host, "looked at another ring");
        let sentence = rig.world.sentence(Wedged, "UW011");
        assert!(sentence.ends_with(end), "{sentence}");
        let fatal = "; the ring is marked fatal (ring status: fatal) and does not recover; ";
        assert!(sentence.contains(fatal), "{sentence}");
    }
}

#[test]
fn a_fatal_ring_whose_host_sleeps_is_told_with_its_call_and_its_mark() {
    let mut rig = rig();
    let notify = rig.notification(ObjectKind::AutoResetEvent);
    rig.stuck();
    rig.world.ago(7290);
    rig.fatal("vn_ring_submit abort on fatal");
    rig.world.ago(7280).waits(rig.host, PARK, &[Point::next(notify)]);
    let report = rig.world.expect(Wedged, &["UW011"]);
    insta::assert_snapshot!(report.findings[0].sentence, @r#"guest thread 71 "vkcube" waits in vn_ring_wait_seqno for ring 0x1 "vk" to reach 300; the ring is marked fatal (vn_ring_submit abort on fatal) and does not recover; ring host "vkr-ring-1" is behind by 100 (head 200, tail 300) and has not moved the head for 7.30 s; it is alive (in cnd_wait)"#);
    let evidence = report.findings[0].evidence.join("\n");
    assert!(
        evidence.contains("7.29 s ago: ring 0x1 \"vk\": vn_ring_submit abort on fatal"),
        "{evidence}"
    );
}

#[test]
fn a_fatal_ring_that_nobody_is_known_to_serve_is_stalled_all_the_same() {
    let mut world = World::new();
    let guest = world.agent(AgentKind::GuestThread, "vkcube", 71);
    let ring = world.object(ObjectKind::Ring, 0x1, "vk");
    world.ago(7210).waits(guest, WAIT_HEAD, &[point(ring, 300)]);
    world.expect(Progressing, &[]);
    world.mark(guest, MarkKind::Log, "ring status: fatal", &[ring]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW011"), @r#"guest thread 71 "vkcube" waits in vn_ring_wait_seqno for ring 0x1 "vk" to reach 300; the ring is marked fatal (ring status: fatal) and does not recover"#);
}

#[test]
fn a_remark_that_denies_it_or_is_older_than_the_heads_last_move_makes_no_ring_fatal() {
    for (text, moves_later) in [("ring status: not fatal", false), ("ring status: fatal", true)] {
        let mut rig = rig();
        rig.world.ago(19_000);
        rig.fatal(text);
        if moves_later {
            rig.world.ago(18_000);
            rig.submits(220);
            rig.world.signalled(rig.host, point(rig.ring, 220));
        }
        rig.stuck();
        rig.world.ago(0).state(rig.host, AgentState::Running, "");
        let sentence = rig.world.sentence(Inconclusive, "UW011");
        assert!(!sentence.contains("marked fatal"), "{sentence}");
    }
}

#[test]
fn a_fatal_mark_outlives_thousands_of_later_remarks() {
    let mut rig = rig();
    rig.stuck();
    rig.world.ago(7290).mark(rig.host, MarkKind::Log, "ring status: fatal", &[rig.ring]);
    rig.world.ago(7000);
    for _ in 0..5000 {
        rig.world.mark(rig.guest, MarkKind::Log, "stuck in ring seqno wait", &[rig.ring]);
        rig.world.failed(rig.guest, "vkGetFenceStatus returned VK_NOT_READY", &[rig.ring]);
    }
    rig.world.expect(Wedged, &["UW011"]);
}

#[test]
fn the_tail_is_the_furthest_one_however_much_was_submitted() {
    let mut rig = rig();
    rig.stuck();
    rig.world.ago(7205);
    for tail in 301..=10_300 {
        rig.submits(tail);
    }
    rig.world.state(rig.host, AgentState::Blocked, "stopped");
    let sentence = rig.world.sentence(Wedged, "UW011");
    assert!(sentence.contains("by 10100 (head 200, tail 10300)"), "{sentence}");
}

#[test]
fn a_host_that_runs_and_moves_nothing_is_not_accused() {
    let mut rig = rig();
    rig.stuck();
    rig.world.ago(0).state(rig.host, AgentState::Running, "100 % of a core over 0.5 s");
    let report = rig.world.expect(Inconclusive, &["UW011"]);
    insta::assert_snapshot!(report.findings[0].sentence, @r#"guest thread 71 "vkcube" waits in vn_ring_wait_seqno for ring 0x1 "vk" to reach 300; ring host "vkr-ring-1" is behind by 100 (head 200, tail 300) and has not moved the head for 7.30 s: it is alive and runs (100 % of a core over 0.5 s), and whether it works or spins is not known"#);
    insta::assert_snapshot!(report.missing.join("\n"), @r#"whether ring host "vkr-ring-1" works or spins"#);
}

#[test]
fn a_host_that_cannot_be_seen_is_said_to_be_so() {
    let mut rig = rig();
    rig.stuck();
    insta::assert_snapshot!(rig.world.sentence(Inconclusive, "UW011"), @r#"guest thread 71 "vkcube" waits in vn_ring_wait_seqno for ring 0x1 "vk" to reach 300; ring host "vkr-ring-1" is behind by 100 (head 200, tail 300) and has not moved the head for 7.30 s: what it does, and whether it is alive, is not observable here"#);
}

#[test]
fn a_host_that_does_nothing_is_stalled_and_one_that_sleeps_in_a_call_may_wait_for_something() {
    let mut rig = rig();
    rig.stuck();
    rig.world.ago(0).state(rig.host, AgentState::Blocked, "stopped by a signal");
    insta::assert_snapshot!(rig.world.sentence(Wedged, "UW011"), @r#"guest thread 71 "vkcube" waits in vn_ring_wait_seqno for ring 0x1 "vk" to reach 300; ring host "vkr-ring-1" is behind by 100 (head 200, tail 300) and has not moved the head for 7.30 s: it does nothing (stopped by a signal)"#);
    rig.world.state(rig.host, AgentState::Blocked, "in futex");
    insta::assert_snapshot!(rig.world.sentence(Inconclusive, "UW011"), @r#"guest thread 71 "vkcube" waits in vn_ring_wait_seqno for ring 0x1 "vk" to reach 300; ring host "vkr-ring-1" is behind by 100 (head 200, tail 300) and has not moved the head for 7.30 s: it is alive and sleeps (in futex), and what for is not known"#);
}

#[test]
fn a_thread_that_serves_a_ring_and_sleeps_may_wait_for_something() {
    let mut rig = rig();
    let thread = rig.world.thread(9, "vkr-ring-2");
    let ring = rig.world.object(ObjectKind::Ring, 0x2, "");
    let (point, via) = (point(ring, 10), Some(rig.guest));
    rig.world.ago(7300).event(thread, What::Owed { point, after: None, via });
    rig.world.ago(7210).waits(rig.guest, WAIT_HEAD, &[point]);
    rig.world.state(thread, AgentState::Blocked, "");
    insta::assert_snapshot!(rig.world.sentence(Inconclusive, "UW011"), @r#"guest thread 71 "vkcube" waits in vn_ring_wait_seqno for ring 0x2 to reach 10; thread 9 "vkr-ring-2" is behind (tail 10, no move of the head on record) for 7.30 s: it is alive and sleeps, and what for is not known"#);
}

#[test]
fn a_guest_that_looks_again_and_again_waits() {
    let mut rig = rig();
    rig.world.ago(7300);
    rig.submits(300);
    for ago in (1..=70).rev() {
        let bound = Bound::Ns(50_000_000);
        let points = [point(rig.ring, 300)];
        rig.world.ago(ago * 100).waits_as(rig.guest, WAIT_HEAD, &points, Mode::All, bound);
        rig.world.ago(ago * 100 - 50).ended(rig.guest, Outcome::TimedOut);
    }
    rig.world.ago(0).state(rig.host, AgentState::Blocked, "stopped");
    insta::assert_snapshot!(rig.world.sentence(Wedged, "UW011"), @r#"guest thread 71 "vkcube" waits in vn_ring_wait_seqno (polled 70 times) for ring 0x1 "vk" to reach 300; ring host "vkr-ring-1" is behind by 100 (head 200, tail 300) and has not moved the head for 7.30 s: it does nothing (stopped)"#);
}

#[test]
fn a_host_that_is_never_picked_is_starved() {
    let mut rig = rig();
    let hog = rig.world.agent(AgentKind::HostThread, "hog", 9);
    rig.stuck();
    rig.world.ago(7000).scheduled(rig.host, AgentState::Ready, 4, 0);
    rig.world.ago(100).scheduled(hog, AgentState::Running, 4, 17);
    rig.world.expect(Wedged, &["UW008"]);
}

#[test]
fn a_host_that_waits_for_something_else_leads_further() {
    let mut rig = rig();
    let queue = rig.world.queue(0x55d0);
    rig.world.ago(9000).submit(rig.host, queue, 4, &[]);
    rig.world.ago(8000).waits(rig.host, "vkQueueWaitIdle", &[queue.batch(4)]);
    rig.stuck();
    rig.world.ago(0).state(queue.agent, AgentState::Blocked, "GPU utilisation 0 %");
    insta::assert_snapshot!(rig.world.sentence(Wedged, "UW006"), @r#"guest thread 71 "vkcube" waits in vn_ring_wait_seqno for ring 0x1 "vk" to reach 300; ring host "vkr-ring-1" owes it, and waits in vkQueueWaitIdle for batch 4 of queue 0x55d0; the queue has not executed it for 9.00 s, though its waits are satisfied: the engine does nothing (GPU utilisation 0 %)"#);
    // What the queue gets done, it may get done of this.
    rig.world.ago(10).progress(queue.agent, "finished a batch");
    rig.world.expect(Progressing, &[]);
}

#[test]
fn a_host_and_a_guest_that_owe_each_other_are_deadlocked() {
    let mut rig = rig();
    let fence = rig.world.fence(0x5e, "");
    rig.world.ago(9000).owes(rig.guest, point(fence, 1), None);
    rig.world.ago(8000).waits(rig.host, "vkWaitForFences", &[point(fence, 1)]);
    rig.stuck();
    rig.world.expect(Wedged, &["UW001"]);
}

#[test]
fn a_notification_that_somebody_owes_is_where_the_chain_goes_on() {
    let mut rig = rig();
    let notify = rig.notification(ObjectKind::AutoResetEvent);
    let main = rig.world.thread(9, "renderer main");
    rig.world.ago(9000).waits(rig.host, PARK, &[Point::next(notify)]);
    rig.stuck();
    rig.world.owes(main, Point::next(notify), None);
    rig.world.ago(7000).state(main, AgentState::Exited, "");
    rig.world.expect(Wedged, &["UW007"]);
}

#[test]
fn a_bounded_sleep_or_a_submitter_at_work_leaves_a_doubt() {
    let mut rig = rig();
    let notify = rig.notification(ObjectKind::AutoResetEvent);
    let other = rig.world.agent(AgentKind::GuestThread, "loader", 72);
    let bound = Bound::Ns(60_000_000_000);
    rig.world.ago(9000).waits_as(rig.host, PARK, &[Point::next(notify)], Mode::All, bound);
    rig.stuck();
    let report = rig.world.expect(Inconclusive, &["UW011"]);
    insta::assert_snapshot!(report.missing.join("\n"), @r#"whether ring host "vkr-ring-1" looks at the ring when its bounded wait ends"#);
    rig.world.ago(8000).ended(rig.host, Outcome::TimedOut);
    rig.world.waits(rig.host, PARK, &[Point::next(notify)]);
    rig.world.expect(Wedged, &["UW011"]);
    let kind = ObjectKind::AutoResetEvent;
    rig.world.event(other, What::Coverage { kind, reached: 1000, explained: 900 });
    let report = rig.world.expect(Inconclusive, &["UW011"]);
    insta::assert_snapshot!(report.missing.join("\n"), @r#"
    whether event 0x70 "wake" was signalled: not every signal of its kind is on record
    who signals an event: of 1000 waits on one that succeeded only 900 have a signal on record
    "#);
    rig.world.event(other, What::Coverage { kind, reached: 1000, explained: 1000 });
    let (point, via) = (point(rig.ring, 400), Some(other));
    rig.world.ago(100).event(rig.host, What::Owed { point, after: None, via });
    let report = rig.world.expect(Inconclusive, &["UW011"]);
    insta::assert_snapshot!(report.missing.join("\n"), @r#"whether guest thread 72 "loader", which is alive and gets things done, will signal event 0x70 "wake""#);
}

#[test]
fn lost_events_leave_a_doubt_unless_the_ring_is_fatal() {
    let mut rig = rig();
    rig.stuck();
    rig.world.lost(12).state(rig.host, AgentState::Blocked, "stopped");
    rig.world.expect(Inconclusive, &["UW011"]);
    rig.fatal("ring status: fatal");
    rig.world.expect(Wedged, &["UW011"]);
}

#[test]
fn a_host_whose_ring_is_empty_is_idle() {
    let mut rig = rig();
    let notify = rig.world.object(ObjectKind::AutoResetEvent, 0x70, "ring notify");
    rig.world.ago(19_000).waits(rig.host, PARK, &[Point::next(notify)]);
    let never = rig.world.object(ObjectKind::Event, 0x71, "click");
    rig.world.waits(rig.guest, "wait", &[Point::next(never)]);
    rig.world.expect(Progressing, &[]);
}

#[test]
fn work_that_nobody_waits_for_is_no_hang() {
    let mut rig = rig();
    let notify = rig.world.object(ObjectKind::AutoResetEvent, 0x70, "ring notify");
    rig.world.ago(9000).waits(rig.host, PARK, &[Point::next(notify)]);
    rig.world.ago(7300);
    rig.submits(300);
    rig.world.expect(Progressing, &[]);
}

#[test]
fn a_head_that_moved_a_moment_ago_is_moving() {
    let mut rig = rig();
    rig.stuck();
    rig.world.ago(100).signalled(rig.host, point(rig.ring, 210));
    rig.world.state(rig.host, AgentState::Blocked, "stopped");
    rig.world.expect(Progressing, &[]);
}

#[test]
fn a_host_that_has_just_gone_to_sleep_may_be_woken() {
    let mut rig = rig();
    let notify = rig.notification(ObjectKind::AutoResetEvent);
    rig.stuck();
    rig.world.ago(500).waits(rig.host, PARK, &[Point::next(notify)]);
    rig.world.expect(Progressing, &[]);
}

#[test]
fn a_lock_that_a_host_holds_is_not_its_rings_matter() {
    let mut rig = rig();
    let lock = rig.world.object(ObjectKind::Mutex, 0x10, "");
    rig.world.ago(7300);
    rig.submits(300);
    rig.world.owes(rig.host, Point::next(lock), None);
    rig.world.ago(7210).waits(rig.guest, "pthread_mutex_lock", &[Point::next(lock)]);
    rig.world.expect(Inconclusive, &["UW016"]);
}
