//! Is what is read the same however the work is divided and however the input is stored?

use std::any::Any;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use unwedge_readers::{BlockReader, Complaints, LINE_BYTES_MAX, LineReader, Reading, Sink};
use unwedge_trace::row::{Batch, Key, Op, Row};
use unwedge_trace::{AgentId, MarkKind, Timestamp, What};

use super::*;

/// What a line of the tests' own format says: a time, and what happened then.
fn parse(line: &[u8]) -> Result<(u64, String), String> {
    let text = String::from_utf8(line.to_vec()).map_err(|_| "not text".to_owned())?;
    let (at, what) = text.split_once(' ').ok_or("no space")?;
    let at = at.parse().map_err(|_| format!("{at:?} is not a time"))?;
    Ok((at, what.to_owned()))
}

fn lines_of(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    })
}

/// Reads the format by blocks. Its scratch counts calls, and must not matter.
struct ByBlocks;

impl BlockReader for ByBlocks {
    fn scratch(&self) -> Box<dyn Any + Send> {
        Box::new(0_u64)
    }

    fn read(
        &self,
        block: &[u8],
        scratch: &mut (dyn Any + Send),
        out: &mut Batch,
        complaints: &mut Complaints,
    ) -> u64 {
        *scratch.downcast_mut::<u64>().expect("our own scratch") += 1;
        assert!(out.rows.is_empty() && out.agents.is_empty() && out.names.is_empty());
        out.agents.push(unwedge_trace::row::AgentEntry::unknown(Key::Number(0)));
        let mut number = 0;
        for line in lines_of(block) {
            number += 1;
            assert!(line.len() <= LINE_BYTES_MAX);
            match parse(line) {
                _ if line.is_empty() => {}
                Err(why) => complaints.add(number, Some(1), why),
                Ok((at, what)) => {
                    let name = u32::try_from(out.names.len()).expect("few names");
                    out.names.push(what.into());
                    out.rows.push(Row { name, ..Row::new(at, 0, Op::Mark) });
                }
            }
        }
        number
    }

    fn now(&self) -> Option<Timestamp> {
        Some(Timestamp(7))
    }
}

/// Reads the format line by line; what it says depends on the line before.
#[derive(Default)]
struct ByLines {
    held: Option<(u64, String)>,
}

impl ByLines {
    fn flush(&mut self, out: &mut Sink) {
        if let Some((at, text)) = self.held.take() {
            let (kind, objects) = (MarkKind::Log, Vec::new());
            out.event(at, AgentId(0), What::Mark { kind, text, objects });
        }
    }
}

impl LineReader for ByLines {
    fn line(&mut self, line: &[u8], out: &mut Sink) {
        match parse(line) {
            _ if line.is_empty() => {}
            Err(why) => out.complain(Some(1), why),
            Ok(event) => {
                self.flush(out);
                self.held = Some(event);
            }
        }
    }

    fn finish(&mut self, out: &mut Sink) {
        self.flush(out);
    }

    fn now(&self) -> Option<Timestamp> {
        Some(Timestamp(7))
    }
}

type Rows = Vec<(u64, String)>;

fn keep(rows: &mut Rows, batch: &Batch) {
    rows.extend(batch.rows.iter().map(|row| (row.at, batch.name(row.name).to_owned())));
}

fn input(path: &Path, reading: Reading, tuning: Tuning) -> Input {
    let source = Source::open(path).expect("a source");
    let feed = source.into_feed(tuning.block_bytes);
    Input { source: "test".to_owned(), body: Body::Text { feed, reading }, tuning }
}

fn folded(input: Input) -> (Rows, Ended) {
    let mut rows = Rows::new();
    let ended =
        input.fold(&Progress::hidden(), Rows::new, Vec::len, keep, |part| rows.extend(part));
    (rows, ended)
}

/// The same bytes, stored in every way.
fn stored(folder: &Path, bytes: &[u8]) -> Vec<std::path::PathBuf> {
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).expect("a file");
        path
    };
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let zstd = |part| zstd::encode_all(part, 1).expect("compressed");
    let gzip = |part| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(part).expect("compressed");
        encoder.finish().expect("compressed")
    };
    vec![
        write("plain", bytes),
        write("marked", &[b"\xef\xbb\xbf", bytes].concat()),
        write("frames.zst", &[zstd(first), zstd(second)].concat()),
        write("members.gz", &[gzip(first), gzip(second)].concat()),
    ]
}

/// Reads `bytes` in every way and sees that each gives what reading them in one piece gives.
fn check(bytes: &[u8]) -> (Rows, Ended) {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = Tuning { threads: 1, block_bytes: 1 << 30, run_blocks: 1, stretch_bytes: 1 << 30 };
    let paths = stored(folder.path(), bytes);
    let expected = folded(input(&paths[0], Reading::Blocks(Box::new(ByBlocks)), whole));
    for path in &paths {
        for (threads, block_bytes, stretch_bytes) in [
            (1, 1, 1),
            (2, 2, 1 << 20),
            (3, 7, 3),
            (1, 64, 10),
            (2, 4096, 100),
            (3, 1 << 20, 1 << 16),
            (2, 2 << 20, 256 << 10),
        ] {
            // Without optimisation decompression of much text takes seconds.
            let slow = bytes.len() > 1 << 20 && path.ends_with("members.gz") && threads != 3;
            if slow || bytes.len() / block_bytes > 50_000 {
                continue;
            }
            let tuning =
                Tuning { threads, block_bytes, run_blocks: 1 + threads as u64 % 3, stretch_bytes };
            for by_blocks in [true, false] {
                let reading = || match by_blocks {
                    true => Reading::Blocks(Box::new(ByBlocks)),
                    false => Reading::Lines(Box::new(ByLines::default())),
                };
                let what = format!("{path:?} by blocks: {by_blocks}, {tuning:?}");
                let (rows, ended) = folded(input(path, reading(), tuning));
                assert!(rows == expected.0, "{what}: other rows");
                assert_eq!(ended, expected.1, "{what}");
                let mut rows = Rows::new();
                let each = input(path, reading(), tuning).each(&Progress::hidden(), |batch| {
                    keep(&mut rows, &batch);
                    Ok(())
                });
                assert!(rows == expected.0, "{what}: other rows one by one");
                assert_eq!(each.expect("nothing fails"), expected.1, "{what}");
            }
        }
    }
    expected
}

/// The complaints, as they are printed.
fn said(ended: &Ended) -> Vec<String> {
    ended.complaints.first().iter().map(ToString::to_string).collect()
}

#[test]
fn lines_come_whole_and_in_order() {
    let text: String = (0..3000).map(|n| format!("{n} {}\n", "x".repeat(n % 90))).collect();
    let (rows, ended) = check(text.as_bytes());
    assert_eq!((rows.len(), ended.rows, ended.lines), (3000, 3000, 3000));
    assert_eq!((ended.bytes, ended.now), (text.len() as u64, Some(Timestamp(7))));
    assert!(said(&ended).is_empty() && rows.is_sorted_by_key(|(at, _)| *at));
}

#[test]
fn ends_of_lines_may_be_of_any_sort() {
    for (text, lines, rows) in [
        ("1 a\r\n2 b\r\n3 c\r\n", 3, 3),
        ("1 a\n2 b\n3 c", 3, 3),
        ("1 a", 1, 1),
        ("\n\n\n\n", 4, 0),
        ("\n", 1, 0),
        ("\n\n1 a\n\n", 4, 1),
        ("\r\n1 a\r\n\r\n", 3, 1),
    ] {
        let (found, ended) = check(text.as_bytes());
        assert_eq!((ended.lines, found.len()), (lines, rows), "{text:?}");
        assert_eq!(said(&ended), Vec::<String>::new(), "{text:?}");
    }
}

#[test]
fn what_cannot_be_read_is_named_by_its_line() {
    let (rows, ended) = check(b"1 a\nNaN b\n\n2 c\n\x00\xff\xfe\n3 d\nto");
    assert_eq!(rows.len(), 3);
    assert_eq!(
        said(&ended),
        [
            "line 2: \"NaN\" is not a time, column 1",
            "line 5: not text, column 1",
            "line 7: no space, column 1"
        ]
    );
    assert!(ended.refuse_nothing(Path::new("x")).is_ok());
    let (_, ended) = check(b"NaN b\nmore\n");
    assert!(ended.refuse_nothing(Path::new("x")).is_err());
    let many = "nonsense\n".repeat(500);
    let (_, ended) = check(many.as_bytes());
    assert_eq!((ended.complaints.count(), ended.lines), (500, 500));
}

#[test]
fn gigantic_lines_are_left_out() {
    let gigantic = |length: usize| "x".repeat(length);
    let text = [
        "1 a\n".to_owned(),
        gigantic(LINE_BYTES_MAX + 1) + "\n",
        "2 b\n".to_owned(),
        gigantic(LINE_BYTES_MAX * 5 / 4) + "\n",
        gigantic(LINE_BYTES_MAX * 5 / 2) + "\n",
        "3 ".to_owned() + &gigantic(LINE_BYTES_MAX - 2) + "\n",
        gigantic(LINE_BYTES_MAX + 9),
    ]
    .concat();
    let (rows, ended) = check(text.as_bytes());
    assert_eq!(rows.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1, 2, 3]);
    let skipped = |line| format!("line {line}: longer than {LINE_BYTES_MAX} bytes, skipped");
    assert_eq!(said(&ended), [skipped(2), skipped(4), skipped(5), skipped(7)]);
    assert_eq!((ended.lines, ended.bytes), (7, text.len() as u64));
}

#[test]
fn a_hole_in_a_file_is_one_line_that_is_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("holes");
    let mut file = fs::File::create(&path).expect("a file");
    file.write_all(b"1 a\n").expect("written");
    file.set_len(64 << 30).expect("its length");
    let reading = Reading::Blocks(Box::new(ByBlocks));
    let (rows, ended) = folded(input(&path, reading, Tuning::default()));
    assert_eq!((rows.len(), ended.lines, ended.bytes), (1, 2, 64 << 30));
    assert_eq!(said(&ended), [format!("line 2: longer than {LINE_BYTES_MAX} bytes, skipped")]);
}

#[test]
fn a_file_that_grows_is_read_to_the_length_that_it_had() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("grows");
    fs::write(&path, "1 a\n2 b\n").expect("a file");
    let input = input(&path, Reading::Blocks(Box::new(ByBlocks)), Tuning::default());
    let mut file = fs::File::options().append(true).open(&path).expect("the file");
    file.write_all(b"3 c\n").expect("written");
    let (rows, ended) = folded(input);
    assert_eq!((rows.len(), said(&ended)), (2, vec![]));
}

#[test]
fn a_file_that_shrinks_is_read_as_far_as_it_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("shrinks");
    fs::write(&path, "1 abc\n".repeat(1000)).expect("a file");
    for block_bytes in [1, 100, 1 << 20] {
        let tuning = Tuning { threads: 2, block_bytes, run_blocks: 1, stretch_bytes: 100 };
        fs::write(&path, "1 abc\n".repeat(1000)).expect("a file");
        let input = input(&path, Reading::Blocks(Box::new(ByBlocks)), tuning);
        fs::File::options().write(true).open(&path).expect("it").set_len(63).expect("its length");
        let (rows, ended) = folded(input);
        // The eleventh line is cut behind "1 a", but that can still be read here.
        assert!((10..=11).contains(&rows.len()), "{block_bytes}: {}", rows.len());
        assert_eq!(said(&ended), ["it became shorter while it was read"], "{block_bytes}");
    }
}

#[test]
fn what_breaks_off_is_read_as_far_as_it_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let text: String =
        (0..200_000_u64).map(|n| format!("{n} {}\n", n * 77_777 % 1_000_003)).collect();
    let paths = stored(folder.path(), text.as_bytes());
    for path in &paths[2..] {
        let whole = fs::read(path).expect("a file");
        let read = |bytes: &[u8]| {
            fs::write(path, bytes).expect("a file");
            folded(input(path, Reading::Blocks(Box::new(ByBlocks)), Tuning::default()))
        };
        let (rows, ended) = read(&whole[..whole.len() * 3 / 4]);
        assert!((100_000..190_000).contains(&rows.len()), "{path:?}: {}", rows.len());
        let told = said(&ended).pop().expect("a complaint");
        assert!(
            told.starts_with("it breaks off after ")
                && told.ends_with("bytes: the compressed data ends in the middle"),
            "{path:?}: {told}"
        );
        let (rows, ended) = read(&[&whole, &b"garbage behind the end"[..]].concat());
        assert_eq!((rows.len(), ended.complaints.count()), (200_000, 1), "{path:?}");
    }
}

#[test]
fn an_early_end_of_who_takes_the_rows_ends_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("many");
    fs::write(&path, "1 abc\n".repeat(100_000)).expect("a file");
    let tuning = Tuning { threads: 2, block_bytes: 1000, run_blocks: 1, stretch_bytes: 100 };
    let mut taken = 0;
    let reading = Reading::Blocks(Box::new(ByBlocks));
    let ended = input(&path, reading, tuning).each(&Progress::hidden(), |_| {
        taken += 1;
        if taken == 3 { Err(Error::NoProgram) } else { Ok(()) }
    });
    assert!(matches!(ended, Err(Error::NoProgram)) && taken == 3);
}

/// Segments that lie ready.
struct Ready;

impl Segments for Ready {
    fn count(&self) -> u64 {
        50
    }

    fn read(&self, segment: u64, complaints: &mut Complaints, out: &mut dyn FnMut(&mut Batch)) {
        if segment == 13 {
            return complaints.add(0, None, "segment 13 is missing");
        }
        for half in 0..2 {
            let rows = vec![Row::new(segment * 2 + half, 0, Op::Progress)];
            out(&mut Batch { rows, ..Batch::default() });
        }
    }

    fn now(&self) -> Option<Timestamp> {
        None
    }
}

#[test]
fn segments_come_in_order() {
    for threads in [1, 2, 5] {
        let tuning = Tuning { threads, ..Tuning::default() };
        let body = Body::Store(Box::new(Ready));
        let (rows, ended) = folded(Input { source: "a store".to_owned(), body, tuning });
        let expected: Vec<u64> = (0..100).filter(|at| *at / 2 != 13).collect();
        assert_eq!(rows.iter().map(|(at, _)| *at).collect::<Vec<_>>(), expected);
        assert_eq!((ended.rows, said(&ended)), (98, vec!["segment 13 is missing".to_owned()]));
    }
}
