using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace ShadowTicketing.EndToEnd.Tests.Live;

/// <summary>A real Prometheus and a real Alertmanager on loopback, with the configurations that are shipped and a rule of the test's own.</summary>
internal sealed class Watchers : IAsyncDisposable
{
    private readonly string _work = Directory.CreateTempSubdirectory("watchers").FullName;
    private readonly List<Process> _running = [];
    private readonly HttpClient _http = new();

    private Watchers(int prometheus, int alertmanager) => (Prometheus, Alertmanager) = (
        new Uri($"http://127.0.0.1:{prometheus}"), new Uri($"http://127.0.0.1:{alertmanager}"));

    public Uri Prometheus { get; }

    public Uri Alertmanager { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="replicas">What is scraped; the first takes the webhook.</param>
    public static async Task<Watchers> StartAsync(IReadOnlyList<Uri> replicas, string webhookToken, string ownRules)
    {
        var watchers = new Watchers(FreePort(), FreePort());
        try
        {
            await watchers.ConfigureAsync(replicas, webhookToken, ownRules);
            watchers.Run(
                "prometheus-alertmanager", $"--config.file={watchers._work}/alertmanager.yml", $"--storage.path={watchers._work}/alertmanager",
                "--cluster.listen-address=", $"--web.listen-address=127.0.0.1:{watchers.Alertmanager.Port}");
            watchers.Run(
                "prometheus", $"--config.file={watchers._work}/prometheus.yml", $"--storage.tsdb.path={watchers._work}/prometheus",
                $"--web.listen-address=127.0.0.1:{watchers.Prometheus.Port}");
            await Eventually.HoldsAsync(async () => await watchers.IsReadyAsync(watchers.Prometheus) && await watchers.IsReadyAsync(watchers.Alertmanager));
            return watchers;
        }
        catch
        {
            await watchers.DisposeAsync();
            throw;
        }
    }

    /// <summary>An instant query.</summary>
    public async Task<IReadOnlyList<(IReadOnlyDictionary<string, string> Labels, double Value)>> QueryAsync(string expression)
    {
        var answer = await GetAsync(new(Prometheus, "/api/v1/query?query=" + Uri.EscapeDataString(expression)));
        Assert.True((string?)answer["status"] == "success", $"{expression}: {answer}");
        var result = answer["data"]!["result"];
        return (string?)answer["data"]!["resultType"] == "scalar"
            ? [(new Dictionary<string, string>(), Number(result![1]!))]
            : [.. result!.AsArray().Select(one => (
                (IReadOnlyDictionary<string, string>)one!["metric"]!.AsObject().ToDictionary(label => label.Key, label => (string)label.Value!),
                Number(one["value"]![1]!)))];
    }

    /// <summary>When an alert fired first, by Prometheus's clock; null while it does not.</summary>
    public async Task<DateTimeOffset?> FiringSinceAsync(string alert, string operation)
    {
        var alerts = (await GetAsync(new(Prometheus, "/api/v1/alerts")))["data"]!["alerts"]!.AsArray();
        var found = alerts.FirstOrDefault(one => (string?)one!["state"] == "firing" && (string?)one["labels"]!["alertname"] == alert
            && (string?)one["labels"]!["shadow_operation"] == operation);
        return found is null ? null : DateTimeOffset.Parse((string)found["activeAt"]!, null);
    }

    /// <summary>Webhooks that were sent, and of them those that failed.</summary>
    public async Task<(double Sent, double Failed)> WebhooksAsync()
    {
        var text = await _http.GetStringAsync(new Uri(Alertmanager, "/metrics"), Cancellation);
        return (Of("alertmanager_notifications_total{integration=\"webhook\"}"), Of("alertmanager_notifications_failed_total{integration=\"webhook\"}"));

        double Of(string series) => double.Parse(text.Split('\n').First(line => line.StartsWith(series, StringComparison.Ordinal))[series.Length..], null);
    }

    /// <summary>Takes the test's own rules away again.</summary>
    public async Task ForgetOwnRulesAsync()
    {
        await File.WriteAllTextAsync($"{_work}/own.yml", "groups: []", Cancellation);
        using var reload = Process.Start("kill", ["-HUP", $"{_running[^1].Id}"])!;
        await reload.WaitForExitAsync(Cancellation);
        await Eventually.HoldsAsync(async () =>
            !(await GetAsync(new(Prometheus, "/api/v1/rules")))["data"]!["groups"]!.AsArray().Any(group => (string?)group!["name"] == "own"));
    }

    /// <summary>What Alertmanager has, inhibited or not.</summary>
    public async Task<IReadOnlyList<JsonNode>> AlertsAsync() =>
        [.. (await GetAsync(new(Alertmanager, "/api/v2/alerts"))).AsArray().Select(alert => alert!)];

    /// <summary>Raises an alert as Prometheus would.</summary>
    public async Task RaiseAsync(string alert, string operation)
    {
        var labels = new JsonObject { ["alertname"] = alert, ["job"] = "shadow-ticketing", ["shadow_operation"] = operation, ["severity"] = "critical" };
        using var response = await _http.PostAsync(
            new Uri(Alertmanager, "/api/v2/alerts"), JsonContent.Create(new JsonArray(new JsonObject { ["labels"] = labels })), Cancellation);
        response.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _running.Where(process => !process.HasExited)) process.Kill();
        foreach (var process in _running)
        {
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }

        _http.Dispose();
        Directory.Delete(_work, recursive: true);
    }

    private async Task ConfigureAsync(IReadOnlyList<Uri> replicas, string webhookToken, string ownRules)
    {
        await File.WriteAllTextAsync($"{_work}/webhook.token", webhookToken, Cancellation);
        await File.WriteAllTextAsync($"{_work}/own.yml", ownRules, Cancellation);
        var alertmanager = await File.ReadAllTextAsync(Repository.Path("deploy", "alertmanager", "alertmanager.yml"), Cancellation);
        await File.WriteAllTextAsync(
            $"{_work}/alertmanager.yml",
            Replaced(
                alertmanager, ("http://127.0.0.1:5080", replicas[0].GetLeftPart(UriPartial.Authority)),
                ("/etc/alertmanager/shadow-webhook.token", $"{_work}/webhook.token")),
            Cancellation);
        var prometheus = await File.ReadAllTextAsync(Repository.Path("deploy", "prometheus", "prometheus.yml"), Cancellation);
        await File.WriteAllTextAsync(
            $"{_work}/prometheus.yml",
            Replaced(
                prometheus, ("['127.0.0.1:5080']", $"[{string.Join(", ", replicas.Select(replica => $"'{replica.Authority}'"))}]"),
                ("127.0.0.1:9093", Alertmanager.Authority),
                ("  - ../../dashboards/prometheus/rules/*.yml", $"  - {Repository.Path("dashboards", "prometheus", "rules")}/*.yml\n  - {_work}/own.yml")),
            Cancellation);

        static string Replaced(string text, params (string What, string By)[] all) => all.Aggregate(text, (whole, one) =>
        {
            Assert.Contains(one.What, whole, StringComparison.Ordinal);
            return whole.Replace(one.What, one.By, StringComparison.Ordinal);
        });
    }

    private void Run(string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(Tool.Find(program), arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _ = process.StandardError.ReadToEndAsync(CancellationToken.None);
        _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        _running.Add(process);
    }

    private async Task<bool> IsReadyAsync(Uri watcher)
    {
        try
        {
            using var response = await _http.GetAsync(new Uri(watcher, "/-/ready"), Cancellation);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task<JsonNode> GetAsync(Uri address) => (await _http.GetFromJsonAsync<JsonNode>(address, Cancellation))!;

    private static double Number(JsonNode value) => double.Parse((string)value!, System.Globalization.CultureInfo.InvariantCulture);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>Waits for something to be seen.</summary>
internal static class Eventually
{
    public static async Task HoldsAsync(Func<Task<bool>> condition, int seconds = 90)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(seconds));
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!await condition()) await look.WaitForNextTickAsync(limit.Token);
    }
}
