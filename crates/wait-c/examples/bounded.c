/* Waits for a fence that nobody signals, and gets its thread back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vulkan/vulkan.h>

#include "unwedge_wait.h"

static void check(int done, const char *what) {
    if (!done) {
        fprintf(stderr, "bounded: %s: %s\n", what, uw_last_error());
        exit(1);
    }
}

/* The first device that there is, with a queue of its first family. */
static VkDevice make_device(VkInstance instance) {
    uint32_t count = 1;
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    VkResult found = vkEnumeratePhysicalDevices(instance, &count, &physical);
    check((found == VK_SUCCESS || found == VK_INCOMPLETE) && count == 1, "no Vulkan device");

    const float priority = 1.0f;
    VkDeviceQueueCreateInfo queues;
    memset(&queues, 0, sizeof queues);
    queues.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queues.queueCount = 1;
    queues.pQueuePriorities = &priority;
    VkDeviceCreateInfo info;
    memset(&info, 0, sizeof info);
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queues;
    VkDevice device = VK_NULL_HANDLE;
    check(vkCreateDevice(physical, &info, NULL, &device) == VK_SUCCESS, "vkCreateDevice");
    return device;
}

/* Says what came of a wait. An error ends the program: on a lost device there is nothing more to show. */
static void tell(const char *what, UwResult result) {
    printf("%s: %s\n", what, uw_result_text(result));
    check(result >= 0, what);
}

int main(void) {
    VkInstanceCreateInfo info;
    memset(&info, 0, sizeof info);
    info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    VkInstance instance = VK_NULL_HANDLE;
    check(vkCreateInstance(&info, NULL, &instance) == VK_SUCCESS, "vkCreateInstance");
    VkDevice device = make_device(instance);
    VkQueue queue = VK_NULL_HANDLE;
    vkGetDeviceQueue(device, 0, 0, &queue);
    VkFenceCreateInfo unsignalled;
    memset(&unsignalled, 0, sizeof unsignalled);
    unsignalled.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
    VkFence fence = VK_NULL_HANDLE;
    check(vkCreateFence(device, &unsignalled, NULL, &fence) == VK_SUCCESS, "vkCreateFence");

    UwDevice *waits = uw_device_new(device, vkGetDeviceProcAddr);
    check(waits != NULL, "uw_device_new");
    UwQueueIdle *idle = NULL;
    check(uw_queue_idle_new(waits, queue, &idle) == UW_RESULT_REACHED, "uw_queue_idle_new");

    tell("before the submit", uw_wait_fences(waits, 1, &fence, VK_TRUE, uw_bound_millis(20)));
    VkSubmitInfo batch;
    memset(&batch, 0, sizeof batch);
    batch.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    check(vkQueueSubmit(queue, 1, &batch, fence) == VK_SUCCESS, "vkQueueSubmit");
    UwResult after = uw_wait_fences(waits, 1, &fence, VK_TRUE, uw_bound_secs(2));
    tell("after the submit", after);
    UwResult idled = uw_queue_idle_wait(idle, uw_bound_secs(2));
    tell("the queue is idle", idled);

    size_t left = uw_queue_idle_free(idle);
    uw_device_free(waits);
    if (after != UW_RESULT_REACHED || idled != UW_RESULT_REACHED || left != 0) {
        /* Something is still pending, so nothing may be destroyed: the system takes it back. */
        return 2;
    }
    vkDestroyFence(device, fence, NULL);
    vkDestroyDevice(device, NULL);
    vkDestroyInstance(instance, NULL);
    return 0;
}
