//! Does a world do what its programs say, the same for the same seed?

use unwedge_sim::scenarios;
use unwedge_sim::scenarios::Size;

#[test]
fn the_same_seed_tells_the_same() {
    for scenario in scenarios::all() {
        let tell = |seed| {
            let world =
                (scenario.build)(&scenario.defaults(), Size::Full).expect("defaults are possible");
            world.run(seed).batch(2_000, u64::MAX).expect("something happens").rows
        };
        assert_eq!(tell(1), tell(1), "{}", scenario.name);
        assert_ne!(tell(1), tell(2), "{}", scenario.name);
    }
}
