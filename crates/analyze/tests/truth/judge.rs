//! What does the analysis say of a case, and is it right?

use std::collections::HashSet;

use unwedge_analyze::report::Link;
use unwedge_analyze::{Finding, Options, Report, Summary, Verdict};
use unwedge_sim::scenarios::planted::Truth;
use unwedge_trace::Timestamp;
use unwedge_trace::row::{Batch, Op, Row};

use super::cases::{Case, Expected};

/// How long a world that has ended is watched.
const SILENCE_NS: u64 = 10_000_000_000;

/// What came of a case.
#[derive(Clone, Debug)]
pub(crate) struct Judgement {
    pub(crate) group: String,
    pub(crate) first: First,
    pub(crate) right_verdict: bool,
    pub(crate) false_accusation: bool,
    /// What was blamed, if not what should be.
    pub(crate) blamed: Option<String>,
    /// How to see it again, and what is wrong.
    pub(crate) failure: Option<String>,
}

/// The first finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// It is the right one; of a healthy world there is none.
    Right,
    /// Rows that tell of the root were lost, and nobody was accused for it.
    EvidenceLost,
    Wrong,
}

/// What was said, and the rows that it was said of.
struct Heard {
    report: Report,
    rows: u64,
    now: u64,
    tables: Option<Batch>,
}

fn rows_next(left: u64) -> usize {
    usize::try_from(left.min(20_000)).unwrap_or(20_000)
}

fn hear(case: &Case, mut each: impl FnMut(&Batch)) -> Heard {
    let mut run = case.world().run(case.seed);
    let (mut summary, mut rows, mut tables) = (Summary::default(), 0, None);
    while rows < case.rows {
        let Some(batch) = run.batch(rows_next(case.rows - rows), case.until) else { break };
        rows += batch.rows.len() as u64;
        summary.fold(&batch);
        each(&batch);
        tables = Some(batch);
    }
    let last = run.now();
    let ended = rows < case.rows && run.batch(1, u64::MAX).is_none();
    // What ended by itself is watched for a while; what goes on is judged as it is.
    let now = if ended { last + SILENCE_NS } else { last };
    let options = Options { patience_ns: summary.patience_ns() };
    let report = summary.report("a simulated world", Some(Timestamp(now)), &options);
    Heard { report, rows, now, tables }
}

/// Judges a case.
pub(crate) fn judge(case: &Case) -> Judgement {
    let heard = hear(case, |_| {});
    let report = &heard.report;
    let loses = report.events_lost > 0;
    let (first, may_accuse, verdict) = match &case.expected {
        Expected::Healthy => {
            let first = if report.findings.is_empty() { First::Right } else { First::Wrong };
            let doubt = loses && report.verdict == Verdict::Inconclusive;
            let first = if loses && !accuses(report) { First::Right } else { first };
            (first, false, report.verdict == Verdict::Progressing || doubt)
        }
        Expected::OutOfSight { few } => {
            let first = if accuses(report) { First::Wrong } else { First::Right };
            let acquits = *few && report.verdict == Verdict::Progressing;
            (first, false, acquits || report.verdict == Verdict::Inconclusive)
        }
        Expected::Incident { code, conclusive } => {
            let right = report.findings.first().is_some_and(|finding| finding.code == *code);
            let verdict = if *conclusive { Verdict::Wedged } else { Verdict::Inconclusive };
            let first = if right { First::Right } else { First::Wrong };
            (first, *conclusive, report.verdict == verdict)
        }
        Expected::Planted(truth) => planted(case, truth, report),
    };
    let truth = match &case.expected {
        Expected::Planted(truth) => Some(truth),
        _ => None,
    };
    let false_accusation = report.findings.iter().any(|finding| {
        let named = match (&case.expected, truth) {
            (Expected::Incident { code, .. }, _) => finding.code == *code,
            (_, Some(truth)) => is_it(truth, finding, &heard),
            _ => false,
        };
        finding.conclusive && !(may_accuse && named)
    });
    let wrong = first == First::Wrong || false_accusation;
    let blamed = (wrong || !verdict).then(|| said(report));
    let failure = (wrong || !verdict).then(|| tell(case, &heard));
    let group = case.group.clone();
    Judgement { group, first, right_verdict: verdict, false_accusation, blamed, failure }
}

fn accuses(report: &Report) -> bool {
    report.verdict == Verdict::Wedged || report.findings.iter().any(|finding| finding.conclusive)
}

/// Whether the first finding is the planted one, whether anybody may be accused, and whether the verdict is right.
fn planted(case: &Case, truth: &Truth, report: &Report) -> (First, bool, bool) {
    let heard = |finding: &&Finding| agrees(truth, finding);
    let right = report.findings.first().filter(heard).is_some();
    let loses = report.events_lost > 0;
    let may_accuse = truth.conclusive && !(loses && truth.absence);
    let expected = if may_accuse { Verdict::Wedged } else { Verdict::Inconclusive };
    if right {
        // What was lost may be what a firm answer needs.
        let doubt = loses && report.verdict == Verdict::Inconclusive;
        return (First::Right, may_accuse, doubt || report.verdict == expected);
    }
    if loses && !accuses(report) && evidence_lost(case, truth) {
        return (First::EvidenceLost, may_accuse, report.verdict == Verdict::Inconclusive);
    }
    (First::Wrong, may_accuse, report.verdict == expected)
}

fn is_it(truth: &Truth, finding: &Finding, _: &Heard) -> bool {
    agrees(truth, finding)
}

/// Code, waiter and object are those of the plant, and the chain leads to its root.
fn agrees(truth: &Truth, finding: &Finding) -> bool {
    let handle = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok();
    let waits = || {
        let (waiter, object) = (finding.waiter.as_ref()?, finding.object.as_ref()?);
        let (_, handles) = truth.waiters.iter().find(|(agent, _)| *agent == waiter.agent)?;
        Some(handles.contains(&handle(&object.handle)?))
    };
    let leads = finding.chain.iter().any(|link| match link {
        Link::Object { object } => {
            handle(&object.handle).is_some_and(|handle| truth.roots.contains(&handle))
        }
        Link::Agent { .. } => false,
    });
    // Where the root is somebody's own wait, the chain ends before what that is for; the sentence names it.
    let says = truth.roots.iter().any(|handle| finding.sentence.contains(&format!(" {handle:#x}")));
    truth.code == Some(finding.code) && waits() == Some(true) && (leads || says)
}

/// Whether rows of the plant's own cast are among the lost ones.
fn evidence_lost(case: &Case, truth: &Truth) -> bool {
    let cast = |row: &Row| truth.cast.contains(&row.agent) && row.op != Op::Lost;
    let mut seen: HashSet<Row> = HashSet::new();
    hear(case, |batch| seen.extend(batch.rows.iter().filter(|row| cast(row))));
    let mut lost = false;
    hear(&case.without_loss(), |batch| {
        lost |= batch.rows.iter().any(|row| cast(row) && !seen.contains(row));
    });
    lost
}

/// The verdict's word and the findings' codes.
fn said(report: &Report) -> String {
    let codes: Vec<_> = report.findings.iter().map(|finding| finding.code).collect();
    let codes = if codes.is_empty() { "nothing".to_owned() } else { codes.join(" ") };
    format!("{} ({codes})", word(report.verdict))
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Progressing => "progressing",
        Verdict::Wedged => "wedged",
        Verdict::Inconclusive => "inconclusive",
    }
}

fn tell(case: &Case, heard: &Heard) -> String {
    let sentences: Vec<_> = heard
        .report
        .findings
        .iter()
        .take(3)
        .map(|f| format!("    {} {}", f.code, f.sentence))
        .collect();
    let agents = heard.tables.as_ref().map_or(0, |batch| batch.agents.len());
    format!(
        "replay: {}\n  judged at {} ns, {agents} agents\n  planted: {:?}\n  said: {}\n{}",
        case.replay(heard.rows),
        heard.now,
        case.expected,
        said(&heard.report),
        sentences.join("\n")
    )
}
