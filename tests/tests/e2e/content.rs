//! What is stored is what was sent, or nothing: equality of both ends, names, times, replacing, and
//! senders that lie about what they send.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use tests::files::{content, root, root_of};
use tests::host::Host;
use tests::session::{MTIME, Session, fault, raw};
use wire::block::{BLOCK, chaining_value};
use wire::fault::Detail;
use wire::message::{Expect, Kind, Lane, Offer, Op};
use wire::{Code, Cv, Root};

async fn ada() -> (Host, Session, tests::session::Lane) {
    let host = Host::start().await.expect("a server");
    host.add_user("ada", None).await.expect("a user");
    let session = host.login("ada").await.expect("logged in");
    let lane = session.lane().await.expect("a lane");
    (host, session, lane)
}

#[tokio::test]
async fn files_of_every_shape_are_the_same_at_both_ends() {
    let (host, mut session, mut lane) = ada().await;
    for len in [0, 1, 1023, 65_536, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 5 * BLOCK + 7] {
        let (name, bytes) = (format!("deep/er/{len}"), content("shape", len));
        let tally = lane.put(&name, &bytes, Expect::Absent).await.expect("stored");
        assert_eq!((tally.sent, tally.held), (len as u64, 0));
        let stored = host.home("ada").join(&name);
        assert!(fs::read(&stored).expect("there") == bytes, "{len} bytes differ on the disk");
        let metadata = fs::metadata(&stored).expect("there");
        assert_eq!((metadata.mtime(), metadata.mtime_nsec()), (MTIME.secs, i64::from(MTIME.nanos)));
        let entry = session.stat(&name).await.expect("there");
        assert_eq!((entry.kind, entry.size, entry.mtime), (Kind::File, len as u64, MTIME));
        assert_eq!((entry.root, root(&stored).expect("read")), (Some(root_of(&bytes)), root_of(&bytes)));
        let download = lane.get(&name, b"").await.expect("got");
        assert!(download.content == bytes, "{len} bytes differ after the download");
        assert_eq!((download.offer.size, download.offer.mtime), (len as u64, MTIME));
    }
}

#[tokio::test]
async fn replacing_sends_only_the_blocks_that_changed() {
    let (host, _session, mut lane) = ada().await;
    let old = content("old", 6 * BLOCK + 100);
    lane.put("file", &old, Expect::Absent).await.expect("stored");
    let mut new = old.clone();
    new[2 * BLOCK + 5] ^= 1;
    new.truncate(5 * BLOCK + 50);
    let tally = lane.put("file", &new, Expect::Any).await.expect("stored");
    assert_eq!(tally.sent, (BLOCK + 50) as u64, "the changed block and the shorter last one");
    assert!(fs::read(host.home("ada").join("file")).expect("there") == new);

    let mut longer = new.clone();
    longer.extend_from_slice(&content("more", 2 * BLOCK));
    let tally = lane.put("file", &longer, Expect::Any).await.expect("stored");
    assert_eq!(tally.held, 5 * BLOCK as u64);
    assert!(fs::read(host.home("ada").join("file")).expect("there") == longer);
    let download = lane.get("file", &new).await.expect("got");
    assert!(download.content == longer && download.tally.held == 5 * BLOCK as u64);
}

#[tokio::test]
async fn a_file_that_is_there_is_told_and_kept() {
    let (host, _session, mut lane) = ada().await;
    for (name, old, new) in [("small", 10, 20), ("large", 2 * BLOCK, 3 * BLOCK)] {
        let (old, new) = (content("old", old), content("new", new));
        lane.put(name, &old, Expect::Absent).await.expect("stored");
        let existing = Detail::Existing { size: old.len() as u64, mtime: MTIME, root: Some(root_of(&old)) };
        let other = Expect::Same { size: old.len() as u64 + 1, mtime: MTIME };
        for expect in [Expect::Absent, other] {
            let refused = fault(lane.put(name, &new, expect).await).expect("refused");
            assert_eq!((refused.code, refused.detail), (Code::Exists, existing.clone()), "{name} {expect:?}");
        }
        assert!(fs::read(host.home("ada").join(name)).expect("there") == old);
        let same = Expect::Same { size: old.len() as u64, mtime: MTIME };
        lane.put(name, &new, same).await.expect("it is the one that was seen");
        assert!(fs::read(host.home("ada").join(name)).expect("there") == new);
        fault(lane.put("nothing", &new, Expect::Same { size: 0, mtime: MTIME }).await).expect("nothing is there");
    }
}

#[tokio::test]
async fn directories_and_files_do_not_take_each_others_place() {
    let (_host, mut session, mut lane) = ada().await;
    session.order(Op::Mkdir { path: raw("dir/sub"), parents: true }).await.expect("made");
    lane.put("file", b"x", Expect::Absent).await.expect("stored");
    for content in [b"x".to_vec(), content("big", 2 * BLOCK)] {
        for (path, code) in [("dir", Code::IsDirectory), ("file/x", Code::NotDirectory), ("", Code::IsDirectory)] {
            for expect in [Expect::Absent, Expect::Any] {
                let refused = fault(lane.put(path, &content, expect).await).expect("refused");
                let exists = refused.code == Code::Exists && expect == Expect::Absent && path == "dir";
                assert!(refused.code == code || exists, "{path} {expect:?}: {refused:?}");
            }
        }
    }
    assert_eq!(fault(lane.get("dir", b"").await).expect("refused").code, Code::IsDirectory);
    assert_eq!(fault(lane.get("none", b"").await).expect("refused").code, Code::NotFound);
    assert_eq!(fault(lane.get("file/x", b"").await).expect("refused").code, Code::NotDirectory);
    let order = |op| op;
    for (op, code) in [
        (order(Op::Mkdir { path: raw("dir"), parents: false }), Code::Exists),
        (order(Op::Mkdir { path: raw("no/such/dir"), parents: false }), Code::NotFound),
        (order(Op::Mkdir { path: raw("file/x"), parents: true }), Code::NotDirectory),
        (order(Op::Create { path: raw("file") }), Code::Exists),
        (order(Op::Remove { path: raw("dir"), recursive: false }), Code::NotEmpty),
        (order(Op::Remove { path: raw("none"), recursive: true }), Code::NotFound),
        (order(Op::Rename { from: raw("none"), to: raw("x"), replace: false }), Code::NotFound),
        (order(Op::Rename { from: raw("dir"), to: raw("dir/sub/x"), replace: false }), Code::BadPath),
        (order(Op::Copy { from: raw("dir"), to: raw("dir/sub/x"), replace: false }), Code::BadPath),
        (order(Op::Copy { from: raw("file"), to: raw("file"), replace: true }), Code::Exists),
    ] {
        let shown = format!("{op:?}");
        let refused = fault(session.order(op).await).expect(&shown);
        // Over itself is no copy, whichever word is used for it.
        assert!(
            refused.code == code || shown.starts_with("Copy") && refused.code == Code::BadPath,
            "{shown}: {refused:?}"
        );
    }
    for op in [Op::Remove { path: raw(""), recursive: true }, Op::Rename { from: raw(""), to: raw("x"), replace: true }]
    {
        fault(session.order(op).await).expect("the home itself stays");
    }
    session.order(Op::Mkdir { path: raw("dir"), parents: true }).await.expect("there already");
}

#[tokio::test]
async fn names_of_any_bytes_come_back_as_they_are() {
    let (host, mut session, mut lane) = ada().await;
    let names: Vec<Vec<u8>> = vec![
        "日本語のファイル".into(),
        "e\u{301}".into(),
        "🚣‍♀️".into(),
        b"\xff\xfe\x80".to_vec(),
        b"\x1b[2J\x1b]0;owned\x07".to_vec(),
        b"line\nbreak".to_vec(),
        b" leading and trailing ".to_vec(),
        b"-rf".to_vec(),
        b"...".to_vec(),
        vec![b'n'; 255],
        b"back\\slash:colon*".to_vec(),
    ];
    for name in &names {
        lane.put(name, name, Expect::Absent).await.expect("stored");
        let path = host.home("ada").join(std::ffi::OsStr::from_bytes(name));
        assert_eq!(&fs::read(path).expect("under its own name"), name);
        assert_eq!(&lane.get(name, b"").await.expect("got").content, name);
    }
    let listed = session.entries(Op::List { path: raw("") }).await.expect("listed");
    let mut listed: Vec<Vec<u8>> = listed.into_iter().map(|entry| entry.name.0).collect();
    let mut names = names;
    listed.sort();
    names.sort();
    assert_eq!(listed, names);
}

#[tokio::test]
async fn the_executable_bit_travels_and_nothing_more_of_the_mode() {
    let (host, _session, mut lane) = ada().await;
    for (name, executable) in [("tool", true), ("text", false)] {
        let bytes = content(name, 100);
        let offer = Offer { size: 100, mtime: MTIME, executable, eager: true };
        lane.line.say(&Lane::Put { transfer: 7, path: raw(name), offer, expect: Expect::Absent }).await.expect("said");
        lane.line.block(7, 0, chaining_value(100, 0, &bytes), &bytes).await.expect("sent");
        lane.line.say(&Lane::Seal { transfer: 7, root: root_of(&bytes) }).await.expect("said");
        assert!(matches!(lane.said(7).await, Ok(Lane::Stored { .. })));
        let mode = fs::metadata(host.home("ada").join(name)).expect("there").permissions().mode();
        assert_eq!((mode & 0o100 != 0, mode & 0o7022), (executable, 0), "{name} {mode:o}");
        assert_eq!(lane.get(name, b"").await.expect("got").offer.executable, executable);
    }
}

#[tokio::test]
async fn of_small_files_for_one_path_the_last_one_stands() {
    let (host, mut session, mut lane) = ada().await;
    let versions: Vec<Vec<u8>> = (0..60).map(|n| content(&n.to_string(), 100 + n)).collect();
    // Between them files of other paths, so that they fall into groups of every kind.
    for (number, bytes) in versions.iter().enumerate() {
        for (path, bytes) in [("same", bytes), (&*format!("other-{number}"), bytes)] {
            let upload = lane.begin_put(path, bytes, Expect::Any).await.expect("begun");
            let cv = chaining_value(bytes.len() as u64, 0, bytes);
            lane.line.block(upload.transfer, 0, cv, bytes).await.expect("sent");
            lane.seal(&upload).await.expect("sealed");
        }
    }
    for _ in 0..2 * versions.len() {
        let answer = lane.line.message::<Lane>().await.expect("an answer");
        assert!(matches!(answer, Lane::Stored { .. }), "{answer:?}");
    }
    assert_eq!(fs::read(host.home("ada").join("same")).expect("there"), versions[59]);
    assert_eq!(session.stat("same").await.expect("there").root, Some(root_of(&versions[59])));
}

#[tokio::test]
async fn many_small_files_go_without_waiting_for_answers() {
    let (host, mut session, mut lane) = ada().await;
    let files: Vec<(u64, Vec<u8>)> = (0..400).map(|n| (n, content(&n.to_string(), n as usize * 37))).collect();
    for (transfer, bytes) in &files {
        let offer = Offer { size: bytes.len() as u64, mtime: MTIME, executable: false, eager: true };
        let path = raw(format!("dir-{}/{transfer}", transfer % 7));
        lane.line.say(&Lane::Put { transfer: *transfer, path, offer, expect: Expect::Absent }).await.expect("said");
        if !bytes.is_empty() {
            let cv = chaining_value(bytes.len() as u64, 0, bytes);
            lane.line.block(*transfer, 0, cv, bytes).await.expect("sent");
        }
        lane.line.say(&Lane::Seal { transfer: *transfer, root: root_of(bytes) }).await.expect("said");
    }
    let mut stored = vec![false; files.len()];
    for _ in &files {
        match lane.line.message::<Lane>().await.expect("an answer") {
            Lane::Stored { transfer, root } => {
                assert_eq!(root, root_of(&files[transfer as usize].1));
                assert!(!std::mem::replace(&mut stored[transfer as usize], true), "{transfer} was stored twice");
            }
            other => panic!("{other:?}"),
        }
    }
    let walked = session.entries(Op::Walk { path: raw("") }).await.expect("walked");
    assert_eq!(walked.len(), 407);
    for (transfer, bytes) in &files {
        let path = host.home("ada").join(format!("dir-{}/{transfer}", transfer % 7));
        assert_eq!(root(&path).expect("there"), root_of(bytes));
    }
}

#[tokio::test]
async fn what_does_not_match_its_hash_is_not_stored_and_the_old_file_stays() {
    let (host, mut session, mut lane) = ada().await;
    let (good, bad) = (content("good", 2 * BLOCK + 9), Cv([1; 32]));
    for (name, len) in [("small", 500), ("large", 2 * BLOCK + 9)] {
        let (old, new) = (content("old", len), &good[..len]);
        lane.put(name, &old, Expect::Absent).await.expect("stored");
        let size = len as u64;
        let offer = Offer { size, mtime: MTIME, executable: false, eager: true };
        let cv = |index: usize| chaining_value(size, index as u64, &new[index * BLOCK..len.min((index + 1) * BLOCK)]);
        let block = |index: usize| new[index * BLOCK..len.min((index + 1) * BLOCK)].to_vec();
        let last = new.chunks(BLOCK).len() - 1;
        let whole: Vec<(u64, Cv, Vec<u8>)> = (0..=last).map(|index| (index as u64, cv(index), block(index))).collect();
        // (what is wrong, the blocks, the root, the code)
        let mut lies = vec![
            ("a value that is not the block's", vec![(0, bad, block(0))], root_of(new), Code::Damaged),
            ("a root that is not the file's", whole.clone(), Root([9; 32]), Code::Damaged),
            ("a block beyond the end", vec![(last as u64 + 1, bad, vec![1])], root_of(new), Code::Protocol),
            ("a block far beyond the end", vec![(u64::MAX, bad, vec![1])], root_of(new), Code::Protocol),
            ("a block of the wrong length", vec![(0, bad, block(0)[1..].to_vec())], root_of(new), Code::Protocol),
        ];
        let (code, partial) = if last == 0 { (Code::Damaged, vec![]) } else { (Code::Protocol, whole[1..].to_vec()) };
        lies.push(("blocks that are missing", partial, root_of(new), code));
        for (number, (lie, blocks, root, code)) in lies.into_iter().enumerate() {
            let transfer = 1000 + number as u64;
            let put = Lane::Put { transfer, path: raw(name), offer, expect: Expect::Any };
            lane.line.say(&put).await.expect("said");
            for (index, cv, payload) in blocks {
                lane.line.block(transfer, index, cv, &payload).await.expect("sent");
            }
            lane.line.say(&Lane::Seal { transfer, root }).await.expect("said");
            let refused = fault(lane.said(transfer).await).expect(lie);
            assert_eq!(refused.code, code, "{name}: {lie}");
            assert!(
                fs::read(host.home("ada").join(name)).expect("there") == old,
                "{name}: {lie}: the old file changed"
            );
        }
        lane.put(name, new, Expect::Any).await.expect("the truth is stored all the same");
    }
    let usage = session.space().await.expect("told");
    assert_eq!((usage.used, usage.reserved, usage.files), (500 + 2 * BLOCK as u64 + 9, 0, 2));
}

#[tokio::test]
async fn a_directory_is_not_copied_into_itself_by_a_link() {
    let (host, mut session, mut lane) = ada().await;
    lane.put("tree/sub/a", b"a", Expect::Absent).await.expect("stored");
    for (link, to) in [("tree", "l"), ("tree/sub", "m")] {
        std::os::unix::fs::symlink(link, host.home("ada").join(to)).expect("linked");
    }
    for to in ["l/copy", "m/copy", "tree/copy"] {
        let refused = session.order(Op::Copy { from: raw("tree"), to: raw(to), replace: false }).await;
        assert_eq!(fault(refused).expect("refused").code, Code::BadPath, "{to}");
    }
    session.order(Op::Copy { from: raw("tree/sub"), to: raw("l/copy"), replace: false }).await.expect("beside it");
    let usage = session.space().await.expect("told");
    assert_eq!((usage.used, usage.files), (2, 2));
}

#[tokio::test]
async fn copies_and_moves_carry_content_and_hash() {
    let (host, mut session, mut lane) = ada().await;
    let bytes = content("tree", 2 * BLOCK + 1);
    for name in ["tree/a", "tree/sub/b", "other"] {
        lane.put(name, &bytes, Expect::Absent).await.expect("stored");
    }
    session.order(Op::Copy { from: raw("tree"), to: raw("copy"), replace: false }).await.expect("copied");
    session.order(Op::Rename { from: raw("tree"), to: raw("moved"), replace: false }).await.expect("moved");
    for name in ["copy/a", "copy/sub/b", "moved/a", "moved/sub/b"] {
        assert_eq!(root(&host.home("ada").join(name)).expect("there"), root_of(&bytes));
        assert_eq!(session.stat(name).await.expect("there").root, Some(root_of(&bytes)), "{name}");
    }
    assert_eq!(fault(session.stat("tree").await).expect("gone").code, Code::NotFound);
    let onto = |replace| Op::Rename { from: raw("other"), to: raw("copy/a"), replace };
    assert_eq!(fault(session.order(onto(false)).await).expect("refused").code, Code::Exists);
    session.order(onto(true)).await.expect("replaced");
    let usage = session.space().await.expect("told");
    assert_eq!((usage.used, usage.files), (4 * bytes.len() as u64, 4));
}
