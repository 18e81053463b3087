using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Ticketing.Demo.Database;

namespace EndToEnd.Tests.Live;

/// <summary>A series of an answer.</summary>
internal sealed record Sample(IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>A real Prometheus and a real Alertmanager on loopback, with the configurations, rules and routes that are shipped.</summary>
internal sealed class Watchers : IAsyncDisposable
{
    private readonly string _work = Directory.CreateTempSubdirectory("watchers").FullName;
    private readonly List<Process> _running = [];
    private readonly HttpClient _http = new();
    private readonly Uri _prometheus = new($"http://127.0.0.1:{PrivatePostgres.FreePort()}");
    private readonly Uri _alertmanager = new($"http://127.0.0.1:{PrivatePostgres.FreePort()}");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="replicas">What is scraped; the first takes the webhook.</param>
    /// <param name="moreRules">A file of rules beside those that are shipped.</param>
    public static async Task<Watchers> StartAsync(IReadOnlyList<Uri> replicas, string webhookToken, JsonNode moreRules)
    {
        var watchers = new Watchers();
        try
        {
            await watchers.ConfigureAsync(replicas, webhookToken, moreRules);
            await watchers.RunAsync(
                watchers._alertmanager, "prometheus-alertmanager", $"--config.file={watchers._work}/alertmanager.yml",
                $"--storage.path={watchers._work}/alertmanager", "--cluster.listen-address=");
            await watchers.RunAsync(
                watchers._prometheus, "prometheus", $"--config.file={watchers._work}/prometheus.yml", $"--storage.tsdb.path={watchers._work}/prometheus");
            return watchers;
        }
        catch
        {
            await watchers.DisposeAsync();
            throw;
        }
    }

    /// <summary>An instant query.</summary>
    public async Task<IReadOnlyList<Sample>> QueryAsync(string expression)
    {
        using var response = await _http.GetAsync(new Uri(_prometheus, "/api/v1/query?query=" + Uri.EscapeDataString(expression)), Cancellation);
        var answer = (await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation))!;
        Assert.True((string?)answer["status"] == "success", $"{expression}: {answer}");
        return
        [
            .. answer["data"]!["result"]!.AsArray().Select(one => new Sample(
                one!["metric"]!.AsObject().ToDictionary(label => label.Key, label => (string)label.Value!),
                double.Parse((string)one["value"]![1]!, CultureInfo.InvariantCulture))),
        ];
    }

    /// <summary>Waits until every replica has been scraped again, wholly after now.</summary>
    public async Task ScrapedAsync()
    {
        // What is exported may be as old as the exporter keeps it, which is less than a second.
        var from = (TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000d) + 1;
        await Eventually.HoldsAsync("a scrape of every replica", async () =>
            await QueryAsync("timestamp(shadow_config_hash)") is { Count: > 0 } scraped && scraped.All(sample => sample.Value > from));
    }

    public async Task<bool> IsFiringAsync(string alert, string operation) =>
        (await QueryAsync($"ALERTS{{alertstate=\"firing\", alertname=\"{alert}\", shadow_operation=\"{operation}\"}}")).Count > 0;

    /// <summary>Webhooks that were sent, and of them those that failed.</summary>
    public async Task<(double Sent, double Failed)> WebhooksAsync()
    {
        var lines = (await _http.GetStringAsync(new Uri(_alertmanager, "/metrics"), Cancellation)).Split('\n');
        return (Of("alertmanager_notifications_total{integration=\"webhook\"}"), Of("alertmanager_notifications_failed_total{integration=\"webhook\"}"));

        double Of(string series) => lines.Where(line => line.StartsWith(series, StringComparison.Ordinal))
            .Sum(line => double.Parse(line[series.Length..], CultureInfo.InvariantCulture));
    }

    /// <summary>What Alertmanager has of an alert, inhibited or not; null for nothing.</summary>
    public async Task<JsonNode?> AlertAsync(string alert, string? operation) =>
        (await _http.GetFromJsonAsync<JsonArray>(new Uri(_alertmanager, "/api/v2/alerts"), Cancellation))!
        .FirstOrDefault(one => (string?)one!["labels"]!["alertname"] == alert && (string?)one["labels"]!["shadow_operation"] == operation);

    /// <summary>Raises an alert as Prometheus would.</summary>
    public async Task RaiseAsync(string alert, string operation)
    {
        var labels = new JsonObject { ["alertname"] = alert, ["job"] = "shadow-ticketing", ["shadow_operation"] = operation, ["severity"] = "critical" };
        using var response = await _http.PostAsync(
            new Uri(_alertmanager, "/api/v2/alerts"), JsonContent.Create(new JsonArray(new JsonObject { ["labels"] = labels })), Cancellation);
        response.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _running)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }

        _http.Dispose();
        Directory.Delete(_work, recursive: true);
    }

    private async Task ConfigureAsync(IReadOnlyList<Uri> replicas, string webhookToken, JsonNode moreRules)
    {
        await File.WriteAllTextAsync($"{_work}/webhook.token", webhookToken, Cancellation);
        await File.WriteAllTextAsync($"{_work}/more.yml", moreRules.ToJsonString(), Cancellation);
        await WriteAsync(
            "alertmanager", ("http://127.0.0.1:5080", replicas[0].GetLeftPart(UriPartial.Authority)),
            ("/etc/alertmanager/shadow-webhook.token", $"{_work}/webhook.token"));
        await WriteAsync(
            "prometheus", ("'127.0.0.1:5080'", string.Join(", ", replicas.Select(replica => $"'{replica.Authority}'"))),
            ("127.0.0.1:9093", _alertmanager.Authority),
            ("- ../../dashboards/prometheus/rules/*.yml", $"- {Rules.Folder}/*.yml\n  - {_work}/more.yml"));

        async Task WriteAsync(string program, params (string What, string By)[] changes)
        {
            var text = await File.ReadAllTextAsync(Repository.Path("deploy", program, program + ".yml"), Cancellation);
            foreach (var (what, by) in changes)
            {
                Assert.Contains(what, text, StringComparison.Ordinal);
                text = text.Replace(what, by, StringComparison.Ordinal);
            }

            await File.WriteAllTextAsync($"{_work}/{program}.yml", text, Cancellation);
        }
    }

    private async Task RunAsync(Uri at, string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(Tool.Find(program), [.. arguments, $"--web.listen-address={at.Authority}"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        _running.Add(process);
        _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var said = process.StandardError.ReadToEndAsync(CancellationToken.None);
        await Eventually.HoldsAsync($"{program} is ready", async () =>
        {
            if (process.HasExited) Assert.Fail($"{program} ended: {await said}");
            try
            {
                using var response = await _http.GetAsync(new Uri(at, "/-/ready"), Cancellation);
                return response.IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
    }
}
