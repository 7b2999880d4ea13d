//! Damage, versions, and two clients at once.

use super::*;
use crate::engine::keep::record::{KeptJob, Size};
use crate::engine::status::{IfExists, Job, Priority};
use wire::RemotePath;

fn item(id: u64) -> Record {
    let job = Job::Up { source: format!("/f{id}").into(), target: RemotePath::home().join(b"x").unwrap() };
    Record::Item(Box::new(Kept {
        id,
        job: KeptJob::of(&job),
        if_exists: IfExists::Ask,
        moves: false,
        limit: None,
        priority: Priority::Normal,
        size: Size::default(),
        leaving: None,
        is_part: false,
        chosen: None,
        picked: None,
    }))
}

fn take(dir: &Path) -> (Slot, Vec<u64>, Option<String>) {
    let (slot, found) = Slot::take(dir, "ada@h:1").unwrap();
    (slot, found.items.iter().map(|kept| kept.id).collect(), found.told)
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.ends_with(".lock"));
    names.sort();
    names
}

#[test]
fn a_queue_is_found_again_and_does_not_grow_for_ever() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("state/queue");
    let (mut slot, found, _) = take(&dir);
    assert!(found.is_empty());
    slot.append(&[item(1), item(2)]).unwrap();
    slot.append(&[Record::Over(1), item(3), Record::Order(vec![3, 2])]).unwrap();
    assert!(!slot.is_worn());
    let many: Vec<Record> = (0..2000).map(|_| item(2)).collect();
    slot.append(&many).unwrap();
    assert!(slot.is_worn());
    slot.rewrite(&[item(3), item(2)]).unwrap();
    assert!(!slot.is_worn() && fs::metadata(&slot.path).unwrap().len() < 1000);
    slot.append(&[item(4)]).unwrap();
    drop(slot);
    let (_slot, found, told) = take(&dir);
    assert_eq!((found, told), (vec![3, 2, 4], None));
    assert!(Slot::take(&dir, "bob@h:1").unwrap().1.items.is_empty(), "another account");
}

#[test]
fn a_half_written_line_is_dropped_and_a_bad_file_set_aside() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path();
    let path = dir.join("ada@h:1.jsonl");
    let (mut slot, ..) = take(dir);
    slot.append(&[item(1), item(2)]).unwrap();
    drop(slot);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 9]).unwrap();
    let (slot, found, told) = take(dir);
    assert_eq!((found, told), (vec![1], None));
    drop(slot);

    fs::write(&path, [whole.as_slice(), b"nonsense\n"].concat()).unwrap();
    let (slot, found, told) = take(dir);
    assert_eq!(found, [1, 2]);
    assert!(told.unwrap().contains("ada@h:1.damaged-1"));
    drop(slot);
    fs::write(&path, "\0\0\0").unwrap();
    let (slot, found, told) = take(dir);
    assert!(found.is_empty());
    assert!(told.unwrap().contains("damaged-2"));
    drop(slot);
    fs::write(&path, "{\"catamaran\":\"queue\",\"version\":9,\"account\":\"ada@h:1\"}\n").unwrap();
    let (mut slot, _, told) = take(dir);
    assert!(told.unwrap().contains("newer version"));
    slot.rewrite(&[]).unwrap();
    let expected = ["ada@h:1.damaged-1", "ada@h:1.damaged-2", "ada@h:1.jsonl", "ada@h:1.newer-1"];
    assert_eq!(names(dir), expected);
}

#[test]
fn two_clients_have_a_queue_each_and_the_next_one_has_both() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path();
    let (mut first, ..) = take(dir);
    let (mut second, found, _) = take(dir);
    assert!(found.is_empty());
    first.rewrite(&[item(1)]).unwrap();
    second.rewrite(&[item(2)]).unwrap();
    drop(second);
    let (mut third, found, _) = take(dir);
    assert_eq!(found, [2], "the first client still runs");
    third.rewrite(&[item(2)]).unwrap();
    drop((first, third));
    let (mut fourth, found, _) = take(dir);
    assert_eq!(found, [1, 2]);
    assert_eq!(names(dir).len(), 2, "nothing goes before it is written down elsewhere");
    fourth.rewrite(&[item(1), item(2)]).unwrap();
    assert_eq!(names(dir), ["ada@h:1.jsonl"]);
}

#[test]
fn names_of_files() {
    assert_eq!(file_name("ada@h:1", 1), "ada@h:1.jsonl");
    assert_eq!(file_name("a/../b@h:1", 2), "a%2f..%2fb@h:1-2.jsonl");
    assert_eq!(file_name(&"x".repeat(300), 1).len(), 64 + 6);
}
