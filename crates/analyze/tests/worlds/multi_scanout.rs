//! Is what `multi-scanout` plants what is found?
