//! Is the diff in the docs that of the two triangles? With `UNWEDGE_DOCS_WRITE=1` it is written there.
#![allow(clippy::expect_used, reason = "a test says what it expects")]

use std::path::Path;
use std::process::Command;

const PAGE: &str = "docs/moving.md";
const BEGIN: &str = "```diff\n";
/// With the line before: the programs have fences in their comments.
const END: &str = "\n```\n";

#[test]
fn the_page_has_the_diff_of_the_two_triangles() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (before, after) = ("examples/triangle_raw.rs", "examples/triangle.rs");
    let mut command = Command::new("diff");
    command.args(["-u", "--label", before, "--label", after, before, after]).current_dir(folder);
    let output = command.output().expect("diff, of diffutils, is installed");
    let diff = String::from_utf8(output.stdout).expect("sources are text");
    assert!(diff.lines().count() > 100, "the two are hardly different:\n{diff}");

    let page = std::fs::read_to_string(folder.join(PAGE)).expect("the page");
    let (text, rest) = page.split_once(BEGIN).expect("a place for the diff");
    let (found, after) = rest.split_once(END).expect("the end of the diff");
    let diff = diff.trim_end();
    if std::env::var_os("UNWEDGE_DOCS_WRITE").is_some() {
        let page = format!("{text}{BEGIN}{diff}{END}{after}");
        std::fs::write(folder.join(PAGE), page).expect("the page can be written");
        return;
    }
    assert!(found == diff, "{PAGE} is behind: UNWEDGE_DOCS_WRITE=1 writes it\n{diff}");
}
