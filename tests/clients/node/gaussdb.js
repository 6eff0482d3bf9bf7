// The service client that the vendor does not publish under a name of its own. Like the published ones it only says what
// each operation looks like; the vendor's core builds, signs and sends the request, and reads the answer.
"use strict";

const { ClientBuilder } = require("@huaweicloud/huaweicloud-sdk-core/ClientBuilder");

const OPERATIONS = {
  batchUpgradeDatabases: ["POST", "/v3/{project_id}/instances/database-version/upgrade"],
  checkKernelUpgrade: ["POST", "/v3/{project_id}/instances/database-version/upgrade/pre-check"],
  showKernelUpgradeCheckResult: ["POST", "/v3/{project_id}/instances/database-version/upgrade/pre-check-result"],
  showInstanceDatabaseVersion: ["GET", "/v3/{project_id}/instances/{instance_id}/database-version"],
  listGaussMySqlInstances: ["GET", "/v3/{project_id}/instances"],
  listGaussMySqlInstancesUnifyStatus: ["GET", "/v3.1/{project_id}/instances"],
  showGaussMySqlInstanceInfo: ["GET", "/v3/{project_id}/instances/{instance_id}"],
  showGaussMySqlInstanceInfoUnifyStatus: ["GET", "/v3.1/{project_id}/instances/{instance_id}"],
  showGaussMySqlJobInfo: ["GET", "/v3/{project_id}/jobs"],
  listImmediateJobs: ["GET", "/v3/{project_id}/immediate-jobs"],
  listScheduleJobs: ["GET", "/v3/{project_id}/scheduled-jobs"],
  cancelScheduleTask: ["DELETE", "/v3/{project_id}/scheduled-jobs"],
  upgradeGaussMySqlInstanceDatabase: ["POST", "/v3/{project_id}/instances/{instance_id}/db-upgrade"],
  showGaussMySqlEngineVersion: ["GET", "/v3/{project_id}/datastores/{database_name}"],
};

class GaussDBClient {
  static newBuilder() {
    return new ClientBuilder((hcClient) => new GaussDBClient(hcClient), "BasicCredentials");
  }

  constructor(hcClient) {
    this.hcClient = hcClient;
  }
}

for (const [name, [method, url]] of Object.entries(OPERATIONS)) {
  GaussDBClient.prototype[name] = function operation(request = {}) {
    const { body, "X-Language": language, ...parameters } = request;
    const options = { method, url, contentType: "application/json", queryParams: {}, pathParams: {}, headers: {} };
    if (language !== undefined) options.headers["X-Language"] = language;
    for (const [parameter, value] of Object.entries(parameters)) {
      const place = url.includes(`{${parameter}}`) ? options.pathParams : options.queryParams;
      place[parameter] = value;
    }
    if (body !== undefined) options.data = body;
    return this.hcClient.sendRequest(options);
  };
}

module.exports = { GaussDBClient };
