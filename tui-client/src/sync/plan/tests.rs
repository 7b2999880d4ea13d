//! Two trees and a mode in, rows and actions out.

use wire::path::escape;

use super::super::mode::By;
use super::*;
use crate::sync::sample::walked;

fn sign(action: Action) -> &'static str {
    match action {
        Action::Skip => "·",
        Action::CopyRight => ">",
        Action::CopyLeft => "<",
        Action::DeleteLeft => "x|",
        Action::DeleteRight => "|x",
    }
}

/// Rows as `path:finding:action`, words joined by `-`.
fn rows(left: &str, right: &str, mode: Mode, content: Content) -> String {
    let plan = Plan::of(&walked(left), &walked(right), mode, |_| content);
    let row = |row: &Row| {
        let (path, word) = (escape(plan.path(row)), row.finding.word().replace(' ', "-"));
        format!("{path}:{word}:{}", sign(row.proposal(mode)))
    };
    plan.rows.iter().map(row).collect::<Vec<_>>().join(" ")
}

fn check(mode: Mode, left: &str, right: &str, expected: &str) {
    assert_eq!(rows(left, right, mode, Content::Waiting), expected, "{mode:?} {left} | {right}");
}

fn mode(toward: Toward) -> Mode {
    Mode { toward, ..Mode::default() }
}

#[test]
fn every_finding_has_its_action_each_way() {
    let (left, right) = ("a 1@10, b 2@20, c 3@10, d 1@10, e 5@50", "b 2@20, c 3@40, d 2@10, e 5@10, f 1@1");
    let right_way = "a:only-left:> b:same:· c:right-newer:> d:both-differ:> e:left-newer:> f:only-right:·";
    check(mode(Toward::Right), left, right, right_way);
    check(
        mode(Toward::Left),
        left,
        right,
        &right_way.replace(":>", ":<").replace("left:<", "left:·").replace("right:·", "right:<"),
    );
    let both = "a:only-left:> b:same:· c:right-newer:< d:both-differ:· e:left-newer:> f:only-right:<";
    check(mode(Toward::Both), left, right, both);
    let deleting = |toward| Mode { deletions: true, ..mode(toward) };
    check(deleting(Toward::Right), "a 1@1", "b 1@1", "a:only-left:> b:only-right:|x");
    check(deleting(Toward::Left), "a 1@1", "b 1@1", "a:only-left:x| b:only-right:<");
    check(deleting(Toward::Both), "a 1@1", "b 1@1", "a:only-left:> b:only-right:<");
}

#[test]
fn trees_and_what_stands_in_the_way() {
    let way = Mode { deletions: true, ..mode(Toward::Right) };
    check(way, "d/, d/e/, d/e/f 1@1", "d/, d/e/, d/e/f 1@1", "d/e/f:same:·");
    check(way, "d/, d/f 1@1", "", "d:only-left:> d/f:only-left:>");
    check(way, "", "d/, d/f 1@1, l>", "d:only-right:|x d/f:only-right:|x l:only-right:|x");
    check(way, "l>", "", "l:only-left:·");
    check(way, "l>, m>", "l>, m 1@1", "l:same:· m:file-and-directory:·");
    // A directory here, a file there: neither it nor what it holds can be copied or is deleted unasked.
    check(way, "x/, x/f 1@1, x.y 1@1", "x 5@5", "x:file-and-directory:· x/f:in-the-way:· x.y:only-left:>");
    check(way, "x 5@5", "x/, x/f 1@1", "x:file-and-directory:· x/f:in-the-way:·");
    // What could not be read is not missing.
    check(way, "!d", "!d/e, d/, d/f 1@1", "d/e:in-the-way:· d/f:in-the-way:·");
    check(way, "!d, e 1@1", "d/, d/f 1@1, d.x 1@1", "d/f:in-the-way:· d.x:only-right:|x e:only-left:>");
}

#[test]
fn what_counts() {
    let by = |by| Mode { by, ..mode(Toward::Right) };
    let (left, right) = ("a 1@10, b 2@20", "a 9@40, b 2@90");
    check(by(By::Name), left, right, "a:same:· b:same:·");
    check(by(By::Size), left, right, "a:right-newer:> b:same:·");
    check(by(By::Time), left, right, "a:right-newer:> b:right-newer:>");
    check(by(By::Content), left, right, "a:right-newer:> b:comparing:·");
    let content = |content| rows("b 2@20", "b 2@20", by(By::Content), content);
    assert_eq!(content(Content::Same), "b:same:·");
    assert_eq!(content(Content::Differs), "b:both-differ:>");
    assert_eq!(content(Content::Unknown), "b:cannot-compare:·");
}

#[test]
fn nothing_is_missing_before_the_other_side_was_walked() {
    let (left, mut right) = (walked("a 1@1, b 1@1"), walked("b 2@2, c 1@1"));
    right.whole = false;
    let paths = |left: &Walked, right: &Walked| {
        let plan = Plan::of(left, right, Mode::default(), |_| Content::Waiting);
        plan.rows.iter().map(|row| escape(plan.path(row))).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(paths(&left, &right), "b c");
    right.whole = true;
    assert_eq!(paths(&left, &right), "a b c");
}

#[test]
fn what_a_row_refuses() {
    let plan = Plan::of(&walked("a 1@1, d/, l>"), &walked("a 2@2"), Mode::default(), |_| Content::Waiting);
    let allowed = |row: &Row| {
        let all = [Action::Skip, Action::CopyRight, Action::CopyLeft, Action::DeleteLeft, Action::DeleteRight];
        all.into_iter().filter(|action| row.refuses(*action).is_none()).map(sign).collect::<Vec<_>>().join(" ")
    };
    let told: Vec<_> = plan.rows.iter().map(allowed).collect();
    assert_eq!(told, ["· > < x| |x", "· > x|", "· x|"]);
}

#[test]
fn times_that_a_file_system_cut() {
    let time = |secs, nanos| Time { secs, nanos };
    let exact = time(1_000_001, 123_456_789);
    let table = [
        (exact, true),
        (time(1_000_001, 123_456_700), true),
        (time(1_000_001, 123_456_000), true),
        (time(1_000_001, 123_000_000), true),
        (time(1_000_001, 120_000_000), true),
        (time(1_000_001, 0), true),
        (time(1_000_002, 0), true),
        (time(1_000_000, 0), true),
        (time(1_000_003, 0), false),
        (time(999_999, 0), false),
        (time(1_000_001, 123_456_788), false),
        (time(1_000_001, 500_000_001), false),
    ];
    for (other, same) in table {
        assert_eq!((same_time(exact, other), same_time(other, exact)), (same, same), "{other:?}");
    }
    // Seconds that are whole may be those of a FAT disk, which keeps even ones.
    assert!(same_time(time(10, 0), time(11, 0)) && !same_time(time(11, 0), time(13, 0)));
}
