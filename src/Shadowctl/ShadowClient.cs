using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Shadowctl;

/// <summary>The service said no, or nothing.</summary>
/// <param name="exitCode">See <see cref="ExitCodes"/>.</param>
internal sealed class RefusedException(int exitCode, string message) : Exception(message)
{
    public int ExitCode => exitCode;
}

/// <summary>Speaks to the service's operator routes, and to nothing else.</summary>
internal sealed class ShadowClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private readonly HttpClient _http;

    public ShadowClient(Uri address, string token)
    {
        _http = new() { BaseAddress = address, Timeout = Patience };
        _http.DefaultRequestHeaders.Authorization = new("Bearer", token);
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    public Task<JsonNode> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, path, null, cancellationToken);

    public Task<JsonNode> PostAsync(string path, JsonNode body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, path, body, cancellationToken);

    public Task<JsonNode> PutAsync(string path, JsonNode body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Put, path, body, cancellationToken);

    /// <summary>Where the answer has no body.</summary>
    public Task DeleteAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, path, null, cancellationToken);

    public void Dispose() => _http.Dispose();

    /// <exception cref="RefusedException">The answer is no answer; with the exit code that says why.</exception>
    private async Task<JsonNode> SendAsync(HttpMethod method, string path, JsonNode? body, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(method, "/shadow/v1/" + path);
            if (body is not null) request.Content = JsonContent.Create(body);
            using var response = await _http.SendAsync(request, cancellationToken);
            if (response.StatusCode is HttpStatusCode.NoContent) return new JsonObject();
            var answer = await response.Content.ReadFromJsonAsync<JsonNode>(cancellationToken);
            if (response.IsSuccessStatusCode && answer is not null) return answer;
            throw new RefusedException(
                ExitCodeOf(response.StatusCode), $"{(int)response.StatusCode} {(string?)answer?["code"]}: {(string?)answer?["detail"]}");
        }
        catch (HttpRequestException unreachable)
        {
            throw new RefusedException(ExitCodes.Unreachable, $"{_http.BaseAddress} cannot be reached: {unreachable.Message}");
        }
        catch (JsonException)
        {
            throw new RefusedException(ExitCodes.Unreachable, $"{_http.BaseAddress} does not answer as the service does.");
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RefusedException(ExitCodes.Unreachable, $"{_http.BaseAddress} did not answer in {Patience.TotalSeconds} s.");
        }
    }

    private static int ExitCodeOf(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => ExitCodes.Denied,
        HttpStatusCode.Conflict => ExitCodes.Hold,
        HttpStatusCode.BadRequest or HttpStatusCode.NotFound => ExitCodes.Usage,
        _ => ExitCodes.Unreachable,
    };
}
