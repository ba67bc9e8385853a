//! How does a program read a report? As JSON, exactly as the report's types serialise.

use unwedge_analyze::Report;

/// The report as indented JSON, without a newline at its end.
pub(crate) fn json(report: &Report) -> String {
    // A report has string keys only and no type that refuses to serialise; should one ever appear,
    // its reader learns why in the format that it expects.
    serde_json::to_string_pretty(report).unwrap_or_else(|error| {
        serde_json::json!({ "unwedge_report": report.unwedge_report, "error": error.to_string() })
            .to_string()
    })
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
    fn json_begins_with_its_version_and_verdict() {
        let text = json(&samples::reset_without_submit().report);
        assert!(
            text.starts_with("{\n  \"unwedge_report\": 1,\n  \"verdict\": \"wedged\""),
            "{text}"
        );
    }
}
