//! How many states a second does the explorer look at? Beside stateright, on the same protocols, in one run.

mod commit;
mod measure;
mod once;
mod protocol;
mod rows;
mod table;

pub(crate) use measure::explore;
