//! Mistakes around the handlers of functions: clocks, deadlines, answers.

use serde_json::Value;

use super::Bug;
use crate::lambda::{ApiRequest, Response};

const HOUR_MS: i64 = 60 * 60 * 1000;

impl Bug {
    /// How far the clock of a function is off.
    pub(crate) fn skew(self, function: &str) -> i64 {
        if self == Self::LocalTime && function == "deliver" { 5 * HOUR_MS + HOUR_MS / 2 } else { 0 }
    }

    /// A frame of a client, as the function reads it.
    pub(crate) fn frame(self, frame: &Value) -> Value {
        let mut frame = frame.clone();
        if self == Self::SinceOneTooLate {
            let since = frame.get_mut("since").and_then(Value::as_object_mut).into_iter().flatten();
            since.for_each(|(_, version)| {
                *version = (version.as_u64().unwrap_or_default() + 1).into()
            });
        }
        frame
    }

    /// The answer of the function to a request.
    pub(crate) fn response(self, request: &ApiRequest, response: Response) -> Response {
        let is_webhook = request.path.starts_with("/webhooks/");
        if self == Self::ErrorsAnsweredWith200 && is_webhook && response.status >= 500 {
            return Response { status: 200, ..response };
        }
        response
    }
}
