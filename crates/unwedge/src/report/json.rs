//! How does a program read a report? As JSON, exactly as the report's types serialise.

use serde::Serialize;
use unwedge_analyze::Report;
use unwedge_analyze::report::AgentSummary;

use super::counts::grouped;

/// Agents in the report that a page carries.
const PAGE_AGENTS_MAX: usize = 1_000;

/// The report as indented JSON, without a newline at its end.
pub(crate) fn json(report: &Report) -> String {
    // A report has string keys only and no type that refuses to serialise; should one ever appear,
    // its reader learns why in the format that it expects.
    serde_json::to_string_pretty(report).unwrap_or_else(|error| {
        serde_json::json!({ "unwedge_report": report.unwedge_report, "error": error.to_string() })
            .to_string()
    })
}

/// A report without some of its agents.
#[derive(Serialize)]
struct Cut {
    #[serde(flatten)]
    report: Report,
    /// What is not there, for whoever reads it.
    left_out: String,
}

/// The report as a page carries it: as [`json`], but of a crowd only the first of `agents`, which are all of the report's
/// in the order of the page. A field `left_out` says so then.
pub(super) fn for_page(report: &Report, agents: &[&AgentSummary]) -> String {
    if agents.len() <= PAGE_AGENTS_MAX {
        return json(report);
    }
    let kept = agents.iter().take(PAGE_AGENTS_MAX).map(|agent| (*agent).clone()).collect();
    let left_out = format!(
        "agents: {} of {}; the option --json writes them all",
        grouped((agents.len() - PAGE_AGENTS_MAX) as u64),
        grouped(agents.len() as u64)
    );
    serde_json::to_string_pretty(&Cut { report: with_agents(report, kept), left_out })
        .unwrap_or_else(|error| serde_json::json!({ "error": error.to_string() }).to_string())
}

/// A copy of the report with these agents: there may be too many others to copy.
fn with_agents(report: &Report, agents: Vec<AgentSummary>) -> Report {
    Report {
        unwedge_report: report.unwedge_report,
        verdict: report.verdict,
        findings: report.findings.clone(),
        agents,
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
        assert_eq!(read["left_out"], "agents: 500 of 1,500; the option --json writes them all");
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
