//! Does the check of pages find what it should? A page that is right passes; each way of being wrong fails.

mod common_page;

use std::fs;

const REPORT: &str = r#"{"findings":[{"code":"UW002","sentence":"thread 1 waits for <fence> & more"}],
"agents":[{"agent":0}],"graph":{"nodes":[{"id":"a0"},{"id":"o1:1"}],"edges":[]}}"#;

/// The least page that is right.
fn page() -> String {
    let report = REPORT.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        r##"<!doctype html><meta charset="utf-8"><title>t</title><style>body{{margin:0}}</style>
<p>UW002</p><p class="sentence">thread 1 waits for &lt;fence&gt; &amp; more</p>
<svg id="wait-graph" width="200" height="100"><g data-node="a0"><rect class="box" width="90" height="40"/></g>
<g data-node="o1:1"><rect class="box" x="100" width="90" height="40"/></g></svg>
<svg id="timeline" width="100%" height="20"><g data-agent="0"><rect width="100%" height="9"/></g></svg>
<details><summary>JSON</summary><pre id="report-json">{report}</pre></details>"##
    )
}

/// Writes the least page with `from` made `to`, and checks it.
fn check(name: &str, from: &str, to: &str) -> Result<(), String> {
    let page = page();
    assert!(page.contains(from), "the page has no {from:?}");
    let folder = std::env::temp_dir().join(format!("unwedge-html-page-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let file = folder.join(format!("{name}.html"));
    fs::write(&file, page.replace(from, to)).map_err(|error| error.to_string())?;
    let result = common_page::check(&file, "UW002");
    fs::remove_file(&file).map_err(|error| error.to_string())?;
    result
}

#[test]
fn a_page_that_is_right_passes() {
    assert_eq!(check("right", "<p>UW002</p>", "<p>UW002</p>"), Ok(()));
}

/// In a table: name, what is changed into what, and what the check says about it.
#[test]
fn a_page_that_is_wrong_fails() {
    if common_page::check_is_blind() {
        return;
    }
    let wide = r#"<div style="width:400px">wide</div>"#;
    let cases = [
        ("hidden", r#"class="sentence""#, "hidden", "is not visible"),
        ("code", "<p>UW002</p>", "", "\"UW002\" is not visible"),
        ("node", r#"data-node="a0""#, "", "1 nodes are drawn, the report has 2"),
        ("row", r#"data-agent="0""#, "", "0 rows are drawn, the report has 1"),
        ("overlap", r#"x="100""#, r#"x="50""#, "nodes overlap: [\"a0 o1:1\"]"),
        ("wide", "<p>UW002</p>", &format!("<p>UW002</p>{wide}"), "360 px wide: content 400 px"),
        (
            "load",
            "<title>",
            r#"<link rel="stylesheet" href="file:///x.css"><title>"#,
            "something is loaded",
        ),
        ("script", "<title>", "<script>no.such</script><title>", "console says"),
        ("report", r#"id="report-json""#, "", "no element \"report-json\""),
    ];
    for (name, from, to, said) in cases {
        match check(name, from, to) {
            Ok(()) => panic!("{name}: the check found nothing wrong"),
            Err(error) => assert!(error.contains(said), "{name}: {error}"),
        }
    }
}
