//! Older forms of the preferences, brought up to today's. Works on raw values only: a migration that used today's
//! types would change with them.

use crate::model::Problem;
use crate::model::preferences::VERSION;
use serde_json::Value;

/// From version `n + 1` to the next, at index `n`.
const STEPS: [fn(&mut Value); 0] = [];

/// Brings a document up to [`VERSION`].
///
/// # Errors
/// Where it is of a newer program: what is known of it is read all the same.
pub(super) fn bring_up(document: &mut Value) -> Result<(), Problem> {
    bring_up_by(&STEPS, document)
}

fn bring_up_by(steps: &[fn(&mut Value)], document: &mut Value) -> Result<(), Problem> {
    // The first version had its number from the start; a document without one was written by hand.
    let version = document
        .get("version")
        .and_then(Value::as_u64)
        .unwrap_or(u64::from(VERSION));
    let newest = steps.len() as u64 + 1;
    if version > newest {
        return Err(Problem {
            at: "version".to_owned(),
            says: format!(
                "These preferences were written by a newer Tidings (version {version} of their form). What this \
                 one does not know is left out."
            ),
        });
    }
    let first = usize::try_from(version.max(1) - 1).unwrap_or(0);
    for step in &steps[first.min(steps.len())..] {
        step(document);
    }
    if let Value::Object(map) = document {
        map.insert("version".to_owned(), Value::from(newest));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_step_is_taken_once_and_in_order() {
        let steps: [fn(&mut Value); 2] = [
            |document| document["said"] = json!([1]),
            |document| document["said"].as_array_mut().unwrap().push(json!(2)),
        ];
        for (from, said) in [(1, json!([1, 2])), (2, json!([0, 2])), (3, json!([0]))] {
            let mut document = json!({"version": from, "said": [0]});
            bring_up_by(&steps, &mut document).unwrap();
            assert_eq!(document, json!({"version": 3, "said": said}), "{from}");
        }
    }

    #[test]
    fn a_newer_one_is_left_as_it_is() {
        let mut document = json!({"version": 9});
        let problem = bring_up(&mut document).unwrap_err();
        assert!(problem.says.contains("newer Tidings"), "{}", problem.says);
        assert_eq!(document, json!({"version": 9}));
    }

    #[test]
    fn todays_version_is_what_the_steps_lead_to() {
        assert_eq!(VERSION as usize, STEPS.len() + 1);
    }
}
