//! Files that browsers keep for a year: their names change with their content.

pub(crate) const SCRIPT: &str = include_str!("assets/track.js");
/// The hash is that of the content; a test says which.
pub(crate) const SCRIPT_NAME: &str = "track-e735cfbf5e.js";
/// From a page: the API may be below a path.
pub(crate) const SCRIPT_PATH: &str = "../../assets/track-e735cfbf5e.js";

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_name_has_the_hash_of_the_content() {
        let hash = HEXLOWER.encode(&Sha256::digest(SCRIPT)[..5]);
        assert_eq!(SCRIPT_NAME, format!("track-{hash}.js"));
        assert_eq!(SCRIPT_PATH, format!("../../assets/{SCRIPT_NAME}"));
        assert!(include_str!("../../../openapi.yaml").contains(SCRIPT_NAME));
    }
}
