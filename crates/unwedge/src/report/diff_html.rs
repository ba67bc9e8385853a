//! How does a difference look on a page?
use unwedge_analyze::diff::Difference;

/// The difference as one self-contained page.
pub(crate) fn html(difference: &Difference) -> String {
    difference.sentence.clone()
}
