//! Is what `venus-ring` plants what is found?
