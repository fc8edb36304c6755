//! Everything that is drawn, from the storm's seed.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use sha2::{Digest, Sha256};

use crate::scale::Scale;

/// A source of chance.
#[derive(Debug)]
pub struct Chance(StdRng);

impl Chance {
    /// The one that belongs to this name in a storm of this seed: drawing more often from one disturbs no other.
    pub fn of(scale: &Scale, name: &str) -> Self {
        let digest = Sha256::digest(format!("{}\n{name}", scale.seed));
        Self(StdRng::from_seed(digest.into()))
    }

    /// One of the numbers below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    /// A time between these two, in milliseconds.
    pub fn milliseconds(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.0.random_range(from..=to))
    }

    /// Puts them into an order of its own.
    pub fn shuffle<T>(&mut self, what: &mut [T]) {
        what.shuffle(&mut self.0);
    }
}
