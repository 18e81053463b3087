using Microsoft.Extensions.Configuration;
using Shadowing.AspNetCore.Operators;
using Shadowing.Evidence;
using Shadowing.Postgres.Connections;
using Shadowing.Settings;
using Ticketing.Api.Accounts;
using Ticketing.Api.Http;
using Ticketing.Api.Stopping;

namespace EndToEnd.Tests.Deploy;

/// <summary>Which environment variables the service reads, by the options that they are bound to.</summary>
internal static class SettingNames
{
    private static readonly string[] Operations =
        ["tickets.list", "tickets.get", "tickets.create", "tickets.update", "tickets.delete", "tickets.comment", "tickets.stats"];

    private static readonly Dictionary<string, Type> Sections = new()
    {
        [ShadowingOptions.Section] = typeof(ShadowingOptions),
        [OperatorsOptions.Section] = typeof(OperatorsOptions),
        [StoppingOptions.Section] = typeof(StoppingOptions),
        [ProxySettings.Section] = typeof(ProxySettings),
        ["Authentication"] = typeof(AuthenticationSettings),
    };

    private static readonly string[] Connections =
    [
        new ServedDatabaseOptions().Name, nameof(ShadowDatabaseOptions.Shadow), nameof(ShadowDatabaseOptions.Sandbox),
        nameof(ShadowDatabaseOptions.Evidence), nameof(ShadowDatabaseOptions.Listen),
    ];

    /// <summary>Read by the platform: where it listens, how it logs, what the runtime opens, where telemetry is sent.</summary>
    private static readonly string[] Platform =
    [
        OperatorDoor.Setting, "ASPNETCORE_URLS", "ASPNETCORE_HTTP_PORTS", "DOTNET_RUNNING_IN_CONTAINER", "DOTNET_EnableDiagnostics",
        "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL",
    ];

    /// <param name="value">Null where it is a secret, or is not known here.</param>
    /// <returns>What is wrong with it, in words; null where nothing is.</returns>
    public static string? Complaint(string name, string? value)
    {
        if (Platform.Contains(name)) return null;
        var path = name.Replace("__", ":", StringComparison.Ordinal);
        var root = path.Split(':')[0];
        if (root == "ConnectionStrings") return Connections.Any(one => path == $"{root}:{one}") ? null : $"{name}: there is no such connection string.";
        if (!Sections.TryGetValue(root, out var type) || path == root) return $"{name}: the service reads no such setting.";
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(path, value ?? "")]).Build();
        var read = SettingsReader.Read(
            configuration.GetSection(root), type, root, root == ShadowingOptions.Section ? new Dictionary<string, Type> { ["Gate"] = typeof(GateSection) } : null,
            new Dictionary<string, IReadOnlyCollection<string>> { [nameof(ShadowingOptions.Operations)] = Operations });
        if (read.Unknown is [var unknown, ..]) return $"{name}: there is no such setting; the nearest is {unknown.Nearest}.";
        return value is not null && read.Malformed is [var malformed, ..] ? malformed : null;
    }
}
