//! What do a frame, an address and a class name say?

use super::thread::Lock;

/// Longest name that is kept, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// The address that a text begins with, with or without angle brackets.
pub(super) fn address(text: &str) -> Option<u64> {
    let text = text.strip_prefix('<').unwrap_or(text);
    let digits = text.strip_prefix("0x")?;
    let end = digits.find(|digit: char| !digit.is_ascii_hexdigit()).unwrap_or(digits.len());
    u64::from_str_radix(&digits[..end], 16).ok().filter(|address| *address > 0)
}

/// The object in `<0x06> (a java.lang.Object)` or `<java.lang.Object@644a257c>`, and its class.
pub(super) fn object(text: &str) -> (Option<Lock>, String) {
    if let Some(address) = address(text) {
        return (Some(Lock::Address(address)), class(text).to_owned());
    }
    let named = text.strip_prefix('<').and_then(|text| text.split_once('>'));
    match named.and_then(|(name, _)| Some((name, name.split_once('@')?.0))) {
        Some((name, class)) => (Some(Lock::Named(cut(name).to_owned())), cut(class).to_owned()),
        None => (None, String::new()),
    }
}

/// The class in `<0x06> (a java.lang.Object)`.
fn class(text: &str) -> &str {
    let class = text.split_once("(a ").map_or("", |(_, class)| class);
    cut(class.strip_suffix(')').unwrap_or(class))
}

/// At most so much of a name, at a character's end.
pub(super) fn cut(name: &str) -> &str {
    let end = (0..=NAME_BYTES_MAX.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    &name[..end.unwrap_or(0)]
}

/// `java.lang.Object.wait` and `Object.java:338` of a frame's line behind `at`.
pub(super) fn split(frame: &str) -> Option<(&str, &str)> {
    let (method, place) = frame.strip_suffix(')')?.rsplit_once('(')?;
    // A loader and a module may come before: `app//Shapes.main`, `java.base@17.0.21/Object.java:338`.
    let method = without_module(method);
    let place = place.rsplit('/').next().unwrap_or(place);
    Some((cut(method), cut(place)))
}

/// A class without the loader and module before it. A hidden class has a slash and a number in its own name.
fn without_module(method: &str) -> &str {
    let mut slashes = method.rmatch_indices('/').map(|(place, _)| place + 1);
    let last = slashes.next().unwrap_or(0);
    let begins = if method[last..].starts_with("0x") { slashes.next().unwrap_or(0) } else { last };
    &method[begins..]
}

/// Whether the method is the platform's own.
pub(super) fn is_platform(method: &str) -> bool {
    ["java.", "javax.", "jdk.", "sun.", "com.sun."].iter().any(|own| method.starts_with(own))
}

/// `ReentrantLock.lock` of `java.util.concurrent.locks.ReentrantLock.lock`.
pub(super) fn short(method: &str) -> &str {
    let mut dots = method.rmatch_indices('.').map(|(place, _)| place);
    let class = dots.nth(1).map_or(0, |place| place + 1);
    &method[class..]
}
