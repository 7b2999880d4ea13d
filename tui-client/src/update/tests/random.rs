//! Keys, clicks, sizes and news at random: nothing panics.

use super::*;
use crate::app::rows::{Listing, Rows};
use crate::entries::Heirs;

/// Keys, clicks, sizes and news at random: nothing panics, and the picture is always as wide as the screen.
#[test]
fn anything_at_any_size() {
    let mut random = Random(42);
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(80, 24)).unwrap();
    let theme = crate::theme::Theme::named("mono").unwrap();
    for _ in 0..40 {
        let mut app = sample::app();
        for _ in 0..150 {
            let effects = update(&mut app, random.msg());
            for effect in effects {
                if let Some(answer) = random.answer(effect) {
                    update(&mut app, answer);
                }
            }
            terminal.backend_mut().resize(app.size.0, app.size.1);
            terminal.draw(|frame| crate::view::draw(&app, &theme, frame)).unwrap();
        }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % limit
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize].clone()
    }

    fn msg(&mut self) -> Msg {
        let small = |random: &mut Random| u16::try_from(random.below(70)).unwrap();
        match self.below(30) {
            0 => Msg::Resize(1 + small(self) * 3, 1 + small(self)),
            1 => Msg::Resize(40 + small(self), 12 + small(self)),
            2..5 => {
                let button = self.pick(&[MouseButton::Left, MouseButton::Right]);
                let kind =
                    self.pick(&[MouseEventKind::Down(button), MouseEventKind::ScrollDown, MouseEventKind::ScrollUp]);
                let event =
                    MouseEvent { kind, column: small(self) * 2, row: small(self), modifiers: KeyModifiers::NONE };
                Msg::Mouse(event, self.below(10_000))
            }
            5 => Msg::Paste("日\x1b本/*".into()),
            6 => {
                let mut status = sample::status();
                status.items.truncate(self.below(5) as usize);
                if self.below(2) == 0 {
                    status.questions.clear();
                }
                Msg::Status(Arc::new(status))
            }
            7 => Msg::RereadStale,
            8 => Msg::EscapeWaited(self.below(50)),
            9 => Msg::Connected { label: "a@b".into(), saved: vec!["a@b:1".into(); 30] },
            11 => {
                let path = RemotePath::parse("日\x1b/x".as_bytes()).unwrap();
                Msg::Trash(Told::Done(crate::app::undo::Step::Trashed(vec![(path, 1)])))
            }
            10 => Msg::NotConnected(login(None), Refusal::Other("no ".repeat(100))),
            _ => Msg::Key(self.key()),
        }
    }

    fn key(&mut self) -> crossterm::event::KeyEvent {
        // Of keys that are pressed one after another each for itself.
        let table: Vec<&str> =
            crate::action::specs().flat_map(|spec| spec.keys.iter().flat_map(|keys| keys.split(' '))).collect();
        let others = ["Tab", "Left", "Right", "Enter", "Esc", "a", "日", "/", "*", ".", "[", "0", "5", "8", "Home"];
        let key = if self.below(2) == 0 { self.pick(&table) } else { self.pick(&others) };
        keys(&format!("<{key}>")).pop().unwrap_or(KeyCode::Enter.into())
    }

    fn answer(&mut self, effect: Effect) -> Option<Msg> {
        let fault = Fault::new(self.pick(&[Code::Exists, Code::NotFound, Code::Io]), "a reason\n\x1b[2J");
        match effect {
            Effect::Read { generation, .. } if self.below(3) == 0 => Some(Msg::Read { generation, result: Err(fault) }),
            Effect::Read { generation, shown, .. } => {
                let listing = self.listing(shown);
                let part = self.below(2) == 0;
                Some(if part {
                    Msg::Partly { generation, listing }
                } else {
                    Msg::Read { generation, result: Ok(listing) }
                })
            }
            Effect::ReadHistory { serial, .. } => {
                let result = if self.below(4) == 0 { Err("no\x1b".into()) } else { Ok(sample::pasts("a@b:1").into()) };
                Some(Msg::Past { serial, result })
            }
            Effect::Trash(wish) => self.told(wish, fault),
            Effect::Sort { generation, rows, order, sieve } => {
                Some(Msg::Sorted { generation, rows: rows.arranged(order, sieve) })
            }
            Effect::Work(work) => Some(Msg::Worked { work, done: 0, fault: Some(fault) }),
            _ => None,
        }
    }

    fn told(&mut self, wish: Wish, fault: Fault) -> Option<Msg> {
        let fault = Some(fault).filter(|_| self.below(2) == 0);
        Some(Msg::Trash(match wish {
            Wish::State => {
                let trash = crate::engine::Trash { days: 30, items: self.below(3), bytes: u64::MAX };
                Told::State(Some(trash).filter(|_| self.below(4) > 0))
            }
            Wish::Undo(step) => Told::Undone { back: step.places(), rest: step.clone(), step, fault },
            Wish::Empty => Told::Emptied(fault),
        }))
    }

    fn listing(&mut self, shown: Option<Rows>) -> Listing {
        let entries: Vec<_> = (0..self.below(60)).map(|n| file(&format!("name {n} 日本\x1b"), n, 0)).collect();
        let heirs = shown.map(|shown| Heirs::of(shown.entries(), &entries.iter().collect()));
        Listing { heirs, ..listing(entries) }
    }
}
