//! Prometheus' text format, version 0.0.4: families with their samples.

use std::fmt::{Display, Write};
use std::sync::atomic::Ordering;

use super::{BOUNDS, Histogram};

/// A page that is being written.
#[derive(Debug, Default)]
pub(super) struct Text {
    written: String,
    family: &'static str,
}

impl Text {
    /// Begins a figure that only rises.
    pub(super) fn counter(&mut self, name: &'static str, help: &str) -> &mut Self {
        self.begin(name, "counter", help)
    }

    /// Begins a figure that rises and falls.
    pub(super) fn gauge(&mut self, name: &'static str, help: &str) -> &mut Self {
        self.begin(name, "gauge", help)
    }

    /// A whole histogram, in seconds.
    pub(super) fn histogram(&mut self, name: &'static str, help: &str, histogram: &Histogram) {
        self.begin(name, "histogram", help);
        let mut sum = 0;
        let bounds = BOUNDS.iter().map(|(_, bound)| *bound).chain(["+Inf"]);
        for (count, bound) in histogram.counts.iter().zip(bounds) {
            sum += count.load(Ordering::Relaxed);
            self.line("_bucket", &[("le", bound)], sum);
        }
        self.line("_sum", &[], histogram.micros.load(Ordering::Relaxed) as f64 / 1e6);
        self.line("_count", &[], sum);
    }

    /// A sample of the figure that was begun.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) -> &mut Self {
        self.line("", labels, value);
        self
    }

    /// All of it.
    pub(super) fn finish(self) -> String {
        self.written
    }

    fn begin(&mut self, name: &'static str, kind: &str, help: &str) -> &mut Self {
        self.family = name;
        // A string takes all that is written to it.
        let _ = write!(self.written, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        self
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = write!(self.written, "{}{suffix}", self.family);
        for (place, (label, value)) in labels.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.written, "{}{label}=\"{value}\"", if place == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.written, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn families_are_written_as_they_are_read() {
        let mut text = Text::default();
        text.gauge("a_bytes", "What it is.").sample(&[("user", "a\"\\\nb"), ("way", "up")], 7).sample(&[], 8);
        let histogram = Histogram::default();
        histogram.since(Instant::now());
        text.histogram("b_seconds", "How long.", &histogram);
        let text = text.finish();
        let begin = "# HELP a_bytes What it is.\n# TYPE a_bytes gauge\n\
                     a_bytes{user=\"a\\\"\\\\\\nb\",way=\"up\"} 7\na_bytes 8\n# HELP b_seconds How long.\n";
        assert!(text.starts_with(begin), "{text}");
        assert!(text.contains("b_seconds_bucket{le=\"0.001\"} 1\n"), "{text}");
        assert!(text.contains("b_seconds_bucket{le=\"+Inf\"} 1\n") && text.ends_with("b_seconds_count 1\n"), "{text}");
    }
}
