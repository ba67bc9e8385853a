//! Does each function of the header answer as it says, to a driver written in C and to whatever a C program may pass?

use crate::shell::{build, has, why_no_c, Place};

/// The program says on which line an answer was another.
const API: &str = include_str!("api.c");

/// A strict compiler of each language that the header is for.
const COMPILERS: [(&str, &str); 4] = [
    ("cc", "cc -std=c99 -Wpedantic"),
    ("cc", "cc -std=c11 -Wpedantic"),
    ("c++", "c++ -std=c++11 -Wpedantic -x c++"),
    ("c++", "c++ -std=c++17 -Wpedantic -x c++"),
];

const FLAGS: &str = r#"-Wall -Wextra -Werror -I"$SOURCE/crates/wait-c/include""#;

#[test]
fn every_function_answers_as_the_header_says() {
    if let Some(why) = why_no_c() {
        println!("skipped: {why}");
        return;
    }
    let place = Place::fake("");
    build(&place);
    std::fs::write(place.folder.path().join("api.c"), API).unwrap();
    for (program, compile) in COMPILERS {
        if !has(program) {
            println!("skipped: {program} is not installed");
            continue;
        }
        let link = r#"-x none "$LIB/libunwedge_wait.a" -lgcc_s -lpthread -ldl -lm"#;
        place.succeed(&format!("{compile} {FLAGS} -o api api.c {link}\ntimeout 60 ./api"));
    }
}

#[test]
fn an_answer_that_nobody_looks_at_does_not_compile() {
    if let Some(why) = why_no_c() {
        println!("skipped: {why}");
        return;
    }
    let program = "#include \"unwedge_wait.h\"\n\
        void f(const UwDevice *device);\n\
        void f(const UwDevice *device) { LOOK uw_wait_fences(device, 0, 0, 1, uw_bound_secs(1)); }\n";
    for (name, compile) in COMPILERS {
        if !has(name) {
            continue;
        }
        let place = Place::fake("");
        let file = place.folder.path().join("looks.c");
        std::fs::write(
            &file,
            program
                .replace("LOOK", "UwResult result = ")
                .replace("); }", "); if (result != UW_RESULT_REACHED) f(device); }"),
        )
        .unwrap();
        place.succeed(&format!("{compile} {FLAGS} -c -o looks.o looks.c"));
        std::fs::write(&file, program.replace("LOOK", "")).unwrap();
        let told = place.run(&format!("{compile} {FLAGS} -c -o looks.o looks.c"));
        assert_ne!(told.status, Some(0), "{compile}");
        assert!(told.stderr.contains("uw_wait_fences"), "{}", told.stderr);
    }
}
