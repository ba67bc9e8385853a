//! How are two ways to do the same compared, of which one takes a few nanoseconds more?

use std::hint::black_box;
use std::time::Instant;

/// Times of both ways, round by round, in nanoseconds a call.
pub(crate) struct Pairs {
    pub(crate) raw: Vec<f64>,
    pub(crate) ours: Vec<f64>,
}

/// `rounds` rounds in which each way does its batch, each being first in every other round, after one round that does not count:
/// what the batches of each way say of themselves.
pub(crate) fn alternate<T>(
    rounds: usize,
    mut raw: impl FnMut() -> Result<T, String>,
    mut ours: impl FnMut() -> Result<T, String>,
) -> Result<(Vec<T>, Vec<T>), String> {
    let (mut of_raw, mut of_ours) = (Vec::new(), Vec::new());
    raw()?;
    ours()?;
    for round in 0..rounds {
        if round % 2 == 0 {
            of_raw.push(raw()?);
            of_ours.push(ours()?);
        } else {
            of_ours.push(ours()?);
            of_raw.push(raw()?);
        }
    }
    Ok((of_raw, of_ours))
}

impl Pairs {
    /// Of ways that say what a call of their batch took, in nanoseconds.
    pub(crate) fn measure(
        rounds: usize,
        raw: impl FnMut() -> Result<f64, String>,
        ours: impl FnMut() -> Result<f64, String>,
    ) -> Result<Self, String> {
        alternate(rounds, raw, ours).map(|(raw, ours)| Self { raw, ours })
    }

    /// What ours took more in each round, in nanoseconds.
    pub(crate) fn differences(&self) -> Vec<f64> {
        self.raw.iter().zip(&self.ours).map(|(raw, ours)| ours - raw).collect()
    }

    /// The same as a share of what the raw way took.
    pub(crate) fn shares(&self) -> Vec<f64> {
        self.raw.iter().zip(&self.ours).map(|(raw, ours)| ours / raw - 1.0).collect()
    }
}

/// What one of `calls` calls takes, in nanoseconds. A call says whether it did what it should; the first that did not
/// ends the measurement.
///
/// Never inlined, so that each way has a loop of its own that nothing around it can change.
#[inline(never)]
pub(crate) fn batch(calls: u32, mut call: impl FnMut() -> bool) -> Result<f64, String> {
    let begin = Instant::now();
    for _ in 0..calls {
        if !black_box(call()) {
            return Err("a call that was measured did not do what it should".to_owned());
        }
    }
    Ok(begin.elapsed().as_nanos() as f64 / f64::from(calls))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn each_way_is_first_in_every_other_round_and_the_first_round_does_not_count() {
        let order = RefCell::new(String::new());
        let way = |letter: char, takes: f64| {
            let order = &order;
            move || {
                order.borrow_mut().push(letter);
                Ok(takes)
            }
        };
        let pairs = Pairs::measure(3, way('r', 50.0), way('o', 52.0)).unwrap();
        assert_eq!(*order.borrow(), "roroorro");
        assert_eq!((pairs.raw, pairs.ours), (vec![50.0; 3], vec![52.0; 3]));
    }

    #[test]
    fn a_call_that_fails_ends_the_measurement() {
        assert!(batch(10, || true).is_ok());
        assert!(batch(10, || false).is_err());
    }
}
