//! Which link flag keeps the library mapped after the loader closes it?

fn main() {
    // The loader closes a driver on vkDestroyInstance. A queue thread that is stuck on purpose would then
    // run unmapped code; `nodelete` keeps the code where it is until the process ends.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo::rerun-if-changed=build.rs");
}
