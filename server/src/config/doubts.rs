//! Settings that are allowed and seldom meant.

use super::{Config, Durability, Level, MinFree};

impl Config {
    /// What whoever runs the server should look at again, a sentence each, beginning with the key.
    pub fn doubts(&self) -> Vec<String> {
        let (limits, penalties) = (&self.limits, &self.penalties);
        let never = |key: &str, value: usize, most: &str, bound: usize| {
            (value > bound).then(|| format!("{key} is {value} and never reached: {most} is {bound}"))
        };
        let when = |is_so: bool, doubt: &str| is_so.then(|| doubt.to_owned());
        let doubts = [
            when(
                self.durability == Durability::Relaxed,
                "durability is relaxed: a power cut may take what was acknowledged last",
            ),
            when(!self.landlock, "landlock is false: nothing stands behind the jail of each home"),
            when(self.min_free == MinFree::None, "min_free is none: uploads may fill the disk to its last byte"),
            when(self.metrics_beyond_loopback, "metrics_beyond_loopback is true: others read the names of accounts"),
            when(self.upload_days == 0, "upload_days is 0: what is never finished stays for ever"),
            when(self.verify.every_days == 0, "verify.every_days is 0: damage is found only when --verify is run"),
            never("limits.per_source", limits.per_source, "limits.max_connections", limits.max_connections),
            never("limits.lanes", limits.lanes, "limits.max_connections", limits.max_connections),
            never("limits.guests", limits.guests, "limits.max_connections", limits.max_connections),
            never("limits.guests_per_source", limits.guests_per_source, "limits.guests", limits.guests),
            when(limits.login_seconds > 60, "limits.login_seconds is over 60: who says nothing keeps a place for long"),
            when(limits.drain_seconds == 0, "limits.drain_seconds is 0: running transfers are cut off at every stop"),
            when(
                limits.drain_seconds > 80,
                "limits.drain_seconds is over 80: a service manager may kill the server before, systemd after 90",
            ),
            when(
                penalties.first_seconds > penalties.longest_seconds,
                "penalties.first_seconds is more than penalties.longest_seconds, and never in force",
            ),
            when(
                matches!(self.log.level, Level::Debug | Level::Trace),
                "log.level is debug or trace: the log grows with every request",
            ),
        ];
        doubts.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_leave_no_doubt_and_others_do() {
        assert_eq!(Config::default().doubts(), [""; 0]);
        let mut config = Config { landlock: false, upload_days: 0, ..Config::default() };
        (config.limits.guests, config.limits.drain_seconds, config.log.level) = (5000, 300, Level::Trace);
        let doubts = config.doubts();
        let keys: Vec<&str> = doubts.iter().filter_map(|doubt| doubt.split(' ').next()).collect();
        assert_eq!(keys, ["landlock", "upload_days", "limits.guests", "limits.drain_seconds", "log.level"]);
        assert_eq!(doubts[2], "limits.guests is 5000 and never reached: limits.max_connections is 1024");
    }
}
