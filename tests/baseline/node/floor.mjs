// Makes the calls that its event lists, one after another, as tests/baseline/src/bin/floor.rs does,
// with the SDK for JavaScript. The servers of others are where AWS_ENDPOINT_URL is.
import http from "node:http";
import https from "node:https";
import * as dynamodb from "@aws-sdk/client-dynamodb";
import * as sqs from "@aws-sdk/client-sqs";
import * as ssm from "@aws-sdk/client-ssm";

const services = {
  DynamoDB_20120810: [new dynamodb.DynamoDBClient({}), dynamodb],
  AmazonSQS: [new sqs.SQSClient({ useQueueUrlAsEndpoint: false }), sqs],
  AmazonSSM: [new ssm.SSMClient({}), ssm],
};

// DynamoDB's binary values are Base64 in JSON, and bytes in the SDK.
const withBytes = (key, value) =>
  key === "B" && typeof value === "string" ? Buffer.from(value, "base64") : value;

const request = (client, url, options, body) =>
  new Promise((resolve, reject) => {
    const sent = client.request(url, options, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });

const post = (path, headers, body) => {
  const options = { method: "POST", headers: Object.fromEntries(headers) };
  options.headers["content-length"] = Buffer.byteLength(body);
  return request(https, process.env.AWS_ENDPOINT_URL + path, options, body);
};

const make = async ({ service, operation, body, headers }) => {
  if (!(service in services)) return post(operation, headers, body);
  const [client, commands] = services[service];
  const input = JSON.parse(body, service === "DynamoDB_20120810" ? withBytes : undefined);
  // The answer may be an error, as it was for the function.
  await client.send(new commands[`${operation}Command`](input)).catch(() => {});
};

const runtime = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;

const serve = async () => {
  for (;;) {
    const { headers, body } = await request(http, `${runtime}/next`, {});
    for (const call of JSON.parse(body).calls ?? []) await make(call);
    const id = headers["lambda-runtime-aws-request-id"];
    const options = { method: "POST", headers: { "content-length": 2 } };
    await request(http, `${runtime}/${id}/response`, options, "{}");
  }
};

serve();
