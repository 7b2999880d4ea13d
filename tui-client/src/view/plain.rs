//! The finished picture in plain characters, for terminals and fonts that have no others.

use ratatui::buffer::Buffer;

use crate::app::chrome::Lines;
use crate::app::text::columns;

/// Puts plain characters in place of lines, gauges and signs; where nothing but ASCII is shown, of all others too.
pub(super) fn reduce(lines: Lines, buffer: &mut Buffer) {
    if lines == Lines::Drawn {
        return;
    }
    // The cells behind a wide character are blank.
    let mut behind = 0;
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        if behind > 0 {
            behind -= 1;
            cell.set_symbol("?");
        } else if let Some(plain) = plain(symbol) {
            cell.set_symbol(plain);
        } else if lines == Lines::OnlyAscii && !symbol.is_ascii() {
            behind = columns(symbol).saturating_sub(1);
            cell.set_symbol("?");
        }
    }
}

fn plain(symbol: &str) -> Option<&'static str> {
    let mut chars = symbol.chars();
    let c = chars.next().filter(|_| chars.next().is_none())?;
    Some(match c {
        '─' => "-",
        '═' => "=",
        '│' => "|",
        '║' => "#",
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' | '╔' | '╗' | '╚' | '╝' | '╟' | '╢' | '╠' | '╣' => {
            "+"
        }
        '█' | '▓' => "#",
        '▒' => "+",
        '░' => ".",
        '√' => "*",
        '✓' => "v",
        '↑' | '▲' => "^",
        '↓' | '▼' => "v",
        '→' | '►' => ">",
        '←' | '◄' => "<",
        '≥' => ">",
        '≤' => "<",
        'Σ' => "=",
        '…' => ".",
        '•' => "*",
        '▁' | '▂' => "_",
        '▃' | '▄' => "-",
        '▅' | '▆' => "=",
        '▇' => "#",
        _ => return None,
    })
}
