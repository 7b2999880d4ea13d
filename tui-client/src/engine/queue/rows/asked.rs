//! What waits for a person: files whose target exists, and what was refused. Oldest first.

use wire::Fault;

use super::super::super::Refused;
use super::super::super::item::{Failed, File, Parked, Target, Wish, direction, named};
use super::super::super::policy::needs_person;
use super::super::super::status::{
    About, End, IfExists, ItemId, MOST_QUESTIONS, Question, QuestionId, Remedy, Reply, Side,
};
use super::{Rows, nothing};

impl Rows {
    /// A file waits for a person, for its target exists.
    pub(in super::super) fn ask(&mut self, file: File, target: Side) {
        let question = self.question(&file, About::Exists(target));
        self.with(file.item, |item| match (item.if_exists, item.wish) {
            (_, Wish::Cancel { .. }) => {}
            (IfExists::Ask, _) => item.asked.push((question, file)),
            // Answered for all while this one was on its way here.
            _ => item.pending.push_front(file),
        });
    }

    /// Something failed for good: it ends so, or waits for a person where one can help.
    pub(in super::super) fn failed(&mut self, id: ItemId, failed: Failed, fault: &Fault) {
        let is_cancelled = |item: &super::Item| item.id == id && matches!(item.wish, Wish::Cancel { .. });
        if self.refused == Refused::Fails || !needs_person(fault.code) || self.items.iter().any(is_cancelled) {
            return self.give_up(id, failed, fault);
        }
        let about = About::Refused(fault.clone());
        let question = match &failed {
            Failed::File(file) => self.question(file, about),
            Failed::Source(leaving, _) => self.question(&leaving.file, about),
            Failed::Scan(scan) => self.question(&nothing(id, scan.job.clone()), about),
            // Nobody is asked about it.
            Failed::Name(_) => return self.give_up(id, failed, fault),
        };
        self.with(id, |item| item.parked.push(Parked { question, failed }));
    }

    /// Whatever becomes of the question, its file ends as failed.
    pub(in super::super) fn give_up(&mut self, id: ItemId, failed: Failed, fault: &Fault) {
        let end = End::Failed(fault.clone());
        match &failed {
            Failed::File(file) => self.tell(file, file.travelled.min(file.source.size), 0, None, end),
            Failed::Scan(scan) => self.tell(&nothing(id, scan.job.clone()), 0, 0, None, end),
            Failed::Name(_) => {}
            Failed::Source(leaving, _) => {
                let (sent, held) = leaving.moved;
                self.tell(&leaving.file, sent, held, Some(leaving.root), end);
            }
        }
        self.with(id, |item| item.fail(failed, fault));
        self.look_whether_over(id);
    }

    /// What to do with the file in the way.
    pub(in super::super) fn answer(&mut self, id: QuestionId, reply: Reply) {
        for item in &mut self.items {
            let Some(at) = item.asked.iter().position(|(question, _)| question.id == id) else { continue };
            let (_, file) = item.asked.remove(at);
            item.pending.push_front(File { choice: Some(reply.answer), ..file });
            if reply.for_all {
                item.if_exists = reply.answer;
                item.pending.extend(item.asked.drain(..).map(|(_, file)| file));
            }
            return;
        }
    }

    /// Anything else that a person does about it.
    pub(in super::super) fn remedy(&mut self, id: QuestionId, remedy: Remedy) {
        match remedy {
            Remedy::Name(name) => self.name(id, &name),
            Remedy::Again { all } => {
                for (item, Parked { failed, .. }) in self.unpark(id, all) {
                    self.with(item, |item| item.again(failed));
                }
            }
            Remedy::Leave { all } => {
                for (item, Parked { failed, question }) in self.unpark(id, all) {
                    if let About::Refused(fault) = &question.about {
                        self.give_up(item, failed, fault);
                    }
                }
            }
        }
    }

    /// Ends what is asked about as failed: where nobody can be asked.
    pub(in super::super) fn decline(&mut self, id: QuestionId, fault: &Fault) {
        let failed = match self.unask(id) {
            Some(file) => Some((file.item, Failed::File(Box::new(file)))),
            None => self.unpark(id, false).pop().map(|(item, parked)| (item, parked.failed)),
        };
        if let Some((item, failed)) = failed {
            self.give_up(item, failed, fault);
        }
    }

    /// The oldest ones, and how many there are.
    pub(in super::super) fn questions(&self) -> (Vec<Question>, u64) {
        let mut questions = Vec::new();
        let mut open = 0;
        for item in &self.items {
            open += item.asked.len() + item.parked.len();
            questions.extend(item.asked.iter().take(MOST_QUESTIONS).map(|(question, _)| question));
            questions.extend(item.parked.iter().take(MOST_QUESTIONS).map(|parked| &parked.question));
        }
        questions.sort_by_key(|question| question.id);
        (questions.into_iter().take(MOST_QUESTIONS).cloned().collect(), open as u64)
    }

    fn question(&mut self, file: &File, about: About) -> Question {
        self.next_question += 1;
        self.urgent = true;
        Question {
            id: QuestionId(self.next_question),
            item: file.item,
            direction: direction(&file.job),
            job: file.job.clone(),
            target: file.shown_target(),
            source_side: file.source,
            about,
        }
    }

    /// Both are kept: the file goes under another name, of which nothing is known yet.
    fn name(&mut self, id: QuestionId, name: &[u8]) {
        let asked = self.items.iter().flat_map(|item| &item.asked).find(|(question, _)| question.id == id);
        let Some(job) = asked.and_then(|(_, file)| named(&file.job, name)) else { return };
        if let Some(file) = self.unask(id) {
            let file = File { job, target: Target::Unknown, choice: None, renames: 0, ..file };
            self.with(file.item, |item| item.pending.push_front(file));
        }
    }

    fn unask(&mut self, id: QuestionId) -> Option<File> {
        self.items.iter_mut().find_map(|item| {
            let at = item.asked.iter().position(|(question, _)| question.id == id)?;
            Some(item.asked.remove(at).1)
        })
    }

    /// What was refused, with all of its item that was refused for the same reason.
    fn unpark(&mut self, id: QuestionId, all: bool) -> Vec<(ItemId, Parked)> {
        let code = |parked: &Parked| parked.question.refusal().map(|fault| fault.code);
        for item in &mut self.items {
            let Some(at) = item.parked.iter().position(|parked| parked.question.id == id) else { continue };
            let like = item.parked.get(at).and_then(code);
            let is_meant = |parked: &mut Parked| parked.question.id == id || (all && code(parked) == like);
            return item.parked.extract_if(.., is_meant).map(|parked| (parked.question.item, parked)).collect();
        }
        Vec::new()
    }
}
