/* Calls every function with good and bad arguments, over a driver of a few lines that takes down the timeouts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unwedge_wait.h"

#define EXPECT(condition)                                                               \
    do {                                                                                \
        if (!(condition)) {                                                             \
            fprintf(stderr, "api.c:%d: %s: %s\n", __LINE__, #condition, uw_last_error()); \
            exit(1);                                                                    \
        }                                                                               \
    } while (0)

/* Handles that are pointers or numbers, by architecture. */
#define HANDLE(type, number) ((type)(uintptr_t)(number))

static VkResult next = VK_SUCCESS;
static uint64_t longest = 0;
static uint64_t value_of_second = 0;
/* Which functions the device has. */
static size_t first = 0;
static int extended = 1;

static VkResult answer(uint64_t timeout) {
    longest = timeout > longest ? timeout : longest;
    return next;
}

static VKAPI_ATTR VkResult VKAPI_CALL wait_for_fences(VkDevice device, uint32_t count, const VkFence *fences,
                                                      VkBool32 all, uint64_t timeout) {
    (void)device, (void)count, (void)fences, (void)all;
    return answer(timeout);
}

static VKAPI_ATTR VkResult VKAPI_CALL wait_semaphores(VkDevice device, const VkSemaphoreWaitInfo *info,
                                                      uint64_t timeout) {
    (void)device;
    value_of_second = info->semaphoreCount > 1 ? info->pValues[1] : 0;
    return answer(timeout);
}

static VKAPI_ATTR VkResult VKAPI_CALL acquire(VkDevice device, VkSwapchainKHR swapchain, uint64_t timeout,
                                              VkSemaphore semaphore, VkFence fence, uint32_t *index) {
    (void)device, (void)swapchain, (void)semaphore, (void)fence;
    *index = 2;
    return answer(timeout);
}

static VKAPI_ATTR VkResult VKAPI_CALL acquire2(VkDevice device, const VkAcquireNextImageInfoKHR *info,
                                               uint32_t *index) {
    (void)device;
    *index = info->deviceMask;
    return answer(info->timeout);
}

static VKAPI_ATTR VkResult VKAPI_CALL wait_for_present(VkDevice device, VkSwapchainKHR swapchain, uint64_t id,
                                                       uint64_t timeout) {
    (void)device, (void)swapchain, (void)id;
    return answer(timeout);
}

static VKAPI_ATTR VkResult VKAPI_CALL wait_for_present2(VkDevice device, VkSwapchainKHR swapchain,
                                                        const void *info) {
    (void)device, (void)swapchain, (void)info;
    return next;
}

static VKAPI_ATTR VkResult VKAPI_CALL query_results(VkDevice device, VkQueryPool pool, uint32_t from, uint32_t count,
                                                    size_t size, void *results, VkDeviceSize stride,
                                                    VkQueryResultFlags flags) {
    (void)device, (void)pool, (void)from, (void)count, (void)stride;
    EXPECT((flags & VK_QUERY_RESULT_WAIT_BIT) == 0);
    memset(results, 1, size);
    return next;
}

static VKAPI_ATTR VkResult VKAPI_CALL create_fence(VkDevice device, const VkFenceCreateInfo *info,
                                                   const VkAllocationCallbacks *allocator, VkFence *fence) {
    (void)device, (void)info, (void)allocator;
    *fence = HANDLE(VkFence, 9);
    return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL destroy_fence(VkDevice device, VkFence fence, const VkAllocationCallbacks *allocator) {
    (void)device, (void)fence, (void)allocator;
}

static VKAPI_ATTR VkResult VKAPI_CALL reset_fences(VkDevice device, uint32_t count, const VkFence *fences) {
    (void)device, (void)count, (void)fences;
    return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL fence_status(VkDevice device, VkFence fence) {
    (void)device, (void)fence;
    return next == VK_SUCCESS ? VK_SUCCESS : VK_NOT_READY;
}

static VKAPI_ATTR VkResult VKAPI_CALL submit(VkQueue queue, uint32_t count, const VkSubmitInfo *batches, VkFence fence) {
    (void)queue, (void)count, (void)batches, (void)fence;
    return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL wait_idle(VkDevice device) {
    (void)device;
    return next;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get(VkDevice device, const char *name) {
    static const struct {
        const char *name;
        PFN_vkVoidFunction function;
    } functions[] = {
        {"vkWaitForFences", (PFN_vkVoidFunction)wait_for_fences},
        {"vkGetQueryPoolResults", (PFN_vkVoidFunction)query_results},
        {"vkCreateFence", (PFN_vkVoidFunction)create_fence},
        {"vkDestroyFence", (PFN_vkVoidFunction)destroy_fence},
        {"vkResetFences", (PFN_vkVoidFunction)reset_fences},
        {"vkGetFenceStatus", (PFN_vkVoidFunction)fence_status},
        {"vkQueueSubmit", (PFN_vkVoidFunction)submit},
        {"vkDeviceWaitIdle", (PFN_vkVoidFunction)wait_idle},
        /* From here on, those of extensions and later versions. */
        {"vkWaitSemaphores", (PFN_vkVoidFunction)wait_semaphores},
        {"vkAcquireNextImageKHR", (PFN_vkVoidFunction)acquire},
        {"vkAcquireNextImage2KHR", (PFN_vkVoidFunction)acquire2},
        {"vkWaitForPresentKHR", (PFN_vkVoidFunction)wait_for_present},
        {"vkWaitForPresent2KHR", (PFN_vkVoidFunction)wait_for_present2},
    };
    (void)device;
    for (size_t index = first; index < (extended ? sizeof functions / sizeof *functions : 8); index++) {
        if (strcmp(functions[index].name, name) == 0) {
            return functions[index].function;
        }
    }
    return NULL;
}

static const VkDevice DEVICE = HANDLE(VkDevice, 1);
static const VkSwapchainKHR SWAPCHAIN = HANDLE(VkSwapchainKHR, 2);
static const VkSemaphore SEMAPHORE = HANDLE(VkSemaphore, 3);
static const VkFence FENCE = HANDLE(VkFence, 4);
static const VkQueue QUEUE = HANDLE(VkQueue, 5);
static const VkQueryPool POOL = HANDLE(VkQueryPool, 6);

static void devices(void) {
    EXPECT(uw_device_new(NULL, get) == NULL);
    EXPECT(strcmp(uw_last_error(), "the pointer to the device is null") == 0);
    EXPECT(uw_device_new(DEVICE, NULL) == NULL);
    first = 1;
    EXPECT(uw_device_new(DEVICE, get) == NULL);
    EXPECT(strcmp(uw_last_error(), "the device has no functions of Vulkan 1.0") == 0);
    first = 0;
    uw_device_free(NULL);
}

static void fences(const UwDevice *device) {
    VkFence two[2] = {FENCE, VK_NULL_HANDLE};
    UwBound bound = uw_bound_secs(60);
    EXPECT(uw_wait_fences(device, 1, two, VK_TRUE, bound) == UW_RESULT_REACHED);
    EXPECT(uw_wait_fences(device, 0, NULL, VK_TRUE, bound) == UW_RESULT_REACHED);
    EXPECT(uw_wait_fences(device, 0, NULL, VK_FALSE, bound) == UW_RESULT_ERROR_NOTHING);
    EXPECT(uw_wait_fences(device, 1, NULL, VK_TRUE, bound) == UW_RESULT_ERROR_NULL);
    EXPECT(uw_wait_fences(device, 2, two, VK_TRUE, bound) == UW_RESULT_ERROR_NULL);
    EXPECT(uw_wait_fences(NULL, 1, two, VK_TRUE, bound) == UW_RESULT_ERROR_NULL);
    EXPECT(uw_wait_fences(device, SIZE_MAX, two, VK_TRUE, bound) == UW_RESULT_ERROR_TOO_MANY);
    next = VK_TIMEOUT;
    EXPECT(uw_wait_fences(device, 1, two, VK_TRUE, uw_bound_nanos(0)) == UW_RESULT_TIMED_OUT);
    EXPECT(uw_wait_fences(device, 1, two, VK_TRUE, uw_bound_micros(200)) == UW_RESULT_TIMED_OUT);
    next = VK_ERROR_DEVICE_LOST;
    EXPECT(uw_wait_fences(device, 1, two, VK_TRUE, bound) == UW_RESULT_ERROR_DEVICE_LOST);
    EXPECT(strcmp(uw_last_error(), "vkWaitForFences: the device is lost") == 0);
    next = VK_ERROR_OUT_OF_HOST_MEMORY;
    EXPECT(uw_wait_fences(device, 1, two, VK_TRUE, bound) == UW_RESULT_ERROR_OUT_OF_MEMORY);
    next = VK_ERROR_UNKNOWN;
    EXPECT(uw_wait_fences(device, 1, two, VK_TRUE, bound) == UW_RESULT_ERROR_FAILED);
    next = VK_SUCCESS;
}

static void semaphores(const UwDevice *device) {
    UwPoint points[UW_SEMAPHORES_MAX + 1];
    for (size_t index = 0; index <= UW_SEMAPHORES_MAX; index++) {
        points[index].semaphore = SEMAPHORE;
        points[index].value = index + 10;
    }
    UwBound bound = uw_bound_secs(60);
    EXPECT(uw_wait_semaphores(device, UW_SEMAPHORES_MAX, points, VK_TRUE, bound) == UW_RESULT_REACHED);
    EXPECT(value_of_second == 11);
    EXPECT(uw_wait_semaphores(device, UW_SEMAPHORES_MAX + 1, points, VK_TRUE, bound) == UW_RESULT_ERROR_TOO_MANY);
    EXPECT(uw_wait_semaphores(device, 0, NULL, VK_FALSE, bound) == UW_RESULT_ERROR_NOTHING);
    EXPECT(uw_wait_semaphores(device, 1, NULL, VK_FALSE, bound) == UW_RESULT_ERROR_NULL);
    EXPECT(uw_wait_semaphores(NULL, 1, points, VK_FALSE, bound) == UW_RESULT_ERROR_NULL);
}

static void images(const UwDevice *device) {
    uint32_t index = 77;
    UwBound bound = uw_bound_millis(1);
    next = VK_NOT_READY;
    EXPECT(uw_acquire(device, SWAPCHAIN, SEMAPHORE, FENCE, bound, &index) == UW_RESULT_TIMED_OUT && index == 77);
    next = VK_ERROR_OUT_OF_DATE_KHR;
    EXPECT(uw_acquire(device, SWAPCHAIN, SEMAPHORE, FENCE, bound, &index) == UW_RESULT_OUT_OF_DATE && index == 77);
    next = VK_ERROR_SURFACE_LOST_KHR;
    EXPECT(uw_acquire(device, SWAPCHAIN, SEMAPHORE, FENCE, bound, &index) == UW_RESULT_ERROR_SURFACE_LOST);
    next = VK_SUBOPTIMAL_KHR;
    EXPECT(uw_acquire(device, SWAPCHAIN, SEMAPHORE, FENCE, bound, &index) == UW_RESULT_SUBOPTIMAL && index == 2);
    EXPECT(uw_wait_present(device, SWAPCHAIN, 1, bound) == UW_RESULT_SUBOPTIMAL);
    next = VK_SUCCESS;
    EXPECT(uw_acquire(device, SWAPCHAIN, SEMAPHORE, FENCE, bound, NULL) == UW_RESULT_ERROR_NULL);
    EXPECT(uw_acquire(device, SWAPCHAIN, VK_NULL_HANDLE, VK_NULL_HANDLE, bound, &index) == UW_RESULT_ERROR_NULL);
    EXPECT(uw_acquire(device, VK_NULL_HANDLE, SEMAPHORE, FENCE, bound, &index) == UW_RESULT_ERROR_NULL);
    EXPECT(uw_acquire2(device, SWAPCHAIN, SEMAPHORE, FENCE, 1, bound, &index) == UW_RESULT_REACHED && index == 1);
    EXPECT(uw_acquire2(device, SWAPCHAIN, SEMAPHORE, FENCE, 0, bound, &index) == UW_RESULT_ERROR_NOTHING);
    EXPECT(uw_wait_present(device, SWAPCHAIN, 1, bound) == UW_RESULT_REACHED);
    EXPECT(uw_wait_present2(device, SWAPCHAIN, 1, bound) == UW_RESULT_REACHED);
    EXPECT(uw_wait_present(device, SWAPCHAIN, 0, bound) == UW_RESULT_ERROR_NOTHING);
    EXPECT(uw_wait_present(device, VK_NULL_HANDLE, 1, bound) == UW_RESULT_ERROR_NULL);
}

static void queries(const UwDevice *device) {
    uint32_t narrow[8] = {0};
    uint64_t wide[8] = {0};
    UwBound bound = uw_bound_millis(1);
    VkQueryResultFlags wait = VK_QUERY_RESULT_WAIT_BIT;
    EXPECT(uw_query_results_u32(device, POOL, 0, 3, 2, narrow, wait, bound) == UW_RESULT_REACHED);
    EXPECT(narrow[5] == 0x01010101 && narrow[6] == 0);
    EXPECT(uw_query_results_u64(device, POOL, 0, 7, 1, wide, wait, bound) == UW_RESULT_REACHED);
    EXPECT(wide[6] == 0x0101010101010101 && wide[7] == 0);
    EXPECT(uw_query_results_u64(device, POOL, 0, 0, 1, NULL, wait, bound) == UW_RESULT_REACHED);
    EXPECT(uw_query_results_u64(device, POOL, 0, 1, 1, NULL, wait, bound) == UW_RESULT_ERROR_NULL);
    EXPECT(uw_query_results_u64(device, POOL, 0, 1, 0, wide, wait, bound) == UW_RESULT_ERROR_NOTHING);
    EXPECT(uw_query_results_u64(device, POOL, 0, 1, UW_QUERY_VALUES_MAX + 1, wide, wait, bound) == UW_RESULT_ERROR_TOO_MANY);
    EXPECT(uw_query_results_u64(device, VK_NULL_HANDLE, 0, 1, 1, wide, wait, bound) == UW_RESULT_ERROR_NULL);
    next = VK_NOT_READY;
    EXPECT(uw_query_results_u64(device, POOL, 0, 1, 1, wide, wait, bound) == UW_RESULT_TIMED_OUT);
    next = VK_SUCCESS;
}

static void idle(const UwDevice *device) {
    UwQueueIdle *one = HANDLE(UwQueueIdle *, 1);
    EXPECT(uw_queue_idle_new(device, NULL, &one) == UW_RESULT_ERROR_NULL && one == NULL);
    EXPECT(uw_queue_idle_new(device, QUEUE, NULL) == UW_RESULT_ERROR_NULL);
    EXPECT(uw_queue_idle_new(device, QUEUE, &one) == UW_RESULT_REACHED && one != NULL);
    EXPECT(uw_queue_idle_wait(one, uw_bound_secs(1)) == UW_RESULT_REACHED);
    next = VK_TIMEOUT;
    EXPECT(uw_queue_idle_wait(one, uw_bound_millis(1)) == UW_RESULT_TIMED_OUT);
    EXPECT(uw_queue_idle_free(one) == 1);
    next = VK_SUCCESS;
    EXPECT(uw_queue_idle_wait(NULL, uw_bound_secs(1)) == UW_RESULT_ERROR_NULL);
    EXPECT(uw_queue_idle_free(NULL) == 0);

    VkQueue queues[2] = {QUEUE, QUEUE};
    UwDeviceIdle *all = NULL;
    EXPECT(uw_device_idle_new(device, 2, NULL, &all) == UW_RESULT_ERROR_NULL && all == NULL);
    EXPECT(uw_device_idle_new(device, 2, queues, &all) == UW_RESULT_REACHED);
    EXPECT(uw_device_idle_wait(all, uw_bound_secs(1)) == UW_RESULT_REACHED);
    EXPECT(uw_device_idle_free(all) == 0);
    EXPECT(uw_device_idle_wait(NULL, uw_bound_secs(1)) == UW_RESULT_ERROR_NULL);
    EXPECT(uw_device_idle_free(NULL) == 0);
    EXPECT(uw_wait_idle_for_shutdown_unbounded(device) == UW_RESULT_REACHED);
    EXPECT(uw_wait_idle_for_shutdown_unbounded(NULL) == UW_RESULT_ERROR_NULL);
}

/* A bound without end, by every way to write one. */
static void bounds(const UwDevice *device) {
    UwBound forged;
    forged.nanos = UINT64_MAX;
    UwBound all[5] = {uw_bound_nanos(UINT64_MAX), uw_bound_micros(UINT64_MAX), uw_bound_millis(UINT64_MAX),
                      uw_bound_secs(UINT64_MAX), forged};
    const uint64_t hour = 3600ull * 1000 * 1000 * 1000;
    uint32_t index = 0;
    for (int way = 0; way < 5; way++) {
        longest = 0;
        EXPECT(uw_acquire(device, SWAPCHAIN, SEMAPHORE, FENCE, all[way], &index) == UW_RESULT_REACHED);
        EXPECT(longest == hour);
    }
}

/* A device that was made without any extension. */
static void missing(void) {
    extended = 0;
    UwDevice *device = uw_device_new(DEVICE, get);
    EXPECT(device != NULL);
    UwPoint point = {SEMAPHORE, 1};
    UwBound bound = uw_bound_secs(1);
    uint32_t index = 0;
    EXPECT(uw_wait_semaphores(device, 1, &point, VK_TRUE, bound) == UW_RESULT_ERROR_MISSING);
    EXPECT(strcmp(uw_last_error(), "the device has no vkWaitSemaphores") == 0);
    EXPECT(uw_acquire(device, SWAPCHAIN, SEMAPHORE, FENCE, bound, &index) == UW_RESULT_ERROR_MISSING);
    EXPECT(uw_acquire2(device, SWAPCHAIN, SEMAPHORE, FENCE, 1, bound, &index) == UW_RESULT_ERROR_MISSING);
    EXPECT(uw_wait_present(device, SWAPCHAIN, 1, bound) == UW_RESULT_ERROR_MISSING);
    EXPECT(uw_wait_present2(device, SWAPCHAIN, 1, bound) == UW_RESULT_ERROR_MISSING);
    VkFence fence = FENCE;
    EXPECT(uw_wait_fences(device, 1, &fence, VK_TRUE, bound) == UW_RESULT_REACHED);
    uw_device_free(device);
    extended = 1;
}

static void blocks(void) {
    UwBlock *block = uw_block_new("renderer", false);
    UwHold hold = uw_block_hold(block, "client", uw_bound_secs(60));
    EXPECT(uw_block_is_held(block));
    EXPECT(uw_block_wait_free(block, uw_bound_millis(1)) == UW_RESULT_TIMED_OUT);
    UwHolder holders[2];
    EXPECT(uw_block_holders(block, holders, 2) == 1 && strcmp(holders[0].name, "client") == 0);
    EXPECT(uw_block_enforce(block, holders, 2) == 0);
    EXPECT(uw_block_release(block, hold) == UW_RESULT_REACHED);
    EXPECT(uw_block_release(block, hold) == UW_RESULT_ALREADY);
    EXPECT(uw_block_wait_free(block, uw_bound_secs(60)) == UW_RESULT_REACHED);
    uw_block_free(block);
    uw_block_free(NULL);
}

int main(void) {
    EXPECT(strcmp(uw_last_error(), "") == 0);
    EXPECT(strcmp(uw_result_text(UW_RESULT_TIMED_OUT), "timed out") == 0);
    EXPECT(strcmp(uw_result_text(12345), "unknown result") == 0);
    devices();
    UwDevice *device = uw_device_new(DEVICE, get);
    EXPECT(device != NULL);
    fences(device);
    semaphores(device);
    images(device);
    queries(device);
    idle(device);
    bounds(device);
    uw_device_free(device);
    missing();
    blocks();
    return 0;
}
