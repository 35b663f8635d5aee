//! Mercure's tests: recorded bytes, and scripted conversations.

mod addresses;
mod conversation;
mod events;
mod hub;
mod parts;
mod properties;
mod script;
mod tokens;
