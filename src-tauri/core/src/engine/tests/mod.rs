//! The engine plays what the policy's player plays, and shows the same: what is proven of the one holds for the other,
//! and what the simulator tells is what would have been.

mod driver;
mod history;
mod parity;
