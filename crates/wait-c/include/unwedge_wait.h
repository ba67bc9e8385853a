#ifndef UNWEDGE_WAIT_H
#define UNWEDGE_WAIT_H

/* Made by cbindgen from crates/wait-c/src: change that. The rules of each call stand above it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vulkan/vulkan_core.h>

/* An answer that is not looked at is a mistake that the compiler finds. */
#if defined(__cplusplus) && __cplusplus >= 201703L
#define UW_MUST_USE [[nodiscard]]
#elif defined(__GNUC__)
#define UW_MUST_USE __attribute__((warn_unused_result))
#else
#define UW_MUST_USE
#endif

// Bytes of a name, with the zero at its end. Longer names are cut.
#define UW_NAME_MAX 64

// The most values that a query may have: more than pipeline statistics give, and the availability.
#define UW_QUERY_VALUES_MAX 16

// How many points uw_wait_semaphores takes at once.
#define UW_SEMAPHORES_MAX 32

// What came of a call. Below zero are errors; uw_last_error says more of them. Values may be added.
typedef enum {
    // What was waited for came to pass, or what was asked for was done.
    UW_RESULT_REACHED = 0,
    // It did not within the bound. Nothing was changed: the same wait may be tried again.
    UW_RESULT_TIMED_OUT = 1,
    // As reached; and the swapchain does not quite match its surface any more.
    UW_RESULT_SUBOPTIMAL = 2,
    // The swapchain can present no more and has to be made again. Nothing was acquired.
    UW_RESULT_OUT_OF_DATE = 3,
    // The hold had ended before: it was released twice, or by the owner of the block.
    UW_RESULT_ALREADY = 4,
    // The device is lost: it and all that was made from it have to be made again.
    UW_RESULT_ERROR_DEVICE_LOST = -1,
    // The surface is lost: surface and swapchain have to be made again.
    UW_RESULT_ERROR_SURFACE_LOST = -2,
    // No memory, on the host or on the device. The call did nothing; it may work later.
    UW_RESULT_ERROR_OUT_OF_MEMORY = -3,
    // vkResetFences failed. Whether the fence is signalled is unknown from then on: the device has to be made again.
    UW_RESULT_ERROR_RESET_FAILED = -4,
    // Any of nothing was waited for, or a present without an id, which can never come.
    UW_RESULT_ERROR_NOTHING = -5,
    // A null pointer or a null handle was given.
    UW_RESULT_ERROR_NULL = -6,
    // More was given than the function takes.
    UW_RESULT_ERROR_TOO_MANY = -7,
    // The device does not have the function: its version, or an extension, was not asked for when it was made.
    UW_RESULT_ERROR_MISSING = -8,
    // Any other result of Vulkan.
    UW_RESULT_ERROR_FAILED = -9,
    // This library is at fault. The call may have been done in part.
    UW_RESULT_ERROR_INTERNAL = -10,
} UwResult;

// Something that must not go on while anybody holds it: a renderer while its pictures are read, say. Any number of threads may
// use it.
typedef struct UwBlock UwBlock;

// A Vulkan device as this library sees it: the addresses of its functions. It owns nothing of the device.
typedef struct UwDevice UwDevice;

// Waits for several queues to be done, as UwQueueIdle does for one.
typedef struct UwDeviceIdle UwDeviceIdle;

// Waits for one queue to be done. It owns up to four fences. One thread uses it at a time.
typedef struct UwQueueIdle UwQueueIdle;

// One party's hold on a block: a number that is never given twice. Zero is no hold.
typedef struct {
    // The number.
    uint64_t id;
} UwHold;

// How long a wait may take: made by uw_bound_nanos, uw_bound_micros, uw_bound_millis or uw_bound_secs. At most one hour; what is
// longer, UINT64_MAX too, becomes one hour. Zero looks and does not wait.
typedef struct {
    // Nanoseconds.
    uint64_t nanos;
} UwBound;

// Somebody who holds a block, or held it until just now.
typedef struct {
    // The name that was given with the hold, with a zero at its end.
    char name[UW_NAME_MAX];
    // For how long it has been held.
    uint64_t held_nanos;
    // For how long it was to be held at most.
    uint64_t bound_nanos;
} UwHolder;

// A timeline semaphore reaching a value, or a higher one.
typedef struct {
    // A timeline semaphore.
    VkSemaphore semaphore;
    // The value; zero is always reached.
    uint64_t value;
} UwPoint;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// A block that nobody holds. Under `releases_overstayers`, the hold of whoever is over his bound ends when the owner asks next;
// otherwise he is named and holds on. Null if the name is null. To be freed with uw_block_free.
//
// # Safety
// The name is null or text that ends in a zero.
UW_MUST_USE
UwBlock *uw_block_new(const char *name,
                      bool releases_overstayers);

// Frees a block and ends all holds. Null is left alone.
//
// # Safety
// The pointer is null or one that uw_block_new gave, and is not used any more.
void uw_block_free(UwBlock *block);

// Holds the block from now on, for at most `bound`. Never waits: any number of parties may hold it. The hold is zero if one of
// the pointers is null.
//
// # Safety
// The block is null or lives, the holder's name is null or text that ends in a zero.
UW_MUST_USE
UwHold uw_block_hold(const UwBlock *block,
                     const char *holder,
                     UwBound bound);

// Ends a hold. UW_RESULT_ALREADY if it had ended: it was released before, the owner released it because it overstayed, or it
// never was one. So nobody else's hold is ended by a second release.
//
// # Safety
// The block is null or lives.
UwResult uw_block_release(const UwBlock *block,
                          UwHold hold);

// Whether anybody holds the block, once overstayers were released, if they are to be. A null block is held by nobody.
//
// # Safety
// The block is null or lives.
UW_MUST_USE
bool uw_block_is_held(const UwBlock *block);

// Waits until nobody holds the block. Somebody may hold it again by the time this returns.
//
// # Safety
// The block is null or lives.
UW_MUST_USE UwResult uw_block_wait_free(const UwBlock *block, UwBound bound);

// Tells who holds the block, the oldest hold first: the number of holders, of which at most `room` are written to `holders`, which
// may be null.
//
// # Safety
// The block is null or lives; there is room for so many holders.
size_t uw_block_holders(const UwBlock *block,
                        UwHolder *holders,
                        size_t room);

// As uw_block_holders, of those whose time is over. If the block releases overstayers, they were just released.
//
// # Safety
// As of uw_block_holders.
size_t uw_block_enforce(const UwBlock *block,
                        UwHolder *overstayers,
                        size_t room);

// A bound of so many nanoseconds, at most one hour.
UW_MUST_USE UwBound uw_bound_nanos(uint64_t nanos);

// A bound of so many microseconds, at most one hour.
UW_MUST_USE UwBound uw_bound_micros(uint64_t micros);

// A bound of so many milliseconds, at most one hour.
UW_MUST_USE UwBound uw_bound_millis(uint64_t millis);

// A bound of so many seconds, at most one hour.
UW_MUST_USE UwBound uw_bound_secs(uint64_t secs);

// Looks up the functions of a device. Null if one of the arguments is null or the device lacks functions of Vulkan 1.0;
// uw_last_error says which. To be freed with uw_device_free, before or after the VkDevice is destroyed.
//
// Any number of threads may use it at once, as far as Vulkan lets them use what they wait for.
//
// # Safety
// The device lives as long as anything is waited for through it, and the function is that of the loader or of this device.
UW_MUST_USE
UwDevice *uw_device_new(VkDevice device,
                        PFN_vkGetDeviceProcAddr get_device_proc_addr);

// Frees what uw_device_new gave. Null is left alone. It makes no call to Vulkan.
//
// # Safety
// The pointer is null or one that uw_device_new gave, and is not used any more.
void uw_device_free(UwDevice *device);

// Prepares to wait for a queue. On success `idle` leads to what is to be freed with uw_queue_idle_free before the device is
// destroyed; otherwise it is null.
//
// # Safety
// The queue is one of this device, which lives until then. There is room for a pointer behind `idle`.
UW_MUST_USE
UwResult uw_queue_idle_new(const UwDevice *device,
                           VkQueue queue,
                           UwQueueIdle **idle);

// Waits until all that was submitted to the queue before this call is done. It submits an empty batch with a fence and waits for
// that. It misses what other threads submit meanwhile, presents that have left the queue, sparse bindings and all else on other
// queues, and what the host does.
//
// A bound of zero is often too short even for an idle queue.
//
// # Safety
// Device and queue live, and nobody else submits to the queue or presents on it during this call.
UW_MUST_USE
UwResult uw_queue_idle_wait(UwQueueIdle *idle,
                            UwBound bound);

// Destroys the fences that are not pending, and says how many are left because they are: the device cannot be destroyed
// before those are reached. Null is left alone.
//
// # Safety
// The pointer is null or one that uw_queue_idle_new gave, and is not used any more. The device lives.
UW_MUST_USE
size_t uw_queue_idle_free(UwQueueIdle *idle);

// Prepares to wait for several queues of a device. On success `idle` leads to what is to be freed with uw_device_idle_free before
// the device is destroyed; otherwise it is null. Without queues each wait is reached at once.
//
// # Safety
// `count` queues of this device, which lives until then, lie behind `queues`. There is room for a pointer behind `idle`.
UW_MUST_USE
UwResult uw_device_idle_new(const UwDevice *device,
                            size_t count,
                            const VkQueue *queues,
                            UwDeviceIdle **idle);

// As uw_queue_idle_wait, for all of the queues, with one bound for all.
//
// # Safety
// Device and queues live, and nobody else submits to them or presents on them during this call.
UW_MUST_USE UwResult uw_device_idle_wait(UwDeviceIdle *idle, UwBound bound);

// As uw_queue_idle_free, for all of the queues.
//
// # Safety
// The pointer is null or one that uw_device_idle_new gave, and is not used any more. The device lives.
UW_MUST_USE size_t uw_device_idle_free(UwDeviceIdle *idle);

// Waits until `count` queries from `first` on have results, and writes `values_per_query` values of 32 bits for each, one query
// after the other. VK_QUERY_RESULT_WAIT_BIT, which has no timeout, is left out of the flags: it looks again and again, with
// sleeps of at most a millisecond between. VK_QUERY_RESULT_64_BIT is left out too.
//
// No queries are reached at once; no values per query are UW_RESULT_ERROR_NOTHING, and more than UW_QUERY_VALUES_MAX are
// UW_RESULT_ERROR_TOO_MANY.
//
// # Safety
// The pool is a live one of this device, has these queries, and each was reset since it was made. `values_per_query` is what a
// query gives, and one more with VK_QUERY_RESULT_WITH_AVAILABILITY_BIT. There is room for all, initialised, behind `results`.
UW_MUST_USE
UwResult uw_query_results_u32(const UwDevice *device,
                              VkQueryPool pool,
                              uint32_t first,
                              uint32_t count,
                              uint32_t values_per_query,
                              uint32_t *results,
                              VkQueryResultFlags flags,
                              UwBound bound);

// As uw_query_results_u32, with values of 64 bits.
//
// # Safety
// As of uw_query_results_u32.
UW_MUST_USE
UwResult uw_query_results_u64(const UwDevice *device,
                              VkQueryPool pool,
                              uint32_t first,
                              uint32_t count,
                              uint32_t values_per_query,
                              uint64_t *results,
                              VkQueryResultFlags flags,
                              UwBound bound);

// What went wrong in the last call of this thread that failed, in a line of English; empty if none did. Never null. The text
// lives until the next call that fails in this thread, or the thread's end.
const char *uw_last_error(void);

// A result in words. Never null; the text lives for ever. A number that is no result is answered too.
const char *uw_result_text(int32_t result);

// Waits until all (wait_all is not VK_FALSE) or any of the fences are signalled.
//
// All of none are reached at once; any of none is UW_RESULT_ERROR_NOTHING. A driver that returns too early is asked again for
// what is left of the bound.
//
// # Safety
// `count` live fences of this device lie behind `fences`, and nobody destroys them during the call.
UW_MUST_USE
UwResult uw_wait_fences(const UwDevice *device,
                        size_t count,
                        const VkFence *fences,
                        VkBool32 wait_all,
                        UwBound bound);

// Waits until all (wait_all is not VK_FALSE) or any of the points are reached; at most UW_SEMAPHORES_MAX of them.
//
// All of none are reached at once; any of none is UW_RESULT_ERROR_NOTHING. A driver that returns too early is asked again for
// what is left of the bound.
//
// # Safety
// `count` points lie behind `points`. Their semaphores are live timeline semaphores of this device, and nobody destroys them
// during the call.
UW_MUST_USE
UwResult uw_wait_semaphores(const UwDevice *device,
                            size_t count,
                            const UwPoint *points,
                            VkBool32 wait_all,
                            UwBound bound);

// Acquires an image: one call, never repeated. The index is written, and the image the program's to present, if this is
// UW_RESULT_REACHED or UW_RESULT_SUBOPTIMAL. Of everything else semaphore and fence are unaffected: so a fence that the frame is
// to signal is reset after the acquire, not before.
//
// Semaphore or fence may be VK_NULL_HANDLE, but not both.
//
// # Safety
// Swapchain, semaphore and fence are of this device and live, and nobody else uses them during the call. The swapchain is not
// retired. Semaphore and fence are unsignalled, with nothing pending.
UW_MUST_USE
UwResult uw_acquire(const UwDevice *device,
                    VkSwapchainKHR swapchain,
                    VkSemaphore semaphore,
                    VkFence fence,
                    UwBound bound,
                    uint32_t *index);

// As uw_acquire, for a group of physical devices; a device_mask of zero is UW_RESULT_ERROR_NOTHING.
//
// # Safety
// As of uw_acquire; the mask has no bits beyond the devices of the group.
UW_MUST_USE
UwResult uw_acquire2(const UwDevice *device,
                     VkSwapchainKHR swapchain,
                     VkSemaphore semaphore,
                     VkFence fence,
                     uint32_t device_mask,
                     UwBound bound,
                     uint32_t *index);

// Waits until the present with this id (VkPresentIdKHR), or a later one, was shown. Zero, which is what a present without an id
// has, is UW_RESULT_ERROR_NOTHING. A compositor may hold the present of a hidden window for as long as it likes.
//
// # Safety
// The swapchain is a live one of this device, not retired, and nobody destroys it during the call. The device has the feature
// presentWait.
UW_MUST_USE
UwResult uw_wait_present(const UwDevice *device,
                         VkSwapchainKHR swapchain,
                         uint64_t present_id,
                         UwBound bound);

// As uw_wait_present, through VK_KHR_present_wait2, for an id of VkPresentId2KHR.
//
// # Safety
// As of uw_wait_present; the device has the feature presentWait2 and the swapchain was made for it.
UW_MUST_USE
UwResult uw_wait_present2(const UwDevice *device,
                          VkSwapchainKHR swapchain,
                          uint64_t present_id,
                          UwBound bound);

// Waits until the device is idle, for as long as that takes: the one wait without a bound, for the end of a program.
//
// # Safety
// The device lives, and nobody uses any of its queues during the call.
UW_MUST_USE
UwResult uw_wait_idle_for_shutdown_unbounded(const UwDevice *device);

#ifdef __cplusplus
} // extern "C"
#endif // __cplusplus

#endif /* UNWEDGE_WAIT_H */
