//! Trees for tests, written as words.

use wire::message::Kind;

use super::mode::Mode;
use super::plan::{Content, Plan, Walked};
use crate::app::sample::entry;

/// `name size@time` for a file, `name/` for a directory, `name>` for a link, `!name` for a directory that could not be
/// read.
pub(crate) fn walked(tree: &str) -> Walked {
    let mut side = Walked { whole: true, ..Walked::default() };
    for word in tree.split(", ").filter(|word| !word.is_empty()) {
        let (name, figures) = word.split_once(' ').unwrap_or((word, "0@0"));
        let (size, time) = figures.split_once('@').unwrap();
        let (name, kind) = match (name.strip_suffix('/'), name.strip_suffix('>'), name.strip_prefix('!')) {
            (Some(name), ..) => (name, Kind::Directory),
            (_, Some(name), _) => (name, Kind::Link),
            (.., Some(name)) => {
                side.unread.insert(name.into());
                (name, Kind::Directory)
            }
            _ => (name, Kind::File),
        };
        side.entries.push(&entry(name.as_bytes(), kind, size.parse().unwrap(), time.parse().unwrap()));
    }
    side.sort();
    side
}

/// The plan of two trees whose contents are not compared.
pub(crate) fn plan(left: &str, right: &str, mode: Mode) -> Plan {
    Plan::of(&walked(left), &walked(right), mode, |_| Content::Waiting)
}
