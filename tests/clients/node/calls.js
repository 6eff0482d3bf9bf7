// Calls the SDK for a test: each line of standard input is an operation and its request, each answer is one line of JSON.
"use strict";

const { createInterface } = require("node:readline");

const { BasicCredentials, Region } = require("@huaweicloud/huaweicloud-sdk-core");
// The package's own entry file names modules by a wrong path, so that only the folder of the version loads.
const { IamClient } = require("@huaweicloud/huaweicloud-sdk-iam/v3/public-api");
const log4js = require("log4js");

const { GaussDBClient } = require("./gaussdb");

// The SDK logs every error to standard output, where the answers go.
log4js.configure({
  appenders: { errors: { type: "stderr" } },
  categories: { default: { appenders: ["errors"], level: "error" } },
});

let client;
let iam;

function connect({ url, iamUrl, ak, sk, securityToken, project, region }) {
  const credentials = new BasicCredentials().withAk(ak).withSk(sk);
  if (project !== undefined) credentials.withProjectId(project);
  if (securityToken !== undefined) credentials.withSecurityToken(securityToken);
  if (iamUrl !== undefined) credentials.withIamEndpoint(iamUrl);
  const builder = GaussDBClient.newBuilder().withCredential(credentials);
  client = (region === undefined ? builder.withEndpoint(url) : builder.withRegion(new Region(region, url))).build();
  iam = IamClient.newBuilder().withCredential(new BasicCredentials().withAk(ak).withSk(sk)).withEndpoint(url).build();
  return {};
}

function failure(error) {
  return {
    kind: error.constructor.name,
    status: error.httpStatusCode,
    code: error.errorCode,
    message: error.errorMsg ?? error.message,
    request_id: error.requestId,
  };
}

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    const { operation, request } = JSON.parse(line);
    let answer;
    try {
      if (operation === "connect") answer = { result: connect(request) };
      else answer = { result: await (operation.startsWith("keystone") ? iam : client)[operation](request) };
    } catch (error) {
      answer = { error: failure(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

main();
