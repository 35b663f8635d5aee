//! The rules, one function each.

mod arrival;
mod batch;
mod length;
mod limits;
mod screen;
mod user;

use super::{Answer, Left, Question};
use crate::model::Rule;
pub(super) use arrival::{is_one_of_few, is_young_critical};
pub(super) use length::again_at;
pub(super) use limits::few_at_once;

/// A rule's question.
type Ask = fn(&Question<'_>, &mut Left) -> Answer;

/// In the order in which they are asked; the last one always decides.
pub(super) const ORDERED: [(Rule, Ask); 15] = [
    (Rule::Known, |q, _| arrival::known(q)),
    (Rule::Over, |q, _| arrival::over(q)),
    (Rule::Ephemeral, |q, _| arrival::ephemeral(q)),
    (Rule::Mandatory, |q, _| user::mandatory(q)),
    (Rule::Muted, |q, _| user::muted(q)),
    (Rule::Grid, |q, _| user::grid(q)),
    (Rule::MinimumTier, |q, _| user::minimum_tier(q)),
    (Rule::Duplicate, |q, _| arrival::duplicate(q)),
    (Rule::Paused, |q, _| screen::paused(q)),
    (Rule::QuietHours, |q, _| screen::quiet_hours(q)),
    (Rule::Context, |q, _| screen::context(q)),
    (Rule::Backfill, |q, _| arrival::backfill(q)),
    (Rule::Batch, batch::batch),
    (Rule::RateLimit, limits::rate_limit),
    (Rule::Toast, |q, _| limits::toast(q)),
];
