import com.huaweicloud.sdk.core.SdkResponse;
import com.huaweicloud.sdk.core.auth.BasicCredentials;
import com.huaweicloud.sdk.core.exception.ServiceResponseException;
import com.huaweicloud.sdk.core.region.Region;
import com.huaweicloud.sdk.core.utils.JsonUtils;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Calls the SDK for a test: each line of standard input is an operation and its request, each answer is one line of JSON. */
public final class Calls {
    private static UpgradeClient client;

    private Calls() {
    }

    public static void main(String[] arguments) throws IOException {
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader calls = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = calls.readLine(); line != null; line = calls.readLine()) {
            answers.println(JsonUtils.toJSON(answer(JsonUtils.toObject(line, Map.class))));
        }
        System.exit(0); // the HTTP library keeps threads alive for idle connections
    }

    private static Map<String, Object> answer(Map<?, ?> call) {
        String operation = (String) call.get("operation");
        Map<?, ?> request = (Map<?, ?>) call.get("request");
        try {
            return Map.of("result", operation.equals("connect") ? connect(request) : invoke(operation, request));
        } catch (Exception exception) {
            return Map.of("error", failure(exception));
        }
    }

    private static Map<String, Object> connect(Map<?, ?> options) {
        String url = (String) options.get("url");
        BasicCredentials credentials = new BasicCredentials()
            .withAk((String) options.get("ak"))
            .withSk((String) options.get("sk"))
            .withSecurityToken((String) options.get("securityToken"))
            .withIamEndpoint((String) options.get("iamUrl"))
            .withProjectId((String) options.get("project"));
        String region = (String) options.get("region");
        client = (region == null
            ? UpgradeClient.builder().withCredential(credentials).withEndpoints(List.of(url))
            : UpgradeClient.builder().withCredential(credentials).withRegion(new Region(region, url))).build();
        return Map.of();
    }

    /** The SDK's models name their fields as the service does, so they read a request and write a reply themselves. */
    private static Object invoke(String operation, Map<?, ?> request) throws Exception {
        Method method = Arrays.stream(UpgradeClient.class.getMethods())
            .filter(each -> each.getName().equals(operation))
            .findFirst()
            .orElseThrow(() -> new NoSuchMethodException(operation));
        Object typed = JsonUtils.toObject(JsonUtils.toJSON(request), method.getParameterTypes()[0]);
        try {
            SdkResponse response = (SdkResponse) method.invoke(client, typed);
            Map<String, Object> result = new LinkedHashMap<>(JsonUtils.objectToMap(response));
            result.put("httpStatusCode", response.getHttpStatusCode());
            return result;
        } catch (InvocationTargetException exception) {
            throw (Exception) exception.getCause();
        }
    }

    private static Map<String, Object> failure(Exception exception) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("kind", exception.getClass().getSimpleName());
        fields.put("message", String.valueOf(exception.getMessage()));
        if (exception instanceof ServiceResponseException) {
            ServiceResponseException refused = (ServiceResponseException) exception;
            fields.put("status", refused.getHttpStatusCode());
            fields.put("code", refused.getErrorCode());
            fields.put("request_id", refused.getRequestId());
        }
        return fields;
    }
}
