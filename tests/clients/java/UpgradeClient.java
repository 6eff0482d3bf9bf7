import com.fasterxml.jackson.annotation.JsonProperty;
import com.huaweicloud.sdk.core.ClientBuilder;
import com.huaweicloud.sdk.core.HcClient;
import com.huaweicloud.sdk.core.SdkResponse;
import com.huaweicloud.sdk.core.http.FieldExistence;
import com.huaweicloud.sdk.core.http.HttpMethod;
import com.huaweicloud.sdk.core.http.HttpRequestDef;
import com.huaweicloud.sdk.core.http.LocationType;
import com.huaweicloud.sdk.gaussdb.v3.GaussDBClient;
import java.util.List;

/**
 * The vendor's client, and the three operations that its published version does not have yet. Like the others they are
 * only described here; the vendor's core builds, signs and sends the requests, and reads the answers.
 */
public class UpgradeClient extends GaussDBClient {
    private static final String UPGRADE = "/v3/{project_id}/instances/database-version/upgrade";

    public UpgradeClient(HcClient hcClient) {
        super(hcClient);
    }

    public static ClientBuilder<UpgradeClient> builder() {
        return new ClientBuilder<>(UpgradeClient::new);
    }

    public UpgradeReply batchUpgradeDatabases(Request request) {
        return hcClient.syncInvokeHttp(request, post(UPGRADE, UpgradeReply.class));
    }

    public CheckReply checkKernelUpgrade(Request request) {
        return hcClient.syncInvokeHttp(request, post(UPGRADE + "/pre-check", CheckReply.class));
    }

    public CheckResult showKernelUpgradeCheckResult(Request request) {
        return hcClient.syncInvokeHttp(request, post(UPGRADE + "/pre-check-result", CheckResult.class));
    }

    private static <T> HttpRequestDef<Request, T> post(String path, Class<T> reply) {
        HttpRequestDef.Builder<Request, T> builder = HttpRequestDef.builder(HttpMethod.POST, Request.class, reply)
            .withName(reply.getSimpleName())
            .withUri(path)
            .withContentType("application/json;charset=UTF-8");
        builder.<String>withRequestField("X-Language", LocationType.Header, FieldExistence.NULL_IGNORE, String.class,
            field -> field.withMarshaller(request -> request.language, (request, value) -> request.language = value));
        builder.<Object>withRequestField("body", LocationType.Body, FieldExistence.NON_NULL_NON_EMPTY, Object.class,
            field -> field.withMarshaller(request -> request.body, (request, value) -> request.body = value));
        return builder.build();
    }

    /** What all three operations take; the body may be any value that has a JSON form. */
    public static class Request {
        @JsonProperty("X-Language")
        public String language;
        @JsonProperty
        public Object body;
    }

    public static class UpgradeReply extends SdkResponse {
        @JsonProperty
        public String resp;
    }

    public static class CheckReply extends SdkResponse {
        @JsonProperty("job_ids")
        public List<String> jobIds;
    }

    public static class CheckResult extends SdkResponse {
        @JsonProperty("upgrade_precheck_result")
        public String result;
        @JsonProperty("updated_at")
        public Long updatedAt;
        @JsonProperty("upgrade_precheck_detail")
        public List<CheckItem> detail;
    }

    public static class CheckItem {
        @JsonProperty("check_item")
        public String item;
        @JsonProperty("check_description")
        public String description;
        @JsonProperty("check_object")
        public String object;
        @JsonProperty("check_status")
        public String status;
    }
}
