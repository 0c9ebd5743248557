//! Mistakes around the handlers of functions: clocks, deadlines, answers.

use super::Bug;
use crate::lambda::{ApiRequest, Response};

const HOUR_MS: i64 = 60 * 60 * 1000;

impl Bug {
    /// How far the clock of a function is off.
    pub(crate) fn skew(self, function: &str) -> i64 {
        if self == Self::LocalTime && function == "deliver" { 5 * HOUR_MS + HOUR_MS / 2 } else { 0 }
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
