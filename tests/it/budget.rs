//! The budget of `docs/budget.md`: what each operation costs at AWS.

mod installation;
mod operations;
mod table;

use operations::measure;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_costs_what_the_budget_says() {
    let measured = Box::pin(measure()).await;
    table::check(&measured.operations);
    // Every report writes it: a larger row would cost a unit more.
    assert!(measured.state_row <= 2048, "{} bytes", measured.state_row);
}
