//! How does a program read a report? As JSON, exactly as the report's types serialise.

use serde::Serialize;
use unwedge_analyze::report::AgentSummary;
use unwedge_analyze::{Finding, Report};

use super::counts::grouped;

/// Agents in the report that a page carries, and links of a chain.
const PAGE_AGENTS_MAX: usize = 1_000;
const PAGE_LINKS_MAX: usize = 1_000;

/// The report as indented JSON, without a newline at its end.
pub(crate) fn json(report: &Report) -> String {
    // A report has string keys only and no type that refuses to serialise; should one ever appear,
    // its reader learns why in the format that it expects.
    serde_json::to_string_pretty(report).unwrap_or_else(|error| {
        serde_json::json!({ "unwedge_report": report.unwedge_report, "error": error.to_string() })
            .to_string()
    })
}

/// A report without some of its agents and links.
#[derive(Serialize)]
struct Cut {
    #[serde(flatten)]
    report: Report,
    /// What is not there, for whoever reads it.
    left_out: String,
}

/// The report as a page carries it: as [`json`], but of a crowd only the first of `agents`, which are all of the report's
/// in the order of the page, and of long chains the beginning. A field `left_out` says so then.
pub(super) fn for_page(report: &Report, agents: &[&AgentSummary]) -> String {
    let agents_more = agents.len().saturating_sub(PAGE_AGENTS_MAX);
    let links_more: usize = report
        .findings
        .iter()
        .map(|finding| finding.chain.len().saturating_sub(PAGE_LINKS_MAX))
        .sum();
    if agents_more + links_more == 0 {
        return json(report);
    }
    let left_out = format!(
        "{} agents and {} links of chains; the option --json writes them all",
        grouped(agents_more as u64),
        grouped(links_more as u64)
    );
    serde_json::to_string_pretty(&Cut { report: cut(report, agents), left_out })
        .unwrap_or_else(|error| serde_json::json!({ "error": error.to_string() }).to_string())
}

/// A copy of the part that a page carries: there may be too much of the rest to copy it.
fn cut(report: &Report, agents: &[&AgentSummary]) -> Report {
    let finding = |finding: &Finding| Finding {
        code: finding.code,
        name: finding.name,
        sentence: finding.sentence.clone(),
        conclusive: finding.conclusive,
        waiter: finding.waiter.clone(),
        object: finding.object.clone(),
        chain: finding.chain.iter().take(PAGE_LINKS_MAX).cloned().collect(),
        evidence: finding.evidence.clone(),
        remedy: finding.remedy.clone(),
        also_waiting: finding.also_waiting.clone(),
    };
    Report {
        unwedge_report: report.unwedge_report,
        verdict: report.verdict,
        findings: report.findings.iter().map(finding).collect(),
        agents: agents.iter().take(PAGE_AGENTS_MAX).map(|agent| (*agent).clone()).collect(),
        events_lost: report.events_lost,
        source: report.source.clone(),
        missing: report.missing.clone(),
        injected: report.injected.clone(),
        notes: report.notes.clone(),
        statistics: report.statistics.clone(),
        graph: report.graph.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn json_is_the_report_as_its_types_serialise() -> serde_json::Result<()> {
        for sample in samples::all() {
            let read: serde_json::Value = serde_json::from_str(&json(&sample.report))?;
            assert_eq!(read, serde_json::to_value(&sample.report)?, "{}", sample.name);
        }
        Ok(())
    }

    #[test]
    fn a_page_carries_a_crowd_cut_and_says_so() -> serde_json::Result<()> {
        let report = samples::traces::crowd(1_500).report;
        let agents: Vec<&AgentSummary> = report.agents.iter().rev().collect();
        let read: serde_json::Value = serde_json::from_str(&for_page(&report, &agents))?;
        assert_eq!(read["agents"].as_array().map(Vec::len), Some(PAGE_AGENTS_MAX));
        assert_eq!(read["agents"][0], serde_json::to_value(&report.agents[1_499])?);
        assert_eq!(
            read["left_out"],
            "500 agents and 0 links of chains; the option --json writes them all"
        );
        assert_eq!(read["statistics"], serde_json::to_value(&report.statistics)?);
        assert_eq!(for_page(&report, &agents[..1_000]), json(&report));
        Ok(())
    }

    #[test]
    fn json_begins_with_its_version_and_verdict() {
        let text = json(&samples::reset_without_submit().report);
        assert!(
            text.starts_with("{\n  \"unwedge_report\": 1,\n  \"verdict\": \"wedged\""),
            "{text}"
        );
    }
}
