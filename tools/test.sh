#!/usr/bin/env bash
# Builds everything that the tests run, then runs every test: through cargo-nextest where it is
# installed, because it ends tests that hang, else through cargo test.
set -euo pipefail
cd "$(dirname "$0")/.."

# The layer, the fake driver, the scenario programs and the examples are files that tests look for beside themselves;
# cargo test alone would not build them all.
cargo build --workspace --lib --bins --examples

# The tests of the C library link with what a user would link with; built here, it takes nothing from a test's time.
cargo build --release -p unwedge-wait-c

# Other readers of our files. Where they cannot be had, the reason is said and their tests are skipped.
tools/python-packages.sh "${CARGO_TARGET_DIR:-target}/python" duckdb perfetto polars protobuf ||
    echo "without DuckDB, Polars and Perfetto's definition: the tests that need them are skipped"

if cargo nextest --version >/dev/null 2>&1; then
    exec cargo nextest run --workspace "$@" </dev/null
fi
echo "cargo-nextest is not installed: running the tests through cargo test, without a limit on their time"
exec cargo test --workspace "$@" </dev/null
