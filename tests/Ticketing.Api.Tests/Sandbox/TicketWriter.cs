using System.Net.Http.Headers;
using System.Net.Http.Json;
using Ticketing.Api.Tests.Http;
using Ticketing.Api.Tests.Shadowing;

namespace Ticketing.Api.Tests.Sandbox;

/// <summary>Writes tickets over HTTP, as one of the staff. Every answer must be that it was done.</summary>
internal sealed class TicketWriter(HttpClient http)
{
    private static readonly AuthenticationHeaderValue Staff = new("Bearer", AccessTokens.For(ShadowedService.Staff));

    /// <returns>The new ticket's id.</returns>
    public async Task<int> CreateAsync(string subject) =>
        WriteTraffic.IdIn(await SendAsync(HttpMethod.Post, "/api/tickets", new { subject, description = "A description of it" }));

    public Task CommentAsync(int ticket, string comment) => SendAsync(HttpMethod.Post, $"/api/tickets/{ticket}/comments", new { comment });

    public Task ResolveAsync(int ticket, string resolution) =>
        SendAsync(HttpMethod.Patch, $"/api/tickets/{ticket}", new { status = "resolved", resolution });

    public Task DeleteAsync(int ticket) => SendAsync(HttpMethod.Delete, $"/api/tickets/{ticket}", null);

    private async Task<string> SendAsync(HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, path) { Headers = { Authorization = Staff } };
        if (body is not null) request.Content = JsonContent.Create(body);
        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        var answer = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {(int)response.StatusCode} {answer}");
        return answer;
    }
}
