//! Is every bad input of `unwedge sim` one clear line, and a hint?

use std::fs;

use crate::place::Place;

#[test]
fn unknown_names_are_answered_with_the_nearest() {
    let place = Place::new();
    place.refuses(
        &["sim", "frame-lop"],
        "error: there is no scenario \"frame-lop\"\nhint: did you mean frame-loop?; see unwedge sim --list\n",
    );
    place.refuses(
        &["sim", "frame-lop", "--list"],
        "error: there is no scenario \"frame-lop\"\nhint: did you mean frame-loop?; see unwedge sim --list\n",
    );
    place.refuses(
        &["sim", "frame-loop", "--set", "drop-notificaton=4"],
        "error: frame-loop has no switch \"drop-notificaton\"\n\
         hint: did you mean drop-notification?; see unwedge sim frame-loop --list\n",
    );
}

#[test]
fn values_that_cannot_be_are_answered_with_what_can() {
    let place = Place::new();
    place.refuses(
        &["sim", "frame-loop", "--set", "drop-notification=banana"],
        "error: --set: drop-notification is off, on, N, N+ or N%, not \"banana\"\n\
         hint: see unwedge sim frame-loop --list\n",
    );
    place.refuses(
        &["sim", "frame-loop", "--set", "reset-after-acquire"],
        "error: invalid value 'reset-after-acquire' for '--set <SWITCH=VALUE>': it is not of the form SWITCH=VALUE\n\
         hint: see unwedge sim --help\n",
    );
    place.refuses(
        &["sim", "frame-loop", "--events", "0"],
        "error: invalid value '0' for '--events <N>': 0 is not in 1..18446744073709551615\n\
         hint: see unwedge sim --help\n",
    );
    place.refuses(
        &["sim", "frame-loop", "--seed", "-1"],
        "error: unexpected argument '-1' found\n\
         hint: to pass '-1' as a value, use '-- -1'; see unwedge sim --help\n",
    );
    place.refuses(
        &["sim", "frame-loop", "--explore", "--memory-max", "much"],
        "error: invalid value 'much' for '--memory-max <SIZE>': it is not a size such as 512M or 16G\n\
         hint: see unwedge sim --help\n",
    );
    place.refuses(
        &["sim", "frame-loop", "--live", "--speed", "0"],
        "error: invalid value '0' for '--speed <X>': it is a number from 0.000001 to 1000000\n\
         hint: see unwedge sim --help\n",
    );
}

#[test]
fn worlds_that_cannot_be_say_why() {
    let place = Place::new();
    place.refuses(
        &["sim", "frame-loop", "--set", "recovery=on"],
        "error: frame-loop cannot be so: recovery=on needs bounded=on: nothing recovers from a wait that does not return\n\
         hint: see unwedge sim frame-loop --list\n",
    );
    place.refuses(
        &["sim", "planted", "--explore"],
        "error: planted cannot be so: its worlds are for running, and have no small instance to explore\n\
         hint: see unwedge sim planted --list\n",
    );
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let place = Place::new();
    let hint = "hint: see unwedge sim --help\n";
    for (arguments, why) in [
        (
            ["frame-loop", "--live", "--explore", ""],
            "the argument '--live' cannot be used with '--explore'",
        ),
        (
            ["frame-loop", "--live", "--out", "x"],
            "the argument '--live' cannot be used with '--out <FILE>'",
        ),
        (
            ["frame-loop", "--explore", "--seed", "7"],
            "the argument '--explore' cannot be used with '--seed <N>'",
        ),
        (
            ["frame-loop", "--replay", "x", ""],
            "the argument '[NAME]' cannot be used with '--replay <FILE>'",
        ),
    ] {
        let arguments = arguments.into_iter().filter(|argument| !argument.is_empty());
        let arguments: Vec<_> = ["sim"].into_iter().chain(arguments).collect();
        place.refuses(&arguments, &format!("error: {why}\n{hint}"));
    }
    for lonely in [&["--states-max", "7"][..], &["--faults", "2"], &["--replay-out", "x"]] {
        let arguments: Vec<_> = ["sim", "frame-loop"].iter().chain(lonely).copied().collect();
        place.refuses(
            &arguments,
            &format!(
                "error: the following required arguments were not provided: --explore\n{hint}"
            ),
        );
    }
}

#[test]
fn a_world_is_not_shown_where_there_is_no_terminal() {
    Place::new().refuses(
        &["sim", "frame-loop", "--live"],
        "error: --live needs a terminal, and there is none\n\
         hint: leave out --live, or write the trace with --out\n",
    );
}

#[test]
fn nothing_is_written_where_it_cannot_be() {
    let place = Place::new();
    let run = |out: &str, stderr: &str| place.refuses(&["sim", "frame-loop", "--out", out], stderr);
    run(
        "no/such/trace.jsonl",
        "error: --out: no/such/trace.jsonl cannot be written: No such file or directory (os error 2)\n\
         hint: does its folder exist?\n",
    );
    run(
        "no/such/store",
        "error: no/such/store: No such file or directory (os error 2)\nhint: does its folder exist?\n",
    );
    run(
        "trace.jsonl.zst",
        "error: --out: trace.jsonl.zst would become a store, a folder\nhint: --out - | zstd > FILE\n",
    );
    fs::create_dir(place.path("full")).expect("a folder");
    fs::write(place.path("full/file"), "mine").expect("a file");
    run(
        "full",
        "error: full exists and is not empty\nhint: name another folder; --force replaces a store\n",
    );
    let output = place.run(&["sim", "frame-loop", "--out", "/dev/full"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: --out: /dev/full cannot be written: No space left on device (os error 28)\n"
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn two_things_do_not_go_to_standard_output() {
    Place::new().refuses(
        &["sim", "frame-loop", "--json", "--out", "-"],
        "error: --out and --json cannot both go to standard output\n\
         hint: name a file for one of them\n",
    );
}

#[test]
fn without_a_name_the_scenarios_are_named() {
    let output = Place::new().run(&["sim"]);
    let said = String::from_utf8_lossy(&output.stderr);
    let expected = "error: no scenario is given\nhint: unwedge sim --list; one of: ";
    assert!(said.starts_with(expected) && said.contains("frame-loop"), "{said}");
    assert_eq!(output.status.code(), Some(2));
}
