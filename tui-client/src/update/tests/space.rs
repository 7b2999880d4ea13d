//! Room at both ends: what is measured, counted before a copy, and warned of.

use wire::message::Usage;

use super::*;
use crate::app::dialog::Tally;
use crate::app::space::{Disk, before_copy, downloads, uploads};

fn status(change: impl FnOnce(&mut Status)) -> Msg {
    let mut status = sample::status();
    status.questions.clear();
    status.open_questions = 0;
    change(&mut status);
    Msg::Status(Arc::new(status))
}

fn usage(quota: u64, used: u64) -> Option<Usage> {
    Some(Usage { quota: Some(quota), used, ..Usage::default() })
}

#[test]
fn file_systems_are_measured_while_downloads_run_and_filling_one_is_warned_of() {
    let mut app = sample::app();
    app.left.place = local("/mnt");
    let watched = vec![PathBuf::from("/home/ada/Downloads"), PathBuf::from("/mnt")];
    assert_eq!(update(&mut app, status(|_| ())), [Effect::WatchSpace(watched.clone())]);
    assert_eq!(update(&mut app, status(|_| ())), []);
    let other = |id, free| Disk { id, free: if id == 1 { free } else { 1 << 30 } };
    let disks = |id, free| watched.iter().cloned().zip([Disk { id: 1, free }, other(id, free)]).collect();
    let note = app.note.clone();
    update(&mut app, Msg::Measured(disks(2, 8 << 30)));
    assert_eq!(app.note, note, "it fits");
    // 5.5 GiB are to come to the one, nothing to the other unless it is the same.
    let mnt = |app: &App| downloads(app, "/mnt".as_ref()).bytes;
    assert_eq!(mnt(&app), 0);
    update(&mut app, Msg::Measured(disks(1, 8 << 30)));
    assert_eq!(mnt(&app), 8_160_437_862 - 2_254_857_830);
    update(&mut app, Msg::Measured(disks(2, 5 << 30)));
    assert_eq!(app.note.text, "The downloads need ≥512 MiB more than is free on this machine");
    app.heed();
    app.tell(Tone::Plain, "");
    update(&mut app, Msg::Measured(disks(2, 4 << 30)));
    assert_eq!(app.note.text, "", "told once");
    let over = status(|status| status.items[1].state = State::Done);
    assert!(update(&mut app, over).contains(&Effect::WatchSpace(vec![])));
}

#[test]
fn uploads_that_do_not_fit_are_told_of_before_they_are_refused() {
    let mut app = sample::app();
    // 631 MiB and 48 MiB wait, of which nothing counts as used yet.
    update(&mut app, status(|status| status.usage = usage(10 << 30, 9 << 30)));
    assert_eq!(uploads(&app.status).bytes, (631 << 20) + 50_400_000);
    assert!(!app.note.text.contains("need"), "{}", app.note.text);
    update(&mut app, status(|status| status.usage = usage(10 << 30, (10 << 30) - (600 << 20))));
    assert_eq!(app.note.text, "The uploads need 79.1 MiB more than is free at the server");
    let files = status(|status| status.usage = Some(Usage { max_files: Some(813), files: 812, ..Usage::default() }));
    app.space.told.0 = false;
    update(&mut app, files);
    assert_eq!(app.note.text, "The uploads need 1 file more than is free at the server");
}

#[test]
fn the_dialog_before_a_copy_says_whether_it_fits() {
    let mut app = sample::app();
    let empty = status(|status| {
        status.items.clear();
        status.usage = usage(10 << 30, 9 << 30);
    });
    update(&mut app, empty);
    let said = |app: &App| match app.dialogs.last().map(|dialog| &dialog.kind) {
        Some(Kind::Prompt(crate::app::dialog::Prompt::Copy { sources, base, counting }, _)) => {
            before_copy(app, sources, base, counting.as_ref())
        }
        other => panic!("{other:?}"),
    };
    run(&mut app, "<End><F5>");
    assert_eq!(said(&app), Some(("4.1 KiB; 1.0 GiB is free there".into(), false)));
    let effects = run(&mut app, "<Esc><Home><Down><F5>");
    let albums = vec![local("/home/ada/Downloads/albums")];
    assert_eq!(effects, [Effect::Count { serial: 1, places: albums.clone() }]);
    assert_eq!(said(&app), Some(("≥0 B in 0 files so far, counting…; 1.0 GiB is free there".into(), false)));
    let tally = |bytes, complete| Tally { files: 340, directories: 2, bytes, complete };
    update(&mut app, Msg::Counted { serial: 1, tally: tally(3 << 30, false) });
    let least = "≥3.0 GiB in 340 files so far, counting…: needs ≥2.0 GiB more than is free, less what it replaces";
    assert_eq!(said(&app), Some((least.into(), true)));
    update(&mut app, Msg::Counted { serial: 1, tally: tally(1 << 29, true) });
    assert_eq!(said(&app), Some(("512 MiB in 340 files; 1.0 GiB is free there".into(), false)));
    assert_eq!(run(&mut app, "<Esc>"), [], "nothing is left to stop");
    run(&mut app, "<F5>");
    assert_eq!(run(&mut app, "<Esc>"), [Effect::StopCount(2)]);
    // The other way the disk of this machine counts.
    run(&mut app, "<Tab><End><F5>");
    assert_eq!(said(&app), Some(("12.0 KiB; 41.3 GiB is free there".into(), false)));
}
