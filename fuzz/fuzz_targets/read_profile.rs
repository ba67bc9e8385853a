//! Does a profile read the same from foreign lines, whatever the bytes and whatever was learned? And does a profile of
//! any text give a profile or an error?
#![no_main]

use libfuzzer_sys::fuzz_target;
use unwedge_readers::profile::GUEST_KERNEL_TOML;
use unwedge_readers::{Complaints, Profile};
use unwedge_trace::row::Batch;

/// A profile with what the guest kernel's does not have.
const OTHER: &str = r#"
name = "other"
[time]
field = "ts"
unit = "us"
origin = 10
[agent]
field = "tid"
process = "pid"
fixed = "main"
name = "comm"
[object]
field = "args.obj"
list = "args.objs"
value = "args.seq"
kind_field = "args.type"
kinds = { fence = "dma_fence" }
[event]
field = "name"
second = "ph"
[wait]
bound = "args.timeout"
bound_unit = "ms"
infinite = [-1]
result = "args.ret"
results = { 0 = "reached", 110 = "timed_out" }
duration = "dur"
[events]
"futex/B" = "wait_begin"
"futex/E" = "wait_end"
"futex/X" = "wait"
"sig*" = "signal"
"fail" = "failed_call"
"lost" = { is = "lost", count = "args.n" }
"#;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Profile::parse(text);
    }
    for profile in [GUEST_KERNEL_TOML, OTHER] {
        let profile = Profile::parse(profile).expect("a profile");
        let _ = profile.detect(data);
        let mut before = None;
        for reader in [profile.open_without_templates(), profile.open()] {
            let mut scratch = reader.scratch();
            // The second time it knows the lines.
            for _ in 0..2 {
                let (mut batch, mut complaints) = (Batch::default(), Complaints::default());
                let lines = reader.read(data, &mut *scratch, &mut batch, &mut complaints);
                let said = (lines, batch, complaints);
                let first = before.get_or_insert_with(|| said.clone());
                assert_eq!(*first, said);
            }
        }
    }
});
