//! Which faults does the user ask for? The grammar of `--inject`, and its canonical form for the layer.

use std::fmt;

use unwedge_trace::blackbox::Fault;

use crate::duration;

/// One fault: what happens to which occurrence of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    fault: Fault,
    target: Option<&'static str>,
    first: u64,
    and_later: bool,
    for_ns: Option<u64>,
}

/// A text that names no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} in the fault {text:?}")]
pub(crate) struct InjectError {
    text: String,
    what: String,
    /// What to write instead.
    pub(crate) hint: String,
}

/// Whether a field may, must or must not be given.
#[derive(Clone, Copy, PartialEq)]
enum Field {
    No,
    May,
    Must,
}

/// What may be struck by a fault, and whether it takes `for=`.
fn shape(fault: Fault) -> (&'static [&'static str], Field) {
    const SIGNALS: &[&str] = &["fence", "binary", "timeline"];
    const IMAGES: &[&str] = &["acquire", "present"];
    match fault {
        Fault::DropSignal => (SIGNALS, Field::No),
        Fault::DelaySignal => (SIGNALS, Field::Must),
        Fault::OutOfDate | Fault::Suboptimal => (IMAGES, Field::No),
        Fault::DeviceLost => (&["submit", "wait", "acquire", "present"], Field::No),
        Fault::HoldSubmit => (&[], Field::May),
        Fault::AcquireTimeout | Fault::WithholdImages | Fault::FailSubmit => (&[], Field::No),
    }
}

impl Spec {
    /// Reads one fault, such as `drop-signal:fence:n=3`.
    ///
    /// # Errors
    /// Says which part is wrong and what would be right.
    pub(crate) fn parse(text: &str) -> Result<Self, InjectError> {
        let error = |what: String, hint: String| InjectError { text: text.to_owned(), what, hint };
        let mut fields = text.split(':').map(str::trim);
        let name = fields.next().unwrap_or_default();
        let Some(fault) = Fault::ALL.into_iter().find(|fault| fault.name() == name) else {
            let names = Fault::ALL.map(Fault::name);
            return Err(error(format!("unknown fault {name:?}"), nearest(name, &names)));
        };
        let (targets, lasting) = shape(fault);
        let mut spec = Self { fault, target: None, first: 1, and_later: false, for_ns: None };
        let mut given = [false; 2];
        for field in fields {
            let place = match field.split_once('=') {
                Some(("n", value)) => {
                    (spec.first, spec.and_later) = parse_nth(value).ok_or_else(|| {
                        let hint = "occurrences count from 1: n=3 is the third, n=3+ the third and all later";
                        error(format!("bad occurrence {field:?}"), hint.to_owned())
                    })?;
                    Some(0)
                }
                Some(("for", value)) if lasting != Field::No => {
                    let ns = duration::parse(value).map_err(|bad| {
                        error(
                            format!("bad duration {value:?}"),
                            format!("{bad}; {}", duration::HINT),
                        )
                    })?;
                    spec.for_ns = Some(ns);
                    Some(1)
                }
                Some(("for", _)) => {
                    return Err(error(format!("{name} takes no {field:?}"), usage(fault)));
                }
                Some((key, _)) => {
                    let hint = if lasting == Field::No {
                        nearest(key, &["n"])
                    } else {
                        nearest(key, &["n", "for"])
                    };
                    return Err(error(format!("unknown field {field:?}"), hint));
                }
                None => None,
            };
            match place {
                Some(place) if std::mem::replace(&mut given[place], true) => {
                    return Err(error(format!("{field:?} is given twice"), usage(fault)));
                }
                Some(_) => {}
                None => spec.target = Some(target(field, targets, &spec, &error)?),
            }
        }
        if spec.target.is_none() && !targets.is_empty() {
            return Err(error(format!("{name} does not say what it strikes"), usage(fault)));
        }
        if spec.for_ns.is_none() && lasting == Field::Must {
            return Err(error(format!("{name} does not say for how long"), usage(fault)));
        }
        Ok(spec)
    }
}

fn target(
    field: &str,
    targets: &'static [&'static str],
    spec: &Spec,
    error: &impl Fn(String, String) -> InjectError,
) -> Result<&'static str, InjectError> {
    let found = targets.iter().find(|target| **target == field);
    match found {
        Some(_) if spec.target.is_some() => {
            Err(error(format!("a second target {field:?}"), usage(spec.fault)))
        }
        Some(target) => Ok(target),
        None if targets.is_empty() => {
            Err(error(format!("unknown field {field:?}"), usage(spec.fault)))
        }
        None => Err(error(format!("unknown target {field:?}"), nearest(field, targets))),
    }
}

fn parse_nth(value: &str) -> Option<(u64, bool)> {
    let (number, and_later) = match value.strip_suffix('+') {
        Some(number) => (number, true),
        None => (value, false),
    };
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse().ok().filter(|number| plain && *number > 0)?;
    Some((number, and_later))
}

/// The canonical form: every field, in order, durations in nanoseconds.
impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.fault.name())?;
        if let Some(target) = self.target {
            write!(f, ":{target}")?;
        }
        write!(f, ":n={}{}", self.first, if self.and_later { "+" } else { "" })?;
        match self.for_ns {
            Some(ns) => write!(f, ":for={ns}"),
            None => Ok(()),
        }
    }
}

/// All faults as the layer reads them.
pub(crate) fn canonical(specs: &[Spec]) -> String {
    specs.iter().map(Spec::to_string).collect::<Vec<_>>().join(";")
}

/// How the fault is written.
fn usage(fault: Fault) -> String {
    let (targets, lasting) = shape(fault);
    let targets =
        if targets.is_empty() { String::new() } else { format!(":{}", targets.join("|")) };
    let lasting = match lasting {
        Field::No => "",
        Field::May => "[:for=DURATION]",
        Field::Must => ":for=DURATION",
    };
    format!("write {}{targets}[:n=N]{lasting}", fault.name())
}

/// A hint that offers the nearest of the names, or all of them.
pub(crate) fn nearest(given: &str, names: &[&str]) -> String {
    let nearest = names.iter().min_by_key(|name| distance(given, name));
    match nearest {
        Some(name) if distance(given, name) <= name.len().div_ceil(3) => {
            format!("did you mean {name}?")
        }
        _ => format!("one of: {}", names.join(", ")),
    }
}

/// Levenshtein's distance: insertions, deletions and replacements from one text to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// What `unwedge help inject` prints.
pub(crate) const HELP: &str = include_str!("inject.txt");

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, canonical: &str) {
        let found = Spec::parse(text).map(|spec| spec.to_string());
        assert_eq!(found.as_deref(), Ok(canonical), "{text}");
    }

    fn check_error(text: &str, what: &str, hint: &str) {
        let error = Spec::parse(text).expect_err(text);
        assert_eq!((error.to_string().as_str(), error.hint.as_str()), (what, hint), "{text}");
    }

    #[test]
    fn faults_become_canonical() {
        check("drop-signal:fence:n=3", "drop-signal:fence:n=3");
        check("drop-signal:timeline", "drop-signal:timeline:n=1");
        check("delay-signal:fence:n=5:for=2s", "delay-signal:fence:n=5:for=2000000000");
        check("delay-signal:binary:for=500ms", "delay-signal:binary:n=1:for=500000000");
        check("acquire-timeout", "acquire-timeout:n=1");
        check("out-of-date:present:n=2+", "out-of-date:present:n=2+");
        check("suboptimal:acquire", "suboptimal:acquire:n=1");
        check("device-lost:wait:n=7", "device-lost:wait:n=7");
        check("hold-submit:for=1m:n=4", "hold-submit:n=4:for=60000000000");
        check("hold-submit:n=4", "hold-submit:n=4");
        check("withhold-images:n=1+", "withhold-images:n=1+");
        check("fail-submit", "fail-submit:n=1");
    }

    #[test]
    fn several_are_joined() {
        let specs = ["fail-submit", "drop-signal:fence"].map(|text| Spec::parse(text).expect(text));
        assert_eq!(canonical(&specs), "fail-submit:n=1;drop-signal:fence:n=1");
    }

    #[test]
    fn errors_name_the_part_and_what_is_near() {
        check_error(
            "drop-signl:fence",
            "unknown fault \"drop-signl\" in the fault \"drop-signl:fence\"",
            "did you mean drop-signal?",
        );
        check_error(
            "drop-signal:fense",
            "unknown target \"fense\" in the fault \"drop-signal:fense\"",
            "did you mean fence?",
        );
        check_error(
            "drop-signal",
            "drop-signal does not say what it strikes in the fault \"drop-signal\"",
            "write drop-signal:fence|binary|timeline[:n=N]",
        );
        check_error(
            "fail-submit:n=0",
            "bad occurrence \"n=0\" in the fault \"fail-submit:n=0\"",
            "occurrences count from 1: n=3 is the third, n=3+ the third and all later",
        );
        check_error(
            "fail-submit:fence",
            "unknown field \"fence\" in the fault \"fail-submit:fence\"",
            "write fail-submit[:n=N]",
        );
        check_error(
            "delay-signal:fence",
            "delay-signal does not say for how long in the fault \"delay-signal:fence\"",
            "write delay-signal:fence|binary|timeline[:n=N]:for=DURATION",
        );
        check_error(
            "fail-submit:for=1s",
            "fail-submit takes no \"for=1s\" in the fault \"fail-submit:for=1s\"",
            "write fail-submit[:n=N]",
        );
        check_error(
            "fail-submit:n=1:n=2",
            "\"n=2\" is given twice in the fault \"fail-submit:n=1:n=2\"",
            "write fail-submit[:n=N]",
        );
        check_error(
            "drop-signal:fence:binary",
            "a second target \"binary\" in the fault \"drop-signal:fence:binary\"",
            "write drop-signal:fence|binary|timeline[:n=N]",
        );
        let faults = "one of: drop-signal, delay-signal, acquire-timeout, out-of-date, suboptimal, device-lost, hold-submit, withhold-images, fail-submit";
        check_error("", "unknown fault \"\" in the fault \"\"", faults);
    }

    #[test]
    fn hostile_text_is_refused_not_passed_on() {
        for text in [
            "fail-submit;rm",
            "fail-submit:n=+1",
            "fail-submit:n=99999999999999999999",
            "fail-submit:",
            ":",
            "hold-submit:for=-1s",
        ] {
            assert!(Spec::parse(text).is_err(), "{text}");
        }
    }
}
