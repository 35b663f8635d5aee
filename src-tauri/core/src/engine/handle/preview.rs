//! What a described server's profile makes of an event, while somebody writes it.

use crate::backend::custom;
use crate::engine::{Shared, storage};
use crate::model::{Draft, Format};
use crate::text;
use tidings_api::{ErrorView, Preview, PreviewPart, Previewed, Reply};

pub fn preview(shared: &Shared, asked: &Preview) -> Result<Reply, ErrorView> {
    let sample = match asked.account {
        Some(account) if asked.sample.trim().is_empty() => shared
            .store
            .read(|tx| tx.last_frame(account))
            .map_err(|error| storage(&error))?
            .unwrap_or_default(),
        _ => asked.sample.clone(),
    };
    let mut previewed = Previewed {
        profile: custom::profile_of(&asked.options),
        ..Previewed::default()
    };
    match custom::preview(&asked.options, &sample, shared.clock.now()) {
        Ok(shown) => {
            previewed.parts = parts(&shown);
            let Draft {
                title,
                body,
                format,
                tier,
                ..
            } = shown.draft;
            previewed.title = title;
            previewed.body = match format {
                Format::Markdown => text::markdown_text(&body),
                Format::Plain => body,
            };
            previewed.format = Some(format);
            previewed.tier = Some(tier);
        }
        Err(refused) => {
            previewed.problem = refused.says;
            previewed.line = refused.line;
        }
    }
    previewed.sample = sample;
    Ok(Reply::Previewed(Box::new(previewed)))
}

/// The parts that have a value, each as text.
fn parts(shown: &custom::Preview) -> Vec<PreviewPart> {
    let draft = &shown.draft;
    let grouped = |part: &str| {
        shown
            .origins
            .iter()
            .any(|origin| origin.part == part && !origin.from.is_empty())
    };
    let value = |part: &str| match part {
        "title" => draft.title.clone(),
        "body" => text::one_line(&draft.body, 200),
        "priority" => draft.priority.to_string(),
        "type" => draft.kind.clone(),
        "topic" => shown.topic.clone(),
        "url" => draft.url.clone().unwrap_or_default(),
        "created_at" => draft.created_at.to_string(),
        "expires_at" => draft
            .expires_at
            .map(|at| at.to_string())
            .unwrap_or_default(),
        "tags" => draft.tags.join(", "),
        "group" if grouped("group") => draft.tags.first().cloned().unwrap_or_default(),
        "icon" => draft.icon.clone().unwrap_or_default(),
        "attachment" => draft
            .attachment
            .as_ref()
            .map(|file| file.url.clone())
            .unwrap_or_default(),
        "silent" if draft.silent => "yes".to_owned(),
        "id" => draft.remote_id.clone(),
        "replaces" if grouped("replaces") => draft.replace_key.clone(),
        "version" if grouped("version") => draft.version.to_string(),
        _ => String::new(),
    };
    shown
        .origins
        .iter()
        .map(|origin| PreviewPart {
            name: origin.part.to_owned(),
            value: value(origin.part),
            from: origin.from.clone(),
        })
        .filter(|part| !part.value.is_empty())
        .collect()
}
