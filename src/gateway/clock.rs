//! Times as events write them.

use std::time::{Duration, SystemTime};

/// The last second of the year 9999, which is the last that RFC 3339 can write.
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// The time since 1970.
pub(super) fn epoch(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().min(LAST)
}

/// Milliseconds since 1970.
pub(super) fn millis(time: SystemTime) -> u64 {
    u64::try_from(epoch(time).as_millis()).unwrap_or(u64::MAX)
}

/// The Common Log Format, such as `15/Jul/2026:09:47:16 +0000`.
pub(super) fn common_log(time: SystemTime) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + epoch(time)).to_string();
    let (year, month, day, clock) = (&text[..4], &text[5..7], &text[8..10], &text[11..19]);
    let month = month.parse::<usize>().ok().and_then(|month| MONTHS.get(month - 1)).unwrap_or(&"Jan");
    format!("{day}/{month}/{year}:{clock} +0000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_forms_of_events() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_784_108_836_668);
        assert_eq!(common_log(time), "15/Jul/2026:09:47:16 +0000");
        assert_eq!(millis(time), 1_784_108_836_668);
    }

    #[test]
    fn times_that_no_event_can_write_are_bounded() {
        assert_eq!(common_log(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), "01/Jan/1970:00:00:00 +0000");
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert_eq!(common_log(far), "31/Dec/9999:23:59:59 +0000");
    }
}
