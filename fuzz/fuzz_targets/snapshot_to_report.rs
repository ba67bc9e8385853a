//! Can a black box that lies, or a look at its process that does not fit it, make the way to a report
//! panic?
#![no_main]

mod patched;
mod sources;

use libfuzzer_sys::fuzz_target;
use unwedge_analyze::{Options, analyze};
use unwedge_trace::blackbox::Snapshot;

use sources::observations::{
    EngineSeen, FutexSeen, Observations, ProcessState, SyscallSeen, ThreadSeen,
};

fuzz_target!(|data: &[u8]| {
    let Some((look, data)) = data.split_at_checked(12) else { return };
    let seen = observations(look);
    patched::with(data, |bytes, _| {
        let Ok(snapshot) = Snapshot::decode(bytes) else { return };
        let recording = sources::blackbox::recording(&snapshot, &seen);
        let report = analyze(&recording, &Options { patience_ns: 1_000_000_000 });
        assert!(report.findings.iter().all(|finding| !finding.sentence.is_empty()));
    });
});

/// What is seen of the process, from twelve bytes.
fn observations(look: &[u8]) -> Observations {
    let process = match look[0] % 4 {
        0 => ProcessState::Running,
        1 => ProcessState::Gone,
        2 => ProcessState::Stopped,
        _ => ProcessState::Unknown,
    };
    let now = 1_000_000_000_000 + u64::from(look[1]) * 100_000_000;
    let threads = look[4..].iter().filter(|byte| **byte != 0).map(|byte| thread(*byte)).collect();
    let engines = vec![(usize::from(look[2] % 3), engine(look[3]))];
    Observations { now, process, threads, engines }
}

fn engine(byte: u8) -> EngineSeen {
    match byte % 3 {
        0 => EngineSeen::Working("so".to_owned()),
        1 => EngineSeen::Idle("so".to_owned()),
        _ => EngineSeen::Unknown("so".to_owned()),
    }
}

fn thread(byte: u8) -> ThreadSeen {
    let bit = |place: u8| byte >> place & 1 == 1;
    let tid = 1 + u32::from(byte & 7);
    let futex = FutexSeen {
        address: 0x7f00 + u64::from(byte & 3),
        word: 2,
        operation: 0,
        expected: 2,
        infinite: bit(3),
        owner_tid: bit(4).then_some(tid % 8 + 1),
    };
    ThreadSeen {
        tid,
        name: "thread".to_owned(),
        state: if bit(5) { 'S' } else { 'R' },
        in_syscall: bit(5).then(|| SyscallSeen {
            number: 202,
            name: "futex".to_owned(),
            args: [0; 6],
        }),
        stuck_ns: bit(6).then_some(3_000_000_000),
        futex: bit(7).then_some(futex),
        joins_tid: None,
    }
}
