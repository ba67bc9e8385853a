//! Is a healthy program left in peace?

mod common;

use common::{World, point};
use unwedge_analyze::Verdict::Progressing;
use unwedge_analyze::{Options, analyze};
use unwedge_trace::{AgentState, ObjectKind, Recording, Timestamp};

const WAIT_FENCES: &str = "vkWaitForFences";

#[test]
fn an_empty_recording_is_no_hang() {
    let report = analyze(&Recording::new("", Timestamp(0), Vec::new()), &Options::default());
    assert_eq!((report.verdict, report.findings.len()), (Progressing, 0));
}

#[test]
fn a_young_wait_is_presumed_fine() {
    let mut world = World::new();
    let render = world.thread(4312, "render");
    let fence = world.fence(0x5e, "");
    world.ago(1900).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    world.expect(Progressing, &[]);
}

#[test]
fn a_worker_that_waits_for_a_job_is_idle() {
    let mut world = World::new();
    let main = world.thread(4311, "main");
    let worker = world.thread(4313, "worker");
    let jobs = world.timeline(0x7, "jobs");
    world.ago(9000).signalled(main, point(jobs, 4));
    world.ago(7210).waits(worker, "vkWaitSemaphores", &[point(jobs, 5)]);
    let report = world.expect(Progressing, &[]);
    insta::assert_snapshot!(report.notes.join("\n"), @r#"thread 4313 "worker" waits in vkWaitSemaphores for timeline semaphore 0x7 "jobs" to reach 5; thread 4311 "main", which signalled it before, is alive and not in a wait: nothing is accused"#);
}

#[test]
fn a_worker_whose_jobs_the_gpu_hands_out_is_idle_too() {
    let mut world = World::new();
    let main = world.thread(4311, "main");
    let worker = world.thread(4313, "worker");
    let queue = world.queue(0x55d0);
    let jobs = world.timeline(0x7, "jobs");
    world.ago(9000).submit(main, queue, 1, &[point(jobs, 4)]);
    world.ago(8900).passed(queue, 1).signalled(queue.agent, point(jobs, 4));
    world.ago(7210).waits(worker, "vkWaitSemaphores", &[point(jobs, 5)]);
    world.expect(Progressing, &[]);
}

#[test]
fn a_queue_that_finishes_batches_is_progressing() {
    let mut world = World::new();
    let render = world.thread(4312, "render");
    let queue = world.queue(0x55d0);
    let fence = world.fence(0x5e, "");
    for n in 1..100 {
        world.ago(9000 - n).submit(render, queue, n, &[]);
    }
    world.ago(8000).submit(render, queue, 100, &[point(fence, 1)]);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    world.ago(20).passed(queue, 60).state(queue.agent, AgentState::Running, "");
    world.expect(Progressing, &[]);
}

#[test]
fn a_signal_that_is_a_moment_late_is_not_lost() {
    let mut world = World::new();
    let render = world.thread(4312, "render");
    let queue = world.queue(0x55d0);
    let fence = world.fence(0x5e, "");
    world.ago(8000).submit(render, queue, 1, &[point(fence, 1)]);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    world.ago(30).passed(queue, 1);
    world.expect(Progressing, &[]);
}

#[test]
fn a_program_between_frames_is_progressing() {
    let mut world = World::new();
    let render = world.thread(4312, "render");
    let queue = world.queue(0x55d0);
    let fence = world.fence(0x5e, "");
    world.ago(8000).submit(render, queue, 1, &[point(fence, 1)]);
    world.ago(7900).passed(queue, 1).signalled(queue.agent, point(fence, 1));
    world.ago(0).state(queue.agent, AgentState::Blocked, "GPU utilisation 0 %");
    world.state(render, AgentState::Blocked, "in ppoll");
    let report = world.expect(Progressing, &[]);
    let states: Vec<_> = report.agents.iter().map(|agent| agent.state.as_str()).collect();
    assert_eq!(states, ["blocked", "idle"]);
}

#[test]
fn an_engine_that_has_just_been_given_an_image_may_keep_it_a_while() {
    let mut world = World::new();
    let render = world.thread(4312, "render");
    let swapchain = world.object(ObjectKind::Swapchain, 0x90, "");
    let engine = world.engine();
    world.ago(7210).waits(render, "vkAcquireNextImageKHR", &[point(swapchain, 4)]);
    world.ago(1000).owes(engine, point(swapchain, 4), None);
    world.expect(Progressing, &[]);
}

#[test]
fn a_lock_whose_owner_works_in_a_young_wait_is_fine() {
    let mut world = World::new();
    let ui = world.thread(4311, "ui");
    let worker = world.thread(4313, "loader");
    let lock = world.object(ObjectKind::Mutex, 0x10, "");
    let fence = world.fence(0x5e, "");
    world.ago(8000).owes(worker, point(lock, 1), None);
    world.ago(7210).waits(ui, "pthread_mutex_lock", &[point(lock, 1)]);
    world.ago(10).waits(worker, WAIT_FENCES, &[point(fence, 1)]);
    world.expect(Progressing, &[]);
}

#[test]
fn every_code_of_the_design_has_a_name() {
    let codes: Vec<_> = unwedge_analyze::catalogue().iter().map(|kind| kind.code).collect();
    let expected: Vec<_> = (1..=16).map(|n| format!("UW{n:03}")).collect();
    assert_eq!(codes, expected);
}
