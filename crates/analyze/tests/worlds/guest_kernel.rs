//! Is what `guest-kernel` plants what is found?
