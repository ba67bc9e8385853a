//! What is each terminal asked, how often, and in which order?

use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use super::answer::{COLOURS, LINES};
use super::contenders::Contender;
use super::running::{Answered, Running};
use super::screen::Screen;

/// Keys of a round, one terminal after the other.
const KEYS: usize = 20;
const SCREENS: usize = 10;
/// Long texts take long: only every so many rounds have one.
const ROUNDS_A_TEXT: usize = 2;

/// The kinds of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Letters,
    Screen,
    Lines,
    Colours,
}

pub(crate) const ALL: [Asked; 4] = [Asked::Letters, Asked::Screen, Asked::Lines, Asked::Colours];

/// A terminal and what its answers took, or why it has none.
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) ours: bool,
    pub(crate) result: Result<Answers, String>,
}

#[derive(Default)]
pub(crate) struct Answers {
    /// Columns and rows.
    pub(crate) size: (u16, u16),
    answers: Vec<(Asked, Answered)>,
}

impl Answers {
    pub(crate) fn of(&self, asked: Asked) -> impl Iterator<Item = Answered> {
        let of =
            move |(other, answered): &(Asked, Answered)| (*other == asked).then_some(*answered);
        self.answers.iter().filter_map(of)
    }

    #[cfg(test)]
    pub(crate) fn made_of(answers: Vec<(Asked, Answered)>) -> Self {
        Self { size: (80, 24), answers }
    }
}

/// Each terminal that is there, in the order of the list.
pub(crate) fn measure(ours: PathBuf, rounds: usize) -> Result<Vec<Measured>, String> {
    let screen = Screen::start()?;
    let (mut measured, mut running) = (Vec::new(), Vec::new());
    for (place, contender) in Contender::all(ours).into_iter().enumerate() {
        let skipped = |name: &str, ours: bool, why: &str| Measured {
            name: name.to_owned(),
            ours,
            result: Err(why.to_owned()),
        };
        let contender = match contender {
            Ok(contender) => contender,
            Err(absent) => {
                measured.push(skipped(absent.name, false, absent.why));
                continue;
            }
        };
        eprintln!("terminal: starting {}", contender.name);
        let known: Vec<u32> =
            running.iter().map(|(_, started): &(usize, Running<'_>)| started.window()).collect();
        let place = u16::try_from(place).map_err(|error| error.to_string())?;
        match Running::start(&screen, &contender, place, &known) {
            Ok(started) => {
                running.push((measured.len(), started));
                let result = Ok(Answers::default());
                measured.push(Measured { name: contender.name, ours: contender.ours, result });
            }
            Err(why) => measured.push(skipped(&contender.name, contender.ours, &why)),
        }
    }
    for asked in ALL {
        ask(asked, &mut running, &mut measured, rounds);
    }
    Ok(measured)
}

/// Each round begins with another terminal, so that none is always first.
fn ask(
    asked: Asked,
    running: &mut [(usize, Running<'_>)],
    measured: &mut [Measured],
    rounds: usize,
) {
    let count = running.len();
    let rounds = if matches!(asked, Asked::Lines | Asked::Colours) {
        rounds.div_ceil(ROUNDS_A_TEXT)
    } else {
        rounds
    };
    for round in 0..rounds {
        eprintln!("terminal: {asked:?}, round {} of {rounds}", round + 1);
        for turn in 0..count {
            let (index, started) = &mut running[(round + turn) % count];
            let Ok(answers) = &mut measured[*index].result else { continue };
            if let Err(why) = turn_of(asked, started, answers) {
                measured[*index].result = Err(why);
            }
        }
    }
}

fn turn_of(asked: Asked, running: &mut Running<'_>, answers: &mut Answers) -> Result<(), String> {
    running.focus()?;
    running.clear()?;
    if answers.size == (0, 0) {
        answers.size = running.size()?;
    }
    let times = match asked {
        Asked::Letters => KEYS,
        Asked::Screen => SCREENS,
        Asked::Lines | Asked::Colours => 1,
    };
    for time in 0..times {
        // Not in step with anything that beats in a terminal.
        sleep(Duration::from_millis(25 + (time as u64 * 7) % 23));
        let answered = match asked {
            Asked::Letters => running.letters(),
            Asked::Screen => running.whole(),
            Asked::Lines => running.text(LINES),
            Asked::Colours => running.text(COLOURS),
        };
        answers.answers.push((asked, answered?));
    }
    Ok(())
}
