//! Is what is written a trace that Perfetto understands?
