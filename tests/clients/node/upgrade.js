// What a user runs: upgrade one instance at ENDPOINT and say what became of it. The keys come from the environment.
"use strict";

const { GaussDBClient } = require("./gaussdb");

async function main(endpoint, instanceId, version) {
  const client = GaussDBClient.newBuilder().withEndpoint(endpoint).build();
  const instances = [{ instance_id: instanceId, current_version: version }];
  const { resp } = await client.batchUpgradeDatabases({ body: { databases_instance_infos: instances, delay: false } });
  console.log(JSON.stringify({ resp }));
  const { jobs } = await client.listImmediateJobs({ job_name: "UpgradeGaussDBforMySQLDatabaseVersion" });
  const job = jobs.find((each) => each.instance_id === instanceId);
  console.log(JSON.stringify({ instance: instanceId, status: job.status }));
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error.httpStatusCode, error.errorCode, error.errorMsg, error.requestId);
  process.exitCode = 1;
});
