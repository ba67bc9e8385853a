//! Does a black box, with a look at its process, become the right finding? Made by hand, with the
//! writer that the layer uses, and analysed.

mod fences;
mod hostile;
mod queues;
mod rig;
mod semaphores;
mod swapchains;
mod threads;
