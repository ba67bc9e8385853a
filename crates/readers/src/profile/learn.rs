//! Which values of a line are its name, which are wanted, and which are nobody's?

use std::collections::HashMap;

use super::plan::{Plan, Rule, Slot};
use crate::template::{Class, Found};

/// Unwanted fields whose value is remembered.
const FIELDS_MAX: usize = 256;

/// What is known of fields that nobody wants: their one value, or that they vary.
#[derive(Debug, Default)]
pub(super) struct Unwanted {
    fields: HashMap<Box<str>, Option<Box<[u8]>>>,
}

impl Unwanted {
    /// What to do with the value of such a field; and whether it was thought not to vary until now.
    fn class(&mut self, path: &str, text: &[u8]) -> (Class, bool) {
        let room = self.fields.len() < FIELDS_MAX;
        match self.fields.get_mut(path) {
            Some(Some(known)) if **known == *text => (Class::Literal, false),
            Some(known) => (Class::Skip, known.take().is_some()),
            None if room => {
                self.fields.insert(path.into(), Some(text.into()));
                (Class::Literal, false)
            }
            None => (Class::Skip, false),
        }
    }
}

/// Sorts the values of one line.
pub(super) struct Learner<'a> {
    plan: &'a Plan,
    rule: Option<&'a Rule>,
    unwanted: &'a mut Unwanted,
    /// A field varies that was thought not to: what was learned with its value is of no use.
    pub(super) relearn: bool,
    /// Truth values in wanted fields.
    pub(super) words: Vec<(u8, bool)>,
}

impl<'a> Learner<'a> {
    pub(super) fn new(plan: &'a Plan, rule: Option<&'a Rule>, unwanted: &'a mut Unwanted) -> Self {
        Self { plan, rule, unwanted, relearn: false, words: vec![] }
    }

    pub(super) fn class(&mut self, path: &str, found: Found<'_>) -> Option<Class> {
        let wanted = self.plan.fields.iter().position(|(_, wanted)| **wanted == *path);
        let wanted = wanted.and_then(|slot| u8::try_from(slot).ok());
        let asked = |slot: &u8| self.is_name(Some(*slot)) || self.plan.asks(self.rule, *slot);
        let Some(slot) = wanted.filter(asked) else {
            return Some(match found {
                Found::Container | Found::Word(_) => Class::Literal,
                Found::Number(text) | Found::Text(text) => {
                    let (class, news) = self.unwanted.class(path, text);
                    self.relearn |= news;
                    class
                }
            });
        };
        match found {
            Found::Container => None,
            _ if self.is_name(Some(slot)) => {
                (!self.plan.events.field_is_used_otherwise).then_some(Class::Literal)
            }
            Found::Number(_) | Found::Text(_) => Some(Class::Slot(slot)),
            Found::Word(b"null") => Some(Class::Literal),
            Found::Word(word @ (b"true" | b"false")) => {
                self.words.push((slot, word == b"true"));
                Some(Class::Literal)
            }
            // A number with an exponent.
            Found::Word(_) => None,
        }
    }

    fn is_name(&self, slot: Slot) -> bool {
        slot == self.plan.events.field || slot == self.plan.events.second
    }
}
