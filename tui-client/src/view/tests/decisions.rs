//! Decisions: the list and one of each kind, at three sizes.

use wire::fault::Detail;

use super::*;
use crate::engine::status::{About, Question, QuestionId, Side};

/// Two conflicts and two refusals, one of which there is room for by now.
fn deciding(width: u16, height: u16) -> App {
    let mut app = sized(width, height);
    let mut status = sample::status();
    let first = status.questions[0].clone();
    let newer = Side { size: 48_000_000, mtime: NOW, root: None };
    let quota = |bytes| {
        let message = format!("over quota: {} more than is free", wire::size::show(bytes));
        About::Refused(Fault::new(Code::Quota, message).with(Detail::Shortfall(bytes)))
    };
    let target = |name: &str| format!("/photos/{name}");
    let question = |id, name: &str, size, about| Question {
        id: QuestionId(id),
        target: target(name),
        source_side: Side { size, ..first.source_side },
        about,
        ..first.clone()
    };
    let denied = About::Refused(Fault::new(Code::Denied, "no permission for /home/ada/Downloads/locked.tif"));
    status.questions = vec![
        first.clone(),
        question(2, "2026/日本/a-long-directory-name/another-one/harbour-002.tif", 47_000_000, About::Exists(newer)),
        question(3, "film.mkv", 6 << 30, quota(1_288_490_189)),
        question(4, "small.mkv", 1 << 20, quota(1 << 20)),
        Question { direction: crate::engine::status::Direction::Down, ..question(5, "locked.tif", 1, denied) },
    ];
    status.open_questions = 1234;
    update(&mut app, Msg::Status(Arc::new(status)));
    app
}

#[test]
fn the_list_of_decisions() {
    let mut pictures = Vec::new();
    for (width, height) in [(80, 24), (120, 40), (40, 12)] {
        let mut app = deciding(width, height);
        update(&mut app, Msg::Key(KeyEvent::new(KeyCode::Char('d'), KeyModifiers::CONTROL)));
        for code in [KeyCode::Char(' '), KeyCode::Down] {
            press(&mut app, code);
        }
        pictures.push(picture(&app));
        if height == 12 {
            press(&mut app, KeyCode::End);
            press(&mut app, KeyCode::Tab);
            pictures.push(picture(&app));
        }
    }
    insta::assert_snapshot!(pictures.join("\n"));
}

#[test]
fn one_decision_of_each_kind() {
    let mut out = String::new();
    for (width, height) in [(80, 24), (40, 12)] {
        let app = deciding(width, height);
        let questions = app.status.questions.clone();
        let kinds = questions.into_iter().map(|question| Kind::Decide { question, for_all: false });
        out += &dialogs(&app, kinds.collect());
    }
    insta::assert_snapshot!(out);
}

/// A pane's lower border, of the left one and of the right one.
fn borders(app: &App) -> String {
    let rows = picture(app);
    rows.lines().find(|line| line.contains('╚')).unwrap_or_default().to_owned()
}

#[test]
fn gauges_of_both_panes() {
    let mut out = Vec::new();
    for width in [120, 80, 40] {
        for (quota, used, free) in [(10 << 30, 5_500_000_000, 44 << 30), (6 << 30, 6 << 30, 1 << 30)] {
            let mut app = sized(width, 40);
            let mut status = sample::status();
            status.usage = Some(Usage { quota: Some(quota), used, ..Usage::default() });
            update(&mut app, Msg::Status(Arc::new(status)));
            let dir = std::path::PathBuf::from("/home/ada/Downloads");
            update(&mut app, Msg::Measured(vec![(dir, crate::app::space::Disk { id: 1, free })]));
            out.push(borders(&app));
            if width == 40 {
                press(&mut app, KeyCode::Tab);
                out.push(borders(&app));
            }
        }
    }
    insta::assert_snapshot!(out.join("\n"));
}

#[test]
fn details_of_a_file_and_of_a_directory() {
    use crate::app::details::{Details, Facts, Hash, Local};
    use wire::message::Kind as EntryKind;
    let local = Local { mode: 0o100_754, owner: "ada:users".into(), atime: NOW, ctime: NOW, names: 2, leads_to: None };
    let facts = |kind| Facts { kind, size: 661_651_456, mtime: NOW, local: None, executable: true, root: None };
    let mut out = String::new();
    for (width, height) in [(80, 24), (120, 40), (40, 12)] {
        let app = sized(width, height);
        let here = app.left.place.join(b"debian-12.iso").unwrap();
        let there = app.right.place.join(b"raw").unwrap();
        let of = |place: &Place, facts: Facts, hash| {
            let counting = (facts.kind == EntryKind::Directory).then_some((
                2,
                crate::app::dialog::Tally { files: 12_345, directories: 40, bytes: 9 << 30, complete: false },
            ));
            Kind::Details(Box::new(Details { place: place.clone(), serial: 1, facts: Some(Ok(facts)), counting, hash }))
        };
        let computing = Hash::Computing { serial: 3, done: Some(400 << 20) };
        let link = Local { leads_to: Some("../iso/debian-12.iso".into()), ..local.clone() };
        let root = Some(wire::Root([7; 32]));
        out += &dialogs(
            &app,
            vec![
                of(&here, Facts { local: Some(local.clone()), ..facts(EntryKind::File) }, computing),
                of(&here, Facts { local: Some(link), ..facts(EntryKind::Link) }, Hash::Unknown),
                of(&there, facts(EntryKind::File), Hash::Unknown),
                of(&there, Facts { root, ..facts(EntryKind::File) }, Hash::Computed(wire::Root([8; 32]))),
                of(&there, facts(EntryKind::Directory), Hash::Unknown),
            ],
        );
    }
    insta::assert_snapshot!(out);
}
