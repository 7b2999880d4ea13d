//! Targets that exist, asked about on the terminal one at a time while the other files go on.

use tokio::task::JoinHandle;
use wire::{Code, Fault, size};

use super::login::{ask, can_ask};
use super::output::clock;
use crate::engine::Engine;
use crate::engine::status::{Direction, IfExists, Question, QuestionId, Reply, Side, Status};

/// The asking, if there is any.
#[derive(Debug)]
pub(super) struct Questions {
    terminal: bool,
    asking: Option<JoinHandle<(QuestionId, Option<Reply>)>>,
    /// Decided last. A status that still has it is older than the decision, and so are its others.
    decided: Option<QuestionId>,
}

impl Questions {
    /// `terminal`: not where programs read the output.
    pub(super) fn new(json: bool) -> Self {
        Self { terminal: !json && can_ask(), asking: None, decided: None }
    }

    /// Whether a question stands on the terminal, where nothing else may be drawn.
    pub(super) fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// Asks the oldest question, or declines all where nobody can be asked.
    pub(super) fn look(&mut self, engine: &Engine, status: &Status) {
        if status.questions.iter().any(|question| Some(question.id) == self.decided) {
            return;
        }
        if !self.terminal {
            status.questions.iter().for_each(|question| decline(engine, question.id, &question.target));
        } else if self.asking.is_none()
            && let Some(question) = status.questions.first().cloned()
        {
            self.asking = Some(tokio::spawn(async move { (question.id, put(&question).await) }));
        }
    }

    /// Waits for the answer; for ever when nothing is asked.
    pub(super) async fn answered(&mut self, engine: &Engine) {
        let Some(asking) = &mut self.asking else { return std::future::pending().await };
        let answered = asking.await;
        self.asking = None;
        match answered {
            Ok((id, Some(reply))) => {
                self.decided = Some(id);
                engine.answer(id, reply);
            }
            Ok((id, None)) => {
                // The terminal has gone, or said so.
                self.terminal = false;
                decline(engine, id, "the target");
            }
            Err(_) => self.terminal = false,
        }
    }
}

fn decline(engine: &Engine, id: QuestionId, target: &str) {
    let message =
        format!("{target} exists with other content; choose with --if-exists overwrite, newer, skip, rename or update");
    engine.decline(id, Fault::new(Code::Exists, message));
}

async fn put(question: &Question) -> Option<Reply> {
    // Here nothing that was refused waits.
    let existing = question.existing()?;
    let (here, there) = match question.direction {
        Direction::Up => (&question.source_side, existing),
        Direction::Down => (existing, &question.source_side),
    };
    let text = format!(
        "\r\x1b[K{} exists.\n  here   {}\n  there  {}\n[o]verwrite [u]pdate [s]kip [r]ename [n]ewer (a capital: for all): ",
        question.target,
        side(here),
        side(there)
    );
    loop {
        if let Some(reply) = parse(&ask(text.clone()).await?) {
            return Some(reply);
        }
    }
}

fn side(side: &Side) -> String {
    format!("{:>9}  {}", size::show(side.size), clock(side.mtime))
}

fn parse(answer: &str) -> Option<Reply> {
    let letter = answer.chars().next()?;
    let answer = match letter.to_ascii_lowercase() {
        'o' => IfExists::Overwrite,
        'u' => IfExists::Update,
        's' => IfExists::Skip,
        'r' => IfExists::Rename,
        'n' => IfExists::Newer,
        _ => return None,
    };
    Some(Reply { answer, for_all: letter.is_ascii_uppercase() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let table = [
            ("o", Some((IfExists::Overwrite, false))),
            ("U", Some((IfExists::Update, true))),
            ("Skip", Some((IfExists::Skip, true))),
            ("rename", Some((IfExists::Rename, false))),
            ("n", Some((IfExists::Newer, false))),
            ("", None),
            ("x", None),
        ];
        for (text, expected) in table {
            let expected = expected.map(|(answer, for_all)| Reply { answer, for_all });
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
