using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Ticketing.Api.Tickets;

namespace Ticketing.Api.Tests.Http;

internal enum Serves
{
    Control,
    Candidate,
}

/// <summary>The service on a real port: limits and raw bytes are the server's, not the pipeline's.</summary>
internal sealed class TicketingService : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TicketingService(WebApplication app, HttpClient http) => (_app, Http) = (app, http);

    public HttpClient Http { get; }

    public IServiceProvider Services => _app.Services;

    public FakeLogCollector Logs => _app.Services.GetFakeLogCollector();

    public static async Task<TicketingService> StartAsync(
        string served, Serves serves = Serves.Control, Action<WebApplicationBuilder>? configure = null)
    {
        var app = Build(builder =>
        {
            builder.Configuration["ConnectionStrings:Served"] = served;
            if (serves is Serves.Candidate)
                builder.Services.AddSingleton<ControlStore>(provider => new(provider.GetRequiredService<CandidateStore>().Invoke));
            configure?.Invoke(builder);
        });
        await app.StartAsync();
        return new(app, new() { BaseAddress = new(app.Urls.Single()) });
    }

    public static WebApplication Build(Action<WebApplicationBuilder> configure) => ApiHost.Build([], builder =>
    {
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders().AddFakeLogging();
        builder.Configuration["Authentication:SigningKey"] = AccessTokens.SigningKey;
        builder.Configuration["Shadowing:Enabled"] = "false";
        builder.Configuration["Stopping:ServeFor"] = "00:00:00";
        configure(builder);
    });

    public Task<Answer> SendAsync(string method, string path, string? json = null, int? asUser = null) =>
        SendAsync(method, path, json is null ? null : Encoding.UTF8.GetBytes(json), "application/json", asUser is { } id ? AccessTokens.For(id) : null);

    public async Task<Answer> SendAsync(string method, string path, byte[]? body, string? contentType, string? token)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var request = new HttpRequestMessage(new(method), path);
        // A body that is too large is refused before it is sent.
        if (body?.Length > 64 * 1024) request.Headers.ExpectContinue = true;
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            if (contentType is not null) request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        }

        using var response = await Http.SendAsync(request, cancellationToken);
        return new(
            (int)response.StatusCode,
            response.Content.Headers.ContentType?.MediaType,
            await response.Content.ReadAsStringAsync(cancellationToken),
            response.Headers.WwwAuthenticate.ToString(),
            response.Headers.RetryAfter?.ToString(),
            response.Headers.Location?.ToString());
    }

    /// <summary>All that comes back for these bytes until the service closes the connection.</summary>
    public async Task<string> SendBytesAsync(string bytes)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(Http.BaseAddress!.Host, Http.BaseAddress.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(bytes), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Sends an address that no client library would.</summary>
    public async Task<Answer> SendRawAsync(string target, string token)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var client = new TcpClient();
        await client.ConnectAsync(Http.BaseAddress!.Host, Http.BaseAddress.Port, cancellationToken);
        await using var stream = client.GetStream();
        await stream.WriteAsync(
            Encoding.Latin1.GetBytes($"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"),
            cancellationToken);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var text = await reader.ReadToEndAsync(cancellationToken);

        var (head, body) = (text[..text.IndexOf("\r\n\r\n", StringComparison.Ordinal)], text[(text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
        var type = head.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Type: ", StringComparison.Ordinal))?["Content-Type: ".Length..];
        // Chunked: what is between the first brace and the last is the document.
        var document = body.Contains('{', StringComparison.Ordinal) ? body[body.IndexOf('{', StringComparison.Ordinal)..(body.LastIndexOf('}') + 1)] : "";
        return new(int.Parse(head.Split(' ')[1], null), type, document, "", null, null);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}

/// <summary>What came back.</summary>
internal sealed record Answer(int Status, string? ContentType, string Body, string Challenge, string? RetryAfter, string? Location)
{
    public JsonNode Json => JsonNode.Parse(Body)!;

    public string? Code => ContentType is "application/problem+json" ? (string?)Json["code"] : null;
}
