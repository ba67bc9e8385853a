//! What was tried, before it was given up?

use std::fmt;
use std::time::Duration;

/// The most steps that are kept; the first and the last ones are.
const STEPS_MAX: usize = 32;

/// One thing that was tried, or that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, after the trouble began.
    pub at: Duration,
    /// What.
    pub what: String,
}

/// What was tried while frames failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// How many steps in the middle were left out.
    pub left_out: u64,
    /// How many frames were skipped.
    pub skipped: u64,
}

impl Report {
    pub(super) fn add(&mut self, at: Duration, what: String) {
        if self.steps.last().is_some_and(|last| last.what == what) {
            return;
        }
        if self.steps.len() == STEPS_MAX {
            self.steps.remove(STEPS_MAX / 2);
            self.left_out += 1;
        }
        self.steps.push(Step { at, what });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "no frame can be drawn; {} were skipped", self.skipped)?;
        for (number, step) in self.steps.iter().enumerate() {
            if self.left_out > 0 && number == STEPS_MAX / 2 {
                writeln!(f, "           … {} more", self.left_out)?;
            }
            writeln!(f, "  {:>7.3} s  {}", step.at.as_secs_f64(), step.what)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_keeps_the_first_and_the_last_steps() {
        let mut report = Report::default();
        for number in 0..1000_u64 {
            report.add(Duration::from_secs(number), format!("step {number}"));
        }
        assert_eq!((report.steps.len(), report.left_out), (STEPS_MAX, 968));
        assert_eq!(report.steps[0].what, "step 0");
        assert_eq!(report.steps[STEPS_MAX - 1].what, "step 999");
        assert!(report.to_string().contains("… 968 more"));
    }

    #[test]
    fn the_same_step_again_is_not_told_twice() {
        let mut report = Report::default();
        report.add(Duration::ZERO, "a".into());
        report.add(Duration::from_secs(1), "a".into());
        assert_eq!(report.steps.len(), 1);
    }
}
