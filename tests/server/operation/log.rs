//! The log as JSON: every line is whole and says where it belongs.

use serde_json::{Value, json};
use tests::files::content;
use tests::session::{Session, fault, raw};
use wire::BLOCK;
use wire::message::{Expect, Op};

use super::{daemon, objects};

/// The fields of the spans that a line is in, the innermost last.
fn span<'a>(line: &'a Value, name: &str) -> &'a Value {
    let spans = line["spans"].as_array().map(Vec::as_slice).unwrap_or_default();
    spans.iter().find(|span| span["name"] == name).unwrap_or(&Value::Null)
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_json_hold_connection_request_and_transfer() {
    let mut daemon = daemon("[log]\nformat = \"json\"\nlevel = \"debug\"\n");
    fault(Session::login(daemon.address, "ada", "guess").await).expect("refused");
    let mut session = daemon.login("ada").await.expect("logged in");
    let mut lane = session.lane().await.expect("a lane");
    session.order(Op::Mkdir { path: raw("a\nb"), parents: false }).await.expect("made");
    fault(session.stat("nothing").await).expect("refused");
    lane.put("small", b"small", Expect::Absent).await.expect("stored");
    lane.put("large", &content("large", 2 * BLOCK), Expect::Absent).await.expect("stored");
    lane.get("large", &[]).await.expect("got");
    drop((session, lane));
    assert!(daemon.terminate().expect("ended").success());

    let lines = objects(&daemon.log().expect("read"));
    let about = |message: &str| lines.iter().filter(|line| line["fields"]["message"] == message).collect::<Vec<_>>();
    let answered: Vec<Value> = about("answered")
        .iter()
        .map(|line| json!([span(line, "request")["request"], span(line, "request")["verb"], line["fields"]["outcome"]]))
        .collect();
    assert_eq!(answered, [json!([1, "mkdir", "done"]), json!([2, "stat", "not_found"])]);
    let (sealed, sent) = (about("sealed"), about("sent"));
    assert_eq!((sealed.len(), sent.len()), (2, 1));
    for line in about("answered").into_iter().chain(sealed.iter().copied()).chain(sent.iter().copied()) {
        let connection = span(line, "connection");
        assert!(connection["connection"].is_u64() && connection["user"] == "ada", "{line}");
        assert!(connection["source"].as_str().is_some_and(|from| from.starts_with("127.0.0.1:")), "{line}");
    }
    assert!(sealed.iter().chain(&sent).all(|line| span(line, "transfer")["transfer"].is_u64()), "{sealed:?}");
    let control = span(about("answered")[0], "connection")["connection"].clone();
    assert_ne!(span(sent[0], "connection")["connection"], control, "a lane is a connection of its own");

    // Lines of the audit have the same names among their own fields.
    let audit: Vec<&Value> =
        lines.iter().filter(|line| line["target"] == "audit").map(|line| &line["fields"]).collect();
    let made = audit.iter().find(|line| line["verb"] == "mkdir").expect("a line");
    assert_eq!([&made["path"], &made["user"], &made["connection"]], [&json!(r"a\nb"), &json!("ada"), &control]);
    assert_eq!(made["request"], 1);
    assert_eq!(audit.iter().filter(|line| line["verb"] == "upload").count(), 2);
    let refused: Vec<&&Value> = audit.iter().filter(|line| line["outcome"] == "login").collect();
    assert_eq!((refused.len(), &refused[0]["verb"]), (1, &json!("login")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_comes_at_any_level() {
    let daemon = daemon("[log]\nlevel = \"error\"\n");
    let mut session = daemon.login("ada").await.expect("logged in");
    session.order(Op::Mkdir { path: raw("dir"), parents: false }).await.expect("made");
    let log = daemon.log().expect("read");
    assert!(log.contains("verb=\"mkdir\"") && !log.contains("ready"), "{log}");
}
