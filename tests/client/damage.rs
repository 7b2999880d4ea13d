//! A bit that a server's disk has lost: told for what it is, never saved, not asked for again and again, and repaired by
//! storing a good copy.

use tests::files::{content, flip, paths, root, write};
use tests::host::eventually;

use crate::bench::MIB;
use crate::program::Program;

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_told_not_saved_and_repaired_by_a_good_copy() {
    let program = Program::new().await;
    let target = program.target();
    let proof = write(&program.path("large"), "large", 40 * MIB + 5).expect("written");
    program.write("small", &content("small", 3000));
    program.run(["put", &target, "large", "small", "/"]).await.ended(0);
    flip(&program.home("large"), 33 * MIB + 1).expect("flipped");
    flip(&program.home("small"), 99).expect("flipped");

    // The first time the client finds it, later the server knows.
    for by in ["client", "server"] {
        for (name, block) in [("large", 33), ("small", 0)] {
            let run = program.run(["get", &target, &format!("/{name}"), "down", "--json"]).await.ended(1);
            let error = &run.file()["error"];
            assert_eq!(error["code"], "damaged", "by the {by}: {run:?}");
            let message = error["message"].as_str().expect("a sentence");
            let found = if by == "client" { format!("(block {block} is not what was stored)") } else { String::new() };
            assert!(message.starts_with("the server's copy is damaged") && message.contains(&found), "{message}");
            assert!(message.contains("store a good copy in its place"), "{message}");
            assert!(!program.path("down").join(name).exists(), "it was saved");
        }
        eventually("the server has looked at it", async || {
            let is_damaged = async |name| program.host.is_damaged("ada", name).await.expect("read");
            is_damaged("large").await && is_damaged("small").await
        })
        .await;
    }

    let run = program.run(["put", &target, "large", "small", "/", "--json", "--if-exists", "overwrite"]).await.ended(0);
    let mut sent: Vec<_> = run.files().iter().map(|file| file["sent"].as_u64().expect("a figure")).collect();
    sent.sort_unstable();
    assert_eq!(sent, [3000, MIB], "the damaged blocks alone");
    program.run(["get", &target, "/large", "/small", "down"]).await.ended(0);
    assert_eq!(root(&program.path("down/large")).expect("read"), proof);
    assert_eq!(root(&program.home("large")).expect("read"), proof);
    let left = paths(&program.path("down")).expect("walked");
    assert_eq!(left.len(), 2, "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_replaces_a_damaged_file_starts_over_by_itself() {
    let program = Program::new().await;
    let target = program.target();
    write(&program.path("file"), "file", 8 * MIB).expect("written");
    program.run(["put", &target, "file", "/"]).await.ended(0);
    flip(&program.home("file"), 3 * MIB).expect("flipped");
    // One block differs, and the server believes to have the others.
    let mut bytes = content("file", 8 * MIB as usize);
    bytes[7] ^= 1;
    program.write("file", &bytes);
    let run = program.run(["put", &target, "file", "/", "--json", "--if-exists", "overwrite"]).await.ended(0);
    assert_eq!(run.file()["status"], "done");
    assert_eq!(root(&program.home("file")).expect("read"), tests::files::root_of(&bytes));
}
