//! Is what the triangle does valid Vulkan? As the validation layer has it, between the program and the faults.

use std::path::Path;

use crate::many::PROGRAM;
use crate::rig;
use crate::watched::Watch;

const OURS: &str = "VK_LAYER_UNWEDGE_watch";
const VALIDATION: &str = "VK_LAYER_KHRONOS_validation";

/// Where the manifest of the validation layer is; said on standard error where it is not installed.
fn validation() -> Option<&'static str> {
    let folder = "/usr/share/vulkan/explicit_layer.d";
    let files = Path::new(folder).read_dir().into_iter().flatten().flatten();
    let found = files.map(|file| std::fs::read_to_string(file.path()).unwrap_or_default());
    let named = format!("\"{VALIDATION}\"");
    if found.into_iter().any(|text| text.contains(&named)) {
        return Some(folder);
    }
    eprintln!("skipped: {VALIDATION} is not installed");
    None
}

/// Nothing is complained about, the frames are presented, and the program ends by itself.
fn check(faults: &[&str], arguments: &str) {
    let Some(theirs) = validation() else { return };
    let options: Vec<&str> = faults.iter().flat_map(|fault| ["--inject", fault]).collect();
    let Some(watch) = Watch::new(&options).on_display(true) else { return };
    let watch = watch.env("triangle", rig::built(PROGRAM)).env("VK_LOADER_DEBUG", "layer");
    let script = format!(
        "export VK_INSTANCE_LAYERS={VALIDATION}:{OURS} VK_LAYER_PATH={theirs}:$UNWEDGE_DIR; \
         exec \"$triangle\" --frames 60 {arguments}"
    );
    let told = watch.program(["sh", "-c", &script]);
    told.is_healthy(0, &[&format!("nsert instance layer \"{VALIDATION}\"")]);
    assert_eq!(told.faults().len(), faults.len(), "{}", told.all());
    assert!(told.stdout.contains("60 frames, "), "{}", told.all());
    for word in ["VUID-", "UNASSIGNED-", "SYNC-HAZARD"] {
        assert!(!told.stdout.contains(word) && !told.stderr.contains(word), "{}", told.all());
    }
}

fn check_both(faults: &[&str], arguments: &str) {
    for patience in ["", " --patient"] {
        check(faults, &format!("{arguments}{patience}"));
    }
}

#[test]
fn a_healthy_run_is_valid() {
    check_both(&[], "");
}

#[test]
fn a_window_that_is_resized_is_drawn_to_validly() {
    check_both(&[], "--resize");
}

#[test]
fn recovery_from_a_lost_signal_is_valid() {
    check_both(&["drop-signal:fence:n=20"], "");
}

#[test]
fn recovery_from_swapchains_that_are_out_of_date_is_valid() {
    check_both(&["out-of-date:acquire:n=20", "out-of-date:present:n=30"], "");
}

#[test]
fn recovery_from_withheld_images_is_valid() {
    check_both(&["acquire-timeout:n=10", "withhold-images:n=20"], "");
}
