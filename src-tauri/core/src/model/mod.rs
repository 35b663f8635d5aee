//! Plain data that every other module may know. The words shared with clients come from the contract.

mod account;
mod notification;
mod policy;
mod request;
mod written;

pub use account::{Account, Credential, NewAccount, NewSubscription, Offered, Subscription};
pub use notification::{
    Action, Attachment, Class, Draft, Fate, Mirror, Notification, Origin, Owing, Revision,
    StepChange, limits,
};
pub use policy::{
    Bucket, Context, Disposition, HoldCause, Pause, PolicyState, Problem, Rule, Surroundings,
    TraceLine, Verdict, Window, window_key,
};
pub use request::{Body, Hidden, HttpRequest, Method, Sign};
pub use tidings_api::preferences;
pub use tidings_api::preferences::Preferences;
pub use tidings_api::{
    AccountId, ActionKind, Back, BackendKind, Format, ImportFrom, NotificationId, Quota,
    SecretPlace, SignIn, SubscriptionId, Tier, TransportKind, Way,
};
pub use written::{hexadecimal, is_token};

/// A resume position: minted and read by its backend only, opaque to everyone else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor(pub String);
