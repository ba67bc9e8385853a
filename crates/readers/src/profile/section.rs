//! How is a table of a profile read so that no key is overlooked?

use toml::{Table, Value};

use super::error::{ProfileError, nearest};

/// Words of the source and what they mean.
pub(super) type Words<T> = Vec<(Box<str>, T)>;

/// A table, from which keys are taken; what is left at the end is unknown.
pub(super) struct Section {
    path: String,
    table: Table,
    asked: Vec<&'static str>,
}

impl Section {
    pub(super) fn new(path: &str, table: Table) -> Self {
        Self { path: path.to_owned(), table, asked: vec![] }
    }

    /// The whole name of a key.
    pub(super) fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<Value> {
        self.asked.push(key);
        self.table.remove(key)
    }

    fn wrong<T>(&self, key: &str, wanted: &'static str) -> Result<T, ProfileError> {
        Err(ProfileError::WrongType { key: self.key(key), wanted })
    }

    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<String>, ProfileError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => self.wrong(key, "a text"),
        }
    }

    pub(super) fn truth(&mut self, key: &'static str) -> Result<bool, ProfileError> {
        match self.take(key) {
            None => Ok(false),
            Some(Value::Boolean(truth)) => Ok(truth),
            Some(_) => self.wrong(key, "true or false"),
        }
    }

    /// A table below this one; an empty one if there is none.
    pub(super) fn section(&mut self, key: &'static str) -> Result<Self, ProfileError> {
        let path = self.key(key);
        match self.take(key) {
            None => Ok(Self::new(&path, Table::new())),
            Some(Value::Table(table)) => Ok(Self::new(&path, table)),
            Some(_) => self.wrong(key, "a table"),
        }
    }

    /// A field of a line: keys with dots between them, or a list of keys.
    pub(super) fn field(
        &mut self,
        key: &'static str,
    ) -> Result<Option<Vec<Box<str>>>, ProfileError> {
        let wanted = "a field: its name, with dots between names of maps, or a list of names";
        let path = match self.take(key) {
            None => return Ok(None),
            Some(Value::String(text)) => text.split('.').map(Into::into).collect(),
            Some(Value::Array(list)) => {
                let names = list.iter().map(|name| name.as_str().map(Into::into));
                names.collect::<Option<Vec<Box<str>>>>().unwrap_or_default()
            }
            Some(_) => return self.wrong(key, wanted),
        };
        let good = !path.is_empty() && path.iter().all(|name| !name.is_empty());
        if good { Ok(Some(path)) } else { self.wrong(key, wanted) }
    }

    /// A number, in a text or as it is: for times and rates.
    pub(super) fn number(&mut self, key: &'static str) -> Result<Option<String>, ProfileError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Integer(number)) => Ok(Some(number.to_string())),
            Some(Value::Float(number)) => Ok(Some(number.to_string())),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => self.wrong(key, "a number"),
        }
    }

    /// One of some words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, ProfileError> {
        let Some(word) = self.text(key)? else { return Ok(None) };
        self.one_of(key, &word, choices).map(Some)
    }

    /// The choice that a word names.
    pub(super) fn one_of<T: Copy>(
        &self,
        key: &str,
        word: &str,
        choices: &[(&str, T)],
    ) -> Result<T, ProfileError> {
        let found = choices.iter().find(|(name, _)| *name == word);
        found.map(|(_, choice)| *choice).ok_or_else(|| ProfileError::UnknownChoice {
            key: self.key(key),
            found: word.to_owned(),
            choices: choices.iter().map(|(name, _)| (*name).to_owned()).collect(),
            nearest: nearest(word, choices.iter().map(|(name, _)| *name)).map(str::to_owned),
        })
    }

    /// Words of the source, each with one of some words of ours.
    pub(super) fn words<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
    ) -> Result<Option<Words<T>>, ProfileError> {
        let table = match self.take(key) {
            None => return Ok(None),
            Some(Value::Table(table)) => table,
            Some(_) => return self.wrong(key, "a table of words"),
        };
        let mut words = Vec::new();
        for (word, meaning) in table {
            let name = format!("{key}.{word}");
            let Some(meaning) = meaning.as_str() else { return self.wrong(&name, "a text") };
            words.push((word.as_str().into(), self.one_of(&name, meaning, choices)?));
        }
        Ok(Some(words))
    }

    /// What is left, for tables whose keys are the source's own.
    pub(super) fn rest(self) -> Table {
        self.table
    }

    /// Nothing may be left.
    pub(super) fn end(self) -> Result<(), ProfileError> {
        match self.table.keys().next() {
            None => Ok(()),
            Some(left) => Err(ProfileError::UnknownKey {
                key: self.key(left),
                nearest: nearest(left, self.asked.iter().copied()).map(|near| self.key(near)),
            }),
        }
    }
}
