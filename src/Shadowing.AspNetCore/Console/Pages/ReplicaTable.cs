using Shadowing.AspNetCore.Console.Markup;
using Shadowing.Model;
using Shadowing.Postgres.Stores;
using Shadowing.Rollout;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>Which replicas have applied the latest change.</summary>
internal static class ReplicaTable
{
    public static Html Draw(IReadOnlyList<ReplicaReport> replicas, IReadOnlyList<RolloutState> states) => Html.From(
        $"""
        <section aria-labelledby="replicas"><h2 id="replicas">Replicas</h2>{(replicas.Count == 0
            ? Parts.Empty("No replica has reported within the last minute.")
            : Parts.Table("Replicas", ["Replica", "Build", "Latest change", "#Users on its candidate", "#In flight", "#Reported"],
                replicas.Select(replica => Row(replica, states))))}</section>
        """);

    private static Html Row(ReplicaReport replica, IReadOnlyList<RolloutState> states)
    {
        var behind = states.Where(state => replica.Applied.GetValueOrDefault(state.Operation) is not { } applied
            || applied.Generation < state.Generation).Select(state => state.Operation).ToArray();
        var shown = states.Select(state => replica.Applied.GetValueOrDefault(state.Operation)).OfType<AppliedRollout>().ToArray();
        var most = shown.Length == 0 ? 0 : shown.Max(applied => applied.ServePercent);
        return Html.From(
            $"""
            <tr id="replica-{replica.Instance.ToString()}"><th scope="row" data-label="Replica">{replica.Replica}</th>
            <td data-label="Build"><code>{replica.Fingerprint}</code></td>
            <td data-label="Latest change">{(behind.Length == 0 ? Parts.Chip("good", "applied")
                : replica.Age > RolloutLease.Length ? Parts.Chip("bad", "silent: serves no user")
                : Parts.Chip("wait", $"pending: {Named(behind)}"))}</td>
            <td data-label="Users on its candidate" class="number">{(shown.Length > 1 && most > 0 ? "up to " : "")}{Show.Percent(most)}</td>
            <td data-label="In flight" class="number">{shown.Sum(applied => applied.Serving)}</td>
            <td data-label="Reported" class="number">
            {(replica.Age < TimeSpan.FromSeconds(3) ? "just now" : $"{Show.Span(replica.Age)} ago")}</td></tr>
            """);
    }

    private static string Named(string[] operations) => operations.Length <= 4 ? string.Join(", ", operations)
        : $"{string.Join(", ", operations.Take(3))} and {operations.Length - 3} more";
}
