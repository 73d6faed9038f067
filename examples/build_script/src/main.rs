//! The program. Nothing of the SDK is in it: it was used when this was built.

fn main() {
    println!("built with a key that is in order");
}
