import com.huaweicloud.sdk.core.exception.ServiceResponseException;
import com.huaweicloud.sdk.gaussdb.v3.model.ListGaussMySqlInstancesUnifyStatusRequest;
import com.huaweicloud.sdk.gaussdb.v3.model.ListImmediateJobsRequest;
import com.huaweicloud.sdk.gaussdb.v3.model.MysqlInstanceListInfoUnifyStatus;
import com.huaweicloud.sdk.gaussdb.v3.model.ShowInstanceDatabaseVersionRequest;
import com.huaweicloud.sdk.gaussdb.v3.model.ShowInstanceDatabaseVersionResponse;
import com.huaweicloud.sdk.gaussdb.v3.model.TaskDetailInfo;
import com.huaweicloud.sdk.gaussdb.v3.region.GaussDBRegion;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What a user runs in production: the SDK takes keys and addresses from the environment, where a test replaces them. */
public final class UpgradeFleet {
    private UpgradeFleet() {
    }

    public static void main(String[] arguments) {
        try {
            upgrade(UpgradeClient.builder().withRegion(GaussDBRegion.valueOf("cn-north-4")).build());
            System.exit(0); // the HTTP library keeps threads alive for idle connections
        } catch (ServiceResponseException refused) {
            System.err.printf("%d %s %s (request %s)%n", refused.getHttpStatusCode(), refused.getErrorCode(),
                refused.getErrorMsg(), refused.getRequestId());
            System.exit(1);
        }
    }

    private static void upgrade(UpgradeClient client) {
        List<Map<String, String>> instances = new ArrayList<>();
        for (MysqlInstanceListInfoUnifyStatus instance : client.listGaussMySqlInstancesUnifyStatus(
            new ListGaussMySqlInstancesUnifyStatusRequest().withOffset(0).withLimit(100)).getInstances()) {
            ShowInstanceDatabaseVersionResponse version = client.showInstanceDatabaseVersion(
                new ShowInstanceDatabaseVersionRequest().withInstanceId(instance.getId()));
            if (version.getUpgradeFlag() && instance.getStatus().equals("normal")) {
                instances.add(Map.of("instance_id", instance.getId(),
                    "current_version", version.getDatastore().getCurrentKernelVersion()));
            }
        }
        UpgradeClient.Request request = new UpgradeClient.Request();
        request.body = Map.of("databases_instance_infos", instances, "delay", false);
        System.out.printf("{\"resp\": \"%s\"}%n", client.batchUpgradeDatabases(request).resp);
        for (TaskDetailInfo job : client.listImmediateJobs(new ListImmediateJobsRequest()
            .withJobName("UpgradeGaussDBforMySQLDatabaseVersion").withOffset("1").withLimit("50")).getJobs()) {
            System.out.printf("{\"instance\": \"%s\", \"status\": \"%s\"}%n", job.getInstanceName(),
                job.getStatus());
        }
    }
}
