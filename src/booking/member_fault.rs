//! What is wrong with a request, member by member.

/// Most faults of one request that are told. A sender that has more sees its mistake in these, and an answer stays in
/// proportion to its request.
pub const FAULTS_MAX: usize = 100;
/// Longest pointer or name that is told of a fault, in characters; what is longer is cut and ends in an ellipsis.
pub const FAULT_PLACE_CHARS_MAX: usize = 256;

/// One fault of a body: where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberFault {
    /// JSON Pointer (RFC 6901) to the member, of at most [`FAULT_PLACE_CHARS_MAX`] characters.
    pub pointer: String,
    /// What is wrong with it, as a sentence without its subject.
    pub detail: String,
}

impl MemberFault {
    /// A fault of the member at `pointer`.
    pub fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: cut_place(pointer.into()), detail: detail.into() }
    }
}

/// The pointer to the member of this name in the object at `parent`, as a fault tells it.
#[must_use]
pub fn member_pointer(parent: &str, name: &str) -> String {
    // A name is as long as its sender likes; what would be cut need not be escaped.
    let start: String = name.chars().take(FAULT_PLACE_CHARS_MAX).collect();
    cut_place(format!("{parent}/{}", start.replace('~', "~0").replace('/', "~1")))
}

/// A pointer or name as a fault tells it: cut where it is longer than [`FAULT_PLACE_CHARS_MAX`] characters.
#[must_use]
pub fn cut_place(mut place: String) -> String {
    if place.chars().nth(FAULT_PLACE_CHARS_MAX).is_some() {
        let end = place.char_indices().nth(FAULT_PLACE_CHARS_MAX - 1).map_or(0, |(end, _)| end);
        place.truncate(end);
        place.push('…');
        place.shrink_to_fit();
    }
    place
}

/// The faults of one request in the order in which they were found: [`FAULTS_MAX`] of them and one more, which says that
/// there are more; those after it are passed over.
#[derive(Debug)]
pub struct FaultList<T>(Vec<T>);

impl<T> FaultList<T> {
    /// Whether no fault was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether no more is noted, because more than [`FAULTS_MAX`] were found.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.len() > FAULTS_MAX
    }

    /// Notes a fault, which is written only where it is kept.
    pub fn note(&mut self, fault: impl FnOnce() -> T) {
        if !self.is_full() {
            self.0.push(fault());
        }
    }

    /// The faults, one more than [`FAULTS_MAX`] at most.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T> Default for FaultList<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Extend<T> for FaultList<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, faults: I) {
        faults.into_iter().for_each(|fault| self.note(|| fault));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place is told whole up to the bound, and cut behind it, at a character's border.
    #[test]
    fn a_long_place_is_cut() {
        for letter in ["a", "\u{fc}", "\u{1f4c5}"] {
            let longest = letter.repeat(FAULT_PLACE_CHARS_MAX);
            assert_eq!(cut_place(longest.clone()), longest);
            let cut = cut_place(letter.repeat(100_000));
            assert_eq!(cut, format!("{}\u{2026}", letter.repeat(FAULT_PLACE_CHARS_MAX - 1)));
        }
    }

    /// A pointer is cut the same, whether at once or at every step on the way to it.
    #[test]
    fn a_pointer_is_cut_at_any_depth() {
        for name in ["a", "~/", "\u{1f4c5}"] {
            for (length, depth) in [(1, 3), (200, 5), (100_000, 2)] {
                let name = name.repeat(length);
                let steps = (0..depth).fold(String::new(), |parent, _| member_pointer(&parent, &name));
                let whole = format!("/{}", name.replace('~', "~0").replace('/', "~1")).repeat(depth);
                assert_eq!(MemberFault::at(steps, "").pointer, cut_place(whole), "{length} {depth}");
            }
        }
    }

    /// One fault more than are told is kept; what comes after it is not even written.
    #[test]
    fn faults_beyond_the_bound_are_passed_over() {
        let mut faults = FaultList::default();
        faults.extend(0..FAULTS_MAX);
        faults.note(|| FAULTS_MAX);
        faults.note(|| unreachable!("the list is full"));
        assert_eq!(faults.into_vec(), (0..=FAULTS_MAX).collect::<Vec<_>>());
    }
}
