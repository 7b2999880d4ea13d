//! Looks for secrets in logs, in any form that somebody might print them in.

use std::fmt::Write as _;

fn base64(bytes: &[u8], last: [char; 2]) -> String {
    let letters: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(last).collect();
    let group = |three: &[u8]| {
        let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - three.len()));
        [18, 12, 6, 0]
            .into_iter()
            .filter_map(|shift| letters.get(bits >> shift & 63))
            .take(three.len() + 1)
            .collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

/// Bytes as anybody might print them.
pub fn forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let list = |separator: &str| bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(separator);
    let texts = [
        hex.to_uppercase(),
        hex,
        base64(bytes, ['+', '/']),
        base64(bytes, ['-', '_']),
        list(", "),
        list(","),
        wire::path::escape(bytes),
        format!("{:?}", String::from_utf8_lossy(bytes)).trim_matches('"').to_owned(),
    ];
    texts.into_iter().map(String::into_bytes).chain([bytes.to_vec()]).collect()
}

/// Whether a log holds a secret, whole or its beginning, in any form.
pub fn holds(log: &[u8], secret: &[u8]) -> bool {
    let parts = [secret, secret.get(..12).unwrap_or(secret)];
    let has = |form: &Vec<u8>| log.windows(form.len()).any(|window| window == form);
    parts.into_iter().flat_map(forms).any(|form| has(&form))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::content;
    use crate::host::PASSWORD;

    #[test]
    fn what_is_there_is_found_in_every_form() {
        let secret = content("secret", 32);
        for form in forms(&secret) {
            let log = [b"2026-11-24 TRACE it is ".as_slice(), &form, b" and more\n"].concat();
            assert!(holds(&log, &secret), "{}", String::from_utf8_lossy(&form));
        }
        assert!(holds(format!("user=ada password={PASSWORD:?}").as_bytes(), PASSWORD.as_bytes()));
        assert!(!holds(b"2026-11-24 TRACE nothing", &secret));
        assert_eq!(base64(b"any carnal pleas", ['+', '/']), "YW55IGNhcm5hbCBwbGVhcw");
    }
}
