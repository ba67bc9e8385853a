//! A world in a few words: threads, queues and objects whose events make a recording.
#![allow(dead_code, reason = "each suite uses its part")]
#![allow(unreachable_pub, reason = "a module that the suites share")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use unwedge_analyze::{Finding, Options, Report, Verdict, analyze};
use unwedge_trace::{
    AgentId, AgentKind, AgentState, Bound, Event, MarkKind, Mode, ObjectId, ObjectKind, Outcome,
    Point, Recording, Timestamp, What,
};

/// The moment of observation, in milliseconds.
pub const NOW_MS: u64 = 100_000;

/// A queue: the agent, and the object whose points are its batches.
#[derive(Clone, Copy)]
pub struct Queue {
    pub agent: AgentId,
    pub object: ObjectId,
}

impl Queue {
    pub fn batch(self, n: u64) -> Point {
        Point { object: self.object, value: n }
    }
}

#[derive(Default)]
pub struct World {
    pub events: Vec<Event>,
    agents: u32,
    objects: u32,
    ago_ms: u64,
}

impl World {
    pub fn new() -> Self {
        Self { ago_ms: NOW_MS - 1, ..Self::default() }
    }

    /// What follows happens so many milliseconds before the observation.
    pub fn ago(&mut self, ms: u64) -> &mut Self {
        self.ago_ms = ms;
        self
    }

    pub fn event(&mut self, agent: AgentId, what: What) -> &mut Self {
        let at = Timestamp((NOW_MS - self.ago_ms) * 1_000_000);
        self.events.push(Event::new(at, agent, what));
        self
    }

    pub fn agent(&mut self, kind: AgentKind, name: &str, tid: u32) -> AgentId {
        let id = AgentId(self.agents);
        self.agents += 1;
        let pid = if tid == 0 { 0 } else { 4300 };
        self.event(id, What::Agent { kind, name: name.to_owned(), pid, tid });
        id
    }

    pub fn thread(&mut self, tid: u32, name: &str) -> AgentId {
        self.agent(AgentKind::HostThread, name, tid)
    }

    pub fn engine(&mut self) -> AgentId {
        self.agent(AgentKind::PresentationEngine, "", 0)
    }

    pub fn object(&mut self, kind: ObjectKind, handle: u64, label: &str) -> ObjectId {
        self.add_object(kind, handle, label, false)
    }

    pub fn shared(&mut self, kind: ObjectKind, handle: u64, label: &str) -> ObjectId {
        self.add_object(kind, handle, label, true)
    }

    fn add_object(&mut self, kind: ObjectKind, handle: u64, label: &str, shared: bool) -> ObjectId {
        let object = ObjectId(self.objects);
        self.objects += 1;
        let label = label.to_owned();
        self.event(AgentId(0), What::Object { object, kind, handle, label, shared });
        object
    }

    pub fn queue(&mut self, handle: u64) -> Queue {
        let agent = self.agent(AgentKind::GpuQueue, "", 0);
        Queue { agent, object: self.object(ObjectKind::Queue, handle, "") }
    }

    pub fn fence(&mut self, handle: u64, label: &str) -> ObjectId {
        self.object(ObjectKind::Fence, handle, label)
    }

    pub fn timeline(&mut self, handle: u64, label: &str) -> ObjectId {
        self.object(ObjectKind::TimelineSemaphore, handle, label)
    }

    pub fn binary(&mut self, handle: u64, label: &str) -> ObjectId {
        self.object(ObjectKind::BinarySemaphore, handle, label)
    }

    /// `thread` submits batch `n`, which signals `points`.
    pub fn submit(&mut self, thread: AgentId, queue: Queue, n: u64, points: &[Point]) -> &mut Self {
        let batch = queue.batch(n);
        let owed = |point, after| What::Owed { point, after, via: Some(thread) };
        self.event(queue.agent, owed(batch, None));
        for point in points {
            self.event(queue.agent, owed(*point, Some(batch)));
        }
        self
    }

    /// The breadcrumb of batch `n`.
    pub fn passed(&mut self, queue: Queue, n: u64) -> &mut Self {
        self.signalled(queue.agent, queue.batch(n))
    }

    pub fn owes(&mut self, agent: AgentId, point: Point, after: Option<Point>) -> &mut Self {
        self.event(agent, What::Owed { point, after, via: None })
    }

    pub fn signalled(&mut self, agent: AgentId, point: Point) -> &mut Self {
        self.event(agent, What::Signalled { point })
    }

    pub fn reset(&mut self, agent: AgentId, object: ObjectId) -> &mut Self {
        self.event(agent, What::Reset { object })
    }

    pub fn waits(&mut self, agent: AgentId, call: &str, points: &[Point]) -> &mut Self {
        self.waits_as(agent, call, points, Mode::All, Bound::Infinite)
    }

    pub fn waits_as(
        &mut self,
        agent: AgentId,
        call: &str,
        points: &[Point],
        mode: Mode,
        bound: Bound,
    ) -> &mut Self {
        let (call, points) = (call.to_owned(), points.to_vec());
        self.event(agent, What::WaitBegan { call, points, mode, bound })
    }

    pub fn ended(&mut self, agent: AgentId, outcome: Outcome) -> &mut Self {
        self.event(agent, What::WaitEnded { outcome })
    }

    pub fn state(&mut self, agent: AgentId, state: AgentState, detail: &str) -> &mut Self {
        self.event(
            agent,
            What::State { state, detail: detail.to_owned(), cpu: None, priority: None },
        )
    }

    /// What a scheduler tells.
    pub fn scheduled(
        &mut self,
        agent: AgentId,
        state: AgentState,
        cpu: u32,
        priority: i32,
    ) -> &mut Self {
        let (cpu, priority) = (Some(cpu), Some(priority));
        self.event(agent, What::State { state, detail: String::new(), cpu, priority })
    }

    /// So many waits of `agent`, each ended by its bound, one every `every_ms`, the last one that many milliseconds ago.
    pub fn polls(
        &mut self,
        agent: AgentId,
        call: &str,
        object: ObjectId,
        count: u64,
        every_ms: u64,
    ) -> &mut Self {
        for left in (1..=count).rev() {
            let bound = Bound::Ns(every_ms * 1_000_000);
            self.ago(left * every_ms).waits_as(
                agent,
                call,
                &[Point::next(object)],
                Mode::All,
                bound,
            );
            self.ago((left - 1) * every_ms + 1).ended(agent, Outcome::TimedOut);
        }
        self
    }

    pub fn progress(&mut self, agent: AgentId, what: &str) -> &mut Self {
        self.event(agent, What::Progress { what: what.to_owned() })
    }

    pub fn mark(
        &mut self,
        by: AgentId,
        kind: MarkKind,
        text: &str,
        objects: &[ObjectId],
    ) -> &mut Self {
        self.event(by, What::Mark { kind, text: text.to_owned(), objects: objects.to_vec() })
    }

    pub fn failed(&mut self, by: AgentId, text: &str, objects: &[ObjectId]) -> &mut Self {
        self.mark(by, MarkKind::FailedCall, text, objects)
    }

    pub fn lost(&mut self, count: u64) -> &mut Self {
        self.event(AgentId(0), What::Lost { count })
    }

    pub fn recording(&self) -> Recording {
        Recording::new("a test", Timestamp(NOW_MS * 1_000_000), self.events.clone())
    }

    pub fn report(&self) -> Report {
        analyze(&self.recording(), &Options::default())
    }

    /// The report, checked for what each of them promises.
    #[track_caller]
    pub fn expect(&self, verdict: Verdict, codes: &[&str]) -> Report {
        let report = self.report();
        let found: Vec<_> = report.findings.iter().map(|finding| finding.code).collect();
        assert_eq!((report.verdict, found.as_slice()), (verdict, codes), "{report:#?}");
        assert_eq!(report.missing.is_empty(), verdict != Verdict::Inconclusive, "{report:#?}");
        for finding in &report.findings {
            check_finding(finding);
        }
        report
    }

    /// The sentence of the only finding.
    #[track_caller]
    pub fn sentence(&self, verdict: Verdict, code: &str) -> String {
        let report = self.expect(verdict, &[code]);
        report.findings.into_iter().next().unwrap().sentence
    }
}

/// What every finding promises: a sentence that names call and waiter, evidence with times, advice.
#[track_caller]
fn check_finding(finding: &Finding) {
    let waiter = finding.waiter.as_ref().expect("somebody waits");
    assert!(finding.sentence.contains(&waiter.call), "{finding:#?}");
    assert!(!finding.sentence.ends_with('.') && !finding.sentence.contains("  "), "{finding:#?}");
    assert!(finding.remedy.ends_with('.') && !finding.remedy.contains("  "), "{finding:#?}");
    assert!(!finding.evidence.is_empty() && !finding.chain.is_empty(), "{finding:#?}");
    assert!(finding.object.is_some(), "{finding:#?}");
}

pub fn point(object: ObjectId, value: u64) -> Point {
    Point { object, value }
}
