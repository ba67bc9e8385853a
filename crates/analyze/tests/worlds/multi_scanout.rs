//! Is what `multi-scanout` plants what is found?

use unwedge_analyze::Report;
use unwedge_sim::explore::{Answer, explore_all};
use unwedge_sim::scenarios::Size;
use unwedge_sim::world::{Exploration, Replay, Step, Way};
use unwedge_trace::row::Op;

use super::judge::{replay, run, said, world};

/// Some minutes of a desktop whose scanouts all move, or a little less of one that stands still in part.
const ROWS: usize = 20_000;
/// Room for a state of two scanouts.
const BYTES: usize = 40;

fn report(switches: &str, rows: usize) -> Report {
    run(&world("multi-scanout", Size::Full, switches), 1, rows)
}

#[track_caller]
fn check(switches: &str, expected: &str) {
    let report = report(switches, ROWS);
    assert_eq!(said(&report), expected, "{switches}: {report:#?}");
}

/// The verdict, the first finding's code and its sentence.
fn first(report: &Report) -> String {
    let finding = &report.findings[0];
    format!("{:?} {} {}", report.verdict, finding.code, finding.sentence)
}

/// How often each agent with this text got something done.
fn progress(switches: &str, rows: usize, what: &str) -> Vec<(String, usize)> {
    let batch = world("multi-scanout", Size::Full, switches)
        .run(1)
        .batch(rows, u64::MAX)
        .expect("something happens");
    let mut counts = Vec::new();
    for (agent, number) in batch.agents.iter().zip(0..) {
        let of_agent =
            batch.rows.iter().filter(|row| row.op == Op::Progress && row.agent == number);
        let count = of_agent.filter(|row| &*batch.names[row.name as usize] == what).count();
        if count > 0 {
            counts.push((agent.name.to_string(), count));
        }
    }
    counts
}

#[test]
fn without_faults_it_is_healthy() {
    for switches in [
        "",
        "client=unobserved",
        "fence-wait=compositor",
        "scanouts=4",
        "scanouts=4 own-context=on",
        "skip-refresh-block=on safety-timer=on gl-block-timer=releases",
        "block-deadline=on own-context=on",
    ] {
        for seed in 1..=5 {
            let report = run(&world("multi-scanout", Size::Full, switches), seed, ROWS);
            assert_eq!(said(&report), "Progressing", "{switches}, seed {seed}: {report:#?}");
        }
    }
}

#[test]
fn a_client_that_does_not_answer_holds_the_block_on_both_paths() {
    insta::assert_snapshot!(first(&report("draw-done=112+", ROWS)), @r#"Inconclusive UW012 kernel thread 61 "commit crtc-0" waits in dma_fence_default_wait for dma-fence 0x1f0 "virtio-gpu scanout 0" to reach 99; thread 2201 "qemu main" owes it, and waits in virtio_gpu_process_cmdq for block 0x1 "renderer_blocked"; thread 2312 "display 1: IOSurface" (for 10.01 s) and thread 2311 "display 0: GL texture" (for 10.01 s) hold it"#);
}

#[test]
fn with_one_path_skipped_the_other_holder_is_named() {
    insta::assert_snapshot!(first(&report("draw-done=112+ skip-refresh-block=on", ROWS)), @r#"Inconclusive UW012 kernel thread 61 "commit crtc-0" waits in dma_fence_default_wait for dma-fence 0x1f0 "virtio-gpu scanout 0" to reach 163; thread 2201 "qemu main" owes it, and waits in virtio_gpu_process_cmdq for block 0x1 "renderer_blocked"; thread 2312 "display 1: IOSurface" (for 10.00 s) holds it"#);
}

#[test]
fn an_encoder_that_does_not_call_back_is_a_holder_like_any_other() {
    insta::assert_snapshot!(first(&report("encoder=50", ROWS)), @r#"Inconclusive UW012 kernel thread 62 "commit crtc-1" waits in dma_fence_default_wait for dma-fence 0x1f1 "virtio-gpu scanout 1" to reach 101; thread 2201 "qemu main" owes it, and waits in virtio_gpu_process_cmdq for block 0x1 "renderer_blocked"; thread 2242 "encoder 1" (for 10.01 s) holds it"#);
    insta::assert_snapshot!(first(&report("encoder=on draw-done=on", ROWS)), @r#"Inconclusive UW012 kernel thread 61 "commit crtc-0" waits in dma_fence_default_wait for dma-fence 0x1f0 "virtio-gpu scanout 0"; thread 2201 "qemu main" owes it, and waits in virtio_gpu_process_cmdq for block 0x1 "renderer_blocked"; thread 2312 "display 1: IOSurface" (for 10.01 s) and thread 2242 "encoder 1" (for 10.01 s) hold it"#);
}

#[test]
fn a_client_that_is_gone_is_accused_where_it_is_seen_to_go() {
    insta::assert_snapshot!(first(&report("client-exit=101", ROWS)), @r#"Wedged UW007 kernel thread 62 "commit crtc-1" waits in dma_fence_default_wait for dma-fence 0x1f1 "virtio-gpu scanout 1" to reach 117; thread 2201 "qemu main" owes it, and waits in virtio_gpu_process_cmdq for block 0x1 "renderer_blocked"; thread 2311 "display 0: GL texture" owes it, and it exited 10.00 s ago"#);
    insta::assert_snapshot!(first(&report("client-exit=101 client=unobserved", ROWS)), @r#"Inconclusive UW012 kernel thread 62 "commit crtc-1" waits in dma_fence_default_wait for dma-fence 0x1f1 "virtio-gpu scanout 1" to reach 117; thread 2201 "qemu main" owes it, and waits in virtio_gpu_process_cmdq for block 0x1 "renderer_blocked"; display 0: GL texture (for 10.01 s) holds it"#);
}

#[test]
fn a_client_that_is_not_observed_is_not_accused() {
    check("draw-done=100+ client=unobserved", "Inconclusive UW012");
    check("draw-done=on encoder=on client=unobserved", "Inconclusive UW012");
}

#[test]
fn a_fence_filed_astray_is_a_lost_signal_of_the_context_that_drew() {
    insta::assert_snapshot!(first(&report("fence=50", ROWS)), @r#"Wedged UW004 kernel thread 62 "commit crtc-1" waits in dma_fence_default_wait for dma-fence 0x1f1 "virtio-gpu scanout 1" to reach 99; queue 0x40 "context 0" finished batch 89, which signals it, at least 945 ms ago, but the signal never showed"#);
    insta::assert_snapshot!(first(&report("fence=50 fence-wait=compositor", ROWS)), @r#"Wedged UW004 guest thread 1388 "gnome-shell" waits in dma_fence_default_wait for dma-fence 0x1f1 "virtio-gpu scanout 1" to reach 99; queue 0x40 "context 0" finished batch 87, which signals it, at least 10.00 s ago, but the signal never showed"#);
    check("fence=50+ own-context=on", "Progressing");
}

/// "Frames kept coming in broken boots: the block was not always the culprit."
#[test]
fn frames_of_scanout_0_keep_coming_while_scanout_1_waits_for_its_fence() {
    insta::assert_snapshot!(format!("{:?}", progress("fence=50", ROWS, "frame shown")), @r#"[("commit crtc-0", 931), ("commit crtc-1", 49)]"#);
}

/// Neither the timer that warns, nor the one that only guards the encoder, mends what the client does not give back.
#[test]
fn the_fixes_mend_what_they_are_for() {
    for (switches, expected) in [
        ("draw-done=100+ gl-block-timer=warns", "Inconclusive UW012"),
        ("draw-done=100+ gl-block-timer=releases", "Progressing"),
        ("draw-done=100+ safety-timer=on", "Inconclusive UW012"),
        ("encoder=50 gl-block-timer=releases", "Inconclusive UW012"),
        ("encoder=50 safety-timer=on", "Progressing"),
        ("draw-done=100+ block-deadline=on", "Progressing"),
        ("client-exit=100 block-deadline=on", "Progressing"),
        ("encoder=50+ block-deadline=on", "Progressing"),
        ("fence=50 block-deadline=on", "Wedged UW004"),
    ] {
        check(switches, expected);
    }
}

/// The service is not up before the first frame: port 9876 answers nobody, and each activation times out.
#[test]
fn without_a_first_frame_the_service_does_not_start() {
    let answered = "port 9876 answered with a frame";
    assert_eq!(progress("fence=on fence-wait=compositor", 200, answered), []);
    assert!(!progress("", 200, answered).is_empty());
    insta::assert_snapshot!(first(&report("fence=on fence-wait=compositor", 200)), @r#"Wedged UW004 guest thread 1388 "gnome-shell" waits in dma_fence_default_wait for dma-fence 0x1f1 "virtio-gpu scanout 1"; queue 0x40 "context 0" finished batch 1, which signals it, at least 2 h 13 min ago, but the signal never showed"#);
}

/// Steps after the shortest way: enough for everybody who can to get as far as they can.
const STEPS_AFTER: usize = 300;

/// The shortest way into a wedge, then everybody in turn, told as a trace and judged.
fn shortest(switches: &str) -> String {
    let world = world("multi-scanout", Size::Small, switches);
    let model = Exploration::<BYTES>::new(&world).expect("there is room for a state");
    let Answer::Wedge(wedge) = explore_all(&model).answer else { return "no wedge".to_owned() };
    let mut steps: Vec<Step> = wedge.path.iter().map(|step| step.action).collect();
    let mut after = Replay::new(&world);
    for step in &steps {
        after.take(*step).expect("a step of the way");
    }
    for _ in 0..STEPS_AFTER {
        let last = |step: &Step| steps.iter().rposition(|taken| taken.agent == step.agent);
        let next = after.steps().into_iter().filter(|step| step.way != Way::Strike);
        let Some(next) = next.min_by_key(last) else { break };
        after.take(next).expect("one that was offered");
        steps.push(next);
    }
    first(&replay(&world, &steps).1)
}

#[test]
fn the_shortest_wedges_are_found_as_what_they_are() {
    insta::assert_snapshot!(shortest("draw-done=on"), @r#"Inconclusive UW012 kernel thread 61 "commit crtc-0" waits in dma_fence_default_wait for dma-fence 0x1f0 "virtio-gpu scanout 0"; thread 2201 "qemu main" owes it, and waits in virtio_gpu_process_cmdq for block 0x1 "renderer_blocked"; thread 2312 "display 1: IOSurface" (for 10.03 s) holds it"#);
    insta::assert_snapshot!(shortest("draw-done=on skip-refresh-block=on"), @r#"Inconclusive UW012 kernel thread 61 "commit crtc-0" waits in dma_fence_default_wait for dma-fence 0x1f0 "virtio-gpu scanout 0"; thread 2201 "qemu main" owes it, and waits in virtio_gpu_process_cmdq for block 0x1 "renderer_blocked"; thread 2312 "display 1: IOSurface" (for 10.03 s) holds it"#);
    insta::assert_snapshot!(shortest("client-exit=on"), @r#"Wedged UW007 kernel thread 61 "commit crtc-0" waits in dma_fence_default_wait for dma-fence 0x1f0 "virtio-gpu scanout 0"; thread 2201 "qemu main" owes it, and waits in virtio_gpu_process_cmdq for block 0x1 "renderer_blocked"; thread 2312 "display 1: IOSurface" owes it, and it exited 10.02 s ago"#);
    insta::assert_snapshot!(shortest("encoder=on"), @r#"Inconclusive UW012 kernel thread 61 "commit crtc-0" waits in dma_fence_default_wait for dma-fence 0x1f0 "virtio-gpu scanout 0"; thread 2201 "qemu main" owes it, and waits in virtio_gpu_process_cmdq for block 0x1 "renderer_blocked"; thread 2242 "encoder 1" (for 10.02 s) holds it"#);
    insta::assert_snapshot!(shortest("fence=on"), @r#"Wedged UW004 kernel thread 62 "commit crtc-1" waits in dma_fence_default_wait for dma-fence 0x1f1 "virtio-gpu scanout 1"; queue 0x40 "context 0" finished batch 1, which signals it, at least 10.29 s ago, but the signal never showed"#);
}
