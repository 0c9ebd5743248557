//! Keeps rows small: the parts of an object are stored without what the object says itself.

use serde_json::{Map, Value};

/// The fields of parts that the object has too, with its values.
pub(crate) type Outer = Map<String, Value>;

/// Removes from each part the fields that are the same outside. `null` stands for a field that only
/// the outside has, so no field of a part may itself be `null`.
pub(crate) fn omit(object: &mut Value, parts: &str, outer: &Outer) {
    for part in parts_of(object, parts) {
        for (field, value) in outer {
            match part.get(field) {
                Some(own) if own == value => drop(part.remove(field)),
                Some(_) => {}
                None => drop(part.insert(field.clone(), Value::Null)),
            }
        }
    }
}

/// Undoes [`omit`].
pub(crate) fn restore(object: &mut Value, parts: &str, outer: &Outer) {
    for part in parts_of(object, parts) {
        for (field, value) in outer {
            match part.get(field) {
                Some(Value::Null) => drop(part.remove(field)),
                Some(_) => {}
                None => drop(part.insert(field.clone(), value.clone())),
            }
        }
    }
}

/// These fields of an object, as far as it has them.
pub(crate) fn fields_of(object: Option<&Value>, fields: &[&str]) -> Outer {
    let field = |name: &&str| Some(((*name).to_owned(), object?.get(name)?.clone()));
    fields.iter().filter_map(field).collect()
}

fn parts_of<'a>(
    object: &'a mut Value,
    parts: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let parts = object.get_mut(parts).and_then(Value::as_array_mut);
    parts.into_iter().flatten().filter_map(Value::as_object_mut)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stores_only_what_differs() {
        let full = json!({
            "a": 1, "b": "x",
            "parts": [{"id": 1, "a": 1, "b": "x"}, {"id": 2, "a": 2}, {"id": 3, "a": 1, "c": 0}],
        });
        let outer = fields_of(Some(&full), &["a", "b", "c"]);
        let mut stored = full.clone();
        omit(&mut stored, "parts", &outer);
        let parts = json!([{"id": 1}, {"id": 2, "a": 2, "b": null}, {"id": 3, "b": null, "c": 0}]);
        assert_eq!(stored.get("parts"), Some(&parts));
        restore(&mut stored, "parts", &outer);
        assert_eq!(stored, full);
    }

    #[test]
    fn an_object_without_parts_stays_as_it_is() {
        let full = json!({"a": 1});
        let mut stored = full.clone();
        omit(&mut stored, "parts", &fields_of(Some(&full), &["a"]));
        assert_eq!(stored, full);
    }
}
