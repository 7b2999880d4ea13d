//! Where a pane has been, to go back and forth.

use super::place::Place;

/// The directories before the one shown, and those that were gone back from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    /// The last one at the end.
    back: Vec<Spot>,
    /// The next one at the end.
    ahead: Vec<Spot>,
}

/// A directory and the name that the cursor stood on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The directory.
    pub place: Place,
    /// The name; empty on `..`.
    pub name: Vec<u8>,
}

/// How a pane comes to another directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Step {
    /// By going there.
    #[default]
    New,
    /// So many back; the first is 1.
    Back(usize),
    /// So many ahead.
    Ahead(usize),
}

impl Trail {
    /// Where a step leads; `None` where there is nothing.
    pub fn spot(&self, step: Step) -> Option<&Spot> {
        match step {
            Step::New => None,
            Step::Back(steps) => self.back.iter().rev().nth(steps.checked_sub(1)?),
            Step::Ahead(steps) => self.ahead.iter().rev().nth(steps.checked_sub(1)?),
        }
    }

    /// All of them, from the farthest ahead to the farthest back.
    pub fn steps(&self) -> impl Iterator<Item = (Step, &Spot)> {
        let ahead = (1..=self.ahead.len()).rev().map(Step::Ahead);
        let back = (1..=self.back.len()).map(Step::Back);
        ahead.chain(back).filter_map(|step| Some((step, self.spot(step)?)))
    }

    /// Takes up that `left` was left by this step.
    pub fn moved(&mut self, step: Step, left: Spot) {
        let (steps, from, to) = match step {
            Step::New => {
                self.ahead.clear();
                self.back.retain(|spot| spot.place != left.place);
                self.back.push(left);
                let old = self.back.len().saturating_sub(KEPT);
                self.back.drain(..old);
                return;
            }
            Step::Back(steps) => (steps, &mut self.back, &mut self.ahead),
            Step::Ahead(steps) => (steps, &mut self.ahead, &mut self.back),
        };
        to.push(left);
        let passed = from.len().saturating_sub(steps);
        // The one that was gone to is shown now.
        to.extend(from.drain(passed..).skip(1).rev());
    }

    /// The name the cursor stood on when this directory was left last.
    pub fn name_at(&self, place: &Place) -> Option<Vec<u8>> {
        let spot = self.back.iter().rev().chain(&self.ahead).find(|spot| spot.place == *place)?;
        Some(spot.name.clone()).filter(|name| !name.is_empty())
    }

    /// Forgets what is at a server: another one has other directories.
    pub fn forget_remote(&mut self) {
        self.back.retain(|spot| spot.place.is_local());
        self.ahead.retain(|spot| spot.place.is_local());
    }
}

/// More than anybody goes back.
const KEPT: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(path: &str) -> Spot {
        Spot { place: Place::Local(path.into()), name: path.as_bytes().to_vec() }
    }

    fn shown(trail: &Trail) -> String {
        let word = |(step, spot): (Step, &Spot)| {
            let sign = if matches!(step, Step::Ahead(_)) { '>' } else { '<' };
            format!("{sign}{}", spot.place.text())
        };
        trail.steps().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn back_and_ahead() {
        let mut trail = Trail::default();
        // From /a to /b to /c to /d.
        ["/a", "/b", "/c"].iter().for_each(|path| trail.moved(Step::New, spot(path)));
        assert_eq!(shown(&trail), "</c </b </a");
        assert_eq!(trail.spot(Step::Back(2)), Some(&spot("/b")));
        trail.moved(Step::Back(2), spot("/d"));
        assert_eq!(shown(&trail), ">/d >/c </a");
        trail.moved(Step::Ahead(1), spot("/b"));
        assert_eq!(shown(&trail), ">/d </b </a");
        trail.moved(Step::Back(1), spot("/c"));
        trail.moved(Step::Ahead(2), spot("/b"));
        assert_eq!(shown(&trail), "</c </b </a");
        assert_eq!(
            (trail.spot(Step::Ahead(1)), trail.spot(Step::Back(4)), trail.spot(Step::Back(0))),
            (None, None, None)
        );
        trail.moved(Step::Back(3), spot("/d"));
        trail.moved(Step::New, spot("/a"));
        assert_eq!(shown(&trail), "</a");
    }

    #[test]
    fn what_is_kept() {
        let mut trail = Trail::default();
        (0..150).for_each(|n| trail.moved(Step::New, spot(&format!("/{n}"))));
        trail.moved(Step::New, spot("/140"));
        assert_eq!((trail.steps().count(), trail.spot(Step::Back(1))), (100, Some(&spot("/140"))));
        assert_eq!(
            (trail.name_at(&spot("/99").place), trail.name_at(&spot("/1").place)),
            (Some(b"/99".to_vec()), None)
        );
        trail.moved(Step::New, Spot { place: Place::Remote(wire::RemotePath::home()), name: vec![] });
        assert_eq!(trail.name_at(&Place::Remote(wire::RemotePath::home())), None);
        trail.forget_remote();
        assert_eq!(trail.spot(Step::Back(1)), Some(&spot("/140")));
    }
}
