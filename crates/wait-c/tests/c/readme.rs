//! Do the commands of the README do what it says?

use crate::shell::{build, has, why_no_c, Place};

/// A block of commands, the program that it needs, and what it prints.
struct Block {
    needs: Option<String>,
    commands: String,
    output: Option<String>,
}

/// The blocks that begin with "```sh", each with the "```text" that follows at once, if one does.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```").filter(|kind| !kind.is_empty()) else { continue };
        let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let inside = inside.iter().map(|line| format!("{line}\n")).collect();
        match kind.split_once(' ').unwrap_or((kind, "")) {
            ("sh", needs) => {
                let needs = Some(needs.to_owned()).filter(|needs| !needs.is_empty());
                blocks.push(Block { needs, commands: inside, output: None });
            }
            ("text", _) => blocks.last_mut().expect("commands before").output = Some(inside),
            (other, _) => panic!("what is a block of {other}?"),
        }
    }
    blocks
}

fn run_all(place: &Place) {
    let blocks = blocks(include_str!("../../README.md"));
    assert_eq!(blocks.len(), 8, "each block was found");
    for Block { needs, commands, output } in blocks {
        if let Some(program) = needs.filter(|program| !has(program)) {
            println!("skipped: {program} is not installed:\n{commands}");
            continue;
        }
        let printed = place.succeed(&commands);
        if let Some(output) = output {
            // What builds and installs may print before.
            assert!(printed.ends_with(&output), "{commands}\n{printed}");
        }
    }
}

#[test]
fn every_command_of_the_readme_works_on_the_fake_driver() {
    if let Some(why) = why_no_c() {
        println!("skipped: {why}");
        return;
    }
    run_all(&Place::fake(""));
}

const BOUNDED: &str = r#"cc -std=c99 -I"$SOURCE/crates/wait-c/include" -o bounded \
    "$SOURCE/crates/wait-c/examples/bounded.c" -L"$LIB" -lunwedge_wait -lvulkan -Wl,-rpath,"$LIB"
timeout 60 ./bounded"#;

#[test]
fn the_example_works_on_lavapipe() {
    let Some(place) = Place::lavapipe() else {
        println!("skipped: lavapipe is not installed");
        return;
    };
    if let Some(why) = why_no_c() {
        println!("skipped: {why}");
        return;
    }
    build(&place);
    let expected =
        "before the submit: timed out\nafter the submit: reached\nthe queue is idle: reached\n";
    assert_eq!(place.succeed(BOUNDED), expected);
}

/// The driver drops the notification of the first fence, as in the incident that this library is for, or loses the device.
#[test]
fn the_example_ends_on_a_driver_that_misbehaves() {
    if let Some(why) = why_no_c() {
        println!("skipped: {why}");
        return;
    }
    let cases = [
        ("drop-fence=1", 2, "after the submit: timed out\nthe queue is idle: reached\n", ""),
        ("stall=1", 2, "after the submit: timed out\nthe queue is idle: timed out\n", ""),
        (
            "lost-at=1",
            1,
            "after the submit: device lost\n",
            "vkWaitForFences: the device is lost\n",
        ),
    ];
    for (script, status, expected, error) in cases {
        let place = Place::fake(script);
        build(&place);
        let told = place.run(BOUNDED);
        assert_eq!(told.status, Some(status), "{script}: {told:?}");
        assert_eq!(told.stdout, format!("before the submit: timed out\n{expected}"), "{script}");
        assert!(told.stderr.ends_with(error), "{script}: {}", told.stderr);
    }
}
