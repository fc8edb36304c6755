//! Has the crate compiled again when a migration is added or changed: `sqlx::migrate!` puts the files of `migrations`
//! into the program, and Cargo does not see that it reads them. The container image is built without this script: there
//! the sources are touched.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
