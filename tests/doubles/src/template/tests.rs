#![expect(clippy::unwrap_used)]

use super::*;
use crate::dynamodb::Index;
use crate::names::{index_arn, parameter_arn, queue_arn, queue_url, table_arn};

const DEPLOYED: &str = include_str!("../../../../template.yaml");
const MINUTE: u64 = 60_000;

fn deployed() -> Template {
    // With what a new stage does not have.
    let more = [("SlowDeliverConcurrency", "2"), ("PushConcurrency", "2")];
    Template::read(DEPLOYED, &[&[("Stage", "sim")], &more[..]].concat()).unwrap()
}

/// A template with one function; `extra` are more lines of its properties.
fn with_function(extra: &str) -> Result<Template, TemplateError> {
    let text = format!(
        r#"
Parameters:
  Stage: {{Type: String, Default: dev}}
Conditions:
  IsLocal: !Equals [!Ref Stage, local]
Globals:
  Function:
    Timeout: 20
    MemorySize: 256
    Environment: {{Variables: {{LEVEL: info, NUMBER: 7}}}}
Resources:
  Queue: {{Type: AWS::SQS::Queue}}
  Role:
    Type: AWS::IAM::Role
    Properties: {{Policies: []}}
  Work:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/work/
      Role: !GetAtt Role.Arn
{extra}
"#
    );
    Template::read(&text, &[])
}

fn schedule(expression: &str) -> Result<Schedule, TemplateError> {
    let events = format!(
        "      Events: {{S: {{Type: ScheduleV2, Properties: {{Name: !Sub 's-${{Stage}}', \
         ScheduleExpression: {expression}, State: !If [IsLocal, DISABLED, ENABLED]}}}}}}"
    );
    Ok(with_function(&events)?.functions[0].schedules[0].clone())
}

#[test]
fn reads_all_resources_of_the_deployed_template() {
    let template = deployed();
    let names: Vec<&str> = template.functions.iter().map(|function| &*function.name).collect();
    let expected = [
        "deliver",
        "deliver-slow",
        "inbound",
        "messages",
        "ops",
        "orders",
        "poll",
        "process",
        "push",
        "realtime",
        "sweep",
        "sync",
        "tester",
        "track",
    ];
    assert_eq!(names, expected);
    assert_eq!((template.queues.len(), template.tables.len()), (11, 6));
    assert_eq!(template.routes().count(), DEPLOYED.matches("Type: HttpApi\n").count());
    let sources: usize = template.functions.iter().map(|function| function.queues.len()).sum();
    assert_eq!(sources, DEPLOYED.matches("Type: SQS\n").count());
    // One role each, that of the schedules and that of deployments.
    assert_eq!(template.roles.len(), 16);
}

#[test]
fn resolves_the_environment_of_a_deployed_function() {
    let template = deployed();
    let process = template.function("process").unwrap();
    let variable = |name: &str| process.environment.get(name).unwrap().as_str();
    assert_eq!(variable("ORDERS_TABLE"), "OrdersTable");
    assert_eq!(variable("EVENTS_QUEUE_URL"), queue_url("EventsQueue"));
    assert_eq!(variable("SETTINGS_PREFIX"), "/waypost/sim");
    assert_eq!(variable("CONFIG_TTL_SECONDS"), "300");
    assert_eq!((process.timeout, process.memory_mib), (MINUTE, 256));
    let expected = QueueSource {
        queue: "EventsQueue".to_owned(),
        batch_size: 10,
        batching_window: 0,
        max_concurrency: Some(2),
        reports_item_failures: true,
    };
    assert_eq!(process.queues, [expected]);
}

#[test]
fn reads_the_deployed_queues_and_tables() {
    let template = deployed();
    let queue = template.queues.iter().find(|queue| queue.name == "DeliveriesQueue").unwrap();
    assert_eq!((queue.visibility, queue.retention), (12 * MINUTE, 14 * 24 * 60 * MINUTE));
    let redrive = queue.redrive.clone().unwrap();
    assert_eq!((&*redrive.dead_letters, redrive.max_receives), ("DeliveriesDlq", 1000));
    let table = template.tables.iter().find(|table| table.name == "OrdersTable").unwrap();
    assert_eq!((&*table.partition_key, table.sort_key.as_deref()), ("pk", Some("sk")));
    assert_eq!(table.ttl.as_deref(), Some("ttl"));
    let by_status = Index {
        name: "by_status".to_owned(),
        partition_key: "found_in".to_owned(),
        sort_key: Some("listed_at".to_owned()),
        has_number: false,
    };
    assert_eq!(table.indexes[1], by_status);
    let deliveries = template.tables.iter().find(|table| table.name == "DeliveriesTable").unwrap();
    assert_eq!((&deliveries.sort_key, deliveries.indexes.len()), (&None, 3));
    let numbers: Vec<bool> = deliveries.indexes.iter().map(|index| index.has_number).collect();
    assert_eq!(numbers, [false, true, true]);
}

#[test]
fn reads_the_deployed_schedules() {
    let template = deployed();
    let hourly = &template.function("sync").unwrap().schedules[0];
    assert_eq!(hourly.timing, Timing { period: 15 * MINUTE, offset: 0 });
    assert!(hourly.enabled);
    assert!(hourly.input.as_deref().unwrap().contains("<aws.scheduler.scheduled-time>"));
    assert_eq!((hourly.max_retries, hourly.max_event_age), (3, 15 * MINUTE));
    assert_eq!(hourly.dead_letters.as_deref(), Some("FailedInvocationsDlq"));
    let minutely = &template.function("sweep").unwrap().schedules[0];
    assert_eq!((minutely.timing.period, minutely.max_retries), (MINUTE, 0));
    assert_eq!((&minutely.input, minutely.name.as_str()), (&None, "waypost-sim-sweep"));
    let local = Template::read(DEPLOYED, &[("Stage", "local")]).unwrap();
    assert!(!local.function("sync").unwrap().schedules[0].enabled);
}

#[test]
fn failed_runs_of_the_deployed_schedules_are_kept() {
    let template = deployed();
    for (name, max_retries, minutes) in [("sweep", 0, 1), ("sync", 2, 30)] {
        let function = template.function(name).unwrap();
        let failures = Some("FailedInvocationsDlq".to_owned());
        let max_event_age = minutes * MINUTE;
        assert_eq!(function.async_invoke, AsyncInvoke { max_retries, max_event_age, failures });
        assert!(function.policy.allows("sqs:SendMessage", &queue_arn("FailedInvocationsDlq")));
    }
}

#[test]
fn resolves_the_policy_of_a_deployed_role() {
    let template = deployed();
    let orders = &template.function("orders").unwrap().policy;
    assert!(orders.allows("dynamodb:Query", &table_arn("OrdersTable")));
    assert!(orders.allows("dynamodb:Query", &index_arn("OrdersTable", "listed")));
    assert!(!orders.allows("dynamodb:Query", &index_arn("OrdersTable", "other")));
    assert!(!orders.allows("dynamodb:GetItem", &table_arn("InboundTable")));
    assert!(orders.allows("sqs:SendMessage", &queue_arn("EventsQueue")));
    assert!(orders.allows("ssm:GetParametersByPath", &parameter_arn("/waypost/sim/users")));
    assert!(!orders.allows("ssm:GetParametersByPath", &parameter_arn("/waypost/other/users")));
    let poll = &template.function("poll").unwrap().policy;
    let credentials = parameter_arn("/waypost/sim/accounts/acme/shipway");
    assert!(poll.allows("ssm:GetParameters", &credentials));
    assert!(poll.may_decrypt(&credentials));
}

#[test]
fn deployed_roles_deny_the_decryption_of_secrets_that_are_not_theirs() {
    let template = deployed();
    let may_decrypt = |function: &str, name: &str| {
        let arn = parameter_arn(&format!("/waypost/sim/{name}"));
        template.function(function).unwrap().policy.may_decrypt(&arn)
    };
    assert!(!may_decrypt("process", "endpoints/acme/main"));
    assert!(!may_decrypt("sync", "accounts/acme/shipway"));
    assert!(!may_decrypt("sweep", "endpoints/acme/main"));
    assert!(!may_decrypt("ops", "endpoints/acme/main"));
    assert!(may_decrypt("ops", "users/acme"));
    assert!(may_decrypt("deliver", "endpoints/acme/main"));
}

#[test]
fn selects_the_route_with_the_fewest_variables() {
    let template = deployed();
    let select = |method: &str, path: &str| {
        let (function, matched) = template.route(method, path)?;
        let variables =
            matched.variables.into_iter().map(|(name, value)| format!("{name}={value}"));
        let variables: Vec<String> = variables.collect();
        Some(format!("{} {} {}", function.name, matched.route.path, variables.join(" ")))
    };
    let selected = |method, path| select(method, path).unwrap();
    assert_eq!(selected("GET", "/webhooks/health"), "inbound /webhooks/health ");
    assert_eq!(selected("GET", "/webhooks/x"), "inbound /webhooks/{source} source=x");
    let of_hook = selected("POST", "/webhooks/x/h");
    assert_eq!(of_hook, "inbound /webhooks/{source}/{hook_id} hook_id=h source=x");
    assert_eq!(
        selected("DELETE", "/api/external/orders/o%2F1/timeline/r"),
        "orders /api/external/orders/{order_id}/timeline/{report_id} order_id=o%2F1 report_id=r"
    );
    assert_eq!(select("PUT", "/webhooks/health"), None);
    assert_eq!(select("GET", "/api/external/orders/"), None);
    assert_eq!(select("GET", "/api/external"), None);
}

/// A throttle is of a route: each source has routes of its own, which show no hook's id in the log.
#[test]
fn each_webhook_path_has_a_route_of_its_own() {
    let template = deployed();
    for source in ["carrier", "esahayak", "shipway", "whatsapp"] {
        for method in ["POST", "GET", "HEAD"] {
            for (hook, route) in [("", ""), ("/secret", "/{hook_id}")] {
                let path = format!("/webhooks/{source}{hook}");
                let (function, matched) = template.route(method, &path).unwrap();
                assert_eq!(function.name, "inbound");
                assert_eq!(matched.route.path, format!("/webhooks/{source}{route}"), "{method}");
            }
        }
    }
}

#[test]
fn a_function_has_the_defaults_it_does_not_set() {
    let template =
        with_function("      Timeout: 50\n      Environment: {Variables: {LEVEL: warn}}");
    let function = template.unwrap().functions.remove(0);
    assert_eq!((function.timeout, function.memory_mib), (50_000, 256));
    assert_eq!((&*function.environment["LEVEL"], &*function.environment["NUMBER"]), ("warn", "7"));
    assert_eq!(
        function.async_invoke,
        AsyncInvoke { max_retries: 2, max_event_age: 360 * MINUTE, failures: None }
    );
}

#[test]
fn an_event_source_and_a_queue_have_the_defaults_of_aws() {
    let events = "      Events: {Q: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}}\n      \
         EventInvokeConfig: {MaximumRetryAttempts: 0}";
    let template = with_function(events).unwrap();
    let source = &template.functions[0].queues[0];
    assert_eq!((&*source.queue, source.batch_size, source.max_concurrency), ("Queue", 10, None));
    assert!(!source.reports_item_failures);
    let queue = &template.queues[0];
    assert_eq!((queue.visibility, queue.retention, queue.delay), (30_000, 345_600_000, 0));
    assert_eq!(template.functions[0].async_invoke.max_retries, 0);
}

#[test]
fn a_condition_removes_a_property_an_item_or_a_resource() {
    let template = |stage| {
        let text = "
Parameters: {Stage: {Type: String, Default: dev}, Most: {Type: Number, Default: 7}}
Conditions:
  IsLocal: !Equals [!Ref Stage, local]
  IsWide: !Not [!Equals [!Ref Most, 7]]
Globals: {Function: {Timeout: 20, MemorySize: 256, Environment: {Variables: {}}}}
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Away: {Type: AWS::SQS::Queue, Condition: IsWide, Properties: {DelaySeconds: !GetAtt Queue.None}}
  Role: {Type: AWS::IAM::Role, Properties: {Policies: [!Ref AWS::NoValue]}}
  Work:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/work/
      Role: !GetAtt Role.Arn
      Timeout: !If [IsLocal, 3, !Ref AWS::NoValue]
      Events:
        Q:
          Type: SQS
          Properties:
            Queue: !GetAtt Queue.Arn
            ScalingConfig: {MaximumConcurrency: !Ref Most}
";
        Template::read(text, &[("Stage", stage)]).unwrap()
    };
    let function = |stage| template(stage).functions.remove(0);
    assert_eq!((function("local").timeout, function("dev").timeout), (3000, 20_000));
    assert_eq!(function("dev").queues[0].max_concurrency, Some(7));
    assert_eq!(template("dev").queues.len(), 1);
}

#[test]
fn parameters_set_what_a_deployed_function_may_do() {
    let read = |name, value| Template::read(DEPLOYED, &[("Stage", "sim"), (name, value)]).unwrap();
    for (mode, may_trace) in [("Active", true), ("PassThrough", false)] {
        for function in read("Tracing", mode).functions {
            let allowed = function.policy.allows("xray:PutTraceSegments", "*");
            assert_eq!(allowed, may_trace, "{mode} {}", function.name);
        }
    }
    for (parameter, function) in [
        ("ProcessConcurrency", "process"),
        ("DeliverConcurrency", "deliver"),
        ("SlowDeliverConcurrency", "deliver-slow"),
        ("SyncConcurrency", "sync"),
        ("PushConcurrency", "push"),
    ] {
        let template = read(parameter, "77");
        let concurrency = template.function(function).unwrap().queues[0].max_concurrency;
        assert_eq!(concurrency, Some(77), "{parameter}");
    }
}

#[test]
fn a_schedule_fires_at_its_next_time() {
    let next = |expression: &str, now| schedule(expression).unwrap().timing.next_after(now);
    assert_eq!(next("rate(5 minutes)", 0), 5 * MINUTE);
    assert_eq!(next("rate(1 minute)", MINUTE + 1), 2 * MINUTE);
    assert_eq!(next("rate(2 hours)", 119 * MINUTE), 120 * MINUTE);
    assert_eq!(next("cron(15 * * * ? *)", 14 * MINUTE), 15 * MINUTE);
    assert_eq!(next("cron(15 * * * ? *)", 15 * MINUTE), 75 * MINUTE);
    assert_eq!(next("cron(0/20 * * * ? *)", 20 * MINUTE), 40 * MINUTE);
    let schedule = schedule("rate(1 day)").unwrap();
    assert_eq!((&*schedule.name, schedule.enabled), ("s-dev", true));
    assert_eq!((schedule.max_retries, schedule.max_event_age), (185, 24 * 60 * MINUTE));
}

#[test]
fn a_map_has_a_value_for_each_parameter() {
    let text = "
Parameters: {Size: {Type: String, Default: small}}
Mappings: {Sizes: {small: {Memory: 256}, large: {Memory: 1024}}}
Globals: {Function: {Timeout: 20, Environment: {Variables: {}}}}
Resources:
  Role: {Type: AWS::IAM::Role, Properties: {Policies: []}}
  Work:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/work/
      Role: !GetAtt Role.Arn
      MemorySize: !FindInMap [Sizes, !Ref Size, Memory]
";
    let memory = |size| Template::read(text, &[("Size", size)]).unwrap().functions[0].memory_mib;
    assert_eq!((memory("small"), memory("large")), (256, 1024));
}

#[test]
fn rejects_what_it_does_not_understand() {
    for extra in [
        "      X: !Base64 text",
        "      X: !Ref Unknown",
        "      X: !GetAtt Queue.Colour",
        "      X: !Sub '${Unknown}'",
        "      X: !FindInMap [Unknown, !Ref Stage, Key]",
        "      Events: {E: {Type: Kinesis, Properties: {}}}",
        "      Timeout: soon",
    ] {
        let error = with_function(extra).unwrap_err();
        assert!(error.to_string().starts_with("Work: "), "{error}");
    }
    for expression in [
        "rate(0 minutes)",
        "rate(1 year)",
        "cron(60 * * * ? *)",
        "cron(0/7 * * * ? *)",
        "cron(0 1 * * ? *)",
    ] {
        assert!(schedule(expression).is_err(), "{expression}");
    }
    assert!(matches!(Template::read("a: [", &[]), Err(TemplateError::Yaml(_))));
}
