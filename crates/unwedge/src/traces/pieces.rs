//! Where in a block are the lines that are too long to be looked at?

use memchr::{memchr, memrchr};
use unwedge_readers::LINE_BYTES_MAX;

/// A part of a block.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Whole lines, none too long; the block's last one may lack its newline.
    Lines(&'a [u8]),
    /// One line that is longer than [`LINE_BYTES_MAX`].
    Gigantic,
}

/// What is said about a line that is left out.
pub(super) fn gigantic_line() -> String {
    format!("longer than {LINE_BYTES_MAX} bytes, skipped")
}

/// The parts of a block; lines come in stretches of about so many bytes.
pub(super) fn pieces(block: &[u8], stretch_bytes: usize) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = block;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = lines_until(rest, stretch_bytes.max(1));
        if end > 0 {
            let (lines, after) = rest.split_at(end);
            rest = after;
            return Some(Piece::Lines(lines));
        }
        let newline = memchr(b'\n', rest);
        rest = newline.map_or(&[], |at| &rest[at + 1..]);
        Some(Piece::Gigantic)
    })
}

/// Where the stretch of lines at the beginning ends; 0 if the first line is too long.
fn lines_until(rest: &[u8], stretch_bytes: usize) -> usize {
    let mut end = 0;
    while end < rest.len().min(stretch_bytes) {
        // The longest line that may come next, with its newline.
        let next = &rest[end..rest.len().min(end + LINE_BYTES_MAX + 1)];
        let wanted = next.len().min(stretch_bytes - end);
        let newline = memrchr(b'\n', &next[..wanted]);
        let newline = newline.or_else(|| memchr(b'\n', &next[wanted..]).map(|at| wanted + at));
        match newline {
            Some(at) => end += at + 1,
            None if next.len() > LINE_BYTES_MAX => return end,
            None => return rest.len(),
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths of stretches; a gigantic line is `None`.
    fn lengths(block: &[u8], stretch_bytes: usize) -> Vec<Option<usize>> {
        let length = |piece| match piece {
            Piece::Lines(lines) => Some(<[u8]>::len(lines)),
            Piece::Gigantic => None,
        };
        pieces(block, stretch_bytes).map(length).collect()
    }

    #[test]
    fn stretches_are_of_whole_lines() {
        assert_eq!(lengths(b"", 4), []);
        assert_eq!(lengths(b"ab\ncd\nef\n", 100), [Some(9)]);
        assert_eq!(lengths(b"ab\ncd\nef\n", 4), [Some(6), Some(3)]);
        assert_eq!(lengths(b"ab\ncd\nef", 1), [Some(3), Some(3), Some(2)]);
        assert_eq!(lengths(b"\n\n\n", 2), [Some(2), Some(1)]);
    }

    #[test]
    fn a_gigantic_line_stands_alone_wherever_it_is() {
        let longest = [vec![b'x'; LINE_BYTES_MAX], b"\n".to_vec()].concat();
        let gigantic = [vec![b'x'; LINE_BYTES_MAX + 1], b"\n".to_vec()].concat();
        let kept = Some(LINE_BYTES_MAX + 1);
        for stretch_bytes in [1, 1000, 3 << 20] {
            let of = |parts: &[&[u8]]| lengths(&parts.concat(), stretch_bytes);
            assert_eq!(of(&[&longest]), [kept]);
            assert_eq!(of(&[&gigantic]), [None]);
            assert_eq!(of(&[&gigantic[..gigantic.len() - 1]]), [None]);
            assert_eq!(of(&[&longest[..LINE_BYTES_MAX]]), [Some(LINE_BYTES_MAX)]);
            assert_eq!(of(&[b"a\n", &gigantic, b"b\n"]), [Some(2), None, Some(2)]);
            assert_eq!(of(&[&gigantic, &gigantic, b"b"]), [None, None, Some(1)]);
        }
    }
}
