//! Sizes and rates as people write and read them. `K M G T` and `KiB…` are powers of 1024, `KB MB
//! GB TB` of 1000.

/// Why a text is not a size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a size; write bytes or a number with K, M, G, T (1024), KiB… or KB… (1000), as in 10G or 512MiB")]
pub struct SizeError(String);

/// Bytes from `10G`, `512MiB`, `1.5 GB` or `4096`.
pub fn parse(text: &str) -> Result<u64, SizeError> {
    let bad = || SizeError(text.chars().take(40).flat_map(char::escape_default).collect());
    let trimmed = text.trim();
    let unit_at = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(unit_at);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err(bad()),
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor).filter(|bytes| *bytes <= i64::MAX as u64).ok_or_else(bad);
    }
    let bytes = number.parse::<f64>().map_err(|_| bad())? * factor as f64;
    // 2^53: beyond it a float no longer names a byte.
    if (0.0..9.0e15).contains(&bytes) { Ok(bytes as u64) } else { Err(bad()) }
}

/// A limit: a size, or `none` for no limit.
pub fn parse_limit(text: &str) -> Result<Option<u64>, SizeError> {
    if text.trim().eq_ignore_ascii_case("none") { Ok(None) } else { parse(text).map(Some) }
}

/// What [`parse_limit`] reads as this limit, and no other: for editing.
pub fn limit_text(limit: Option<u64>) -> String {
    let Some(bytes) = limit else { return "none".to_owned() };
    let units = [(1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")];
    match units.iter().find(|(factor, _)| bytes > 0 && bytes % factor == 0) {
        Some((factor, unit)) => format!("{}{unit}", bytes / factor),
        None => bytes.to_string(),
    }
}

/// `0 B`, `999 B`, `4.1 KiB`, `631 MiB`: three figures at the most.
pub fn show(bytes: u64) -> String {
    let (number, unit) = scale(bytes);
    if unit.is_empty() { format!("{number} B") } else { format!("{number} {unit}iB") }
}

/// The short form for columns: `0`, `999`, `4.1K`, `631M`.
pub fn show_short(bytes: u64) -> String {
    let (number, unit) = scale(bytes);
    format!("{number}{unit}")
}

fn scale(bytes: u64) -> (String, &'static str) {
    let mut value = bytes as f64;
    let mut unit = "";
    for next in ["K", "M", "G", "T", "P", "E"] {
        // 999.5 would be shown as 1000.
        if value < 999.5 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit.is_empty() || value >= 99.95 { (format!("{value:.0}"), unit) } else { (format!("{value:.1}"), unit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_and_show() {
        let table = [
            ("0", 0, "0 B"),
            ("999", 999, "999 B"),
            ("4198", 4198, "4.1 KiB"),
            ("1M", 1 << 20, "1.0 MiB"),
            ("512MiB", 512 << 20, "512 MiB"),
            ("1.5 GB", 1_500_000_000, "1.4 GiB"),
            ("10g", 10 << 30, "10.0 GiB"),
        ];
        for (text, bytes, shown) in table {
            assert_eq!(parse(text), Ok(bytes), "{text}");
            assert_eq!(show(bytes), shown);
        }
        for bad in ["", "G", "-1", "10 X", "1e3", "99999999999T", "1.2.3", "inf"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_limit("None"), Ok(None));
        assert_eq!(show_short(1023), "1.0K");
        for (limit, text) in [(None, "none"), (Some(0), "0"), (Some(1 << 20), "1M"), (Some(1536), "1536")] {
            assert_eq!((limit_text(limit).as_str(), parse_limit(text)), (text, Ok(limit)));
        }
    }
}
