//! The rules, one function each.

mod arrival;
mod limits;
mod user;

use super::{Answer, Buckets, Question};
use crate::model::Rule;
pub(super) use arrival::{is_one_of_few, is_young_critical};

/// A rule's question.
type Ask = fn(&Question<'_>, &mut Buckets) -> Answer;

/// In the order in which they are asked; the last one always decides.
pub(super) const ORDERED: [(Rule, Ask); 10] = [
    (Rule::Known, |q, _| arrival::known(q)),
    (Rule::Over, |q, _| arrival::over(q)),
    (Rule::Ephemeral, |q, _| arrival::ephemeral(q)),
    (Rule::Muted, |q, _| user::muted(q)),
    (Rule::MinimumTier, |q, _| user::minimum_tier(q)),
    (Rule::Paused, |q, _| user::paused(q)),
    (Rule::Looking, |q, _| user::looking(q)),
    (Rule::Backfill, |q, _| arrival::backfill(q)),
    (Rule::RateLimit, limits::rate_limit),
    (Rule::Toast, |q, _| limits::toast(q)),
];
