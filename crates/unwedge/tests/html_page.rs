//! Does the check of pages find what it should? A page that is right passes; each way of being wrong fails.

mod common_page;

use std::fs;

const REPORT: &str = r#"{"findings":[{"code":"UW002","sentence":"thread 1 waits for <fence> & more"}],
"agents":[{"agent":0}],"graph":{"nodes":[{"id":"a0"},{"id":"o1:1"}],"edges":[]}}"#;

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The least page that is right.
fn page() -> String {
    let report = escaped(REPORT);
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
    check_all(name, &[(from, to)])
}

/// Writes the least page with each first text made the second, and checks it.
fn check_all(name: &str, changes: &[(&str, &str)]) -> Result<(), String> {
    let mut page = page();
    for (from, to) in changes {
        assert!(page.contains(from), "the page has no {from:?}");
        page = page.replace(from, to);
    }
    let folder = std::env::temp_dir().join(format!("unwedge-html-page-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let file = folder.join(format!("{name}.html"));
    fs::write(&file, page).map_err(|error| error.to_string())?;
    let result = common_page::check(&file, "UW002");
    fs::remove_file(&file).map_err(|error| error.to_string())?;
    result
}

#[test]
fn a_page_that_is_right_passes() {
    assert_eq!(check("right", "<p>UW002</p>", "<p>UW002</p>"), Ok(()));
}

/// Of a crowd, as many are drawn as a page has room for, and not fewer.
#[test]
fn a_crowd_may_be_cut() {
    let row = r#"<g data-agent="0"><rect width="100%" height="9"/></g>"#;
    let report = REPORT.replace(r#"[{"agent":0}]"#, &format!("[{}0]", "0,".repeat(300)));
    let crowd = |rows: usize| {
        let name = format!("crowd-{rows}");
        check_all(&name, &[(row, &row.repeat(rows)), (&escaped(REPORT), &escaped(&report))])
    };
    assert_eq!(crowd(300), Ok(()));
    if !common_page::check_is_blind() {
        let error = crowd(299).expect_err("a row is missing");
        assert!(error.contains("299 rows are drawn, the report has 301"), "{error}");
    }
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
