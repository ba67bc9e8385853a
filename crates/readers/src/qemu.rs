//! What does QEMU's trace log say about fences asked for and answered?
//!
//! The log tells of each fenced command when it is given to the renderer (`virtio_gpu_fence_ctrl`) and when it is
//! answered (`virtio_gpu_fence_resp`). QEMU answers, of one timeline, every command up to the fence that was reached. Most
//! versions log each of those; newer ones may log the highest alone. Timelines (a context's rings) are not
//! told, so an answer proves nothing about other fences, and each fence is an object of its own.
//!
//! Invariant: what is in flight when the log ends is waited for; who is to blame beyond the renderer is outside the log.

use std::collections::BTreeMap;

use unwedge_trace::{
    AgentId, AgentKind, Bound, MarkKind, Mode, ObjectId, ObjectKind, Point, Timestamp, What,
};

use crate::{Format, LineReader, Reading, Sink};

/// a trace log of QEMU's virtio-gpu.
pub const FORMAT: Format =
    Format { name: "qemu", title: "a trace log of QEMU's virtio-gpu", detect, open };

const GUEST: AgentId = AgentId(0);
const RENDERER: AgentId = AgentId(1);
const HOST_GPU: AgentId = AgentId(2);
const DISPLAY: AgentId = AgentId(3);
/// What holds up the renderer; the fences come after it.
const HOLD: ObjectId = ObjectId(0);

/// Fences in flight that are kept: more than a command ring has entries.
const OPEN_MAX: usize = 65_536;
/// Fences that the guest's wait names, oldest first.
const POINTS_MAX: usize = 64;
/// Resources whose scanout is kept.
const SCANOUTS_MAX: usize = 4_096;
/// Of the fences asked for, one in so many may be passed over by later answers before it is clear that this QEMU does
/// not log every answer.
const PASSED_OVER_ONE_IN: u64 = 10;

fn detect(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(start);
    text.lines().take(4_096).any(|line| parse(line).is_some())
}

fn open(_start: &[u8]) -> Result<Reading, String> {
    Ok(Reading::Lines(Box::<QemuLog>::default()))
}

/// A line of the log.
#[derive(Debug, PartialEq, Eq)]
struct Line<'l> {
    /// Nanoseconds of the calendar, if the log has times.
    at: Option<u64>,
    /// Without `virtio_gpu_`.
    event: &'l str,
    arguments: &'l str,
}

/// `4242@1700000000.123456:virtio_gpu_fence_resp fence 0x1`, or without what stands before the event.
fn parse(line: &str) -> Option<Line<'_>> {
    const EVENTS: [&str; 6] =
        ["cmd_", "fence_", "inc_inflight", "dec_inflight", "features", "update_cursor"];
    let line = line.trim();
    let (at, rest) = match line.split_once(':') {
        Some((prefix, rest)) if prefix.contains('@') => (Some(time(prefix)?), rest),
        _ => (None, line),
    };
    let event = rest.strip_prefix("virtio_gpu_")?;
    let (event, arguments) = event.split_once(' ').unwrap_or((event, ""));
    // The kernel has tracepoints that begin alike, and writes a colon after them.
    let fits = EVENTS.iter().any(|begin| event.starts_with(begin)) && !event.ends_with(':');
    fits.then_some(Line { at, event, arguments })
}

/// `4242@1700000000.123456` as nanoseconds.
fn time(prefix: &str) -> Option<u64> {
    let (pid, time) = prefix.split_once('@')?;
    pid.parse::<u64>().ok()?;
    let (seconds, micros) = time.split_once('.')?;
    let micros = micros.parse::<u64>().ok().filter(|micros| *micros < 1_000_000)?;
    seconds.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(micros * 1_000)
}

/// The number after a word: `res 0x5, w 640` has 5 after "res". Numbers are hexadecimal if they say so.
fn number(arguments: &str, word: &str) -> Option<u64> {
    let mut words = arguments.split([' ', ',']).filter(|word| !word.is_empty());
    words.find(|other| *other == word)?;
    let number = words.next()?;
    match number.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => number.parse().ok(),
    }
}

/// A fence that is asked for and not answered.
#[derive(Debug)]
struct Fence {
    asked: u64,
    /// Which command it is of.
    label: String,
}

/// A command that was put off, which holds up all after it.
#[derive(Debug)]
struct Suspended {
    since: u64,
    command: u64,
    /// It is being tried again.
    is_retried: bool,
}

#[derive(Debug, Default)]
struct QemuLog {
    /// By number, which the guest counts up.
    open: BTreeMap<u64, Fence>,
    /// The scanout that shows a resource.
    scanouts: BTreeMap<u64, u64>,
    suspended: Option<Suspended>,
    /// The command of the line before, which a fence belongs to.
    command: String,
    begun: bool,
    has_clock: bool,
    last: u64,
    asked: u64,
    /// The highest that was answered.
    answered: Option<u64>,
    lost: u64,
}

impl LineReader for QemuLog {
    fn line(&mut self, line: &[u8], out: &mut Sink) {
        let text = String::from_utf8_lossy(line);
        let Some(line) = parse(&text) else { return };
        self.has_clock |= line.at.is_some();
        let at = match line.at {
            Some(at) => at,
            // Without times, the order is all there is.
            None if self.has_clock => self.last,
            None => out.line,
        };
        self.last = self.last.max(at);
        self.begin(at, out);
        match line.event {
            "fence_ctrl" => self.ask(at, line.arguments, out),
            "fence_resp" => self.answer(at, line.arguments, out),
            "cmd_suspended" => self.suspend(at, line.arguments),
            event => {
                if let Some(command) = event.strip_prefix("cmd_") {
                    self.run(at, command, line.arguments, out);
                }
            }
        }
    }

    fn finish(&mut self, out: &mut Sink) {
        if !self.begun {
            return;
        }
        let now = self.last;
        if !self.has_clock {
            unobserved(now, "the log has no times: a line counts as a nanosecond", out);
        }
        let suspended = self.suspended.take();
        let waited = self.waited_for(now, out);
        if let (Some(oldest), true) = (waited.first(), suspended.is_none()) {
            let since = self.open.get(oldest).map_or(now, |fence| fence.asked);
            unobserved(
                now,
                "whether the display blocks the renderer (QEMU before 9.2 does not log it)",
                out,
            );
            hold(
                since,
                ObjectKind::Other,
                "the host GPU's work",
                HOST_GPU,
                "virgl_renderer_poll",
                out,
            );
        }
        if let Some(suspended) = suspended {
            // Only an unmapping is put off by QEMU itself; everything else is, while the display holds the renderer.
            let (holder, label) = match suspended.command {
                UNREF | UNMAP_BLOB => (HOST_GPU, "a mapping that is in use"),
                _ => (DISPLAY, "renderer_blocked"),
            };
            let call = command_name(suspended.command);
            hold(suspended.since, ObjectKind::Block, label, holder, &call, out);
        }
        self.wait(&waited, out);
        if self.lost > 0 {
            out.event(now, GUEST, What::Lost { count: self.lost });
        }
    }

    fn now(&self) -> Option<Timestamp> {
        self.begun.then_some(Timestamp(self.last))
    }
}

impl QemuLog {
    fn begin(&mut self, at: u64, out: &mut Sink) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let agents = [
            (GUEST, AgentKind::GuestThread, "guest driver"),
            (RENDERER, AgentKind::RingHost, "virtio-gpu renderer"),
            (HOST_GPU, AgentKind::Outside, "the host's GPU"),
            (DISPLAY, AgentKind::Outside, "the display client"),
        ];
        for (agent, kind, name) in agents {
            out.event(at, agent, What::Agent { kind, name: name.to_owned(), pid: 0, tid: 0 });
        }
    }

    fn ask(&mut self, at: u64, arguments: &str, out: &mut Sink) {
        let Some(fence) = number(arguments, "fence") else {
            return out.complain(None, "a fence is asked for without its number");
        };
        if self.open.len() >= OPEN_MAX {
            self.open.pop_first();
            self.lost += 1;
        }
        self.asked += 1;
        let name = number(arguments, "type").map_or_else(|| "a command".to_owned(), command_name);
        let label = format!("{name}{}", self.command);
        // A command that was put off is given again under the same number.
        self.open.entry(fence).or_insert(Fence { asked: at, label });
    }

    fn answer(&mut self, at: u64, arguments: &str, out: &mut Sink) {
        let Some(fence) = number(arguments, "fence") else {
            return out.complain(None, "a fence is answered without its number");
        };
        self.open.remove(&fence);
        self.answered = self.answered.max(Some(fence));
        out.event(at, RENDERER, What::Progress { what: "answered a fence".to_owned() });
    }

    fn suspend(&mut self, at: u64, arguments: &str) {
        let command = number(arguments, "cmd").unwrap_or(0);
        let again = self.suspended.take().filter(|before| before.command == command);
        let since = again.map_or(at, |before| before.since);
        self.suspended = Some(Suspended { since, command, is_retried: false });
    }

    /// The renderer takes up a command.
    fn run(&mut self, at: u64, command: &str, arguments: &str, out: &mut Sink) {
        match &mut self.suspended {
            Some(suspended) if !suspended.is_retried => suspended.is_retried = true,
            suspended => *suspended = None,
        }
        let resource = number(arguments, "res");
        let shown = resource.zip(number(arguments, "id"));
        let shows = command.starts_with("set_scanout") && self.scanouts.len() < SCANOUTS_MAX;
        if let Some((resource, scanout)) = shown.filter(|_| shows) {
            self.scanouts.insert(resource, scanout);
        }
        let scanout = resource.and_then(|resource| self.scanouts.get(&resource));
        self.command = match (number(arguments, "ctx"), resource, scanout) {
            (Some(context), ..) => format!(" of context {context:#x}"),
            (None, Some(resource), Some(scanout)) => {
                format!(" of resource {resource:#x} on scanout {scanout}")
            }
            (None, Some(resource), None) => format!(" of resource {resource:#x}"),
            (None, None, _) => String::new(),
        };
        if command == "res_flush" {
            let what = match scanout {
                Some(scanout) => format!("flushed scanout {scanout}"),
                None => "flushed a resource".to_owned(),
            };
            out.event(at, GUEST, What::Progress { what });
        }
    }

    /// The fences in flight that count as waited for.
    fn waited_for(&self, now: u64, out: &mut Sink) -> Vec<u64> {
        let passed_over = |fence: &u64| self.answered.is_some_and(|answered| *fence < answered);
        let over = self.open.keys().filter(|fence| passed_over(fence)).count() as u64;
        let merges = over.saturating_mul(PASSED_OVER_ONE_IN) > self.asked;
        if over > 0 && merges {
            let text = "which fences were answered: this QEMU logs one answer for several";
            unobserved(now, text, out);
        }
        let waited = self.open.keys().copied().filter(|fence| !(merges && passed_over(fence)));
        waited.take(POINTS_MAX).collect()
    }

    /// The guest waits for its fences, which the renderer owes.
    fn wait(&self, waited: &[u64], out: &mut Sink) {
        let mut points = Vec::new();
        let mut since = u64::MAX;
        for (number, object) in waited.iter().zip(1..) {
            let Some(fence) = self.open.get(number) else { continue };
            let point = Point { object: ObjectId(object), value: *number };
            let (kind, label) = (ObjectKind::DmaFence, fence.label.clone());
            let about =
                What::Object { object: point.object, kind, handle: *number, label, shared: false };
            out.event(fence.asked, GUEST, about);
            out.event(fence.asked, RENDERER, What::Owed { point, after: None, via: Some(GUEST) });
            since = since.min(fence.asked);
            points.push(point);
        }
        if !points.is_empty() {
            let call = "virtio_gpu_fence_ctrl".to_owned();
            let what = What::WaitBegan { call, points, mode: Mode::All, bound: Bound::Infinite };
            out.event(since, GUEST, what);
        }
    }
}

/// Lets the renderer wait for what somebody outside owes.
fn hold(since: u64, kind: ObjectKind, label: &str, holder: AgentId, call: &str, out: &mut Sink) {
    let (object, label) = (HOLD, label.to_owned());
    out.event(since, RENDERER, What::Object { object, kind, handle: 0, label, shared: false });
    let point = Point::next(object);
    out.event(since, holder, What::Owed { point, after: None, via: None });
    let (call, points) = (call.to_owned(), vec![point]);
    let what = What::WaitBegan { call, points, mode: Mode::All, bound: Bound::Infinite };
    out.event(since, RENDERER, what);
}

fn unobserved(at: u64, text: &str, out: &mut Sink) {
    let (kind, text) = (MarkKind::Unobserved, text.to_owned());
    out.event(at, RENDERER, What::Mark { kind, text, objects: Vec::new() });
}

const UNREF: u64 = 0x102;
const UNMAP_BLOB: u64 = 0x209;

/// A command of the ring (virtio specification 1.2, section 5.7.6.7).
fn command_name(command: u64) -> String {
    let name = match command {
        0x101 => "RESOURCE_CREATE_2D",
        UNREF => "RESOURCE_UNREF",
        0x103 => "SET_SCANOUT",
        0x104 => "RESOURCE_FLUSH",
        0x105 => "TRANSFER_TO_HOST_2D",
        0x106 => "RESOURCE_ATTACH_BACKING",
        0x107 => "RESOURCE_DETACH_BACKING",
        0x10c => "RESOURCE_CREATE_BLOB",
        0x10d => "SET_SCANOUT_BLOB",
        0x200 => "CTX_CREATE",
        0x201 => "CTX_DESTROY",
        0x202 => "CTX_ATTACH_RESOURCE",
        0x203 => "CTX_DETACH_RESOURCE",
        0x204 => "RESOURCE_CREATE_3D",
        0x205 => "TRANSFER_TO_HOST_3D",
        0x206 => "TRANSFER_FROM_HOST_3D",
        0x207 => "SUBMIT_3D",
        0x208 => "RESOURCE_MAP_BLOB",
        UNMAP_BLOB => "RESOURCE_UNMAP_BLOB",
        0x300 => "UPDATE_CURSOR",
        0x301 => "MOVE_CURSOR",
        other => return format!("command {other:#x}"),
    };
    name.to_owned()
}
