// Waits for a fence that nobody signals, and gets its thread back.
const std = @import("std");
// What `zig translate-c` makes of unwedge_wait.h, which includes Vulkan's header.
const c = @import("unwedge_wait");

fn check(done: bool, what: []const u8) !void {
    if (done) return;
    std.debug.print("bounded: {s}: {s}\n", .{ what, c.uw_last_error() });
    return error.Failed;
}

fn makeDevice(instance: c.VkInstance) !c.VkDevice {
    var count: u32 = 1;
    var physical: c.VkPhysicalDevice = null;
    _ = c.vkEnumeratePhysicalDevices(instance, &count, &physical);
    try check(physical != null, "no Vulkan device");
    const priority: f32 = 1.0;
    const queues = c.VkDeviceQueueCreateInfo{
        .sType = c.VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
        .queueCount = 1,
        .pQueuePriorities = &priority,
    };
    const info = c.VkDeviceCreateInfo{
        .sType = c.VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
        .queueCreateInfoCount = 1,
        .pQueueCreateInfos = &queues,
    };
    var device: c.VkDevice = null;
    try check(c.vkCreateDevice(physical, &info, null, &device) == c.VK_SUCCESS, "vkCreateDevice");
    return device;
}

fn tell(what: []const u8, result: c.UwResult) !void {
    std.debug.print("{s}: {s}\n", .{ what, c.uw_result_text(result) });
    try check(result >= 0, what);
}

pub fn main() !void {
    const info = c.VkInstanceCreateInfo{ .sType = c.VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO };
    var instance: c.VkInstance = null;
    try check(c.vkCreateInstance(&info, null, &instance) == c.VK_SUCCESS, "vkCreateInstance");
    const device = try makeDevice(instance);
    var queue: c.VkQueue = null;
    c.vkGetDeviceQueue(device, 0, 0, &queue);
    const unsignalled = c.VkFenceCreateInfo{ .sType = c.VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
    var fence: c.VkFence = null;
    try check(c.vkCreateFence(device, &unsignalled, null, &fence) == c.VK_SUCCESS, "vkCreateFence");

    const waits = c.uw_device_new(device, c.vkGetDeviceProcAddr);
    defer c.uw_device_free(waits);
    try check(waits != null, "uw_device_new");
    try tell("before the submit", c.uw_wait_fences(waits, 1, &fence, c.VK_TRUE, c.uw_bound_millis(20)));
    try check(c.vkQueueSubmit(queue, 0, null, fence) == c.VK_SUCCESS, "vkQueueSubmit");
    try tell("after the submit", c.uw_wait_fences(waits, 1, &fence, c.VK_TRUE, c.uw_bound_secs(2)));
}
