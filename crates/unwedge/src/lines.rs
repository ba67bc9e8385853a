//! How do rows become lines of JSON, millions in a second? Byte for byte what serde_json writes for their events.

use unwedge_trace::row::{
    Batch, NONE, Op, Row, outcome_from_code, priority_from_value, state_from_code, wait_from_code,
};
use unwedge_trace::{AgentState, Bound, Mode, NEXT, Outcome, Timestamp};

/// Where lines go.
type Out = Vec<u8>;

/// Adds a line for each agent and object of the batch that is introduced, at the time `at`.
pub(crate) fn introductions(batch: &Batch, at: Timestamp, out: &mut Out) {
    batch.introductions(at).iter().for_each(|event| plain(event, out));
}

/// Adds a line for each event of the batch's rows. Places in its tables are the ids.
pub(crate) fn rows(batch: &Batch, out: &mut Out) {
    let names: Vec<Box<[u8]>> = batch.names.iter().map(|name| quoted(name)).collect();
    let mut rest = batch.rows.as_slice();
    while let Some((row, behind)) = rest.split_first() {
        let more = behind.iter().take_while(|row| matches!(row.op, Op::MorePoint | Op::MoreObject));
        let (more, after) = behind.split_at(more.count());
        Line { batch, names: &names, out }.event(row, more);
        rest = after;
    }
}

/// What has no writer of its own here.
fn plain(event: &unwedge_trace::Event, out: &mut Out) {
    // An event has string keys only and no type that refuses to serialise, and memory takes it.
    let _ = serde_json::to_writer(&mut *out, event);
    out.push(b'\n');
}

/// A text with its quotes, escaped.
fn quoted(text: &str) -> Box<[u8]> {
    serde_json::to_vec(text).unwrap_or_default().into()
}

struct Line<'a> {
    batch: &'a Batch,
    names: &'a [Box<[u8]>],
    out: &'a mut Out,
}

impl Line<'_> {
    fn event(&mut self, row: &Row, more: &[Row]) {
        let known = match row.op {
            Op::WaitBegan | Op::Owed | Op::Signalled => row.object != NONE,
            Op::WaitEnded | Op::Reset | Op::State | Op::Progress => true,
            _ => false,
        };
        if !known {
            if let Some(event) = self.batch.event(row, more) {
                plain(&event, self.out);
            }
            return;
        }
        self.text(b"{\"at\":");
        self.number(row.at);
        self.text(b",\"agent\":");
        self.number(u64::from(row.agent));
        match row.op {
            Op::WaitBegan => self.wait_began(row, more),
            Op::WaitEnded => self.wait_ended(outcome_from_code(row.code)),
            Op::Owed => self.owed(row),
            Op::Signalled => {
                self.text(b",\"signalled\":{\"point\":");
                self.point(row.object, row.value);
                self.text(b"}}\n");
            }
            Op::Reset => {
                self.text(b",\"reset\":{\"object\":");
                self.number(u64::from(row.object));
                self.text(b"}}\n");
            }
            Op::State => self.state(row),
            _ => {
                self.text(b",\"progress\":{\"what\":");
                self.name(row.name);
                self.text(b"}}\n");
            }
        }
    }

    fn wait_began(&mut self, row: &Row, more: &[Row]) {
        let (bound, mode) = wait_from_code(row.code, row.amount);
        self.text(b",\"wait_began\":{\"call\":");
        self.name(row.name);
        self.text(b",\"points\":[");
        self.point(row.object, row.value);
        for row in more.iter().filter(|row| row.object != NONE) {
            self.text(b",");
            self.point(row.object, row.value);
        }
        self.text(match mode {
            Mode::All => b"],\"mode\":\"all\",\"bound\":",
            Mode::Any => b"],\"mode\":\"any\",\"bound\":",
        });
        let (before, amount) = match bound {
            Bound::Infinite => return self.text(b"\"infinite\"}}\n"),
            Bound::Ns(ns) => (b"{\"ns\":".as_slice(), ns),
            Bound::Polls(polls) => (b"{\"polls\":".as_slice(), polls),
        };
        self.text(before);
        self.number(amount);
        self.text(b"}}}\n");
    }

    fn wait_ended(&mut self, outcome: Outcome) {
        self.text(match outcome {
            Outcome::Reached => b",\"wait_ended\":{\"outcome\":\"reached\"}}\n",
            Outcome::TimedOut => b",\"wait_ended\":{\"outcome\":\"timed_out\"}}\n",
            Outcome::Failed => b",\"wait_ended\":{\"outcome\":\"failed\"}}\n",
        });
    }

    fn owed(&mut self, row: &Row) {
        self.text(b",\"owed\":{\"point\":");
        self.point(row.object, row.value);
        self.text(b",\"after\":");
        match row.object2 {
            NONE => self.text(b"null"),
            object => self.point(object, row.value2),
        }
        self.text(b",\"via\":");
        match row.agent2 {
            NONE => self.text(b"null"),
            agent => self.number(u64::from(agent)),
        }
        self.text(b"}}\n");
    }

    fn state(&mut self, row: &Row) {
        self.text(match state_from_code(row.code) {
            AgentState::Running => b",\"state\":{\"state\":\"running\",\"detail\":",
            AgentState::Ready => b",\"state\":{\"state\":\"ready\",\"detail\":",
            AgentState::Blocked => b",\"state\":{\"state\":\"blocked\",\"detail\":",
            AgentState::Exited => b",\"state\":{\"state\":\"exited\",\"detail\":",
            AgentState::Unknown => b",\"state\":{\"state\":\"unknown\",\"detail\":",
        });
        self.name(row.name);
        let cpu = row.amount.checked_sub(1).filter(|cpu| u32::try_from(*cpu).is_ok());
        if let Some(cpu) = cpu {
            self.text(b",\"cpu\":");
            self.number(cpu);
        }
        if let Some(priority) = priority_from_value(row.value) {
            self.text(b",\"priority\":");
            self.text(itoa::Buffer::new().format(priority).as_bytes());
        }
        self.text(b"}}\n");
    }

    #[inline]
    fn point(&mut self, object: u32, value: u64) {
        self.text(b"{\"object\":");
        self.number(u64::from(object));
        if value == NEXT {
            return self.text(b",\"value\":\"next\"}");
        }
        self.text(b",\"value\":");
        self.number(value);
        self.text(b"}");
    }

    #[inline]
    fn name(&mut self, place: u32) {
        match self.names.get(place as usize) {
            Some(name) => self.out.extend_from_slice(name),
            None => self.text(b"\"\""),
        }
    }

    #[inline]
    fn number(&mut self, number: u64) {
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    #[inline]
    fn text(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unwedge_sim::Random;
    use unwedge_trace::row::{AgentEntry, Key, ObjectEntry};
    use unwedge_trace::{AgentKind, ObjectKind};

    fn number(random: &mut Random) -> u64 {
        let small = random.below(12);
        [small, small * 1_000_003, random.number(), NEXT, u64::from(u32::MAX) + 1, 0]
            [usize::try_from(random.below(6)).expect("small")]
    }

    fn place(random: &mut Random) -> u32 {
        let some = u32::try_from(random.below(4)).expect("small");
        if random.in_a_million(200_000) { NONE } else { some }
    }

    /// Rows of every sort, sensible or not, as a store that lies might have them.
    fn batch(random: &mut Random, rows: usize) -> Batch {
        let key = Key::Number;
        let mut agents: Vec<_> = (0..4).map(|id| AgentEntry::unknown(key(id))).collect();
        agents[1].introduce(AgentKind::HostThread, "ma\"in\n", 4100, 4100);
        let mut objects: Vec<_> = (0..4).map(|id| ObjectEntry::unknown(key(id))).collect();
        objects[2].introduce(ObjectKind::Fence, u64::MAX, "\u{1}\\ frame \u{fffd}", true);
        let names = ["vkWaitForFences", "", "a \"quoted\"\tname \u{7f}\u{2028}é"];
        let mut row = || {
            let random = &mut *random;
            let op = *random.pick(&Op::ALL).expect("some");
            Row {
                at: number(random),
                value: number(random),
                amount: number(random),
                value2: number(random),
                agent: place(random),
                object: place(random),
                object2: place(random),
                agent2: place(random),
                name: place(random),
                op,
                code: u8::try_from(random.below(24)).expect("small"),
            }
        };
        let rows = (0..rows).map(|_| row()).collect();
        Batch { rows, agents, objects, names: names.map(Box::from).into() }
    }

    /// As serde_json writes them.
    fn expected(batch: &Batch) -> String {
        let mut text = String::new();
        for event in batch.events() {
            text += &serde_json::to_string(&event).expect("JSON");
            text.push('\n');
        }
        text
    }

    #[test]
    fn lines_of_rows_are_what_serde_writes_of_their_events() {
        for seed in 0..400 {
            let batch = batch(&mut Random::new(seed), 50);
            let mut lines = Vec::new();
            introductions(&batch, Timestamp(batch.rows[0].at), &mut lines);
            rows(&batch, &mut lines);
            assert_eq!(String::from_utf8(lines).expect("UTF-8"), expected(&batch), "seed {seed}");
        }
    }
}
