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
    private static readonly TimeSpan Sending = TimeSpan.FromMinutes(5);
    private readonly HttpClient _http;

    public ShadowClient(Uri address, string token)
    {
        _http = new() { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.Authorization = new("Bearer", token);
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    public Task<JsonNode> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, path, null, Patience, cancellationToken);

    public Task<JsonNode> PostAsync(string path, JsonNode body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, path, JsonContent.Create(body), Patience, cancellationToken);

    /// <summary>Sends a file, which may take a while.</summary>
    public Task<JsonNode> PostAsync(string path, Stream file, CancellationToken cancellationToken) =>
        SendAsync(
            HttpMethod.Post, path, new StreamContent(file) { Headers = { ContentType = new("application/octet-stream") } }, Sending,
            cancellationToken);

    public Task<JsonNode> PutAsync(string path, JsonNode body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Put, path, JsonContent.Create(body), Patience, cancellationToken);

    /// <summary>Where the answer has no body.</summary>
    public Task DeleteAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, path, null, Patience, cancellationToken);

    public void Dispose() => _http.Dispose();

    /// <exception cref="RefusedException">The answer is no answer; with the exit code that says why.</exception>
    private async Task<JsonNode> SendAsync(
        HttpMethod method, string path, HttpContent? content, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(patience);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using var request = new HttpRequestMessage(method, "/shadow/v1/" + path) { Content = content };
            using var response = await _http.SendAsync(request, either.Token);
            if (response.StatusCode is HttpStatusCode.NoContent) return new JsonObject();
            var answer = await response.Content.ReadFromJsonAsync<JsonNode>(either.Token);
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
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RefusedException(ExitCodes.Unreachable, $"{_http.BaseAddress} did not answer in {patience.TotalSeconds} s.");
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
