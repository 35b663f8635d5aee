//! Skeleton.
#![allow(dead_code)]
mod os;
mod profile;
fn main() {}
