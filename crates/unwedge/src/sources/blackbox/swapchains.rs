//! Who has the images of a swapchain, and does the presentation engine owe one?

use unwedge_trace::blackbox::{
    IMAGE_PRESENTED, IMAGE_PROGRAM, OBJECT_DROPPED, PLATFORM_WAYLAND, SWAPCHAIN_IMAGES,
    SwapchainRecord,
};
use unwedge_trace::{
    AgentId, AgentKind, AgentState, Bound, MarkKind, Mode, ObjectKind, Point, What,
};

use super::{Build, OUTSIDE, label};

/// Where a swapchain's images are.
#[derive(Default)]
struct Images {
    program: u64,
    engine: u64,
    /// Presented by batches that have not passed: queue index and batch.
    queued: Vec<(usize, u64)>,
}

impl Build<'_> {
    pub(super) fn swapchains(&mut self) {
        let box_ = self.box_;
        for swapchain in &box_.swapchains {
            self.swapchain(swapchain);
        }
    }

    /// The agent behind a swapchain.
    pub(super) fn presentation_engine(&mut self, device: u64, swapchain: u64) -> AgentId {
        if let Some(agent) = self.engines.get(&(device, swapchain)) {
            return *agent;
        }
        let name = format!("of swapchain {swapchain:#x}");
        let created = self.box_.header.created_at;
        let agent = self.new_agent(created, AgentKind::PresentationEngine, name, 0);
        self.engines.insert((device, swapchain), agent);
        agent
    }

    fn images(&self, swapchain: &SwapchainRecord) -> Images {
        let mut images = Images::default();
        let count = usize::try_from(swapchain.images).unwrap_or(usize::MAX).min(SWAPCHAIN_IMAGES);
        for state in swapchain.image_states.iter().take(count) {
            let (queue, batch) = ((state >> 8) & 0xff_ffff, state >> 32);
            let index = usize::try_from(queue).ok().and_then(|queue| queue.checked_sub(1));
            let passed = index.and_then(|index| self.queues.get(&index)).map(|queue| queue.passed);
            match (state & 0xff, index, passed) {
                (IMAGE_PROGRAM, ..) => images.program += 1,
                (IMAGE_PRESENTED, Some(index), Some(passed)) if batch > passed & 0xffff_ffff => {
                    images.queued.push((index, batch));
                }
                _ => images.engine += 1,
            }
        }
        images
    }

    fn swapchain(&mut self, swapchain: &SwapchainRecord) {
        let key = (ObjectKind::Swapchain, swapchain.device, swapchain.handle);
        let object = self.object(key, swapchain.created_at, &label(&swapchain.label), false);
        let agent = self.presentation_engine(swapchain.device, swapchain.handle);
        let images = self.images(swapchain);
        let Images { program, engine, queued } = &images;
        let total = swapchain.images;
        if swapchain.acquires > 0 {
            let point = Point { object, value: swapchain.acquires };
            self.put(swapchain.acquired_at, agent, What::Signalled { point });
        }
        let text = format!(
            "of {total} images the program holds {program}, the presentation engine {engine}, and \
             {} wait on a queue to be presented",
            queued.len()
        );
        self.mark(self.now, OUTSIDE, MarkKind::Log, text, vec![object]);
        // Vulkan specification, vkAcquireNextImageKHR: with more than imageCount - minImageCount
        // images acquired, no further one is promised.
        let greedy =
            swapchain.images_min > 0 && *program > total.saturating_sub(swapchain.images_min);
        if greedy {
            let text = format!(
                "the surface's minImageCount is {}, so with {program} of {total} images acquired no \
                 further one is promised",
                swapchain.images_min
            );
            self.mark(self.now, OUTSIDE, MarkKind::Log, text, vec![object]);
        }
        if *engine == 0 && queued.is_empty() {
            return;
        }
        let point = Point { object, value: swapchain.acquires.saturating_add(1) };
        self.put(swapchain.created_at, agent, What::Owed { point, after: None, via: None });
        self.engine_state(agent, swapchain, &images, greedy);
    }

    fn engine_state(
        &mut self,
        agent: AgentId,
        swapchain: &SwapchainRecord,
        Images { program, engine, queued }: &Images,
        greedy: bool,
    ) {
        if *engine == 0 {
            let points = queued.iter().filter_map(|(index, batch)| {
                let queue = self.queues.get(index)?;
                Some(Point { object: queue.object, value: *batch })
            });
            let (points, mode) = (points.collect(), Mode::Any);
            let call = "present".to_owned();
            let wait = What::WaitBegan { call, points, mode, bound: Bound::Infinite };
            self.put(swapchain.presented_at, agent, wait);
            return;
        }
        let (state, detail) = if swapchain.flags & OBJECT_DROPPED != 0 {
            (AgentState::Blocked, format!("withholds {engine} images on purpose (injected)"))
        } else if swapchain.platform == PLATFORM_WAYLAND {
            // Whether the window is shown only the compositor and the program know.
            let why = "a Wayland compositor gives a window that is not shown no images";
            (AgentState::Running, format!("holds {engine} images; {why}"))
        } else if greedy && queued.is_empty() {
            let (total, minimum) = (swapchain.images, swapchain.images_min);
            let why = format!("minImageCount is {minimum} and the program has {program}");
            (AgentState::Blocked, format!("holds {engine} of {total} and owes none: {why}"))
        } else {
            (AgentState::Blocked, format!("holds {engine} images and hands out none"))
        };
        self.put(self.now, agent, What::State { state, detail, cpu: None, priority: None });
    }

    /// The point that `vkWaitForPresentKHR` waits for.
    pub(super) fn present_point(&mut self, device: u64, swapchain: u64, id: u64) -> Point {
        let agent = self.presentation_engine(device, swapchain);
        let key = (ObjectKind::Other, device, swapchain);
        let created = self.box_.header.created_at;
        let object = self.object(key, created, "presents of a swapchain", false);
        let point = Point { object, value: id };
        self.put(created, agent, What::Owed { point, after: None, via: None });
        point
    }
}
