//! From keys to actions: the table's keys, those of a preset, and a person's own. Knows nothing of what
//! actions do.

use std::collections::HashMap;

use crossterm::event::KeyModifiers;
use serde::Deserialize;

use crate::action::{Action, Scope, Spec, specs};
use own::Own;

mod chord;
mod own;

pub use chord::{Chord, ChordError, Keys, function_key};
pub use own::{Complaint, keys_file, nearest};

/// Which keys everything has, before a person's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The keys of the table.
    #[default]
    Commander,
    /// Letters as in vi beside them.
    Vi,
}

/// Which keys do what, where.
#[derive(Clone, Debug)]
pub struct Keymap {
    actions: HashMap<(Scope, Keys), Action>,
    keys: HashMap<Action, Vec<Keys>>,
}

/// What a key means after those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// This.
    Action(Action),
    /// Another key decides.
    Begins,
    /// Nothing.
    Nothing,
}

/// An action's keys, and the line of a file they come from.
struct Wish {
    spec: &'static Spec,
    keys: Vec<Keys>,
    source: Source,
}

/// Whose wish counts first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Person(usize),
    Preset,
    Table,
}

impl Default for Keymap {
    /// The keys of the action table.
    fn default() -> Self {
        Self::new(Preset::Commander, "", "").0
    }
}

impl Keymap {
    /// The keys of a preset, then those that `text` of the file `name` sets, with what is wrong in it.
    pub fn new(preset: Preset, name: &str, text: &str) -> (Self, Vec<Complaint>) {
        let vi = match preset {
            Preset::Commander => Own::default(),
            Preset::Vi => Own::read("vi.toml", VI).0,
        };
        let (own, mut complaints) = Own::read(name, text);
        let wish = |spec: &'static Spec| match (own.of(spec.action), vi.of(spec.action)) {
            (Some((line, keys)), _) => Wish { spec, keys: keys.to_vec(), source: Source::Person(line) },
            (None, Some((_, keys))) => Wish { spec, keys: keys.to_vec(), source: Source::Preset },
            (None, None) => {
                let keys = spec.keys.iter().filter_map(|key| key.parse().ok()).collect();
                Wish { spec, keys, source: Source::Table }
            }
        };
        let mut wishes: Vec<Wish> = specs().map(wish).collect();
        // Those of the table stay in its order.
        wishes.sort_by_key(|wish| wish.source);
        let mut keymap = Self { actions: HashMap::new(), keys: HashMap::new() };
        let mut lines: HashMap<Action, usize> = HashMap::new();
        for wish in wishes {
            if let Source::Person(line) = wish.source {
                lines.insert(wish.spec.action, line);
            }
            for keys in wish.keys.iter().copied() {
                let Some(holder) = keymap.give(wish.spec, keys) else { continue };
                complaints.extend(clash(name, &wish, keys, holder, lines.get(&holder).copied()));
            }
        }
        (keymap, complaints)
    }

    /// Gives an action a key; an action that has it already in one of the places keeps it and is told.
    fn give(&mut self, spec: &'static Spec, keys: Keys) -> Option<Action> {
        let whose = |scope: &Scope| {
            let taken = |(at, other): &(Scope, Keys)| at == scope && other.overlaps(keys);
            self.actions.iter().find(|(at, action)| taken(at) && **action != spec.action).map(|(_, action)| *action)
        };
        let holder = spec.scopes.iter().find_map(whose);
        if holder.is_none() {
            self.actions.extend(spec.scopes.iter().map(|scope| ((*scope, keys), spec.action)));
            self.keys.entry(spec.action).or_default().push(keys);
        }
        holder
    }

    /// What one chord alone does there.
    pub fn action(&self, scope: Scope, chord: Chord) -> Option<Action> {
        self.actions.get(&(scope, Keys { first: chord, then: None })).copied()
    }

    /// What a chord does there, after another one that began.
    pub fn meet(&self, scope: Scope, before: Option<Chord>, chord: Chord) -> Met {
        if let Some(first) = before {
            let action = self.actions.get(&(scope, Keys { first, then: Some(chord) }));
            return action.map_or(Met::Nothing, |action| Met::Action(*action));
        }
        let begins = |(at, keys): &(Scope, Keys)| *at == scope && keys.first == chord && keys.then.is_some();
        match self.action(scope, chord) {
            Some(action) => Met::Action(action),
            None if self.actions.keys().any(begins) => Met::Begins,
            None => Met::Nothing,
        }
    }

    /// The keys of an action, the usual one first.
    pub fn keys(&self, action: Action) -> &[Keys] {
        self.keys.get(&action).map(Vec::as_slice).unwrap_or_default()
    }

    /// The usual key of an action; empty when it has none.
    pub fn key(&self, action: Action) -> String {
        self.keys(action).first().map(Keys::to_string).unwrap_or_default()
    }

    /// The word of F`number` in the key bar while these modifiers are held; empty when the key does nothing
    /// there.
    pub fn label(&self, scope: Scope, number: u8, held: KeyModifiers) -> &'static str {
        let spec = self.action(scope, Chord::function(number, held)).and_then(Spec::of);
        spec.and_then(|spec| spec.label).unwrap_or_default()
    }
}

/// What there is to say about a key that somebody else has.
fn clash(file: &str, wish: &Wish, keys: Keys, holder: Action, line: Option<usize>) -> Option<Complaint> {
    let holder = Spec::of(holder)?.name;
    let name = wish.spec.name;
    let (line, text) = match (wish.source, line) {
        (Source::Person(line), Some(other)) => {
            (line, format!("{keys} is given to {name} and, in line {other}, to {holder}, which has it"))
        }
        (Source::Person(line), None) => (line, format!("{keys} is given to {name}, but {holder} has it")),
        // A preset knows what it takes from the table.
        (Source::Preset | Source::Table, Some(line)) => {
            (line, format!("{keys} is given to {holder}; {name} had it before (`{name} = []` says that it is meant)"))
        }
        (Source::Preset | Source::Table, None) => return None,
    };
    Some(Complaint { file: file.to_owned(), line, text })
}

impl Keys {
    /// Whether both cannot mean something: they are the same, or one begins the other.
    fn overlaps(self, other: Keys) -> bool {
        self.first == other.first && (self.then == other.then || self.then.is_none() || other.then.is_none())
    }
}

/// What the preset `vi` changes, in the form of a person's own file.
const VI: &str = include_str!("../../assets/keys/vi.toml");

#[cfg(test)]
mod tests;
