//! A set of places: a bit for each device, network and the internet.

/// Which places are meant.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct PlaceSet(Vec<u64>);

impl PlaceSet {
    /// None of so many.
    pub(crate) fn new(places: u32) -> Self {
        Self(vec![0; (places as usize).div_ceil(64)])
    }

    pub(crate) fn add(&mut self, place: u32) {
        let word = self.0.get_mut(place as usize / 64);
        word.into_iter().for_each(|it| *it |= 1 << (place % 64));
    }

    pub(crate) fn add_all(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(it, other)| *it |= other);
    }

    pub(crate) fn add_common(&mut self, one: &Self, other: &Self) {
        let both = one.0.iter().zip(&other.0).map(|(one, other)| one & other);
        self.0.iter_mut().zip(both).for_each(|(it, both)| *it |= both);
    }

    pub(crate) fn contains(&self, place: u32) -> bool {
        self.0.get(place as usize / 64).is_some_and(|it| it >> (place % 64) & 1 == 1)
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(one, other)| one & other != 0)
    }

    pub(crate) fn holds(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(one, other)| other & !one == 0)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|it| it.count_ones() as usize).sum()
    }
}
