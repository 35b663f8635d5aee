//! The family's tests: recorded bytes, and scripted conversations.

mod addresses;
mod conversation;
mod encrypted;
mod frames;
mod histories;
mod hostile;
mod joining;
mod recorded;
mod script;
mod settings;
mod topics;
