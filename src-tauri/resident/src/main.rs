//! Skeleton.
#![allow(dead_code)]
mod control;
mod os;
mod profile;
mod windows;
fn main() {}
