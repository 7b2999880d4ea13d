//! The command palette: every action, narrowed down by what is typed.

use frizbee::{Config, Matcher};

use super::App;
use super::field::Field;
use super::usable::obstacle;
use crate::action::{Menu, Scope, Spec};

/// An open palette.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    /// What is looked for.
    pub field: Field,
}

/// An action that was found.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// Which.
    pub spec: &'static Spec,
    /// Why it cannot be used here.
    pub obstacle: Option<&'static str>,
}

impl Palette {
    /// What is found, the best first; what cannot be used here comes last.
    pub fn hits(&self, app: &App) -> Vec<Hit> {
        // What only moves the cursor is quicker done by its key, and the viewer's keys are for the viewer.
        let apart = |menu: &Menu| *menu != Menu::Cursor && (*menu != Menu::Viewer || app.focus == Scope::Viewer);
        let all: Vec<&'static Spec> = Menu::ALL.into_iter().filter(apart).flat_map(Menu::specs).collect();
        let typed = self.field.text().trim();
        let titles: Vec<String> =
            all.iter().map(|spec| format!("{} {}", spec.title(), spec.label.unwrap_or_default())).collect();
        let found = Matcher::new(typed, &Config::default()).match_list(&titles);
        let named = found.iter().filter_map(|hit| all.get(usize::try_from(hit.index).ok()?).copied());
        let mut specs: Vec<&'static Spec> = named.collect();
        // What they do is longer: letters strewn over it would find everything.
        let told = typed.to_lowercase();
        let described: Vec<_> = all
            .iter()
            .filter(|spec| spec.about.contains(&told) && !specs.iter().any(|known| known.action == spec.action))
            .collect();
        specs.extend(described);
        let mut hits: Vec<Hit> = specs.into_iter().map(|spec| Hit { spec, obstacle: obstacle(app, spec) }).collect();
        hits.sort_by_key(|hit| hit.obstacle.is_some());
        hits
    }
}
