//! `GET /api/settings/problems`: settings that cannot be used as they are, of those that this function
//! reads.

use aws::endpoints::WrongSettings;
use aws::error::IoError;
use aws::lambda::http_api::{ApiError, json};
use aws::settings::SettingsError;
use domain::auth::{Accounts, Caller};
use domain::core::timestamp::Timestamp;
use domain::pagination::Page;
use lambda_http::{Body, Response};
use serde::Serialize;

use crate::Ops;

#[derive(Serialize)]
struct ProblemView<'a> {
    parameter: &'a str,
    /// Never contains the value.
    problem: &'a str,
}

impl Ops {
    /// Those of no endpoint are shown to admins of all accounts only.
    pub(crate) async fn list_problems(
        &self,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let endpoints = self.endpoints.all(now).await.map_err(IoError::from)?;
        let numbers = wrong(self.numbers.get(now).await.err())?;
        let links = wrong(self.links.problem(now).await)?;
        let all = endpoints.problems.iter().chain(&numbers).chain(&links);
        let items = all
            .filter(|it| caller.can_see_all(&it.accounts))
            .map(|it| ProblemView { parameter: &it.parameter, problem: &it.problem });
        Ok(json(200, &Page { items: items.collect(), next_page: None }))
    }
}

/// What is wrong with a setting that belongs to no account.
fn wrong(error: Option<SettingsError>) -> Result<Option<WrongSettings>, ApiError> {
    match error {
        Some(SettingsError::Invalid { parameter, problem }) => {
            Ok(Some(WrongSettings { parameter, problem, accounts: Accounts::All }))
        }
        Some(SettingsError::Io(error)) => Err(error.into()),
        Some(SettingsError::Missing { .. }) | None => Ok(None),
    }
}
