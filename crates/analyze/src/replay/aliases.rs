//! Which names are one object?

use std::collections::BTreeMap;

use unwedge_trace::{Event, ObjectId, Point, What};

/// Which names are one object: a forest whose roots stand for their trees.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    parent: BTreeMap<ObjectId, ObjectId>,
}

impl Aliases {
    pub(super) fn of(events: &[Event]) -> Self {
        let mut aliases = Self::default();
        for event in events {
            if let What::Aliased { object, same_as } = event.what {
                let (one, other) = (aliases.find(object), aliases.find(same_as));
                aliases.parent.insert(one.max(other), one.min(other));
            }
        }
        let names: Vec<_> = aliases.parent.keys().copied().collect();
        for name in names {
            let root = aliases.find(name);
            aliases.parent.insert(name, root);
        }
        aliases
    }

    /// Follows the parents, halving the path; a root is its own parent.
    fn find(&mut self, mut id: ObjectId) -> ObjectId {
        while let Some(parent) = self.parent.get(&id).copied().filter(|parent| *parent != id) {
            let grandparent = self.parent.get(&parent).copied().unwrap_or(parent);
            self.parent.insert(id, grandparent);
            id = grandparent;
        }
        id
    }

    pub(super) fn object(&self, id: ObjectId) -> ObjectId {
        self.parent.get(&id).copied().unwrap_or(id)
    }

    pub(super) fn point(&self, point: Point) -> Point {
        Point { object: self.object(point.object), value: point.value }
    }
}
