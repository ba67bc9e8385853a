//! `unwedge help`: the page of a finding, of fault injection, or of a verb.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};

use super::Arguments;
use crate::error::Error;
use crate::inject;

/// Explains a finding (UW002), fault injection (inject) or a verb.
#[derive(Debug, Args)]
pub(crate) struct Help {
    /// A finding's code, `inject`, or a verb.
    topic: Option<String>,
}

macro_rules! pages {
    ($($code:literal,)*) => {
        /// The page of each finding, by its code.
        const PAGES: &[(&str, &str)] =
            &[$(($code, include_str!(concat!("../../../../docs/findings/", $code, ".md"))),)*];
    };
}

pages! {
    "UW001", "UW002", "UW003", "UW004", "UW005", "UW006", "UW007", "UW008", "UW009", "UW010", "UW011",
    "UW012", "UW013", "UW014", "UW015", "UW016",
}

impl Help {
    /// Prints the page.
    ///
    /// # Errors
    /// When there is none on the topic.
    pub(crate) fn execute(&self) -> Result<ExitCode, Error> {
        let text = match self.topic.as_deref() {
            None => Arguments::command().render_long_help().to_string(),
            Some(topic) => page(topic).ok_or_else(|| Error::NoHelp { topic: topic.to_owned() })?,
        };
        // Whoever closes standard output has read enough.
        let _ = std::io::stdout().write_all(text.as_bytes());
        Ok(ExitCode::SUCCESS)
    }
}

fn page(topic: &str) -> Option<String> {
    if topic == "inject" {
        return Some(inject::HELP.to_owned());
    }
    let code = topic.to_ascii_uppercase();
    if let Some((_, page)) = PAGES.iter().find(|(known, _)| *known == code) {
        return Some((*page).to_owned());
    }
    let mut command = Arguments::command();
    command.build();
    command.find_subcommand_mut(topic).map(|verb| verb.render_long_help().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_and_verb_has_a_page() {
        for (code, text) in PAGES {
            assert!(text.contains(code), "{code}");
            assert_eq!(page(&code.to_lowercase()).as_deref(), Some(*text));
        }
        assert!(page("inject").is_some_and(|text| text.contains("drop-signal")));
        assert!(page("run").is_some_and(|text| text.contains("--deadline")));
        assert_eq!(page("UW999"), None);
    }

    #[test]
    fn the_help_on_faults_names_each() {
        for fault in unwedge_trace::blackbox::Fault::ALL {
            assert!(inject::HELP.contains(fault.name()), "{}", fault.name());
        }
    }
}
