//! Where do two sequences part, and where do they meet again? Greedy: go on together while they are equal; then look for
//! the nearest place where eight steps agree.

/// Steps that must agree for two sequences to have met again.
const GRAM: usize = 8;
/// How far ahead they may meet, in steps, at first and at last.
const WINDOW: usize = 256;
const WINDOW_MAX: usize = 8192;
/// Partings after which the rest is not looked at.
const PARTINGS_MAX: usize = 10_000;

/// Steps of A that stand where steps of B stand; one of both may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parting {
    pub(super) a: std::ops::Range<usize>,
    pub(super) b: std::ops::Range<usize>,
}

/// Two sequences side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Alignment {
    /// Where they part, in order.
    pub(super) partings: Vec<Parting>,
    /// Stretches that agree: where in A, where in B, how long.
    pub(super) common: Vec<(usize, usize, usize)>,
}

/// Aligns two sequences; the cost grows with their length, and with the partings times the window.
pub(super) fn align(a: &[u32], b: &[u32]) -> Alignment {
    let mut out = Alignment::default();
    let (mut at_a, mut at_b) = (0, 0);
    loop {
        let rest = a[at_a..].iter().zip(&b[at_b..]);
        let same = rest.take_while(|(x, y)| x == y).count();
        if same > 0 {
            out.common.push((at_a, at_b, same));
        }
        (at_a, at_b) = (at_a + same, at_b + same);
        if at_a == a.len() && at_b == b.len() {
            return out;
        }
        let meeting =
            if out.partings.len() < PARTINGS_MAX { meet(&a[at_a..], &b[at_b..]) } else { None };
        let (skip_a, skip_b) = meeting.unwrap_or((a.len() - at_a, b.len() - at_b));
        out.partings.push(Parting { a: at_a..at_a + skip_a, b: at_b..at_b + skip_b });
        (at_a, at_b) = (at_a + skip_a, at_b + skip_b);
    }
}

/// How many steps of each to skip.
fn meet(a: &[u32], b: &[u32]) -> Option<(usize, usize)> {
    let mut window = WINDOW;
    loop {
        let all = a.len() <= window && b.len() <= window;
        if let Some(found) = meet_within(a, b, window.min(WINDOW_MAX)) {
            return Some(found);
        }
        if all || window >= WINDOW_MAX {
            return None;
        }
        window *= 4;
    }
}

/// The meeting with the fewest steps skipped. Where a side ends, fewer than [`GRAM`] steps need agree: all that it has.
fn meet_within(a: &[u32], b: &[u32], window: usize) -> Option<(usize, usize)> {
    let mut places: std::collections::HashMap<u32, Vec<usize>> = std::collections::HashMap::new();
    for (place, step) in b.iter().enumerate().take(window) {
        let places = places.entry(*step).or_default();
        // The nearest few are enough: the nearest meeting is what is looked for.
        if places.len() < 16 {
            places.push(place);
        }
    }
    let mut best: Option<(usize, usize)> = None;
    for (skip_a, step) in a.iter().enumerate().take(window) {
        if best.is_some_and(|(x, y)| skip_a >= x + y) {
            break;
        }
        for skip_b in places.get(step).into_iter().flatten() {
            let nearer = best.is_none_or(|(x, y)| skip_a + skip_b < x + y);
            if nearer && agree(&a[skip_a..], &b[*skip_b..]) {
                best = Some((skip_a, *skip_b));
            }
        }
    }
    best
}

fn agree(a: &[u32], b: &[u32]) -> bool {
    let agreed = a.iter().zip(b).take(GRAM).take_while(|(x, y)| x == y).count();
    agreed == GRAM || agreed > 0 && (agreed == a.len() || agreed == b.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partings(a: &str, b: &str) -> String {
        let steps = |text: &str| text.bytes().map(u32::from).collect::<Vec<_>>();
        let alignment = align(&steps(a), &steps(b));
        let say =
            |parting: &Parting| format!("{}|{}", &a[parting.a.clone()], &b[parting.b.clone()]);
        alignment.partings.iter().map(say).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn sequences_part_where_they_differ_and_meet_again() {
        let cases = [
            ("", "", ""),
            ("abcdefghij", "abcdefghij", ""),
            ("abcdefghijklmnop", "abcXdefghijklmnop", "|X"),
            ("abcXdefghijklmnop", "abcdefghijklmnop", "X|"),
            ("abcXefghijklmnop", "abcYefghijklmnop", "X|Y"),
            ("Xabcdefghijkl", "abcdefghijkl", "X|"),
            ("abcdefghijklX", "abcdefghijkl", "X|"),
            ("abcdefghijkXl", "abcdefghijkl", "X|"),
            ("abc", "", "abc|"),
            ("abcdefgh", "ABCDEFGH", "abcdefgh|ABCDEFGH"),
            ("1abcdefgh2abcdefghij3", "abcdefgh2abcdefghij3", "1|"),
            ("ab", "XXabYYYY", "|XX |YYYY"),
        ];
        for (a, b, expected) in cases {
            assert_eq!(partings(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn every_step_is_either_common_or_parted_and_the_common_ones_are_equal() {
        let mut state = 7_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
            (state >> 33) % below
        };
        for _ in 0..200 {
            let a: Vec<u32> = (0..random(600)).map(|_| u32::try_from(random(9)).unwrap()).collect();
            let mut b = a.clone();
            for _ in 0..random(20) {
                let place = usize::try_from(random(b.len() as u64 + 1)).unwrap();
                match random(2) {
                    0 if place < b.len() => drop(b.remove(place)),
                    _ => b.insert(place, u32::try_from(random(9)).unwrap()),
                }
            }
            let alignment = align(&a, &b);
            let mut rebuilt = a.clone();
            for parting in alignment.partings.iter().rev() {
                rebuilt.splice(parting.a.clone(), b[parting.b.clone()].iter().copied());
            }
            assert_eq!(rebuilt, b);
            for (x, y, length) in &alignment.common {
                assert_eq!(a[*x..x + length], b[*y..y + length]);
            }
            assert_eq!(a == b, alignment.partings.is_empty());
        }
    }
}
