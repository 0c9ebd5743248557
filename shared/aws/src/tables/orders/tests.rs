mod incomplete_timeline;
mod spellings;
