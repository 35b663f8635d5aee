//! What happens on each day.

use super::{End, Week};
use jiff::SignedDuration;
use tidings_api::{Back, Change, PauseChange, Request};
use tidings_core::ports::Clock as _;

pub(super) async fn all(week: &mut Week) {
    monday(week).await;
    tuesday(week).await;
    wednesday(week).await;
    thursday(week).await;
    friday(week).await;
    weekend(week).await;
    journey(week).await;
}

/// Batches, lunch, a pause, an escalation and a night.
async fn monday(week: &mut Week) {
    week.office(0, "09:00", "10:00").await;
    week.sends("builds", 3, 3).await;
    week.sends("chat", 3, 3).await;
    week.again(End::Clean).await;
    week.sends("builds", 3, 2).await;
    week.sends("chat", 3, 2).await;
    week.again_after(End::Killed, 6).await;
    week.office(0, "10:30", "12:30").await;
    week.sends("alerts", 4, 3).await;
    week.sends("alerts", 5, 1).await;
    week.again(End::Clean).await;
    week.office(0, "13:15", "15:00").await;
    let minutes = 60;
    let critical_rings = false;
    week.pause(PauseChange::For {
        minutes,
        critical_rings,
    })
    .await;
    week.sends("alerts", 4, 4).await;
    week.again(End::Killed).await;
    week.sends("alerts", 3, 2).await;
    week.until(0, "16:30").await;
    week.sends("alerts", 5, 1).await;
    let fire = week.newest().await;
    week.until(0, "16:35").await;
    week.again(End::Clean).await;
    week.until(0, "16:45").await;
    week.again(End::Killed).await;
    week.until(0, "16:55").await;
    week.change(fire, Change::Read).await;
    week.office(0, "17:00", "22:30").await;
    week.sends("alerts", 4, 4).await;
    week.again_after(End::Killed, 2).await;
    week.until(1, "02:00").await;
    week.sends("alerts", 5, 1).await;
    week.until(1, "03:00").await;
    week.again(End::Clean).await;
}

/// The daily digest, a snooze, and a pause into the next morning.
async fn tuesday(week: &mut Week) {
    week.office(1, "09:00", "11:00").await;
    week.sends("alerts", 4, 1).await;
    let mail = week.newest().await;
    let time = week.moment(1, "15:00");
    week.change(
        mail,
        Change::Snooze {
            back: Back::Time { time },
        },
    )
    .await;
    week.life.snoozed.push(mail);
    week.idle().await;
    week.again(End::Clean).await;
    week.until(1, "14:00").await;
    week.again(End::Killed).await;
    week.until(1, "15:01").await;
    week.sends("news", 3, 4).await;
    week.sends("hints", 2, 3).await;
    week.again(End::Killed).await;
    week.until(1, "17:55").await;
    week.again(End::Clean).await;
    week.until(1, "18:30").await;
    let critical_rings = false;
    week.pause(PauseChange::UntilTomorrow { critical_rings })
        .await;
    week.sends("alerts", 4, 3).await;
    week.sends("alerts", 5, 1).await;
    week.until(1, "23:00").await;
    week.again(End::Clean).await;
}

/// The lid is closed in the evening and opened in the morning; before that, digests.
async fn wednesday(week: &mut Week) {
    week.office(2, "09:00", "12:00").await;
    week.sends("papers", 3, 3).await;
    week.sends("hints", 2, 2).await;
    week.again_after(End::Clean, 2).await;
    week.until(2, "12:20").await;
    week.office(2, "14:00", "21:30").await;
    week.sends("alerts", 4, 1).await;
    week.until(2, "22:15").await;
    week.sends("alerts", 4, 3).await;
    week.again(End::Clean).await;
    week.lid_closed_until(3, "08:30").await;
    week.again(End::Killed).await;
}

/// A pause without an end, and a clock that is set back and forward again.
async fn thursday(week: &mut Week) {
    week.until(3, "10:00").await;
    let critical_rings = false;
    week.pause(PauseChange::UntilResumed { critical_rings })
        .await;
    week.sends("alerts", 3, 3).await;
    week.again_after(End::Killed, 5).await;
    week.sends("alerts", 4, 2).await;
    week.until(3, "11:30").await;
    week.resume().await;
    week.office(3, "13:30", "16:00").await;
    week.sends("hints", 2, 3).await;
    week.sends("chat", 3, 2).await;
    week.sends("alerts", 5, 1).await;
    week.set_clock(SignedDuration::from_hours(-3)).await;
    week.again(End::Clean).await;
    let now = week.clock.now();
    week.pass(now + SignedDuration::from_mins(45)).await;
    week.sends("hints", 2, 2).await;
    week.set_clock(SignedDuration::from_hours(3)).await;
    week.again(End::Killed).await;
    week.until(3, "19:00").await;
}

/// A flood, and who is curious at lunch.
async fn friday(week: &mut Week) {
    week.office(4, "08:30", "11:00").await;
    for topic in ["alerts", "hints", "alerts", "hints"] {
        week.sends(topic, 3, 20).await;
    }
    week.again(End::Killed).await;
    week.until(4, "12:40").await;
    week.sends("alerts", 4, 4).await;
    week.life.delivered.push(week.clock.now());
    week.desk().ask(Request::DeliverNow).await;
    week.idle().await;
    week.sends("alerts", 4, 2).await;
    week.again(End::Clean).await;
    week.office(4, "13:15", "20:00").await;
}

/// Nights that are an hour shorter, or longer.
async fn weekend(week: &mut Week) {
    week.until(5, "12:00").await;
    week.sends("alerts", 4, 2).await;
    week.until(6, "00:30").await;
    week.sends("alerts", 4, 2).await;
    week.until(6, "01:40").await;
    week.sends("alerts", 4, 1).await;
    week.again(End::Killed).await;
    let now = week.clock.now();
    week.pass(now + SignedDuration::from_mins(70)).await;
    week.sends("alerts", 4, 1).await;
    week.again(End::Clean).await;
    week.until(6, "04:30").await;
    week.sends("alerts", 4, 2).await;
    week.until(6, "12:00").await;
}

/// From Berlin to Tokyo in the middle of a night.
async fn journey(week: &mut Week) {
    week.office(7, "09:00", "11:00").await;
    week.until(7, "22:30").await;
    week.sends("alerts", 4, 3).await;
    week.sends("hints", 2, 2).await;
    week.until(7, "23:30").await;
    week.travel("Asia/Tokyo");
    week.again(End::Killed).await;
    week.sends("alerts", 4, 2).await;
    week.until(8, "07:30").await;
    week.until(8, "13:00").await;
    week.sends("alerts", 3, 2).await;
    week.again(End::Clean).await;
    week.until(8, "23:59").await;
    let now = week.clock.now();
    week.pass(now + SignedDuration::from_hours(24)).await;
}
