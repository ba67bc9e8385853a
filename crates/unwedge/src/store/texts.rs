//! How are the small choices of a row written out, and read again?

use std::sync::OnceLock;

use parquet::data_type::ByteArray;
use serde::Serialize;
use unwedge_trace::row::{
    ENDS_WITH_NEXT_EVENT, Op, agent_kind_from_code, mark_code, mark_from_code, object_kind_code,
    object_kind_from_code, outcome_code, outcome_from_code, state_code, state_from_code,
};
use unwedge_trace::{AgentKind, ObjectKind};

/// The text of every op, as in the JSON Lines form where that has one.
pub(super) fn op_text(op: Op) -> &'static str {
    match op {
        Op::WaitBegan => "wait_began",
        Op::MorePoint => "more_point",
        Op::WaitEnded => "wait_ended",
        Op::Owed => "owed",
        Op::Signalled => "signalled",
        Op::Reset => "reset",
        Op::Aliased => "aliased",
        Op::State => "state",
        Op::Progress => "progress",
        Op::Mark => "mark",
        Op::MoreObject => "more_object",
        Op::Lost => "lost",
        Op::Coverage => "coverage",
    }
}

/// The other way round; a text of a later version has none.
pub(super) fn op_from_text(text: &[u8]) -> Option<Op> {
    Op::ALL.into_iter().find(|op| op_text(*op).as_bytes() == text)
}

/// The text of an op's code: none where the op has no code and it is 0, its number where this version has no word
/// for it.
fn code_text(op: Op, code: u8) -> Option<String> {
    let known = |name: String, again: u8| if again == code { name } else { code.to_string() };
    Some(match op {
        Op::WaitBegan => wait_text(code),
        Op::WaitEnded => {
            known(name(outcome_from_code(code)), outcome_code(outcome_from_code(code)))
        }
        Op::State => known(name(state_from_code(code)), state_code(state_from_code(code))),
        Op::Mark => known(name(mark_from_code(code)), mark_code(mark_from_code(code))),
        Op::Coverage => {
            known(name(object_kind_from_code(code)), object_kind_code(object_kind_from_code(code)))
        }
        _ if code == 0 => return None,
        _ => code.to_string(),
    })
}

/// "bounded any": the sort of bound, and what else the code of a wait says.
fn wait_text(code: u8) -> String {
    let bound = match code & 3 {
        0 => "infinite",
        1 => "bounded",
        2 => "polls",
        _ => return code.to_string(),
    };
    if code & !(7 | ENDS_WITH_NEXT_EVENT) != 0 {
        return code.to_string();
    }
    let any = if code & 4 == 0 { "" } else { " any" };
    let next = if code & ENDS_WITH_NEXT_EVENT == 0 { "" } else { " until_next_event" };
    format!("{bound}{any}{next}")
}

/// The name that a choice has in the JSON Lines form.
fn name(choice: impl Serialize) -> String {
    // Choices without fields are written as their name, which cannot fail.
    serde_json::to_value(choice)
        .ok()
        .and_then(|value| Some(value.as_str()?.to_owned()))
        .unwrap_or_default()
}

/// Every text of ops and codes, ready to be written.
pub(super) struct Texts {
    ops: Vec<ByteArray>,
    codes: Vec<Vec<Option<ByteArray>>>,
}

impl Texts {
    /// The one table.
    pub(super) fn all() -> &'static Self {
        static TEXTS: OnceLock<Texts> = OnceLock::new();
        TEXTS.get_or_init(|| {
            let codes =
                |op| (0..=u8::MAX).map(move |code| Some(bytes(code_text(op, code)?))).collect();
            let ops = Op::ALL.into_iter().map(|op| bytes(op_text(op).to_owned())).collect();
            Self { ops, codes: Op::ALL.into_iter().map(codes).collect() }
        })
    }

    pub(super) fn op(&self, op: Op) -> &ByteArray {
        &self.ops[op as usize - 1]
    }

    pub(super) fn code(&self, op: Op, code: u8) -> Option<&ByteArray> {
        self.codes[op as usize - 1][usize::from(code)].as_ref()
    }

    /// The code of a text; what a later version says reads as the last choice.
    pub(super) fn code_from_text(&self, op: Op, text: &[u8]) -> u8 {
        let same =
            |known: &Option<ByteArray>| known.as_ref().is_some_and(|known| known.data() == text);
        let place = self.codes[op as usize - 1].iter().position(same);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX)
    }
}

/// Static, so that a copy is a copy of the address: there are few, and they are made once.
fn bytes(text: String) -> ByteArray {
    let text: &'static str = Box::leak(text.into_boxed_str());
    ByteArray::from(bytes::Bytes::from_static(text.as_bytes()))
}

/// The texts of what agents are, by code.
pub(super) fn agent_kind_text(kind: AgentKind) -> String {
    name(kind)
}

/// The other way round.
pub(super) fn agent_kind_from_text(text: &str) -> AgentKind {
    serde_json::from_value(text.into()).unwrap_or_else(|_| agent_kind_from_code(u8::MAX))
}

/// The text of what an object is.
pub(super) fn object_kind_text(kind: ObjectKind) -> String {
    name(kind)
}

/// The other way round.
pub(super) fn object_kind_from_text(text: &str) -> ObjectKind {
    serde_json::from_value(text.into()).unwrap_or_else(|_| object_kind_from_code(u8::MAX))
}
