//! The program. The SDK is a build dependency, so it is not part of this binary.

fn main() {
    println!("built with a valid key");
}
