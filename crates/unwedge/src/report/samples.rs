//! Which reports must look right? One of each shape, with the recording it could have come from.

pub(crate) mod traces;

use unwedge_analyze::report::{
    AgentSummary, Edge, Graph, Link, Node, ObjectSummary, Statistics, VERSION, Waiter,
};
use unwedge_analyze::{Finding, Report, Verdict};
use unwedge_trace::{
    AgentId, AgentKind, Bound, Event, MarkKind, Mode, ObjectKind, Outcome, Recording, Timestamp,
    What,
};

/// A report, the recording behind it, and a name for files and messages.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) report: Report,
    pub(crate) recording: Recording,
}

/// All of them.
pub(crate) fn all() -> Vec<Sample> {
    vec![
        two_queues(),
        never_submitted(),
        reset_without_submit(),
        lost_signal(),
        inconclusive(),
        images_withheld(),
        progressing(),
        crowd(),
        hostile(),
    ]
}

const NOW: u64 = 4_211_730_000_000;
const PID: u32 = 4300;

fn at(seconds_before: f64) -> Timestamp {
    Timestamp(NOW - (seconds_before * 1e9).round() as u64)
}

/// Collects what the parts of a sample share.
struct Draft {
    report: Report,
    events: Vec<Event>,
}

impl Draft {
    fn new(verdict: Verdict) -> Self {
        let report = Report {
            unwedge_report: VERSION,
            verdict,
            findings: Vec::new(),
            agents: Vec::new(),
            events_lost: 0,
            source: "vulkan layer".to_owned(),
            missing: Vec::new(),
            injected: Vec::new(),
            notes: Vec::new(),
            statistics: Statistics::default(),
            graph: Graph::default(),
        };
        Self { report, events: Vec::new() }
    }

    fn agent(&mut self, agent: u32, kind: AgentKind, name: &str, state: &str) -> &mut AgentSummary {
        let host = kind == AgentKind::HostThread;
        self.report.agents.push(AgentSummary {
            agent,
            kind,
            name: name.to_owned(),
            pid: PID,
            tid: if host { PID + 12 + agent } else { 0 },
            state: state.to_owned(),
            call: None,
            since_ms: None,
            wedged: false,
        });
        let last = self.report.agents.len() - 1;
        &mut self.report.agents[last]
    }

    /// An agent in a wait that it is still in.
    fn stuck(&mut self, agent: u32, kind: AgentKind, name: &str, call: &str, seconds: f64) {
        let summary = self.agent(agent, kind, name, "waiting");
        summary.call = Some(call.to_owned());
        summary.since_ms = Some(seconds * 1e3);
        summary.wedged = true;
        self.wait(agent, call, seconds, None);
    }

    fn wait(&mut self, agent: u32, call: &str, from: f64, to: Option<f64>) {
        let call = call.to_owned();
        let began =
            What::WaitBegan { call, points: Vec::new(), mode: Mode::All, bound: Bound::Infinite };
        self.events.push(Event::new(at(from), AgentId(agent), began));
        if let Some(to) = to {
            let ended = What::WaitEnded { outcome: Outcome::Reached };
            self.events.push(Event::new(at(to), AgentId(agent), ended));
        }
    }

    /// Frames at 60 Hz up to `until` seconds before now, with a short wait in each.
    fn frames(&mut self, agent: u32, from: f64, until: f64) {
        let frames = ((from - until) * 60.0) as u32;
        for frame in 0..frames {
            let begin = from - f64::from(frame) / 60.0;
            self.wait(agent, "vkWaitForFences", begin, Some(begin - 0.011));
            let what = What::Progress { what: format!("frame {} presented", 10_000 + frame) };
            self.events.push(Event::new(at(begin - 0.013), AgentId(agent), what));
        }
    }

    fn mark(&mut self, agent: u32, kind: MarkKind, seconds: f64, text: &str) {
        let what = What::Mark { kind, text: text.to_owned(), objects: Vec::new() };
        self.events.push(Event::new(at(seconds), AgentId(agent), what));
    }

    /// `"role kind|title|detail"`; `!` before it: wedged, `!!`: a root.
    fn node(&mut self, id: &str, text: &str) {
        let bare = text.trim_start_matches('!');
        let mut parts = bare.split('|').map(str::to_owned);
        let mut part = || parts.next().unwrap_or_default();
        self.report.graph.nodes.push(Node {
            id: id.to_owned(),
            role: if id.starts_with('a') { "agent" } else { "object" },
            kind: part(),
            title: part(),
            detail: part(),
            wedged: text.starts_with('!'),
            root: text.starts_with("!!"),
        });
    }

    /// Arrows from each to the next: the usual words, by what they start at.
    fn path(&mut self, ids: &[&str]) {
        for pair in ids.windows(2) {
            let label = if pair[0].starts_with('a') { "waits on" } else { "owed by" };
            self.edge(pair[0], pair[1], label);
        }
    }

    fn edge(&mut self, from: &str, to: &str, label: &str) {
        let (from, to, label) = (from.to_owned(), to.to_owned(), label.to_owned());
        self.report.graph.edges.push(Edge { from, to, label });
    }

    fn done(mut self, name: &'static str) -> Sample {
        self.events.sort_by_key(|event| event.at);
        let recording = Recording::new(&self.report.source, Timestamp(NOW), self.events);
        Sample { name, report: self.report, recording }
    }
}

fn waiter(agent: u32, name: &str, call: &str, seconds: f64) -> Waiter {
    let (name, call) = (name.to_owned(), call.to_owned());
    let (tid, since_ms) = (PID + 12 + agent, seconds * 1e3);
    Waiter { agent, pid: PID, tid, name, call, since_ms, stack: Vec::new() }
}

fn object(kind: ObjectKind, handle: &str, label: &str, value: Option<u64>) -> ObjectSummary {
    let label = (!label.is_empty()).then(|| label.to_owned());
    ObjectSummary { kind, handle: handle.to_owned(), label, value }
}

fn thread(agent: u32, name: &str) -> Link {
    let name = format!("thread {} \"{name}\"", PID + 12 + agent);
    Link::Agent { agent, kind: AgentKind::HostThread, name }
}

fn other(agent: u32, kind: AgentKind, name: &str) -> Link {
    Link::Agent { agent, kind, name: name.to_owned() }
}

fn thing(kind: ObjectKind, handle: &str, label: &str, value: Option<u64>) -> Link {
    Link::Object { object: object(kind, handle, label, value) }
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// UW001: two queues, each waiting for the other's timeline value; a host thread behind them.
pub(crate) fn two_queues() -> Sample {
    use ObjectKind::{Fence, TimelineSemaphore};
    let mut draft = Draft::new(Verdict::Wedged);
    draft.frames(0, 12.0, 6.4);
    draft.stuck(0, AgentKind::HostThread, "render", "vkWaitForFences", 6.4);
    draft.stuck(1, AgentKind::GpuQueue, "queue 0x55d0a1 \"graphics\"", "batch 214", 6.38);
    draft.stuck(2, AgentKind::GpuQueue, "queue 0x55d0b7 \"async compute\"", "batch 97", 6.39);
    let graphics = || other(1, AgentKind::GpuQueue, "queue 0x55d0a1 \"graphics\"");
    draft.report.findings.push(Finding {
        code: "UW001",
        name: "deadlock",
        sentence: "queue 0x55d0a1 \"graphics\" and queue 0x55d0b7 \"async compute\" wait for each other: \
                   batch 214 needs \"particles done\" to reach 98, which batch 97 would signal after \
                   \"depth ready\" reaches 215, which batch 214 would signal"
            .to_owned(),
        waiter: Some(waiter(0, "render", "vkWaitForFences", 6.4)),
        object: Some(object(Fence, "0x7f3a5e40", "frame 1", None)),
        conclusive: true,
        chain: vec![
            thread(0, "render"),
            thing(Fence, "0x7f3a5e40", "frame 1", None),
            graphics(),
            thing(TimelineSemaphore, "0x7f3a6100", "particles done", Some(98)),
            other(2, AgentKind::GpuQueue, "queue 0x55d0b7 \"async compute\""),
            thing(TimelineSemaphore, "0x7f3a61c8", "depth ready", Some(215)),
            graphics(),
        ],
        evidence: lines(&[
            "4205.331 s: thread 4312 submitted batch 214 to \"graphics\": wait \"particles done\" = 98, signal \"depth ready\" = 215",
            "4205.334 s: thread 4312 submitted batch 97 to \"async compute\": wait \"depth ready\" = 215, signal \"particles done\" = 98",
            "4211.730 s: neither breadcrumb has moved since; both engines are idle",
        ]),
        remedy: "Break the circle: let batch 97 wait for the depth of the frame before (214), or signal \
                 \"depth ready\" in a submit of its own that does not wait for the particles."
            .to_owned(),
        also_waiting: Vec::new(),
    });
    draft.node("a0", "!host thread|thread 4312 \"render\"|vkWaitForFences, 6.4 s");
    draft.node("o1:1", "!fence|fence 0x7f3a5e40 \"frame 1\"|");
    draft.node("a1", "!!GPU queue|queue \"graphics\"|batch 214");
    draft.node("o2:98", "!!timeline semaphore|\"particles done\"|value 98, now 97");
    draft.node("a2", "!!GPU queue|queue \"async compute\"|batch 97");
    draft.node("o3:215", "!!timeline semaphore|\"depth ready\"|value 215, now 214");
    draft.path(&["a0", "o1:1", "a1", "o2:98", "a2", "o3:215", "a1"]);
    draft.done("uw001-two-queues")
}

/// UW002: a fence that no submit carries.
pub(crate) fn never_submitted() -> Sample {
    let mut draft = Draft::new(Verdict::Wedged);
    draft.stuck(0, AgentKind::HostThread, "loader", "vkWaitForFences", 3.1);
    draft.agent(1, AgentKind::GpuQueue, "queue 0x55d0a1", "idle");
    let mut who = waiter(0, "loader", "vkWaitForFences", 3.1);
    who.stack = lines(&[
        "__GI___poll+0x4f (libc.so.6)",
        "vk_common_WaitForFences+0x1c8 (libvulkan_lvp.so)",
        "uploader::flush+0x133 (game)",
        "uploader::load_level+0x88 (game)",
        "main+0x2f0 (game)",
    ]);
    draft.report.findings.push(Finding {
        code: "UW002",
        name: "never submitted",
        sentence: "thread 4312 \"loader\" waits for fence 0x7f3a5e40 \"upload\"; no submit carries it since it was created"
            .to_owned(),
        waiter: Some(who),
        object: Some(object(ObjectKind::Fence, "0x7f3a5e40", "upload", None)),
        conclusive: true,
        chain: vec![thread(0, "loader"), thing(ObjectKind::Fence, "0x7f3a5e40", "upload", None)],
        evidence: lines(&[
            "4208.601 s: thread 4312 created fence 0x7f3a5e40, unsignalled",
            "4208.630 s: thread 4312 waits for it, without a bound",
            "no submit on record names it; all 41 submits are on record",
        ]),
        remedy: "Pass the fence to the vkQueueSubmit whose end it stands for, or create it with \
                 VK_FENCE_CREATE_SIGNALED_BIT if the first frame has nothing to wait for."
            .to_owned(),
        also_waiting: Vec::new(),
    });
    draft.node("a0", "!host thread|thread 4312 \"loader\"|vkWaitForFences, 3.1 s");
    draft.node("o1:1", "!!fence|fence 0x7f3a5e40 \"upload\"|never submitted");
    draft.path(&["a0", "o1:1"]);
    draft.done("uw002-never-submitted")
}

/// UW003: the submit that should have armed the fence again failed.
pub(crate) fn reset_without_submit() -> Sample {
    let mut draft = Draft::new(Verdict::Wedged);
    draft.frames(0, 14.0, 8.25);
    draft.mark(
        0,
        MarkKind::FailedCall,
        8.23,
        "vkAcquireNextImageKHR returned VK_ERROR_OUT_OF_DATE_KHR",
    );
    draft.stuck(0, AgentKind::HostThread, "render", "vkWaitForFences", 8.2);
    draft.agent(1, AgentKind::GpuQueue, "queue 0x55d0a1", "idle");
    draft.agent(2, AgentKind::HostThread, "audio", "running");
    for period in 0..40 {
        let from = 14.0 - f64::from(period) * 0.35;
        draft.wait(2, "futex", from, Some(from - 0.31));
    }
    draft.report.findings.push(Finding {
        code: "UW003",
        name: "reset without submit",
        sentence: "thread 4312 \"render\" waits for fence 0x7f3a5e40 \"frame 1\"; it was reset after its last \
                   signal, and the frame that should have submitted it again was skipped when \
                   vkAcquireNextImageKHR returned VK_ERROR_OUT_OF_DATE_KHR"
            .to_owned(),
        waiter: Some(waiter(0, "render", "vkWaitForFences", 8.2)),
        object: Some(object(ObjectKind::Fence, "0x7f3a5e40", "frame 1", None)),
        conclusive: true,
        chain: vec![thread(0, "render"), thing(ObjectKind::Fence, "0x7f3a5e40", "frame 1", None)],
        evidence: lines(&[
            "4203.480 s: fence 0x7f3a5e40 signalled by queue 0x55d0a1, batch 345",
            "4203.497 s: thread 4312 reset it",
            "4203.500 s: vkAcquireNextImageKHR returned VK_ERROR_OUT_OF_DATE_KHR",
            "4203.530 s: thread 4312 waits for it; no submit carries it since the reset",
        ]),
        remedy: "Reset the fence right before the submit that carries it, after the acquire has succeeded."
            .to_owned(),
        also_waiting: Vec::new(),
    });
    draft.node("a0", "!host thread|thread 4312 \"render\"|vkWaitForFences, 8.2 s");
    draft.node("o1:346", "!!fence|fence 0x7f3a5e40 \"frame 1\"|reset, not submitted since");
    draft.node("a1", "GPU queue|queue 0x55d0a1|idle");
    draft.path(&["a0", "o1:346"]);
    draft.edge("o1:346", "a1", "used to be signalled by");
    draft.done("uw003-reset-without-submit")
}

/// UW004, on purpose: the signal of a fence was dropped by an injected fault, minutes ago.
pub(crate) fn lost_signal() -> Sample {
    let mut draft = Draft::new(Verdict::Wedged);
    draft.frames(0, 190.0, 154.0);
    draft.mark(0, MarkKind::Injected, 154.0, "dropped the 3rd signal of fence 0x7f3a5e40");
    draft.stuck(0, AgentKind::HostThread, "render", "vkWaitForFences", 153.9);
    draft.agent(1, AgentKind::GpuQueue, "queue 0x55d0a1", "idle");
    draft.report.injected =
        lines(&["4057.730 s: dropped the 3rd signal of fence 0x7f3a5e40 (--inject fence:3:drop)"]);
    draft.report.findings.push(Finding {
        code: "UW004",
        name: "signal lost",
        sentence: "thread 4312 \"render\" waits for fence 0x7f3a5e40; queue 0x55d0a1 finished the batch that \
                   signals it, and the fence never showed it"
            .to_owned(),
        waiter: Some(waiter(0, "render", "vkWaitForFences", 153.9)),
        object: Some(object(ObjectKind::Fence, "0x7f3a5e40", "", None)),
        conclusive: true,
        chain: vec![
            thread(0, "render"),
            thing(ObjectKind::Fence, "0x7f3a5e40", "", None),
            other(1, AgentKind::GpuQueue, "queue 0x55d0a1"),
        ],
        evidence: lines(&[
            "4057.728 s: batch 12 submitted with fence 0x7f3a5e40",
            "4057.731 s: the breadcrumb of batch 12 was written: the GPU is past it",
            "4211.730 s: vkGetFenceStatus still says VK_NOT_READY",
        ]),
        remedy: "This fault was injected. Without an injection: suspect the driver, and see whether \
                 `unwedge doctor` stops at the fence rung."
            .to_owned(),
        also_waiting: Vec::new(),
    });
    draft.node("a0", "!host thread|thread 4312 \"render\"|vkWaitForFences, 2 min 33 s");
    draft.node("o1:3", "!fence|fence 0x7f3a5e40|3rd signal");
    draft.node("a1", "!!GPU queue|queue 0x55d0a1|past batch 12");
    draft.path(&["a0", "o1:3", "a1"]);
    draft.done("uw004-signal-lost")
}

/// UW005 under doubt: events were lost, so nobody is accused.
pub(crate) fn inconclusive() -> Sample {
    let mut draft = Draft::new(Verdict::Inconclusive);
    draft.report.source = "/proc of process 4300".to_owned();
    draft.report.events_lost = 1_204;
    draft.frames(0, 9.5, 4.4);
    draft.events.push(Event::new(at(4.3), AgentId(0), What::Lost { count: 1_204 }));
    draft.stuck(0, AgentKind::HostThread, "render", "vkWaitSemaphores", 4.0);
    draft.agent(1, AgentKind::GpuQueue, "queue 0x55d0a1", "running");
    draft.report.findings.push(Finding {
        code: "UW005",
        name: "device busy",
        sentence: "thread 4312 \"render\" waits for timeline semaphore 0x7f3a6100 to reach 512; it is at 511, \
                   and queue 0x55d0a1 seems to be still executing"
            .to_owned(),
        waiter: Some(waiter(0, "render", "vkWaitSemaphores", 4.0)),
        object: Some(object(ObjectKind::TimelineSemaphore, "0x7f3a6100", "", Some(512))),
        conclusive: true,
        chain: vec![
            thread(0, "render"),
            thing(ObjectKind::TimelineSemaphore, "0x7f3a6100", "", Some(512)),
            other(1, AgentKind::GpuQueue, "queue 0x55d0a1"),
        ],
        evidence: lines(&["4207.430 s: 1204 events were dropped here", "4211.730 s: GPU utilisation 100 %"]),
        remedy: "Wait, or record again with a larger ring: unwedge run --ring 4MiB.".to_owned(),
        also_waiting: Vec::new(),
    });
    draft.report.missing = lines(&[
        "the 1204 events that were dropped at 4207.430 s; the submit of value 512 may be among them",
        "whether the device's engine works: its fdinfo could not be read (permission denied)",
    ]);
    draft.node("a0", "!host thread|thread 4312 \"render\"|vkWaitSemaphores, 4.0 s");
    draft.node("o1:512", "!timeline semaphore|semaphore 0x7f3a6100|value 512, now 511");
    draft.node("a1", "GPU queue|queue 0x55d0a1|running");
    draft.edge("a0", "o1:512", "waits on");
    draft.edge("o1:512", "a1", "used to be signalled by");
    draft.done("uw005-inconclusive")
}

/// UW010: the program has acquired every image.
pub(crate) fn images_withheld() -> Sample {
    let mut draft = Draft::new(Verdict::Wedged);
    draft.frames(0, 11.0, 5.1);
    draft.mark(0, MarkKind::Log, 5.2, "resize to 1280 × 720");
    draft.stuck(0, AgentKind::HostThread, "main", "vkAcquireNextImageKHR", 5.0);
    draft.agent(
        1,
        AgentKind::PresentationEngine,
        "presentation engine of swapchain 0x7f3a9000",
        "idle",
    );
    draft.report.findings.push(Finding {
        code: "UW010",
        name: "images withheld",
        sentence: "thread 4312 \"main\" waits for an image of swapchain 0x7f3a9000; it has acquired all 3 and \
                   presented none of them since the resize"
            .to_owned(),
        waiter: Some(waiter(0, "main", "vkAcquireNextImageKHR", 5.0)),
        object: Some(object(ObjectKind::Swapchain, "0x7f3a9000", "", None)),
        conclusive: true,
        chain: vec![
            thread(0, "main"),
            thing(ObjectKind::Swapchain, "0x7f3a9000", "", None),
            thread(0, "main"),
        ],
        evidence: lines(&[
            "4206.530 s: image 0 acquired, not presented since",
            "4206.547 s: image 1 acquired, not presented since",
            "4206.563 s: image 2 acquired, not presented since",
        ]),
        remedy: "Present each image that was acquired, also when the frame is skipped, or release it with \
                 vkReleaseSwapchainImagesEXT."
            .to_owned(),
        also_waiting: Vec::new(),
    });
    draft.node("a0", "!!host thread|thread 4312 \"main\"|vkAcquireNextImageKHR, 5.0 s");
    draft.node("o1:4", "!!swapchain|swapchain 0x7f3a9000|3 of 3 images acquired");
    draft.path(&["a0", "o1:4"]);
    draft.edge("o1:4", "a0", "images held by");
    draft.done("uw010-images-withheld")
}

/// All is well.
pub(crate) fn progressing() -> Sample {
    let mut draft = Draft::new(Verdict::Progressing);
    draft.frames(0, 10.0, 0.02);
    draft.agent(0, AgentKind::HostThread, "render", "running");
    let summary = draft.agent(1, AgentKind::HostThread, "input", "waiting");
    summary.call = Some("epoll_wait".to_owned());
    summary.since_ms = Some(9_000.0);
    draft.wait(1, "epoll_wait", 9.0, None);
    draft.agent(2, AgentKind::GpuQueue, "queue 0x55d0a1", "running");
    draft.report.notes = lines(&[
        "thread 4312 \"render\" presented 599 frames in the last 10 s",
        "thread 4313 \"input\" is idle: it waits for input, which is no wedge",
    ]);
    draft.node("a0", "host thread|thread 4312 \"render\"|running");
    draft.node("o1:7", "fence|fence 0x7f3a5e40|");
    draft.node("a2", "GPU queue|queue 0x55d0a1|running");
    draft.path(&["a0", "o1:7", "a2"]);
    draft.done("progressing")
}

/// Forty threads, three findings.
pub(crate) fn crowd() -> Sample {
    let mut draft = Draft::new(Verdict::Wedged);
    let first = two_queues().report.findings.remove(0);
    draft.stuck(0, AgentKind::HostThread, "render", "vkWaitForFences", 7.2);
    draft.stuck(1, AgentKind::GpuQueue, "queue 0x55d0a1 \"graphics\"", "batch 214", 7.18);
    draft.stuck(2, AgentKind::GpuQueue, "queue 0x55d0b7 \"async compute\"", "batch 97", 7.19);
    let mut second = never_submitted().report.findings.remove(0);
    draft.stuck(3, AgentKind::HostThread, "loader", "vkWaitForFences", 6.6);
    draft.node("a0", "!host thread|thread 4312 \"render\"|vkWaitForFences, 7.2 s");
    draft.node("o1:1", "!fence|fence 0x7f3a5e40 \"frame 1\"|");
    draft.node("a1", "!!GPU queue|queue \"graphics\"|batch 214");
    draft.node("o2:98", "!!timeline semaphore|\"particles done\"|value 98, now 97");
    draft.node("a2", "!!GPU queue|queue \"async compute\"|batch 97");
    draft.node("o3:215", "!!timeline semaphore|\"depth ready\"|value 215, now 214");
    draft.path(&["a0", "o1:1", "a1", "o2:98", "a2", "o3:215", "a1"]);
    draft.node("a3", "!host thread|thread 4315 \"loader\"|vkWaitForFences, 6.6 s");
    draft.node("o4:1", "!!fence|fence 0x7f3a5f80 \"upload\"|never submitted");
    draft.path(&["a3", "o4:1"]);
    draft.node("o5:1", "!mutex|mutex 0x7ffe1200 \"job queue\"|held since 4204.6 s");
    draft.edge("o5:1", "a3", "held by");
    for worker in 4..32 {
        let name = format!("worker-{:02}", worker - 4);
        let seconds = 6.5 - f64::from(worker) * 0.02;
        draft.wait(worker, "pthread_mutex_lock", 9.0, Some(8.2 - f64::from(worker) * 0.03));
        draft.stuck(worker, AgentKind::HostThread, &name, "pthread_mutex_lock", seconds);
        second.also_waiting.push(waiter(worker, &name, "pthread_mutex_lock", seconds));
        let id = format!("a{worker}");
        draft.node(
            &id,
            &format!("!host thread|thread {} \"{name}\"|pthread_mutex_lock", PID + 12 + worker),
        );
        draft.path(&[&id, "o5:1"]);
    }
    let mut third = images_withheld().report.findings.remove(0);
    third.also_waiting.push(waiter(33, "window", "futex", 4.4));
    draft.stuck(32, AgentKind::HostThread, "preview", "vkAcquireNextImageKHR", 5.0);
    draft.stuck(33, AgentKind::HostThread, "window", "futex", 4.4);
    draft.node("a32", "!!host thread|thread 4344 \"preview\"|vkAcquireNextImageKHR, 5.0 s");
    draft.node("o6:4", "!!swapchain|swapchain 0x7f3a9000|3 of 3 images acquired");
    draft.node("o7:1", "!futex|futex 0x7ffe8810|");
    draft.node("a33", "!host thread|thread 4345 \"window\"|futex, 4.4 s");
    draft.path(&["a32", "o6:4"]);
    draft.edge("o6:4", "a32", "images held by");
    draft.path(&["a33", "o7:1", "a32"]);
    for idle in 34..40 {
        let name = format!("pool-{}", idle - 34);
        draft.agent(idle, AgentKind::HostThread, &name, "idle");
        draft.wait(idle, "futex", 9.5, Some(8.0));
        draft.wait(idle, "futex", 7.0, None);
    }
    draft.report.findings = vec![first, second, third];
    draft.report.notes = lines(&["6 threads of the pool are idle"]);
    draft.done("crowd")
}

/// Names that would do harm on a page or in a terminal.
pub(crate) fn hostile() -> Sample {
    const BAD: &str = "<script>alert(1)</script>";
    let mut draft = Draft::new(Verdict::Wedged);
    let quoted = "x\" onload=\"alert(2)\" '<img src=y>' {{json}}";
    draft.stuck(0, AgentKind::HostThread, BAD, quoted, 2.0);
    draft.agent(1, AgentKind::GpuQueue, "\x1b[31mred\x1b[0m \u{202e}drow", "idle");
    draft.mark(0, MarkKind::FailedCall, 2.1, BAD);
    draft.report.source = format!("trace /tmp/{BAD}.jsonl");
    draft.report.notes = lines(&[BAD]);
    draft.report.findings.push(Finding {
        code: "UW002",
        name: "never submitted",
        sentence: format!("thread 4312 \"{BAD}\" waits for {quoted} & ]]> <!-- so far"),
        waiter: Some(waiter(0, BAD, quoted, 2.0)),
        object: Some(object(ObjectKind::Fence, "0x1", BAD, None)),
        conclusive: true,
        chain: vec![thread(0, BAD), thing(ObjectKind::Fence, "0x1", quoted, None)],
        evidence: lines(&[BAD, quoted, &"long".repeat(60)]),
        remedy: BAD.to_owned(),
        also_waiting: vec![waiter(1, BAD, BAD, 1.0)],
    });
    draft.node("a0", &format!("!host thread|{BAD}|{quoted}"));
    draft.node("o1:1", &format!("!!fence|{quoted}|{BAD}"));
    draft.node("a1\"<b>", &format!("GPU queue|{BAD}|"));
    draft.path(&["a0", "o1:1", "a1\"<b>"]);
    draft.done("hostile")
}
