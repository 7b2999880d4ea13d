//! Quick search: the next name that begins like a text.

use wire::path::escape;

use super::Pane;

impl Pane {
    /// Puts the cursor on the next name from its row on that begins with `text`, letters without case.
    pub fn find(&mut self, text: &str) -> bool {
        let wanted = text.to_lowercase();
        let start = self.cursor.saturating_sub(self.offset()).min(self.rows.len());
        let (before, after) = self.rows.ids().split_at(start);
        let entries = self.rows.entries();
        let near = after.iter().take(NEAR).position(|id| begins(entries.name(*id), &wanted));
        let Some(index) = near.map(|index| index + start).or_else(|| {
            // As they lie in memory, which is many times faster than row by row.
            let mut hits = vec![false; entries.bound()];
            let found = entries.ids().filter(|id| begins(entries.name(*id), &wanted));
            found.for_each(|id| hits.get_mut(id as usize).into_iter().for_each(|hit| *hit = true));
            let is_hit = |id: &u32| hits.get(*id as usize).is_some_and(|hit| *hit);
            let behind = after.iter().position(is_hit).map(|index| index + start);
            behind.or_else(|| before.iter().position(is_hit))
        }) else {
            return false;
        };
        self.move_to(index + self.offset());
        true
    }
}

/// Whether a name as it is shown begins with a text in lower case. At the first byte that differs most names
/// are as they are shown.
fn begins(name: &[u8], wanted: &str) -> bool {
    let pairs = name.iter().zip(wanted.as_bytes());
    match pairs.into_iter().find(|(byte, wanted)| byte.to_ascii_lowercase() != **wanted) {
        Some((b' '..=b'~', _)) => false,
        None if wanted.bytes().all(|byte| matches!(byte, b' '..=b'~')) => name.len() >= wanted.len(),
        _ => escape(name).to_lowercase().starts_with(wanted),
    }
}

/// Rows from the cursor on that are searched before all are.
const NEAR: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::sample::{file, local_pane};

    #[test]
    fn names_begin_as_they_are_shown() {
        let table: [(&[u8], &str, bool); 11] = [
            (b"Notes.md", "notes.", true),
            (b"note", "notes", false),
            (b"x", "", true),
            (b"a\nb", "a\\nb", true),
            (b"a\nb", "a\nb", false),
            (b"\xffz", "\\xff", true),
            ("Été".as_bytes(), "été", true),
            ("été".as_bytes(), "ét", true),
            ("été".as_bytes(), "e", false),
            ("日".as_bytes(), "日本", false),
            (b"plain", "日", false),
        ];
        for (name, wanted, is) in table {
            assert_eq!(begins(name, wanted), is, "{name:?} {wanted}");
            assert_eq!(escape(name).to_lowercase().starts_with(wanted), is);
        }
    }

    #[test]
    fn a_search_finds_what_is_far_and_goes_round() {
        let entries = (0..5000).rev().map(|n| file(&format!("f{n}"), 0, 0)).collect();
        let mut pane = local_pane("/d", entries);
        for (text, name) in [("f4321", "f4321"), ("f12", "f12"), ("F4999", "f4999"), ("f", "f4999"), ("f0", "f0")] {
            assert!(pane.find(text), "{text}");
            assert_eq!(pane.current_name(), name.as_bytes(), "{text}");
        }
        assert!(!pane.find("g") && pane.current_name() == b"f0");
    }
}
