//! Where does a test of `unwedge sim` happen? In a folder of its own.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// A folder for one test.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect(name)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unwedge"));
        command.current_dir(self.0.path()).env("NO_COLOR", "1").args(arguments);
        command.output().expect("the command starts")
    }

    /// Standard output of a command that ends with this status and says nothing else.
    pub(crate) fn said(&self, arguments: &[&str], status: i32) -> String {
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((&*stderr, output.status.code()), ("", Some(status)), "{arguments:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        self.said(arguments, 0)
    }

    pub(crate) fn json(&self, arguments: &[&str], status: i32) -> Value {
        serde_json::from_str(&self.said(arguments, status)).expect("JSON")
    }

    /// A command that writes something and says what.
    pub(crate) fn writes(&self, arguments: &[&str], status: i32) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).expect("UTF-8")
    }

    /// Standard error, exactly, and the exit status; nothing on standard output.
    pub(crate) fn refuses(&self, arguments: &[&str], stderr: &str) {
        let output = self.run(arguments);
        let found = String::from_utf8_lossy(&output.stderr);
        assert_eq!((&*found, output.status.code()), (stderr, Some(2)), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments:?}");
    }
}

/// The codes of a report's findings.
pub(crate) fn codes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().map(|finding| finding["code"].as_str().expect("a code")).collect()
}
