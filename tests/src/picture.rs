//! A screen as SVG: every cell where it stands, in its colours, with nothing but text and rectangles.

use std::fmt::Write;

use vt100::{Cell, Color, Screen};

/// Draws the screen.
pub fn svg(screen: &Screen) -> String {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let (width, height) = (f64::from(columns) * CELL.0 + 2.0 * MARGIN, f64::from(rows) * CELL.1 + 2.0 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"{FONT}\" font-size=\"14\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{GROUND}\"/>\n"
    );
    for row in 0..rows {
        let y = MARGIN + f64::from(row) * CELL.1;
        for run in runs(screen, row, columns) {
            run.draw(&mut out, y);
        }
    }
    out.push_str("</svg>\n");
    out
}

/// Neighbouring cells that look the same.
struct Run {
    column: u16,
    columns: u16,
    wide: bool,
    look: Look,
    text: String,
}

#[derive(Clone, PartialEq)]
struct Look {
    ink: String,
    paper: String,
    bold: bool,
    dim: bool,
    underline: bool,
}

impl Look {
    fn of(cell: &Cell) -> Self {
        let (ink, paper) = (colour(cell.fgcolor(), INK), colour(cell.bgcolor(), GROUND));
        let (ink, paper) = if cell.inverse() { (paper, ink) } else { (ink, paper) };
        Self { ink, paper, bold: cell.bold(), dim: cell.dim(), underline: cell.underline() }
    }
}

impl Run {
    fn draw(&self, out: &mut String, y: f64) {
        let (x, width) = (MARGIN + f64::from(self.column) * CELL.0, f64::from(self.columns) * CELL.0);
        let Look { ink, paper, bold, dim, underline } = &self.look;
        if paper != GROUND {
            // A little wider and higher, so that no seams show between neighbours.
            let (width, height) = (width + 0.5, CELL.1 + 0.5);
            let _ = writeln!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{paper}\"/>");
        }
        if self.text.trim().is_empty() {
            return;
        }
        let mut style = String::new();
        for (is_so, attribute) in [
            (*bold, " font-weight=\"bold\""),
            (*dim, " opacity=\"0.7\""),
            (*underline, " text-decoration=\"underline\""),
        ] {
            style.push_str(if is_so { attribute } else { "" });
        }
        let (text, baseline) = (escape(&self.text), y + CELL.1 * 0.76);
        let _ = writeln!(
            out,
            "<text x=\"{x}\" y=\"{baseline}\" textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\" \
             xml:space=\"preserve\" fill=\"{ink}\"{style}>{text}</text>"
        );
    }
}

fn runs(screen: &Screen, row: u16, columns: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for column in 0..columns {
        let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) else { continue };
        let text = if cell.has_contents() { cell.contents() } else { " " };
        let (look, wide) = (Look::of(cell), if cell.is_wide() { 2 } else { 1 });
        match runs.last_mut() {
            // Apart, for a font may have wide characters that are not just twice as wide as others.
            Some(run) if run.look == look && run.wide == (wide == 2) => {
                run.text.push_str(text);
                run.columns += wide;
            }
            _ => runs.push(Run { column, columns: wide, wide: wide == 2, look, text: text.to_owned() }),
        }
    }
    runs
}

fn colour(colour: Color, default: &str) -> String {
    match colour {
        Color::Default => default.to_owned(),
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        Color::Idx(index) => indexed(index),
    }
}

/// The xterm palette: 16 colours, a cube of 6×6×6, 24 greys.
fn indexed(index: u8) -> String {
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * u32::from(step) };
    let (r, g, b) = match index {
        0..16 => return BASE.get(usize::from(index)).copied().unwrap_or(INK).to_owned(),
        16..232 => (level((index - 16) / 36), level((index - 16) / 6 % 6), level((index - 16) % 6)),
        232.. => {
            let grey = 8 + 10 * u32::from(index - 232);
            (grey, grey, grey)
        }
    };
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Width and height of a cell.
const CELL: (f64, f64) = (8.4, 18.0);
const MARGIN: f64 = 10.0;
const FONT: &str = "DejaVu Sans Mono, Menlo, Consolas, Noto Sans Mono CJK SC, monospace";
const GROUND: &str = "#101418";
const INK: &str = "#d8dee4";
const BASE: [&str; 16] = [
    "#000000", "#aa2222", "#22aa44", "#aa7700", "#1d3f9e", "#993399", "#118899", "#c8c8c8", "#666666", "#ff5555",
    "#55ee77", "#ffee66", "#6699ff", "#ff77ff", "#66eeff", "#ffffff",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU16;

    #[test]
    fn cells_become_text_in_their_colours() {
        let size = |n| NonZeroU16::new(n).expect("not nought");
        let mut parser = vt100::Parser::new(size(2), size(10), 0);
        parser.process("\x1b[1;31mred\x1b[0m <&>\r\n日\x1b[7mx".as_bytes());
        let drawn = svg(parser.screen());
        assert!(drawn.starts_with("<svg") && drawn.trim_end().ends_with("</svg>"));
        for part in ["font-weight=\"bold\">red<", "#aa2222", "&lt;&amp;&gt;", ">日<", &format!("fill=\"{GROUND}\">x<")]
        {
            assert!(drawn.contains(part), "{part} in {drawn}");
        }
        assert_eq!(indexed(196), "#ff0000");
        assert_eq!(indexed(244), "#808080");
    }
}
