//! Can words that lie do harm? Random ones over every section of a box, and boxes that are full.

use std::time::{Duration, Instant};

use unwedge_analyze::{Options, analyze};
use unwedge_trace::blackbox::{
    BATCH_PRESENT, FENCES, HeaderRecord, LIVE, QUEUE_BATCHES, QUEUES, RING_CALLS, SECTIONS,
    SEMAPHORES, SHAPES, Section, THREADS, section_offset,
};

use super::rig::{NOW, Rig};
use crate::sources::blackbox::recording;
use crate::sources::observations::{
    EngineSeen, FutexSeen, Observations, ProcessState, SyscallSeen, ThreadSeen,
};

/// Marsaglia's xorshift: reproducible, and good enough to lie with.
struct Random(u64);

impl Random {
    fn any(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.any() % bound
    }

    fn place(&mut self, bound: usize) -> usize {
        (self.any() % bound as u64) as usize
    }

    /// A word that a reader may trip over: a small one, a handle that others use too, a time, a limit.
    fn word(&mut self) -> u64 {
        match self.below(16) {
            0..5 => self.below(6),
            5..8 => 0x50 + self.below(8),
            8..11 => NOW - self.below(20_000_000_000),
            11 => NOW + self.below(20_000_000_000),
            12 => u64::MAX - self.below(3),
            13 => (1 << 63) - 1 + self.below(3),
            14 => 1 << self.below(64),
            _ => self.any(),
        }
    }
}

/// Fills records of a section with words that lie; a box keeps the places, to be emptied again.
fn scribble(
    rig: &mut Rig,
    random: &mut Random,
    section: usize,
    records: usize,
    dirty: &mut Vec<usize>,
) {
    let (count, words) = SHAPES[section];
    let ordered = [Section::Rings, Section::Batches].map(|section| section as usize);
    for _ in 0..records {
        // Near the start, where whatever counts the records in use finds them.
        let near = count.min(if ordered.contains(&section) { 4 * RING_CALLS } else { 64 });
        let place = random.place(near);
        let start = section_offset(section) + place * words;
        for word in 0..words {
            rig.words()[start + word] = random.word();
            dirty.push(start + word);
        }
        if random.below(8) != 0 {
            rig.words()[start] = match section {
                s if s == Section::Batches as usize => {
                    let round = random.below(3) * QUEUE_BATCHES as u64;
                    round + (place % QUEUE_BATCHES) as u64
                }
                s if s == Section::Threads as usize => random.below(4),
                s if s == Section::Rings as usize => NOW - random.below(40_000_000_000),
                _ => LIVE,
            };
        }
    }
}

fn observations(random: &mut Random) -> Observations {
    let process = [
        ProcessState::Running,
        ProcessState::Running,
        ProcessState::Gone,
        ProcessState::Stopped,
        ProcessState::Unknown,
    ][random.place(5)];
    let now = if random.below(4) == 0 { random.word() } else { NOW };
    let threads = (0..random.below(12)).map(|_| thread(random)).collect();
    let engine = |random: &mut Random| match random.below(3) {
        0 => EngineSeen::Working("so".to_owned()),
        1 => EngineSeen::Idle(String::new()),
        _ => EngineSeen::Unknown("it is not known".to_owned()),
    };
    let engines = (0..random.below(4)).map(|_| (random.word() as usize, engine(random))).collect();
    Observations { now, process, threads, engines }
}

fn thread(random: &mut Random) -> ThreadSeen {
    let call = SyscallSeen { number: random.word(), name: "futex".to_owned(), args: [0; 6] };
    let futex = FutexSeen {
        address: random.word(),
        word: random.below(4) as u32,
        operation: random.word() as u32,
        expected: random.below(4) as u32,
        infinite: random.below(2) == 0,
        owner_tid: (random.below(2) == 0).then(|| random.word() as u32),
    };
    ThreadSeen {
        tid: random.word() as u32,
        name: "\u{1b}[31m\0".to_owned(),
        state: ['R', 'S', 'D', 'T'][random.place(4)],
        in_syscall: (random.below(3) > 0).then_some(call),
        stuck_ns: (random.below(3) > 0).then(|| random.word()),
        futex: (random.below(2) == 0).then_some(futex),
        joins_tid: (random.below(4) == 0).then(|| random.word() as u32),
    }
}

/// Writes lies everywhere, reads them, and takes them back; says how long the slowest box took.
fn lie(seed: u64, boxes: usize) -> Duration {
    let mut random = Random(seed);
    let mut rig = Rig::new();
    let clean = rig.words()[..HeaderRecord::WORDS].to_vec();
    let mut slowest = Duration::ZERO;
    for round in 0..boxes {
        let mut dirty = Vec::new();
        for section in 0..SECTIONS {
            let most = if section == Section::Batches as usize { 200 } else { 40 };
            let records = random.place(most);
            scribble(&mut rig, &mut random, section, records, &mut dirty);
        }
        // The first three words say that it is a black box; everything else may lie.
        for word in 3..HeaderRecord::WORDS {
            if random.below(4) == 0 {
                rig.words()[word] = random.word();
            }
        }
        for _ in 0..random.below(2_000) {
            let word = HeaderRecord::WORDS + random.place(rig.words().len() - HeaderRecord::WORDS);
            rig.words()[word] = random.word();
            dirty.push(word);
        }
        let started = Instant::now();
        let recording = recording(&rig.snapshot(), &observations(&mut random));
        let report = analyze(&recording, &Options { patience_ns: random.word() });
        assert!(report.findings.iter().all(|f| !f.sentence.is_empty()), "seed {seed}, {round}");
        slowest = slowest.max(started.elapsed());
        dirty.into_iter().for_each(|word| rig.words()[word] = 0);
        rig.words()[..HeaderRecord::WORDS].copy_from_slice(&clean);
    }
    slowest
}

#[test]
fn lies_do_no_harm_first() {
    assert!(lie(0x9e37_79b9_7f4a_7c15, 100) < Duration::from_secs(10));
}

#[test]
fn lies_do_no_harm_second() {
    assert!(lie(0x2545_f491_4f6c_dd1d, 100) < Duration::from_secs(10));
}

#[test]
fn lies_do_no_harm_third() {
    assert!(lie(0xd1b5_4a32_d192_ed03, 100) < Duration::from_secs(10));
}

/// Every table is full, every batch pending, and every thread in the call that looks at most of it.
#[test]
fn a_full_box_takes_bounded_time() {
    let mut random = Random(7);
    let mut rig = Rig::new();
    let fill = |rig: &mut Rig, section: Section, place: usize, head: &[u64]| {
        let start = section_offset(section as usize) + place * SHAPES[section as usize].1;
        rig.words()[start..start + head.len()].copy_from_slice(head);
    };
    for place in 0..FENCES.min(SEMAPHORES) {
        let handle = 0x1000 + place as u64 * 8;
        fill(&mut rig, Section::Fences, place, &[LIVE, handle, 1, 0, 0, 1, 1, 5]);
        fill(&mut rig, Section::Semaphores, place, &[LIVE, handle, 1, 0, 0, 1 + place as u64 % 2]);
    }
    for queue in 0..QUEUES {
        let submitted = QUEUE_BATCHES as u64;
        fill(&mut rig, Section::Queues, queue, &[LIVE, 0x91, 1, 0, 0, submitted, 0]);
        for sequence in 1..=submitted {
            let kind = 1 + (sequence % 2) * (BATCH_PRESENT - 1);
            let mut batch = vec![sequence, kind, NOW, 10, 0, 1, 8, 8, 1];
            for _ in 0..16 {
                batch.extend([0x1000 + random.below(SEMAPHORES as u64) * 8, random.below(9)]);
            }
            let place = queue * QUEUE_BATCHES + (sequence % submitted) as usize;
            fill(&mut rig, Section::Batches, place, &batch);
        }
    }
    rig.words()[section_offset(0)] = 10;
    for place in 0..THREADS {
        let call = [13, 14, 9, 25, 1, 2][place % 6];
        let mut thread =
            vec![10 + place as u64 % 9, 1, 0, 0, 0, 0, 2, call, 1, 1_000, u64::MAX, 0, 8];
        thread.extend((0..8).map(|_| 0x1000 + random.below(SEMAPHORES as u64) * 8));
        thread.extend((0..8).map(|_| u64::MAX));
        fill(&mut rig, Section::Threads, place, &thread);
    }
    let header = rig.blackbox().header();
    header.threads_used.store(THREADS as u64, std::sync::atomic::Ordering::Relaxed);
    header.queues_used.store(QUEUES as u64, std::sync::atomic::Ordering::Relaxed);
    let started = Instant::now();
    let report = rig.report();
    assert!(report.agents.len() > QUEUES);
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}
