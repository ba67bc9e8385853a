//! How does a report look? As text for a terminal, as JSON for a program, as one page for a person.
//!
//! Invariant: nothing here reads a clock, a file or the environment; whoever calls says whether
//! there are colours and how wide the terminal is. Whatever came from outside (names, labels, paths)
//! passes through [`words::clean`] or [`page::escape`] on its way out.

mod chain;
mod counts;
mod diff;
mod diff_html;
mod html;
mod json;
mod layout;
mod page;
pub(crate) mod perfetto;
mod statistics;
mod statistics_page;
mod strip;
mod svg;
mod text;
mod timeline;
mod words;

#[cfg(test)]
mod samples;

pub(crate) use counts::{grouped, many};
pub(crate) use diff::{json as difference_json, text as difference_text};
pub(crate) use diff_html::html as difference_html;
pub(crate) use html::{html, trace_html};
pub(crate) use json::json;
pub(crate) use text::{Style, text, trace_text};
pub(crate) use words::{clean, duration};
