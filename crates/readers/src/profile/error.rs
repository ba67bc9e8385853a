//! What is wrong with a profile, and what was probably meant?

/// Why a profile cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// It is not TOML.
    #[error("the profile is not TOML: {0}")]
    Syntax(String),
    /// A key that no profile has.
    #[error("unknown key {key:?}{}", meant(.nearest))]
    UnknownKey {
        /// Where it stands: `wait.bouns`.
        key: String,
        /// The key that looks most like it.
        nearest: Option<String>,
    },
    /// A word that is none of those that may stand there.
    #[error("{key}: {found:?} is none of {}{}", choices.join(", "), meant(.nearest))]
    UnknownChoice {
        /// The key.
        key: String,
        /// What stands there.
        found: String,
        /// What may.
        choices: Vec<String>,
        /// The choice that looks most like it.
        nearest: Option<String>,
    },
    /// A value of the wrong sort.
    #[error("{key}: expected {wanted}")]
    WrongType {
        /// The key.
        key: String,
        /// What must stand there.
        wanted: &'static str,
    },
    /// A key that must be there.
    #[error("{key} is missing: {why}")]
    Missing {
        /// The key.
        key: String,
        /// What it is for.
        why: &'static str,
    },
    /// More fields than a profile may name.
    #[error("the profile names more than {0} fields")]
    TooManyFields(usize),
}

fn meant(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |nearest| format!(", did you mean {nearest:?}"))
}

/// The choice that is most like `word`, if one is like it at all.
pub(super) fn nearest<'a>(
    word: &str,
    choices: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let far = |choice: &&str| distance(word, choice);
    let best = choices.into_iter().min_by_key(far)?;
    (far(&best) <= best.len().max(word.len()) / 3).then_some(best)
}

/// How many letters must be put in, taken away or replaced.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn the_nearest_word_is_found_or_none() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        let choices = ["bound", "bound_unit", "call", "result"];
        assert_eq!(nearest("bouns", choices), Some("bound"));
        assert_eq!(nearest("colour_of_the_sky", choices), None);
    }
}
