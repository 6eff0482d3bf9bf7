// The official Go SDK, unmodified, as a small command for test_go_sdk.py.
//
//	client [-url URL] [-project ID] [-region ID] [-ak AK] [-sk SK] [-delay TEXT] [-language TEXT] STEP [ARGUMENT ...]
//
// It prints one JSON object a line: the step, the HTTP status and the answer as the SDK decoded it, or the SDK's error
// object. An error of the service is a result like any other, with exit code 0; anything else ends the command with 1.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/region"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	gaussdb "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/gaussdb/v3"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/gaussdb/v3/model"
)

const (
	pollEvery = 20 * time.Millisecond
	pollFor   = 30 * time.Second
)

// One instance of a batch is given as ID=VERSION.
const separator = "="

type options struct {
	url, project, region, accessKey, secretKey, delay, language string
}

type step struct {
	do    func(client *gaussdb.GaussDBClient, given options, arguments []string) error
	needs string
}

var steps = map[string]step{
	"upgrade":        {upgrade, ""},
	"upgrade-one":    {upgradeOne, "an instance id"},
	"instances":      {listInstances, ""},
	"instances-v3.1": {listInstancesUnified, ""},
	"instance":       {showInstance, "an instance id"},
	"version":        {showVersion, "an instance id"},
	"jobs":           {listJobs, ""},
	"wait":           {waitForJob, "a job id"},
	"scheduled":      {listScheduled, ""},
	"cancel":         {cancelScheduled, "a job id"},
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var given options
	flag.StringVar(&given.url, "url", os.Getenv("TAURUS_MOCK_URL"), "where the mock listens, with its scheme")
	flag.StringVar(&given.project, "project", "", "project id; without it the SDK looks up the project of -region")
	flag.StringVar(&given.region, "region", "cn-north-4", "region")
	flag.StringVar(&given.accessKey, "ak", "AKEXAMPLE", "access key")
	flag.StringVar(&given.secretKey, "sk", "SKEXAMPLE", "secret key")
	flag.StringVar(&given.delay, "delay", "false", "delay of an upgrade, as the SDK takes it: text")
	flag.StringVar(&given.language, "language", "", "X-Language of an upgrade")
	flag.Parse()
	arguments := flag.Args()
	if len(arguments) == 0 {
		return errors.New("name a step")
	}
	chosen, known := steps[arguments[0]]
	if !known {
		return fmt.Errorf("unknown step %q", arguments[0])
	}
	if chosen.needs != "" && len(arguments) < 2 {
		return fmt.Errorf("%s needs %s", arguments[0], chosen.needs)
	}
	client, err := newClient(given)
	if err != nil {
		return report("client", nil, err)
	}
	return chosen.do(client, given, arguments[1:])
}

// newClient builds the client as a user does who has replaced the cloud's endpoints by the mock's.
func newClient(given options) (*gaussdb.GaussDBClient, error) {
	credentials := basic.NewCredentialsBuilder().
		WithAk(given.accessKey).
		WithSk(given.secretKey).
		WithProjectId(given.project).
		WithIamEndpointOverride(given.url)
	signer, err := credentials.SafeBuild()
	if err != nil {
		return nil, err
	}
	transport, err := gaussdb.GaussDBClientBuilder().
		WithRegion(region.NewRegion(given.region, given.url)).
		WithCredential(signer).
		SafeBuild()
	if err != nil {
		return nil, err
	}
	return gaussdb.NewGaussDBClient(transport), nil
}

func upgrade(client *gaussdb.GaussDBClient, given options, arguments []string) error {
	instances := make([]model.UpgradeDatabasesSingleInstance, 0, len(arguments))
	for _, argument := range arguments {
		id, version, _ := strings.Cut(argument, separator)
		instances = append(instances, model.UpgradeDatabasesSingleInstance{InstanceId: id, CurrentVersion: version})
	}
	request := &model.BatchUpgradeDatabasesRequest{
		Body: &model.BatchUpgradeDatabasesRequestBody{DatabasesInstanceInfos: instances, Delay: given.delay},
	}
	if given.language != "" {
		request.XLanguage = &given.language
	}
	answer, err := client.BatchUpgradeDatabases(request)
	return report("upgrade", answer, err)
}

func upgradeOne(client *gaussdb.GaussDBClient, given options, arguments []string) error {
	delay := given.delay == "true"
	answer, err := client.UpgradeGaussMySqlInstanceDatabase(&model.UpgradeGaussMySqlInstanceDatabaseRequest{
		InstanceId: arguments[0],
		Body:       &model.UpgradeDatabaseRequest{Delay: &delay},
	})
	return report("upgrade-one", answer, err)
}

func listInstances(client *gaussdb.GaussDBClient, _ options, arguments []string) error {
	offset, limit := int32(0), int32(100)
	request := &model.ListGaussMySqlInstancesRequest{Offset: &offset, Limit: &limit}
	if len(arguments) > 0 {
		request.Name = &arguments[0]
	}
	answer, err := client.ListGaussMySqlInstances(request)
	return report("instances", answer, err)
}

func listInstancesUnified(client *gaussdb.GaussDBClient, _ options, arguments []string) error {
	offset, limit := int32(0), int32(100)
	request := &model.ListGaussMySqlInstancesUnifyStatusRequest{Offset: &offset, Limit: &limit}
	if len(arguments) > 0 {
		request.Name = &arguments[0]
	}
	answer, err := client.ListGaussMySqlInstancesUnifyStatus(request)
	return report("instances-v3.1", answer, err)
}

func showInstance(client *gaussdb.GaussDBClient, _ options, arguments []string) error {
	answer, err := client.ShowGaussMySqlInstanceInfo(
		&model.ShowGaussMySqlInstanceInfoRequest{InstanceId: arguments[0]})
	return report("instance", answer, err)
}

func showVersion(client *gaussdb.GaussDBClient, _ options, arguments []string) error {
	answer, err := client.ShowInstanceDatabaseVersion(
		&model.ShowInstanceDatabaseVersionRequest{InstanceId: arguments[0]})
	return report("version", answer, err)
}

func listJobs(client *gaussdb.GaussDBClient, _ options, _ []string) error {
	offset, limit := "1", "50"
	answer, err := client.ListImmediateJobs(&model.ListImmediateJobsRequest{Offset: &offset, Limit: &limit})
	return report("jobs", answer, err)
}

// waitForJob asks for the job until it has ended, and prints each status when it is new.
func waitForJob(client *gaussdb.GaussDBClient, _ options, arguments []string) error {
	seen := ""
	for end := time.Now().Add(pollFor); time.Now().Before(end); time.Sleep(pollEvery) {
		answer, err := client.ShowGaussMySqlJobInfo(&model.ShowGaussMySqlJobInfoRequest{Id: arguments[0]})
		if err != nil {
			return report("wait", nil, err)
		}
		if answer.Job == nil {
			return errors.New("the answer has no job")
		}
		status := answer.Job.Status.Value()
		if status != seen {
			if err := report("wait", answer, nil); err != nil {
				return err
			}
			seen = status
		}
		if status == "Completed" || status == "Failed" {
			return nil
		}
	}
	return fmt.Errorf("the job is still %s after %s", seen, pollFor)
}

func listScheduled(client *gaussdb.GaussDBClient, _ options, _ []string) error {
	offset, limit := "1", "50"
	answer, err := client.ListScheduleJobs(&model.ListScheduleJobsRequest{Offset: &offset, Limit: &limit})
	return report("scheduled", answer, err)
}

func cancelScheduled(client *gaussdb.GaussDBClient, _ options, arguments []string) error {
	answer, err := client.CancelScheduleTask(
		&model.CancelScheduleTaskRequest{Body: &model.CancelScheduleTask{JobIds: arguments}})
	return report("cancel", answer, err)
}

// report prints an answer of the SDK with its status, or its error object; any other error is returned.
func report(name string, answer any, err error) error {
	line := map[string]any{"step": name}
	var refused *sdkerr.ServiceResponseError
	switch {
	case errors.As(err, &refused):
		line["error"] = map[string]any{
			"type":          reflect.TypeOf(err).String(),
			"status_code":   refused.StatusCode,
			"error_code":    refused.ErrorCode,
			"error_message": refused.ErrorMessage,
			"request_id":    refused.RequestId,
		}
	case err != nil:
		return err
	default:
		line["status"] = reflect.ValueOf(answer).Elem().FieldByName("HttpStatusCode").Int()
		line["answer"] = answer
	}
	return json.NewEncoder(os.Stdout).Encode(line)
}
