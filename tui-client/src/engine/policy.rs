//! What to do with a file whose target exists, and what to call it when both are kept. Pure.

use wire::Code;
use wire::message::Expect;
use wire::path::MAX_NAME;

use super::status::{IfExists, Side};

/// What becomes of a file whose target exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Write it, if this still stands there.
    Write(Expect),
    /// Leave what is there. `true`: because it is the same already.
    Skip {
        /// It has the same size and time.
        same: bool,
    },
    /// The content is there already; nothing to do.
    Identical,
    /// Write beside it, under another name.
    Rename,
    /// A person decides.
    Ask,
}

/// Decides. `identical` compares the contents where both roots can be had; it reads a file, and is
/// asked only where the answer matters.
pub(crate) fn decide<E>(
    policy: IfExists,
    source: &Side,
    target: &Side,
    identical: impl FnOnce() -> Result<bool, E>,
) -> Result<Decision, E> {
    let same_stamp = source.size == target.size && source.mtime == target.mtime;
    match policy {
        IfExists::Skip => return Ok(Decision::Skip { same: false }),
        IfExists::Update if same_stamp => return Ok(Decision::Skip { same: true }),
        IfExists::Newer if source.mtime <= target.mtime => return Ok(Decision::Skip { same: false }),
        _ => {}
    }
    if source.size == target.size && identical()? {
        return Ok(Decision::Identical);
    }
    Ok(match policy {
        IfExists::Ask => Decision::Ask,
        IfExists::Rename => Decision::Rename,
        IfExists::Overwrite => Decision::Write(Expect::Any),
        // What was looked at is what is replaced.
        _ => Decision::Write(Expect::Same { size: target.size, mtime: target.mtime }),
    })
}

/// Whether trying again helps only after a person has done something: made room, given leave, chosen a name.
pub(crate) fn needs_person(code: Code) -> bool {
    match code {
        Code::Quota | Code::FileQuota | Code::NoSpace | Code::Denied | Code::Io => true,
        Code::Exists | Code::NotDirectory | Code::IsDirectory | Code::NotEmpty | Code::BadPath => true,
        Code::Protocol | Code::Version | Code::Unsupported | Code::Internal | Code::NoTrash | Code::BadPattern => false,
        Code::Login | Code::Throttled | Code::Ticket | Code::Busy | Code::Draining | Code::Timeout => false,
        Code::NotFound | Code::Changed | Code::Damaged | Code::Superseded | Code::Cancelled => false,
    }
}

/// `name (2).ext` for the second try; the stem is cut where the name would be too long.
pub(crate) fn numbered(name: &[u8], number: u32) -> Vec<u8> {
    let dot = name.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0).unwrap_or(name.len());
    let (stem, extension) = name.split_at(dot);
    let suffix = format!(" ({number})");
    let room = MAX_NAME.saturating_sub(suffix.len() + extension.len());
    let mut end = stem.len().min(room);
    // Not in the middle of a UTF-8 character.
    while end < stem.len() && end > 0 && stem.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    [stem.get(..end).unwrap_or(stem), suffix.as_bytes(), extension].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use wire::message::Time;

    fn side(size: u64, secs: i64) -> Side {
        Side { size, mtime: Time { secs, nanos: 0 }, root: None }
    }

    #[test]
    fn every_policy_against_every_target() {
        use Decision::{Ask, Identical, Rename, Write};
        let same = |size, secs| Write(Expect::Same { size, mtime: Time { secs, nanos: 0 } });
        let (skip, stamp) = (Decision::Skip { same: false }, Decision::Skip { same: true });
        // Source: 10 bytes of time 50. Target; whether the content is equal; Ask, Overwrite, Newer, Skip, Rename, Update.
        let table = [
            (side(10, 50), true, [Identical, Identical, skip, skip, Identical, stamp]),
            (side(10, 50), false, [Ask, Write(Expect::Any), skip, skip, Rename, stamp]),
            (side(10, 40), true, [Identical, Identical, Identical, skip, Identical, Identical]),
            (side(10, 40), false, [Ask, Write(Expect::Any), same(10, 40), skip, Rename, same(10, 40)]),
            (side(11, 40), true, [Ask, Write(Expect::Any), same(11, 40), skip, Rename, same(11, 40)]),
            (side(11, 60), false, [Ask, Write(Expect::Any), skip, skip, Rename, same(11, 60)]),
        ];
        let policies =
            [IfExists::Ask, IfExists::Overwrite, IfExists::Newer, IfExists::Skip, IfExists::Rename, IfExists::Update];
        for (target, equal, expected) in table {
            for (policy, expected) in policies.into_iter().zip(expected) {
                let decision = decide(policy, &side(10, 50), &target, || Ok::<_, Infallible>(equal));
                assert_eq!(decision, Ok(expected), "{policy:?} {target:?} {equal}");
            }
        }
    }

    #[test]
    fn names_that_are_kept_apart() {
        let long = "ü".repeat(127);
        let cut = format!("{} (12)", "ü".repeat(125));
        let table: &[(&str, u32, &str)] = &[
            ("a.txt", 1, "a (1).txt"),
            ("a.tar.gz", 2, "a.tar (2).gz"),
            ("none", 1, "none (1)"),
            (".profile", 1, ".profile (1)"),
            (&long, 12, &cut),
        ];
        for (name, number, expected) in table {
            let got = numbered(name.as_bytes(), *number);
            assert_eq!(String::from_utf8_lossy(&got), *expected);
            assert!(got.len() <= MAX_NAME);
        }
    }
}
