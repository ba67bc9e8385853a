//! How is the truth table written, and is docs/truth.md the one of today?

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::judge::{First, Judgement};

const BEGIN: &str = "<!-- made by `make truth`: do not edit -->\n";
const END: &str = "<!-- end -->\n";
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/truth.md");
/// Set by `make truth`: the page is written anew.
const WRITE: &str = "UNWEDGE_TRUTH_WRITE";

#[derive(Default)]
struct Line {
    runs: usize,
    right: usize,
    lost: usize,
    verdict: usize,
    accused: usize,
    blamed: BTreeMap<String, usize>,
}

/// The table, in Markdown.
pub(crate) fn table(wedges: &[Judgement], healthy: &[Judgement], hidden: &[Judgement]) -> String {
    let mut text = String::from(
        "| planted | runs | first finding right | evidence lost | right verdict | false accusations | said instead |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for list in [wedges, healthy, hidden] {
        let mut lines: BTreeMap<&str, Line> = BTreeMap::new();
        for judgement in list {
            lines.entry(&judgement.group).or_default().add(judgement);
        }
        lines.iter().for_each(|(name, line)| line.write(name, &mut text));
    }
    let mut all = Line::default();
    wedges.iter().for_each(|judgement| all.add(judgement));
    all.blamed.clear();
    all.write("**all wedges**", &mut text);
    text
}

impl Line {
    fn add(&mut self, judgement: &Judgement) {
        self.runs += 1;
        self.right += usize::from(judgement.first == First::Right);
        self.lost += usize::from(judgement.first == First::EvidenceLost);
        self.verdict += usize::from(judgement.right_verdict);
        self.accused += usize::from(judgement.false_accusation);
        if let Some(blamed) = &judgement.blamed {
            *self.blamed.entry(blamed.clone()).or_default() += 1;
        }
    }

    fn write(&self, name: &str, text: &mut String) {
        let mut blamed: Vec<_> = self.blamed.iter().collect();
        blamed.sort_by_key(|(what, count)| (std::cmp::Reverse(**count), *what));
        let blamed: Vec<String> =
            blamed.into_iter().take(4).map(|(what, count)| format!("{count} × {what}")).collect();
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {} |",
            self.runs,
            self.right,
            self.lost,
            self.verdict,
            self.accused,
            blamed.join(", ")
        );
    }
}

/// Compares the page with the table, or puts it there.
pub(crate) fn keep(table: &str) {
    let page = std::fs::read_to_string(PAGE).expect("docs/truth.md");
    let (before, rest) = page.split_once(BEGIN).expect("a place for the table in docs/truth.md");
    let (kept, after) = rest.split_once(END).expect("an end of the table in docs/truth.md");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(PAGE, format!("{before}{BEGIN}{table}{END}{after}")).expect("docs/truth.md");
    } else {
        assert_eq!(kept, table, "docs/truth.md is not of today: make truth");
    }
}
