//! Mistakes in template.yaml.

use super::Bug;

impl Bug {
    /// The template with the mistake.
    pub(crate) fn edit(self, template: &str) -> String {
        match self {
            Self::NoItemFailures => template
                .replace("FunctionResponseTypes: [ReportBatchItemFailures]", "Enabled: true"),
            Self::ShortVisibility => {
                edit(template, "DeliveriesQueue", "VisibilityTimeout: 720", "VisibilityTimeout: 20")
            }
            Self::OneReceive => {
                edit(template, "DeliveriesQueue", "maxReceiveCount: 1000", "maxReceiveCount: 1")
            }
            Self::ShortRetentionOfLetters => {
                edit(template, "DeliveriesDlq", "RetentionPeriod: 1209600", "RetentionPeriod: 60")
            }
            Self::MissingPermission => edit(template, "ProcessRole", ", dynamodb:DeleteItem]", "]"),
            _ => template.to_owned(),
        }
    }
}

/// Replaces the first occurrence after the beginning of a resource.
fn edit(template: &str, resource: &str, right: &str, wrong: &str) -> String {
    let Some((before, after)) = template.split_once(&format!("\n  {resource}:\n")) else {
        return template.to_owned();
    };
    format!("{before}\n  {resource}:\n{}", after.replacen(right, wrong, 1))
}
