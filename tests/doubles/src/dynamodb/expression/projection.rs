//! The attributes that a read returns.

use super::{Placeholders, Tokens};
use crate::dynamodb::{Failure, Item};

/// Names of attributes.
#[derive(Debug)]
pub(in crate::dynamodb) struct Projection<'a>(Vec<&'a str>);

impl<'a> Projection<'a> {
    pub(in crate::dynamodb) fn parse(
        text: &'a str,
        placeholders: &mut Placeholders<'a>,
    ) -> Result<Self, Failure> {
        let mut tokens = Tokens::of(text)?;
        let mut names = Vec::new();
        loop {
            let name = placeholders.name(tokens.next()?)?;
            if names.contains(&name) {
                return Err(Failure::validation(format!(
                    "Invalid ProjectionExpression: Two document paths overlap with each other: \
                     {name}"
                )));
            }
            names.push(name);
            if !tokens.take(",") {
                tokens.end()?;
                return Ok(Self(names));
            }
        }
    }

    pub(in crate::dynamodb) fn apply(&self, row: &Item) -> Item {
        let attribute = |name: &&str| Some(((*name).to_owned(), row.get(*name)?.clone()));
        self.0.iter().filter_map(attribute).collect()
    }
}
