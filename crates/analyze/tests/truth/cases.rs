//! Which worlds are judged? Each kind of root in equal shares, the incidents with their faults, and as many healthy ones.

use unwedge_sim::Random;
use unwedge_sim::scenarios::planted::{self, Truth};
use unwedge_sim::scenarios::{self, Size};
use unwedge_sim::switch::Settings;
use unwedge_sim::world::World;

/// Wedged worlds, and healthy ones.
pub(crate) const RUNS: usize = 1_000;
/// Of a hundred wedged worlds, those that are incidents.
const INCIDENTS_PER_CENT: usize = 10;
const SECOND: u64 = 1_000_000_000;

/// A world, how it is run, and what is right to say of it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) scenario: &'static str,
    pub(crate) switches: Vec<(&'static str, String)>,
    pub(crate) seed: u64,
    /// When it is stopped, if it goes on. Nanoseconds.
    pub(crate) until: u64,
    /// Rows after which it is stopped.
    pub(crate) rows: u64,
    /// The row of the table.
    pub(crate) group: String,
    pub(crate) expected: Expected,
}

/// What is right.
#[derive(Clone, Debug)]
pub(crate) enum Expected {
    /// Nothing is found.
    Healthy,
    /// This is found first: nothing less, and of whom and what it speaks is known.
    Planted(Truth),
    /// This is found first.
    Incident { code: &'static str, conclusive: bool },
    /// What would tell is out of sight: nobody is accused.
    OutOfSight {
        /// So few waits that it does not show.
        few: bool,
    },
}

/// An incident with a fault.
struct Incident {
    scenario: &'static str,
    /// `{n}` stands for the occasion at which it strikes.
    switches: &'static str,
    code: &'static str,
    /// Whether the trace suffices for an accusation.
    conclusive: bool,
    /// How many occasions there are to choose from.
    occasions: u64,
    /// Rows after which it is stopped, at most.
    rows: u64,
}

const fn wedge(
    scenario: &'static str,
    switches: &'static str,
    code: &'static str,
    (occasions, rows): (u64, u64),
) -> Incident {
    Incident { scenario, switches, code, conclusive: true, occasions, rows }
}

const fn doubt(
    scenario: &'static str,
    switches: &'static str,
    code: &'static str,
    (occasions, rows): (u64, u64),
) -> Incident {
    Incident { conclusive: false, ..wedge(scenario, switches, code, (occasions, rows)) }
}

const FRAMES: (u64, u64) = (90, 8_000);
const KERNEL: (u64, u64) = (1, 60_000);
const SCREENS: (u64, u64) = (200, 20_000);
const RING: (u64, u64) = (90, 60_000);

const INCIDENTS: &[Incident] = &[
    wedge("frame-loop", "drop-notification={n}", "UW004", FRAMES),
    wedge("frame-loop", "acquire-timeout={n}", "UW003", FRAMES),
    wedge("frame-loop", "record-fails={n} reset-after-acquire=on", "UW003", FRAMES),
    wedge("frame-loop", "stall={n}", "UW006", FRAMES),
    wedge("frame-loop", "device-lost={n} bounded=on reset-after-acquire=on", "UW007", FRAMES),
    wedge("frame-loop", "withhold-images={n}", "UW010", FRAMES),
    wedge("guest-kernel", "", "UW008", KERNEL),
    wedge("guest-kernel", "signal-written=on", "UW008", KERNEL),
    doubt("guest-kernel", "aging=on", "UW014", KERNEL),
    wedge("guest-kernel", "aging=on declare-producer=on", "UW013", KERNEL),
    doubt("multi-scanout", "draw-done={n}+", "UW012", SCREENS),
    doubt("multi-scanout", "encoder={n}", "UW012", SCREENS),
    wedge("multi-scanout", "fence={n}", "UW004", SCREENS),
    wedge("multi-scanout", "client-exit={n}", "UW007", SCREENS),
    wedge("venus-ring", "host-dies={n}", "UW007", RING),
    wedge("venus-ring", "lose-feedback={n}", "UW004", RING),
    wedge("venus-ring", "drop-notify=200", "UW011", RING),
];

/// Incidents in which nothing goes wrong, or what does is mended, and after how many rows they are stopped.
const HEALTHY_INCIDENTS: &[(&str, &str, u64)] = &[
    ("frame-loop", "", 8_000),
    ("frame-loop", "acquire-timeout=40 reset-after-acquire=on", 8_000),
    ("frame-loop", "drop-notification=40 bounded=on reset-after-acquire=on recovery=on", 8_000),
    ("guest-kernel", "signal-written=on aging=on", 20_000),
    ("multi-scanout", "", 20_000),
    ("multi-scanout", "draw-done=100+ gl-block-timer=releases", 20_000),
    ("multi-scanout", "encoder=50 safety-timer=on", 20_000),
    ("venus-ring", "", 20_000),
    ("venus-ring", "threads=3 fence-feedback=off semaphore-feedback=off", 20_000),
];

/// The seed of the first world. `UNWEDGE_TRUTH_SEEDS` names another than that of the table, for those who suspect that the
/// analysis was fitted to these worlds.
pub(crate) fn first_seed() -> u64 {
    let asked = std::env::var("UNWEDGE_TRUTH_SEEDS").ok().filter(|asked| !asked.is_empty());
    asked.map_or(1, |asked| asked.parse().expect("UNWEDGE_TRUTH_SEEDS is a number"))
}

impl Case {
    /// Its switches, as the scenario takes them.
    pub(crate) fn settings(&self) -> Settings {
        let scenario = scenarios::find(self.scenario).expect("a scenario");
        let mut settings = scenario.defaults();
        for (name, value) in &self.switches {
            assert!(
                settings.set(name, value).unwrap_or_else(|e| panic!("{e}")),
                "no switch {name}"
            );
        }
        settings
    }

    pub(crate) fn world(&self) -> World {
        let scenario = scenarios::find(self.scenario).expect("a scenario");
        (scenario.build)(&self.settings(), Size::Full).unwrap_or_else(|e| panic!("{e}"))
    }

    /// The command that makes the same rows again.
    pub(crate) fn replay(&self, rows: u64) -> String {
        let set: String =
            self.switches.iter().map(|(name, value)| format!(" --set {name}={value}")).collect();
        format!("unwedge sim {}{set} --seed {} --events {rows}", self.scenario, self.seed)
    }

    /// The same, seen by a source that loses nothing.
    pub(crate) fn without_loss(&self) -> Self {
        let mut same = self.clone();
        same.switches.retain(|(name, _)| *name != "lost");
        same
    }

    pub(crate) fn loses(&self) -> bool {
        self.switches.iter().any(|(name, _)| *name == "lost")
    }
}

fn planted(kind: &str, seed: u64) -> Case {
    let mut random = Random::new(seed);
    let mut switches = vec![
        ("kind", kind.to_owned()),
        ("plant", seed.to_string()),
        ("noise", random.between(0, 6).to_string()),
        ("idle", random.between(0, 6).to_string()),
        ("programs", random.between(1, 4).to_string()),
    ];
    if random.below(6) == 0 {
        switches.push(("lost", random.between(1, 3).to_string()));
    }
    let until = random.between(13 * SECOND / 2, 10 * SECOND);
    let group = kind.to_owned();
    let scenario = "planted";
    let (rows, expected) = (u64::MAX, Expected::Healthy);
    let mut case = Case { scenario, switches, seed, until, rows, group, expected };
    let truth = planted::truth(&case.settings()).unwrap_or_else(|e| panic!("{e}"));
    if truth.code.is_some() {
        case.expected = Expected::Planted(truth);
    }
    case
}

fn incident(
    scenario: &'static str,
    text: &str,
    (seed, rows): (u64, u64),
    expected: Expected,
) -> Case {
    let pairs = text.split_whitespace().map(|switch| switch.split_once('=').expect("name=value"));
    let names = |name: &str| {
        let switches = scenarios::find(scenario).expect("a scenario").switches;
        switches.iter().find(|switch| switch.name == name).expect("a switch").name
    };
    let switches = pairs.map(|(name, value)| (names(name), value.to_owned())).collect();
    // The fault needs time to strike, and the wait to grow old.
    let rows = Random::new(seed).between(rows * 3 / 4, rows);
    let (group, until) = (scenario.to_owned(), u64::MAX);
    Case { scenario, switches, seed, until, rows, group, expected }
}

/// Worlds in which something is wrong.
pub(crate) fn wedges() -> Vec<Case> {
    let codes: Vec<_> = planted::codes().collect();
    let incidents = RUNS * INCIDENTS_PER_CENT / 100;
    let mut cases: Vec<Case> = (0..RUNS - incidents)
        .map(|number| planted(codes[number % codes.len()], first_seed() + number as u64))
        .collect();
    cases.extend((0..incidents).map(|number| {
        let incident_ = &INCIDENTS[number % INCIDENTS.len()];
        let n = 1 + Random::new(number as u64).below(incident_.occasions);
        let text = incident_.switches.replace("{n}", &n.to_string());
        let expected =
            Expected::Incident { code: incident_.code, conclusive: incident_.conclusive };
        incident(
            incident_.scenario,
            &text,
            (first_seed() + number as u64, incident_.rows),
            expected,
        )
    }));
    cases
}

/// Worlds in which nothing is.
pub(crate) fn healthy() -> Vec<Case> {
    let incidents = RUNS * INCIDENTS_PER_CENT / 100;
    let mut cases: Vec<Case> = (0..RUNS - incidents)
        .map(|number| planted("healthy", first_seed() + number as u64))
        .collect();
    cases.extend((0..incidents).map(|number| {
        let (scenario, switches, rows) = HEALTHY_INCIDENTS[number % HEALTHY_INCIDENTS.len()];
        incident(scenario, switches, (first_seed() + number as u64, rows), Expected::Healthy)
    }));
    for case in &mut cases {
        case.group = "healthy".to_owned();
        if case.loses() {
            case.group.push_str(", events lost");
        }
    }
    cases
}

/// Wedged worlds of which the source does not see who signals what is waited for.
pub(crate) fn out_of_sight() -> Vec<Case> {
    let kinds = [
        ("fence", "UW002", "1"),
        ("fence", "UW003", "1"),
        ("fence", "UW004", "1"),
        ("fence", "UW006", "1"),
        ("timeline", "UW002", "3"),
        ("event", "UW008", "1"),
        ("event", "UW009", "2"),
    ];
    let cases = (0..RUNS / 10).map(|number| {
        let (unobserved, kind, shape) = kinds[number % kinds.len()];
        let mut case = planted(kind, first_seed() + number as u64);
        case.switches.retain(|(name, _)| *name != "lost");
        case.switches.push(("shape", shape.to_owned()));
        case.switches.push(("unobserved", unobserved.to_owned()));
        // Whether a source sees such signals at all, a few waits do not show: then nobody is accused, and no more is asked.
        let few = number % 2 == 1;
        let rounds = if few { Random::new(number as u64).between(2, 10) } else { 25 };
        case.switches.push(("rounds", rounds.to_string()));
        case.expected = Expected::OutOfSight { few };
        case.group = format!("signals out of sight{}", if few { ", few waits" } else { "" });
        case
    });
    cases.collect()
}
