//! How does text become a page? Escaping, and a template whose holes are filled in one pass.

use super::words;

/// `text` for an element's content or a quoted attribute, with nothing in it that could be markup
/// or steer the direction of writing.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        push(&mut out, words::tame(letter));
    }
    out
}

/// As [`escape`], but keeps line breaks and every other character that JSON lets through.
pub(super) fn escape_verbatim(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        push(&mut out, letter);
    }
    out
}

fn push(out: &mut String, letter: char) {
    match letter {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        letter => out.push(letter),
    }
}

/// `template` with each `{{name}}` replaced by its value. What a value contains is not looked at
/// again, so that a thread named `{{json}}` stays one.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(
        template.len() + values.iter().map(|(_, value)| value.len()).sum::<usize>(),
    );
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else {
            out.push_str("{{");
            rest = after;
            continue;
        };
        let value = values.iter().find(|(known, _)| *known == name);
        debug_assert!(value.is_some(), "the template has a hole that nothing fills: {name}");
        out.push_str(value.map_or("", |(_, value)| value));
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// `text` cut in its middle to at most `letters`: both a handle's end and a name's are kept.
pub(super) fn shorten(text: &str, letters: usize) -> String {
    let count = text.chars().count();
    if count <= letters {
        return text.to_owned();
    }
    let tail = letters.saturating_sub(1) / 2;
    let head = letters.saturating_sub(1) - tail;
    let begin: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(count - tail).collect();
    format!("{}…{}", begin.trim_end(), end.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_from_outside_is_text() {
        assert_eq!(
            escape("<script>alert('\"&\x1b\u{202e}')</script>"),
            "&lt;script&gt;alert(&#39;&quot;&amp;\u{241b}\u{fffd}&#39;)&lt;/script&gt;"
        );
    }

    #[test]
    fn a_value_is_not_a_template() {
        let filled = fill("<{{a}}|{{b}}>", &[("a", "{{b}}"), ("b", "x")]);
        assert_eq!(filled, "<{{b}}|x>");
    }

    #[test]
    fn shortening_keeps_both_ends() {
        assert_eq!(shorten("fence 0x55d0c0ffee00 \"frame\"", 15), "fence 0…\"frame\"");
        assert_eq!(shorten("render", 6), "render");
        assert_eq!(shorten("äöüäöüäöü", 5), "äö…öü");
    }
}
