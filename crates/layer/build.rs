//! Keeps the library mapped once it is loaded: the loader closes layers when an instance goes, and
//! the helper thread must not lose its code.
fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
