//! Relative paths of walks: their order in a tree, and who lies below whom.

use std::cmp::Ordering;

/// The order of a tree: a directory comes before all that it holds, and that before whatever follows it.
pub fn order(one: &[u8], other: &[u8]) -> Ordering {
    let split = one.iter().zip(other).find(|(one, other)| one != other);
    // No name holds a NUL, so that the end of a name sorts before every other name that begins with it.
    let rank = |byte: u8| if byte == b'/' { 0 } else { byte };
    match split {
        Some((one, other)) => rank(*one).cmp(&rank(*other)),
        None => one.len().cmp(&other.len()),
    }
}

/// Whether a path lies below a directory.
pub fn is_below(path: &[u8], directory: &[u8]) -> bool {
    directory.is_empty() || path.strip_prefix(directory).is_some_and(|rest| rest.starts_with(b"/"))
}

/// How many names it has.
pub fn depth(path: &[u8]) -> usize {
    path.split(|byte| *byte == b'/').count()
}

/// Whether every part of it is a name: anything else would lead out of the tree.
pub fn is_inside(path: &[u8]) -> bool {
    let is_name = |name: &[u8]| !matches!(name, b"" | b"." | b"..") && !name.contains(&0);
    path.split(|byte| *byte == b'/').all(is_name)
}

/// Its first name.
pub fn first(path: &[u8]) -> &[u8] {
    path.split(|byte| *byte == b'/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_stand_before_what_they_hold() {
        let mut paths = ["b", "a.txt", "a/b/c", "a", "a-1", "a/b", "a/b.x", "a\x01", "A"];
        paths.sort_by(|one, other| order(one.as_bytes(), other.as_bytes()));
        assert_eq!(paths, ["A", "a", "a/b", "a/b/c", "a/b.x", "a\x01", "a-1", "a.txt", "b"]);
    }

    #[test]
    fn paths_and_their_relations() {
        assert!(is_below(b"a/b", b"a") && is_below(b"a/b/c", b"a") && is_below(b"a", b""));
        assert!(!is_below(b"a", b"a") && !is_below(b"ab/c", b"a") && !is_below(b"a", b"a/b"));
        assert_eq!((depth(b"a"), depth(b"a/b/c"), first(b"a/b")), (1, 3, b"a".as_slice()));
        for bad in [b"".as_slice(), b"/a", b"a/", b"a//b", b"../a", b"a/./b", b"a/..", b"a\0b"] {
            assert!(!is_inside(bad), "{bad:?}");
        }
        assert!(is_inside(b"a/..b/\xff"));
    }
}
