//! Penalties over time, without waiting: the clock is an argument.

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use table::BYTES;

fn rules() -> PenaltyRules {
    PenaltyRules {
        user_failures: 3,
        source_failures: 6,
        first_seconds: 10,
        longest_seconds: 60,
        forgive_seconds: 100,
        remembered: 1000,
    }
}

fn source(number: u32) -> Source {
    Source::from(IpAddr::from(Ipv4Addr::from_bits(number)))
}

fn name(name: &str) -> UserName {
    name.parse().expect("a name")
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// How long a failure has its user or source wait.
fn failed(penalties: &Penalties, source: Source, user: &UserName, now: Instant) -> Option<Duration> {
    penalties.failed(source, Some(user), By::Password, now).expect("looked at")
}

fn refused(checked: Result<(), Refusal>) -> Option<(Reason, u64)> {
    let refusal = checked.err()?;
    assert_eq!(refusal.fault.code, Code::Throttled);
    Some((refusal.reason, refusal.fault.retry_after().expect("told when").as_secs()))
}

#[test]
fn some_are_free_then_each_costs_twice_the_one_before() {
    let (penalties, start, ada) = (Penalties::new(rules()), Instant::now(), name("ada"));
    for _ in 0..3 {
        assert_eq!(failed(&penalties, source(1), &ada, start), None);
        assert_eq!(penalties.check(source(1), Some(&ada), start), Ok(()));
    }
    // One each time as soon as it is looked at: none of them waits longer than the longest.
    let mut now = start;
    for expected in [10, 20, 40, 60, 60, 60] {
        assert_eq!(failed(&penalties, source(1), &ada, now), Some(seconds(expected)));
        assert_eq!(refused(penalties.check(source(1), Some(&ada), now)), Some((Reason::UserPenalty, expected)));
        now += seconds(expected);
        assert_eq!(refused(penalties.check(source(1), Some(&ada), now - seconds(1))), Some((Reason::UserPenalty, 1)));
        let held = penalties.check(source(1), Some(&ada), now);
        assert!(!matches!(held, Err(Refusal { reason: Reason::UserPenalty, .. })), "{held:?}");
        penalties.succeeded(source(1), &ada, now);
    }
    assert_eq!(penalties.check(source(2), Some(&ada), now), Ok(()), "from elsewhere she is a stranger to all this");
}

#[test]
fn who_failed_while_refused_failed_in_vain() {
    let (penalties, now, ada) = (Penalties::new(rules()), Instant::now(), name("ada"));
    for _ in 0..4 {
        failed(&penalties, source(1), &ada, now);
    }
    let late = penalties.failed(source(1), Some(&ada), By::Password, now).map(drop);
    assert_eq!(refused(late), Some((Reason::UserPenalty, 10)));
    assert_eq!(penalties.all(now).first().map(|first| first.failures), Some(4), "it does not count, either");
}

#[test]
fn failures_are_forgotten_one_by_one() {
    let (penalties, start, ada) = (Penalties::new(rules()), Instant::now(), name("ada"));
    for _ in 0..3 {
        failed(&penalties, source(1), &ada, start);
    }
    let failures = |at: u64| penalties.all(start + seconds(at)).first().map(|first| first.failures);
    assert_eq!([0, 99, 100, 200, 299].map(failures), [Some(3), Some(3), Some(2), Some(1), Some(1)]);
    assert_eq!(failures(300), None);
    assert_eq!(failed(&penalties, source(1), &ada, start + seconds(101)), None, "the third again");
    assert_eq!(failed(&penalties, source(1), &ada, start + seconds(101)), Some(seconds(10)));
}

#[test]
fn what_others_do_at_a_source_is_not_held_against_who_logged_in_from_there() {
    let (penalties, now) = (Penalties::new(rules()), Instant::now());
    let (ada, bob) = (name("ada"), name("bob"));
    penalties.succeeded(source(1), &ada, now);
    for user in 0..7 {
        failed(&penalties, source(1), &name(&format!("guess{user}")), now);
    }
    assert_eq!(refused(penalties.check(source(1), Some(&bob), now)), Some((Reason::SourcePenalty, 10)));
    assert_eq!(refused(penalties.check(source(1), None, now)), Some((Reason::SourcePenalty, 10)));
    assert_eq!(penalties.check(source(1), Some(&ada), now), Ok(()));
    assert_eq!(penalties.check(source(2), Some(&bob), now), Ok(()));
    // That she logs in again forgives nobody.
    penalties.succeeded(source(1), &ada, now);
    assert_eq!(penalties.refused(source(1), now), Some(seconds(10)));
    // What is done in her name is held against her.
    for _ in 0..4 {
        failed(&penalties, source(1), &ada, now);
    }
    assert_eq!(refused(penalties.check(source(1), Some(&ada), now)), Some((Reason::UserPenalty, 10)));
}

#[test]
fn refused_keys_count_like_passwords_until_their_user_gets_in() {
    let (penalties, now, ada) = (Penalties::new(rules()), Instant::now(), name("ada"));
    let failures = || penalties.all(now).iter().map(|held| held.failures).collect::<Vec<_>>();
    for expected in [None, None, None, Some(seconds(10))] {
        assert_eq!(penalties.failed(source(1), Some(&ada), By::Key, now), Ok(expected));
    }
    assert_eq!(failures(), [4, 4]);
    let late = penalties.failed(source(1), Some(&ada), By::Key, now).map(drop);
    assert_eq!(refused(late), Some((Reason::UserPenalty, 10)));

    let penalties = Penalties::new(rules());
    for by in [By::Key, By::Password, By::Key] {
        penalties.failed(source(1), Some(&ada), by, now).expect("looked at");
    }
    penalties.failed(source(1), Some(&name("bob")), By::Key, now).expect("looked at");
    penalties.succeeded(source(1), &ada, now);
    // Her guessed password stays, and his key.
    let failures: Vec<_> = penalties.all(now).into_iter().map(|held| (held.user, held.failures)).collect();
    assert_eq!(failures, [(None, 2), (Some("ada".into()), 1), (Some("bob".into()), 1)]);
    penalties.succeeded(source(1), &ada, now);
    assert_eq!(penalties.all(now).first().map(|held| held.failures), Some(2), "once");
}

#[test]
fn broken_rules_count_for_the_source() {
    let (penalties, now) = (Penalties::new(rules()), Instant::now());
    (0..6).for_each(|_| penalties.broke_rules(source(1), now));
    assert_eq!(penalties.refused(source(1), now), None);
    penalties.broke_rules(source(1), now);
    assert_eq!(penalties.refused(source(1), now), Some(seconds(10)));
    assert_eq!(penalties.refused(source(1), now + seconds(10)), None);
}

#[test]
fn many_addresses_push_out_only_what_weighs_least() {
    let (penalties, start) = (Penalties::new(rules()), Instant::now());
    (0..8).for_each(|_| penalties.broke_rules(source(0), start));
    for number in 1..50_000 {
        failed(&penalties, source(number), &name("ada"), start + Duration::from_millis(number.into()));
    }
    let now = start + seconds(15);
    assert_eq!(penalties.book().held.len(), 1000);
    assert_eq!(penalties.refused(source(0), now), Some(seconds(5)), "who is penalised stays");
    // Those who log in have a table of their own, as large.
    (0..5000).for_each(|number| penalties.succeeded(source(number), &name("ada"), now));
    assert_eq!(penalties.book().proven.len(), 1000);
    assert_eq!(penalties.refused(source(0), now), Some(seconds(5)));
    // Time empties it with the next entry.
    penalties.broke_rules(source(7), now + seconds(100_000));
    assert_eq!(penalties.book().held.len(), 1);
}

#[test]
fn an_entry_takes_the_documented_room() {
    // Twice the key, for the two orders; a hash map is half empty at worst, a B-tree too; a name is on the heap.
    let key = size_of::<(Source, Option<UserName>)>();
    let hashed = (key + size_of::<Entry>() + 1) * 16 / 7;
    let ordered = (key + size_of::<Instant>()) * 2;
    let bytes = hashed + ordered + 2 * 32;
    assert!(bytes <= BYTES, "{bytes}");
}

#[test]
fn the_operator_sees_and_lifts() {
    let (penalties, now) = (Penalties::new(rules()), Instant::now());
    for _ in 0..4 {
        failed(&penalties, source(0x7f00_0002), &name("ada"), now);
    }
    penalties.broke_rules(source(0x7f00_0003), now);
    let of = |source: &str, user: Option<&str>, failures, refused_seconds, forgotten_seconds| Penalty {
        source: source.into(),
        user: user.map(str::to_owned),
        failures,
        refused_seconds,
        forgotten_seconds,
    };
    let held =
        [of("127.0.0.2", Some("ada"), 4, 10, 400), of("127.0.0.2", None, 4, 0, 400), of("127.0.0.3", None, 1, 0, 100)];
    assert_eq!(penalties.all(now), held);
    assert_eq!(penalties.lift(Some(source(1)), now), []);
    assert_eq!(penalties.lift(Some(source(0x7f00_0002)), now), held[..2]);
    assert_eq!(penalties.check(source(0x7f00_0002), Some(&name("ada")), now), Ok(()));
    assert_eq!(penalties.lift(None, now), held[2..]);
    assert_eq!(penalties.all(now), []);
}
